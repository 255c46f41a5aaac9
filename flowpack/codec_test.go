package flowpack_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/flowpack"
	"github.com/flowtool/flowtool/state"
)

// el returns an element of a dump.
func el(payload string, tag byte) string {
	return strconv.Itoa(len(payload)) + ":" + payload + string(tag)
}

func text(s string) string             { return el(s, ';') }
func dict(elems ...string) string      { return el(strings.Join(elems, ""), '}') }
func list(elems ...string) string      { return el(strings.Join(elems, ""), ']') }
func value(payload, tag string) string { return dict(text("k"), el(payload, tag[0])) }

// TestValues looks at the bytes of single values under the key "k".
func TestValues(t *testing.T) {
	for _, tt := range []struct{ record, want string }{
		{value("", "~"), "c0"},
		{value("true", "!"), "c3"},
		{value("false", "!"), "c2"},
		{value("", ","), "c400"},
		{value("ab", ","), "c4026162"},
		{value("", ";"), "a0"},
		{value("ä", ";"), "a2c3a4"},
		{value("0", "#"), "00"},
		{value("-1", "#"), "ff"},
		{value("200", "#"), "ccc8"},
		{value("-9223372036854775808", "#"), "d38000000000000000"},
		{value("18446744073709551615", "#"), "cfffffffffffffffff"},
		{value("18446744073709551616", "#"), "c71401" + hex.EncodeToString([]byte("18446744073709551616"))},
		{value("-9223372036854775809", "#"), "c71401" + hex.EncodeToString([]byte("-9223372036854775809"))},
		{value("007", "#"), "c70301303037"},
		{value("-0", "#"), "d5012d30"},
		{value("+5", "#"), "d5012b35"},
		{value(" 1_0", "#"), "d60120315f30"},
		{value("1.5", "^"), "cb3ff8000000000000"},
		{value("-0.0", "^"), "cb8000000000000000"},
		{value("1e-300", "^"), "cb01a56e1fc2f8f359"},
		{value("nan", "^"), "cb7ff8000000000001"},
		{value("-inf", "^"), "cbfff0000000000000"},
		{value("1.50", "^"), "d602312e3530"},
		{value("1E5", "^"), "c70302314535"},
		{value("-nan", "^"), "d6022d6e616e"},
		{value("1e999", "^"), "c705023165393939"},
		{value("0.1000000000000000055", "^"), "c71502" + hex.EncodeToString([]byte("0.1000000000000000055"))},
		{value("", "]"), "90"},
		{value("0:~1:1#", "]"), "92c001"},
		{dict(text("k"), dict("1:1#", text("b"), "1:a,", "0:~")), "82c40161c001a162"},
	} {
		got := hex.EncodeToString(roundTrip(t, []byte(tt.record)))
		if want := "81a16b" + tt.want; got != want {
			t.Errorf("%s: got %s, want %s", tt.record, got, want)
		}
	}
}

// attached are records that are not encoded as usual, with the first byte of the
// map and the entries behind the attached record.
var attached = []struct{ name, record, first, rest string }{
	{"leading zero", "10:01:a;01:1#}", "82", "a16101"},
	{"leading zero outside", "008:1:a;1:1#}", "82", "a16101"},
	{"sign and spaces", "18:+1:a; 1 :1#1:b;0:~}", "83", "a162c0a16101"},
	{"key twice", "16:1:a;1:1#1:a;1:2#}", "82", "a16102"},
	{"1 and true", dict(text("k"), dict("1:1#", "0:~", "4:true!", text("b"))), "82", "a16b8101a162"},
	{"odd number as well", dict(text("k"), list("4:1.50^", "02:ab;")), "82", "a16b92cb3ff8000000000000a26162"},
	{"empty", "00:}", "81", ""},
	{"header", dict(text("flowpack"), "1:1#"), "82", "a8666c6f777061636b01"},
}

func TestAttached(t *testing.T) {
	for _, tt := range attached {
		got := hex.EncodeToString(roundTrip(t, []byte(tt.record)))
		want := fmt.Sprintf("%sc70003c4%02x%x%s", tt.first, len(tt.record), tt.record, tt.rest)
		if got != want {
			t.Errorf("%s: got %s, want %s", tt.name, got, want)
		}
	}
	// Elsewhere the key of a header means nothing.
	if got := hex.EncodeToString(roundTrip(t, []byte(dict(text("flowpack"), "1:1#", text("a"), "0:~")))); strings.Contains(got, "c70003") {
		t.Errorf("attached without need: %s", got)
	}
}

