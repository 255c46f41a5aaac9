package pyregexp

import (
	"bytes"
	"unicode/utf8"
)

// The backtracking matcher of this package runs a program: instructions made from the tree, one
// after the other unless said otherwise.

// An opcode says what an instruction does.
type opcode uint8

const (
	opcFail     opcode = iota
	opcMatch           // the whole pattern, or the inside of a look-around or atomic group, has matched
	opcChar            // consume the character r
	opcSet             // consume a character of set
	opcAnchor          // go on if anchor holds
	opcJump            // go on at to
	opcSplit           // go on at the next instruction and, if that fails, at to
	opcGreedy          // consume min to max characters of set, most first
	opcLazy            // consume min to max characters of set, fewest first
	opcSave            // remember the place in slot n
	opcBackref         // consume the text of group n again
	opcCond            // go on at to unless group n took part
	opcBegin           // begin of an atomic group, or of a positive look-around; n is its mark
	opcCommit          // end of an atomic group: forget its other ways to match
	opcReturn          // end of a positive look-around: also go back to where it began
	opcBeginNot        // begin of a negative look-around, which goes on at to if its inside fails
	opcFailNot         // end of a negative look-around: the inside has matched
	opcBack            // go back by min characters
	opcEnter           // begin of the loop n, whose next instruction is opcLoop
	opcLoop            // go on at the next instruction, the body, or at to, behind the loop
)

// An inst is one instruction.
type inst struct {
	op     opcode
	anchor anchor
	lazy   bool      // opcLoop
	fold   foldStyle // opcBackref
	r      rune
	n      int32 // slot, group, mark or loop
	to     int32
	min    int64
	max    int64
	set    *fastSet
}

// A program is the code of a pattern.
type program struct {
	kind  Kind
	code  []inst
	slots int // two for each group that something refers to, the begin and the end of its text
	marks int
	loops int
	first *[256]bool // bytes with which a match can begin, or nil
	begin bool       // a match is at the begin of the text only
}

// A fastSet is a runeSet with an answer at hand for the first 256 characters.
type fastSet struct {
	low  [256]bool
	rest runeSet
	// until is the only character that is not in the set, if there is one and it is ASCII. It is
	// anyByte if all characters are in the set, and noByte in all other cases.
	until int
}

const (
	noByte  = -1
	anyByte = 256
)

func newFastSet(s runeSet, kind Kind) *fastSet {
	f := &fastSet{until: noByte, rest: s.within(256, maxRune)}
	for r := range rune(256) {
		f.low[r] = s.has(r)
	}
	switch missing := s.not(kind); {
	case len(missing) == 0:
		f.until = anyByte
	case len(missing) == 1 && missing[0].lo == missing[0].hi && missing[0].lo < utf8.RuneSelf:
		f.until = int(missing[0].lo)
	}
	return f
}

// index returns the place, from i on, of the character until.
func (f *fastSet) index(s []byte, i int) int {
	if f.until == anyByte {
		return len(s)
	}
	n := bytes.IndexByte(s[i:], byte(f.until))
	if n < 0 {
		return len(s)
	}
	return i + n
}

func (f *fastSet) has(r rune) bool {
	if r < 256 {
		return f.low[r]
	}
	return f.rest.has(r)
}

// A compiler makes a program.
type compiler struct {
	*program
	saved map[int]int32 // the first slots of the groups that something refers to
}

// compileProgram returns the program of a tree.
func compileProgram(root *node, kind Kind) *program {
	c := &compiler{program: &program{kind: kind}, saved: map[int]int32{}}
	for group := range referred(root) {
		c.saved[group] = int32(c.slots)
		c.slots += 2
	}
	c.node(root)
	c.emit(inst{op: opcMatch})
	if first, empty := firstBytes(root, kind); !empty {
		c.first = &first
	}
	c.begin = beginsText(root)
	return c.program
}

// emit appends an instruction and returns its index.
func (c *compiler) emit(in inst) int {
	c.code = append(c.code, in)
	return len(c.code) - 1
}

// here makes the next instruction the target of instruction i.
func (c *compiler) here(i int) { c.code[i].to = int32(len(c.code)) }

// node appends the code of n.
func (c *compiler) node(n *node) {
	switch n.op {
	case opEmpty:
	case opFail:
		c.emit(inst{op: opcFail})
	case opChar, opSet:
		if n.op == opChar && n.set == nil {
			c.emit(inst{op: opcChar, r: n.r})
		} else {
			c.emit(inst{op: opcSet, set: newFastSet(n.set, c.kind)})
		}
	case opAnchor:
		c.emit(inst{op: opcAnchor, anchor: n.anchor})
	case opSeq:
		for _, sub := range n.subs {
			c.node(sub)
		}
	case opAlt:
		c.alt(n.subs)
	case opRepeat:
		c.repeat(n)
	case opCapture:
		slot, ok := c.saved[n.group]
		if ok {
			c.emit(inst{op: opcSave, n: slot})
		}
		c.node(n.subs[0])
		if ok {
			c.emit(inst{op: opcSave, n: slot + 1})
		}
	case opBackref:
		c.emit(inst{op: opcBackref, n: c.saved[n.group], fold: n.fold})
	case opCond:
		cond := c.emit(inst{op: opcCond, n: c.saved[n.group]})
		c.node(n.subs[0])
		skip := c.emit(inst{op: opcJump})
		c.here(cond)
		c.node(n.subs[1])
		c.here(skip)
	case opAtomic:
		c.atomic(func() { c.node(n.subs[0]) })
	case opLook:
		c.look(n)
	}
}

