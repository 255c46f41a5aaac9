package flow

import (
	"math"

	"github.com/flowtool/flowtool/state"
)

// A WebSocket is what went over an HTTP connection after its upgrade.
type WebSocket struct {
	Messages       []WebSocketMessage
	ClosedByClient *bool // nil while it is open
	CloseCode      int   // 0 if unknown
	CloseReason    string
	TimestampEnd   Timestamp
}

// closeFrame tells whether the peer said why it closed.
func (w *WebSocket) closeFrame() bool {
	const abnormal = 1006 // stands for the lack of a close frame
	return w.ClosedByClient != nil && w.CloseCode != 0 && w.CloseCode != abnormal
}

// Opcodes of WebSocket messages that are recorded.
const (
	OpText   = 1
	OpBinary = 2
)

// A WebSocketMessage is a complete message, put together from its frames.
type WebSocketMessage struct {
	Opcode     int // OpText or OpBinary
	FromClient bool
	Content    Body // UTF-8 for text
	Timestamp  Timestamp
	Dropped    bool // not passed on
	Injected   bool // not sent by a peer
}

// IsText tells whether m is a text message.
func (m *WebSocketMessage) IsText() bool { return m.Opcode == OpText }

var opcodeRule = rule{
	want: "opcode 0, 1, 2, 8, 9 or 10",
	check: func(c *checker, want string, v state.Value) (state.Value, bool) {
		if f, err := v.Float64(); err == nil && f != math.Trunc(f) {
			return c.fail(want, v)
		}
		op, changed := plainIntRule.check(c, want, v)
		if i, err := op.Int64(); op.Kind() == state.KindInt && (err != nil || !isOpcode(i)) {
			return c.fail(want, v)
		}
		return op, changed
	},
}

func isOpcode(i int64) bool {
	switch i {
	case 0, 1, 2, 8, 9, 10:
		return true
	}
	return false
}

var webSocketMessageFields = table[WebSocketMessage]{
	intField("", opcodeRule, func(p *WebSocketMessage) *int { return &p.Opcode }),
	boolField("", boolRule, func(p *WebSocketMessage) *bool { return &p.FromClient }),
	bodyField("", bytesRule, func(p *WebSocketMessage) *Body { return &p.Content }),
	timeField("", messageTimeRule, func(p *WebSocketMessage) *Timestamp { return &p.Timestamp }),
	boolField("", boolRule.def(state.Bool(false)), func(p *WebSocketMessage) *bool { return &p.Dropped }),
	boolField("", boolRule.def(state.Bool(false)), func(p *WebSocketMessage) *bool { return &p.Injected }),
}

var webSocketFields = table[WebSocket]{
	listField("messages", tupleOf("list of six elements", 3, webSocketMessageFields.rules()...),
		webSocketMessageFields, webSocketMessageFields.storeTuple,
		func(p *WebSocket) *[]WebSocketMessage { return &p.Messages }),
	maybeBoolField("closed_by_client", func(p *WebSocket) **bool { return &p.ClosedByClient }),
	intField("close_code", intRule.orNull(), func(p *WebSocket) *int { return &p.CloseCode }),
	emptyOrNull(textField("close_reason", textRule.orNull(), func(p *WebSocket) *string { return &p.CloseReason }),
		func(p *WebSocket) bool { return p.closeFrame() && p.CloseReason == "" }, state.Text("")),
	timeField("timestamp_end", floatRule.orNull(), func(p *WebSocket) *Timestamp { return &p.TimestampEnd }),
}
