package migrate

import "github.com/flowtool/flowtool/state"

// up19 removes state, the open or closed ends, from client and server
// connection.
func up19(_ *upgrade, m *state.Map) error {
	return ends(m, func(c *state.Map, _ bool) error {
		c.Delete("state")
		return nil
	})
}
