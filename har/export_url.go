package har

import (
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/flowtool/flowtool/flow"
)

// unknownHost stands in URLs for a host that no URL can have; RFC 2606 keeps it
// free for that.
const unknownHost = "invalid"

// requestURL returns the URL of a request: absolute, in ASCII and without a
// fragment. ok is false if the host the client asked for cannot stand in a URL;
// then it is the one that mitmproxy connected to.
func requestURL(h *flow.HTTP) (url string, ok bool) {
	r := h.Request()
	if r.IsConnect() {
		hostport, ok := asciiAuthority(r.Authority)
		if !ok {
			hostport = connectedTo(r)
		}
		return "https://" + hostport + "/", ok || r.Authority == ""
	}
	path := r.Path
	if path == "*" {
		path = ""
	}
	scheme, rest, _ := strings.Cut(h.PrettyURL(), "://")
	hostport, ok := asciiAuthority(strings.TrimSuffix(rest, path))
	if !ok {
		hostport = connectedTo(r)
	}
	if !isScheme(scheme) {
		scheme, ok = "http", false
	}
	if path, _, _ = strings.Cut(path, "#"); path != "" && path[0] != '/' && path[0] != '?' {
		path = "/" + path
	}
	return scheme + "://" + hostport + escapePath(path), ok
}

// connectedTo returns host and port that mitmproxy connected to, or what stands
// for them.
func connectedTo(r *flow.Request) string {
	host := r.Host
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is6() {
		host = "[" + host + "]"
	}
	hostport, ok := asciiAuthority(host + ":" + strconv.Itoa(r.Port))
	if !ok {
		return unknownHost
	}
	return hostport
}

// asciiAuthority returns host[:port] as it stands in a URL: names in the ASCII
// form of IDNA, IPv6 addresses without a zone.
func asciiAuthority(s string) (string, bool) {
	host, port := s, ""
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, ']') {
		host, port = s[:i], s[i:]
		if n, err := strconv.ParseUint(port[1:], 10, 16); err != nil || port[1] == '+' {
			return "", false
		} else {
			port = ":" + strconv.FormatUint(n, 10)
		}
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		ip, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		if err != nil || !ip.Is6() {
			return "", false
		}
		return "[" + ip.WithZone("").String() + "]" + port, true
	}
	if isHostName(host) {
		return host + port, true
	}
	if !utf8.ValidString(host) || isASCII(host) {
		return "", false
	}
	ascii, err := hostNames.ToASCII(host)
	if err != nil || !isHostName(ascii) {
		return "", false
	}
	return ascii + port, true
}

// hostNames makes ASCII of the host names of URLs.
var hostNames = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false))

// isHostName tells whether s can be the host of a URL as it is: a name in ASCII
// or an IPv4 address.
func isHostName(s string) bool {
	if s == "" || len(s) > 255 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !isAlphanumeric(c) && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

func isScheme(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !isAlphanumeric(c) && (i == 0 || c != '+' && c != '-' && c != '.') {
			return false
		}
	}
	return s != "" && (s[0] < '0' || s[0] > '9')
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9'
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// escapePath escapes what may not stand in a URL: spaces, control characters and
// everything beyond ASCII, and before the query percent signs that escape
// nothing, over which many parsers of URLs stumble.
func escapePath(path string) string {
	query := strings.IndexByte(path, '?')
	if query < 0 {
		query = len(path)
	}
	bare := func(i int) bool {
		c := path[i]
		return c > ' ' && c < 0x7f && (c != '%' || i > query || isEscape(path[i:]))
	}
	n := 0
	for i := range len(path) {
		if !bare(i) {
			n++
		}
	}
	if n == 0 {
		return path
	}
	const digits = "0123456789ABCDEF"
	b := make([]byte, 0, len(path)+2*n)
	for i := range len(path) {
		if c := path[i]; bare(i) {
			b = append(b, c)
		} else {
			b = append(b, '%', digits[c>>4], digits[c&15])
		}
	}
	return string(b)
}

// isEscape tells whether s begins with a percent sign and two hexadecimal digits.
func isEscape(s string) bool {
	if len(s) < 3 {
		return false
	}
	_, ok1 := unhex(s[1])
	_, ok2 := unhex(s[2])
	return ok1 && ok2
}
