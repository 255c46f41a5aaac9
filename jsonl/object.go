package jsonl

import (
	"encoding/base64"
	"fmt"
	"strconv"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/internal/jsonscan"
	"github.com/flowtool/flowtool/state"
)

// member reads the key at i, which is a string, and the colon. It returns the
// key without escapes and where the value begins.
func (d *decoder) member(i int) (key []byte, scan jsonscan.String, next int, err *Error) {
	if i >= len(d.line) || d.line[i] != '"' {
		return nil, scan, i, errWant(d.line, i, "a key, which is a string,")
	}
	if scan, err = scanString(d.line, i+1); err != nil {
		return nil, scan, i, err
	}
	key = d.plain(i+1, scan)
	if next = d.space(scan.End + 1); next >= len(d.line) || d.line[next] != ':' {
		return nil, scan, next, errWant(d.line, next, "a colon")
	}
	return key, scan, d.space(next + 1), nil
}

// comma reads what stands behind a member or an element: a comma, after which it
// returns where the next one begins, or end, which closes the object or array.
func (d *decoder) comma(i int, end byte) (next int, more bool, err *Error) {
	i = d.space(i)
	if i < len(d.line) && d.line[i] == ',' {
		return d.space(i + 1), true, nil
	}
	if i < len(d.line) && d.line[i] == end {
		return i + 1, false, nil
	}
	return i, false, errWant(d.line, i, "a comma or "+string(end))
}

// object reads the object at i: a map, or what a tag says.
func (d *decoder) object(i int, s *shape, depth int) (int, *Error) {
	first := d.space(i + 1)
	if first < len(d.line) && d.line[first] == '"' && first+1 < len(d.line) && (d.line[first+1] == '$' || d.line[first+1] == '\\') {
		key, _, next, err := d.member(first)
		if err != nil {
			return first, err
		}
		switch string(key) {
		case tagBase64, tagBytes, tagText, tagInt, tagFloat:
			if next, err = d.scalar(string(key), next); err != nil {
				return next, err
			}
			return d.alone(next, string(key), depth)
		case tagMap:
			if next, err = d.pairs(next, depth); err != nil {
				return next, err
			}
			return d.alone(next, string(key), depth)
		case tagKeys:
			if next >= len(d.line) || d.line[next] != '"' {
				return next, errWant(d.line, next, `"bytes"`)
			}
			scan, err := scanString(d.line, next+1)
			if err != nil {
				return next, err
			}
			if string(d.plain(next+1, scan)) != "bytes" {
				return next, fail(next, fmt.Errorf(`%s is "bytes" or left out, not %s`, tagKeys, quoted(d.line[next:scan.End+1])))
			}
			return d.members(i, scan.End+1, allBytes, depth)
		}
	}
	return d.members(i, -1, s, depth)
}

// alone reads the end of an object of which a tag was the first member. It must
// be the only one; a flow may have $raw as well.
func (d *decoder) alone(i int, tag string, depth int) (int, *Error) {
	next, more, err := d.comma(i, '}')
	if err != nil || !more {
		return next, err
	}
	key, _, at, err := d.member(next)
	if err != nil {
		return next, err
	}
	if depth > 1 || tag != tagMap || string(key) != tagRaw {
		return next, fail(next, fmt.Errorf("%s stands alone in its object, but here is %s as well", tag, quoted(key)))
	}
	if next, err = d.rawMember(at); err != nil {
		return next, err
	}
	i = next
	if next, more, err = d.comma(i, '}'); err == nil && more {
		err = fail(next, fmt.Errorf("nothing but %s may stand beside %s", tagRaw, tag))
	}
	return next, err
}

// scalar reads the value of a tag for one.
func (d *decoder) scalar(tag string, i int) (int, *Error) {
	if i >= len(d.line) || d.line[i] != '"' {
		return i, errWant(d.line, i, "a string, as "+tag+" has,")
	}
	scan, err := scanString(d.line, i+1)
	if err != nil {
		return i, err
	}
	switch tag {
	case tagBytes:
		return d.text(i+1, ',')
	case tagText:
		return d.text(i+1, ';')
	case tagBase64:
		if err := d.base64(i+1, scan); err != nil {
			return i, err
		}
		return scan.End + 1, nil
	}
	kind, mark := byte('#'), state.KindInt
	if tag == tagFloat {
		kind, mark = '^', state.KindFloat
	}
	text := d.plain(i+1, scan)
	if _, err := codec.Scalar(mark, text); err != nil {
		return i, fail(i, fmt.Errorf("%s is no %s: %w", quoted(text), mark, err))
	}
	if scan.Escaped {
		d.extraLeaf(kind, len(d.extra)-len(text))
	} else {
		d.leaf(kind, formLine, i+1, scan.End, scan.Size)
	}
	return scan.End + 1, nil
}

