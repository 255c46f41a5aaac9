package pyregexp

import (
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"
)

const (
	// maxPattern bounds the length of a pattern, in bytes.
	maxPattern = 1 << 20
	// maxDepth bounds how deep groups can be nested. Python gives up at the 496th level, or
	// somewhat earlier when it is called from deep within a program.
	maxDepth = 495
	// countLimit is the first number of repetitions that Python does not accept.
	countLimit = 1<<32 - 1
	// widthLimit is the first width of a look-behind that Python does not accept.
	widthLimit = 1 << 32
)

// A mode is the set of flags in force at some place of a pattern.
type mode uint8

const (
	modeI mode = 1 << iota // ignore case
	modeM                  // ^ and $ match at lines
	modeS                  // . matches a line feed
	modeX                  // white space and comments are ignored
	modeA                  // ASCII rules
	modeU                  // Unicode rules
	modeL                  // rules of the locale; as everywhere but in old 8-bit locales, ASCII

	modeRules = modeA | modeU | modeL
)

// ascii reports whether classes and case follow ASCII rules.
func (m mode) ascii(kind Kind) bool { return kind == Bytes || m&modeA != 0 }

// A parser turns the text of a pattern into a tree.
type parser struct {
	pattern string
	kind    Kind
	chars   []rune // the characters of pattern
	offsets []int  // where they begin, and the length of pattern at the end
	i       int    // index in chars of the next one

	global mode // the flags for the whole pattern
	depth  int
	groups []groupInfo // groups[0] is the whole pattern
	names  map[string]int
	// behind is the number of groups before the outermost look-behind that is open, or 0.
	behind int
	conds  []*node // all conditions, to check that their groups exist
}

// A groupInfo is what is known of a capturing group.
type groupInfo struct {
	closed bool
	width  width
}

// parse returns the tree of a pattern and the flags that are in force for all of it. The error is a
// *SyntaxError.
func parse(pattern string, kind Kind, flags mode) (root *node, global mode, err error) {
	p := &parser{pattern: pattern, kind: kind, global: flags}
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(*SyntaxError)
			if !ok {
				panic(r)
			}
			err = e
		}
	}()
	if len(pattern) > maxPattern {
		p.failAt(0, "pattern is longer than %d bytes", maxPattern)
	}
	p.split()
	p.prologue()
	p.groups = []groupInfo{{}}
	p.names = map[string]int{}
	root = p.alternation(p.global)
	if !p.end() {
		p.fail("unbalanced parenthesis")
	}
	for _, n := range p.conds {
		if n.group >= len(p.groups) {
			p.failAt(n.pos, "condition on group %d, but there are %d groups", n.group, len(p.groups)-1)
		}
	}
	return root, p.global, nil
}

// split finds the characters of the pattern.
func (p *parser) split() {
	for i := 0; i < len(p.pattern); {
		r, size := p.kind.next(p.pattern[i:])
		p.chars = append(p.chars, r)
		p.offsets = append(p.offsets, i)
		i += size
	}
	p.offsets = append(p.offsets, len(p.pattern))
}

// next returns the first character of s, which is not empty, and its length in bytes.
func (k Kind) next(s string) (rune, int) {
	if k == Bytes || s[0] < utf8.RuneSelf {
		return rune(s[0]), 1
	}
	r, size := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && size == 1 {
		r = escapeBase + rune(s[0])
	}
	return r, size
}

// failAt ends the parsing with an error at a byte offset.
func (p *parser) failAt(offset int, format string, args ...any) {
	panic(&SyntaxError{Pattern: p.pattern, Offset: offset, Msg: fmt.Sprintf(format, args...)})
}

// fail ends the parsing with an error at the next character.
func (p *parser) fail(format string, args ...any) {
	p.failAt(p.offset(), format, args...)
}

// offset returns where the next character is, in bytes.
func (p *parser) offset() int { return p.offsets[p.i] }

func (p *parser) end() bool { return p.i == len(p.chars) }

// at reports whether the next character is r.
func (p *parser) at(r rune) bool { return !p.end() && p.chars[p.i] == r }

// accept skips the next character if it is r, and reports whether it was.
func (p *parser) accept(r rune) bool {
	if !p.at(r) {
		return false
	}
	p.i++
	return true
}

// take returns the next character, which must be there, and skips it.
func (p *parser) take(missing string) rune {
	if p.end() {
		p.fail("missing %s", missing)
	}
	p.i++
	return p.chars[p.i-1]
}

// skipUnit skips the next character. To Python a backslash and the character after it are one,
// even where they have no meaning, as in a comment.
func (p *parser) skipUnit() {
	if p.chars[p.i] == '\\' {
		p.i++
		if p.end() {
			p.failAt(p.offset()-1, "backslash at the end of the pattern")
		}
	}
	p.i++
}

// digits skips at most n digits below '0'+base and returns them.
func (p *parser) digits(n int, base rune) string {
	begin := p.i
	for n > 0 && !p.end() && digit(p.chars[p.i]) < base {
		p.i++
		n--
	}
	return string(p.chars[begin:p.i])
}

// digit returns the value of a hexadecimal digit, or something large.
func digit(r rune) rune {
	switch {
	case '0' <= r && r <= '9':
		return r - '0'
	case 'a' <= r && r <= 'f':
		return r - 'a' + 10
	case 'A' <= r && r <= 'F':
		return r - 'A' + 10
	}
	return 99
}

