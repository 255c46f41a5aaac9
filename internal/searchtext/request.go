package searchtext

import (
	"bytes"
	"strconv"
)

// A Request is what the URL and the host of an HTTP request are made of, as it is stored. The byte
// slices are only read, and results may alias them.
type Request struct {
	Method, Scheme, Authority, Path, HTTPVersion []byte

	Host []byte // what mitmproxy connected to, as text
	Port int64

	// HostHeader is the value of the Host header: those of all its fields, joined (see [Joined]).
	// None is the same as an empty one. It is looked at only if there is no CalledAuthority.
	HostHeader []byte
}

// CalledAuthority returns the authority if it says what the client called the server, else nil. Of
// all versions only HTTP/2 and HTTP/3 as mitmproxy itself writes them have one to look at, so that
// "HTTP/2", which HAR files have, is like HTTP/1.
func (r *Request) CalledAuthority() []byte {
	if v := string(r.HTTPVersion); v == "HTTP/2.0" || v == "HTTP/3" {
		return Authority(r.Authority)
	}
	return nil
}

// hostHeader returns what the client called the server (Request.host_header in mitmproxy).
func (r *Request) hostHeader() []byte {
	if a := r.CalledAuthority(); len(a) > 0 {
		return a
	}
	return r.HostHeader
}

// PrettyHost returns the host as the client called it, without the port, or the one that mitmproxy
// connected to if the client did not say (Request.pretty_host in mitmproxy). Operator ~d searches
// it after Host itself.
func (r *Request) PrettyHost() []byte {
	h := r.hostHeader()
	if len(h) == 0 {
		return r.Host
	}
	host, _ := SplitHostPort(h)
	return host
}

// AppendPrettyURL appends the URL with the host as the client called it (Request.pretty_url in
// mitmproxy), which operator ~u searches. For CONNECT it is the authority, possibly nothing. IPv6
// addresses are without brackets, and the port of a Host header that has none, or has 0, is the
// default of the scheme, or 443 if that has none.
func (r *Request) AppendPrettyURL(dst []byte) []byte {
	// No other character becomes one of these in upper case.
	if len(r.Method) == len("CONNECT") && bytes.EqualFold(r.Method, []byte("CONNECT")) {
		return append(dst, Authority(r.Authority)...)
	}
	host, port := r.Host, r.Port
	defaultPort := defaultPort(r.Scheme)
	if h := r.hostHeader(); len(h) > 0 {
		var p int
		host, p = SplitHostPort(h)
		if port = int64(p); port <= 0 {
			if port = defaultPort; port < 0 {
				port = 443
			}
		}
	}
	dst = append(dst, r.Scheme...)
	dst = append(dst, "://"...)
	dst = append(dst, host...)
	if port != defaultPort || defaultPort < 0 {
		dst = append(dst, ':')
		dst = strconv.AppendInt(dst, port, 10)
	}
	if string(r.Path) != "*" {
		dst = append(dst, r.Path...)
	}
	return dst
}

// defaultPort returns -1 if the scheme has none.
func defaultPort(scheme []byte) int64 {
	switch string(scheme) {
	case "http":
		return 80
	case "https":
		return 443
	}
	return -1
}
