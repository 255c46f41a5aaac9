package searchtext

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// acePrefix begins a label that stands for a non-ASCII one, in any case.
const acePrefix = "xn--"

const (
	// maxLabel is the length of the longest label of a domain name.
	maxLabel = 63
	// maxACELabel is the length above which Python refuses to decode a label.
	maxACELabel = 1024
)

// Authority returns the text of the authority of a request: as it is, or decoded to Unicode if it
// is a domain name with labels in the ASCII form of IDNA 2003. That succeeds or fails for the name
// as a whole, and fails in particular if a label that is followed by a port was encoded, because
// the port is then taken for a part of the label, or if a label is not the one that its decoded
// form is encoded to ("xn--strae-oqa" for straße, which IDNA 2003 takes for strasse).
//
// The result is b itself unless something was decoded. This is how mitmproxy reads the attribute
// Request.authority. For absurd punycode, which decodes to code points above 2^63, mitmproxy raises
// an exception; here it fails like other bad punycode.
func Authority(b []byte) []byte {
	if ascii, ace := scanName(b); !ascii || !ace {
		return b
	}
	if text, ok := appendUnicode(nil, b); ok {
		return text
	}
	return b
}

// scanName tells whether a name is all ASCII and, if so, whether acePrefix is anywhere in it.
func scanName(b []byte) (ascii, ace bool) {
	var any byte
	for _, c := range b {
		any |= c
	}
	if any >= utf8.RuneSelf {
		return false, false
	}
	return true, containsACEPrefix(b)
}

// containsACEPrefix tells whether acePrefix is anywhere in a name.
func containsACEPrefix(b []byte) bool {
	for {
		i := bytes.Index(b, []byte("--"))
		switch {
		case i < 0:
			return false
		case i >= 2 && hasACEPrefix(b[i-2:]):
			return true
		}
		b = b[i+1:] // "--" may begin with the second dash
	}
}

func hasACEPrefix(b []byte) bool {
	return len(b) >= len(acePrefix) && b[0]|0x20 == 'x' && b[1]|0x20 == 'n' && b[2] == '-' && b[3] == '-'
}

// appendName appends the text that a domain name on the wire stands for: b.decode("idna") in
// Python.
func appendName(dst, b []byte) (text []byte, ok bool) {
	ascii, ace := scanName(b)
	if !ascii {
		return dst, false
	}
	if !ace {
		return append(dst, b...), true
	}
	return appendUnicode(dst, b)
}

// appendUnicode appends an ASCII name with its encoded labels decoded. If one cannot be decoded, it
// returns dst as it was.
func appendUnicode(dst, name []byte) (text []byte, ok bool) {
	text = dst
	for {
		label, rest, more := bytes.Cut(name, []byte("."))
		if text, ok = appendUnicodeLabel(text, label); !ok {
			return dst, false
		}
		if !more {
			return text, true
		}
		text = append(text, '.')
		name = rest
	}
}

// appendUnicodeLabel is the operation ToUnicode of RFC 3490 for an ASCII label, but strict.
func appendUnicodeLabel(dst, label []byte) ([]byte, bool) {
	if len(label) > maxACELabel {
		return dst, false
	}
	if !hasACEPrefix(label) {
		return append(dst, label...), true
	}
	decoded, ok := decodePunycode(label[len(acePrefix):])
	if !ok {
		return dst, false
	}
	var buf [maxLabel]byte
	encoded, ok := appendASCIILabel(buf[:0], decoded)
	if !ok || !equalLower(label, encoded) {
		return dst, false
	}
	for _, r := range decoded {
		dst = utf8.AppendRune(dst, r)
	}
	return dst, true
}

// equalLower tells whether a in lower case is b.
func equalLower(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i, c := range a {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != b[i] {
			return false
		}
	}
	return true
}

// encodeName returns the form of a name for the wire: name.encode("idna") in Python. What is ASCII
// already is returned as it is, whatever it contains.
func encodeName(name []byte) (encoded []byte, ok bool) {
	if ascii, _ := scanName(name); ascii {
		for rest := name; ; {
			label, more, found := bytes.Cut(rest, []byte("."))
			if len(label) > maxLabel || found && len(label) == 0 {
				return nil, false
			}
			if !found {
				return name, true
			}
			rest = more
		}
	}
	if !utf8.Valid(name) {
		return nil, false // nameprep prohibits surrogates
	}
	rest := string(name)
	for {
		label, more, found := cutDot(rest)
		if !found && label == "" {
			return encoded, true // after a dot at the end
		}
		if encoded, ok = appendASCIILabel(encoded, []rune(label)); !ok {
			return nil, false
		}
		if !found {
			return encoded, true
		}
		encoded = append(encoded, '.')
		rest = more
	}
}

// cutDot splits a name after its first label. IDNA has four characters for the dot.
func cutDot(name string) (label, rest string, found bool) {
	i := strings.IndexAny(name, ".\u3002\uff0e\uff61")
	if i < 0 {
		return name, "", false
	}
	_, size := utf8.DecodeRuneInString(name[i:])
	return name[:i], name[i+size:], true
}

// appendASCIILabel is the operation ToASCII of RFC 3490 as Python has it: without the rules of
// STD 3, and with what was prepared to ASCII returned as it is, even if that contains a dot.
func appendASCIILabel(dst []byte, label []rune) ([]byte, bool) {
	if !isASCII(label) {
		var ok bool
		if label, ok = nameprep(label); !ok {
			return dst, false
		}
	}
	if len(label) == 0 || len(label) > maxLabel {
		return dst, false
	}
	if isASCII(label) {
		for _, r := range label {
			dst = append(dst, byte(r))
		}
		return dst, true
	}
	if len(label) >= 4 && strings.EqualFold(string(label[:4]), acePrefix) {
		return dst, false
	}
	start := len(dst)
	dst = appendPunycode(append(dst, acePrefix...), label)
	if len(dst)-start > maxLabel {
		return dst[:start], false
	}
	return dst, true
}

func isASCII(label []rune) bool {
	for _, r := range label {
		if r >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
