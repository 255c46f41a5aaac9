package shell

import (
	"errors"
	"strings"

	"github.com/flowtool/flowtool/contentview"
)

// maxWord is the longest argument that Linux passes to a program, without the
// NUL behind it. maxWords is what all of them may take together; macOS allows
// 1 MiB, environment included.
const (
	maxWord  = 128<<10 - 1
	maxWords = 512 << 10
)

var (
	errNUL     = errors.New("has a NUL byte, which no argument of a command can have")
	errNewline = errors.New("ends with a line feed, which the shell would remove")
	errTooLong = errors.New("is longer than an argument of a command may be")
)

// checkWord tells why s cannot be a word of a command.
func checkWord(s string) error {
	switch {
	case len(s) > maxWord:
		return errTooLong
	case strings.IndexByte(s, 0) >= 0:
		return errNUL
	case strings.HasSuffix(s, "\n"):
		return errNewline
	}
	return nil
}

// appendWord appends s, for which checkWord has no objection, as a word that the
// shell turns back into s.
func appendWord(dst []byte, s string) []byte {
	switch {
	case isPlain(s):
		return append(dst, s...)
	case isPrintable(s):
		return appendQuoted(dst, s)
	}
	dst = append(dst, `"$(printf '`...)
	dst = appendOctal(dst, s)
	return append(dst, `')"`...)
}

// isPlain tells whether s needs no quotes. An equals sign at the start is
// special to zsh.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isAlnum(c) && strings.IndexByte("_@%+=:,./-", c) < 0 {
			return false
		}
	}
	return s != "" && s[0] != '='
}

// isPrintable tells whether s is UTF-8 without characters that act on a
// terminal.
func isPrintable[T string | []byte](s T) bool {
	text := string(s)
	return contentview.Escape(text, false) == text
}

// appendQuoted appends s in single quotes.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '\'')
	for {
		before, after, found := strings.Cut(s, "'")
		dst = append(dst, before...)
		if !found {
			return append(dst, '\'')
		}
		dst = append(dst, `'"'"'`...)
		s = after
	}
}

// appendOctal appends s as the format of printf, for single quotes. Escaped are
// also an exclamation mark, which interactive shells look for within double
// quotes, and a dash at the start, which would begin an option.
func appendOctal[T string | []byte](dst []byte, s T) []byte {
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ', c > '~', c == '\'', c == '%', c == '\\', c == '!', c == '-' && i == 0:
			dst = append(dst, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// isToken tells whether s is a token of HTTP, as methods and header names are.
func isToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isAlnum(c) && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}
