package flowdiff

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/flowtool/flowtool/state"
)

var jsonTexts = []string{
	``, ` `, `1`, `"a"`, `null`, `[]`, `{}`, ` [ ] `, "\t{\r\n}\n", `[1]x`, `[1][2]`, `[1]]`, `[1],`, "[1]\x00", "\v[]", "[]\u00a0",
	"\ufeff[1]", "\ufeff\ufeff[1]", "\ufeff [1]", " \ufeff[1]", "[\ufeff1]", "[\"\ufeff\"]", "\ufeff",
	`[`, `{`, `[1`, `{"a"`, `{"a":`, `{"a":1`, `[}`, `{]`, `[,]`, `[1,]`, `[,1]`, `[1,,2]`, `[1 2]`, `{,}`, `{"a":1,}`, `{"a" 1}`,
	`{"a":1 "b":2}`, `{"a",1}`, `{1:2}`, `{null:1}`, `{"a":}`, `{"a"::1}`, `["a"1]`, `[1"a"]`, `["a":1]`, `[[1][2]]`,
	`[null,true,false]`, `[nul]`, `[nulll]`, `[null1]`, `[null-1]`, `[nullnull]`, `[True]`, `[NaN]`, `[Infinity]`, `[null ,true]`,
	`[0,-0,1,-1,10,9223372036854775807,-9223372036854775808,9223372036854775808,123456789012345678901234567890]`,
	`[0.0,-0.0,0e0,-0E-5,0e999999999,1.0,1.10,0.1,-2.5,1e2,1E+2,1e-2,100e0,1.5e300,1e400,1e-400,1e-999999999,5e-324]`,
	`[0.123456789012345,123456789012345.6,12345678901234.5,12345678901234567.1,0.1234567890123456789,9007199254740993.0,1234567890123456e1]`,
	`[01]`, `[1.]`, `[.5]`, `[+1]`, `[-]`, `[--1]`, `[1e]`, `[1e+]`, `[1.5.2]`, `[1-2]`, `[0x1]`, `[1_000]`, `[-01]`,
	`["\"\\\/\b\f\n\r\t\u0041\u00e9\u6f22"]`, `["é漢😀"]`, `["\ud83d\ude00"]`, `["\ud83d"]`, `["\ude00\ud83d"]`, `["\ud83dA"]`,
	`["\udcc3\udca9"]`, `["é\udc80"]`, `["\ud83d\u0041"]`, `["\u12"]`, `["\x41"]`, `["\"]`, `["a`, "[\"\x1f\"]", "[\"\n\"]", "[\"\x7f\"]",
	"[\"\xff\"]", "[\"\xc3\"]", "[\"\xed\xa0\x80\"]", "[\"\ufffd\"]", `["\u0000"]`,
	`{"a":1,"a":1}`, `{"a":1,"\u0061":2}`, `{"a":1,"A":2}`, `{"\ud800":1,"\ud801":2}`, `{"\ud800":1,"\ufffd":2}`, `{"":1}`, `{"":1,"":2}`,
	`{"a":{"a":1},"b":[{"a":1},{"a":2}]}`, `{"b":2,"a":1}`, `{"a":1,"b":2}`, `{"é\n":1,"\u00e9\u000a":1}`, `{"\"a":1,"a":2}`,
	`{"a key of more than 24 bytes, which has a hash":1,"a key of more than 24 bytes, which has another":2}`,
	`{"a key of more than 24 bytes, which has a hash":1,"a key of more than 24 bytes, which has a \u0068ash":2}`,
	`["twenty-three characters.","twenty-three characters","twenty-four characters, or more"]`,
	`{"a":[[],{},[[]],[{}],{"":[]},{"":{}}],"b":[null,"null",0,"0",0.0,false,"false",""]}`,
}

