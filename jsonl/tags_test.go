package jsonl_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/jsonl"
	"github.com/flowtool/flowtool/state"
)

// el returns the element with a payload and a tag.
func el(payload string, tag byte) string {
	return fmt.Sprintf("%d:%s%c", len(payload), payload, tag)
}

// dict returns the map with these keys and values, given in logical order.
func dict(elems ...string) string {
	var b strings.Builder
	for i := len(elems) - 2; i >= 0; i -= 2 {
		b.WriteString(elems[i] + elems[i+1])
	}
	return el(b.String(), '}')
}

func list(elems ...string) string { return el(strings.Join(elems, ""), ']') }

func text(s string) string { return el(s, ';') }
func raw(s string) string  { return el(s, ',') }

// TestValues has values as they stand in a dump and in a line, at a place where
// a string is text.
func TestValues(t *testing.T) {
	for _, tt := range []struct{ element, json string }{
		{"0:~", `null`},
		{"4:true!", `true`},
		{"5:false!", `false`},
		{text(""), `""`},
		{text("abc"), `"abc"`},
		{text("a\"\\/\b\f\n\r\t\x00\x1f\x7f"), `"a\"\\/\b\f\n\r\t\u0000\u001f\u007f"`},
		{text("é\u0080\u009f\u00a0€😀"), `"é\u0080\u009f` + "\u00a0" + `€😀"`},
		{text("\u061b\u061c\u061d\u200d\u200e\u200f\u2010\u2027\u2028\u2029\u202a\u202e\u202f\u2065\u2066\u2069\u206a\ufeff"),
			`"` + "\u061b" + `\u061c` + "\u061d\u200d" + `\u200e\u200f` + "\u2010\u2027" + `\u2028\u2029\u202a\u202e` + "\u202f\u2065" + `\u2066\u2069` + "\u206a\ufeff" + `"`},
		{text("<script>&'"), `"<script>&'"`},
		{raw(""), `{"$bytes":""}`},
		{raw("é\n"), `{"$bytes":"é\n"}`},
		{raw("\xff\x00"), `{"$base64":"/wA="}`},
		{raw("\xed\xa0\x80"), `{"$base64":"7aCA"}`},
		{"1:0#", `0`},
		{"2:-1#", `-1`},
		{"16:9007199254740991#", `9007199254740991`},
		{"17:-9007199254740991#", `-9007199254740991`},
		{"16:9007199254740992#", `{"$int":"9007199254740992"}`},
		{"17:-9007199254740992#", `{"$int":"-9007199254740992"}`},
		{"30:123456789012345678901234567890#", `{"$int":"123456789012345678901234567890"}`},
		{"2:-0#", `{"$int":"-0"}`},
		{"3:007#", `{"$int":"007"}`},
		{"5: 1_0\n#", `{"$int":" 1_0\n"}`},
		{"3:1.0^", `1.0`},
		{"4:-0.0^", `-0.0`},
		{"4:1.25^", `1.25`},
		{"6:0.0001^", `0.0001`},
		{"5:1e+16^", `1e+16`},
		{"5:1e-05^", `1e-05`},
		{"6:5e-324^", `5e-324`},
		{"23:1.7976931348623157e+308^", `1.7976931348623157e+308`},
		{"18:1795325562.9785495^", `1795325562.9785495`},
		{"18:9007199254740993.0^", `9007199254740993.0`},
		{"3:nan^", `{"$float":"nan"}`},
		{"3:inf^", `{"$float":"inf"}`},
		{"4:-inf^", `{"$float":"-inf"}`},
		{"4:1.50^", `{"$float":"1.50"}`},
		{"1:5^", `{"$float":"5"}`},
		{"2:5.^", `{"$float":"5."}`},
		{"4:01.5^", `{"$float":"01.5"}`},
		{"4:1E16^", `{"$float":"1E16"}`},
		{"8:Infinity^", `{"$float":"Infinity"}`},
		{"5:1e999^", `{"$float":"1e999"}`},
		{"22:0.10000000000000000555^", `{"$float":"0.10000000000000000555"}`},
		{list(), `[]`},
		{list("0:~", list("1:1#"), raw("x")), `[null,[1],{"$bytes":"x"}]`},
		{dict(), `{}`},
		{dict(text("b"), "1:1#", text("a"), "1:2#"), `{"b":1,"a":2}`},
		{dict(text("$ref"), "1:1#"), `{"$$ref":1}`},
		{dict(text("$"), "1:1#", text("$$x"), "1:2#"), `{"$$":1,"$$$x":2}`},
		{dict(text("$base64"), text("/wA=")), `{"$$base64":"/wA="}`},
		{dict(text(""), "1:1#"), `{"":1}`},
		{dict(text("\x1b\""), "1:1#"), `{"\u001b\"":1}`},
		{dict(raw("b"), raw("x"), raw("a"), text("x")), `{"$keys":"bytes","b":"x","a":{"$text":"x"}}`},
		{dict(raw("$b"), dict(raw("$c"), list(raw("\xff"), "1:1#"))), `{"$keys":"bytes","$$b":{"$$c":[{"$base64":"/w=="},1]}}`},
		{dict(raw("a"), dict(text("t"), raw("x"))), `{"$keys":"bytes","a":{"$map":[["t",{"$bytes":"x"}]]}}`},
		{dict(raw("a"), dict()), `{"$keys":"bytes","a":{}}`},
		{dict(raw("\xff"), raw("x")), `{"$map":[[{"$base64":"/w=="},{"$bytes":"x"}]]}`},
		{dict("1:1#", text("one"), text("1"), "1:2#"), `{"$map":[[1,"one"],["1",2]]}`},
		{dict(text("a"), "1:1#", raw("a"), "1:2#"), `{"$map":[["a",1],[{"$bytes":"a"},2]]}`},
		{dict("0:~", "1:1#", "4:true!", "1:2#", "3:1.5^", "1:3#", "3:nan^", "1:4#", "3:nan^", "1:5#"),
			`{"$map":[[null,1],[true,2],[1.5,3],[{"$float":"nan"},4],[{"$float":"nan"},5]]}`},
	} {
		record := dict(text("version"), "2:21#", text("metadata"), dict(text("k"), tt.element))
		want := `{"version":21,"metadata":{"k":` + tt.json + "}}\n"
		if got := string(roundTrip(t, []byte(record))); got != want {
			t.Errorf("%q: got %s, want %s", tt.element, got, want)
		}
	}
}

