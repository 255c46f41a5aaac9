// Package jsonstring writes the strings of JSON.
package jsonstring

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf8"
	"unsafe"
)

// written has what is written for each byte of ASCII, at most six bytes, the first
// one lowest, and in the highest byte how many these are. It is 0 for all others.
var written = func() (t [256]uint64) {
	set := func(c byte, s string) {
		var b [8]byte
		b[7] = byte(copy(b[:], s))
		t[c] = binary.LittleEndian.Uint64(b[:])
	}
	for c := range byte(utf8.RuneSelf) {
		set(c, string(rune(c)))
	}
	for c := range byte(0x20) {
		set(c, string([]byte{'\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15]}))
	}
	for c, s := range map[byte]string{
		'"': `\"`, '\\': `\\`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`, 0x7f: `\u007f`,
	} {
		set(c, s)
	}
	return t
}()

const hexDigits = "0123456789abcdef"

// Eight bytes are looked at together, in one word.
const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// special returns a word with a bit in every byte of x that is a control
// character, a quotation mark, a backslash, DEL or not ASCII. Only the lowest
// bit is to be relied on.
func special(x uint64) uint64 {
	quote, slash := x^'"'*ones, x^'\\'*ones
	return ((x-0x20*ones)|(quote-ones)|(slash-ones))&^x&highs | ((x+ones)|x)&highs
}

// tail returns what is left of s from i on, less than nine bytes, as a word with
// zeros behind it.
func tail(s []byte, i int) (x uint64) {
	if len(s) >= 8 {
		return binary.LittleEndian.Uint64(s[len(s)-8:]) >> (8 * (8 - (len(s) - i)))
	}
	for k := len(s) - 1; k >= i; k-- {
		x = x<<8 | uint64(s[k])
	}
	return x
}

// early is how much room is made for a string before anything is known about it.
const early = 64 << 10

// Append appends the text s as it stands in a JSON string. Nothing that
// acts on a terminal, or that somebody takes for the end of a line, is left as
// it is. If s is not UTF-8, ok is false.
func Append(dst, s []byte) (_ []byte, ok bool) {
	// Room for what is written without looking, and for what needs no escapes; but
	// what is large and not UTF-8 usually shows that early.
	const ahead = 16
	start := len(dst)
	dst = slices.Grow(dst, min(len(s), early)+ahead)
	out, j := dst[:cap(dst)], start
	for i := 0; i < len(s); {
		if len(out)-j < ahead {
			// What is left is likely to grow by as much as what was written.
			rest := float64(len(s)-i) * min(2, float64(j-start+ahead)/float64(i+1))
			dst = slices.Grow(out[:j], int(rest+rest/16)+ahead)
			out = dst[:cap(dst)]
		}
		for len(s)-i > 8 && len(out)-j >= ahead {
			from, to := s[i:i+9], out[j:j+ahead]
			x := binary.LittleEndian.Uint64(from)
			binary.LittleEndian.PutUint64(to, x)
			m := special(x)
			if m == 0 {
				i, j = i+8, j+8
				continue
			}
			n := bits.TrailingZeros64(m) / 8
			w := written[from[n]]
			binary.LittleEndian.PutUint64(to[n:], w)
			if i, j = i+n, j+n; w == 0 {
				break
			}
			i, j = i+1, j+int(w>>56)
		}
		if len(out)-j < ahead {
			continue
		}
		if left := len(s) - i; left <= 8 {
			x := tail(s, i)
			binary.LittleEndian.PutUint64(out[j:], x)
			n := min(bits.TrailingZeros64(special(x))/8, left)
			if i, j = i+n, j+n; n == left {
				break
			}
		}
		switch c := s[i]; {
		case c < utf8.RuneSelf:
			w := written[c]
			binary.LittleEndian.PutUint64(out[j:], w)
			i, j = i+1, j+int(w>>56)
		case isLetter(s, i):
			// What follows is likely to be one as well.
			for ok := true; ok; ok = len(out)-j >= ahead && isLetter(s, i) {
				out[j], out[j+1] = s[i], s[i+1]
				i, j = i+2, j+2
			}
		default:
			r, size := utf8.DecodeRune(s[i:])
			if r == utf8.RuneError && size == 1 {
				return dst[:start], false
			}
			if mayAct(c) && acts(r) {
				binary.LittleEndian.PutUint64(out[j:], escaped(r))
				j += 6
			} else {
				j += copy(out[j:], s[i:i+size])
			}
			i += size
		}
	}
	return out[:j], true
}

// AppendString is Append for a string.
func AppendString(dst []byte, s string) (_ []byte, ok bool) {
	// Append does not keep or change what it reads.
	return Append(dst, unsafe.Slice(unsafe.StringData(s), len(s)))
}

// isLetter tells whether two bytes at i are a character as most letters of most
// alphabets are, none that acts.
func isLetter(s []byte, i int) bool {
	return len(s)-i >= 2 && s[i] >= 0xc3 && s[i] <= 0xdf && s[i] != 0xd8 && s[i+1]&0xc0 == 0x80
}

// mayAct tells whether a character that acts on a terminal may begin with c.
func mayAct(c byte) bool { return c == 0xc2 || c == 0xd8 || c == 0xe2 }

// acts tells whether r, which is not ASCII, is a control character, a line
// separator or a bidirectional control.
func acts(r rune) bool {
	switch {
	case r < 0xa0:
		return true
	case r < 0x061c || r > 0x2069:
		return false
	}
	return r == 0x061c || r == 0x200e || r == 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2066
}

// escaped returns the escape of a character of at most four hexadecimal digits.
func escaped(r rune) uint64 {
	b := [8]byte{'\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15]}
	return binary.LittleEndian.Uint64(b[:])
}
