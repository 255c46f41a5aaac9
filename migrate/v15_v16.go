package migrate

import "github.com/flowtool/flowtool/state"

// up15 adds timestamp_created.
func up15(_ *upgrade, m *state.Map) error {
	t, err := started(m)
	m.Set("timestamp_created", t)
	return err
}

// started returns when a flow began: with its request if it is an HTTP flow, else
// with its client connection. mitmproxy leaves null if that has no time.
func started(m *state.Map) (state.Value, error) {
	if v, _ := m.Get("request"); v.Kind() == state.KindMap {
		req, err := v.Map()
		if err != nil {
			return state.Value{}, state.At(err, "request")
		}
		if t, _ := req.Get("timestamp_start"); !t.IsNull() {
			return t, nil
		}
	}
	c, err := m.Map("client_conn")
	if err != nil {
		return state.Value{}, err
	}
	if t, _ := c.Get("timestamp_start"); !t.IsNull() {
		return t, nil
	}
	return state.Float(0), nil
}

// down15 removes timestamp_created. Readers take the time that up15 takes.
func down15(d *downgrade, m *state.Map) error {
	t, err := started(m)
	if err != nil {
		return err
	}
	v, _ := m.Delete("timestamp_created")
	if !v.IsNull() && !sameNumber(v, t) {
		d.derive("time of creation", "timestamp_created")
	}
	return nil
}

// sameNumber tells whether two values are equal, 1 and 1.0 included.
func sameNumber(a, b state.Value) bool {
	if state.Equal(a, b) {
		return true
	}
	x, err1 := a.Number()
	y, err2 := b.Number()
	return err1 == nil && err2 == nil && x == y
}
