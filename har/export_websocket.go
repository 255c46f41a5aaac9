package har

import (
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/jsonstring"
)

// webSocket appends the messages of a WebSocket, in the form of Chrome.
func (r *renderer) webSocket(w *flow.WebSocket) {
	r.raw(`,"_resourceType":"websocket","_webSocketMessages":[`)
	shows, bad := showsMessages(w), 0
	for i := range w.Messages {
		msg := &w.Messages[i]
		kind := "receive"
		if msg.FromClient {
			kind = "send"
		}
		r.comma()
		r.raw(`{"type":"` + kind + `","time":`)
		t := msg.Timestamp.Unix()
		if math.IsNaN(t) || math.IsInf(t, 0) {
			t = 0
		}
		r.dst = strconv.AppendFloat(r.dst, t, 'f', -1, 64)
		r.raw(`,"opcode":`)
		r.int(int64(msg.Opcode))
		r.raw(`,"data":`)
		data, err := msg.Content.Bytes()
		if err != nil {
			r.note("WebSocket message %d: %v", i, err)
		}
		var text []byte
		if !msg.IsText() {
			text = r.base64(data)
		} else if dst, ok := jsonstring.Append(append(r.dst, '"'), data); ok {
			r.dst, text = append(dst, '"'), data
		} else {
			r.str(string(data))
			text = r.text
			bad++
		}
		r.raw("}")
		if !shows {
			r.tie.sum.add([]byte(kind))
			r.tie.sum.addInt(int64(msg.Opcode))
			r.tie.sum.add(text)
		}
	}
	r.raw("]")
	if shows {
		r.tie.shows(partMessages)
	} else {
		r.tie.summed(partWebSocket)
	}
	if bad > 0 {
		r.note("WebSocket text messages that are not UTF-8: %d", bad)
	}
}

// showsMessages tells whether the visible fields have the content of all messages
// byte for byte.
func showsMessages(w *flow.WebSocket) bool {
	for i := range w.Messages {
		if m := &w.Messages[i]; m.IsText() {
			data, err := m.Content.Bytes()
			if err != nil || !utf8.Valid(data) {
				return false
			}
		}
	}
	return len(w.Messages) > 0
}
