package pyregexp

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// A SyntaxError says why Python, or this package with its limits, does not accept a pattern.
type SyntaxError struct {
	Pattern string
	Offset  int    // in Pattern, in bytes
	Msg     string // what is wrong there, in lower case
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("pyregexp: offset %d: %s", e.Offset, e.Msg)
}

// A TimeoutError says that a match was given up, because it had tried combinations for too long.
// There is no answer in that case, neither yes nor no.
type TimeoutError struct {
	Pattern string
	Limit   time.Duration // the time that was allowed
	// Memory says that it was the memory for the combinations yet to be tried that ran out, before
	// the time did.
	Memory bool
}

func (e *TimeoutError) Error() string {
	if e.Memory {
		return "pyregexp: " + quote(e.Pattern) + " needs too much memory: too many ways to match"
	}
	return fmt.Sprintf("pyregexp: %s has no answer after %v: too many ways to match", quote(e.Pattern), e.Limit)
}

// shown returns r for a message.
func shown(r rune) string {
	if unicode.IsPrint(r) {
		return string(r)
	}
	return fmt.Sprintf("U+%04X", r)
}

// quote returns s in quotes, shortened, for a message.
func quote(s string) string {
	const most = 40
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return strconv.Quote(s)
}
