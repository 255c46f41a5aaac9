package searchtext

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

func TestAppendMetadata(t *testing.T) {
	for _, tt := range []struct{ in, want string }{ // in typed JSON, in the order of the file
		{`{"d":[]}`, ""},
		{`{"d":[["key","value"]]}`, "key: value"},
		{`{"d":[["a","1"],["b","2"],["a b",""]]}`, "a: 1\nb: 2\na b: "},
		{`{"d":[["line\nbreak","tab\there 'é'"]]}`, "line\nbreak: tab\there 'é'"},
		{`{"d":[["x",null],["y",true],["z",false]]}`, "x: None\ny: True\nz: False"},
		{`{"d":[[null,{"i":"-1"}],[true,{"i":"0"}],[{"i":"5"},{"i":"123456789012345678901234567890"}]]}`,
			"None: -1\nTrue: 0\n5: 123456789012345678901234567890"},
		{`{"d":[["a",{"f":"3"}],["b",{"f":"0.0001"}],["c",{"f":"-0"}],["d",{"f":"1e15"}],["e",{"f":"1e-5"}],["f",{"f":"1.5e22"}],["g",{"f":"inf"}],["h",{"f":"-inf"}],["i",{"f":"nan"}],["j",{"f":"1e300"}]]}`,
			"a: 3.0\nb: 0.0001\nc: -0.0\nd: 1000000000000000.0\ne: 1e-05\nf: 1.5e+22\ng: inf\nh: -inf\ni: nan\nj: 1e+300"},
		{`{"d":[["a",{"b":"AHJhdyf/"}],[{"b":"aw=="},{"b":""}]]}`, "a: b\"\\x00raw'\\xff\"\nb'k': b''"},
		{`{"d":[["a",[]],["b",{"d":[]}],["c",[{"i":"1"},"two",{"f":"3"},null,"tab\there"]]]}`,
			`a: []` + "\n" + `b: {}` + "\n" + `c: [1, 'two', 3.0, None, 'tab\there']`},
		{`{"d":[["a",{"d":[["key","value"],["n",{"d":[["deep",[true]]]}]]}]]}`, `a: {'key': 'value', 'n': {'deep': [True]}}`},
		{`{"d":[["q",["'","\"","'\"","\\","\r\n\u0000\u007f\u00a0\u00ad\u2028\ud83d\ude00\ue000 é\udb40\udc01"]]]}`,
			`q: ["'", '"', '\'"', '\\', '\r\n\x00\x7f\xa0\xad\u2028😀\ue000 é\U000e0001']`},
	} {
		v, err := flowtest.ParseValue([]byte(tt.in))
		if err != nil {
			t.Fatal(err)
		}
		v = flowtest.Reversed(v)
		got, err := AppendMetadata([]byte("before "), &v)
		if err != nil || string(got) != "before "+tt.want {
			t.Errorf("%s\n is %q, %v\nwant %q", tt.in, got, err, tt.want)
		}
		// The order is the same after writing and reading.
		record, err := tnetstring.Append(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		src := &state.Source{Codec: tnetstring.Codec{}, Data: record}
		read, err := src.Codec.Open(src, record)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := AppendMetadata(nil, &read); err != nil || string(got) != tt.want {
			t.Errorf("%s\n is %q, %v after reading it\nwant %q", tt.in, got, err, tt.want)
		}
	}
}

func TestAppendMetadataErrors(t *testing.T) {
	list := state.NewList().Value()
	got, err := AppendMetadata([]byte("x"), &list)
	if _, ok := errors.AsType[*state.TypeError](err); !ok || string(got) != "x" {
		t.Errorf("a list: %q, %v", got, err)
	}
	record := []byte("9:1:a;2:xx#}")
	src := &state.Source{Codec: tnetstring.Codec{}, Data: record}
	v, err := src.Codec.Open(src, record)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := AppendMetadata([]byte("x"), &v); err == nil || string(got) != "x" {
		t.Errorf("a bad integer: %q, %v", got, err)
	}
}

func TestTextRepr(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", `''`},
		{"\xff\xc3", `'\udcff\udcc3'`},
		{"\xed\xa0\x80", `'\udced\udca0\udc80'`},
		{"\ufffd", "'\ufffd'"},
		{"\U0002ebf0\u2ffc\u31ef", "'\U0002ebf0\u2ffc\u31ef'"}, // since Unicode 15.1
	} {
		if got := string(appendTextRepr(nil, []byte(tt.in))); got != tt.want {
			t.Errorf("repr of %q is %s, want %s", tt.in, got, tt.want)
		}
	}
}

