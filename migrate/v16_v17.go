package migrate

import "github.com/flowtool/flowtool/state"

// up16 removes mode; proxy_mode of the client connection takes its place.
func up16(_ *upgrade, m *state.Map) error {
	m.Delete("mode")
	return nil
}