// TestPlaces: what a string and a whole number mean depends on the place.
func TestPlaces(t *testing.T) {
	for _, tt := range []struct{ element, json string }{
		{raw("GET"), `{"request":{"method":"GET"}}`},
		{text("GET"), `{"request":{"method":{"$text":"GET"}}}`},
		{raw("\xff"), `{"request":{"method":{"$base64":"/w=="}}}`},
		{"1:1#", `{"request":{"method":1}}`},
		{dict(raw("x"), raw("y")), `{"request":{"method":{"$keys":"bytes","x":"y"}}}`},
		{list(raw("y")), `{"request":{"method":[{"$bytes":"y"}]}}`},
		{dict(text("x"), text("y")), `{"request":{"method":{"x":"y"}}}`},
		{text("h"), `{"request":{"host":"h"}}`},
		{raw("h"), `{"request":{"host":{"$bytes":"h"}}}`},
		{raw("h"), `{"version":9,"request":{"host":{"$bytes":"h"}}}`},
		{raw("h"), `{"version":8,"request":{"host":"h"}}`},
		{raw("h"), `{"request":{"host":"h"},"version":8}`},
		{raw("h"), `{"request":{"host":"h"},"version":[0,18,2]}`},
		{raw("h"), `{"request":{"host":{"$bytes":"h"}},"version":"8"}`},
		{text("h"), `{"request":{"host":{"$text":"h"}},"version":8}`},
		{raw("h"), `{"version":21,"backup":{"request":{"host":"h"},"version":7}}`},
		{raw("h"), `{"backup":{"version":21},"version":7,"request":{"host":"h"}}`},
		{raw("h"), `{"version":7,"backup":{"request":{"host":{"$bytes":"h"}}}}`},
		{raw("h"), `{"handshake_flow":{"request":{"host":"h"},"version":[2,0,0]}}`},
		{"1:1#", `{"error":{"timestamp":{"$int":"1"}}}`},
		{"3:1.0^", `{"error":{"timestamp":1.0}}`},
		{"1:1#", `{"request":{"timestamp_start":1}}`},
		{"3:1.0^", `{"request":{"timestamp_start":1.0}}`},
		{list(list(raw("a"), raw("b"))), `{"response":{"headers":[["a","b"]]}}`},
		{list(list(text("a"), raw("b"), "0:~")), `{"response":{"trailers":[[{"$text":"a"},"b",null]]}}`},
		{list(list("5:false!", raw("b"), "1:1#")), `{"messages":[[false,"b",1]]}`},
		{list(list("1:1#", "5:false!", text("b"), "1:1#")), `{"messages":[[1,false,"b",1]]}`},
		{list(list("1:1#", "5:false!", raw("b"))), `{"websocket":{"messages":[[1,false,"b"]]}}`},
		{raw("b"), `{"response":{"answers":[{"data":"b"}]}}`},
		{raw("b"), `{"server_conn":{"certificate_list":["b"]}}`},
		{raw("b"), `{"server_conn":{"via":{"cert":"b"}}}`},
		{list(text("http"), list(text("h"), "1:1#")), `{"server_conn":{"via":["http",["h",1]]}}`},
		{list(list("1:1#", raw("b"))), `{"client_conn":{"tls_extensions":[[1,"b"]]}}`},
		{raw("b"), `{"metadata":{"request":{"path":{"$bytes":"b"}}}}`},
	} {
		m, err := jsonl.Decode([]byte(tt.json))
		if err != nil {
			t.Errorf("%s: %v", tt.json, err)
			continue
		}
		record, err := tnetstring.Append(nil, m.Value())
		if err != nil || !bytes.Contains(record, []byte(tt.element)) {
			t.Errorf("%s: gives %q, %v, which has no %q", tt.json, record, err, tt.element)
		}
		if line := string(roundTrip(t, record)); line != tt.json+"\n" {
			t.Errorf("%s: comes back as %s", tt.json, line)
		}
	}
}

