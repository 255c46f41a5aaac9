package flowdiff

import "github.com/flowtool/flowtool/state"

// trees compares two trees. What is left out, or not asked for, does not count for
// which elements belong together, but a difference there is found.
func (d *differ) trees(p at, a, b *node) {
	if a.sum == b.sum {
		return
	}
	before := d.found
	if only := len(d.opts.Only.patterns) > 0; d.narrows(p.a, only) || d.narrows(p.b, only) {
		var sums summer
		d.narrow(p.a, a, only, &sums)
		d.narrow(p.b, b, only, &sums)
	}
	d.nodes(p, a, b)
	d.found = max(d.found, before+1)
}

// narrows tells whether some of what is below p is left out or, if only is set, not
// asked for.
func (d *differ) narrows(p state.Path, only bool) bool {
	return d.opts.Ignore.below(p) != noPart || only && d.opts.Only.below(p) != noPart && !d.opts.Only.Match(p)
}

// narrow makes the sums of a tree at p those of what is not left out and, if only is
// set, is asked for.
func (d *differ) narrow(p state.Path, n *node, only bool, sums *summer) {
	if len(n.kids) == 0 || !d.narrows(p, only) {
		return
	}
	isMap := n.v.Kind() == state.KindMap
	if !isMap && d.opts.Only.below(p.Key("any")) == noPart {
		only = false // elements that are asked for by number are to be compared with all others
	}
	firstElem, firstEntry := len(sums.elems), len(sums.entries)
	for i := range n.kids {
		kid := &n.kids[i]
		q := p.Index(i)
		if isMap {
			q = p.Key(keyText(kid.id))
		}
		counts := !d.opts.Ignore.Match(q) && (!only || d.mayBeAsked(q, kid.v))
		if counts {
			d.narrow(q, kid, only, sums)
		}
		switch {
		case isMap && counts:
			sums.entry(kid.id, kid.sum)
		case !isMap && !counts:
			sums.elems = append(sums.elems, sum{}) // among themselves, elements keep their sums
		case !isMap:
			sums.elems = append(sums.elems, kid.sum)
		}
	}
	if isMap {
		n.sum, _ = sums.mapping(firstEntry)
	} else {
		n.sum = sums.list(firstElem)
	}
}

// mayBeAsked tells whether a value at p, or something in it, is asked for.
func (d *differ) mayBeAsked(p state.Path, v state.Value) bool {
	return d.opts.Only.Match(p) || d.opts.Only.below(p) != noPart && mayHaveParts(v)
}
