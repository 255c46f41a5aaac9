package jsonl_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/jsonl"
	"github.com/flowtool/flowtool/state"
)

// TestErrors has lines that are refused. The error is where before ends.
func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		before, rest string
		path         state.Path
		want         string // part of the message
	}{
		// Not an object.
		{"", "", "", "where a flow is expected"},
		{"  ", "", "", "where a flow is expected"},
		{"", "[{}]", "", "jq -c '.[]' makes lines of an array"},
		{"", "null", "", `"null" where a flow, an object, is expected`},
		{" ", `"x"`, "", "where a flow"},
		{"{", " ", "", "a flow is one line (jq -c writes such)"},
		{"{}", "{}", "", `"{" where the end of the line is expected`},
		{"{} ", "x", "", "the end of the line"},
		{"", `{"$base64":"/wA="}`, "", "a flow is a map, not bytes"},
		{"", `{"$int":"1"}`, "", "a flow is a map, not int"},
		// Syntax.
		{`{`, `x}`, "", "a key, which is a string, is expected"},
		{`{"a"`, `1}`, "", "a colon is expected"},
		{`{"a":`, `}`, "/a", "a value is expected"},
		{`{"a":`, ``, "/a", "the line ends within"},
		{`{"a":1`, ``, "", "the line ends within"},
		{`{"a":1,`, `}`, "", "a key"},
		{`{"a":1 `, `"b":1}`, "", "a comma or }"},
		{`{"a":[1,`, `]}`, "/a/1", "a value is expected"},
		{`{"a":[1 `, `2]}`, "/a", "a comma or ]"},
		{`{"a":[1`, `}`, "/a", "a comma or ]"},
		{`{"a":`, `nul}`, "/a", `"nul" where a value`},
		{`{"a":`, `nulll}`, "/a", `"nulll" where a value`},
		{`{"a":`, `True}`, "/a", `"True" where a value`},
		{`{"a":`, `NaN}`, "/a", `"NaN" where a value`},
		{`{"a":`, `'x'}`, "/a", `"'" where a value`},
		// Strings.
		{`{"a":"x`, ``, "/a", "the line ends within a string"},
		{`{"a":"x\`, ``, "/a", "the line ends within a string"},
		{`{"a":"x`, "\x00y\"}", "/a", `it is written as \u0000`},
		{`{"a":"0123456`, "\ny\"}", "/a", `it is written as \n`},
		{`{"a":"x`, "\xffy\"}", "/a", "not UTF-8"},
		{`{"a":"0123456789`, "\xc3\"}", "/a", "not UTF-8"},
		{`{"a":"x`, `\x"}`, "/a", `"\\x" is no escape`},
		{`{"a":"x`, `\u12g4"}`, "/a", "no escape"},
		{`{"a":"x`, `\ud800"}`, "/a", "half of a surrogate pair"},
		{`{"a":"x`, `\ud800\u0041"}`, "/a", "half of a surrogate pair"},
		{`{"a":"x`, `\udc00\ud800"}`, "/a", "half of a surrogate pair"},
		{`{"`, "\xff\":1}", "", "not UTF-8"},
		// Numbers.
		{`{"a":`, `01}`, "/a", `"01" is no number`},
		{`{"a":`, `-}`, "/a", `"-" is no number`},
		{`{"a":`, `+1}`, "/a", `"+1" where a value`},
		{`{"a":`, `.5}`, "/a", `".5" where a value`},
		{`{"a":`, `1.}`, "/a", `"1." is no number`},
		{`{"a":`, `1e}`, "/a", `"1e" is no number`},
		{`{"a":`, `1.5x}`, "/a", `"1.5x" is no number`},
		{`{"a":`, `0x10}`, "/a", `"0x10" is no number`},
		{`{"a":`, `1_000}`, "/a", `"1_000" is no number`},
		{`{"a":`, `-Infinity}`, "/a", `"-Infinity" is no number`},
		{`{"a":`, `1e999}`, "/a", `infinity is {"$float": "inf"}`},
		{`{"a":`, strings.Repeat("9", 4301) + `}`, "/a", "4301 digits, the limit is 4300"},
		// Keys.
		{`{"a":1,`, `"a":2}`, "", `key "a" occurs twice`},
		{`{"version":1,`, `"version":2}`, "", `key "version" occurs twice`},
		{`{"version":1,`, `"\u0076ersion":2}`, "", `key "version" occurs twice`},
		{`{"a":{"b":1,"c":2,`, `"b":1}}`, "/a", `key "b" occurs twice`},
		{`{"a/b":{"~":`, `x}}`, "/a~1b/~0", "a value"},
		{`{"$$x":`, `x}`, "/$x", "a value"},
		// Tags.
		{`{`, `"$foo":1}`, "", `"$foo" is no tag; they are $base64, $bytes,`},
		{`{"a":{`, `"$ref":1}}`, "/a", `is written as "$$ref"`},
		{`{`, `"$":1}`, "", `is written as "$$"`},
		{`{"a":{"$base64":`, `5}}`, "/a", "a string, as $base64 has"},
		{`{"a":{"$base64":"`, `YQ"}}`, "/a", "not base64"},
		{`{"a":{"$base64":"`, `YR=="}}`, "/a", "not base64"},
		{`{"a":{"$base64":"`, `Y\nQ=="}}`, "/a", "not base64"},
		{`{"a":{"$base64":"`, `YQ=a"}}`, "/a", "not base64"},
		{`{"a":{"$base64":"`, `===="}}`, "/a", "not base64"},
		{`{"a":[1,{"b":{"$base64":"`, `Y-Q="}}]}`, "/a/1/b", "not base64"},
		{`{"request":{"headers":[["a","b"],["c",{"$base64":"`, `Y-Q="}]]}}`, "/request/headers/1/1", "not base64"},
		{`{"a":{"$bytes":`, `null}}`, "/a", "a string, as $bytes has"},
		{`{"a":{"$text":`, `{"$bytes":"x"}}}`, "/a", "a string, as $text has"},
		{`{"a":{"$int":`, `5}}`, "/a", "a string, as $int has"},
		{`{"a":{"$int":`, `"5.0"}}`, "/a", `"5.0" is no int`},
		{`{"a":{"$float":`, `"x"}}`, "/a", `"x" is no float`},
		{`{"a":{"$float":`, `"0x1p3"}}`, "/a", `is no float`},
		{`{"a":{"$int":"1",`, `"b":1}}`, "/a", `$int stands alone in its object, but here is "b" as well`},
		{`{"a":{"b":1,`, `"$int":"1"}}`, "/a", "$int stands alone in its object"},
		{`{"a":{"$map":`, `{}}}`, "/a", `"[" is expected`},
		{`{"a":{"$map":[`, `1]}}`, "/a", `"[" is expected`},
		{`{"a":{"$map":[[1`, `]]}}`, "/a", `"," is expected`},
		{`{"a":{"$map":[[1,2`, `,3]]}}`, "/a", `"]" is expected`},
		{`{"a":{"$map":[[`, `[],1]]}}`, "/a", "a list cannot be a key"},
		{`{"a":{"$map":[[`, `{},1]]}}`, "/a", "a map cannot be a key"},
		{`{"a":{"$map":[[1,2],[`, `true,3]]}}`, "/a", "occurs twice, 1, 1.0 and true being the same"},
		{`{"a":{"$map":[["x",2],[`, `"x",3]]}}`, "/a", "occurs twice"},
		{`{"a":{"$map":[["x",`, `x]]}}`, "/a/x", "a value is expected"},
		{`{"a":{"$map":[],`, `"$raw":"MDp9"}}`, "/a", `$map stands alone in its object, but here is "$raw" as well`},
		{`{"$map":[],"$raw":"MDp9",`, `"a":1}`, "", "nothing but $raw may stand beside $map"},
		{`{"$keys":`, `"text"}`, "", `is "bytes" or left out`},
		{`{"$keys":`, `true}`, "", `"bytes" is expected`},
		{`{"a":1,`, `"$keys":"bytes"}`, "", "$keys has to be the first member"},
		{`{"$keys":"bytes","a":1,`, `"$keys":"bytes"}`, "", "$keys has to be the first member"},
		{`{"a":{`, `"$raw":"MDp9"}}`, "/a", "$raw is for flows only"},
		{`{"$raw":"MDp9","$raw":`, `"MDp9"}`, "", "$raw occurs twice"},
		{`{"$raw":`, `1}`, "", "a string, as $raw has"},
		{`{"$raw":"`, `x"}`, "/$raw", "not base64"},
		{`{"$raw":"`, `MDpd"}`, "/$raw", "no record of a flow"},     // 0:]
		{`{"$raw":"`, `MDp9MDp9"}`, "/$raw", "no record of a flow"}, // 0:}0:}
		{`{"$raw":"`, `NDoxOng/fQ=="}`, "/$raw", "no record of a flow"},
		// Depth.
		{`{"a":` + strings.Repeat("[", 499), "[" + strings.Repeat("]", 500) + "}", "/a" + state.Path(strings.Repeat("/0", 499)), "the limit is 500 levels"},
		{`{"a":` + strings.Repeat(`{"$map":[[1,`, 499) + `{"$map":`, "[]}" + strings.Repeat("]]}", 499) + "}", "/a" + state.Path(strings.Repeat("/1", 499)), "the limit is 500 levels"},
	} {
		line := tt.before + tt.rest
		m, err := jsonl.Decode([]byte(line))
		e, ok := errors.AsType[*jsonl.Error](err)
		if !ok || m != nil {
			t.Errorf("%.200s: got %v, %v", line, m, err)
			continue
		}
		if e.Column != len(tt.before)+1 || e.Offset != int64(len(tt.before)) || e.Path != tt.path || !strings.Contains(e.Error(), tt.want) {
			t.Errorf("%.200s: got column %d, path %.100s, %v\nwant column %d, path %.100s, %s",
				line, e.Column, e.Path, e, len(tt.before)+1, tt.path, tt.want)
		}
		if dst, err := jsonl.DecodeRecord([]byte("before"), []byte(line)); err == nil || string(dst) != "before" {
			t.Errorf("%.200s: record is %q, %v", line, dst, err)
		}
	}
}

// TestCut: a line cut anywhere is an error that says so.
func TestCut(t *testing.T) {
	const line = `{"version":21,"a":[1,-2.5e+3,"x\u00e9\n",{"$base64":"/wA="},{"$map":[[1,null],["b",true]]}],"b":{"$keys":"bytes","c":false},"$raw":"MDp9"}`
	for n := range len(line) {
		_, err := jsonl.Decode([]byte(line[:n]))
		if err == nil {
			t.Errorf("%s: no error", line[:n])
			continue
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) && !strings.Contains(err.Error(), "is no number") &&
			!strings.Contains(err.Error(), "where a value is expected") && !strings.Contains(err.Error(), "is no escape") {
			t.Errorf("%s: %v", line[:n], err)
		}
	}
	if _, err := jsonl.Decode([]byte(line)); err != nil {
		t.Error(err)
	}
}
