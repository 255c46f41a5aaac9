package migrate

import "github.com/flowtool/flowtool/state"

// up14 adds injected, false, to WebSocket messages.
//
// Before:
//
//	websocket.messages  [opcode, from_client, content, timestamp, dropped]
//
// After:
//
//	websocket.messages  [opcode, from_client, content, timestamp, dropped, injected]
func up14(_ *upgrade, m *state.Map) error {
	if some, err := truthyAt(m, "websocket"); err != nil || !some {
		return err
	}
	ws, err := m.Map("websocket")
	if err != nil {
		return err
	}
	msgs, err := ws.List("messages")
	if err != nil {
		return state.At(err, "websocket")
	}
	for i, e := range msgs.All() {
		msg, err := e.List()
		if err != nil {
			return state.At(state.At(state.At(err, i), "messages"), "websocket")
		}
		msg.Append(state.Bool(false))
	}
	return nil
}
