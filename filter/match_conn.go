package filter

import (
	"math/big"

	"github.com/flowtool/flowtool/internal/searchtext"
	"github.com/flowtool/flowtool/state"
)

// address returns host and port of an address; not ok if it is null or empty. A
// port that does not fit into 64 bits is large.
func (s *subject) address(f field) (host []byte, port int64, large *big.Int, ok bool) {
	elems, err := s.elements(s.value(f), &s.tuple)
	if err == nil && len(elems) < 2 {
		return nil, 0, nil, false // mitmproxy fails on one element
	}
	if err == nil {
		host, err = elems[0].StringBytes()
		err = state.At(err, 0)
	}
	if err == nil {
		port, large, err = integerOf(&elems[1])
		err = state.At(err, 1)
	}
	if err != nil {
		return nil, 0, nil, s.failAt(f, err)
	}
	return host, port, large, true
}

func searchAddress(p part, key string) func(*compiler, *Op) matcher {
	return func(c *compiler, op *Op) matcher {
		f, found := c.field(p, key), search(op, op.Regexp)
		return func(s *subject) bool {
			host, port, large, ok := s.address(f)
			if !ok {
				return false
			}
			if large != nil {
				s.buf = large.Append(append(append(s.buf[:0], host...), ':'), 10)
			} else {
				s.buf = searchtext.AppendAddress(s.buf[:0], host, port)
			}
			return found(s, s.buf)
		}
	}
}

// matchPort: the port of the server or, if no address is known, the one of the
// request.
func matchPort(c *compiler, op *Op) matcher {
	address, request, typ := c.field(partServer, "address"), c.must(partRequest, "port"), c.typeField()
	list := op.Arg.(*Numbers)
	return func(s *subject) bool {
		_, port, large, ok := s.address(address)
		if !ok && s.is(typ, typeHTTP) {
			port, ok = s.integer(request)
		}
		return ok && large == nil && list.Contains(port)
	}
}

func searchSNI(c *compiler, op *Op) matcher {
	f, found := c.field(partClient, "sni"), search(op, op.Regexp)
	return func(s *subject) bool { return !s.value(f).IsNull() && found(s, s.text(f)) }
}

func matchTLSVersion(c *compiler, op *Op) matcher {
	client, server := c.field(partClient, "tls_version"), c.field(partServer, "tls_version")
	list := op.Arg.(*Versions)
	matches := func(s *subject, f field) bool {
		major, minor, ok := tlsVersion(s.text(f))
		return ok && list.Contains(major, minor)
	}
	return func(s *subject) bool { return matches(s, client) || matches(s, server) }
}

// tlsVersion returns the number of a TLS version. SSL 3.0 is older than TLS 1.0
// and counts as 0.3; QUIC has TLS 1.3 inside.
func tlsVersion(name []byte) (major, minor int, ok bool) {
	switch string(name) {
	case "SSLv3":
		return 0, 3, true
	case "QUIC", "QUICv1":
		return 1, 3, true
	}
	if major, minor, ok = parseVersion(string(name), "tlsv"); ok {
		return major, minor, true
	}
	return parseVersion(string(name), "dtlsv")
}
