package flow

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/netip"
	"strconv"

	"github.com/google/uuid"

	"github.com/flowtool/flowtool/state"
)

// A Conn is what the connections to client and server have in common.
type Conn struct {
	ID                string // connections with the same id are the same
	TransportProtocol string // "tcp" or "udp"
	Error             string
	TLS               bool // meant to be TLS; see TimestampTLSSetup

	CertificateList []Certificate // what the peer sent, leaf first
	ALPN            string        // the negotiated protocol, if there is one
	ALPNOffers      []string
	Cipher          string
	CipherList      []string
	TLSVersion      string
	SNI             string

	TimestampStart    Timestamp
	TimestampEnd      Timestamp
	TimestampTLSSetup Timestamp // not null if TLS was established

	// Peername and Sockname are the remote and the local end; nil for a
	// server that was never connected to.
	Peername *Address
	Sockname *Address
}

// TLSEstablished tells whether the TLS handshake was completed.
func (c *Conn) TLSEstablished() bool { return !c.TimestampTLSSetup.IsNull() }

// A ClientConn is the connection between client and mitmproxy.
type ClientConn struct {
	Conn
	MitmCert  Certificate // what mitmproxy showed to the client
	ProxyMode string      // as the user wrote it
}

// A ServerConn is the connection between mitmproxy and server.
type ServerConn struct {
	Conn
	Address           *Address // where to connect to, often by name
	TimestampTCPSetup Timestamp
	Via               *Via // the upstream proxy
}

// An Address is one end of a connection.
type Address struct {
	Host string // an IP address or a name; "" if unknown
	Port int
	// FlowInfo and ScopeID are part of some IPv6 addresses.
	FlowInfo, ScopeID int
}

// A Via is the address of an upstream proxy.
type Via struct {
	Scheme string
	Host   string
	Port   int
}

// NewClientConn returns a connection of an unknown client with a new id, made
// now.
func NewClientConn() *ClientConn {
	return &ClientConn{
		Conn: Conn{
			ID:                uuid.NewString(),
			TransportProtocol: "tcp",
			TimestampStart:    Now(),
			Peername:          &Address{},
			Sockname:          &Address{},
		},
		ProxyMode: "regular",
	}
}

// NewServerConn returns a connection that was not made yet, with a new id.
// address may be nil.
func NewServerConn(address *Address) *ServerConn {
	return &ServerConn{
		Conn:    Conn{ID: uuid.NewString(), TransportProtocol: "tcp"},
		Address: address,
	}
}

// String returns FormatAddress(a).
func (a *Address) String() string { return FormatAddress(a) }

// FormatAddress returns an address for people: "<no address>" for nil, "*:80" for
// an unspecified IP address, IPv4 inside IPv6 as IPv4, IPv6 in brackets and
// anything else as it is.
func FormatAddress(a *Address) string {
	if a == nil {
		return "<no address>"
	}
	port := ":" + strconv.Itoa(a.Port)
	ip, err := netip.ParseAddr(a.Host)
	if err != nil {
		return a.Host + port
	}
	ip = ip.Unmap()
	switch {
	case ip.IsUnspecified():
		return "*" + port
	case ip.Is4():
		return ip.String() + port
	}
	return "[" + ip.String() + "]" + port
}

// A Certificate is a PEM block as it was recorded; the zero Certificate is none.
type Certificate struct{ body Body }

// NewCertificate returns the certificate for one PEM block.
func NewCertificate(pem []byte) Certificate { return Certificate{NewBody(pem)} }

// IsZero tells whether there is no certificate.
func (c Certificate) IsZero() bool { return c.body.IsMissing() }

// PEM returns the bytes as they were recorded.
func (c Certificate) PEM() ([]byte, error) { return c.body.Bytes() }

// Parse decodes the first certificate.
func (c Certificate) Parse() (*x509.Certificate, error) {
	data, err := c.PEM()
	if err != nil {
		return nil, err
	}
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			return nil, errors.New("flow: no PEM certificate found")
		}
		if block.Type == "CERTIFICATE" {
			return x509.ParseCertificate(block.Bytes)
		}
		data = rest
	}
}

var (
	tlsVersions = []string{
		"SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3", "DTLSv0.9", "DTLSv1", "DTLSv1.2", "QUICv1",
	}
	viaSchemes = []string{"http", "https", "http3", "tls", "dtls", "tcp", "udp", "dns", "quic"}
)

