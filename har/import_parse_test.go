package har

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/internal/jsonscan"
	"github.com/flowtool/flowtool/state"
)

// TestSyntaxErrors has entries that are not JSON. The error is where before ends.
func TestSyntaxErrors(t *testing.T) {
	for _, tt := range []struct {
		before, rest string
		path         state.Path
		want         string
	}{
		{``, ``, "", "a value is expected"},
		{``, `x`, "", `"x" where a value is expected`},
		{`{}`, `{}`, "", "more than one value"},
		{`{`, `a:1}`, "", "a key, which is a string, is expected"},
		{`{"a" `, `1}`, "/a", "a colon is expected"},
		{`{"a":`, `}`, "/a", "a value is expected"},
		{`{"a":1 `, `"b":2}`, "", "a comma or } is expected"},
		{`{"a":1,`, `}`, "", "a key"},
		{`{"a":{"b":[0,{"c":1},`, `]}}`, "/a/b/2", "a value is expected"},
		{`{"a":{"b":[[1,2],[3],4`, `}}`, "/a/b", "a comma or ] is expected"},
		{`{"a~/b":[`, `nul]}`, "/a~0~1b/0", `"nul" where a value`},
		{`{"\u00e9":`, `01}`, "/é", "no number"},
		{"{\"\xff\":", `tru}`, "/\ufffd", `"tru" where a value`},
		{`{"a":["x`, `\x"]}`, "/a/0", "no escape"},
		{`{"a`, "\n\":1}", "", "line break in a string"},
		{`{"a":[[[`, `[]]]]}`, "/a/0/0/0", "nested too deeply"},
		{`{"_mitm":{"state":{"version":`, `01}}}`, "/_mitm/state/version", "no number"},
	} {
		var d document
		err := d.parse([]byte(tt.before+tt.rest), 4)
		if err == nil {
			t.Errorf("%s%s is accepted", tt.before, tt.rest)
			continue
		}
		if err.pos != len(tt.before) || err.path != tt.path || !strings.Contains(err.err.Error(), tt.want) {
			t.Errorf("%s%s: %q at %d: %v\nwant %q at %d: %s", tt.before, tt.rest, err.path, err.pos, err.err, tt.path, len(tt.before), tt.want)
		}
	}
}

// FuzzParse: an entry is JSON if encoding/json says so, and then both find the same
// values in it.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`{"a":[1,-2.5e3,"x\n",true,false,null,{},[],{"b":{}}],"a":"last"}`, " [ ] ", `"\ud83d\ude00"`, `{"":""}`, `[1,]`, `{"a"}`,
		`{"a":1}}`, `nul`, `-`, "\ufeff{}", "{\"\xff\":\"\xff\"}", `["\udc80"]`, `{"_mitm":{"v":1,"state":{"version":21,"type":"http"}}}`,
		`{"_mitm":{"state":{"version":21,"version":1}}}`, `{"_mitm":[{"a":1},"state",{"b":2}]}`, `{"_mitm":{"state":{}},"_mitm":{"state":{"$raw":"MDp9"}}}`,
	} {
		f.Add([]byte(s))
	}
	for _, name := range flowtest.Glob(f, "har", "tools", "*.har") {
		f.Add(flowtest.Read(f, name))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		const maxDepth = 100
		if nesting(data) > maxDepth {
			return
		}
		var d document
		err := d.read(data, maxDepth)
		if valid := json.Valid(data); valid != (err == nil) {
			t.Fatalf("%q: valid %v, but the error is %+v", data, valid, err)
		}
		if err != nil {
			if err.pos < 0 || err.pos > len(data) {
				t.Fatalf("%q: error at %d", data, err.pos)
			}
			return
		}
		for _, n := range d.nodes {
			if n.kind == '"' && n.escaped {
				if s, _ := jsonscan.ScanString(data, n.start+1); s.Half {
					return // stands for something else in encoding/json
				}
			}
		}
		if !utf8.Valid(data) {
			return // and so does what is not UTF-8
		}
		var want any
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.UseNumber()
		if err := dec.Decode(&want); err != nil && err != io.EOF {
			t.Fatal(err)
		}
		if got := d.decoded(0); !reflect.DeepEqual(got, want) {
			t.Fatalf("%q:\n%#v\n%#v", data, got, want)
		}
	})
}

// nesting is an upper bound for how deeply containers are nested in data.
func nesting(data []byte) int { return bytes.Count(data, []byte("[")) + bytes.Count(data, []byte("{")) }

// decoded returns node i as encoding/json has it.
func (d *document) decoded(i int) any {
	switch d.nodes[i].kind {
	case '{':
		m := map[string]any{}
		if i == d.privateAt { // was read by package jsonl
			dec := json.NewDecoder(bytes.NewReader(d.raw(i)))
			dec.UseNumber()
			dec.Decode(&m)
			return m
		}
		for k, v := range d.members(i) {
			m[string(k)] = d.decoded(v)
		}
		return m
	case '[':
		l := []any{}
		for _, e := range d.elements(i) {
			l = append(l, d.decoded(e))
		}
		return l
	case '"':
		return string(d.string(i))
	case '0':
		return json.Number(d.raw(i))
	case 'n':
		return nil
	}
	return d.nodes[i].kind == 't'
}
