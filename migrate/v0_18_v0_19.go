package migrate

import "github.com/flowtool/flowtool/state"

// up0_18 turns the bytes into text that 0.18 wrote on Python 2, as before, and
// adds fields.
//
// Before:
//
//	request      stickycookie stickyauth
//
// After:
//
//	mode         "regular"
//	metadata     {}
//	client_conn  sni alpn_proto_negotiated cipher_name tls_version: null
//	server_conn  alpn_proto_negotiated null, also in via
//
// mitmproxy fails on TCP flows, which have no request.
func up0_18(_ *upgrade, m *state.Map) error {
	if err := textValues(m); err != nil {
		return err
	}
	m.Set("mode", state.Text("regular"))
	m.Set("metadata", state.NewMap().Value())
	err := httpMessages(m, func(msg *state.Map, request bool) error {
		if request {
			msg.Delete("stickycookie")
			msg.Delete("stickyauth")
		}
		return nil
	})
	if err != nil {
		return err
	}
	return connections(m, func(c *state.Map, client bool) error {
		if client {
			setNull(c, "sni", "cipher_name", "tls_version")
		}
		setNull(c, "alpn_proto_negotiated")
		return nil
	})
}
