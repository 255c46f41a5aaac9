package pyregexp

import "math"

// An op says what a node matches.
type op uint8

const (
	opEmpty   op = iota // the empty string
	opFail              // nothing at all
	opChar              // one character: r or, when case is ignored, one of its variants
	opSet               // one character of set
	opAnchor            // the empty string, where anchor holds
	opSeq               // subs, one after the other
	opAlt               // the first of subs with which the whole pattern matches
	opRepeat            // subs[0], min to max times
	opCapture           // subs[0], which becomes the text of group
	opBackref           // the text of group again
	opCond              // subs[0] if group took part, else subs[1]
	opAtomic            // subs[0] in the first way it matches, and in no other
	opLook              // the empty string, where subs[0] matches, or with negate where it does not
)

// A node is one node of the tree of a pattern. Flags have been resolved: no node depends on any.
type node struct {
	op  op
	pos int // offset in the pattern where it begins

	r      rune    // opChar
	set    runeSet // opSet, and opChar when there is more than r
	anchor anchor  // opAnchor
	subs   []*node

	min, max int64     // opRepeat; max can be unlimited
	style    style     // opRepeat
	group    int       // opCapture, opBackref, opCond; the first group is 1
	fold     foldStyle // opBackref
	behind   bool      // opLook: what is before, not what follows
	negate   bool      // opLook

	width width
}

// unlimited is the max of a repetition without one.
const unlimited = math.MaxInt64

// A style says which number of repetitions is tried first.
type style uint8

const (
	greedy     style = iota // most first
	lazy                    // fewest first
	possessive              // as many as there are, and no other number
)

// A foldStyle says how a back-reference compares characters.
type foldStyle uint8

const (
	foldNone foldStyle = iota
	foldASCII
	foldText
)

// An anchor is a condition on a place between two characters.
type anchor uint8

const (
	textBegin     anchor = iota // \A, and ^ without flag m
	lineBegin                   // ^ with flag m
	textEnd                     // \Z
	textEndOrLF                 // $ without flag m: the end, or before a line feed that is the end
	lineEnd                     // $ with flag m
	asciiBoundary               // \b by ASCII rules
	asciiInside                 // \B by ASCII rules
	textBoundary                // \b
	textInside                  // \B
)

// A width is how many characters a node matches, at least and at most. Widths that do not fit
// are cut at tooWide.
type width struct{ lo, hi int64 }

const tooWide = 1 << 60

func addWidth(a, b int64) int64 { return min(a+b, tooWide) }

func mulWidth(a, n int64) int64 {
	if a != 0 && n > tooWide/a {
		return tooWide
	}
	return a * n
}

// seq returns a sequence of subs, in its simplest form.
func seq(pos int, subs []*node) *node {
	flat := make([]*node, 0, len(subs))
	for _, n := range subs {
		switch n.op {
		case opEmpty:
		case opSeq:
			flat = append(flat, n.subs...)
		default:
			flat = append(flat, n)
		}
	}
	switch len(flat) {
	case 0:
		return &node{op: opEmpty, pos: pos}
	case 1:
		return flat[0]
	}
	n := &node{op: opSeq, pos: pos, subs: flat}
	for _, sub := range flat {
		n.width.lo = addWidth(n.width.lo, sub.width.lo)
		n.width.hi = addWidth(n.width.hi, sub.width.hi)
	}
	return n
}

// alt returns an alternation of subs, of which there is at least one.
func alt(pos int, subs []*node) *node {
	if len(subs) == 1 {
		return subs[0]
	}
	n := &node{op: opAlt, pos: pos, subs: subs, width: subs[0].width}
	for _, sub := range subs[1:] {
		n.width.lo = min(n.width.lo, sub.width.lo)
		n.width.hi = max(n.width.hi, sub.width.hi)
	}
	return n
}

// repeat returns sub repeated.
func repeat(pos int, sub *node, lo, hi int64, s style) *node {
	return &node{
		op: opRepeat, pos: pos, subs: []*node{sub}, min: lo, max: hi, style: s,
		width: width{mulWidth(sub.width.lo, lo), mulWidth(sub.width.hi, hi)},
	}
}

// isUnit reports whether n matches one character, whatever it is.
func (n *node) isUnit() bool { return n.op == opChar || n.op == opSet }

// chars returns the characters that a unit matches.
func (n *node) chars() runeSet {
	if n.op == opChar && n.set == nil {
		return runeSet{{n.r, n.r}}
	}
	return n.set
}

// walk calls visit for n and all nodes below it, a node before its subs, until visit returns
// false. It reports whether it visited all.
func (n *node) walk(visit func(*node) bool) bool {
	if !visit(n) {
		return false
	}
	for _, sub := range n.subs {
		if !sub.walk(visit) {
			return false
		}
	}
	return true
}

// referred returns the groups that something in the tree refers to.
func referred(root *node) map[int]bool {
	groups := map[int]bool{}
	root.walk(func(n *node) bool {
		if n.op == opBackref || n.op == opCond {
			groups[n.group] = true
		}
		return true
	})
	return groups
}
