package flowdiff

import (
	"errors"

	"github.com/flowtool/flowtool/internal/coding"
	"github.com/flowtool/flowtool/state"
)

// Options say what is compared, and how. A nil pointer and zero fields mean the
// defaults.
type Options struct {
	// Ignore are paths whose changes are not reported. The path of a header with
	// cookies stands for the cookies, too.
	Ignore Paths
	// Only, if it is not the zero Paths, are the paths whose changes are
	// reported. What is above such a path is reported as well if it was added, removed
	// or moved, or could only be compared as a whole. The path of a header with cookies
	// stands for the cookies, too.
	Only Paths
	// IgnoreDefaults leaves out what differs between any two captures: the
	// paths of [VolatilePaths], and what the package documentation says of cookies.
	IgnoreDefaults bool
	// Backup says that a is the backup of b. The backups that the states hold are
	// not compared then, and changes that are just the exchange going on are
	// marked, see [Change.Progress].
	Backup bool
	// MaxBody limits the bytes of a body, content codings undone, up to which it
	// is compared by what it means; larger ones are compared as bytes. The
	// default is 16 MiB.
	MaxBody int64
}

// Diff returns the differences between two states of the newest format version.
// There are none if and only if the states are the same, where a field of the
// format that is missing is as good as null and the order of maps means nothing.
//
// The states are not changed, but decoded where they differ. Malformed values
// there, and values that cannot be read any more, are an error.
func Diff(a, b *state.Map, opts *Options) ([]Change, error) {
	d := &differ{}
	if opts != nil {
		d.opts = *opts
	}
	if d.opts.MaxBody <= 0 {
		d.opts.MaxBody = coding.DefaultLimit
	}
	d.flow(at{}, a.Value(), b.Value())
	if d.err != nil {
		return nil, d.err
	}
	if d.opts.Backup {
		markProgress(d.changes, a, b)
	}
	return d.changes, nil
}

// Edits returns the changes that are not [Change.Progress].
func Edits(changes []Change) []Change {
	var edits []Change
	for _, c := range changes {
		if !c.Progress {
			edits = append(edits, c)
		}
	}
	return edits
}

// A differ collects the changes of one pair of states.
type differ struct {
	opts    Options
	changes []Change
	err     error
	// found counts the differences that are there, whether reported or not.
	found int
	// parts are the places of what is compared as a whole, see asWhole.
	parts []at
}

// at is where a value is in the two states.
type at struct{ a, b state.Path }

func (p at) key(k string) at {
	if p.a == p.b {
		q := p.a.Key(k)
		return at{q, q}
	}
	return at{p.a.Key(k), p.b.Key(k)}
}

func (p at) index(i, j int) at { return at{p.a.Index(i), p.b.Index(j)} }

func (d *differ) fail(err error) {
	if d.err == nil && err != nil {
		d.err = err
	}
}

// add reports a change, unless its paths are to be ignored.
func (d *differ) add(p at, c Change) {
	d.found++
	c.Path = p.b
	switch {
	case c.Kind == Removed:
		c.Path = p.a
	case c.Kind != Added && p.a != p.b:
		c.From = p.a
	}
	if (!d.leftOut(c.Path) || c.From != "" && !d.leftOut(c.From)) && d.asked(&c) {
		d.changes = append(d.changes, c)
	}
}

// leftOut tells whether what is at p is not to be reported.
func (d *differ) leftOut(p state.Path) bool {
	return d.opts.Ignore.Match(p) || d.opts.Ignore.Match(cookieHeader(p)) || d.opts.IgnoreDefaults && isVolatile(p)
}

// skip tells whether nothing at p or below is reported, so that a difference there
// need not be looked into. It counts as found.
func (d *differ) skip(p at) bool {
	skip := d.leftOut(p.a) && (p.a == p.b || d.leftOut(p.b))
	if skip {
		d.found++
	}
	return skip
}

func (d *differ) addChanged(p at, a, b state.Value) { d.add(p, Change{Kind: Changed, Old: a, New: b}) }

// fieldChange reports a field of the format that differs, where null is absent.
func (d *differ) fieldChange(p at, a, b state.Value) {
	switch {
	case a.IsNull():
		d.add(p, Change{Kind: Added, New: b})
	case b.IsNull():
		d.add(p, Change{Kind: Removed, Old: a})
	default:
		d.addChanged(p, a, b)
	}
}

// field compares the values of a field of the format.
func (d *differ) field(p at, a, b state.Value) { d.value(p, a, b, true) }

// value compares two values by their structure. With null set, null is as good as
// absent in maps.
func (d *differ) value(p at, a, b state.Value, null bool) {
	switch kind := a.Kind(); {
	case kind != b.Kind():
		if !d.skip(p) {
			d.valid(p, a, b)
			d.leaf(p, a, b, null)
		}
	case kind < state.KindList:
		if !d.sameScalar(p, a, b) && !d.skip(p) {
			d.valid(p, a, b)
			d.leaf(p, a, b, null)
		}
	case same(a, b) || d.skip(p):
	case kind == state.KindMap:
		d.eachDifferent(p, a, b, nil, func(e entry) { d.entry(e, null) })
	default:
		d.valid(p, a, b)
		if x, y := d.build(a), d.build(b); d.err == nil {
			d.trees(p, &x, &y)
		}
	}
}

