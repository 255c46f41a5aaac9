package flowdiff

import (
	"slices"
	"strconv"
)

// maxPairs limits the fields of a list, or lines of a header block, that are
// compared by name. What has more is compared as a whole.
const maxPairs = 1 << 16

// A field is an element of a list in which names may be there several times: a line
// of a header block, a cookie, a parameter, a part of a form.
type field struct {
	at   at     // where those of its name are reported
	key  string // the same in fields of a name that are equal
	text string // its value
}

// name returns what fields of the same name have in common.
func (f *field) name() string { return string(f.at.a) }

// A fieldList is an ordered list of fields.
type fieldList struct {
	fields []field
	ranks  []int            // of every field, among those of its name
	names  []string         // in the order of their first fields
	byName map[string][]int // positions of fields
}

func newFieldList(size int) *fieldList {
	return &fieldList{fields: make([]field, 0, size), ranks: make([]int, 0, size), byName: make(map[string][]int, size)}
}

func (l *fieldList) add(f field) {
	name := f.name()
	others := l.byName[name]
	if len(others) == 0 {
		l.names = append(l.names, name)
	}
	l.byName[name] = append(others, len(l.fields))
	l.fields = append(l.fields, f)
	l.ranks = append(l.ranks, len(others))
}

// keys returns the keys of the fields at some positions.
func (l *fieldList) keys(positions []int) []string {
	out := make([]string, len(positions))
	for k, i := range positions {
		out[k] = l.fields[i].key
	}
	return out
}

// matchFields pairs the fields of every name by themselves: name by name, in the
// order of a, then those that only b has.
func matchFields(a, b *fieldList) []match {
	var out []match
	for i, j := range joinKeys(a.names, b.names) {
		var x, y []int
		if i >= 0 {
			x = a.byName[a.names[i]]
		}
		if j >= 0 {
			y = b.byName[b.names[j]]
		}
		if len(x) == 1 && len(y) == 1 {
			out = append(out, match{i: x[0], j: y[0], equal: a.fields[x[0]].key == b.fields[y[0]].key})
			continue
		}
		for _, m := range matchLists(a.keys(x), b.keys(y), oneClass, oneClass) {
			if m.i >= 0 {
				m.i = x[m.i]
			}
			if m.j >= 0 {
				m.j = y[m.j]
			}
			out = append(out, m)
		}
	}
	return out
}

// fields reports what the matches of two lists say, but for the order of fields of
// different names. compare is called for two fields that belong together.
func (d *differ) fields(a, b *fieldList, matches []match, compare func(at, match)) {
	for _, m := range matches {
		p := fieldAt(a, b, m)
		switch {
		case m.i < 0:
			d.add(p, Change{Kind: Added, New: bytesValue(b.fields[m.j].text)})
			continue
		case m.j < 0:
			d.add(p, Change{Kind: Removed, Old: bytesValue(a.fields[m.i].text)})
			continue
		case m.moved:
			d.addMoved(p, m.i, m.j)
		}
		compare(p, m)
	}
}

// fieldAt returns where the fields of a match are: with their ranks if there are
// several of the name.
func fieldAt(a, b *fieldList, m match) at {
	inA, inB, i, j := a, b, m.i, m.j
	switch {
	case i < 0:
		inA, i = b, j
	case j < 0:
		inB, j = a, i
	}
	x, y := &inA.fields[i], &inB.fields[j]
	p := at{x.at.a, y.at.b}
	for _, name := range []string{x.name(), y.name()} {
		if len(a.byName[name]) > 1 || len(b.byName[name]) > 1 {
			return p.index(inA.ranks[i], inB.ranks[j])
		}
	}
	return p
}

// order reports which of the fields that belong together are at another place
// among all of them. Those that moved among the fields of their name were reported.
func (d *differ) order(a, b *fieldList, matches []match) {
	var inA []match
	for _, m := range matches {
		if m.i >= 0 && m.j >= 0 && !m.moved {
			inA = append(inA, m)
		}
	}
	slices.SortFunc(inA, func(x, y match) int { return x.i - y.i })
	byJ := func(x, y match) int { return x.j - y.j }
	if slices.IsSortedFunc(inA, byJ) {
		return
	}
	// A field that is left out is not to be the reason why others have moved.
	inA = slices.DeleteFunc(inA, func(m match) bool { return d.skip(fieldAt(a, b, m)) })
	inB := slices.Clone(inA)
	slices.SortFunc(inB, byJ)
	// What names a pair is the same for a and b as for b and a. Pairs that would
	// have the same name are in the same order in both lists.
	names := func(pairs []match) []string {
		count := map[string]int{}
		out := make([]string, len(pairs))
		for k, m := range pairs {
			f, g := &a.fields[m.i], &b.fields[m.j]
			x, y := f.name()+"\x00"+f.key, g.name()+"\x00"+g.key
			name := min(x, y) + "\x00" + max(x, y) + "\x00"
			out[k] = name + strconv.Itoa(count[name])
			count[name]++
		}
		return out
	}
	for _, m := range matchLists(names(inA), names(inB), oneClass, oneClass) {
		if m.moved {
			m := inA[m.i]
			d.addMoved(fieldAt(a, b, m), m.i, m.j)
		}
	}
}

// A pair is a name with its value: a cookie, a query parameter, a form field.
type pair struct{ name, value string }

// pairsByName compares two lists of pairs.
func (d *differ) pairsByName(p at, a, b []pair) {
	same := func(s string) string { return s }
	x, y := pairFields(p, a, same), pairFields(p, b, same)
	matches := matchFields(x, y)
	d.fields(x, y, matches, d.changedField(x, y))
	d.order(x, y, matches)
}

// pairFields returns the list of some pairs, of which those are equal that have the
// same key.
func pairFields(p at, pairs []pair, key func(value string) string) *fieldList {
	l := newFieldList(len(pairs))
	for _, c := range pairs {
		l.add(field{p.key(c.name), key(c.value), c.value})
	}
	return l
}

// changedField returns a function that reports two fields if they are not equal.
func (d *differ) changedField(a, b *fieldList) func(at, match) {
	return func(p at, m match) {
		if !m.equal {
			d.addChanged(p, bytesValue(a.fields[m.i].text), bytesValue(b.fields[m.j].text))
		}
	}
}
