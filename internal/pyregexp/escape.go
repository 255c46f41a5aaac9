package pyregexp

import (
	"slices"
	"strconv"
	"unicode/utf8"
)

// escape reads an escape outside a class.
func (p *parser) escape(m mode) *node {
	pos := p.offset()
	p.i++
	if p.end() {
		p.failAt(pos, "backslash at the end of the pattern")
	}
	ascii := m.ascii(p.kind)
	place := func(inText, inASCII anchor) *node {
		p.i++
		if ascii {
			inText = inASCII
		}
		return &node{op: opAnchor, pos: pos, anchor: inText}
	}
	r := p.chars[p.i]
	switch r {
	case 'd', 'D', 's', 'S', 'w', 'W':
		p.i++
		return &node{op: opSet, pos: pos, set: categoryOf(r, p.kind, m), width: width{1, 1}}
	case 'A':
		return place(textBegin, textBegin)
	case 'Z':
		return place(textEnd, textEnd)
	case 'z':
		if acceptSmallZ {
			return place(textEnd, textEnd)
		}
	case 'b':
		return place(textBoundary, asciiBoundary)
	case 'B':
		return place(textInside, asciiInside)
	case '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return p.numbered(pos, m)
	}
	return p.char(pos, p.escapedChar(pos), m)
}

// numbered reads the rest of an escape that begins with a digit other than 0: three octal digits
// are a character, anything else is the number of a group.
func (p *parser) numbered(pos int, m mode) *node {
	if d := p.digits(3, 8); len(d) == 3 {
		return p.char(pos, p.octal(pos, d), m)
	}
	p.i = p.index(pos) + 1
	n, _ := strconv.Atoi(p.digits(2, 10))
	return p.backref(pos, n, m)
}

// index returns the index in chars of the character at a byte offset, which is not far back.
func (p *parser) index(offset int) int {
	i := p.i
	for p.offsets[i] > offset {
		i--
	}
	return i
}

// backref returns the node of a back-reference to group n.
func (p *parser) backref(pos, n int, m mode) *node {
	if n >= len(p.groups) {
		p.failAt(pos, "back-reference to group %d, which is not defined before", n)
	}
	p.checkGroup(pos, n)
	ref := &node{op: opBackref, pos: pos, group: n, width: p.groups[n].width}
	if m&modeI != 0 {
		ref.fold = foldText
		if m.ascii(p.kind) {
			ref.fold = foldASCII
		}
	}
	return ref
}

// checkGroup fails if group n cannot be referred to, because it is still open or, in a
// look-behind, because it is part of it. A look-behind is matched forwards, and its width has to
// be known before.
func (p *parser) checkGroup(pos, n int) {
	if n >= len(p.groups) || !p.groups[n].closed {
		p.failAt(pos, "reference to group %d before its end", n)
	}
	if p.behind > 0 && n >= p.behind {
		p.failAt(pos, "reference to group %d within the look-behind that defines it", n)
	}
}

// escapedChar reads the rest of an escape that stands for one character, within a class or
// outside. Everything else is an error here.
func (p *parser) escapedChar(pos int) rune {
	if p.end() {
		p.failAt(pos, "backslash at the end of the pattern")
	}
	r := p.chars[p.i]
	p.i++
	text := p.kind == Text
	switch {
	case r == 'a':
		return '\a'
	case r == 'f':
		return '\f'
	case r == 'n':
		return '\n'
	case r == 'r':
		return '\r'
	case r == 't':
		return '\t'
	case r == 'v':
		return '\v'
	case r == 'x':
		return p.hex(pos, 2)
	case r == 'u' && text:
		return p.hex(pos, 4)
	case r == 'U' && text:
		return p.hex(pos, 8)
	case r == 'N' && text:
		return p.named(pos)
	case '0' <= r && r <= '7':
		p.i--
		return p.octal(pos, p.digits(3, 8))
	case r < utf8.RuneSelf && (digit(r) < 10 || 'a' <= r|0x20 && r|0x20 <= 'z'):
		if !text && (r == 'u' || r == 'U' || r == 'N') {
			p.failAt(pos, `escape \%c in a pattern on bytes`, r)
		}
		p.failAt(pos, `unknown escape \%c`, r)
	}
	return r
}

