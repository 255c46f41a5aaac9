package migrate

import "github.com/flowtool/flowtool/state"

// up7 adds trailers null to request and response.
func up7(_ *upgrade, m *state.Map) error {
	return httpMessages(m, func(msg *state.Map, _ bool) error {
		setNull(msg, "trailers")
		return nil
	})
}
