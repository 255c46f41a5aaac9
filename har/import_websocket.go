package har

import (
	"fmt"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/state"
)

// webSocket returns what went over a WebSocket, nil if the entry is none.
func (im *importer) webSocket(url *endpoint, s *newResponse) *flow.WebSocket {
	i := im.get(0, "_webSocketMessages")
	im.want(im.is(i, '['), i, "/_webSocketMessages", "an array")
	const switching = 101
	upgraded := s != nil && s.status == switching && (url.socket || im.rawText("_resourceType") == "websocket")
	if !im.is(i, '[') && !upgraded {
		return nil
	}
	w := new(flow.WebSocket)
	var others []state.Value
	for n, e := range im.elements(i) {
		if m, ok := im.webSocketMessage(e); ok {
			w.Messages = append(w.Messages, m)
		} else {
			im.note(fmt.Sprintf("/_webSocketMessages/%d", n), "%s is no message", quoted(im.raw(e)))
			others = append(others, im.value(e, 0))
		}
	}
	if len(others) > 0 {
		im.keep("_webSocketMessages", state.NewList(others...).Value())
	}
	return w
}

// webSocketMessage returns a message in the form of Chrome: type, time in seconds
// since 1970, opcode, and data, which are in base64 unless they are text.
func (im *importer) webSocketMessage(i int) (m flow.WebSocketMessage, ok bool) {
	kind, _ := im.scalar(im.get(i, "type"))
	switch string(kind) {
	case "send", "request":
		m.FromClient = true
	case "receive", "response":
	default:
		return m, false
	}
	m.Opcode = flow.OpText
	if op := im.get(i, "opcode"); op >= 0 {
		n, ok := im.integer(op)
		if !ok || !isOpcode(n) {
			return m, false
		}
		m.Opcode = int(n)
	}
	data, ok := im.scalar(im.get(i, "data"))
	if !ok && im.get(i, "data") >= 0 {
		return m, false
	}
	if m.Opcode != flow.OpText {
		decoded, ok := im.document.base64(data)
		if !ok {
			return m, false
		}
		data = decoded
	}
	m.Content = flow.NewBody(data)
	if t, ok := im.number(im.get(i, "time")); ok {
		const milliseconds = 1e11 // no seconds in thousands of years
		if t > milliseconds {
			t /= 1e3
		}
		m.Timestamp = flow.Seconds(t)
	}
	return m, true
}

// isOpcode tells whether a WebSocket frame can have an opcode.
func isOpcode(n int64) bool { return n >= 0 && n <= 2 || n >= 8 && n <= 10 }