// TestAccepted has spellings that are not those of this package.
func TestAccepted(t *testing.T) {
	for _, tt := range []struct{ json, want string }{
		{" \t{ \"k\" :\r\n [ 1 , { } , [ ] ] , \"l\" : { \"m\" : null } } \r\n", `{"k":[1,{},[]],"l":{"m":null}}`},
		{`{"k":"\u0041\/\u00e9\uD83D\uDE00"}`, `{"k":"A/é😀"}`},
		{`{"\u0076ersion":21,"re\u0071uest":{"\u0070ath":"\/"}}`, `{"version":21,"request":{"path":"/"}}`},
		{`{"\u0024keys":"bytes","k":"v"}`, `{"$keys":"bytes","k":"v"}`},
		{`{"k":{"\u0024base64":"\/wA="}}`, `{"k":{"$base64":"/wA="}}`},
		{`{"k":{"$base64":"YWJj"}}`, `{"k":{"$bytes":"abc"}}`},
		{`{"request":{"path":{"$base64":"YWJj"}}}`, `{"request":{"path":"abc"}}`},
		{`{"request":{"path":{"$bytes":"abc"}}}`, `{"request":{"path":"abc"}}`},
		{`{"k":{"$text":"abc"}}`, `{"k":"abc"}`},
		{`{"k":{"$int":"5"},"l":{"$float":"5.0"}}`, `{"k":5,"l":5.0}`},
		{`{"k":{"$int":"\u0035"}}`, `{"k":5}`},
		{`{"k":9007199254740993}`, `{"k":{"$int":"9007199254740993"}}`},
		{`{"k":[1e2,1E+2,0.00001,1.50,100000000000000000000.0,-0,-0.0,0e9]}`, `{"k":[100.0,100.0,1e-05,1.5,1e+20,-0.0,-0.0,0.0]}`},
		{`{"error":{"timestamp":17}}`, `{"error":{"timestamp":17.0}}`},
		{`{"error":{"timestamp":-0}}`, `{"error":{"timestamp":-0.0}}`},
		{`{"error":{"timestamp":123456789012345678}}`, `{"error":{"timestamp":1.2345678901234568e+17}}`},
		{`{"k":{"$map":[]}}`, `{"k":{}}`},
		{`{"k":{"$map":[["a",1]]}}`, `{"k":{"a":1}}`},
		{`{"k":{"$map":[ [ {"$bytes":"a"} , 1 ] ]}}`, `{"k":{"$keys":"bytes","a":1}}`},
		{`{"k":{"$keys":"bytes"}}`, `{"k":{}}`},
		{`{"$map":[["version",21],["request",{"path":"x"}]]}`, `{"version":21,"request":{"path":{"$text":"x"}}}`},
		{`{}`, `{}`},
	} {
		m, err := jsonl.Decode([]byte(tt.json))
		if err != nil {
			t.Errorf("%s: %v", tt.json, err)
			continue
		}
		if got, err := jsonl.Append(nil, m); err != nil || string(got) != tt.want+"\n" {
			t.Errorf("%s: got %s, %v, want %s", tt.json, got, err, tt.want)
		}
		// The same state, made of values.
		record, _ := tnetstring.Append(nil, m.Value())
		roundTrip(t, record)
	}
}

