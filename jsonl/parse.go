package jsonl

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/internal/jsonscan"
)

// space returns the position of the next byte from i on that is not white space.
func (d *decoder) space(i int) int { return jsonscan.Space(d.line, i) }

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
		if s.repeats {
			return d.repeated(i, s, depth)
		}
		return d.array(i, s, depth)
	case c == '-' || isDigit(c):
		return d.number(i, s)
	case jsonscan.Word(d.line, i, "null"):
		d.leaf('~', formLine, i, i, 0)
		return i + 4, nil
	case jsonscan.Word(d.line, i, "true"):
		d.leaf('!', formLine, i, i+4, 4)
		return i + 4, nil
	case jsonscan.Word(d.line, i, "false"):
		d.leaf('!', formLine, i, i+5, 5)
		return i + 5, nil
	}
	return i, errWant(d.line, i, "a value")
}

// text reads the string whose content begins at i.
func (d *decoder) text(i int, tag byte) (int, *Error) {
	s, err := scanString(d.line, i)
	if err != nil {
		return i, err
	}
	f := formLine
	if s.Escaped {
		f = formEscaped
	}
	d.leaf(tag, f, i, s.End, s.Size)
	return s.End + 1, nil
}

// plain returns the text that a string stands for.
func (d *decoder) plain(i int, s jsonscan.String) []byte {
	if !s.Escaped {
		return d.line[i:s.End]
	}
	start := len(d.extra)
	d.extra = slices.Grow(d.extra, s.Size)[:start+s.Size]
	jsonscan.Unescape(d.extra[start:], d.line[i:s.End])
	return d.extra[start:]
}

// extraLeaf is leaf for a payload that was appended to extra.
func (d *decoder) extraLeaf(tag byte, start int) {
	d.leaf(tag, formExtra, start, len(d.extra), len(d.extra)-start)
}

// number reads the number that begins at i.
func (d *decoder) number(i int, s *shape) (int, *Error) {
	start := i
	i, isInt, wrong := jsonscan.Number(d.line, i)
	if wrong != nil {
		return start, syntax(wrong)
	}
	literal := d.line[start:i]
	switch {
	case isInt && !s.float && string(literal) != "-0":
		if n := len(bytes.TrimPrefix(literal, []byte("-"))); n > tnetstring.MaxDigits {
			return start, fail(start, fmt.Errorf("integer of %d digits, the limit is %d", n, tnetstring.MaxDigits))
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
