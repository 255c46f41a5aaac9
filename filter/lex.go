package filter

import (
	"strings"
	"unicode/utf8"
)

// isSpace tells whether c is white space to the language. Other white space
// of Unicode, and vertical tab and form feed, are characters of words.
func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// endsWord tells whether c is the first character after a word.
func endsWord(c byte) bool {
	switch c {
	case '(', ')', '~', '\'', '"':
		return true
	}
	return isSpace(c)
}

// endsName tells whether mitmproxy lets the name of an operator end before c.
func endsName(c byte) bool { return c < 0x21 || c > 0x7e }

// isNameByte tells whether c can be part of what people take for the name of
// an operator.
func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

// isComparison tells whether c can begin or end a comparison sign.
func isComparison(c byte) bool { return c == '<' || c == '>' || c == '=' }

// A lexer reads the text of an expression. Its methods know characters, words
// and quotes, but no operators.
type lexer struct {
	text string
	pos  int
	tabs tabStops
}

// done tells whether the text is at its end.
func (l *lexer) done() bool { return l.pos == len(l.text) }

// at tells whether the next byte is c.
func (l *lexer) at(c byte) bool { return l.pos < len(l.text) && l.text[l.pos] == c }

// atAny tells whether the next byte is one of chars.
func (l *lexer) atAny(chars string) bool {
	return l.pos < len(l.text) && strings.IndexByte(chars, l.text[l.pos]) >= 0
}

// spaceFrom returns the offset of the first byte from pos on that is no space.
func (l *lexer) spaceFrom(pos int) int {
	for pos < len(l.text) && isSpace(l.text[pos]) {
		pos++
	}
	return pos
}

func (l *lexer) skipSpace() { l.pos = l.spaceFrom(l.pos) }

// name returns the run of bytes from pos on that looks like a name.
func (l *lexer) name(pos int) string {
	end := pos
	for end < len(l.text) && isNameByte(l.text[end]) {
		end++
	}
	return l.text[pos:end]
}

// word reads a word, which is empty if there is none.
func (l *lexer) word() string {
	start := l.pos
	for l.pos < len(l.text) && !endsWord(l.text[l.pos]) {
		l.pos++
	}
	return l.text[start:l.pos]
}

// list reads an unquoted list. It is a word that the signs of the language
// end, too, but not the white space after a comparison sign or around a comma
// or "..".
func (l *lexer) list() string {
	start := l.pos
	dots := false // there was white space before the ".." that was read last
	for l.pos < len(l.text) {
		c := l.text[l.pos]
		switch {
		case c == '&' || c == '|' || c == '!':
			return l.text[start:l.pos]
		case !endsWord(c):
			l.pos++
			continue
		case !isSpace(c) || l.pos == start:
			return l.text[start:l.pos]
		}
		before, next := l.text[l.pos-1], l.spaceFrom(l.pos)
		rest := l.text[next:]
		switch {
		case rest == "" || endsWord(rest[0]) || strings.IndexByte("&|!", rest[0]) >= 0:
			return l.text[start:l.pos]
		case strings.HasPrefix(rest, ".."):
			dots = true
			next += 2
		case isComparison(before) || before == ',' || rest[0] == ',' || dots && before == '.':
			dots = false
		default:
			return l.text[start:l.pos]
		}
		l.pos = next
	}
	return l.text[start:]
}

// number reads decimal digits.
func (l *lexer) number() string {
	start := l.pos
	for l.pos < len(l.text) && l.text[l.pos] >= '0' && l.text[l.pos] <= '9' {
		l.pos++
	}
	return l.text[start:l.pos]
}

// quoted reads a string in quotes and returns what it stands for. If the quote
// is not closed, ok is false and the lexer is where the string breaks off.
func (l *lexer) quoted() (value string, ok bool) {
	quote := l.text[l.pos]
	start := l.pos + 1
	tab := false
	for l.pos = start; l.pos < len(l.text); l.pos++ {
		switch c := l.text[l.pos]; c {
		case quote:
			content := l.text[start:l.pos]
			if tab {
				content = l.tabs.expand(l.text, start, l.pos)
			}
			l.pos++
			return unquote(content), true
		case '\n', '\r':
			return "", false
		case '\t':
			tab = true
		case '\\':
			if l.pos+1 == len(l.text) || l.text[l.pos+1] == '\n' {
				l.pos++
				return "", false
			}
			l.pos++
			tab = tab || l.text[l.pos] == '\t'
		}
	}
	return "", false
}

// tabStops finds the columns of tabs. mitmproxy replaces every tab of an
// expression by spaces up to the next multiple of 8 columns, before it looks at
// anything else. That matters only inside quotes.
type tabStops struct{ pos, col int }

// expand returns text[from:to] with its tabs expanded. It must be called with
// ascending offsets.
func (t *tabStops) expand(text string, from, to int) string {
	t.skip(text[t.pos:from])
	var b strings.Builder
	for i := from; i < to; {
		_, n := utf8.DecodeRuneInString(text[i:])
		before := t.col
		t.skip(text[i : i+n])
		if text[i] == '\t' {
			b.WriteString("        "[:t.col-before])
		} else {
			b.WriteString(text[i : i+n])
		}
		i += n
	}
	return b.String()
}

// skip moves on by s, which is whole characters.
func (t *tabStops) skip(s string) {
	t.pos += len(s)
	for len(s) > 0 {
		_, n := utf8.DecodeRuneInString(s)
		switch s[0] {
		case '\t':
			t.col += 8 - t.col%8
		case '\n', '\r':
			t.col = 0
		default:
			t.col++
		}
		s = s[n:]
	}
}
