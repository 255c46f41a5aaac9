package migrate

import (
	"strings"

	"github.com/flowtool/flowtool/state"
)

// up20 gives a TLS version and a proxy mode their later names.
//
// Before:
//
//	client_conn  proxy_mode osproxy, tls_version QUIC
//	server_conn  tls_version QUIC
//
// After:
//
//	client_conn  proxy_mode local, tls_version QUICv1
//	server_conn  tls_version QUICv1
//
// The mode was renamed within version 20; mitmproxy refuses the old name.
func up20(_ *upgrade, m *state.Map) error {
	return ends(m, func(c *state.Map, client bool) error {
		if v, _ := c.Get("tls_version"); v.Kind() == state.KindText {
			name, err := v.Text()
			if err != nil {
				return state.At(err, "tls_version")
			}
			if name == "QUIC" {
				c.Set("tls_version", state.Text("QUICv1"))
			}
		}
		if v, _ := c.Get("proxy_mode"); client && v.Kind() == state.KindText {
			mode, err := v.Text()
			if err != nil {
				return state.At(err, "proxy_mode")
			}
			const old = "osproxy"
			if len(mode) >= len(old) && strings.EqualFold(mode[:len(old)], old) {
				c.Set("proxy_mode", state.Text("local"+mode[len(old):]))
			}
		}
		return nil
	})
}