// TestInMemory: states that were not read from a dump.
func TestInMemory(t *testing.T) {
	huge, _ := new(big.Int).SetString("-123456789012345678901234567890", 10)
	m := state.NewMap(
		state.E("version", state.Int(21)),
		state.E("request", state.NewMap(
			state.E("path", state.Bytes([]byte("/"))),
			state.E("timestamp_start", state.Float(1)),
		).Value()),
		state.E("metadata", state.NewMap(
			state.E("values", state.NewList(
				state.BigInt(huge), state.Float(math.NaN()), state.Float(math.Inf(-1)), state.Float(math.Copysign(0, -1)),
				state.Float(1e16), state.Bytes([]byte{0xff}), state.Null(), state.Bool(true),
			).Value()),
			state.E("map", state.NewMap(state.Entry{Key: state.Int(1), Value: state.Text("one")}).Value()),
		).Value()),
	)
	want := `{"version":21,"request":{"path":"/","timestamp_start":1.0},"metadata":{"values":[` +
		`{"$int":"-123456789012345678901234567890"},{"$float":"nan"},{"$float":"-inf"},-0.0,1e+16,{"$base64":"/w=="},null,true],` +
		`"map":{"$map":[[1,"one"]]}}}` + "\n"
	line, err := jsonl.Append([]byte("before"), m)
	if err != nil || string(line) != "before"+want {
		t.Fatalf("got %s, %v, want %s", line, err, want)
	}
	back, err := jsonl.Decode([]byte(want))
	if err != nil {
		t.Fatal(err)
	}
	if !state.Equal(back.Value(), m.Value()) {
		t.Error("the state that comes back is another one")
	}
}

// TestAppendFails: states that cannot be written to a dump have no line either.
func TestAppendFails(t *testing.T) {
	for _, tt := range []struct {
		name string
		v    state.Value
		want error
	}{
		{"text", state.Text("\xff"), tnetstring.ErrUTF8},
		{"skipped", state.External(state.KindBytes, &state.Extent{Len: 1000}), state.ErrElided},
		{"list as key", state.NewMap(state.Entry{Key: state.NewList().Value()}).Value(), tnetstring.ErrContainerKey},
	} {
		got, err := jsonl.Append([]byte("before"), state.NewMap(state.E("a", state.NewList(tt.v).Value())))
		if !errors.Is(err, tt.want) || string(got) != "before" || !strings.HasPrefix(err.Error(), "/a/0: ") {
			t.Errorf("%s: got %q, %v", tt.name, got, err)
		}
	}
	// A record that was skipped as a whole.
	whole := state.ExternalMap(&state.Source{Codec: tnetstring.Codec{}}, &state.Extent{Len: 1000}, 0, nil)
	m, err := whole.Map()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := jsonl.Append(nil, m); err != state.ErrElided || len(got) > 0 {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestConcurrent is for the race detector.
func TestConcurrent(t *testing.T) {
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			for j := range 100 {
				record := []byte(dict(text("version"), "2:21#", text("metadata"), dict(text(fmt.Sprint(i)), list(raw(fmt.Sprint(j)), text("\x00")))))
				line, err := jsonl.AppendRecord(nil, record)
				if err != nil {
					t.Error(err)
				}
				if back, err := jsonl.DecodeRecord(nil, line); err != nil || !bytes.Equal(back, record) {
					t.Errorf("got %q, %v", back, err)
				}
			}
		})
	}
	group.Wait()
}

