package migrate

import (
	"slices"
	"strings"

	"github.com/flowtool/flowtool/state"
)

// up18 renames fields of connections.
//
// Before:
//
//	client_conn  address, cipher_name, tls_extensions, tls_established,
//	             timestamp_start may be null
//	server_conn  ip_address, source_address, via, via2, cipher_name,
//	             tls_established; sni may be true, which means "the address"
//
// After:
//
//	client_conn  peername, cipher
//	server_conn  peername, sockname, via (which was via2), cipher
//	both         transport_protocol; hosts are text
//
// In recordings of 6.0 tls is null, and mitmproxy fails since 10.0; it becomes
// what tls_established was. To mitmproxy all connections are TCP, although 8.1
// and 9.0 recorded DNS and UDP as well.
func up18(_ *upgrade, m *state.Map) error {
	transport := usualTransport(m)
	return ends(m, func(c *state.Map, client bool) error {
		if err := unwrapAddresses(c); err != nil {
			return err
		}
		if client {
			renameOptional(c, "address", "peername")
			if v, _ := c.Get("timestamp_start"); v.IsNull() {
				c.Set("timestamp_start", state.Float(0))
			}
			c.Delete("tls_extensions")
		} else {
			renameOptional(c, "ip_address", "peername")
			renameOptional(c, "source_address", "sockname")
			renameOptional(c, "via2", "via")
		}
		renameOptional(c, "cipher_name", "cipher")
		established, err := truthyAt(c, "tls_established")
		if err != nil {
			return err
		}
		c.Delete("tls_established")
		if tls, ok := c.Get("tls"); ok && tls.IsNull() {
			c.Set("tls", state.Bool(established))
		}
		if !c.Has("transport_protocol") {
			c.Set("transport_protocol", transport)
		}
		for _, key := range []string{"peername", "sockname", "address"} {
			if err := textHost(c, key); err != nil {
				return state.At(err, key)
			}
		}
		if client {
			return nil
		}
		return sniOfAddress(c)
	})
}

// usualTransport returns the protocol that connections of m run over if m does not
// say which.
func usualTransport(m *state.Map) state.Value {
	if typ, _ := m.Text("type"); typ == "udp" || typ == "dns" {
		return state.Text("udp")
	}
	return state.Text("tcp")
}

// down18 renames fields back. Whether TLS is established follows from its time,
// and the transport protocol from the type of the flow.
//
// The releases of version 18 know neither HTTP/3 nor QUIC, as scheme of an
// upstream proxy or in reverse mode, and fail on metadata that JSON does not
// have, which is bytes.
func down18(d *downgrade, m *state.Map) error {
	transport := usualTransport(m)
	err := ends(m, func(c *state.Map, client bool) error {
		name := "server_conn"
		if client {
			name = "client_conn"
		}
		if v, _ := c.Delete("transport_protocol"); !state.Equal(v, transport) {
			d.derive("transport protocol", name, "transport_protocol")
		}
		if client {
			if err := d.restrictMode(c, func(mode, data string) bool {
				return slices.Contains(commonModes, mode) && !(mode == "reverse" && hasQUIC(data))
			}); err != nil {
				return err
			}
			c.Set("tls_extensions", state.NewList().Value())
			if err := rename(c, "peername", "address"); err != nil {
				return err
			}
		} else {
			if err := d.restrictVia(c); err != nil {
				return err
			}
			for _, r := range [][2]string{{"peername", "ip_address"}, {"sockname", "source_address"}, {"via", "via2"}} {
				if err := rename(c, r[0], r[1]); err != nil {
					return err
				}
			}
			c.Set("via", state.Null())
		}
		setup, _ := c.Get("timestamp_tls_setup")
		c.Set("tls_established", state.Bool(!setup.IsNull()))
		return rename(c, "cipher", "cipher_name")
	})
	if err != nil {
		return err
	}
	return d.convertMetadata(m, jsonable)
}

// hasQUIC tells whether the target of a reverse mode is reached over QUIC.
func hasQUIC(target string) bool {
	scheme, _, ok := strings.Cut(target, "://")
	return ok && (strings.EqualFold(scheme, "http3") || strings.EqualFold(scheme, "quic"))
}

// restrictVia forgets an upstream proxy that is reached over QUIC.
func (d *downgrade) restrictVia(s *state.Map) error {
	v, _ := s.Get("via")
	if v.IsNull() {
		return nil
	}
	via, err := v.List()
	if err != nil || via.Len() == 0 {
		return state.At(err, "via")
	}
	scheme, err := via.At(0).Text()
	if err != nil {
		return state.At(state.At(err, 0), "via")
	}
	if scheme == "http3" || scheme == "quic" {
		s.Set("via", state.Null())
		d.lose("upstream proxy", "server_conn", "via")
	}
	return nil
}

// textHost turns a bytes host of the address under key into text.
func textHost(c *state.Map, key string) error {
	v, _ := c.Get(key)
	if v.Kind() != state.KindList {
		return nil
	}
	l, err := v.List()
	if err != nil || l.Len() == 0 || l.At(0).Kind() != state.KindBytes {
		return err
	}
	b, err := l.At(0).Bytes()
	if err != nil {
		return state.At(err, 0)
	}
	l.Set(0, state.Text(escaped(b)))
	return nil
}

// sniOfAddress replaces sni true by the host of the address.
func sniOfAddress(s *state.Map) error {
	sni, _ := s.Get("sni")
	if sni.Kind() != state.KindBool {
		return nil
	}
	use, err := sni.Bool()
	if err != nil || !use {
		return state.At(err, "sni")
	}
	host := state.Null()
	if addr, _ := s.Get("address"); !addr.IsNull() {
		l, err := addr.List()
		if err != nil {
			return state.At(err, "address")
		}
		if l.Len() > 0 {
			host = l.At(0)
		}
	}
	s.Set("sni", host)
	return nil
}
