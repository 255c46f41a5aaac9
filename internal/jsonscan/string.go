package jsonscan

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// Eight bytes are looked at together, in one word.
const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// A String is what is found out about a string on the way to its end.
type String struct {
	// End is the end of the content: where the closing quotation mark is.
	End int
	// Size is the number of bytes that [Unescape] makes of the content.
	Size int
	// Escaped tells that the content has escapes.
	Escaped bool
	// Half tells that one of them is half of a surrogate pair and stands alone.
	Half bool
	// NotASCII tells that there may be bytes that are not ASCII.
	NotASCII bool
}

// ScanString finds the end of the string whose content begins at b[i]. It checks
// that there are no control characters and that escapes are well-formed; whether
// the bytes are UTF-8, and whether halves of surrogate pairs may be, is left to the
// caller.
func ScanString(b []byte, i int) (s String, err *Error) {
	start, less := i, 0 // bytes that Unescape makes less of escapes
	var all uint64      // the bits of all bytes
	for {
		for i+8 <= len(b) {
			x := binary.LittleEndian.Uint64(b[i:])
			all |= x
			quote, slash := x^'"'*ones, x^'\\'*ones
			if ((x-0x20*ones)|(quote-ones)|(slash-ones))&^x&highs == 0 {
				i += 8
				continue
			}
			// Short escapes, which may be many, are passed within the word.
			m := zeros(quote) | zeros(slash) | zeros(x&(0xe0*ones))
			for m != 0 {
				at := bits.TrailingZeros64(m) &^ 7
				if byte(x>>at) != '\\' || unescaped[byte(x>>at>>8)] == 0 {
					i += at / 8
					break
				}
				s.Escaped = true
				less++
				m &= ^uint64(0xffff) << at
			}
			if m != 0 {
				break
			}
			i += 8
		}
		if i >= len(b) {
			return s, errEnd(b)
		}
		switch c := b[i]; {
		case c == '"':
			s.End, s.Size = i, i-start-less
			s.NotASCII = s.NotASCII || all&highs != 0
			return s, nil
		case c == '\\':
			s.Escaped = true
			r, n, err := escape(b, i)
			if err != nil {
				return s, err
			}
			size := utf8.RuneLen(r)
			if size < 0 {
				s.Half = true
				size = halfSize(r)
			}
			i, less = i+n, less+n-size
		case c < 0x20:
			return s, errControl(i, c)
		default:
			if c >= utf8.RuneSelf {
				s.NotASCII = true
			}
			i++
		}
	}
}

// QuoteIn8 returns the position of the first quotation mark among the first 8 bytes
// of b, of which there must be as many; 8 if there is none.
func QuoteIn8(b []byte) int {
	x := binary.LittleEndian.Uint64(b) ^ '"'*ones
	return bits.TrailingZeros64((x-ones)&^x&highs) / 8
}

// zeros returns a word with the highest bit of every byte of x that is 0.
func zeros(x uint64) uint64 {
	const rest = ^uint64(highs)
	return ^((x&rest + rest) | x | rest)
}

// escape returns the character that the escape at b[i] stands for, or half of one,
// and the length of the escape, or of two that are a surrogate pair.
func escape(b []byte, i int) (r rune, n int, err *Error) {
	if i+1 >= len(b) {
		return 0, 0, errEnd(b)
	}
	if c := unescaped[b[i+1]]; c != 0 {
		return rune(c), 2, nil
	}
	if b[i+1] != 'u' {
		return 0, 0, errEscape(i, b[i:i+2])
	}
	r, ok := hex4(b[i+2:])
	if !ok {
		return 0, 0, errEscape(i, b[i:min(i+6, len(b))])
	}
	if r >= 0xd800 && r < 0xdc00 && i+8 <= len(b) && b[i+6] == '\\' && b[i+7] == 'u' {
		if low, ok := hex4(b[i+8:]); ok && low >= 0xdc00 && low <= 0xdfff {
			return (r-0xd800)<<10 + (low - 0xdc00) + 0x10000, 12, nil
		}
	}
	return r, 6, nil
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

// Half finds the first half of a surrogate pair in the content s of a string, which
// was scanned and has one. It returns the escape and its position.
func Half(s []byte) (escaped []byte, pos int) {
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			i++
			continue
		}
		r, n, _ := escape(s, i)
		if utf8.RuneLen(r) < 0 {
			return s[i : i+n], i
		}
		i += n
	}
	return nil, len(s)
}

// isByte tells whether half of a surrogate pair stands for a byte that is not
// UTF-8, as Python has it.
func isByte(r rune) bool { return r >= 0xdc80 && r <= 0xdcff }

func halfSize(r rune) int {
	if isByte(r) {
		return 1
	}
	return utf8.RuneLen(utf8.RuneError)
}

// Unescape writes what the content s of a string, which was scanned, stands for.
// Halves of surrogate pairs stand for the byte that Python means by them, or for
// U+FFFD. dst has at least the size that the scan found; what Unescape returns is
// that size.
func Unescape(dst, s []byte) (size int) {
	i, j := 0, 0
	for i < len(s) {
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
		r, n, _ := escape(s, i)
		if isByte(r) {
			dst[j] = byte(r)
			j++
		} else {
			j += utf8.EncodeRune(dst[j:], r) // U+FFFD for half of a pair
		}
		i += n
	}
	return j
}
