package flowdiff

import (
	"bytes"
	"slices"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/state"
)

// same tells whether two values are encoded in the same way, which is found out
// without decoding them. If not, they may be equal still.
func same(a, b state.Value) bool {
	x, ok1 := a.Encoded()
	y, ok2 := b.Encoded()
	if !ok1 || !ok2 || !bytes.Equal(x, y) {
		return false
	}
	// They still have to be what they were read as.
	_, ok1, _ = a.Raw(tnetstring.Encoding)
	_, ok2, _ = b.Raw(tnetstring.Encoding)
	return ok1 && ok2
}

// An entry is a key of two maps with its values.
type entry struct {
	at       at
	name     string // of the key, in paths
	a, b     state.Value
	inA, inB bool
}

// eachDifferent calls compare for the entries of two maps that are not obviously
// the same: those with the keys in first first, then in the order of a, then
// those that only b has.
func (d *differ) eachDifferent(p at, a, b state.Value, first []string, compare func(entry)) {
	x, err1 := a.Map()
	y, err2 := b.Map()
	if err1 != nil || err2 != nil {
		d.failAt(p.a, err1)
		d.failAt(p.b, err2)
		return
	}
	entries := d.different(p, x, y)
	for i := range entries {
		entries[i].at = p.key(entries[i].name)
	}
	rank := func(e entry) int {
		if i := slices.Index(first, e.name); i >= 0 {
			return i
		}
		return len(first)
	}
	slices.SortStableFunc(entries, func(x, y entry) int { return rank(x) - rank(y) })
	for _, e := range entries {
		if d.err == nil {
			compare(e)
		}
	}
}

// different returns the entries that are not obviously the same.
func (d *differ) different(p at, a, b *state.Map) []entry {
	if entries, ok := sameKeys(a, b); ok {
		return entries
	}
	idsA, idsB := d.keys(p.a, a), d.keys(p.b, b)
	var entries []entry
	for i, j := range joinKeys(idsA, idsB) {
		var e entry
		if i >= 0 {
			e.name, e.a, e.inA = keyText(idsA[i]), a.Entry(i).Value, true
		}
		if j >= 0 {
			e.name, e.b, e.inB = keyText(idsB[j]), b.Entry(j).Value, true
		}
		if !e.inA || !e.inB || !same(e.a, e.b) {
			entries = append(entries, e)
		}
	}
	return entries
}

// sameKeys returns the entries that are not obviously the same in two maps that
// have the same keys of text, in the same order.
func sameKeys(a, b *state.Map) (entries []entry, ok bool) {
	if a.Len() != b.Len() {
		return nil, false
	}
	for i := range a.Len() {
		x, y := a.Entry(i), b.Entry(i)
		if x.Key.Kind() != state.KindText || y.Key.Kind() != state.KindText {
			return nil, false
		}
		name, err := x.Key.TextBytes()
		if err != nil || !y.Key.IsKey(string(name)) {
			return nil, false
		}
		if !same(x.Value, y.Value) {
			entries = append(entries, entry{name: string(name), a: x.Value, b: y.Value, inA: true, inB: true})
		}
	}
	return entries, true
}

// keys returns what identifies the keys of m.
func (d *differ) keys(p state.Path, m *state.Map) []string {
	ids := make(keyIDs, m.Len())
	out := make([]string, 0, m.Len())
	for k := range m.All() {
		d.failAt(p, state.Validate(k))
		out = append(out, ids.of(k))
	}
	return out
}
