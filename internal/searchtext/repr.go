package searchtext

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// quoteFor returns the quote that Python puts around s: the single one unless only the double one
// does not occur in s.
func quoteFor(s []byte) byte {
	if bytes.IndexByte(s, '\'') >= 0 && bytes.IndexByte(s, '"') < 0 {
		return '"'
	}
	return '\''
}

// appendBytesRepr appends repr(b) of a byte string.
func appendBytesRepr(dst, b []byte) []byte {
	quote := quoteFor(b)
	dst = append(dst, 'b', quote)
	for _, c := range b {
		dst = appendEscapedByte(dst, c, quote)
	}
	return append(dst, quote)
}

// appendEscapedByte appends a byte as repr shows it in a byte string with the given quote.
func appendEscapedByte(dst []byte, c, quote byte) []byte {
	switch {
	case c == quote || c == '\\':
		return append(dst, '\\', c)
	case c == '\t':
		return append(dst, `\t`...)
	case c == '\n':
		return append(dst, `\n`...)
	case c == '\r':
		return append(dst, `\r`...)
	case c < ' ' || c >= 0x7f:
		return append(dst, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
	}
	return append(dst, c)
}

// appendTextRepr appends repr(s) of a text. Invalid bytes stand for surrogates.
func appendTextRepr(dst, s []byte) []byte {
	quote := quoteFor(s)
	dst = append(dst, quote)
	for len(s) > 0 {
		if c := s[0]; c < utf8.RuneSelf {
			dst = appendEscapedByte(dst, c, quote)
			s = s[1:]
			continue
		}
		r, size := utf8.DecodeRune(s)
		if r == utf8.RuneError && size == 1 {
			r = 0xdc00 + rune(s[0])
		}
		if isPrintable(r) {
			dst = append(dst, s[:size]...)
		} else {
			dst = appendEscapedRune(dst, r)
		}
		s = s[size:]
	}
	return append(dst, quote)
}

func appendEscapedRune(dst []byte, r rune) []byte {
	digits := 8
	switch {
	case r < 0x100:
		dst, digits = append(dst, `\x`...), 2
	case r < 0x10000:
		dst, digits = append(dst, `\u`...), 4
	default:
		dst = append(dst, `\U`...)
	}
	for ; digits > 0; digits-- {
		dst = append(dst, hexDigits[r>>(4*(digits-1))&15])
	}
	return dst
}

// isPrintable is str.isprintable of Python 3.13. Go means the same by printable, but its tables may
// be those of Unicode 15.0, which lack the 627 characters of 15.1; its tables of Unicode 17 have
// characters that Python 3.13 escapes.
func isPrintable(r rune) bool {
	return unicode.IsPrint(r) || 0x2ebf0 <= r && r <= 0x2ee5d || 0x2ffc <= r && r <= 0x2fff || r == 0x31ef
}