// base64 adds a node for bytes in base64.
func (d *decoder) base64(i int, s jsonscan.String) *Error {
	text := d.line[i:s.End]
	if s.Escaped { // a slash may be
		text = d.plain(i, s)
		b, err := base64.StdEncoding.Strict().AppendDecode(nil, text)
		if err != nil || base64.StdEncoding.EncodedLen(len(b)) != len(text) {
			return fail(i, errBase64)
		}
		start := len(d.extra)
		d.extra = append(d.extra, b...)
		d.extraLeaf(',', start)
		return nil
	}
	if len(text)%4 != 0 {
		return fail(i, errBase64)
	}
	size := len(text) / 4 * 3
	for n := len(text); n > 0 && n > len(text)-2 && text[n-1] == '='; n-- {
		size--
	}
	d.leaf(',', formBase64, i, s.End, size)
	return nil
}

var errBase64 = fmt.Errorf("not base64, with padding and in the standard alphabet, as %s has it", tagBase64)

// members reads the members of the object at i. If one was read already, it ends
// at after; otherwise after is negative.
func (d *decoder) members(i, after int, s *shape, depth int) (int, *Error) {
	c, err := d.open(i, '}', depth)
	if err != nil {
		return i, err
	}
	more := true
	if after >= 0 {
		if i, more, err = d.comma(after, '}'); err != nil {
			return i, err
		}
	} else if i = d.space(i + 1); i < len(d.line) && d.line[i] == '}' {
		i, more = i+1, false
	}
	outer := d.host
	if s.flow {
		d.host = 0
	}
	version := 0
	set := keySet{start: len(d.keys)}
	hint := 0
	for n := 0; more; n++ {
		if n == d.maxElements {
			return i, d.full(i, n)
		}
		key, at, next, err := d.key(i, s, hint)
		if err != nil {
			return i, err
		}
		if isTag(key) {
			if string(key) != tagRaw || depth > 1 {
				return i, errTag(i, key)
			}
			if i, err = d.rawMember(next); err != nil {
				return i, err
			}
			if i, more, err = d.comma(i, '}'); err != nil {
				return i, err
			}
			continue
		}
		elem, isNew := free, false
		if at >= 0 {
			f := &s.fields[at]
			elem, hint, isNew = f.shape, at+1, set.addField(at)
			if f.part != 0 && depth == partDepth {
				d.parts[f.part.index()] = partNode{c, len(d.nodes)}
			}
		} else {
			if s.keys {
				elem = s
			}
			isNew = set.add(&d.keys, key)
		}
		if !isNew {
			return i, fail(i, fmt.Errorf("key %s occurs twice", quoted(key)))
		}
		keyAt := len(d.nodes) - 1
		if s.flow && string(key) == "version" {
			version = keyAt + 1
		}
		d.add(c, keyAt)
		if i, err = d.value(next, elem, depth+1); err != nil {
			return i, err.under(name(key))
		}
		d.add(c, keyAt+1)
		if i, more, err = d.comma(i, '}'); err != nil {
			return i, err
		}
	}
	d.keys = d.keys[:set.start]
	d.nodes[c].next = int32(len(d.nodes))
	if s.flow {
		if d.host > 0 && version > 0 && d.isOld(version) {
			d.nodes[d.host].tag = ','
		}
		d.host = outer
	}
	return i, nil
}

// isOld tells whether the node of a format version is one before oldHost.
func (d *decoder) isOld(at int) bool {
	n := &d.nodes[at]
	switch n.form {
	case formLine:
		return oldVersion(n.tag, d.line[n.start:n.end])
	case formExtra:
		return oldVersion(n.tag, d.extra[n.start:n.end])
	}
	return oldVersion(n.tag, nil)
}

