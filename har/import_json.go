package har

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/state"
)

// A document is the JSON of an entry as a tree. Values are decoded where somebody
// looks at them.
type document struct {
	data  []byte
	nodes []node
	open  []int  // the containers around the current value
	plain []byte // strings without their escapes
	dec   *jsontext.Decoder
}

// A node is a value, or the key of a member, behind which stands its value. The
// nodes of a container follow it.
type node struct {
	kind       jsontext.Kind // of the value; '{' and '[' for containers
	escaped    bool          // it is a string with escapes
	start, end int           // in the data
	next       int           // the node behind this one and what is in it
}

// none stands for a value that is not there.
const none = -1

// jsonOptions accept what JSON does not forbid for good: keys that occur twice,
// of which the last counts, and halves of surrogate pairs, which stand for bytes.
var jsonOptions = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

// A syntaxError says that an entry is not JSON.
type syntaxError struct {
	pos  int
	path state.Path
	err  error
}

// parse reads data, one value.
func (d *document) parse(data []byte, maxDepth int) *syntaxError {
	err := d.read(data, maxDepth)
	if err != nil {
		// NaN and infinities, which Python and others write, are no numbers.
		if plain, ok := withoutNaN(data); ok {
			return d.read(plain, maxDepth)
		}
	}
	return err
}

func (d *document) read(data []byte, maxDepth int) *syntaxError {
	d.data, d.nodes, d.open, d.plain = data, d.nodes[:0], d.open[:0], d.plain[:0]
	if d.dec == nil {
		d.dec = jsontext.NewDecoder(bytes.NewBuffer(data), jsonOptions...)
	} else {
		d.dec.Reset(bytes.NewBuffer(data), jsonOptions...)
	}
	for {
		kind := d.dec.PeekKind()
		switch bracket := kind == '{' || kind == '['; {
		case bracket && !(kind == '{' && d.inPrivate()):
			if _, err := d.dec.ReadToken(); err != nil {
				return d.syntaxError(err)
			}
			start := int(d.dec.InputOffset()) - 1
			if len(d.open) == maxDepth {
				err := fmt.Errorf("%w: the limit is %d (MaxDepth)", ErrTooDeep, maxDepth)
				return &syntaxError{start, state.Path(d.dec.StackPointer()), err}
			}
			d.open = append(d.open, len(d.nodes))
			d.nodes = append(d.nodes, node{kind: kind, start: start})
			continue
		case kind == '}' || kind == ']':
			if _, err := d.dec.ReadToken(); err != nil {
				return d.syntaxError(err)
			}
			top := len(d.open) - 1
			c := &d.nodes[d.open[top]]
			c.end, c.next = int(d.dec.InputOffset()), len(d.nodes)
			d.open = d.open[:top]
		default:
			value, err := d.dec.ReadValue()
			if err != nil {
				return d.syntaxError(err)
			}
			end := int(d.dec.InputOffset())
			escaped := kind == '"' && bytes.IndexByte(value, '\\') >= 0
			d.nodes = append(d.nodes, node{kind, escaped, end - len(value), end, len(d.nodes) + 1})
		}
		if len(d.open) == 0 {
			break
		}
	}
	rest := d.data[d.dec.InputOffset():]
	if i := len(rest) - len(bytes.TrimLeft(rest, " \t\r\n")); i < len(rest) {
		return &syntaxError{len(d.data) - len(rest) + i, "", errors.New("more than one value")}
	}
	return nil
}

// inPrivate tells whether the next value is the state in a private field, which is
// read as a whole, by package jsonl.
func (d *document) inPrivate() bool {
	if len(d.open) != 2 {
		return false
	}
	field, key := d.open[1]-1, len(d.nodes)-1
	return d.nodes[0].kind == '{' && string(d.raw(field)) == `"`+privateKey+`"` && string(d.raw(key)) == `"state"`
}

func (d *document) syntaxError(err error) *syntaxError {
	s := &syntaxError{pos: int(d.dec.InputOffset()), path: state.Path(d.dec.StackPointer()), err: err}
	if e, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		s.pos, s.path, s.err = int(e.ByteOffset), state.Path(e.JSONPointer), fmt.Errorf("not JSON: %w", e.Err)
	}
	return s
}

