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