// hex reads n hexadecimal digits.
func (p *parser) hex(pos, n int) rune {
	d := p.digits(n, 16)
	if len(d) < n {
		p.failAt(pos, "escape needs %d hexadecimal digits", n)
	}
	v, _ := strconv.ParseUint(d, 16, 32)
	if v > maxRune {
		p.failAt(pos, "no character has the number %s", d)
	}
	return rune(v)
}

// octal returns the character that one to three octal digits stand for.
func (p *parser) octal(pos int, digits string) rune {
	v, _ := strconv.ParseUint(digits, 8, 32)
	if v > maxByte {
		p.failAt(pos, `octal escape above \377`)
	}
	return rune(v)
}

// named reads the name of a character.
func (p *parser) named(pos int) rune {
	if !p.accept('{') {
		p.fail(`missing { after \N`)
	}
	name := string(p.until('}', "name of a character"))
	r, ok := charByName(name)
	if !ok {
		p.failAt(pos, "no character has the name %s", quote(name))
	}
	return r
}

// until reads a name up to a closing character.
func (p *parser) until(closing rune, what string) []rune {
	begin := p.i
	for !p.at(closing) {
		if p.end() {
			p.failAt(p.offsets[begin], "missing %c after the %s", closing, what)
		}
		p.skipUnit()
	}
	name := p.chars[begin:p.i]
	if len(name) == 0 {
		p.fail("missing %s", what)
	}
	p.i++
	return name
}

// class reads the rest of a class; the bracket has been read.
func (p *parser) class(m mode) *node {
	pos := p.offsets[p.i-1]
	negate := p.accept('^')
	var chars, categories []span
	ranges := false
	for first := true; first || !p.at(']'); first = false {
		at := p.i
		lo, category := p.member(pos, m)
		if !p.at('-') || p.i+1 < len(p.chars) && p.chars[p.i+1] == ']' {
			if category == nil {
				chars = append(chars, span{lo, lo})
			}
			categories = append(categories, category...)
			continue
		}
		p.i++
		hi, other := p.member(pos, m)
		if category != nil || other != nil {
			p.failAt(p.offsets[at], "range with a class for an end")
		}
		if hi < lo {
			p.failAt(p.offsets[at], "range out of order")
		}
		chars = append(chars, span{lo, hi})
		ranges = true
	}
	p.i++
	set := newSet(chars)
	one := !ranges && len(categories) == 0 && set.size() == 1
	// By the rules of a locale it is enough that one case of a character is not in the class.
	late := negate && m&modeL != 0 && !one
	if m&modeI != 0 && !late {
		set = set.withVariants(m.ascii(p.kind))
	}
	set = newSet(append(categories, set...))
	if negate {
		set = set.not(p.kind)
	}
	if m&modeI != 0 && late {
		set = set.withVariants(true)
	}
	return p.setNode(pos, set, m)
}

// setNode returns the node of a class, which is that of a character if the class is no more than
// that.
func (p *parser) setNode(pos int, set runeSet, m mode) *node {
	if len(set) > 0 {
		if n := p.char(pos, set[0].lo, m); slices.Equal(set, n.chars()) {
			return n
		}
	}
	return &node{op: opSet, pos: pos, set: set, width: width{1, 1}}
}

// member reads one member of a class: a character, or a category such as \d.
func (p *parser) member(class int, m mode) (rune, runeSet) {
	if p.end() {
		p.failAt(class, "missing ] after class")
	}
	pos := p.offset()
	r := p.chars[p.i]
	p.i++
	if r != '\\' {
		return r, nil
	}
	if !p.end() {
		switch r := p.chars[p.i]; r {
		case 'd', 'D', 's', 'S', 'w', 'W':
			p.i++
			return 0, categoryOf(r, p.kind, m)
		case 'b':
			p.i++
			return '\b', nil
		}
	}
	return p.escapedChar(pos), nil
}
