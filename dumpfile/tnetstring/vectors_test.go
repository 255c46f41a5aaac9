package tnetstring_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

type vector struct {
	ID       string
	Op       string
	Level    string
	In       []byte
	Ok       json.RawMessage
	Used     int
	Err      string
	Strict   string
	Tolerant string
	Value    json.RawMessage
	Out      string
	Note     string
}

var kinds = map[string]error{
	"eof":             io.EOF,
	"prefix":          tnetstring.ErrPrefix,
	"prefix_too_long": tnetstring.ErrPrefixTooLong,
	"truncated":       tnetstring.ErrTruncated,
	"bad_int":         tnetstring.ErrInt,
	"bad_float":       tnetstring.ErrFloat,
	"bad_bool":        tnetstring.ErrBool,
	"bad_null":        tnetstring.ErrNull,
	"bad_tag":         tnetstring.ErrTag,
	"bad_utf8":        tnetstring.ErrUTF8,
	"unhashable_key":  tnetstring.ErrContainerKey,
	"too_deep":        tnetstring.ErrTooDeep,
	"bad_key":         tnetstring.ErrKeyKind,
	"dup_key":         tnetstring.ErrDuplicateKey,
}

// decode decodes the element at the start of in by the rules for records, or
// by those for elements of a list, completely.
func decode(c tnetstring.Codec, level string, in []byte) (v state.Value, used int, err error) {
	src := &state.Source{Codec: c, Data: in}
	if level == "top" {
		v, err = state.Open(src)
	} else {
		// The first element of a list whose payload is in.
		var elems []state.Value
		elems, err = c.Elements(src, state.KindList, in, 1, nil)
		if len(elems) > 0 {
			// What follows the element is another test's business.
			v, err = elems[0], nil
		} else if err == nil {
			err = tnetstring.ErrPrefix // an empty slice holds no element
		}
	}
	if err != nil {
		return v, 0, err
	}
	raw, ok, err := v.Raw(tnetstring.Encoding)
	if err != nil || !ok {
		return v, 0, errors.Join(err, errors.New("no raw bytes"))
	}
	return v, len(raw), state.Validate(v)
}

func TestDecodeVectors(t *testing.T) {
	n := 0
	for _, vec := range flowtest.Vectors[vector](t, "tnetstring-vectors.jsonl.gz") {
		if vec.Op != "decode" {
			continue
		}
		n++
		t.Run(vec.ID, func(t *testing.T) {
			check(t, vec, tnetstring.Codec{}, vec.Tolerant)
		})
		t.Run(vec.ID+"/strict", func(t *testing.T) {
			check(t, vec, tnetstring.Codec{Strict: true}, vec.Strict)
		})
	}
	if n < 200 {
		t.Errorf("only %d decode vectors", n)
	}
}

func check(t *testing.T, vec vector, c tnetstring.Codec, profile string) {
	want, fails := strings.CutPrefix(profile, "err:")
	if profile == "same" && vec.Err != "" {
		want, fails = vec.Err, true
	}
	v, used, err := decode(c, vec.Level, vec.In)
	if fails {
		if len(vec.In) == 0 && want == "eof" {
			want = "prefix" // an end of input is the business of the file reader
		}
		if !errors.Is(err, kinds[want]) {
			t.Errorf("%.60q: got %v and %v, want %s", vec.In, v, err, want)
		}
		return
	}
	if err != nil {
		t.Fatalf("%.60q: %v", vec.In, err)
	}
	if used != vec.Used {
		t.Errorf("%.60q: used %d bytes, want %d", vec.In, used, vec.Used)
	}
	wantValue, err := flowtest.ParseValue(vec.Ok)
	if err != nil {
		t.Fatal(err)
	}
	got, exp := flowtest.Dump(v, false), flowtest.Dump(flowtest.Reversed(wantValue), false)
	if got != exp {
		t.Errorf("%.60q:\n got %s\nwant %s", vec.In, got, exp)
	}
}

func TestEncodeVectors(t *testing.T) {
	n := 0
	for _, vec := range flowtest.Vectors[vector](t, "tnetstring-vectors.jsonl.gz") {
		if vec.Op != "encode" {
			continue
		}
		n++
		v, err := flowtest.ParseValue(vec.Value)
		if err != nil {
			t.Fatal(err)
		}
		want, err := base64.StdEncoding.DecodeString(vec.Out)
		if err != nil {
			t.Fatal(err)
		}
		got, err := tnetstring.Encode(v)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %s: got %q, %v, want %q", vec.ID, v, got, err, want)
		}
	}
	if n < 50 {
		t.Errorf("only %d encode vectors", n)
	}
}

func TestFlowEncodeVectors(t *testing.T) {
	type flowVector struct {
		ID    string
		State json.RawMessage
		Out   []byte
	}
	for _, vec := range flowtest.Vectors[flowVector](t, "flow-encode-vectors.jsonl.gz") {
		v, err := flowtest.ParseValue(vec.State)
		if err != nil {
			t.Fatal(err)
		}
		got, err := tnetstring.Encode(v)
		if err != nil || !bytes.Equal(got, vec.Out) {
			t.Errorf("%s: got %.80q…, %v, want %.80q…", vec.ID, got, err, vec.Out)
		}
	}
}
