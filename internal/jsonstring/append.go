// Package jsonstring writes the strings of JSON.
package jsonstring

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf8"
)

// escapes has what is written for the characters of ASCII that a string cannot
// hold, or should not: at most six bytes, the first one lowest.
var escapes, escapeLens = func() (t [utf8.RuneSelf]uint64, lens [utf8.RuneSelf]uint8) {
	set := func(c byte, s string) {
		var b [8]byte
		lens[c] = uint8(copy(b[:], s))
		t[c] = binary.LittleEndian.Uint64(b[:])
	}
	for c := range byte(0x20) {
		set(c, string([]byte{'\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15]}))
	}
	for c, s := range map[byte]string{
		'"': `\"`, '\\': `\\`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`, 0x7f: `\u007f`,
	} {
		set(c, s)
	}
	return t, lens
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
		if len(s)-i >= 8 {
			x := binary.LittleEndian.Uint64(s[i:])
			binary.LittleEndian.PutUint64(out[j:], x)
			m := special(x)
			if m == 0 {
				i, j = i+8, j+8
				continue
			}
			n := bits.TrailingZeros64(m) / 8
			i, j = i+n, j+n
		}
		c := s[i]
		switch {
		case c >= 0xc3 && c <= 0xdf && c != 0xd8 && len(s)-i >= 2 && s[i+1]&0xc0 == 0x80:
			// Most letters of most alphabets. What follows is likely to be one as well.
			out[j], out[j+1] = c, s[i+1]
			i, j = i+2, j+2
			for len(s)-i >= 2 && len(out)-j >= ahead && s[i] >= 0xc3 && s[i] <= 0xdf && s[i] != 0xd8 && s[i+1]&0xc0 == 0x80 {
				out[j], out[j+1] = s[i], s[i+1]
				i, j = i+2, j+2
			}
		case c >= utf8.RuneSelf:
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
		case escapeLens[c] > 0:
			binary.LittleEndian.PutUint64(out[j:], escapes[c])
			j += int(escapeLens[c])
			i++
		default:
			out[j] = c
			i, j = i+1, j+1
		}
	}
	return out[:j], true
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
