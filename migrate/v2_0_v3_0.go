package migrate

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/flowtool/flowtool/state"
)

// up2_0 unwraps addresses and adds fields.
//
// Before:
//
//	client_conn  address {"address": [host, port], "use_ipv6": false}
//	server_conn  address, source_address, ip_address likewise; the last two may
//	             be null
//	messages     of websocket flows: [opcode, from_client, content, timestamp]
//	close_code   of websocket flows: text
//
// After:
//
//	client_conn  address [host, port], mitmcert null
//	server_conn  address, source_address, ip_address likewise, tls_version null,
//	             also in via
//	messages     [opcode, from_client, content, timestamp, killed false]
//	close_code   int or null
//
// mitmproxy unwraps addresses one step earlier, although 2.0 still wrapped them,
// and fails on all flows of 2.0. A websocket flow keeps its handshake_flow, which
// is of version 2.0, until it is merged with it.
func up2_0(_ *upgrade, m *state.Map) error {
	err := connections(m, func(c *state.Map, client bool) error {
		if client {
			setNull(c, "mitmcert")
		} else {
			setNull(c, "tls_version")
		}
		return unwrapAddresses(c)
	})
	if err != nil || !isWebSocket(m) {
		return err
	}
	msgs, err := m.List("messages")
	if err != nil {
		return err
	}
	for i, e := range msgs.All() {
		msg, err := e.List()
		if err != nil {
			return state.At(state.At(err, i), "messages")
		}
		if msg.Len() == 4 {
			msg.Append(state.Bool(false))
		}
	}
	if code, _ := m.Get("close_code"); code.Kind() == state.KindText {
		text, err := code.Text()
		if err != nil {
			return state.At(err, "close_code")
		}
		m.Set("close_code", digits(text))
	}
	return nil
}

// digits returns the integer that s spells, or null if s is something else.
func digits(s string) state.Value {
	const most = 18 // of digits, fits in an int64
	if s == "" || len(s) > most {
		return state.Null()
	}
	var n int64
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return state.Null()
		}
		n = n*10 + int64(c-'0')
	}
	return state.Int(n)
}

// down2_0 wraps addresses, and puts the handshake of a WebSocket flow into it,
// which is skipped if there is none.
func down2_0(d *downgrade, m *state.Map) error {
	err := d.connections(m, func(c *state.Map, at place) error {
		if at.client() {
			d.remove(c, "mitmcert", state.Null(), "certificate of mitmproxy", at.key("mitmcert")...)
		} else {
			d.remove(c, "tls_version", state.Null(), "TLS version", at.key("tls_version")...)
		}
		for _, key := range []string{"address", "source_address", "ip_address"} {
			if err := wrapAddress(c, key); err != nil {
				return state.At(err, key)
			}
		}
		return nil
	})
	if err != nil || !isWebSocket(m) {
		return err
	}
	h, err := d.handshake(m)
	if err != nil {
		return err
	}
	if h == nil {
		d.skip(m, "WebSocket flow without handshake")
		return nil
	}
	m.Set("handshake_flow", h.Value())

	if err := d.shorten(m, 4, "flags of dropped messages", d.inWebSocket("messages")...); err != nil {
		return err
	}
	code, _ := m.Get("close_code")
	text, err := codeText(code)
	if err != nil {
		return state.At(err, "close_code")
	}
	if !state.Equal(digits(text), code) {
		d.lose("close code", d.inWebSocket("close_code")...)
	}
	m.Set("close_code", state.Text(text))
	return nil
}

// codeText returns a close code in the words of 2.0.
func codeText(code state.Value) (string, error) {
	if code.IsNull() {
		return "(status code missing)", nil
	}
	n, err := code.BigInt()
	if err != nil {
		return "", err
	}
	return n.String(), nil
}

func wrapAddress(c *state.Map, key string) error {
	v, ok := c.Get(key)
	if !ok || v.IsNull() || v.Kind() == state.KindMap {
		return nil
	}
	l, err := v.List()
	if err != nil {
		return err
	}
	v6 := false
	if l.Len() > 0 {
		switch l.At(0).Kind() {
		case state.KindText:
			host, err := l.At(0).Text()
			if err != nil {
				return state.At(err, 0)
			}
			v6 = strings.Contains(host, ":")
		case state.KindBytes: // in 0.10
			host, err := l.At(0).Bytes()
			if err != nil {
				return state.At(err, 0)
			}
			v6 = bytes.Contains(host, []byte(":"))
		}
	}
	c.Set(key, state.NewMap(state.E("address", v), state.E("use_ipv6", state.Bool(v6))).Value())
	return nil
}

// takeHandshake takes the handshake off the WebSocket flow of 2.0 and migrates it.
// It returns nil if there is none.
func (u *upgrade) takeHandshake() (*state.Map, error) {
	w := u.flow
	v, _ := w.Delete("handshake_flow")
	if v.IsNull() {
		return nil, handshakeKeys(w, nil)
	}
	h, err := v.Map()
	if err != nil {
		return nil, state.At(err, "handshake_flow")
	}
	from, err := VersionOf(h)
	if err == nil && from != Tuple(2, 0) {
		err = fmt.Errorf("version %s within a flow of another one", from)
	}
	if err != nil {
		return nil, state.At(err, "handshake_flow")
	}
	if h, err = u.nested(h).finish(from); err != nil {
		if e, ok := err.(*StepError); ok {
			err = e.Err
		}
		return nil, state.At(err, "handshake_flow")
	}
	if typ := typeOf(h); typ != "http" {
		return nil, state.At(fmt.Errorf("is %q, want %q", typ, "http"), "handshake_flow")
	}
	if err := handshakeKeys(w, h); err != nil {
		return nil, state.At(err, "handshake_flow")
	}
	metadata, err := h.Map("metadata")
	if err != nil {
		return nil, state.At(err, "handshake_flow")
	}
	flow, _ := w.Get("id")
	metadata.Set("websocket", state.Bool(true))
	metadata.Set("websocket_flow", flow)
	id, _ := h.Get("id")
	w.Set("metadata", state.NewMap(state.E("websocket_handshake", id)).Value())
	return h, nil
}

// handshake returns the handshake of the WebSocket flow w, of the same version, or
// nil if it is not known.
func (d *downgrade) handshake(w *state.Map) (*state.Map, error) {
	metadata, err := w.Map("metadata")
	if err != nil {
		return nil, err
	}
	w.Set("metadata", state.NewMap().Value())
	if d.split {
		return d.flows[0].Clone(), nil
	}
	id, ok := metadata.Delete("websocket_handshake")
	if metadata.Len() > 0 {
		d.lose("metadata", "metadata")
	}
	text, err := id.Text()
	if !ok || err != nil || d.handshakes == nil {
		return nil, nil
	}
	return d.handshakes.get(text), nil
}

// remember keeps an HTTP flow that is the handshake of a WebSocket flow to come.
func (d *downgrade) remember(m *state.Map) {
	if d.handshakes == nil || typeOf(m) != "http" {
		return
	}
	if metadata, err := m.Map("metadata"); err == nil && metadata.Has("websocket") {
		if id, err := m.Text("id"); err == nil {
			d.handshakes.put(id, m)
		}
	}
}

// inWebSocket returns the path of a key of the WebSocket flow.
func (d *downgrade) inWebSocket(key string) place {
	if d.split {
		return place{"websocket", key}
	}
	return place{key}
}