// withoutNaN returns a copy of data with empty strings for the numbers that JSON
// lacks, and whether there are any.
func withoutNaN(data []byte) (out []byte, found bool) {
	words := []string{"NaN", "Infinity", "-Infinity"}
	if !slices.ContainsFunc(words, func(w string) bool { return bytes.Contains(data, []byte(w)) }) {
		return nil, false
	}
	out = bytes.Clone(data)
	for i := 0; i < len(out); {
		if out[i] == '"' {
			s := valueScan{inString: true}
			i, _ = s.scan(out, i+1)
			continue
		}
		for _, word := range words {
			if bytes.HasPrefix(out[i:], []byte(word)) {
				copy(out[i:], `""`+strings.Repeat(" ", len(word)-2))
				found = true
				i += len(word) - 1
				break
			}
		}
		i++
	}
	return out, found
}

// is tells whether node i is there and of a kind.
func (d *document) is(i int, kind jsontext.Kind) bool { return i >= 0 && d.nodes[i].kind == kind }

// isNull tells whether node i is not there or null.
func (d *document) isNull(i int) bool { return i < 0 || d.nodes[i].kind == 'n' }

// raw returns the JSON of node i.
func (d *document) raw(i int) []byte { return d.data[d.nodes[i].start:d.nodes[i].end] }

// members returns the keys and values of an object, in order.
func (d *document) members(object int) iter.Seq2[[]byte, int] {
	return func(yield func([]byte, int) bool) {
		if !d.is(object, '{') {
			return
		}
		for k := object + 1; k < d.nodes[object].next; k = d.nodes[k+1].next {
			if !yield(d.string(k), k+1) {
				return
			}
		}
	}
}

// elements returns the elements of an array.
func (d *document) elements(array int) iter.Seq2[int, int] {
	return func(yield func(int, int) bool) {
		if !d.is(array, '[') {
			return
		}
		for n, i := 0, array+1; i < d.nodes[array].next; n, i = n+1, d.nodes[i].next {
			if !yield(n, i) {
				return
			}
		}
	}
}

// get returns the last member of an object with the key, none if there is none
// or if it is null.
func (d *document) get(object int, key string) int {
	found := d.last(object, key)
	if d.isNull(found) {
		return none
	}
	return found
}

// last is get for a member that may be null.
func (d *document) last(object int, key string) int {
	found := none
	if !d.is(object, '{') {
		return found
	}
	for k, end := object+1, d.nodes[object].next; k < end; k = d.nodes[k+1].next {
		n := &d.nodes[k]
		if n.end-n.start == len(key)+len(`""`) && string(d.data[n.start+1:n.end-1]) == key ||
			n.escaped && string(d.string(k)) == key {
			found = k + 1
		}
	}
	return found
}

// string returns what a string stands for. Escaped surrogates that are not a pair
// stand for the bytes they escape, as Python has it, or for U+FFFD; bytes that are
// not UTF-8 are left. The result is part of the data, or valid until the next
// entry is read.
func (d *document) string(i int) []byte {
	n := &d.nodes[i]
	s := d.data[n.start+1 : n.end-1]
	if !n.escaped {
		return s
	}
	from := len(d.plain)
	d.plain = appendUnquoted(d.plain, s)
	return d.plain[from:len(d.plain):len(d.plain)]
}

// appendUnquoted appends what the content of a string stands for. The library has
// found its escapes to be well formed.
func appendUnquoted(out, s []byte) []byte {
	out = slices.Grow(out, len(s))
	for {
		n := bytes.IndexByte(s, '\\')
		if n < 0 {
			return append(out, s...)
		}
		out = append(out, s[:n]...)
		s = s[n:]
		if s[1] != 'u' {
			out = append(out, escapes[s[1]])
			s = s[2:]
			continue
		}
		r := escapedRune(s)
		s = s[6:]
		switch low := escapedRune(s); {
		case utf16.IsSurrogate(r) && utf16.IsSurrogate(low) && utf16.DecodeRune(r, low) != utf8.RuneError:
			r = utf16.DecodeRune(r, low)
			s = s[6:]
		case r >= 0xdc80 && r <= 0xdcff:
			out = append(out, byte(r))
			continue
		}
		out = utf8.AppendRune(out, r)
	}
}

