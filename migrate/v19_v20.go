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

// down19 adds state, both ends closed.
func down19(_ *downgrade, m *state.Map) error {
	return ends(m, func(c *state.Map, _ bool) error {
		c.Set("state", state.Int(0))
		return nil
	})
}
