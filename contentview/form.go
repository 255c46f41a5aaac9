package contentview

import "strings"

// formLines lays out a URL-encoded form, one "key: value" line for each pair, in order. Line breaks
// and other control characters of keys and values are escaped, so that a value cannot pass
// for another pair.
func formLines(form string) string {
	dst := make([]byte, 0, len(form)+len(form)/4)
	var buf []byte // one key or value
	for pair := range strings.SplitSeq(form, "&") {
		if pair == "" {
			continue
		}
		if len(dst) > 0 {
			dst = append(dst, '\n')
		}
		key, value, _ := strings.Cut(pair, "=")
		buf = appendUnescaped(buf[:0], key)
		dst = AppendEscaped(dst, buf, false)
		dst = append(dst, ':')
		if value != "" {
			dst = append(dst, ' ')
			buf = appendUnescaped(buf[:0], value)
			dst = AppendEscaped(dst, buf, false)
		}
	}
	return string(dst)
}

// appendUnescaped appends s to dst without percent-encoding and plus signs. Unlike
// [url.QueryUnescape] it leaves malformed escapes as they are.
func appendUnescaped(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '+':
			dst = append(dst, ' ')
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			dst = append(dst, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10
}
