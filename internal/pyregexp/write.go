package pyregexp

import (
	"fmt"
	"strings"
)

// A writer writes what the syntaxes of Go and of .NET have in common.
type writer struct {
	strings.Builder
	nothing string                       // what matches nothing
	escape  func(*strings.Builder, rune) // writes one character, in a class or outside
}

// alternatives writes subs by means of node, with signs between them.
func (w *writer) alternatives(subs []*node, node func(*node)) {
	for i, sub := range subs {
		if i > 0 {
			w.WriteByte('|')
		}
		node(sub)
	}
}

// count writes a quantifier.
func (w *writer) count(lo, hi int64) {
	switch {
	case lo == 0 && hi == unlimited:
		w.WriteByte('*')
	case lo == 1 && hi == unlimited:
		w.WriteByte('+')
	case lo == 0 && hi == 1:
		w.WriteByte('?')
	case hi == unlimited:
		fmt.Fprintf(w, "{%d,}", lo)
	default:
		fmt.Fprintf(w, "{%d,%d}", lo, hi)
	}
}

// set writes a class. Surrogates, which valid text does not have, are left out.
func (w *writer) set(s runeSet) {
	if s.overlaps(0xD800, 0xDFFF) {
		s = append(s.within(0, 0xD7FF), s.within(0xE000, maxRune)...)
	}
	switch {
	case len(s) == 0:
		w.WriteString(w.nothing)
		return
	case len(s) == 1 && s[0].lo == s[0].hi:
		w.escape(&w.Builder, s[0].lo)
		return
	}
	w.WriteByte('[')
	for _, x := range s {
		w.escape(&w.Builder, x.lo)
		if x.hi > x.lo {
			w.WriteByte('-')
			w.escape(&w.Builder, x.hi)
		}
	}
	w.WriteByte(']')
}
