package flowdiff

import "github.com/flowtool/flowtool/state"

// trees compares two trees. What is left out does not count for which elements
// belong together, but a difference there is found.
func (d *differ) trees(p at, a, b *node) {
	if a.sum == b.sum {
		return
	}
	before := d.found
	if d.opts.Ignore.below(p.a) != noPart || d.opts.Ignore.below(p.b) != noPart {
		var sums summer
		d.withoutIgnored(p.a, a, &sums)
		d.withoutIgnored(p.b, b, &sums)
	}
	d.nodes(p, a, b)
	d.found = max(d.found, before+1)
}

// withoutIgnored makes the sums of a tree at p those of what is not left out.
func (d *differ) withoutIgnored(p state.Path, n *node, sums *summer) {
	if len(n.kids) == 0 || d.opts.Ignore.below(p) == noPart {
		return
	}
	isMap := n.v.Kind() == state.KindMap
	firstElem, firstEntry := len(sums.elems), len(sums.entries)
	for i := range n.kids {
		kid := &n.kids[i]
		q := p.Index(i)
		if isMap {
			q = p.Key(keyText(kid.id))
		}
		ignored := d.opts.Ignore.Match(q)
		if !ignored {
			d.withoutIgnored(q, kid, sums)
		}
		switch {
		case isMap && !ignored:
			sums.entry(kid.id, kid.sum)
		case !isMap && ignored:
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
