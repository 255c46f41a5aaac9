package pyregexp

// A requirement is what must be in a text for a pattern to match: one of some strings. To search
// for them is so much faster than to run the pattern that it is done first.
type requirement struct {
	needles []*needle
	// prefix says that every match begins with one of the strings.
	prefix bool
}

// index returns where the first of the strings is in s, or -1. Without prefix it is any of them.
// It returns 0 if it cannot tell.
func (q *requirement) index(s []byte) int {
	best := -1
	for _, n := range q.needles {
		part := s
		if best >= 0 {
			part = s[:min(len(s), best+len(n.text)-1)]
		}
		switch i := n.index(part, 0); {
		case i == gaveUp:
			return 0
		case n.partial && (i < 0 || q.prefix) && !isASCII(s):
			return 0
		case i < 0:
			continue
		case q.prefix:
			best = i
		default:
			return i
		}
	}
	return best
}

// newRequirement returns what a text must have for root to match, or nil.
func newRequirement(root *node, kind Kind) *requirement {
	f := requirementFinder{kind}
	x := f.node(root)
	if x.units != nil {
		x.requirement = f.join(x.units, true)
	}
	return x.requirement
}

// A part is what is known of the matches of a part of a pattern.
type part struct {
	*requirement // or nil
	// units is not nil if every match is these characters and classes, one after the other.
	units []*node
}

// A requirementFinder finds the best requirement.
type requirementFinder struct{ kind Kind }

// join returns the requirement for characters that follow each other, or nil. Classes at the ends
// are of no use.
func (f requirementFinder) join(units []*node, prefix bool) *requirement {
	for len(units) > 0 && units[0].op == opSet {
		units, prefix = units[1:], false
	}
	for len(units) > 0 && units[len(units)-1].op == opSet {
		units = units[:len(units)-1]
	}
	if len(units) == 0 {
		return nil
	}
	n := newNeedle(units, f.kind)
	if n == nil {
		return nil
	}
	return &requirement{[]*needle{n}, prefix}
}

// score says how useful a requirement is to rule texts out.
func (q *requirement) score() int {
	if q == nil {
		return 0
	}
	worst := 1 << 30
	for _, n := range q.needles {
		worst = min(worst, 300-n.cost(n.rare)+40*min(len(n.text), 10))
	}
	return worst - 10*len(q.needles)
}

// better returns the requirement with the higher score.
func better(a, b *requirement) *requirement {
	if b.score() > a.score() {
		return b
	}
	return a
}

// node returns what is known of n.
func (f requirementFinder) node(n *node) part {
	switch n.op {
	case opChar, opSet:
		return part{units: []*node{n}}
	case opCapture, opAtomic:
		return f.node(n.subs[0])
	case opSeq:
		return f.seq(n.subs)
	case opAlt:
		return part{requirement: f.alt(n.subs)}
	case opRepeat:
		if n.min > 0 {
			x := f.node(n.subs[0])
			if x.units != nil && (n.min > 1 || n.max > 1) {
				return part{requirement: f.join(x.units, true)}
			}
			return x
		}
	case opLook:
		if !n.negate {
			x := f.node(n.subs[0])
			if x.units != nil {
				x.requirement = f.join(x.units, false)
			}
			if x.requirement != nil {
				return part{requirement: &requirement{x.needles, false}}
			}
		}
	}
	return part{}
}

// alt returns a requirement that holds for whichever of subs matches, or nil.
func (f requirementFinder) alt(subs []*node) *requirement {
	all := &requirement{prefix: true}
	for _, sub := range subs {
		x := f.node(sub)
		if x.units != nil {
			x.requirement = f.join(x.units, true)
		}
		if x.requirement == nil || len(all.needles)+len(x.needles) > maxLiterals {
			return nil
		}
		all.needles = append(all.needles, x.needles...)
		all.prefix = all.prefix && x.prefix
	}
	return all
}

// seq returns what is known of a sequence. Items that match the empty string only, such as
// anchors, do not part the characters before from those behind.
func (f requirementFinder) seq(subs []*node) part {
	var best *requirement
	var units []*node
	atBegin := true // nothing is before units
	all := true     // units is all there is
	for _, sub := range subs {
		x := f.node(sub)
		switch {
		case x.units != nil:
			units = append(units, x.units...)
			continue
		case sub.width.hi == 0:
			atBegin = atBegin && len(units) > 0
			best = better(best, x.requirement)
		default:
			best = better(best, f.join(units, atBegin))
			if x.requirement != nil {
				first := atBegin && len(units) == 0
				best = better(best, &requirement{x.needles, x.prefix && first})
			}
			units, atBegin = nil, false
		}
		all = false
	}
	if all {
		return part{units: units}
	}
	return part{requirement: better(best, f.join(units, atBegin))}
}
