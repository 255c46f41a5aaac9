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
