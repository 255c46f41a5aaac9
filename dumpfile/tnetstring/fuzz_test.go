package tnetstring_test

import (
	"bytes"
	"testing"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

// rebuild returns a copy of v that remembers no encoding, so that it is
// encoded anew.
func rebuild(t testing.TB, v state.Value) state.Value {
	switch v.Kind() {
	case state.KindNull:
		return state.Null()
	case state.KindBool:
		b, err := v.Bool()
		ok(t, err)
		return state.Bool(b)
	case state.KindInt:
		i, err := v.BigInt()
		ok(t, err)
		return state.BigInt(i)
	case state.KindFloat:
		f, err := v.Float64()
		ok(t, err)
		return state.Float(f)
	case state.KindBytes:
		b, err := v.Bytes()
		ok(t, err)
		return state.Bytes(b)
	case state.KindText:
		s, err := v.Text()
		ok(t, err)
		return state.Text(s)
	case state.KindList:
		l, err := v.List()
		ok(t, err)
		out := state.NewList()
		for _, e := range l.All() {
			out.Append(rebuild(t, e))
		}
		return out.Value()
	}
	m, err := v.Map()
	ok(t, err)
	var entries []state.Entry
	for k, e := range m.All() {
		entries = append(entries, state.Entry{Key: rebuild(t, k), Value: rebuild(t, e)})
	}
	return state.NewMap(entries...).Value()
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// hasNaNKey tells whether a map in v has NaN as a key: such maps equal nothing,
// not even themselves.
func hasNaNKey(v state.Value) bool {
	elems, err := v.Elements(nil)
	if err != nil {
		return false
	}
	for i, e := range elems {
		if v.Kind() == state.KindMap && i%2 == 0 && !state.SameKey(e, e) || hasNaNKey(e) {
			return true
		}
	}
	return false
}

// FuzzDecode checks that what is accepted is written back as the same bytes
// while untouched, and that its canonical encoding is accepted by both
// profiles where it can be, is a fixed point, and means the same.
func FuzzDecode(f *testing.F) {
	seeds := 0
	for _, vec := range flowtest.Vectors[vector](f, "tnetstring-vectors.jsonl.gz") {
		if vec.Op == "decode" && len(vec.In) > 0 {
			f.Add(vec.In)
			seeds++
		}
	}
	for _, file := range flowtest.Glob(f, "real", "append*.mitm") {
		f.Add(flowtest.Read(f, file))
		seeds++
	}
	if seeds < 100 {
		f.Fatalf("only %d seeds", seeds)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := state.Open(&state.Source{Codec: tnetstring.Codec{}, Data: data})
		if err != nil || state.Validate(v) != nil {
			return
		}
		raw, err := tnetstring.Encode(v)
		if err != nil || !bytes.HasPrefix(data, raw) {
			t.Fatalf("%q is written back as %q, %v", data, raw, err)
		}
		canonical, err := tnetstring.Encode(rebuild(t, v))
		if err != nil {
			t.Fatalf("%q cannot be encoded: %v", data, err)
		}
		again, err := state.Open(&state.Source{Codec: tnetstring.Codec{}, Data: canonical})
		if err != nil {
			t.Fatalf("canonical %q: %v", canonical, err)
		}
		if !hasNaNKey(v) && !state.Equal(v, again) {
			t.Fatalf("%q became %q", data, canonical)
		}
		fixed, err := tnetstring.Encode(rebuild(t, again))
		if err != nil || !bytes.Equal(fixed, canonical) {
			t.Fatalf("canonical %q became %q, %v", canonical, fixed, err)
		}
		strict, err := state.Open(&state.Source{Codec: tnetstring.Codec{Strict: true}, Data: data})
		if err == nil && state.Validate(strict) == nil && !hasNaNKey(v) && !state.Equal(v, strict) {
			t.Fatalf("%q differs between the profiles", data)
		}
	})
}
