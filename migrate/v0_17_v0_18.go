package migrate

import "github.com/flowtool/flowtool/state"

// up0_17 turns bytes into text where 0.18 has text, in keys and in type, id,
// request.first_line_format and error.msg, and adds marked.
//
// Before:
//
//	server_conn  peer_address
//
// After:
//
//	marked       false
//	server_conn  ip_address
func up0_17(_ *upgrade, m *state.Map) error {
	if err := textValues(m); err != nil {
		return err
	}
	m.Set("marked", state.Bool(false))
	return servers(m, func(s *state.Map, _ bool) error {
		renameOptional(s, "peer_address", "ip_address")
		return nil
	})
}

// down0_17 removes marked. There are no TCP flows below 0.18, and no text: all of it
// becomes bytes, in the end.
func down0_17(d *downgrade, m *state.Map) error {
	if typeOf(m) == "tcp" {
		d.skip(m, "TCP flow")
		return nil
	}
	d.remove(m, "marked", state.Bool(false), "mark", "marked")
	req, err := m.Map("request")
	if err != nil {
		return err
	}
	if v, _ := req.Get("port"); v.Kind() == state.KindText { // constructed flows of 2.0
		if v, err = port(v); err != nil {
			return state.At(state.At(err, "port"), "request")
		}
		req.Set("port", v)
	}
	at := place{"server_conn"}
	return servers(m, func(s *state.Map, _ bool) error {
		if v, _ := s.Get("sni"); v.Kind() == state.KindText {
			b, err := v.TextBytes()
			if err != nil {
				return state.At(err, "sni")
			}
			if !isASCII(b) { // up10 expects nothing else
				d.derive("spelling of the server name", at.key("sni")...)
			}
		}
		at = at.key("via")
		return rename(s, "ip_address", "peer_address")
	})
}