// sockaddrRule is for the addresses of sockets. mitmproxy accepts any prefix of
// their four elements.
var sockaddrRule = truncated(rule{
	want: "address",
	check: func(c *checker, want string, v state.Value) (state.Value, bool) {
		if v.Kind() != state.KindList {
			return c.fail(want, v)
		}
		return c.tuple(want, 0, 0, sockaddrElems, v)
	},
}, 4)

var sockaddrElems = []rule{textRule, intRule, intRule, intRule}

var addressRule = truncated(tupleOf("list of host and port", 2, textRule, intRule), 2)

var viaRule = tupleOf("list of scheme and address", 2,
	oneOf(viaSchemes), tupleOf("list of host and port", 2, textRule, intRule))

var unknownAddress = state.NewList(state.Text(""), state.Int(0)).Value()

// connFields returns the fields that clients and servers have in the same place.
func connFields[T any](start rule, conn func(*T) *Conn) table[T] {
	return table[T]{
		textField("id", textRule.defFunc(newID), func(p *T) *string { return &conn(p).ID }),
		textField("transport_protocol", oneOf([]string{"tcp", "udp"}).defFunc(defaultTransport),
			func(p *T) *string { return &conn(p).TransportProtocol }),
		textField("error", textRule.orNull(), func(p *T) *string { return &conn(p).Error }),
		boolField("tls", boolRule.def(state.Bool(false)), func(p *T) *bool { return &conn(p).TLS }),
		certificatesField("certificate_list", func(p *T) *[]Certificate { return &conn(p).CertificateList }),
		emptyOrNull(bytesField("alpn", bytesRule.orNull(), func(p *T) *string { return &conn(p).ALPN }),
			func(p *T) bool { return conn(p).TLSEstablished() && conn(p).ALPN == "" }, state.Bytes(nil)),
		stringsField("alpn_offers", bytesRule, bytesValue, func(p *T) *[]string { return &conn(p).ALPNOffers }),
		textField("cipher", textRule.orNull(), func(p *T) *string { return &conn(p).Cipher }),
		stringsField("cipher_list", textRule, state.Text, func(p *T) *[]string { return &conn(p).CipherList }),
		textField("tls_version", oneOf(tlsVersions, "QUIC", "QUICv1").orNull(),
			func(p *T) *string { return &conn(p).TLSVersion }),
		textField("sni", textRule.orNull(), func(p *T) *string { return &conn(p).SNI }),
		timeField("timestamp_start", start, func(p *T) *Timestamp { return &conn(p).TimestampStart }),
		timeField("timestamp_end", floatRule.orNull(), func(p *T) *Timestamp { return &conn(p).TimestampEnd }),
		timeField("timestamp_tls_setup", floatRule.orNull(),
			func(p *T) *Timestamp { return &conn(p).TimestampTLSSetup }),
	}
}

var clientFields = func() table[ClientConn] {
	conn := func(p *ClientConn) *Conn { return &p.Conn }
	t := table[ClientConn]{
		addressField("peername", sockaddrRule.def(unknownAddress),
			func(p *ClientConn) **Address { return &p.Peername }),
		addressField("sockname", sockaddrRule.def(unknownAddress),
			func(p *ClientConn) **Address { return &p.Sockname }),
	}
	t = append(t, connFields(floatRule.defFunc(createdTime), conn)...)
	return append(t,
		certificateField("mitmcert", bytesRule.orNull(), func(p *ClientConn) *Certificate { return &p.MitmCert }),
		textField("proxy_mode", textRule.def(state.Text("regular")),
			func(p *ClientConn) *string { return &p.ProxyMode }),
	)
}()

var serverFields = func() table[ServerConn] {
	conn := func(p *ServerConn) *Conn { return &p.Conn }
	t := table[ServerConn]{
		addressField("peername", sockaddrRule.orNull(), func(p *ServerConn) **Address { return &p.Peername }),
		addressField("sockname", sockaddrRule.orNull(), func(p *ServerConn) **Address { return &p.Sockname }),
	}
	t = append(t, connFields(floatRule.orNull(), conn)...)
	return append(t,
		addressField("address", addressRule.orNull(), func(p *ServerConn) **Address { return &p.Address }),
		timeField("timestamp_tcp_setup", floatRule.orNull(),
			func(p *ServerConn) *Timestamp { return &p.TimestampTCPSetup }),
		viaField("via", func(p *ServerConn) **Via { return &p.Via }),
	)
}()

