package flowdiff

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/flowtool/flowtool/internal/jsonscan"
	"github.com/flowtool/flowtool/state"
)

const (
	// maxJSONDepth limits the nesting of JSON that is compared by structure.
	maxJSONDepth = 200
	// maxJSONChanges limits the reported changes in one JSON text. Texts that differ in
	// more places are rather different texts, and are compared by line.
	maxJSONChanges = 1000
)

// json compares two JSON texts by structure, if that can be done. limit tells which
// limit keeps it from that.
func (d *differ) json(p at, a, b string) (done bool, limit string) {
	var parser jsonParser
	x, ok := parser.parse(a)
	if !ok {
		return false, parser.limit
	}
	y, ok := parser.parse(b)
	if !ok {
		return false, parser.limit
	}
	found, reported := d.found, len(d.changes)
	d.trees(p, &x, &y)
	if len(d.changes)-reported > maxJSONChanges {
		d.found, d.changes = found, d.changes[:reported]
		return false, fmt.Sprint(maxJSONChanges, " changes of JSON")
	}
	for k := range d.changes[reported:] {
		d.changes[reported+k].inJSON = true
	}
	return true, ""
}

// A jsonParser makes trees of JSON texts. Its methods return false for what is not
// to be compared by structure.
type jsonParser struct {
	text  string
	b     []byte // the same
	i     int    // how far it is read
	left  int    // values that may still come
	limit string // the one that was exceeded
	done  []node // values in lists and maps that are not complete
	sums  summer
}

// parse returns the tree of a JSON text that is an object or an array. Strings
// become text, numbers integers or floats. It refuses what has no one meaning:
// repeated keys, text that is not UTF-8 or escapes that stand for none; and what is nested too deeply, or has more
// than maxNodes values. After that p is of no more use.
func (p *jsonParser) parse(s string) (n node, ok bool) {
	s = strings.TrimPrefix(s, "\ufeff")
	if t := strings.TrimLeft(s, " \t\r\n"); t == "" || t[0] != '{' && t[0] != '[' || !utf8.ValidString(s) {
		return node{}, false
	}
	*p = jsonParser{text: s, b: []byte(s), left: maxNodes, done: p.done[:0], sums: p.sums}
	p.space()
	if !p.value("", 0) {
		return node{}, false
	}
	p.space()
	return p.done[0], p.i == len(p.b)
}

func (p *jsonParser) space() { p.i = jsonscan.Space(p.b, p.i) }

// next returns the next byte, or 0.
func (p *jsonParser) next() byte {
	if p.i < len(p.b) {
		return p.b[p.i]
	}
	return 0
}

// value adds the value that is next to p.done. id is that of its key.
func (p *jsonParser) value(id string, depth int) bool {
	if p.left--; p.left < 0 {
		p.limit = fmt.Sprint(maxNodes, " values of JSON")
		return false
	}
	if depth > maxJSONDepth {
		p.limit = fmt.Sprint(maxJSONDepth, " levels of JSON")
		return false
	}
	var v state.Value
	switch c := p.next(); {
	case c == '[':
		return p.array(id, depth)
	case c == '{':
		return p.object(id, depth)
	case c == '"':
		text, _, ok := p.string()
		if !ok {
			return false
		}
		v = state.TextBytes(text)
	case c == '-' || c-'0' <= 9:
		end, whole, err := jsonscan.Number(p.b, p.i)
		if err != nil {
			return false
		}
		v = jsonNumber(p.text[p.i:end], whole)
		p.i = end
	case p.word("null"):
	case p.word("true"):
		v = state.Bool(true)
	case p.word("false"):
		v = state.Bool(false)
	default:
		return false
	}
	sum, err := p.sums.scalar(v)
	p.done = append(p.done, node{v: v, id: id, sum: sum})
	return err == nil
}

func (p *jsonParser) word(word string) bool {
	ok := jsonscan.Word(p.b, p.i, word)
	if ok {
		p.i += len(word)
	}
	return ok
}

