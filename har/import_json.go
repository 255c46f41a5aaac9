package har

import (
	"bytes"
	"iter"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/internal/jsonscan"
	"github.com/flowtool/flowtool/state"
)

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
func (d *document) is(i int, kind byte) bool { return i >= 0 && d.nodes[i].kind == kind }

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
			n.escaped && isEscapedAs(d.data[n.start+1:n.end-1], key) {
			found = k + 1
		}
	}
	return found
}

// isEscapedAs tells whether a string with escapes, without its quotation marks,
// stands for key.
func isEscapedAs(s []byte, key string) bool {
	const longest = len(`\u0061`) // that stands for one byte
	if len(s) > longest*len(key) {
		return false
	}
	var buf [128]byte // enough for the keys that are looked for
	plain := buf[:]
	if len(s) > len(plain) {
		plain = make([]byte, len(s))
	}
	return string(plain[:jsonscan.Unescape(plain, s)]) == key
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
	d.plain = slices.Grow(d.plain, len(s))
	end := from + jsonscan.Unescape(d.plain[from:from+len(s)], s)
	d.plain = d.plain[:end]
	return d.plain[from:end:end]
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
		var entries []state.Entry
		for k, v := range d.members(i) {
			entries = append(entries, state.E(valid(k), d.value(v, depth+1)))
		}
		return mapOf(entries).Value()
	case '[':
		l := state.NewList()
		for _, e := range d.elements(i) {
			l.Append(d.value(e, depth+1))
		}
		return l.Value()
	}
	return state.Null()
}

// mapOf returns a map with entries whose keys are text. Of several with the same key
// the last value counts, in the place of the first. The entries are changed.
func mapOf(entries []state.Entry) *state.Map {
	unique := entries[:0]
	at := make(map[string]int, len(entries))
	for _, e := range entries {
		key, err := e.Key.TextBytes()
		if err != nil {
			panic("har: a key is no text: " + err.Error())
		}
		if i, found := at[string(key)]; found {
			unique[i].Value = e.Value
			continue
		}
		at[string(key)] = len(unique)
		unique = append(unique, e)
	}
	return state.NewMap(unique...)
}

// textValue returns a text value for b, with U+FFFD for what is not UTF-8.
func textValue[T ~string | ~[]byte](b T) state.Value { return state.Text(valid(b)) }

func valid[T ~string | ~[]byte](b T) string {
	return strings.ToValidUTF8(string(b), string(utf8.RuneError))
}
