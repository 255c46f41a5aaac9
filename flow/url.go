package flow

import (
	"net/netip"
	"strconv"
	"strings"
)

func defaultPort(scheme string) int {
	switch scheme {
	case "http":
		return 80
	case "https":
		return 443
	}
	return 0
}

// IsConnect tells whether r asks a proxy for a tunnel.
func (r *Request) IsConnect() bool { return strings.EqualFold(r.Method, "CONNECT") }

// URL returns the URL of the request with the host mitmproxy connected to. For
// CONNECT it is host:port. IPv6 addresses are in brackets, which they are not in
// mitmproxy.
func (r *Request) URL() string {
	if r.IsConnect() {
		return joinHostPort(r.Host, r.Port)
	}
	return r.url(r.Host, r.Port)
}

func (r *Request) url(host string, port int) string {
	path := r.Path
	if path == "*" {
		path = ""
	}
	hostport := bracket(host)
	if port != defaultPort(r.Scheme) {
		hostport = joinHostPort(host, port)
	}
	return r.Scheme + "://" + hostport + path
}

func joinHostPort(host string, port int) string {
	return bracket(host) + ":" + strconv.Itoa(port)
}

// bracket puts an IPv6 address into brackets.
func bracket(host string) string {
	if strings.Contains(host, ":") {
		if _, err := netip.ParseAddr(host); err == nil {
			return "[" + host + "]"
		}
	}
	return host
}

// HostHeader returns what the client called the server: the authority of an
// HTTP/2 or HTTP/3 request that has one, else the Host header.
func (r *Request) HostHeader() string {
	if r.Authority != "" && (r.IsHTTP2() || r.IsHTTP3()) {
		return r.Authority
	}
	return r.Headers.Get("Host")
}

// PrettyHost returns the host as the client called it, without the port, or the
// host mitmproxy connected to if the client did not say.
func (r *Request) PrettyHost() string {
	h := r.HostHeader()
	if h == "" {
		return r.Host
	}
	host, _ := splitHostPort(h)
	return host
}

// PrettyURL returns the URL with the host as the client called it. If the client
// named no port it is the one mitmproxy connected to, while mitmproxy shows
// none. For CONNECT it is the authority.
func (r *Request) PrettyURL() string {
	if r.IsConnect() {
		return r.Authority
	}
	h := r.HostHeader()
	if h == "" {
		return r.URL()
	}
	host, port := splitHostPort(h)
	if port < 0 {
		port = r.Port
	}
	return r.url(host, port)
}

// PrettyURL returns that of the request, with the scheme ws or wss if the
// connection became a WebSocket, and host:port for a CONNECT request without an
// authority: what to call the flow.
func (f *HTTP) PrettyURL() string {
	r := f.Request()
	url := r.PrettyURL()
	if url == "" {
		url = r.URL()
	}
	if f.WebSocket() != nil {
		if rest, ok := strings.CutPrefix(url, "http"); ok {
			url = "ws" + rest
		}
	}
	return url
}

// splitHostPort splits host[:port]. Brackets are removed. What cannot be split is
// the host as a whole, with port -1. It is for people: what mitmproxy's filters
// see has rules of its own, with all their oddities, in package searchtext.
func splitHostPort(s string) (host string, port int) {
	host, rest := s, ""
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return s, -1
		}
		host, rest = s[1:end], s[end+1:]
	} else if i := strings.IndexByte(s, ':'); i >= 0 {
		host, rest = s[:i], s[i:]
	}
	if !validHost(host) {
		return s, -1
	}
	if rest == "" {
		return host, -1
	}
	digits, ok := strings.CutPrefix(rest, ":")
	if !ok || digits == "" || strings.Trim(digits, "0123456789") != "" {
		return s, -1
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || n > 65535 {
		return s, -1
	}
	return host, int(n)
}

// validHost tells whether host is a name or an IP address.
func validHost(host string) bool {
	if host == "" || len(host) > 255 {
		return false
	}
	name := strings.TrimSuffix(host, ".")
	for label := range strings.SplitSeq(name, ".") {
		if !validLabel(label) {
			_, err := netip.ParseAddr(host)
			return err == nil
		}
	}
	return true
}

func validLabel(label string) bool {
	if label == "" || len(label) > 63 {
		return false
	}
	for i := range len(label) {
		c := label[i]
		if c != '-' && c != '_' && (c < '0' || c > '9') && (lower(c) < 'a' || lower(c) > 'z') && c < 0x80 {
			return false
		}
	}
	return true
}

// ReasonPhrase returns the reason to show: the stored one or, for HTTP/2 and 3,
// which have none, the usual one for the status code.
func (r *Response) ReasonPhrase() string {
	if r.Reason == "" && (r.IsHTTP2() || r.IsHTTP3()) {
		return StatusText(r.StatusCode)
	}
	return r.Reason
}
