package jsonl

import (
	"encoding/base64"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// Eight bytes are looked at together, in one word.
const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// early is how much room is made for a record or string before anything is known
// about it.
const early = 64 << 10

// appendBase64 appends b as the content of a JSON string.
func appendBase64(dst, b []byte) []byte { return base64.StdEncoding.AppendEncode(dst, b) }

// A stringScan is what is found out about a JSON string on the way to its end.
type stringScan struct {
	end     int  // of the content: where the closing quotation mark is
	size    int  // of the text that it stands for, in UTF-8
	escaped bool // it has escapes
}

// scanString finds the end of the string whose content begins at b[i], and
// checks it.
func scanString(b []byte, i int) (s stringScan, err *Error) {
	start, ascii := i, true
	for {
		if i+8 <= len(b) {
			x := binary.LittleEndian.Uint64(b[i:])
			quote, slash := x^'"'*ones, x^'\\'*ones
			m := ((x - 0x20*ones) | (quote - ones) | (slash - ones)) & ^x & highs
			if x&highs != 0 {
				ascii = false
			}
			if m == 0 {
				i, s.size = i+8, s.size+8
				continue
			}
			n := bits.TrailingZeros64(m) / 8
			i, s.size = i+n, s.size+n
		} else if i >= len(b) {
			return s, fail(len(b), errEnd("a string"))
		}
		switch c := b[i]; {
		case c == '"':
			s.end = i
			if !ascii && !utf8.Valid(b[start:i]) {
				return s, fail(start+invalid(b[start:i]), errNotUTF8)
			}
			return s, nil
		case c == '\\':
			s.escaped = true
			if i+1 < len(b) && unescaped[b[i+1]] != 0 {
				i, s.size = i+2, s.size+1
				continue
			}
			r, n, err := scanEscape(b, i)
			if err != nil {
				return s, err
			}
			i, s.size = i+n, s.size+utf8.RuneLen(r)
		case c < 0x20:
			return s, fail(i, errControl(c))
		default:
			if c >= utf8.RuneSelf {
				ascii = false
			}
			i, s.size = i+1, s.size+1
		}
	}
}

// scanEscape returns the character that the escape at b[i] stands for and the
// length of the escape, or of two that are a surrogate pair.
func scanEscape(b []byte, i int) (r rune, n int, err *Error) {
	if i+1 >= len(b) {
		return 0, 0, fail(len(b), errEnd("a string"))
	}
	if c := unescaped[b[i+1]]; c != 0 {
		return rune(c), 2, nil
	}
	if b[i+1] != 'u' {
		return 0, 0, fail(i, errEscape(b[i:i+2]))
	}
	r, ok := hex4(b[i+2:])
	if !ok {
		return 0, 0, fail(i, errEscape(b[i:min(i+6, len(b))]))
	}
	if r < 0xd800 || r > 0xdfff {
		return r, 6, nil
	}
	if r < 0xdc00 && i+8 <= len(b) && b[i+6] == '\\' && b[i+7] == 'u' {
		if low, ok := hex4(b[i+8:]); ok && low >= 0xdc00 && low <= 0xdfff {
			return (r-0xd800)<<10 + (low - 0xdc00) + 0x10000, 12, nil
		}
	}
	return 0, 0, fail(i, errSurrogate(b[i:i+6]))
}

// unescaped has what the character behind a backslash stands for.
var unescaped = [256]byte{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		switch {
		case isDigit(c):
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// unescape writes what the content s of a JSON string, which was scanned, stands
// for. dst has the size that the scan found.
func unescape(dst, s []byte) {
	j := 0
	for i := 0; i < len(s); {
		if i+8 <= len(s) && j+8 <= len(dst) {
			x := binary.LittleEndian.Uint64(s[i:])
			binary.LittleEndian.PutUint64(dst[j:], x)
			slash := x ^ '\\'*ones
			m := (slash - ones) &^ slash & highs
			if m == 0 {
				i, j = i+8, j+8
				continue
			}
			n := bits.TrailingZeros64(m) / 8
			i, j = i+n, j+n
		}
		if s[i] != '\\' {
			dst[j] = s[i]
			i, j = i+1, j+1
			continue
		}
		if c := unescaped[s[i+1]]; c != 0 {
			dst[j] = c
			i, j = i+2, j+1
			continue
		}
		r, n, _ := scanEscape(s, i)
		j += utf8.EncodeRune(dst[j:], r)
		i += n
	}
}

// invalid returns the position of the first byte of b that is not UTF-8.
func invalid(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(b)
}
