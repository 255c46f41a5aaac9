package har

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// An endpoint is where a URL points to, in the terms of a flow.
type endpoint struct {
	scheme string // "http" and "https", also for ws and wss, or another one
	host   string // without brackets
	port   int
	path   string // with query, without fragment
	socket bool   // the scheme was ws or wss
}

// parseURL takes a URL apart. It is more lenient than package net/url, because
// browsers send paths and queries that are not to its taste: what cannot be sent
// is percent-encoded, all else is left. URLs without a host (data:, blob:, about:)
// have their content as path, and port 0.
func parseURL(raw string) (t endpoint, err error) {
	scheme, rest, ok := strings.Cut(raw, ":")
	if !ok || !isScheme(scheme) {
		if !strings.HasPrefix(raw, "//") {
			return t, fmt.Errorf("%s is not an absolute URL", quoted(raw))
		}
		scheme, rest = "", raw
	}
	t.scheme = strings.ToLower(scheme)
	switch t.scheme {
	case "ws":
		t.scheme, t.socket = "http", true
	case "wss":
		t.scheme, t.socket = "https", true
	}
	rest, isHierarchical := strings.CutPrefix(rest, "//")
	if !isHierarchical {
		if t.scheme == "http" || t.scheme == "https" {
			return t, fmt.Errorf("%s has no host", quoted(raw))
		}
		t.path = sendable(rest)
		return t, nil
	}
	end := strings.IndexAny(rest, "/?#\\")
	if end < 0 {
		end = len(rest)
	}
	authority := rest[:end]
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		authority = authority[i+1:]
	}
	if err := t.setAuthority(authority); err != nil {
		return t, fmt.Errorf("%s: %w", quoted(raw), err)
	}
	path, _, _ := strings.Cut(rest[end:], "#")
	if !strings.HasPrefix(path, "/") && t.scheme != "file" {
		path = "/" + strings.TrimPrefix(path, `\`)
	}
	t.path = sendable(path)
	return t, nil
}

var errNoHost = errors.New("no host")

// setAuthority sets host and port from host[:port].
func (t *endpoint) setAuthority(s string) error {
	host, port := s, ""
	if end := strings.LastIndexByte(s, ']'); strings.HasPrefix(s, "[") && end > 0 {
		host, port = s[1:end], s[end+1:]
	} else if i := strings.LastIndexByte(s, ':'); i >= 0 && strings.IndexByte(s, ':') == i {
		host, port = s[:i], s[i:]
	} else if i >= 0 {
		if _, err := netip.ParseAddr(s); err != nil {
			return errors.New("host with more than one colon")
		}
	}
	switch digits := strings.TrimPrefix(port, ":"); {
	case digits != "" && digits != "0":
		n, err := strconv.ParseUint(digits, 10, 16)
		if err != nil || port == digits {
			return fmt.Errorf("port %s is no number up to 65535", quoted(digits))
		}
		t.port = int(n)
	case t.scheme == "https":
		t.port = 443
	default:
		t.port = 80
	}
	if host == "" {
		if t.scheme == "file" {
			t.port = 0
			return nil
		}
		return errNoHost
	}
	t.host = asciiHost(host)
	return nil
}

// authority returns host:port, as CONNECT has it.
func (t *endpoint) authority() string {
	return net.JoinHostPort(t.host, strconv.Itoa(t.port))
}

// tells tells whether the request that was made of a URL says what the URL was.
func (t *endpoint) tells(raw string, q *newRequest) bool {
	switch {
	case q.isConnect():
		return raw == "https://"+q.authority || raw == "https://"+q.authority+"/"
	case t.host == "":
		return raw == t.scheme+":"+t.path
	}
	scheme, rest, ok := strings.Cut(raw, "://")
	if t.socket {
		scheme = strings.Replace(scheme, "ws", "http", 1)
	}
	host := t.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	rest, same := strings.CutPrefix(rest, host)
	if !ok || !same || scheme != t.scheme {
		return false
	}
	if !(t.port == 80 && t.scheme == "http" || t.port == 443 && t.scheme == "https") {
		if rest, ok = strings.CutPrefix(rest, ":"+strconv.Itoa(t.port)); !ok {
			return false
		}
	}
	return rest == q.path || rest+"/" == q.path
}

// asciiHost returns a host in the form in which it is looked up, in lower case
// and in punycode. What cannot be converted is left, in UTF-8.
func asciiHost(host string) string {
	if !isASCII(host) {
		if ascii, err := hostNames.ToASCII(host); err == nil {
			return ascii
		}
	}
	return strings.ToLower(valid(host))
}

// sendable percent-encodes what cannot stand in the first line of a request: bytes
// that are not ASCII, control characters and spaces. What else may be wrong with
// a path was sent like that.
func sendable(path string) string {
	bad := func(c byte) bool { return c <= ' ' || c >= 0x7f }
	if !slices.ContainsFunc([]byte(path), bad) {
		return path
	}
	var b strings.Builder
	for _, c := range []byte(path) {
		if bad(c) {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// ipAddress returns the address that a HAR names, without the brackets and the
// port that some add, and that port, 0 if there is none.
func ipAddress(s string) (ip string, port int, ok bool) {
	s = strings.TrimSpace(s)
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().String(), int(ap.Port()), true
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	if err != nil {
		return "", 0, false
	}
	return a.String(), 0, true
}
