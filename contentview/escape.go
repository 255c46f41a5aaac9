package contentview

import "unicode/utf8"

// Escape makes captured text safe to print on a terminal. It replaces
//
//   - C0 controls, DEL and bytes that are not valid UTF-8 by \xNN;
//   - C1 controls, the line separators U+2028 and U+2029, and the bidirectional controls
//     U+061C, U+200E, U+200F, U+202A to U+202E and U+2066 to U+2069 by \u{NNNN};
//   - TAB, LF and CR by \t, \n and \r. With keepSpacing TAB and LF stay, and so does
//     a CR right before an LF; any other CR would let a line overwrite itself.
//
// All else stays, the zero-width joiner and backslashes included. So escaping twice is the same as
// escaping once, but the result does not tell an escaped byte from text that looks like one.
// If there is nothing to replace, Escape returns s and does not allocate.
func Escape(s string, keepSpacing bool) string {
	n := safePrefix(s, keepSpacing)
	if n == len(s) {
		return s
	}
	dst := make([]byte, 0, len(s)+len(s)/8+32)
	dst = append(dst, s[:n]...)
	return string(appendEscaped(dst, s[n:], keepSpacing))
}

// AppendEscaped appends s to dst as [Escape] would change it. A CR or an incomplete character
// at the end of s is escaped, so do not cut text between CR and LF or inside a character.
func AppendEscaped(dst []byte, s []byte, keepSpacing bool) []byte {
	return appendEscaped(dst, s, keepSpacing)
}

func appendEscaped[T string | []byte](dst []byte, s T, keepSpacing bool) []byte {
	for {
		n := safePrefix(s, keepSpacing)
		dst = append(dst, s[:n]...)
		if n == len(s) {
			return dst
		}
		s = s[n:]
		size := 1
		switch b := s[0]; {
		case b == '\t':
			dst = append(dst, `\t`...)
		case b == '\n':
			dst = append(dst, `\n`...)
		case b == '\r':
			dst = append(dst, `\r`...)
		case b < utf8.RuneSelf:
			dst = appendByte(dst, b)
		default:
			var r rune
			if r, size = decodeRune(s); size == 1 {
				dst = appendByte(dst, b)
			} else { // none of the unsafe characters has more than four digits
				dst = append(dst, `\u{`...)
				for shift := 12; shift >= 0; shift -= 4 {
					dst = append(dst, hexDigits[r>>shift&0xf])
				}
				dst = append(dst, '}')
			}
		}
		s = s[size:]
	}
}

func appendByte(dst []byte, b byte) []byte {
	return append(dst, '\\', 'x', hexDigits[b>>4], hexDigits[b&0xf])
}

// safePrefix returns how many bytes at the start of s need no escape.
func safePrefix[T string | []byte](s T, keepSpacing bool) int {
	i := 0
	for i < len(s) {
		b := s[i]
		switch {
		case ' ' <= b && b < 0x7f:
			i++
		case b >= utf8.RuneSelf:
			r, size := decodeRune(s[i:])
			if r == utf8.RuneError && size == 1 || isUnsafe(r) {
				return i
			}
			i += size
		case keepSpacing && (b == '\n' || b == '\t' || b == '\r' && i+1 < len(s) && s[i+1] == '\n'):
			i++
		default:
			return i
		}
	}
	return i
}

// decodeRune decodes the first character of s. The conversion of so few bytes does not allocate.
func decodeRune[T string | []byte](s T) (rune, int) {
	return utf8.DecodeRuneInString(string(s[:min(len(s), utf8.UTFMax)]))
}

// isUnsafe reports whether r, which is not ASCII, acts on a terminal instead of being shown.
func isUnsafe(r rune) bool {
	switch {
	case r < 0xa0: // C1 controls
		return true
	case r < 0x061c || r > 0x2069:
		return false
	}
	switch r {
	case 0x061c, 0x200e, 0x200f, // bidirectional marks
		0x2028, 0x2029, // line and paragraph separator
		0x202a, 0x202b, 0x202c, 0x202d, 0x202e, // embeddings and overrides
		0x2066, 0x2067, 0x2068, 0x2069: // isolates
		return true
	}
	return false
}
