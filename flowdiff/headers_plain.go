package flowdiff

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/flowtool/flowtool/state"
)

// maxPlain limits the lines of header blocks that plainHeaders compares, as it looks
// for every name among all others.
const maxPlain = 100

// plainHeaders compares two header blocks with the same names in the same order, of
// which those with other values are there once: most blocks that differ are like
// that, and then no line has to be looked for. It returns false, and reports
// nothing, if the blocks are not.
func (d *differ) plainHeaders(p at, a, b state.Value) bool {
	x, ok1 := headerLines(a)
	y, ok2 := headerLines(b)
	if !ok1 || !ok2 || x.Len() != y.Len() || x.Len() > maxPlain {
		return false
	}
	names := make([][]byte, x.Len())
	var differ []int
	var texts [][2][]byte
	for i := range names {
		e, f := x.At(i), y.At(i)
		name, text, ok := headerLineOf(e)
		if !ok {
			return false
		}
		names[i] = name
		if same(e, f) {
			continue
		}
		other, otherText, ok := headerLineOf(f)
		if !ok || !bytes.Equal(name, other) {
			return false
		}
		differ = append(differ, i)
		texts = append(texts, [2][]byte{text, otherText})
	}
	keys := make([]string, len(differ))
	for k, i := range differ {
		keys[k] = strings.ToLower(string(names[i]))
		if keys[k] == "cookie" || keys[k] == "set-cookie" {
			return false
		}
		fold := func(name []byte) bool { return bytes.EqualFold(name, names[i]) }
		if slices.ContainsFunc(names[:i], fold) || slices.ContainsFunc(names[i+1:], fold) {
			return false
		}
	}
	for k, i := range differ {
		name, old, text := string(names[i]), string(texts[k][0]), string(texts[k][1])
		d.line(p.key(keys[k]), headerLine{name, keys[k], old}, headerLine{name, keys[k], text}, old == text)
	}
	return true
}

// headerLines returns the lines of a header block; ok is false if v is none, or too
// large.
func headerLines(v state.Value) (l *state.List, ok bool) {
	if v.Kind() != state.KindList {
		return nil, false
	}
	l, err := v.List()
	return l, err == nil && l.Len() <= maxPairs
}

// headerLineOf returns a line with a name of ASCII, the only ones of which folding
// case and lower case are the same.
func headerLineOf(v state.Value) (name, text []byte, ok bool) {
	l, err := v.List()
	if err != nil || l.Len() != 2 {
		return nil, nil, false
	}
	name, err1 := l.At(0).Bytes()
	text, err2 := l.At(1).Bytes()
	ascii := !slices.ContainsFunc(name, func(c byte) bool { return c >= utf8.RuneSelf })
	return name, text, err1 == nil && err2 == nil && ascii
}
