package flowdiff

import (
	"crypto/sha256"
	"math"
	"strings"

	"github.com/flowtool/flowtool/state"
)

// A Kind says what happened to a value.
type Kind uint8

// The kinds of changes.
const (
	Added   Kind = iota + 1 // it is in b only; null in a field of the format is as good as absent
	Removed                 // it is in a only
	Changed                 // it is in both, and differs
	Moved                   // it is the same in both, but at another place among its neighbours
)

var kindNames = [...]string{Added: "added", Removed: "removed", Changed: "changed", Moved: "moved"}

// String returns the name of k in lower case.
func (k Kind) String() string {
	if int(k) < len(kindNames) && k > 0 {
		return kindNames[k]
	}
	return "invalid"
}

// A Change is one difference between the states a and b.
type Change struct {
	// Path is where the value is in b, or where it was in a if it was removed.
	// It is that of the state except in the places that the package
	// documentation lists, such as "/request/cookies/sid".
	Path state.Path
	// From is where the value was in a, if that is another path than Path.
	From state.Path
	Kind Kind
	// Old and New are the values in a and b, null where there is none. Those of
	// a Moved are the positions among its neighbours, from 0. Both are null if
	// Body is there.
	Old, New state.Value
	// Body compares two bodies or messages as text or as bytes.
	Body *Body
	// Note adds what the values do not show: "same content, coded differently".
	Note string
	// Progress is set if the change needs no edit to explain it: the exchange
	// went on after its backup was made. Only [Options.Backup] sets it.
	Progress bool
	// inJSON says that the values are of a JSON text, see jsonNumber.
	inJSON bool
}

// A Body is the difference between two contents, content codings undone.
type Body struct {
	Old, New Content
	// Offset is the position of the first byte that differs.
	Offset int64
	// Hunks are the lines that differ, with lines around them, if both contents
	// are text.
	Hunks []Hunk
	// FinalNewline is set if one text ends in a line feed and the other does not.
	FinalNewline bool
}

// A Content is what is said of a body or message that is compared as a whole.
type Content struct {
	Size   int64 // in bytes
	SHA256 [sha256.Size]byte
}

// A Hunk is a run of lines, as in a unified diff. Starts count from 1; the start
// of an empty side is the line before.
type Hunk struct {
	OldStart, OldLines int
	NewStart, NewLines int
	Lines              []Line
}

// A Line is a line of a hunk.
type Line struct {
	Op   byte   // ' ' in both, '-' in a, '+' in b
	Text string // with its line feed, if it has one
}

// Delta returns by how many seconds a time differs; ok is false if c is no
// change of a time.
func (c *Change) Delta() (seconds float64, ok bool) {
	if c.Kind != Changed || c.Body != nil || !isTime(c.Path) {
		return 0, false
	}
	x, err1 := c.Old.Number()
	y, err2 := c.New.Number()
	return math.Round((y-x)*1e6) / 1e6, err1 == nil && err2 == nil
}

// isTime tells whether the value at p is a time.
func isTime(p state.Path) bool {
	p = inFlow(p)
	_, key := cutLast(p)
	return strings.HasPrefix(key, "timestamp") && !strings.HasPrefix(string(p), "/metadata/") && !underContent(p)
}

// underContent tells whether p is in a body, where names mean nothing.
func underContent(p state.Path) bool { return strings.Contains(string(p), "/content/") }

// inFlow returns p without the steps that lead into a backup, which is a flow, too.
func inFlow(p state.Path) state.Path {
	const step = "/backup"
	for strings.HasPrefix(string(p), step+"/") {
		p = p[len(step):]
	}
	return p
}

// cutLast returns the path of the container of p, and the last step of p.
func cutLast(p state.Path) (parent state.Path, last string) {
	i := strings.LastIndexByte(string(p), '/')
	if i < 0 {
		return "", ""
	}
	return p[:i], unescapeStep(string(p[i+1:]))
}

// unescapeStep returns the key that a step of a path stands for.
func unescapeStep(s string) string {
	if strings.IndexByte(s, '~') < 0 {
		return s
	}
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(s)
}