// string returns the string that is next, and its id as a key.
func (p *jsonParser) string() (text []byte, id string, ok bool) {
	start := p.i + 1
	found, err := jsonscan.ScanString(p.b, start)
	if err != nil {
		return nil, "", false
	}
	p.i = found.End + 1
	if !found.Escaped {
		return p.b[start:found.End:found.End], p.text[start-1 : found.End], true
	}
	if found.Half {
		return nil, "", false // no text has half a character
	}
	text = make([]byte, found.Size)
	jsonscan.Unescape(text, p.b[start:found.End])
	return text, textMark + string(text), true
}

func (p *jsonParser) array(id string, depth int) bool {
	first, sums := len(p.done), len(p.sums.elems)
	ok := p.elements(']', func() bool {
		if !p.value("", depth+1) {
			return false
		}
		p.sums.elems = append(p.sums.elems, p.done[len(p.done)-1].sum)
		return true
	})
	if ok {
		p.complete(first, node{v: emptyList, id: id, sum: p.sums.list(sums)})
	}
	return ok
}

func (p *jsonParser) object(id string, depth int) bool {
	first, sums := len(p.done), len(p.sums.entries)
	ok := p.elements('}', func() bool {
		if p.next() != '"' {
			return false
		}
		_, id, ok := p.string()
		if p.space(); !ok || p.next() != ':' {
			return false
		}
		p.i++
		if p.space(); !p.value(id, depth+1) {
			return false
		}
		p.sums.entry(id, p.done[len(p.done)-1].sum)
		return true
	})
	if !ok {
		return false
	}
	sum, unique := p.sums.mapping(sums)
	if unique {
		p.complete(first, node{v: emptyMap, id: id, sum: sum})
	}
	return unique
}

// elements reads a list or map, in which commas separate what element reads.
func (p *jsonParser) elements(end byte, element func() bool) bool {
	p.i++
	if p.space(); p.next() == end {
		p.i++
		return true
	}
	for element() {
		p.space()
		c := p.next()
		p.i++
		if c == end {
			return true
		}
		if c != ',' {
			return false
		}
		p.space()
	}
	return false
}

// complete puts a list or map in the place of its elements.
func (p *jsonParser) complete(first int, n node) {
	n.kids = append([]node(nil), p.done[first:]...)
	p.done = append(p.done[:first], n)
}

// jsonNumber returns the value of a JSON number; whole tells that it has neither a
// fraction nor an exponent. Large integers keep all their digits, unless there are
// so many that nobody means the number. What no float stands for is given as it is
// spelled, as bytes, which JSON has no other use for.
func jsonNumber(s string, whole bool) state.Value {
	const maxDigits = 1000
	if whole {
		if i, err := strconv.ParseInt(s, 10, 64); err == nil {
			return state.Int(i)
		}
		if len(s) <= maxDigits {
			if i, ok := new(big.Int).SetString(s, 10); ok {
				return state.BigInt(i)
			}
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	// A float stands for every number of up to 15 digits.
	if len(s) <= len(".")+15 && !strings.ContainsAny(s, "eE") {
		return state.Float(f)
	}
	if mantissa, _, _ := strings.Cut(strings.ToLower(s), "e"); !strings.ContainsAny(mantissa, "123456789") {
		return state.Float(f) // zero, whatever the exponent
	}
	// The exponent of what is neither too small nor too large for a float is small.
	if err != nil || f == 0 || len(s) > maxDigits || !sameNumber(s, strconv.FormatFloat(f, 'e', -1, 64)) {
		return state.Bytes([]byte(s))
	}
	return state.Float(f)
}

// sameNumber tells whether two decimal fractions that are about equal, within the
// range of floats, are the same number.
func sameNumber(a, b string) bool {
	x, okX := new(big.Rat).SetString(a)
	y, okY := new(big.Rat).SetString(b)
	return okX && okY && x.Cmp(y) == 0
}