// TestEdited: what nobody touched in an edited state keeps its spelling.
func TestEdited(t *testing.T) {
	m, err := flowMap([]byte(dict(text("version"), "2:21#", text("a"), dict(text("f"), "4:1.50^"), text("comment"), text(""))))
	if err != nil {
		t.Fatal(err)
	}
	m.Set("comment", state.Text("x"))
	line, err := jsonl.Append(nil, m)
	if want := `{"version":21,"a":{"f":{"$float":"1.50"}},"comment":"x"}` + "\n"; err != nil || string(line) != want {
		t.Errorf("got %s, %v, want %s", line, err, want)
	}
}

// odd are records that mitmproxy reads and would write in other bytes, with the
// line without $raw.
var odd = []struct{ name, record, line string }{
	{"leading zero", "10:01:a;01:1#}", `{"a":1}`},
	{"leading zero outside", "008:1:a;1:1#}", `{"a":1}`},
	{"sign and spaces", "18:+1:a; 1 :1#1:b;0:~}", `{"b":null,"a":1}`},
	{"key twice", dict(text("a"), "1:1#", text("b"), "1:2#", text("a"), "1:3#"), `{"b":2,"a":1}`},
	{"known key twice", dict(text("id"), "1:1#", text("b"), "1:2#", text("id"), "1:3#"), `{"b":2,"id":1}`},
	{"1 and true", dict(text("k"), dict("1:1#", text("a"), "4:true!", text("b"))), `{"k":{"$map":[[true,"a"]]}}`},
	{"deep", dict(text("request"), dict(text("headers"), list(list(raw("a"), "01:b,")))), `{"request":{"headers":[["a","b"]]}}`},
	{"odd number as well", dict(text("k"), list("4:1.50^", "02:ab;")), `{"k":[1.5,"ab"]}`},
	{"everything twice", "16:1:a;1:1#1:a;1:1#}", `{"a":1}`},
	{"empty", "00:}", `{}`},
}

func TestRaw(t *testing.T) {
	for _, tt := range odd {
		// Which of two values counts is the business of the codec.
		line := roundTrip(t, []byte(tt.record))
		got, rest, ok := strings.Cut(string(line), `"$raw":"`)
		if !ok || !strings.HasSuffix(rest, "\"}\n") {
			t.Errorf("%s: %s has no $raw", tt.name, line)
			continue
		}
		got = strings.TrimSuffix(got, ",") + "}"
		if got != tt.line {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.line)
		}
		// Somebody else spells it in another way: still the same record.
		spaced := strings.ReplaceAll(strings.ReplaceAll(string(line), ":", " : "), ",", " , ")
		if back, err := jsonl.DecodeRecord(nil, []byte(spaced)); err != nil || string(back) != tt.record {
			t.Errorf("%s: %s: got %q, %v", tt.name, spaced, back, err)
		}
		// The same with the member in front, where jq -S puts it.
		front := `{"$raw":"` + strings.TrimSuffix(rest, "}\n") + strings.Replace(","+tt.line[1:], ",}", "}", 1)
		if back, err := jsonl.DecodeRecord(nil, []byte(front)); err != nil || string(back) != tt.record {
			t.Errorf("%s: %s: got %q, %v", tt.name, front, back, err)
		}
		// Somebody changed the line: what it says counts.
		changed := strings.Replace(string(line), "{", `{"new":1,`, 1)
		m, err := jsonl.Decode([]byte(changed))
		if err != nil {
			t.Fatal(err)
		}
		if v, err := m.Int64("new"); err != nil || v != 1 {
			t.Errorf("%s: the change is lost", tt.name)
		}
		again, err := jsonl.Append(nil, m)
		if err != nil || bytes.Contains(again, []byte("$raw")) {
			t.Errorf("%s: got %s, %v", tt.name, again, err)
		}
		// Nothing but the record.
		alone := `{"$raw":"` + strings.TrimSpace(rest)
		if back, err := jsonl.DecodeRecord(nil, []byte(alone)); err != nil || string(back) != tt.record {
			t.Errorf("%s: %s: got %q, %v", tt.name, alone, back, err)
		}
	}
}

