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