// alt appends the code of an alternation.
func (c *compiler) alt(subs []*node) {
	var ends []int
	for i, sub := range subs {
		if i == len(subs)-1 {
			c.node(sub)
			break
		}
		split := c.emit(inst{op: opcSplit})
		c.node(sub)
		ends = append(ends, c.emit(inst{op: opcJump}))
		c.here(split)
	}
	for _, end := range ends {
		c.here(end)
	}
}

// atomic appends an atomic group around what body appends.
func (c *compiler) atomic(body func()) {
	mark := int32(c.marks)
	c.marks++
	c.emit(inst{op: opcBegin, n: mark})
	body()
	c.emit(inst{op: opcCommit, n: mark})
}

// look appends the code of a look-around.
func (c *compiler) look(n *node) {
	mark := int32(c.marks)
	c.marks++
	begin := inst{op: opcBegin, n: mark}
	end := inst{op: opcReturn, n: mark}
	if n.negate {
		begin.op, end.op = opcBeginNot, opcFailNot
	}
	at := c.emit(begin)
	if n.behind {
		c.emit(inst{op: opcBack, min: n.subs[0].width.lo})
	}
	c.node(n.subs[0])
	c.emit(end)
	c.here(at)
}

// repeat appends the code of a repetition.
func (c *compiler) repeat(n *node) {
	body := n.subs[0]
	if n.max == 0 {
		return
	}
	if body.isUnit() {
		run := inst{op: opcGreedy, min: n.min, max: n.max, set: newFastSet(body.chars(), c.kind)}
		switch n.style {
		case lazy:
			run.op = opcLazy
			c.emit(run)
		case greedy:
			c.emit(run)
		case possessive:
			c.atomic(func() { c.emit(run) })
		}
		return
	}
	if n.style == possessive {
		// Python matches every single round in its first way only, not just all of them together.
		c.atomic(func() {
			c.loop(n, func() { c.atomic(func() { c.node(body) }) })
		})
		return
	}
	c.loop(n, func() { c.node(body) })
}

// loop appends a loop around what body appends.
func (c *compiler) loop(n *node, body func()) {
	isLazy := n.style == lazy
	switch nonempty := n.subs[0].width.lo > 0; {
	case n.min == 0 && n.max == 1:
		c.optional(isLazy, body)
	case nonempty && n.min == 0 && n.max == unlimited:
		c.optional(isLazy, func() {
			begin := int32(len(c.code))
			body()
			c.again(isLazy, begin)
		})
	case nonempty && n.min == 1 && n.max == unlimited:
		begin := int32(len(c.code))
		body()
		c.again(isLazy, begin)
	default:
		loop := int32(c.loops)
		c.loops++
		c.emit(inst{op: opcEnter, n: loop})
		at := c.emit(inst{op: opcLoop, n: loop, min: n.min, max: n.max, lazy: isLazy})
		body()
		c.emit(inst{op: opcJump, to: int32(at)})
		c.here(at)
	}
}

// optional appends body, and a choice to skip it.
func (c *compiler) optional(isLazy bool, body func()) {
	split := c.emit(inst{op: opcSplit})
	if !isLazy {
		body()
		c.here(split)
		return
	}
	skip := c.emit(inst{op: opcJump})
	c.here(split)
	body()
	c.here(skip)
}

// again appends a choice to go on at begin once more.
func (c *compiler) again(isLazy bool, begin int32) {
	if isLazy {
		c.emit(inst{op: opcSplit, to: begin})
		return
	}
	split := c.emit(inst{op: opcSplit})
	c.emit(inst{op: opcJump, to: begin})
	c.here(split)
}

// firstBytes returns the bytes with which what n matches can begin, and whether n can match the
// empty string.
func firstBytes(n *node, kind Kind) (first [256]bool, empty bool) {
	add := func(more [256]bool) {
		for i, ok := range more {
			first[i] = first[i] || ok
		}
	}
	switch n.op {
	case opEmpty, opAnchor, opLook:
		return first, true
	case opChar, opSet:
		set := n.chars()
		for r := range rune(256) {
			first[r] = set.has(r)
		}
		if kind == Text {
			// The other characters begin with some byte from 80 on.
			other := set.overlaps(0x80, maxRune)
			for r := 0x80; r < 256; r++ {
				first[r] = other
			}
		}
		return first, false
	case opSeq:
		for _, sub := range n.subs {
			f, e := firstBytes(sub, kind)
			add(f)
			if !e {
				return first, false
			}
		}
		return first, true
	case opAlt, opCond:
		for _, sub := range n.subs {
			f, e := firstBytes(sub, kind)
			add(f)
			empty = empty || e
		}
		return first, empty
	case opRepeat:
		if n.max == 0 {
			return first, true
		}
		first, empty = firstBytes(n.subs[0], kind)
		return first, empty || n.min == 0
	case opCapture, opAtomic:
		return firstBytes(n.subs[0], kind)
	case opFail:
		return first, false
	}
	for i := range first { // opBackref
		first[i] = true
	}
	return first, true
}

// beginsText reports whether n matches at the begin of the text only.
func beginsText(n *node) bool {
	switch n.op {
	case opAnchor:
		return n.anchor == textBegin
	case opSeq:
		return beginsText(n.subs[0])
	case opAlt:
		for _, sub := range n.subs {
			if !beginsText(sub) {
				return false
			}
		}
		return true
	case opCapture, opAtomic:
		return beginsText(n.subs[0])
	case opRepeat:
		return n.min > 0 && beginsText(n.subs[0])
	}
	return false
}