// nested returns a list in a list, and so on.
func nested(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

func TestParseJSON(t *testing.T) {
	texts := append(jsonTexts,
		nested(maxJSONDepth), nested(maxJSONDepth+1), nested(maxJSONDepth+2),
		strings.Repeat(`{"a":`, maxJSONDepth+1)+"1"+strings.Repeat("}", maxJSONDepth+1),
		strings.Repeat(`{"a":`, maxJSONDepth)+"1"+strings.Repeat("}", maxJSONDepth),
		"["+strings.Repeat("0,", maxNodes-2)+"0]", "["+strings.Repeat("0,", maxNodes-1)+"0]",
		"["+strings.Repeat("1", 1000)+"]", "["+strings.Repeat("1", 1001)+"]", "[1."+strings.Repeat("0", 1000)+"]",
	)
	for _, a := range texts {
		checkJSON(t, a, a)
	}
	for _, a := range jsonTexts {
		for _, b := range jsonTexts {
			checkJSON(t, a, b)
		}
	}
}

// FuzzParseJSON: encoding/json takes the same texts for JSON, and finds the same
// in them; sums tell what is equal.
func FuzzParseJSON(f *testing.F) {
	for i, s := range jsonTexts {
		f.Add(s, jsonTexts[(i+1)%len(jsonTexts)])
	}
	f.Fuzz(func(t *testing.T, a, b string) { checkJSON(t, a, b) })
}

func checkJSON(t *testing.T, a, b string) {
	t.Helper()
	var p jsonParser
	x, v, ok := parseBoth(t, &p, a)
	if !ok {
		return
	}
	y, w, ok := parseBoth(t, &p, b)
	if !sameInOrder(x.value(), v) {
		t.Errorf("%.200q: changed by parsing %.200q", a, b)
	}
	if ok && (x.sum == y.sum) != state.Equal(v, w) {
		t.Errorf("%.200q, %.200q: equal %v, by their sums %v", a, b, state.Equal(v, w), x.sum == y.sum)
	}
}

// parseBoth parses a text with a jsonParser and with encoding/json.
func parseBoth(t *testing.T, p *jsonParser, text string) (n node, v state.Value, ok bool) {
	t.Helper()
	n, ok = p.parse(text)
	v, err := referenceJSON(text)
	if ok != (err == nil) {
		t.Fatalf("%.200q: taken for JSON %v, want error %v", text, ok, err)
	}
	if !ok {
		return n, v, false
	}
	if got := n.value(); !sameInOrder(got, v) {
		t.Fatalf("%.200q: got %.500s, want %.500s", text, got, v)
	}
	built, err := buildNode(v)
	if err != nil || built.sum != n.sum || fmt.Sprint(built.keys()) != fmt.Sprint(n.keys()) {
		t.Fatalf("%.200q: the same value, built otherwise, is another node", text)
	}
	return n, v, true
}

// sameInOrder is [state.Equal], with maps in the same order.
func sameInOrder(a, b state.Value) bool {
	if !state.Equal(a, b) {
		return false
	}
	x, err1 := a.Elements(nil)
	y, err2 := b.Elements(nil)
	for i := range x {
		if err2 != nil || !sameInOrder(x[i], y[i]) {
			return false
		}
	}
	return err1 != nil || err2 == nil
}

// referenceJSON is what a jsonParser does, by means of encoding/json.
func referenceJSON(s string) (state.Value, error) {
	s = strings.TrimPrefix(s, "\ufeff")
	if t := strings.TrimLeft(s, " \t\r\n"); t == "" || t[0] != '{' && t[0] != '[' || !utf8.ValidString(s) || hasHalf(s) {
		return state.Value{}, errReference
	}
	r := reference{dec: json.NewDecoder(strings.NewReader(s)), left: maxNodes}
	r.dec.UseNumber()
	v, err := r.value(0)
	if err != nil {
		return v, err
	}
	if _, err := r.dec.Token(); err != io.EOF {
		return v, errReference
	}
	return v, nil
}

var (
	pairs   = regexp.MustCompile(`^\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}`)
	halves  = regexp.MustCompile(`^\\u[dD][89a-fA-F][0-9a-fA-F]{2}`)
	escapes = regexp.MustCompile(`^\\.`)
)

// hasHalf tells whether an escape in s is half of a surrogate pair and stands alone.
func hasHalf(s string) bool {
	for s != "" {
		n := max(1, len(pairs.FindString(s)))
		if n == 1 && halves.MatchString(s) {
			return true
		}
		s = s[max(n, len(escapes.FindString(s))):]
	}
	return false
}

var errReference = errors.New("not JSON to be compared by structure")

type reference struct {
	dec  *json.Decoder
	left int
}

func (r *reference) value(depth int) (v state.Value, err error) {
	t, err := r.dec.Token()
	if err != nil {
		return v, err
	}
	if r.left--; r.left < 0 || depth > maxJSONDepth {
		return v, errReference
	}
	switch t := t.(type) {
	case nil:
		return state.Null(), nil
	case bool:
		return state.Bool(t), nil
	case string:
		return state.Text(t), nil
	case json.Number:
		return referenceNumber(string(t)), nil
	case json.Delim:
		if t == '[' {
			return r.array(depth)
		}
		return r.object(depth)
	}
	return v, errReference
}

func (r *reference) array(depth int) (v state.Value, err error) {
	var elems []state.Value
	for r.dec.More() {
		v, err := r.value(depth + 1)
		if err != nil {
			return v, err
		}
		elems = append(elems, v)
	}
	_, err = r.dec.Token()
	return state.NewList(elems...).Value(), err
}

func (r *reference) object(depth int) (v state.Value, err error) {
	var entries []state.Entry
	seen := map[string]bool{}
	for r.dec.More() {
		t, err := r.dec.Token()
		key, ok := t.(string)
		if err != nil || !ok || seen[key] {
			return v, errors.Join(errReference, err)
		}
		seen[key] = true
		v, err := r.value(depth + 1)
		if err != nil {
			return v, err
		}
		entries = append(entries, state.E(key, v))
	}
	_, err = r.dec.Token()
	return state.NewMap(entries...).Value(), err
}

// referenceNumber goes without the short cuts of jsonNumber.
func referenceNumber(s string) state.Value {
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
		return state.Float(f)
	}
	if err != nil || f == 0 || len(s) > maxDigits || !sameNumber(s, strconv.FormatFloat(f, 'e', -1, 64)) {
		return state.Bytes([]byte(s))
	}
	return state.Float(f)
}
