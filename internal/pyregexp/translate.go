package pyregexp

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	// maxGoRepeat is how often Go's package regexp repeats something at most, all levels together.
	maxGoRepeat = 1000
	// maxSpans bounds the length of what is written for Go. The class \w has 760 spans, and every
	// time takes a tenth of a millisecond to compile.
	maxSpans = 400_000
	// maxLinear is the size of a pattern, with what is repeated counted as often, above which it
	// is not run in linear time: every character could take that many steps.
	maxLinear = 5000
)

// An obstacle is what keeps a pattern from being run in linear time.
type obstacle struct {
	what string
	pos  int
}

// tooLarge is the obstacle for a pattern that is not run in linear time although it is regular.
var tooLarge = &obstacle{"size of the pattern", 0}

func (o *obstacle) String() string { return fmt.Sprintf("%s at offset %d", o.what, o.pos) }

// findObstacle returns the first obstacle in the pattern, or nil.
func findObstacle(root *node) *obstacle {
	var found *obstacle
	note := func(n *node, what string) {
		if found == nil || n.pos < found.pos {
			found = &obstacle{what, n.pos}
		}
	}
	var visit func(n *node, last bool, times int64)
	visit = func(n *node, last bool, times int64) {
		switch n.op {
		case opAnchor:
			if n.anchor == textEndOrLF && !last {
				note(n, "$ not at the end")
			}
		case opBackref:
			note(n, "back-reference")
		case opCond:
			note(n, "condition")
		case opAtomic:
			note(n, "atomic group")
		case opLook:
			if n.behind {
				note(n, "look-behind")
			} else {
				note(n, "look-ahead")
			}
		case opRepeat:
			if n.style == possessive {
				note(n, "possessive quantifier")
			}
			count := n.max
			if count == unlimited {
				count = n.min
			}
			if times = mulWidth(times, max(1, count)); times > maxGoRepeat {
				note(n, "large number of repetitions")
				return
			}
			last = last && n.max <= 1
		}
		for i, sub := range n.subs {
			visit(sub, last && (n.op != opSeq || i == len(n.subs)-1), times)
		}
	}
	visit(root, true, 1)
	if found == nil && (linearSize(root) > maxLinear || spanCount(root) > maxSpans) {
		found = tooLarge
	}
	return found
}

// linearSize returns the number of instructions to which n is expanded, nearly.
func linearSize(n *node) int64 {
	size := int64(1)
	for _, sub := range n.subs {
		size = addWidth(size, linearSize(sub))
	}
	if n.op == opRepeat {
		count := n.max
		if count == unlimited {
			count = n.min + 1
		}
		size = mulWidth(size, count)
	}
	return size
}

// spanCount returns the number of spans in all classes of n.
func spanCount(n *node) int {
	count := 0
	n.walk(func(n *node) bool {
		count += len(n.set)
		return true
	})
	return count
}

// A linear is a pattern that package regexp runs.
type linear struct {
	re *regexp.Regexp
	// telling says that some part of the pattern tells bytes that are not UTF-8, which are
	// surrogates to Python, from U+FFFD, for which Go takes them.
	telling bool
	// asciiOnly says that re is right for ASCII texts only: there is a Unicode word boundary.
	asciiOnly bool
	// inside says that there is a \B, which matches an empty text in Go.
	inside bool
}

// newLinear returns the linear form of a tree without obstacles, or nil if Go does not take it,
// because it is nested too deep.
func newLinear(root *node) *linear {
	t := translator{writer{nothing: `[^\x00-\x{10FFFF}]`, escape: escapeGo}, &linear{}}
	t.node(root)
	re, err := regexp.Compile(t.String())
	if err != nil {
		return nil
	}
	t.re = re
	return t.linear
}

// match reports whether there is a match in text, if it can tell.
func (l *linear) match(kind Kind, text []byte) (ok, sure bool) {
	switch {
	case len(text) == 0 && l.inside && !emptyInside:
		return false, false
	case isASCII(text):
		return l.re.Match(text), true
	case kind == Bytes:
		return matchWidened(l.re, text), true
	case l.asciiOnly || l.telling && !utf8.Valid(text):
		return false, false
	}
	return l.re.Match(text), true
}

// A translator writes a tree in the syntax of Go's package regexp, without flags and groups.
// There must be no obstacle in the tree.
type translator struct {
	writer
	*linear
}

// node writes n.
func (t *translator) node(n *node) {
	switch n.op {
	case opEmpty:
		t.WriteString(`(?:)`)
	case opFail:
		t.set(nil)
	case opChar, opSet:
		t.set(n.chars())
	case opAnchor:
		t.anchor(n.anchor)
	case opSeq:
		for _, sub := range n.subs {
			t.grouped(sub, sub.op == opAlt)
		}
	case opAlt:
		t.alternatives(n.subs, t.node)
	case opRepeat:
		t.grouped(n.subs[0], !n.subs[0].isUnit())
		t.count(n.min, n.max) // whether it is lazy makes no difference to whether there is a match
	case opCapture:
		t.node(n.subs[0])
	default:
		panic(fmt.Sprintf("pyregexp: op %d cannot be translated", n.op))
	}
}

// grouped writes n, in a group if it has to be.
func (t *translator) grouped(n *node, group bool) {
	if group || n.op == opCapture {
		t.WriteString("(?:")
		t.node(n)
		t.WriteByte(')')
		return
	}
	t.node(n)
}

// anchor writes an anchor.
func (t *translator) anchor(a anchor) {
	switch a {
	case textBegin:
		t.WriteString(`\A`)
	case lineBegin:
		t.WriteString(`(?m:^)`)
	case textEnd:
		t.WriteString(`\z`)
	case textEndOrLF:
		t.WriteString(`(?:\n?\z)`) // at the end of the pattern, where it may consume what it sees
	case lineEnd:
		t.WriteString(`(?m:$)`)
	case asciiBoundary:
		t.WriteString(`\b`)
	case asciiInside:
		t.WriteString(`\B`)
		t.inside = true
	case textBoundary:
		t.WriteString(`\b`)
		t.asciiOnly = true
	case textInside:
		t.WriteString(`\B`)
		t.asciiOnly, t.inside = true, true
	}
}

// set writes a class, and notes whether it tells bytes that are not UTF-8 from U+FFFD.
func (t *translator) set(s runeSet) {
	if escapes := s.within(escapeMin, escapeMax); s.has('\uFFFD') {
		t.telling = t.telling || escapes.size() <= escapeMax-escapeMin
	} else {
		t.telling = t.telling || len(escapes) > 0
	}
	t.writer.set(s)
}

// escapeGo writes one character.
func escapeGo(b *strings.Builder, r rune) {
	if r < 0x80 && (isLetter(toLower[byte(r)]) || '0' <= r && r <= '9') {
		b.WriteByte(byte(r))
		return
	}
	b.WriteString(`\x{`)
	b.WriteString(strconv.FormatInt(int64(r), 16))
	b.WriteByte('}')
}
