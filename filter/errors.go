package filter

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrTooDeep is the cause of the [SyntaxError] for an expression with more
// levels of parentheses and negations than [Options].MaxDepth.
var ErrTooDeep = errors.New("nested too deep")

// A SyntaxError says what is wrong with an expression, and where.
type SyntaxError struct {
	Text string // the expression
	// Offset and Len are the place in Text, in bytes. Len is 0 where something
	// is missing.
	Offset, Len int
	Msg         string // what is wrong
	Want        string // what should be there instead, or ""
	Suggest     string // what was probably meant, such as "~hs", or ""
	Err         error  // the cause, if there is one beyond Msg
}

func (e *SyntaxError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "filter: offset %d: %s", e.Offset, e.Msg)
	if e.Want != "" {
		b.WriteString(", want " + e.Want)
	}
	if e.Suggest != "" {
		b.WriteString("; did you mean " + e.Suggest + "?")
	}
	return b.String()
}

// Unwrap returns the cause, or nil.
func (e *SyntaxError) Unwrap() error { return e.Err }

// quote returns s in quotes, shortened, for a message.
func quote(s string) string {
	const most = 32
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return strconv.Quote(s)
}

// showable returns a suggestion, or "" if it is not fit to be shown.
func showable(s string) string {
	const most = 60
	if len(s) > most || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return ""
	}
	return s
}

// shorten returns s, which is printable ASCII, for a message.
func shorten(s string) string {
	const most = 32
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