// TestDamaged: records that are damaged have no line.
func TestDamaged(t *testing.T) {
	for _, tt := range []struct{ name, record, path string }{
		{"text", dict(text("a"), dict(text("b"), text("\xff"))), "/a/b"},
		{"key", dict(text("\xff"), "0:~"), ""},
		{"integer", dict(text("a"), "1:x#"), "/a"},
		{"float", dict(text("a"), "1:x^"), "/a"},
		{"bool", dict(text("a"), "4:TRUE!"), "/a"},
		{"null", dict(text("a"), "1:x~"), ""},
		{"tag", dict(text("a"), "1:x?"), ""},
		{"cut", "9:1:a;1:1#}", ""},
		{"cut inside", dict(text("a"), "9:x;"), ""},
		{"list as key", dict(list(), "0:~"), ""},
		{"key without value", el(text("a"), '}'), ""},
		{"no map", list(), ""},
		{"no record", "", ""},
		{"two records", dict() + dict(), ""},
		{"deep", dict(text("a"), deep(tnetstring.DefaultMaxDepth)), ""},
	} {
		got, err := jsonl.AppendRecord([]byte("before"), []byte(tt.record))
		if err == nil || string(got) != "before" {
			t.Errorf("%s: got %q, %v", tt.name, got, err)
			continue
		}
		if tt.path != "" && !strings.HasPrefix(err.Error(), tt.path+": ") {
			t.Errorf("%s: got %v, want it to begin with %s", tt.name, err, tt.path)
		}
		if m, err := flowMap([]byte(tt.record)); err == nil && tt.name != "two records" {
			if got, err := jsonl.Append([]byte("before"), m); err == nil || string(got) != "before" {
				t.Errorf("%s: state gives %q, %v", tt.name, got, err)
			}
		}
	}
	// As deep as it may be.
	roundTrip(t, []byte(dict(text("a"), deep(tnetstring.DefaultMaxDepth-1))))
}

// deep returns so many lists within each other.
func deep(levels int) string {
	s := ""
	for range levels {
		s = list(s)
	}
	return s
}

// TestManyKeys: keys are compared when they are few, and hashed when they are
// many.
func TestManyKeys(t *testing.T) {
	for _, n := range []int{1, 23, 24, 25, 100, 5000} {
		var elems []string
		var json []string
		for i := range n {
			elems = append(elems, text(fmt.Sprint("key ", i)), dict(text("x"), "1:1#"))
			json = append(json, fmt.Sprintf(`"key %d":{"x":1}`, i))
		}
		line := roundTrip(t, []byte(dict(elems...)))
		if want := "{" + strings.Join(json, ",") + "}\n"; string(line) != want {
			t.Errorf("%d keys: got %.100s, want %.100s", n, line, want)
		}
		twice := slices.Concat(elems, elems[:2])
		if line := roundTrip(t, []byte(dict(twice...))); !bytes.Contains(line, []byte("$raw")) {
			t.Errorf("%d keys, one of them twice: %.100s", n, line)
		}
		dup := "{" + strings.Join(append(json, `"key 0":1`), ",") + "}"
		if _, err := jsonl.Decode([]byte(dup)); err == nil || !strings.Contains(err.Error(), `key "key 0" occurs twice`) {
			t.Errorf("%d keys, one of them twice: %v", n, err)
		}
	}
}