// entry compares the values under a key.
func (d *differ) entry(e entry, null bool) {
	if e.inA && e.inB {
		d.value(e.at, e.a, e.b, null)
		return
	}
	d.valid(e.at, e.a, e.b)
	switch {
	case e.inA && !(null && e.a.IsNull()):
		d.add(e.at, Change{Kind: Removed, Old: e.a})
	case e.inB && !(null && e.b.IsNull()):
		d.add(e.at, Change{Kind: Added, New: e.b})
	}
}

// leaf reports two values that differ.
func (d *differ) leaf(p at, a, b state.Value, null bool) {
	if null {
		d.fieldChange(p, a, b)
	} else {
		d.addChanged(p, a, b)
	}
}

// valid notes what is malformed in values that are about to be reported.
func (d *differ) valid(p at, a, b state.Value) {
	d.failAt(p.a, state.Validate(a))
	d.failAt(p.b, state.Validate(b))
}

// failAt is fail for an error in the value at a path.
func (d *differ) failAt(p state.Path, err error) {
	if err == nil {
		return
	}
	if pe, ok := errors.AsType[*state.PathError](err); ok {
		err = &state.PathError{Path: p + pe.Path, Offset: pe.Offset, Err: pe.Err}
	} else {
		err = &state.PathError{Path: p, Offset: state.NoOffset, Err: err}
	}
	d.fail(err)
}

func (d *differ) build(v state.Value) node {
	n, err := buildNode(v)
	d.fail(err)
	return n
}

// sameScalar tells whether two scalars of the same kind are equal.
func (d *differ) sameScalar(p at, a, b state.Value) bool {
	if a.InMemory() && b.InMemory() {
		return state.Equal(a, b)
	}
	ok, err := sameContent(a, b)
	d.failAt(p.b, err)
	return ok
}

// nodes compares two trees.
func (d *differ) nodes(p at, a, b *node) {
	ak, bk := a.v.Kind(), b.v.Kind()
	switch {
	case a.sum == b.sum || d.skip(p):
	case ak != bk || ak < state.KindList || a.whole() || b.whole():
		d.addChanged(p, a.value(), b.value())
	case ak == state.KindMap:
		d.maps(p, a, b)
	default:
		d.lists(p, a, b)
	}
}

func (d *differ) maps(p at, a, b *node) {
	for i, j := range joinKeys(a.keys(), b.keys()) {
		switch {
		case i < 0:
			d.add(p.key(keyText(b.kids[j].id)), Change{Kind: Added, New: b.kids[j].value()})
		case j < 0:
			d.add(p.key(keyText(a.kids[i].id)), Change{Kind: Removed, Old: a.kids[i].value()})
		default:
			d.nodes(p.key(keyText(a.kids[i].id)), &a.kids[i], &b.kids[j])
		}
	}
}

// lists compares two lists whose elements may have been added, removed or moved.
func (d *differ) lists(p at, a, b *node) {
	for _, m := range matchLists(sums(a), sums(b), kinds(a), kinds(b)) {
		switch {
		case m.moved && a.kids[m.i].v.Kind() < state.KindList:
			d.addMoved(p.index(m.i, m.j), m.i, m.j)
		case m.moved:
			d.movedParts(p.index(m.i, m.j), m.i, m.j)
		case m.equal:
		case m.i < 0:
			d.add(p.index(m.j, m.j), Change{Kind: Added, New: b.kids[m.j].value()})
		case m.j < 0:
			d.add(p.index(m.i, m.i), Change{Kind: Removed, Old: a.kids[m.i].value()})
		default:
			d.nodes(p.index(m.i, m.j), &a.kids[m.i], &b.kids[m.j])
		}
	}
}

// tuples compares two lists whose elements have their places.
func (d *differ) tuples(p at, a, b state.Value) {
	if same(a, b) {
		return
	}
	if a.Kind() != state.KindList || b.Kind() != state.KindList || a.Len() != b.Len() {
		d.field(p, a, b)
		return
	}
	x, err1 := a.List()
	y, err2 := b.List()
	if err1 != nil || err2 != nil {
		d.failAt(p.a, err1)
		d.failAt(p.b, err2)
		return
	}
	for i := range x.Len() {
		q := p.index(i, i)
		if x.At(i).Kind() == state.KindList {
			d.tuples(q, x.At(i), y.At(i))
		} else {
			d.field(q, x.At(i), y.At(i))
		}
	}
}

// addMoved reports that something is at another position among its neighbours.
func (d *differ) addMoved(p at, i, j int) {
	d.add(p, Change{Kind: Moved, Old: state.Int(int64(i)), New: state.Int(int64(j))})
}

// movedParts is addMoved for what has parts, which have moved as well.
func (d *differ) movedParts(p at, i, j int) { d.asWhole(func() { d.addMoved(p, i, j) }, p) }

func sums(n *node) []string {
	out := make([]string, len(n.kids))
	for i := range n.kids {
		out[i] = string(n.kids[i].sum[:])
	}
	return out
}

// kinds returns the classes of the elements of n for matchLists: lists, maps and
// all the others.
func kinds(n *node) func(int) string {
	return func(i int) string {
		if k := n.kids[i].v.Kind(); k >= state.KindList {
			return k.String()
		}
		return "scalar"
	}
}
