package shell

import (
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/idna"

	"github.com/flowtool/flowtool/flow"
)

// A request is a request for a command: checked, and taken apart as commands need
// it.
type request struct {
	*message
	flow   *flow.HTTP
	method string
	scheme string
	target string // as it stands in the request line, or as :path
	// authority is what the client called the server: the Host header, or the
	// :authority in HTTP/2 and 3, where there is then no Host header any more.
	authority string
	// name and port are for the URL: what the client called the server if that
	// is a name or an address, else what mitmproxy connected to.
	name string
	port int
}

// newRequest checks what no command can do.
func newRequest(f *flow.HTTP, opts *Options) (*request, error) {
	r := f.Request()
	if r.IsConnect() {
		return nil, fail("method", "CONNECT asks a proxy for a tunnel and cannot be sent by itself")
	}
	if !isToken(r.Method) {
		return nil, fail("method", "is %.40q, which is no token", r.Method)
	}
	if r.Scheme != "http" && r.Scheme != "https" {
		return nil, fail("scheme", "is %.40q and not http or https", r.Scheme)
	}
	if n := r.Body.Len(); n > opts.MaxBody {
		return nil, fail("body", "has %d bytes, more than the limit of %d", n, opts.MaxBody)
	}
	m, err := newMessage(&r.HTTPMessage, opts)
	if err != nil {
		return nil, err
	}
	if m.version == otherVersion {
		return nil, fail("version", "is %.40q, which cannot be asked for", r.HTTPVersion)
	}
	if len(m.trailers) > 0 {
		return nil, fail("trailers", "cannot be given on a command line")
	}
	req := &request{message: m, flow: f, method: r.Method, scheme: r.Scheme, target: target(r)}
	if strings.ContainsAny(req.target, "\x00\r\n") {
		return nil, fail("path", "has a line end or NUL, which would end the request line")
	}
	if req.authority, err = m.takeAuthority(r); err != nil {
		return nil, err
	}
	if err := m.checkLength(); err != nil {
		return nil, err
	}
	if err := req.checkCoding(); err != nil {
		return nil, err
	}
	for _, h := range m.headers.All() {
		if !isToken(h.Name) {
			return nil, fail(header(h.Name), "has a name that is no token")
		}
	}
	return req, req.locate(r)
}

// target returns what stands in the request line of r.
func target(r *flow.Request) string {
	switch {
	case r.IsConnect():
		return r.Authority
	case r.Authority != "" && !versionOf(&r.HTTPMessage).binary():
		return r.Scheme + "://" + r.Authority + r.Path
	}
	return r.Path
}

// takeAuthority returns what the client called the server. Pseudo headers go,
// and so does the Host header in HTTP/2 and 3, where it has to be the authority.
func (m *message) takeAuthority(r *flow.Request) (string, error) {
	authority := m.headers.Get("Host")
	if m.version.binary() {
		if r.Authority != "" && m.headers.Has("Host") && authority != r.Authority {
			return "", fail(header("Host"), "is not the :authority, while HTTP/2 and HTTP/3 have one name for the server")
		}
		if r.Authority != "" {
			authority = r.Authority
		} else if authority == "" {
			authority = m.headers.Get(":authority")
		}
	}
	says := map[string]string{":method": r.Method, ":scheme": r.Scheme, ":path": r.Path, ":authority": authority}
	if err := m.dropPseudo(says); err != nil {
		return "", err
	}
	if err := m.checkFields(); err != nil {
		return "", err
	}
	if m.version.binary() {
		m.headers.Del("Host")
	}
	return authority, nil
}

// checkCoding checks that Transfer-Encoding is something that a command can do.
func (r *request) checkCoding() error {
	if !r.headers.Has("Transfer-Encoding") {
		return nil
	}
	value := strings.ToLower(r.headers.Get("Transfer-Encoding"))
	_, last, several := cutLast(value, ",")
	if !several {
		last = value
	}
	if strings.TrimSpace(last) != "chunked" {
		return fail(header("Transfer-Encoding"), "is %.40q, which leaves open where the body ends", value)
	}
	if r.version == http10 {
		return fail(header("Transfer-Encoding"), "does not exist in HTTP/1.0")
	}
	return nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// locate finds name and port for the URL.
func (r *request) locate(from *flow.Request) error {
	host, port, ok := splitAuthority(r.authority)
	if !ok {
		if host, ok = urlHost(from.Host); !ok {
			return fail("host", "is %.80q, which no URL can have", from.Host)
		}
	}
	if port < 0 {
		port = from.Port
	}
	if port < 1 || port > 65535 {
		return fail("port", "is %d", port)
	}
	r.name, r.port = host, port
	return nil
}

// elsewhere returns the host that the request went to, as URLs have it, and
// whether name and port say something else. A host that no URL can have is none.
func (r *request) elsewhere() (host string, elsewhere bool) {
	from := r.flow.Request()
	host, ok := urlHost(from.Host)
	return host, ok && (!strings.EqualFold(host, r.name) || from.Port != r.port)
}

// splitAuthority splits what a client called the server. ok tells whether the
// host is one that a URL can have; port is -1 if there is none.
func splitAuthority(s string) (host string, port int, ok bool) {
	host, port = s, -1
	if before, after, found := cutLast(s, ":"); found && !strings.HasSuffix(s, "]") {
		n, err := strconv.ParseUint(after, 10, 16)
		if err != nil {
			return "", -1, false
		}
		host, port = before, int(n)
	}
	if inner, found := strings.CutPrefix(host, "["); found {
		inner, closed := strings.CutSuffix(inner, "]")
		addr, err := netip.ParseAddr(inner)
		return inner, port, closed && err == nil && addr.Is6()
	}
	return host, port, isName(host)
}

// urlHost returns the host mitmproxy connected to as a URL has it. Names in
// Unicode, as mitmproxy stores them, become the ASCII form that was looked up.
func urlHost(host string) (string, bool) {
	if isName(host) {
		return host, true
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return host, true
	}
	ascii, err := idna.New(idna.MapForLookup(), idna.Transitional(false)).ToASCII(host)
	return ascii, err == nil && isName(ascii)
}

// isName tells whether s is a host name, or an IPv4 address, in ASCII.
func isName(s string) bool {
	for label := range strings.SplitSeq(strings.TrimSuffix(s, "."), ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for i := range len(label) {
			if c := label[i]; !isAlnum(c) && c != '-' && c != '_' {
				return false
			}
		}
	}
	return len(s) < 256
}

// hostPort returns the part of the URL with name and port, without the usual port
// of the scheme.
func (r *request) hostPort() string {
	if r.port == 80 && r.scheme == "http" || r.port == 443 && r.scheme == "https" {
		return bracket(r.name)
	}
	return bracket(r.name) + ":" + strconv.Itoa(r.port)
}

// hostHeader returns the Host header that programs send for the URL, "" where that
// depends on them: some shorten addresses and final dots.
func (r *request) hostHeader() string {
	if strings.Contains(r.name, ":") || strings.HasSuffix(r.name, ".") || strings.ToLower(r.name) != r.name {
		return ""
	}
	last := r.name[strings.LastIndexByte(r.name, '.')+1:]
	if '0' <= last[0] && last[0] <= '9' {
		if ip, err := netip.ParseAddr(r.name); err != nil || ip.String() != r.name {
			return ""
		}
	}
	return r.hostPort()
}

// bracket puts an IPv6 address in brackets. The sign before a zone is escaped, as
// URLs demand.
func bracket(host string) string {
	if strings.Contains(host, ":") {
		return "[" + strings.Replace(host, "%", "%25", 1) + "]"
	}
	return host
}
