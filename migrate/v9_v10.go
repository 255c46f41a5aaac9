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
