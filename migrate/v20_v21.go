package migrate

import (
	"slices"
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

// down20 gives the TLS version its earlier name. Proxy modes that not every
// release of version 20 accepts become regular: local and tun, which came within
// it, and osproxy, which went.
func down20(d *downgrade, m *state.Map) error {
	return ends(m, func(c *state.Map, client bool) error {
		if v, _ := c.Get("tls_version"); v.Kind() == state.KindText {
			name, err := v.Text()
			if err != nil {
				return state.At(err, "tls_version")
			}
			if name == "QUICv1" {
				c.Set("tls_version", state.Text("QUIC"))
			}
		}
		if !client {
			return nil
		}
		return d.restrictMode(c, func(mode, _ string) bool { return slices.Contains(commonModes, mode) })
	})
}

// commonModes are the names of the proxy modes that all releases of the versions
// 18 to 21 accept.
var commonModes = []string{"regular", "transparent", "upstream", "reverse", "socks5", "dns", "wireguard"}

// restrictMode makes the proxy mode of a client connection regular if it is not
// allowed.
func (d *downgrade) restrictMode(c *state.Map, allowed func(mode, data string) bool) error {
	mode, data, err := proxyMode(c)
	if err == nil && !allowed(mode, data) {
		c.Set("proxy_mode", state.Text("regular"))
		d.lose("proxy mode", "client_conn", "proxy_mode")
	}
	return err
}

// proxyMode returns the name of the proxy mode of a client connection, in lower
// case, and what follows it: "reverse" and "http://example.com@8080".
func proxyMode(c *state.Map) (name, data string, err error) {
	spec, err := c.Text("proxy_mode")
	i := strings.IndexAny(spec, ":@")
	if i < 0 {
		i = len(spec)
	}
	return strings.ToLower(spec[:i]), strings.TrimPrefix(spec[i:], ":"), err
}