// randomValue returns a value, and the same in typed JSON in the order of the file.
func randomValue(rnd *rand.Rand, depth int) (state.Value, any) {
	kinds := 6
	if depth > 0 {
		kinds = 9
	}
	switch rnd.IntN(kinds) {
	case 0:
		return state.Null(), nil
	case 1:
		b := rnd.IntN(2) == 0
		return state.Bool(b), b
	case 2:
		digits := strconv.FormatInt(int64(rnd.Uint64()>>rnd.IntN(64)), 10)
		if rnd.IntN(3) == 0 {
			digits += strings.Repeat(strconv.Itoa(rnd.IntN(10)), rnd.IntN(100))
		}
		return typed(map[string]any{"i": digits})
	case 3:
		f := math.Float64frombits(rnd.Uint64())
		if rnd.IntN(2) == 0 {
			f = float64(rnd.IntN(1e6)) * math.Pow10(rnd.IntN(40)-20)
		}
		return typed(map[string]any{"f": strconv.FormatFloat(f, 'g', -1, 64)})
	case 4:
		b := make([]byte, rnd.IntN(12))
		for i := range b {
			b[i] = special[rnd.IntN(len(special))]
			if rnd.IntN(2) == 0 {
				b[i] = byte(rnd.Uint32())
			}
		}
		return typed(map[string]any{"b": b64(b)})
	case 5:
		s := randomText(rnd)
		return state.Text(s), s
	case 6, 7:
		l, list := state.NewList(), []any{}
		for range rnd.IntN(4) {
			v, j := randomValue(rnd, depth-1)
			l.Append(v)
			list = append(list, j)
		}
		return l.Value(), list
	}
	return randomMap(rnd, depth)
}

func typed(j any) (state.Value, any) {
	data, err := json.Marshal(j)
	if err != nil {
		panic(err)
	}
	v, err := flowtest.ParseValue(data)
	if err != nil {
		panic(err)
	}
	return v, j
}

func randomMap(rnd *rand.Rand, depth int) (state.Value, any) {
	n := rnd.IntN(4)
	entries, pairs := make([]state.Entry, n), make([]any, n)
	for i := range n {
		var k state.Value
		var key any
		switch number := strconv.Itoa(10 + i); rnd.IntN(8) {
		case 0:
			k, key = typed(map[string]any{"i": number})
		case 1:
			k, key = typed(map[string]any{"f": number + ".5"})
		case 2:
			k, key = typed(map[string]any{"b": b64(number + "'")})
		default:
			s := number + randomText(rnd)
			k, key = state.Text(s), s
		}
		v, j := randomValue(rnd, depth-1)
		entries[i] = state.Entry{Key: k, Value: v}
		pairs[n-1-i] = []any{key, j}
	}
	return state.NewMap(entries...).Value(), map[string]any{"d": pairs}
}

// special are ASCII characters that some display treats in a way of its own.
const special = "'\"\\\t\n\r\x00\x1f ~\x7f'\""

func randomText(rnd *rand.Rand) string {
	var b strings.Builder
	for range rnd.IntN(10) {
		switch rnd.IntN(4) {
		case 0:
			b.WriteByte(special[rnd.IntN(len(special))])
		case 1:
			b.WriteRune(rune(rnd.IntN(0x400)))
		case 2:
			b.WriteByte(byte('a' + rnd.IntN(26)))
		default:
			if r := rune(rnd.IntN(utf8.MaxRune + 1)); utf8.RuneLen(r) > 0 {
				b.WriteRune(r)
			}
		}
	}
	return b.String()
}

func TestMetadataOracle(t *testing.T) {
	python := flowtest.Oracle(t)
	rnd := rand.New(rand.NewPCG(7, 8))
	var questions []question
	var values []state.Value
	for range 10000 {
		v, j := randomMap(rnd, 3)
		values = append(values, v)
		questions = append(questions, question{"metadata", j})
	}
	// What is printable.
	const step = 1 << 8
	for first := rune(0); first < utf8.MaxRune; first += step {
		var b strings.Builder
		for r := first; r < first+step; r++ {
			if utf8.RuneLen(r) > 0 {
				b.WriteRune(r)
			}
		}
		s := b.String()
		values = append(values, state.NewMap(state.E("", state.NewList(state.Text(s)).Value())).Value())
		questions = append(questions, question{"metadata", map[string]any{"d": []any{[]any{"", []any{s}}}}})
	}
	for i, answer := range ask(t, python, questions) {
		if class := failed(answer); class != "" {
			t.Errorf("%v: mitmproxy raises %s", questions[i], class)
			continue
		}
		got, err := AppendMetadata(nil, &values[i])
		if want := texts(t, answer)[0]; err != nil || string(got) != want {
			t.Errorf("%v\n is %q, %v\nwant %q", questions[i], got, err, want)
		}
	}
}

func BenchmarkAppendMetadata(b *testing.B) {
	v, err := flowtest.ParseValue([]byte(`{"d":[["quic_is_unidirectional",false],["copied_from",{"i":"12"}],["nested",{"d":[["key",["a","b"]]]}]]}`))
	if err != nil {
		b.Fatal(err)
	}
	record, err := tnetstring.Append(nil, v)
	if err != nil {
		b.Fatal(err)
	}
	src := &state.Source{Codec: tnetstring.Codec{}, Data: record}
	if v, err = src.Codec.Open(src, record); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	buf := make([]byte, 0, 256)
	for b.Loop() {
		if buf, err = AppendMetadata(buf[:0], &v); err != nil {
			b.Fatal(err)
		}
	}
}
