package pyregexp

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// group reads the rest of a group; the parenthesis has been read.
func (p *parser) group(m mode) *node {
	pos := p.offsets[p.i-1]
	if p.depth == maxDepth {
		p.failAt(pos, "groups are nested more than %d deep", maxDepth)
	}
	p.depth++
	defer func() { p.depth-- }()
	if !p.accept('?') {
		return p.capture(pos, m)
	}
	switch r := p.take("rest of the group"); {
	case r == ':':
		return p.body(pos, m)
	case r == 'P':
		return p.python(pos, m)
	case r == '>':
		sub := p.body(pos, m)
		return &node{op: opAtomic, pos: pos, subs: []*node{sub}, width: sub.width}
	case r == '=' || r == '!':
		return p.look(pos, m, false, r == '!')
	case r == '<':
		switch r := p.take("= or ! after (?<"); r {
		case '=', '!':
			return p.look(pos, m, true, r == '!')
		default:
			p.failAt(pos, "unknown group (?<%s; names are written (?P<name>...)", shown(r))
		}
	case r == '(':
		return p.cond(pos, m)
	case isFlag(r) || r == '-':
		p.i--
		on, off, scoped := p.flags()
		if !scoped {
			p.failAt(pos, "flags for the whole pattern must be at its beginning")
		}
		if on&modeRules != 0 {
			m &^= modeRules
		}
		return p.body(pos, (m|on)&^off)
	default:
		p.failAt(pos, "unknown group (?%s", shown(r))
	}
	panic("pyregexp: group is not handled")
}

// body reads the inside of a group and the closing parenthesis.
func (p *parser) body(pos int, m mode) *node {
	n := p.alternation(m)
	if !p.accept(')') {
		p.failAt(pos, "missing ) after group")
	}
	return n
}

// capture reads the inside of a capturing group.
func (p *parser) capture(pos int, m mode) *node {
	number := len(p.groups)
	p.groups = append(p.groups, groupInfo{})
	sub := p.body(pos, m)
	p.groups[number] = groupInfo{closed: true, width: sub.width}
	return &node{op: opCapture, pos: pos, group: number, subs: []*node{sub}, width: sub.width}
}

// python reads the rest of a group that begins with (?P.
func (p *parser) python(pos int, m mode) *node {
	switch r := p.take("rest of the group"); r {
	case '<':
		name := p.groupName('>')
		if old, ok := p.names[name]; ok {
			p.failAt(pos, "name %s is taken, by group %d", quote(name), old)
		}
		p.names[name] = len(p.groups)
		return p.capture(pos, m)
	case '=':
		return p.backref(pos, p.lookUp(p.groupName(')'), pos), m)
	default:
		p.failAt(pos, "unknown group (?P%s", shown(r))
	}
	panic("pyregexp: group is not handled")
}

// groupName reads the name of a group up to a closing character.
func (p *parser) groupName(closing rune) string {
	at := p.offset()
	name := p.until(closing, "name of a group")
	if !p.isName(name) {
		p.failAt(at, "%s cannot be the name of a group", quote(string(name)))
	}
	return string(name)
}

// isName reports whether name can be the name of a group. In a pattern on bytes it has to be ASCII.
func (p *parser) isName(name []rune) bool {
	if p.kind == Bytes {
		for _, r := range name {
			if r >= utf8.RuneSelf {
				return false
			}
		}
	}
	return isIdentifier(name)
}

// lookUp returns the number of the group with a name.
func (p *parser) lookUp(name string, pos int) int {
	number, ok := p.names[name]
	if !ok {
		p.failAt(pos, "no group before this has the name %s", quote(name))
	}
	return number
}

