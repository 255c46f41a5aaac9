package migrate

import (
	"fmt"
	"strings"
	"unicode/utf8"

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

	msgs, err := bytesMessages(w)
	if err != nil {
		return nil, state.At(err, "messages")
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

// bytesMessages returns the messages of w with bytes for their content. mitmproxy
// leaves text, which fails when it is used.
func bytesMessages(w *state.Map) (state.Value, error) {
	v, ok := w.Get("messages")
	if !ok {
		return v, state.ErrMissing
	}
	msgs, err := v.List()
	if err != nil {
		return v, err
	}
	out := make([]state.Value, msgs.Len())
	for i, e := range msgs.All() {
		out[i] = e
		elems, err := e.Elements(nil)
		if err == nil && e.Kind() == state.KindList && len(elems) > 2 && elems[2].Kind() == state.KindText {
			var b []byte
			b, err = elems[2].TextBytes()
			elems[2] = state.Bytes(b)
			out[i] = state.NewList(elems...).Value()
		}
		if err != nil {
			return v, state.At(err, i)
		}
	}
	return state.NewList(out...).Value(), nil
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
		h, err := u.embedded(v, Number(12))
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

// embedded migrates a handshake that is stored within its WebSocket flow to
// version to.
func (u *upgrade) embedded(v state.Value, to Version) (*state.Map, error) {
	h, err := v.Map()
	if err != nil {
		return nil, err
	}
	from, err := VersionOf(h)
	if err != nil {
		return nil, err
	}
	if from.Compare(to) > 0 {
		return nil, fmt.Errorf("version %s within a flow of an older one", from)
	}
	n := u.nested(h)
	if err := n.run(from, to); err != nil {
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

// down11 takes the messages off a WebSocket flow. They become a flow of their own,
// which comes after the handshake.
//
// Reading both again gives the handshake and the flow as it was, with the same id
// and a few metadata that mention the other.
func down11(d *downgrade, m *state.Map) error {
	if typeOf(m) != "http" {
		return nil
	}
	v, _ := m.Delete("websocket")
	some, err := truthy(v)
	if err != nil {
		return state.At(err, "websocket")
	}
	if !some {
		return nil
	}
	ws, err := v.Map()
	if err != nil {
		return state.At(err, "websocket")
	}
	if err := d.moveEnd(m, ws); err != nil {
		return err
	}
	id, err := d.linkMessages(m)
	if err != nil {
		return err
	}
	w, err := d.messageFlow(m, ws)
	if err != nil {
		return err
	}
	w.Set("id", state.Text(id))
	d.flows, d.split = append(d.flows, w), true
	return nil
}

// moveEnd makes the end of the WebSocket connection that of the server connection,
// where mitmproxy looks for it.
func (d *downgrade) moveEnd(m, ws *state.Map) error {
	s, err := m.Map("server_conn")
	if err != nil {
		return err
	}
	end, _ := ws.Get("timestamp_end")
	was, _ := s.Get("timestamp_end")
	switch {
	case sameNumber(end, was):
	case end.IsNull():
		d.derive("missing end of the WebSocket connection", "websocket", "timestamp_end")
	default:
		s.Set("timestamp_end", end)
		d.lose("end of the server connection", "server_conn", "timestamp_end")
	}
	return nil
}

// linkMessages marks the flow m as a handshake and returns the id of the flow with
// the messages: that which it had when it was merged, or else a new one.
func (d *downgrade) linkMessages(m *state.Map) (string, error) {
	id, err := m.Text("id")
	if err != nil {
		return "", err
	}
	was, err := m.Map("metadata")
	if err != nil {
		return "", err
	}
	if v, ok := was.Get("websocket"); ok && !state.Equal(v, state.Bool(true)) {
		d.lose("metadata", "metadata", "websocket")
	}
	w, ok := was.Get("websocket_flow")
	if text, err := w.Text(); err == nil && isUUID(text) && text != id {
		id = text
	} else {
		id = d.newID(id)
		if ok {
			d.lose("metadata", "metadata", "websocket_flow")
		}
	}
	for _, key := range []string{"websocket", "websocket_flow"} {
		if !was.Has(key) {
			d.added = append(d.added, key)
		}
	}
	metadata := was.Clone()
	metadata.Delete("duplicated")
	metadata.Set("websocket", state.Bool(true))
	metadata.Set("websocket_flow", state.Text(id))
	m.Set("metadata", metadata.Value())
	return id, nil
}

// messageFlow returns the flow of the messages in ws, without its id. h is its
// handshake.
func (d *downgrade) messageFlow(h, ws *state.Map) (*state.Map, error) {
	id, _ := h.Get("id")
	w := state.NewMap(
		state.E("type", state.Text("websocket")),
		state.E("intercepted", state.Bool(false)),
		state.E("is_replay", state.Null()),
		state.E("metadata", state.NewMap(state.E("websocket_handshake", id)).Value()),
		state.E("close_message", state.Text("(message missing)")),
	)
	for _, key := range []string{"version", "client_conn", "server_conn", "error", "marked"} {
		v, _ := h.Get(key)
		w.Set(key, state.Clone(v))
	}
	if err := handshakeKeys(w, h); err != nil {
		return nil, err
	}

	msgs, err := ws.List("messages")
	if err != nil {
		return nil, state.At(err, "websocket")
	}
	out := make([]state.Value, msgs.Len())
	for i, e := range msgs.All() {
		if out[i], err = textMessage(e); err != nil {
			return nil, state.At(state.At(state.At(err, i), "messages"), "websocket")
		}
	}
	w.Set("messages", state.NewList(out...).Value())

	sender := "client"
	byClient, _ := ws.Get("closed_by_client")
	if b, err := byClient.Bool(); err == nil && !b {
		sender = "server"
	} else if err != nil {
		d.lose("that the connection was open", "websocket", "closed_by_client")
	}
	w.Set("close_sender", state.Text(sender))
	code, _ := ws.Get("close_code")
	if code.IsNull() {
		code = state.Int(1005)
		d.lose("missing close code", "websocket", "close_code")
	}
	w.Set("close_code", code)
	reason, _ := ws.Get("close_reason")
	if reason.IsNull() {
		reason = state.Text("")
		d.lose("missing close reason", "websocket", "close_reason")
	}
	w.Set("close_reason", reason)
	return w, nil
}

// textMessage returns a WebSocket message with text for its content if it is one of
// text.
func textMessage(v state.Value) (state.Value, error) {
	l, err := v.List()
	if err != nil {
		return v, err
	}
	if l.Len() != 5 {
		return v, &state.TypeError{Want: "list of 5", Got: v.String()}
	}
	content := l.At(2)
	if !state.SameKey(l.At(0), state.Int(1)) || content.Kind() != state.KindBytes {
		return v, nil
	}
	b, err := content.Bytes()
	if err != nil {
		return v, state.At(err, 2)
	}
	if !utf8.Valid(b) {
		return v, nil
	}
	return state.NewList(l.At(0), l.At(1), state.TextBytes(b), l.At(3), l.At(4)).Value(), nil
}

// handshakeKeys sets the keys of the WebSocket flow w that repeat headers of its
// handshake h.
func handshakeKeys(w, h *state.Map) error {
	null, empty := state.Null(), state.Text("")
	keys := []struct {
		key, header string
		absent      state.Value
		response    bool
	}{
		{"client_key", "Sec-WebSocket-Key", empty, false},
		{"client_protocol", "Sec-WebSocket-Protocol", null, false},
		{"client_extensions", "Sec-WebSocket-Extensions", null, false},
		{"server_accept", "Sec-WebSocket-Accept", empty, true},
		{"server_protocol", "Sec-WebSocket-Protocol", null, true},
		{"server_extensions", "Sec-WebSocket-Extensions", null, true},
	}
	for _, k := range keys {
		w.Set(k.key, k.absent)
	}
	if h == nil {
		return nil
	}
	return httpMessages(h, func(msg *state.Map, request bool) error {
		headers, err := msg.List("headers")
		if err != nil {
			return err
		}
		for _, k := range keys {
			if k.response == request {
				continue
			}
			value, ok, err := headerValue(headers, k.header)
			if err != nil {
				return state.At(err, "headers")
			}
			if ok {
				w.Set(k.key, state.Text(value))
			}
		}
		return nil
	})
}

// headerValue returns the values of all headers with the given name.
func headerValue(headers *state.List, name string) (string, bool, error) {
	var values []string
	for i, e := range headers.All() {
		pair, err := e.Elements(nil)
		if err == nil && (e.Kind() != state.KindList || len(pair) != 2) {
			err = &state.TypeError{Want: "list of name and value", Got: e.String()}
		}
		var n, v []byte
		if err == nil {
			n, err = pair[0].Bytes()
		}
		if err == nil {
			v, err = pair[1].Bytes()
		}
		if err != nil {
			return "", false, state.At(err, i)
		}
		if strings.EqualFold(string(n), name) {
			values = append(values, escaped(v))
		}
	}
	return strings.Join(values, ", "), len(values) > 0, nil
}
