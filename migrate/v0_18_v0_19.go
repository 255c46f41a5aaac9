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

// down0_18 removes what up0_18 adds.
func down0_18(d *downgrade, m *state.Map) error {
	if typeOf(m) == "http" {
		req, err := m.Map("request")
		if err != nil {
			return err
		}
		req.Set("stickycookie", state.Bool(false))
		req.Set("stickyauth", state.Bool(false))
	}
	m.Delete("mode") // what proxy_mode says is lost already
	if err := d.removeMetadata(m); err != nil {
		return err
	}
	return d.connections(m, func(c *state.Map, at place) error {
		if at.client() {
			d.remove(c, "sni", state.Null(), "server name", at.key("sni")...)
			d.remove(c, "cipher_name", state.Null(), "cipher", at.key("cipher")...)
			d.remove(c, "tls_version", state.Null(), "TLS version", at.key("tls_version")...)
		}
		d.remove(c, "alpn_proto_negotiated", state.Null(), "negotiated protocol", at.key("alpn")...)
		return nil
	})
}

func (d *downgrade) removeMetadata(m *state.Map) error {
	metadata, err := m.Map("metadata")
	if err != nil {
		return err
	}
	m.Delete("metadata")
	for _, key := range d.added {
		metadata.Delete(key)
	}
	if metadata.Len() > 0 {
		d.lose("metadata", "metadata")
	}
	return nil
}
