package migrate

import (
	"fmt"

	"github.com/flowtool/flowtool/state"
)

// duplicated is mitmproxy's remark on merged flows, in metadata.duplicated.
const duplicated = "This WebSocket flow has been migrated from an old file format version " +
	"and may appear duplicated."

// up11 merges the two flows of a WebSocket connection into one.
//
// Before:
//
//	the handshake, type http, metadata.websocket true
//	the messages, type websocket, metadata.websocket_handshake the id of the
//	  other, messages close_sender close_code close_message close_reason and
//	  six keys taken from headers of the handshake; in flows that come from 2.0
//	  the handshake itself is in handshake_flow
//
// After:
//
//	type http, metadata.duplicated, websocket {messages closed_by_client
//	  close_code close_reason timestamp_end}; null in all other http flows
//
// The handshake stays in the stream as a flow of its own.
func up11(u *upgrade, m *state.Map) error {
	if isWebSocket(m) {
		h, err := u.merged(m)
		if err == nil {
			u.flow = h
		}
		return err
	}
	if typ, _ := m.Text("type"); typ != "http" {
		return nil // mitmproxy adds websocket all the same, and fails
	}
	setNull(m, "websocket")
	if meta, err := m.Map("metadata"); err == nil && meta.Has("websocket") && u.pending != nil {
		if id, err := m.Text("id"); err == nil {
			u.pending.put(id, m)
		}
	}
	return nil
}

func isWebSocket(m *state.Map) bool {
	typ, err := m.Text("type")
	return err == nil && typ == "websocket"
}

// merged returns the handshake of w with what w holds.
func (u *upgrade) merged(w *state.Map) (*state.Map, error) {
	h, err := u.handshake(w)
	if err != nil {
		return nil, err
	}
	meta, err := h.Map("metadata")
	if err != nil {
		meta = state.NewMap()
		h.Set("metadata", meta.Value())
	}
	meta.Set("duplicated", state.Text(duplicated))

	msgs, ok := w.Get("messages")
	if !ok {
		return nil, state.At(state.ErrMissing, "messages")
	}
	code, ok := w.Get("close_code")
	if !ok {
		return nil, state.At(state.ErrMissing, "close_code")
	}
	reason, ok := w.Get("close_reason")
	if !ok {
		return nil, state.At(state.ErrMissing, "close_reason")
	}
	sender, err := w.Text("close_sender")
	if err != nil {
		return nil, err
	}
	end, err := serverEnd(w)
	if err == nil && end.IsNull() {
		end, err = serverEnd(h)
	}
	if err != nil {
		return nil, err
	}
	h.Set("websocket", state.NewMap(
		state.E("messages", msgs),
		state.E("closed_by_client", state.Bool(sender == "client")),
		state.E("close_code", code),
		state.E("close_reason", reason),
		state.E("timestamp_end", end),
	).Value())

	has, err := truthyAt(h, "error")
	if !has {
		e, _ := w.Get("error")
		h.Set("error", e)
	}
	return h, err
}

func serverEnd(m *state.Map) (state.Value, error) {
	s, err := m.Map("server_conn")
	if err != nil {
		return state.Value{}, err
	}
	end, _ := s.Get("timestamp_end")
	return end, nil
}

// handshake returns the flow of the handshake of w, of version 12.
func (u *upgrade) handshake(w *state.Map) (*state.Map, error) {
	if v, _ := w.Get("handshake_flow"); !v.IsNull() {
		h, err := u.embedded(v)
		return h, state.At(err, "handshake_flow")
	}
	if meta, err := w.Map("metadata"); err == nil && u.pending != nil {
		if id, err := meta.Text("websocket_handshake"); err == nil {
			if h := u.pending.take(id); h != nil {
				return h, nil
			}
		}
	}
	return standIn(w), nil
}

// embedded migrates a handshake that is stored within its WebSocket flow.
func (u *upgrade) embedded(v state.Value) (*state.Map, error) {
	h, err := v.Map()
	if err != nil {
		return nil, err
	}
	from, err := VersionOf(h)
	if err != nil {
		return nil, err
	}
	merge := Number(12)
	if from.Compare(merge) > 0 {
		return nil, fmt.Errorf("version %s within a flow of an older one", from)
	}
	n := u.nested(h)
	if err := n.run(from, merge); err != nil {
		if e, ok := err.(*StepError); ok {
			err = e.Err
		}
		return nil, err
	}
	typ, err := n.flow.Text("type")
	if err == nil && typ != "http" {
		err = state.At(fmt.Errorf("is %q, want %q", typ, "http"), "type")
	}
	return n.flow, err
}

// standIn returns a flow for the handshake of w, which is lost.
func standIn(w *state.Map) *state.Map {
	h := state.NewMap()
	for _, key := range []string{
		"id", "error", "client_conn", "server_conn", "intercepted", "is_replay", "marked",
	} {
		if v, ok := w.Get(key); ok {
			h.Set(key, v)
		}
	}
	h.Set("type", state.Text("http"))
	h.Set("metadata", state.NewMap().Value())
	h.Set("mode", state.Text("transparent"))
	h.Set("request", state.NewMap(
		state.E("http_version", state.Bytes([]byte("HTTP/1.1"))),
		state.E("headers", state.NewList().Value()),
		state.E("content", state.Null()),
		state.E("trailers", state.Null()),
		state.E("timestamp_start", state.Int(0)),
		state.E("timestamp_end", state.Int(0)),
		state.E("host", state.Text("unknown")),
		state.E("port", state.Int(80)),
		state.E("method", state.Bytes([]byte("GET"))),
		state.E("scheme", state.Bytes([]byte("http"))),
		state.E("authority", state.Bytes(nil)),
		state.E("path", state.Bytes([]byte("/"))),
	).Value())
	setNull(h, "response")
	return h
}
