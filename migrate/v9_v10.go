package migrate

import "github.com/flowtool/flowtool/state"

// up9 makes lists of certificates, ciphers and protocols.
//
// Before:
//
//	client_conn  clientcert
//	server_conn  cert, also in via
//
// After, in all connections:
//
//	certificate_list alpn_offers cipher_list
//	state 0, error null, tls as tls_established
//	client_conn  sockname ["", 0]
//	server_conn  cipher_name null, via2 null
//
// As in mitmproxy the cipher list of a server is always empty.
func up9(_ *upgrade, m *state.Map) error {
	return connections(m, func(c *state.Map, client bool) error {
		cert := "cert"
		if client {
			cert = "clientcert"
			c.Set("sockname", unknownAddress())
		} else {
			setNull(c, "cipher_name", "via2")
		}
		certs, err := listIf(c, cert)
		if err != nil {
			return err
		}
		c.Set(cert, certs)
		c.Rename(cert, "certificate_list")
		offers, err := listIf(c, "alpn_proto_negotiated")
		if err != nil {
			return err
		}
		c.Set("alpn_offers", offers)
		ciphers, err := listIf(c, "cipher_name")
		if err != nil {
			return err
		}
		c.Set("cipher_list", ciphers)
		tls, err := truthyAt(c, "tls_established") // null in constructed flows
		c.Set("tls", state.Bool(tls))
		c.Set("state", state.Int(0))
		c.Set("error", state.Null())
		return err
	})
}

// down9 keeps the first certificate of the lists, and nothing else of what up9 adds.
// What readers make of the rest is what up9 makes of it.
func down9(d *downgrade, m *state.Map) error {
	return d.connections(m, func(c *state.Map, at place) error {
		cert, cipher := "cert", state.Null()
		if at.client() {
			cert = "clientcert"
			cipher, _ = c.Get("cipher_name")
			d.remove(c, "sockname", unknownAddress(), "local address", at.key("sockname")...)
		} else {
			d.remove(c, "cipher_name", state.Null(), "cipher", at.key("cipher")...)
			d.remove(c, "via2", state.Null(), "upstream proxy", at.key("via")...)
		}
		alpn, _ := c.Get("alpn_proto_negotiated")
		if d.to.Compare(Tuple(0, 19)) < 0 { // will be removed as well
			alpn, cipher = state.Null(), state.Null()
		}

		certs, err := c.List("certificate_list")
		if err != nil {
			return err
		}
		first := state.Null()
		if certs.Len() > 0 {
			first = certs.At(0)
		}
		if err := d.reduceTo(c, "certificate_list", first, at, "certificates but the first", false); err != nil {
			return err
		}
		c.Set(cert, first)
		if err := d.reduceTo(c, "alpn_offers", alpn, at, "offered protocols", true); err != nil {
			return err
		}
		if err := d.reduceTo(c, "cipher_list", cipher, at, "offered ciphers", true); err != nil {
			return err
		}

		established, err := truthyAt(c, "tls_established")
		if err != nil {
			return err
		}
		if v, _ := c.Delete("tls"); !state.Equal(v, state.Bool(established)) {
			d.derive("TLS flag", at.key("tls")...)
		}
		d.remove(c, "error", state.Null(), "error of the connection", at.key("error")...)
		c.Delete("state")
		return nil
	})
}

// reduceTo removes a list, of which readers will know one element at most.
func (d *downgrade) reduceTo(c *state.Map, key string, elem state.Value, at place, what string, derived bool) error {
	some, err := truthy(elem)
	if err != nil {
		return state.At(err, key)
	}
	known := state.NewList()
	if some {
		known.Append(elem)
	}
	v, _ := c.Delete(key)
	switch {
	case v.IsNull() || state.Equal(v, known.Value()): // recordings of 6.0 have null
	case derived:
		d.derive(what, at.key(key)...)
	default:
		d.lose(what, at.key(key)...)
	}
	return nil
}
