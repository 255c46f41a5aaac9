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
