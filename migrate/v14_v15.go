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

// down14 removes injected from WebSocket messages.
func down14(d *downgrade, m *state.Map) error {
	if some, err := truthyAt(m, "websocket"); err != nil || !some {
		return err
	}
	ws, err := m.Map("websocket")
	if err != nil {
		return err
	}
	err = d.shorten(ws, 5, "injected flags", "websocket", "messages")
	return state.At(err, "websocket")
}

// shorten keeps the first n elements of all WebSocket messages in m. The others
// are false usually.
func (d *downgrade) shorten(m *state.Map, n int, what string, path ...any) error {
	msgs, err := m.List("messages")
	if err != nil {
		return err
	}
	out := make([]state.Value, msgs.Len())
	for i, e := range msgs.All() {
		elems, err := e.Elements(nil)
		if err == nil && (e.Kind() != state.KindList || len(elems) < n) {
			err = &state.TypeError{Want: "WebSocket message", Got: e.String()}
		}
		if err != nil {
			return state.At(state.At(err, i), "messages")
		}
		for _, flag := range elems[n:] {
			if !state.Equal(flag, state.Bool(false)) {
				d.lose(what, path...)
			}
		}
		out[i] = state.NewList(elems[:n:n]...).Value()
	}
	m.Set("messages", state.NewList(out...).Value())
	return nil
}
