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

// down17 removes proxy_mode. There are no UDP flows below version 18.
func down17(d *downgrade, m *state.Map) error {
	if typeOf(m) == "udp" {
		d.skip(m, "UDP flow")
		return nil
	}
	c, err := m.Map("client_conn")
	if err != nil {
		return err
	}
	mode, _, err := proxyMode(c)
	if err != nil {
		return state.At(err, "client_conn")
	}
	d.mode = mode
	d.remove(c, "proxy_mode", state.Text("regular"), "proxy mode", "client_conn", "proxy_mode")
	return nil
}
