package migrate

import "github.com/flowtool/flowtool/state"

// up6 adds tls_extensions null to the client connection.
func up6(_ *upgrade, m *state.Map) error {
	c, err := m.Map("client_conn")
	if err != nil {
		return err
	}
	setNull(c, "tls_extensions")
	return nil
}

// down6 removes tls_extensions, which only flows of version 18 and older have.
func down6(d *downgrade, m *state.Map) error {
	c, err := m.Map("client_conn")
	if err != nil {
		return err
	}
	v, _ := c.Delete("tls_extensions")
	if some, err := truthy(v); err != nil || some {
		d.lose("TLS extensions", "client_conn", "tls_extensions")
	}
	return nil
}