// key reads the key at i, a colon, and adds a node unless the key is a tag. It
// returns what the line has as the key, the position among the fields of s or
// -1, and where the value begins.
func (d *decoder) key(i int, s *shape, hint int) (key []byte, at, next int, err *Error) {
	if hint < len(s.fields) {
		// The next key, with nothing but a colon behind it, is the usual case.
		f := &s.fields[hint]
		if end := i + len(f.json); end <= len(d.line) && string(d.line[i:end]) == f.json {
			key = d.line[i+1 : end-2]
			d.leaf(';', formLine, i+1, end-2, len(key))
			return key, hint, d.space(end), nil
		}
	}
	extra := len(d.extra)
	key, scan, next, err := d.member(i)
	if err != nil || isTag(key) {
		return key, -1, next, err
	}
	tag := byte(';')
	if s.keys {
		tag = ','
	}
	skip := len(key) - len(name(key))
	if scan.Escaped {
		d.leaf(tag, formExtra, extra+skip, extra+len(key), len(key)-skip)
	} else {
		d.leaf(tag, formLine, i+1+skip, scan.End, scan.Size-skip)
	}
	return key, s.field(key, hint), next, nil
}

// name returns the key that stands for a key of a map: without the first of two
// dollar signs.
func name(key []byte) []byte {
	if len(key) > 0 && key[0] == '$' {
		return key[1:]
	}
	return key
}

func errTag(i int, key []byte) *Error {
	switch {
	case string(key) == tagKeys:
		return fail(i, fmt.Errorf("%s has to be the first member of its object", tagKeys))
	case string(key) == tagRaw:
		return fail(i, fmt.Errorf("%s is for flows only, not for what is in them", tagRaw))
	case isKnownTag(key):
		return fail(i, fmt.Errorf("%s stands alone in its object", key))
	}
	return fail(i, fmt.Errorf(`%s is no tag; they are %s, and a key that begins with $ is written as "$%s"`,
		quoted(key), tagList(), jsonscan.Shorten(string(key), 40)))
}

// pairs reads the value of $map, a map as an array of pairs.
func (d *decoder) pairs(i, depth int) (int, *Error) {
	c, err := d.open(i, '}', depth)
	if err != nil {
		return i, err
	}
	bracket := func(want byte) bool {
		if i >= len(d.line) || d.line[i] != want {
			err = errWant(d.line, i, strconv.Quote(string(want)))
			return false
		}
		i = d.space(i + 1)
		return true
	}
	if !bracket('[') {
		return i, err
	}
	if i < len(d.line) && d.line[i] == ']' {
		return i + 1, nil
	}
	var set keySet
	for n, more := 0, true; more; n++ {
		if n == d.maxElements {
			return i, d.full(i, n)
		}
		if !bracket('[') {
			return i, err
		}
		keyAt, at := len(d.nodes), i
		if i, err = d.value(i, free, depth+1); err != nil {
			return i, err
		}
		if d.nodes[keyAt].form == formNodes {
			return at, fail(at, fmt.Errorf("a %s cannot be a key", kindName(d.nodes[keyAt].tag)))
		}
		payload, err2 := d.payload(keyAt)
		if err2 != nil {
			return at, err2
		}
		if id, ok := tnetstring.KeyID(d.nodes[keyAt].tag, payload); ok && !set.addID(id) {
			return at, fail(at, fmt.Errorf("key %s occurs twice, 1, 1.0 and true being the same", quoted(payload)))
		}
		d.add(c, keyAt)
		i = d.space(i)
		if !bracket(',') {
			return i, err
		}
		if i, err = d.value(i, free, depth+1); err != nil {
			return i, err.under(payload)
		}
		d.add(c, keyAt+1)
		i = d.space(i)
		if !bracket(']') {
			return i, err
		}
		if i, more, err = d.comma(i, ']'); err != nil {
			return i, err
		}
	}
	d.nodes[c].next = int32(len(d.nodes))
	return i, nil
}

// rawMember reads the value of $raw, which begins at i.
func (d *decoder) rawMember(i int) (int, *Error) {
	if d.raw.End > 0 {
		return i, fail(i, fmt.Errorf("%s occurs twice", tagRaw))
	}
	if i >= len(d.line) || d.line[i] != '"' {
		return i, errWant(d.line, i, "a string, as "+tagRaw+" has,")
	}
	scan, err := scanString(d.line, i+1)
	if err != nil {
		return i, err
	}
	d.raw, d.rawAt = scan, i+1
	return scan.End + 1, nil
}