// TestDamaged: records that are damaged are refused, with dst as it was.
func TestDamaged(t *testing.T) {
	deep := "0:~"
	for range tnetstring.DefaultMaxDepth {
		deep = list(deep)
	}
	for _, tt := range []struct{ name, record, path string }{
		{"text", dict(text("a"), dict(text("b"), text("\xff"))), "/a/b"},
		{"key", dict(text("\xff"), "0:~"), ""},
		{"integer", dict(text("a"), "1:x#"), "/a"},
		{"float", dict(text("a"), "1:x^"), "/a"},
		{"bool", dict(text("a"), "4:TRUE!"), "/a"},
		{"null", dict(text("a"), "1:x~"), ""},
		{"tag", dict(text("a"), "1:x?"), ""},
		{"cut", "9:1:a;1:1#}", ""},
		{"list as key", dict(list(), "0:~"), ""},
		{"no map", list(), ""},
		{"no record", "", ""},
		{"two records", dict() + dict(), ""},
		{"deep", dict(text("a"), deep), ""},
	} {
		got, err := flowpack.AppendRecord([]byte("before"), []byte(tt.record))
		if err == nil || string(got) != "before" {
			t.Errorf("%s: got %q, %v", tt.name, got, err)
			continue
		}
		if e, ok := errors.AsType[*state.PathError](err); tt.path != "" && (!ok || string(e.Path) != tt.path) {
			t.Errorf("%s: %v, want an error at %s", tt.name, err, tt.path)
		}
	}
}

// TestForeign decodes MessagePack that other writers make.
func TestForeign(t *testing.T) {
	for _, tt := range []struct{ name, packed, want string }{
		{"long forms", "df00000001" + "db000000016b" + "d30000000000000001", dict(text("k"), "1:1#")},
		{"float 32", "81a16bca3fc00000", value("1.5", "^")},
		{"map 16", "de0001a16bc5000161", value("a", ",")},
		{"array 32", "81a16bdd00000001c3", dict(text("k"), list("4:true!"))},
		{"another NaN", "81a16bcbfff8000000000123", value("nan", "^")},
		{"uint 64", "81a16bcf0000000000000007", value("7", "#")},
	} {
		packed, _ := hex.DecodeString(tt.packed)
		got, err := flowpack.DecodeRecord(nil, packed)
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: got %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
}

// TestMalformed: what is no flow is refused, with the place.
func TestMalformed(t *testing.T) {
	for _, tt := range []struct {
		name, before, rest string // the offending byte is the first one of rest
		path               string
		err                error // if one is to be told
	}{
		{name: "nothing", err: io.ErrUnexpectedEOF},
		{name: "no map", rest: "90"},
		{name: "two flows", before: "80", rest: "80"},
		{name: "never used", before: "81a16b", rest: "c1", path: "/k"},
		{name: "cut text", before: "81a16ba261", path: "/k", err: io.ErrUnexpectedEOF},
		{name: "cut length", before: "81a16bda61", path: "/k", err: io.ErrUnexpectedEOF},
		{name: "cut map", before: "82a16b01", err: io.ErrUnexpectedEOF},
		{name: "huge array", before: "81a16bddffffffff", path: "/k"},
		{name: "not UTF-8", before: "81a16b91a1", rest: "ff", path: "/k/0", err: tnetstring.ErrUTF8},
		{name: "list as key", before: "81", rest: "90c0", err: tnetstring.ErrContainerKey},
		{name: "unknown extension", before: "81a16b", rest: "d4ff00", path: "/k"},
		{name: "no integer", before: "81a16bd401", rest: "78", path: "/k", err: tnetstring.ErrInt},
		{name: "no float", before: "81a16bd402", rest: "78", path: "/k", err: tnetstring.ErrFloat},
		{name: "record elsewhere", before: "81a16b", rest: "c70003", path: "/k"},
		{name: "record that is none", rest: "81c70003c40161"},
		{name: "record that is damaged", rest: "81c70003c4" + "0b" + hex.EncodeToString([]byte("8:1:a;1:x#}"))},
		{name: "record that is text", before: "81c70003", rest: "a0"},
	} {
		before, _ := hex.DecodeString(tt.before)
		rest, _ := hex.DecodeString(tt.rest)
		got, err := flowpack.DecodeRecord([]byte("before"), append(before, rest...))
		if string(got) != "before" {
			t.Errorf("%s: got %q", tt.name, got)
		}
		e, ok := errors.AsType[*flowpack.SyntaxError](err)
		if !ok || tt.err != nil && !errors.Is(err, tt.err) {
			t.Errorf("%s: error %v, want %v", tt.name, err, tt.err)
			continue
		}
		if string(e.Path) != tt.path || e.Offset != int64(len(before)) {
			t.Errorf("%s: error at %d, %q, want %d, %q: %v", tt.name, e.Offset, e.Path, len(before), tt.path, err)
		}
	}
}
