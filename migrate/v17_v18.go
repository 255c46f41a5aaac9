package migrate

import "github.com/flowtool/flowtool/state"

// up17 adds proxy_mode, "regular", to the client connection.
func up17(_ *upgrade, m *state.Map) error {
	c, err := m.Map("client_conn")
	if err != nil {
		return err
	}
	c.Set("proxy_mode", state.Text("regular"))
	return nil
}
