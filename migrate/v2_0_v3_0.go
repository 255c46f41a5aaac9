package migrate

import "github.com/flowtool/flowtool/state"

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
