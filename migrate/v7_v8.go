package migrate

import "github.com/flowtool/flowtool/state"

// up7 adds trailers null to request and response.
func up7(_ *upgrade, m *state.Map) error {
	return httpMessages(m, func(msg *state.Map, _ bool) error {
		setNull(msg, "trailers")
		return nil
	})
}

// down7 removes trailers. Not all releases of version 7 accept metadata that are
// no text, integer, bool or null.
func down7(d *downgrade, m *state.Map) error {
	err := httpMessages(m, func(msg *state.Map, request bool) error {
		key := "response"
		if request {
			key = "request"
		}
		d.remove(msg, "trailers", state.Null(), "trailers", key, "trailers")
		return nil
	})
	if err != nil {
		return err
	}
	return d.convertMetadata(m, flat)
}
