package searchtext

import (
	"bytes"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxHost is the length of the longest domain name.
	maxHost = 255
	// maxDigits is how many digits Python makes a number of.
	maxDigits = 4300
)

// SplitHostPort splits what a client called the server, a Host header or an authority text, into
// host and port. The port is -1 if there is none, and brackets around the host are removed. What is
// not of the form host, host:port, [address] or [address]:port, and what has a host that is neither
// a domain name nor an IP address, is a host as a whole, with port -1; s may thus be returned with
// everything that a URL has no room for. A host is never empty unless s is, and always aliases s.
//
// This is mitmproxy's parse_authority without its check: a port may have any of Unicode's decimal
// digits, the host may be a name in Unicode that IDNA 2003 can encode, and one line feed at the end
// of s, or of a label, is overlooked, which is how Python's $ works.
func SplitHostPort(s []byte) (host []byte, port int) {
	host, digits, ok := cutPort(s)
	if !ok {
		return s, -1
	}
	if n := len(host); n >= 2 && host[0] == '[' && host[n-1] == ']' {
		host = host[1 : n-1]
	}
	if !validHost(host) {
		return s, -1
	}
	if digits == nil {
		return host, -1
	}
	if port, ok = parsePort(digits); !ok {
		return s, -1
	}
	return host, port
}

// cutPort splits s at the colon before the port; digits are nil if there is none.
func cutPort(s []byte) (host, digits []byte, ok bool) {
	i := bytes.IndexByte(s, ':')
	if i < 0 {
		return s, nil, len(s) > 0
	}
	if digits := trimLF(s[i+1:]); i > 0 && isDecimal(digits) {
		return s[:i], digits, true
	}
	if s[0] != '[' {
		return nil, nil, false
	}
	// The last bracket, because neither a port nor the end has one.
	i = bytes.LastIndexByte(s, ']')
	if i < 2 || bytes.IndexByte(s[:i], '\n') >= 0 {
		return nil, nil, false
	}
	host, rest := s[:i+1], trimLF(s[i+1:])
	if len(rest) == 0 {
		return host, nil, true
	}
	return host, rest[1:], rest[0] == ':' && isDecimal(rest[1:])
}

func trimLF(s []byte) []byte {
	if n := len(s); n > 0 && s[n-1] == '\n' {
		return s[:n-1]
	}
	return s
}

// isDecimal tells whether s is one or more decimal digits of any script.
func isDecimal(s []byte) bool {
	for rest := s; len(rest) > 0; {
		digit, size := cutDigit(rest)
		if digit < 0 {
			return false
		}
		rest = rest[size:]
	}
	return len(s) > 0
}

// parsePort makes a number of decimal digits.
func parsePort(digits []byte) (port int, ok bool) {
	for n := 0; len(digits) > 0; n++ {
		digit, size := cutDigit(digits)
		digits = digits[size:]
		port = 10*port + digit
		if port > 65535 || n == maxDigits {
			return 0, false
		}
	}
	return port, true
}

// cutDigit returns the value of the character that s begins with, -1 if it is no decimal digit, and
// its size.
func cutDigit(s []byte) (digit, size int) {
	if '0' <= s[0] && s[0] <= '9' {
		return int(s[0] - '0'), 1
	}
	r, size := utf8.DecodeRune(s)
	if !unicode.IsDigit(r) {
		return -1, size
	}
	// In the table the digits of a script, and scripts in the same range, follow each other
	// without gaps.
	for _, t := range unicode.Nd.R16 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return int(r-rune(t.Lo)) % 10, size
		}
	}
	for _, t := range unicode.Nd.R32 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return int(r-rune(t.Lo)) % 10, size
		}
	}
	return -1, size
}

// Classes of ASCII characters in host names.
const (
	inLabel = 1 + iota
	dot
)

var hostClass = func() (class [256]uint8) {
	for c := range utf8.RuneSelf {
		switch {
		case c == '.':
			class[c] = dot
		case '0' <= c && c <= '9', 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', c == '-', c == '_':
			class[c] = inLabel
		}
	}
	return class
}()

// validHost tells whether mitmproxy takes host for a domain name, in ASCII or in Unicode, or an
// address.
func validHost(host []byte) bool { return plainHost(host) || encodableHost(host) }

// encodableHost is validHost without its shortcut.
func encodableHost(host []byte) bool {
	name, ok := encodeName(host)
	if !ok {
		return false
	}
	if _, ace := scanName(name); ace {
		if _, ok := appendUnicode(nil, name); !ok {
			return false
		}
	}
	if len(name) > maxHost {
		return false
	}
	name = bytes.TrimSuffix(name, []byte("."))
	for rest := name; ; {
		label, more, found := bytes.Cut(rest, []byte("."))
		if !validLabel(trimLF(label)) {
			return isIPv6(name)
		}
		if !found {
			return true
		}
		rest = more
	}
}

// plainHost tells whether host is valid and the usual: an ASCII name with nothing encoded in it. A
// valid host need not be plain.
func plainHost(host []byte) bool {
	begin := 0 // of the label
	for i, c := range host {
		switch hostClass[c] {
		case inLabel:
			continue
		case dot:
			if begin == i || i-begin > maxLabel {
				return false
			}
			begin = i + 1
		default:
			return false
		}
	}
	return len(host) > 0 && len(host) <= maxHost && len(host)-begin <= maxLabel && !containsACEPrefix(host)
}

func validLabel(label []byte) bool {
	for _, c := range label {
		if hostClass[c] != inLabel {
			return false
		}
	}
	return 0 < len(label) && len(label) <= maxLabel
}

// isIPv6 tells whether Python's module ipaddress takes s, which is ASCII, for an IPv6 address.
// Package netip has the same opinion except about what may be a scope. An IPv4 address is a valid
// name.
func isIPv6(s []byte) bool {
	if bytes.IndexByte(s, ':') < 0 {
		return false
	}
	address, scope, found := strings.Cut(string(s), "%")
	if found && (scope == "" || strings.ContainsAny(scope, "%/")) {
		return false
	}
	a, err := netip.ParseAddr(address)
	return err == nil && a.Is6()
}
