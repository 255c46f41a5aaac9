package flowdiff

import (
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/flowtool/flowtool/state"
)

const (
	// maxJSONDepth limits the nesting of JSON that is compared by structure.
	maxJSONDepth = 200
	// maxJSONChanges limits the changes in one JSON text. Texts that differ in
	// more places are rather different texts, and are compared by line.
	maxJSONChanges = 1000
)

// json compares two JSON texts by structure; it returns false if that cannot be
// done.
func (d *differ) json(p at, a, b string) bool {
	x, err := parseJSON(a)
	if err != nil {
		return false
	}
	y, err := parseJSON(b)
	if err != nil {
		return false
	}
	found, reported := d.found, len(d.changes)
	d.value(p, x, y, false)
	if d.found-found > maxJSONChanges {
		d.found, d.changes = found, d.changes[:reported]
		return false
	}
	return true
}

var errJSON = errors.New("not JSON to be compared by structure")

// parseJSON returns the value of a JSON text that is an object or an array.
// Strings become text, numbers integers or floats. It refuses what has no one
// meaning: repeated keys, text that is not UTF-8.
func parseJSON(s string) (state.Value, error) {
	s = strings.TrimPrefix(s, "\ufeff")
	if t := strings.TrimLeft(s, " \t\r\n"); t == "" || t[0] != '{' && t[0] != '[' || !utf8.ValidString(s) {
		return state.Value{}, errJSON
	}
	p := jsonParser{dec: json.NewDecoder(strings.NewReader(s)), left: maxNodes}
	p.dec.UseNumber()
	v, err := p.next(0)
	if err != nil {
		return state.Value{}, err
	}
	if _, err := p.dec.Token(); err != io.EOF {
		return state.Value{}, errJSON
	}
	return v, nil
}

type jsonParser struct {
	dec  *json.Decoder
	left int // values that may still come
}

func (p *jsonParser) next(depth int) (state.Value, error) {
	t, err := p.dec.Token()
	if err != nil {
		return state.Value{}, err
	}
	return p.value(t, depth)
}

func (p *jsonParser) value(t json.Token, depth int) (state.Value, error) {
	if p.left--; p.left < 0 || depth > maxJSONDepth {
		return state.Value{}, errJSON
	}
	switch t := t.(type) {
	case nil:
		return state.Null(), nil
	case bool:
		return state.Bool(t), nil
	case string:
		return state.Text(t), nil
	case json.Number:
		return jsonNumber(string(t)), nil
	case json.Delim:
		if t == '[' {
			return p.array(depth)
		}
		return p.object(depth)
	}
	return state.Value{}, errJSON
}

func (p *jsonParser) array(depth int) (state.Value, error) {
	var elems []state.Value
	for p.dec.More() {
		v, err := p.next(depth + 1)
		if err != nil {
			return v, err
		}
		elems = append(elems, v)
	}
	_, err := p.dec.Token() // the closing bracket
	return state.NewList(elems...).Value(), err
}

func (p *jsonParser) object(depth int) (state.Value, error) {
	var entries []state.Entry
	seen := map[string]bool{}
	for p.dec.More() {
		t, err := p.dec.Token()
		key, ok := t.(string)
		if err != nil || !ok || seen[key] {
			return state.Value{}, errors.Join(errJSON, err)
		}
		seen[key] = true
		v, err := p.next(depth + 1)
		if err != nil {
			return v, err
		}
		entries = append(entries, state.E(key, v))
	}
	_, err := p.dec.Token()
	return state.NewMap(entries...).Value(), err
}

// jsonNumber returns the value of a JSON number. Large integers keep all their
// digits, unless there are so many that nobody means the number. What no float
// stands for is given as it is spelled, as bytes, which JSON has no other use for.
func jsonNumber(s string) state.Value {
	const maxDigits = 1000
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return state.Int(i)
	}
	if !strings.ContainsAny(s, ".eE") && len(s) <= maxDigits {
		if i, ok := new(big.Int).SetString(s, 10); ok {
			return state.BigInt(i)
		}
	}
	f, err := strconv.ParseFloat(s, 64)
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