// addressField is for an address, nil if it is null. "" and 0 stand for an
// unknown address where null is not allowed.
func addressField[T any](name string, r rule, at func(*T) **Address) field[T] {
	return field[T]{
		name: name, rule: r, kinds: listKinds,
		load: func(p *T, v *state.Value, s *scratch) {
			*at(p) = nil
			if a, ok := loadAddress(v, s); ok {
				*at(p) = &a
			}
		},
		store: func(p *T, old state.Value, s *scratch) state.Value {
			a := *at(p)
			if a == nil {
				if r.null {
					return state.Null()
				}
				a = &Address{}
			}
			elems := []state.Value{state.Text(a.Host), state.Int(int64(a.Port))}
			// An address that had four elements keeps them while it is IPv6.
			n := 0
			if l, err := old.List(); err == nil {
				n = l.Len()
			}
			ip, err := netip.ParseAddr(a.Host)
			if a.FlowInfo != 0 || a.ScopeID != 0 || n == 4 && err == nil && ip.Is6() {
				elems = append(elems, state.Int(int64(a.FlowInfo)), state.Int(int64(a.ScopeID)))
			}
			return state.NewList(elems...).Value()
		},
		same: func(p *T, v *state.Value, s *scratch) bool {
			a, ok := loadAddress(v, s)
			have := *at(p)
			return ok == (have != nil) && (!ok || a == *have)
		},
	}
}

func loadAddress(v *state.Value, s *scratch) (a Address, ok bool) {
	if v.Kind() != state.KindList {
		return a, false
	}
	mark := s.mark()
	defer s.release(mark)
	elems, _ := s.push(v)
	for i, e := range elems {
		switch i {
		case 0:
			a.Host = intern(raw(&e))
		case 1:
			a.Port = integer(&e)
		case 2:
			a.FlowInfo = integer(&e)
		case 3:
			a.ScopeID = integer(&e)
		}
	}
	return a, true
}

func viaField[T any](name string, at func(*T) **Via) field[T] {
	return field[T]{
		name: name, rule: viaRule.orNull(), kinds: listKinds,
		load: func(p *T, v *state.Value, s *scratch) {
			*at(p) = nil
			if via, ok := loadVia(v, s); ok {
				*at(p) = &via
			}
		},
		store: func(p *T, _ state.Value, _ *scratch) state.Value {
			via := *at(p)
			if via == nil {
				return state.Null()
			}
			addr := state.NewList(state.Text(via.Host), state.Int(int64(via.Port))).Value()
			return state.NewList(state.Text(via.Scheme), addr).Value()
		},
		same: func(p *T, v *state.Value, s *scratch) bool {
			via, ok := loadVia(v, s)
			have := *at(p)
			return ok == (have != nil) && (!ok || via == *have)
		},
	}
}

func loadVia(v *state.Value, s *scratch) (via Via, ok bool) {
	if v.Kind() != state.KindList {
		return via, false
	}
	mark := s.mark()
	defer s.release(mark)
	elems, _ := s.push(v)
	if len(elems) != 2 {
		return via, false
	}
	via.Scheme = intern(raw(&elems[0]))
	a, ok := loadAddress(&elems[1], s)
	via.Host, via.Port = a.Host, a.Port
	return via, ok
}

func certificateField[T any](name string, r rule, at func(*T) *Certificate) field[T] {
	return bodyField(name, r, func(p *T) *Body { return &at(p).body })
}

var certificateElem = certificateField("", bytesRule, func(p *Certificate) *Certificate { return p })

func certificatesField[T any](name string, at func(*T) *[]Certificate) field[T] {
	f := certificateElem
	return field[T]{
		name: name, rule: listOf(bytesRule), kinds: listKinds,
		load: func(p *T, v *state.Value, s *scratch) {
			mark := s.mark()
			defer s.release(mark)
			*at(p) = nil
			elems, _ := s.push(v)
			if len(elems) == 0 || v.Kind() != state.KindList {
				return
			}
			list := make([]Certificate, len(elems))
			for i, e := range elems {
				f.load(&list[i], &e, s)
			}
			*at(p) = list
		},
		store: func(p *T, old state.Value, s *scratch) state.Value {
			return storeElems(len(*at(p)), old, func(i int, old state.Value) (state.Value, bool) {
				c := &(*at(p))[i]
				return f.store(c, old, s), !old.IsNull() && f.same(c, &old, s)
			})
		},
		same: func(p *T, v *state.Value, s *scratch) bool {
			list := *at(p)
			return sameElems(len(list), v, s, func(i int, e *state.Value) bool { return f.same(&list[i], e, s) })
		},
	}
}
