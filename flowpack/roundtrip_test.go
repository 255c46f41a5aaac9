package flowpack_test

import (
	"bytes"
	"testing"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/flowpack"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

// roundTrip checks everything that must hold for a record and its flow in
// MessagePack.
func roundTrip(t testing.TB, record []byte) (packed []byte) {
	t.Helper()
	packed, err := flowpack.AppendRecord([]byte("before"), record)
	if err != nil {
		t.Fatalf("%.200q: %v", record, err)
	}
	packed, ok := bytes.CutPrefix(packed, []byte("before"))
	if !ok {
		t.Fatalf("AppendRecord changed what was there: %.200q", packed)
	}
	back, err := flowpack.DecodeRecord([]byte("before"), packed)
	if err != nil {
		t.Fatalf("%v\n%.500x", err, packed)
	}
	if back, ok := bytes.CutPrefix(back, []byte("before")); !ok || !bytes.Equal(back, record) {
		t.Fatalf("decodes to\n%.500q, want\n%.500q\npacked\n%.500x", back, record, packed)
	}
	m, err := flowpack.Decode(packed)
	if err != nil {
		t.Fatal(err)
	}
	if err := state.Validate(m.Value()); err != nil {
		t.Fatal(err)
	}
	again, err := flowpack.Append(nil, m)
	if err != nil || !bytes.Equal(again, packed) {
		t.Fatalf("state gives\n%.500x, %v, want\n%.500x", again, err, packed)
	}
	return packed
}

// records returns the records of a dump that can be read, as far as it can.
func records(t testing.TB, data []byte) (out [][]byte) {
	t.Helper()
	for len(data) > 0 {
		v, err := state.Open(&state.Source{Codec: tnetstring.Codec{}, Data: data})
		if err != nil {
			break
		}
		raw, _, _ := v.Raw(tnetstring.Encoding)
		data = data[len(raw):]
		if v.Kind() == state.KindMap && state.Validate(v) == nil {
			out = append(out, raw)
		}
	}
	return out
}

func TestDumps(t *testing.T) {
	n := 0
	for _, name := range flowtest.Dumps(t) {
		for _, r := range records(t, flowtest.Read(t, name)) {
			roundTrip(t, r)
			n++
		}
	}
	if n < 500 {
		t.Errorf("only %d records", n)
	}
}

func TestVectors(t *testing.T) {
	type vector struct {
		ID        string
		Input, In []byte
	}
	n := 0
	for _, file := range []string{"migrate-vectors.jsonl.gz", "flowfile-vectors.jsonl.gz", "tnetstring-vectors.jsonl.gz"} {
		for _, v := range flowtest.Vectors[vector](t, file) {
			for _, r := range records(t, append(v.Input, v.In...)) {
				n++
				roundTrip(t, r)
			}
		}
	}
	if n < 300 {
		t.Errorf("only %d records", n)
	}
}
