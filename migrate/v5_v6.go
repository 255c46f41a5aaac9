package migrate

import "github.com/flowtool/flowtool/state"

// up5 renames ssl_established to tls_established and timestamp_ssl_setup to
// timestamp_tls_setup in all connections.
func up5(_ *upgrade, m *state.Map) error {
	return connections(m, func(c *state.Map, _ bool) error {
		if err := rename(c, "ssl_established", "tls_established"); err != nil {
			return err
		}
		return rename(c, "timestamp_ssl_setup", "timestamp_tls_setup")
	})
}

// down5 renames them back.
func down5(_ *downgrade, m *state.Map) error {
	return connections(m, func(c *state.Map, _ bool) error {
		if err := rename(c, "tls_established", "ssl_established"); err != nil {
			return err
		}
		return rename(c, "timestamp_tls_setup", "timestamp_ssl_setup")
	})
}