// prologue reads the groups of global flags, which can only be at the beginning. If one of them
// is x, all is read again under it, as white space before the others is allowed then.
func (p *parser) prologue() {
	defaults := p.global
	for {
		begin := p.i
		if p.skipIgnored(p.global) {
			continue
		}
		if !p.accept('(') || !p.accept('?') || p.end() || !isFlag(p.chars[p.i]) && !p.at('-') {
			p.i = begin
			break
		}
		before := p.global
		on, _, scoped := p.flags()
		if scoped {
			p.i = begin
			break
		}
		p.global |= on
		if p.global&^before&modeX != 0 {
			p.i = 0
			p.global = defaults | modeX
		}
	}
	if rules := p.global & modeRules; rules&(rules-1) != 0 {
		p.failAt(0, "only one of the flags a, L and u can be on")
	}
}

// skipIgnored skips a comment group or, under the flag x, white space or a comment. It reports
// whether there was one.
func (p *parser) skipIgnored(m mode) bool {
	if p.i+2 < len(p.chars) && p.chars[p.i] == '(' && p.chars[p.i+1] == '?' && p.chars[p.i+2] == '#' {
		begin := p.offset()
		for p.i += 3; !p.at(')'); p.skipUnit() {
			if p.end() {
				p.failAt(begin, "missing ) after comment")
			}
		}
		p.i++
		return true
	}
	if m&modeX == 0 || p.end() {
		return false
	}
	switch p.chars[p.i] {
	case ' ', '\t', '\n', '\r', '\v', '\f':
		p.i++
		return true
	case '#':
		for !p.end() && !p.at('\n') {
			p.skipUnit()
		}
		p.accept('\n')
		return true
	}
	return false
}

// alternation reads up to a closing parenthesis or the end.
func (p *parser) alternation(m mode) *node {
	pos := p.offset()
	subs := []*node{p.sequence(m)}
	for p.accept('|') {
		subs = append(subs, p.sequence(m))
	}
	return alt(pos, subs)
}

// sequence reads one alternative.
func (p *parser) sequence(m mode) *node {
	pos := p.offset()
	var items []*node
	var noRepeat string // why the last item cannot be repeated
	for {
		if p.skipIgnored(m) {
			continue
		}
		if p.end() || p.at('|') || p.at(')') {
			return seq(pos, items)
		}
		at := p.offset()
		lo, hi, ok := p.count()
		if !ok {
			group := p.at('(')
			items = append(items, p.atom(m))
			noRepeat = ""
			if !group && items[len(items)-1].op == opAnchor {
				noRepeat = "nothing to repeat"
			}
			continue
		}
		if len(items) == 0 {
			noRepeat = "nothing to repeat"
		}
		if noRepeat != "" {
			p.failAt(at, "%s", noRepeat)
		}
		s := greedy
		if p.accept('?') {
			s = lazy
		} else if p.accept('+') {
			s = possessive
		}
		last := &items[len(items)-1]
		*last = repeat((*last).pos, *last, lo, hi, s)
		noRepeat = "multiple repeat"
	}
}

// count reads a quantifier. A brace that does not begin one is left where it is.
func (p *parser) count() (lo, hi int64, ok bool) {
	begin := p.i
	switch {
	case p.accept('*'):
		return 0, unlimited, true
	case p.accept('+'):
		return 1, unlimited, true
	case p.accept('?'):
		return 0, 1, true
	case !p.accept('{') || p.at('}'):
		p.i = begin
		return 0, 0, false
	}
	first := p.digits(len(p.chars), 10)
	second, between := first, p.accept(',')
	if between {
		second = p.digits(len(p.chars), 10)
	}
	if !p.accept('}') {
		p.i = begin
		return 0, 0, false
	}
	at := p.offsets[begin]
	lo, hi = 0, unlimited
	if first != "" {
		lo = p.number(first, at)
	}
	if second != "" {
		hi = p.number(second, at)
	}
	if hi < lo {
		p.failAt(at, "repetition of at least %d and at most %d times", lo, hi)
	}
	return lo, hi, true
}

// number returns the value of a count that begins at a byte offset.
func (p *parser) number(digits string, at int) int64 {
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n >= countLimit {
		p.failAt(at, "repetition of more than %d times", int64(countLimit-1))
	}
	return n
}

// atom reads one item without quantifier.
func (p *parser) atom(m mode) *node {
	pos := p.offset()
	r := p.take("")
	switch r {
	case '\\':
		p.i--
		return p.escape(m)
	case '[':
		return p.class(m)
	case '(':
		return p.group(m)
	case '.':
		set := runeSet{{0, p.kind.maxChar()}}
		if m&modeS == 0 {
			set = only('\n').not(p.kind)
		}
		return &node{op: opSet, pos: pos, set: set, width: width{1, 1}}
	case '^':
		if m&modeM != 0 {
			return &node{op: opAnchor, pos: pos, anchor: lineBegin}
		}
		return &node{op: opAnchor, pos: pos, anchor: textBegin}
	case '$':
		if m&modeM != 0 {
			return &node{op: opAnchor, pos: pos, anchor: lineEnd}
		}
		return &node{op: opAnchor, pos: pos, anchor: textEndOrLF}
	}
	return p.char(pos, r, m)
}

// char returns the node of one character.
func (p *parser) char(pos int, r rune, m mode) *node {
	n := &node{op: opChar, pos: pos, r: r, width: width{1, 1}}
	if m&modeI != 0 {
		if v := variants(r, m.ascii(p.kind)); len(v) > 1 {
			n.set = only(slices.Clone(v)...)
		}
	}
	return n
}