// look reads the inside of a look-around.
func (p *parser) look(pos int, m mode, behind, negate bool) *node {
	outermost := behind && p.behind == 0
	if outermost {
		p.behind = len(p.groups)
	}
	sub := p.body(pos, m)
	if outermost {
		p.behind = 0
	}
	if sub.op == opEmpty && negate {
		return &node{op: opFail, pos: pos}
	}
	if w := sub.width; behind && w.lo >= widthLimit {
		p.failAt(pos, "look-behind of more than %d characters", int64(widthLimit-1))
	} else if behind && w.lo != w.hi {
		p.failAt(pos, "look-behind without a fixed width")
	}
	return &node{op: opLook, pos: pos, behind: behind, negate: negate, subs: []*node{sub}}
}

// cond reads the rest of a condition; (?( has been read.
func (p *parser) cond(pos int, m mode) *node {
	at := p.offset()
	name := p.until(')', "number or name of a group")
	var number int
	if p.isName(name) {
		number = p.lookUp(string(name), at)
	} else {
		number = p.groupNumber(string(name), at)
	}
	n := &node{op: opCond, pos: at, group: number}
	if p.behind > 0 {
		p.checkGroup(at, number)
	}
	p.conds = append(p.conds, n)
	yes := p.sequence(m)
	no := &node{op: opEmpty, pos: p.offset()}
	if p.accept('|') {
		no = p.sequence(m)
		if p.at('|') {
			p.fail("condition with more than two branches")
		}
	}
	if !p.accept(')') {
		p.failAt(pos, "missing ) after group")
	}
	n.subs = []*node{yes, no}
	n.width = width{min(yes.width.lo, no.width.lo), max(yes.width.hi, no.width.hi)}
	return n
}

// groupNumber returns the number that the text between the parentheses of a condition stands for.
func (p *parser) groupNumber(text string, at int) int {
	for _, r := range text {
		if r < '0' || r > '9' {
			p.failAt(at, "%s is neither name nor number of a group", quote(text))
		}
	}
	text = strings.TrimLeft(text, "0")
	if text == "" {
		p.failAt(at, "condition on group 0")
	}
	const digits = 9 // more groups do not fit into a pattern
	if len(text) > digits {
		p.failAt(at, "condition on group %.20s, which does not exist", text)
	}
	n, _ := strconv.Atoi(text)
	return n
}

// flags reads flags up to a closing parenthesis, or up to the colon of a group under them. The
// first character is a flag or a minus.
func (p *parser) flags() (on, off mode, scoped bool) {
	begin := p.offset()
	on = p.flagRun("flag or -, : or )")
	if on&modeL != 0 && p.kind == Text {
		p.failAt(begin, "flag L in a pattern on text")
	}
	if on&modeU != 0 && p.kind == Bytes {
		p.failAt(begin, "flag u in a pattern on bytes")
	}
	if rules := on & modeRules; rules&(rules-1) != 0 {
		p.failAt(begin, "only one of the flags a, L and u can be on")
	}
	if p.accept(')') {
		return on, 0, false
	}
	if p.accept('-') {
		at := p.offset()
		if p.end() || !isFlag(p.chars[p.i]) {
			p.fail("missing flag after -")
		}
		off = p.flagRun(":")
		if off&modeRules != 0 {
			p.failAt(at, "flags a, L and u cannot be turned off")
		}
		if on&off != 0 {
			p.failAt(at, "flag is turned on and off")
		}
	}
	if !p.accept(':') {
		p.fail("missing : after flags")
	}
	return on, off, true
}

// flagRun reads flags; missing is what else may follow them.
func (p *parser) flagRun(missing string) mode {
	var m mode
	for {
		switch p.take(missing) {
		case 'i':
			m |= modeI
		case 'm':
			m |= modeM
		case 's':
			m |= modeS
		case 'x':
			m |= modeX
		case 'a':
			m |= modeA
		case 'u':
			m |= modeU
		case 'L':
			m |= modeL
		case '-', ':', ')':
			p.i--
			return m
		default:
			p.i--
			p.fail("unknown flag %s", shown(p.chars[p.i]))
		}
	}
}

// isFlag reports whether r is the letter of a flag.
func isFlag(r rune) bool { return strings.ContainsRune("imsxauL", r) }