// escapes has what the character behind a backslash stands for.
var escapes = [256]byte{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

// escapedRune returns the number in an escape such as \u00e9 at the start of s, 0 if
// there is none.
func escapedRune(s []byte) (r rune) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0
	}
	for _, c := range s[2:6] {
		if c > '9' {
			c = c | 0x20 - 'a' + '0' + 10
		}
		r = r<<4 | rune(c-'0')
	}
	return r
}

// scalar returns the content of a string, or the spelling of a number or of true
// and false. ok is false for everything else.
func (d *document) scalar(i int) (s []byte, ok bool) {
	switch {
	case i < 0:
		return nil, false
	case d.nodes[i].kind == '"':
		return d.string(i), true
	case d.nodes[i].kind == '0', d.nodes[i].kind == 't', d.nodes[i].kind == 'f':
		return d.raw(i), true
	}
	return nil, false
}

// number returns the value of a number, which may stand in a string.
func (d *document) number(i int) (f float64, ok bool) {
	if !d.is(i, '0') && !d.is(i, '"') {
		return 0, false
	}
	s, _ := d.scalar(i)
	if f, ok := shortNumber(s); ok {
		return f, true
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(string(s)), 64)
	return f, err == nil && !math.IsInf(f, 0) && !math.IsNaN(f)
}

// shortNumber is for decimal fractions of at most 15 digits, which are exact.
func shortNumber(s []byte) (f float64, ok bool) {
	digits, negative := s, false
	if len(s) > 0 && s[0] == '-' {
		digits, negative = s[1:], true
	}
	if len(digits) == 0 || len(digits) > 16 {
		return 0, false
	}
	n, scale, point := int64(0), 1.0, false
	for _, c := range digits {
		switch {
		case c >= '0' && c <= '9':
			n = 10*n + int64(c-'0')
			if point {
				scale *= 10
			}
		case c == '.' && !point:
			point = true
		default:
			return 0, false
		}
	}
	if n >= 1e15 {
		return 0, false
	}
	f = float64(n) / scale
	if negative {
		f = -f
	}
	return f, true
}

// integer returns the value of a number without fraction.
func (d *document) integer(i int) (n int64, ok bool) {
	f, ok := d.number(i)
	return int64(f), ok && f == math.Trunc(f) && math.Abs(f) < 1<<53
}

// maxMetadataDepth is how deeply what is kept as metadata may be nested; what is
// deeper is kept as JSON.
const maxMetadataDepth = 100

// value returns node i as a state: objects as maps, numbers without fraction as
// integers.
func (d *document) value(i, depth int) state.Value {
	switch d.nodes[i].kind {
	case '"':
		return textValue(d.string(i))
	case 't', 'f':
		return state.Bool(d.nodes[i].kind == 't')
	case '0':
		raw := string(d.raw(i))
		if n, ok := new(big.Int).SetString(raw, 10); ok && len(raw) <= tnetstring.MaxDigits {
			return state.BigInt(n)
		}
		f, err := strconv.ParseFloat(raw, 64)
		if err != nil {
			return state.Text(raw)
		}
		return state.Float(f)
	case '{', '[':
		if depth == maxMetadataDepth {
			return textValue(d.raw(i))
		}
	}
	switch d.nodes[i].kind {
	case '{':
		m := state.NewMap()
		for k, v := range d.members(i) {
			m.SetKey(textValue(k), d.value(v, depth+1))
		}
		return m.Value()
	case '[':
		l := state.NewList()
		for _, e := range d.elements(i) {
			l.Append(d.value(e, depth+1))
		}
		return l.Value()
	}
	return state.Null()
}

// textValue returns a text value for b, with U+FFFD for what is not UTF-8.
func textValue[T ~string | ~[]byte](b T) state.Value { return state.Text(valid(b)) }

func valid[T ~string | ~[]byte](b T) string {
	return strings.ToValidUTF8(string(b), string(utf8.RuneError))
}
