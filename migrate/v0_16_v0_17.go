package migrate

import "github.com/flowtool/flowtool/state"

// up0_16 adds peer_address null to server connections, also to those in via,
// which mitmproxy forgets.
func up0_16(_ *upgrade, m *state.Map) error {
	return servers(m, func(s *state.Map, _ bool) error {
		if !s.Has("peer_address") { // from 0.10
			s.Set("peer_address", state.Null())
		}
		return nil
	})
}

// down0_16 removes peer_address.
func down0_16(d *downgrade, m *state.Map) error {
	at := place{"server_conn"}
	return servers(m, func(s *state.Map, _ bool) error {
		d.remove(s, "peer_address", state.Null(), "resolved address", at.key("peername")...)
		at = at.key("via")
		return nil
	})
}
