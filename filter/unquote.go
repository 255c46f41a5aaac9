package filter

import "strings"

// unquote returns what a quoted string stands for. The content is what is
// between the quotes, after the expansion of tabs.
//
// The escapes are those of pyparsing 3.3.2, oddities included: in "\x41" and
// "\u0041" it drops only the backslash, but "\x42" is "B" and "\u44" is "D",
// "\0" is NUL, but "\03" is "03".
func unquote(content string) string {
	if strings.IndexByte(content, '\\') < 0 {
		return content
	}
	var b strings.Builder
	b.Grow(len(content))
	for i := 0; i < len(content); {
		i += unquoteNext(&b, content[i:])
	}
	return b.String()
}

// unquotedOffset returns the offset in content of what unquote turns into
// byte n of its result.
func unquotedOffset(content string, n int) int {
	var b strings.Builder
	for i := 0; i < len(content); {
		before, next := b.Len(), i+unquoteNext(&b, content[i:])
		if b.Len() > n {
			if content[i] != '\\' {
				i += n - before
			}
			return i
		}
		i = next
	}
	return len(content)
}

// unquoteNext unquotes the beginning of s, one character or escape, or plain
// text up to a backslash, and returns how many bytes it was.
func unquoteNext(b *strings.Builder, s string) int {
	if s[0] != '\\' || len(s) == 1 {
		n := strings.IndexByte(s[1:], '\\') + 1
		if n == 0 {
			n = len(s)
		}
		b.WriteString(s[:n])
		return n
	}
	at := func(i int) byte {
		if i < len(s) {
			return s[i]
		}
		return 0
	}
	switch c := s[1]; {
	case c == 't':
		b.WriteByte('\t')
	case c == 'n':
		b.WriteByte('\n')
	case c == 'f':
		b.WriteByte('\f')
	case c == 'r':
		b.WriteByte('\r')
	case c >= '0' && c <= '7' && at(2) == '3':
		b.WriteString(s[1:3])
		return 3
	case c == '0':
		b.WriteByte(0)
	case c == 'x' && hex(at(2)) >= 0 && at(3) == '2':
		b.WriteRune(hex(s[2])<<4 | 2)
		return 4
	case c == 'u' && hex(at(2)) >= 0 && at(3) == '4':
		b.WriteRune(hex(s[2])<<4 | 4)
		return 4
	default:
		// The character itself; the rest of its bytes are plain text.
		b.WriteByte(c)
	}
	return 2
}

// hex returns the value of a hexadecimal digit, or -1.
func hex(c byte) rune {
	switch {
	case c >= '0' && c <= '9':
		return rune(c - '0')
	case c >= 'a' && c <= 'f':
		return rune(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return rune(c-'A') + 10
	}
	return -1
}

// requote returns s in quotes such that unquote gives s again.
func requote(s string) string {
	delim := byte('"')
	if strings.IndexByte(s, '"') >= 0 && strings.IndexByte(s, '\'') < 0 {
		delim = '\''
	}
	b := make([]byte, 0, len(s)+2)
	b = append(b, delim)
	for i := range len(s) {
		switch c := s[i]; c {
		case '\t':
			b = append(b, `\t`...)
		case '\n':
			b = append(b, `\n`...)
		case '\f':
			b = append(b, `\f`...)
		case '\r':
			b = append(b, `\r`...)
		case 0:
			b = append(b, `\0`...)
			if i+1 < len(s) && s[i+1] == '3' {
				b = append(b, '\\') // "\03" is no NUL, and "\3" is "3"
			}
		case '\\', delim:
			b = append(b, '\\', c)
		default:
			b = append(b, c)
		}
	}
	return string(append(b, delim))
}
