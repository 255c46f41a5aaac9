package pyregexp

// maxLiterals is how many literals are searched one after the other, rather than together by an
// engine that takes longer but looks at the text only once.
const maxLiterals = 16

// maxClassRun is how often a class can be repeated in a literal.
const maxClassRun = 16

// A literal is a pattern that is a string, maybe with classes in it, such as the dot in
// example.com, and with anchors before and behind.
type literal struct {
	*needle
	before, after []anchor
	begin, end    bool // among the anchors are some for the begin or the end of the text
}

// literals returns the literals of which a pattern is an alternation, or nil if it is something
// else.
func literals(root *node, kind Kind) []*literal {
	root = uncaptured(root)
	subs := []*node{root}
	if root.op == opAlt {
		subs = root.subs
	}
	if len(subs) > maxLiterals {
		return nil
	}
	out := make([]*literal, len(subs))
	for i, sub := range subs {
		if out[i] = newLiteral(sub, kind); out[i] == nil {
			return nil
		}
	}
	return out
}

// uncaptured returns the inside of capturing groups: what they capture does not matter.
func uncaptured(n *node) *node {
	for n.op == opCapture {
		n = n.subs[0]
	}
	return n
}

// newLiteral returns the literal that n is, or nil.
func newLiteral(n *node, kind Kind) *literal {
	l := &literal{}
	var units []*node
	ok := true
	var add func(*node)
	add = func(n *node) {
		switch n = uncaptured(n); {
		case n.op == opEmpty:
		case n.op == opSeq:
			for _, sub := range n.subs {
				add(sub)
			}
		case n.op == opAnchor && len(units) == 0:
			l.before = append(l.before, n.anchor)
			l.begin = l.begin || n.anchor == textBegin
			l.end = l.end || n.anchor == textEnd || n.anchor == textEndOrLF
		case n.op == opAnchor:
			l.after = append(l.after, n.anchor)
			l.end = l.end || n.anchor == textEnd || n.anchor == textEndOrLF
		case n.isUnit() && len(l.after) == 0:
			units = append(units, n)
		case n.op == opRepeat && n.subs[0].isUnit() && n.min == n.max && n.max <= maxClassRun && len(l.after) == 0:
			for range n.min {
				units = append(units, n.subs[0])
			}
		default:
			ok = false
		}
	}
	add(n)
	if !ok {
		return nil
	}
	if len(units) == 0 {
		// There is nothing to search for, so the anchors have to say where to look.
		if !l.begin && !l.end && len(l.before) > 0 {
			return nil
		}
	} else if l.end && len(l.after) == 0 {
		return nil // an end before the text: no match, or nearly
	}
	if l.needle = newNeedle(units, kind); l.needle == nil {
		return nil
	}
	return l
}

// match reports whether l is in s. If it is unsure, there may be a match that it did not find.
func (l *literal) match(kind Kind, s []byte) (ok, unsure bool) {
	i := -1
	switch {
	case l.begin:
		ok = l.matchAt(kind, s, 0)
	case l.end:
		end := len(s) - len(l.text)
		ok = l.matchAt(kind, s, end) || end > 0 && s[len(s)-1] == '\n' && l.matchAt(kind, s, end-1)
	default:
		for i = l.index(s, 0); i >= 0; i = l.index(s, i+1) {
			if l.anchored(kind, s, i) {
				return true, false
			}
		}
	}
	return ok, !ok && (i == gaveUp || l.partial && !isASCII(s))
}

// matchAt reports whether l is in s at i.
func (l *literal) matchAt(kind Kind, s []byte, i int) bool {
	return i >= 0 && l.isAt(s[i:]) && l.anchored(kind, s, i)
}

// anchored reports whether the anchors hold with the text of l at i.
func (l *literal) anchored(kind Kind, s []byte, i int) bool {
	for _, a := range l.before {
		if !kind.holds(a, s, i) {
			return false
		}
	}
	for _, a := range l.after {
		if !kind.holds(a, s, i+len(l.text)) {
			return false
		}
	}
	return true
}
