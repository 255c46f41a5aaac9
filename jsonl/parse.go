package jsonl

import (
	"fmt"
	"slices"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
)

// space returns the position of the next byte from i on that is not white space.
func (d *decoder) space(i int) int {
	if i < len(d.line) && d.line[i] > ' ' {
		return i // mostly there is none
	}
	return d.skipSpace(i)
}

func (d *decoder) skipSpace(i int) int {
	for i < len(d.line) {
		switch d.line[i] {
		case ' ', '\t', '\n', '\r':
			i++
		default:
			return i
		}
	}
	return i
}

// value reads the value that begins at i and returns where it ends. depth is
// the number of containers around what is in it.
func (d *decoder) value(i int, s *shape, depth int) (int, *Error) {
	if i >= len(d.line) {
		return i, errWant(d.line, i, "a value")
	}
	switch c := d.line[i]; {
	case c == '"':
		tag := byte(';')
		if s.bytes {
			tag = ','
		} else if s.host {
			d.host = len(d.nodes) // to be seen at the end of the flow
		}
		return d.text(i+1, tag)
	case c == '{':
		return d.object(i, s, depth)
	case c == '[':
		return d.array(i, s, depth)
	case c == '-' || isDigit(c):
		return d.number(i, s)
	case d.word(i, "null"):
		d.leaf('~', formLine, i, i, 0)
		return i + 4, nil
	case d.word(i, "true"):
		d.leaf('!', formLine, i, i+4, 4)
		return i + 4, nil
	case d.word(i, "false"):
		d.leaf('!', formLine, i, i+5, 5)
		return i + 5, nil
	}
	return i, errWant(d.line, i, "a value")
}

// word tells whether a word stands at i.
func (d *decoder) word(i int, word string) bool {
	end := i + len(word)
	return end <= len(d.line) && string(d.line[i:end]) == word && (end == len(d.line) || !isWord(d.line[end]))
}

// text reads the string whose content begins at i.
func (d *decoder) text(i int, tag byte) (int, *Error) {
	s, err := scanString(d.line, i)
	if err != nil {
		return i, err
	}
	f := formLine
	if s.escaped {
		f = formEscaped
	}
	d.leaf(tag, f, i, s.end, s.size)
	return s.end + 1, nil
}

// plain returns the text that a string stands for.
func (d *decoder) plain(i int, s stringScan) []byte {
	if !s.escaped {
		return d.line[i:s.end]
	}
	start := len(d.extra)
	d.extra = slices.Grow(d.extra, s.size)[:start+s.size]
	unescape(d.extra[start:], d.line[i:s.end])
	return d.extra[start:]
}

// extraLeaf is leaf for a payload that was appended to extra.
func (d *decoder) extraLeaf(tag byte, start int) {
	d.leaf(tag, formExtra, start, len(d.extra), len(d.extra)-start)
}

// number reads the number that begins at i.
func (d *decoder) number(i int, s *shape) (int, *Error) {
	b, start := d.line, i
	if b[i] == '-' {
		i++
	}
	whole := i
	for i < len(b) && isDigit(b[i]) {
		i++
	}
	bad := i == whole || i-whole > 1 && b[whole] == '0'
	isInt := true
	if i < len(b) && b[i] == '.' {
		isInt = false
		i++
		frac := i
		for i < len(b) && isDigit(b[i]) {
			i++
		}
		bad = bad || i == frac
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		isInt = false
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		exp := i
		for i < len(b) && isDigit(b[i]) {
			i++
		}
		bad = bad || i == exp
	}
	if bad || i < len(b) && isWord(b[i]) {
		for i < len(b) && isWord(b[i]) {
			i++
		}
		return start, fail(start, fmt.Errorf("%s is no number in JSON", quoted(b[start:i])))
	}
	literal := b[start:i]
	switch {
	case isInt && !s.float && string(literal) != "-0":
		if i-whole > tnetstring.MaxDigits {
			return start, fail(start, fmt.Errorf("integer of %d digits, the limit is %d", i-whole, tnetstring.MaxDigits))
		}
		d.leaf('#', formLine, start, i, i-start)
		return i, nil
	case plainFloat(literal):
		d.leaf('^', formLine, start, i, i-start)
		return i, nil
	}
	at, ok := len(d.extra), true
	if isInt && len(literal) <= 15 {
		d.extra = append(append(d.extra, literal...), ".0"...)
	} else if d.extra, ok = appendFloat(d.extra, literal); !ok {
		return start, fail(start, fmt.Errorf(`%s is too large for a float; infinity is {"$float": "inf"}`, quoted(literal)))
	}
	d.extraLeaf('^', at)
	return i, nil
}

func (d *decoder) array(i int, s *shape, depth int) (int, *Error) {
	c, err := d.open(i, ']', depth)
	if err != nil {
		return i, err
	}
	i = d.space(i + 1)
	if i < len(d.line) && d.line[i] == ']' {
		return i + 1, nil
	}
	for n, more := 0, true; more; n++ {
		if n == d.maxElements {
			return i, d.full(i, n)
		}
		at := len(d.nodes)
		if i, err = d.value(i, s.elem(n), depth+1); err != nil {
			return i, err.under(n)
		}
		d.add(c, at)
		if i, more, err = d.comma(i, ']'); err != nil {
			return i, err
		}
	}
	d.nodes[c].next = int32(len(d.nodes))
	return i, nil
}
