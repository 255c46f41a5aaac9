package flowpack_test

import (
	"bytes"
	"testing"

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

func TestDumps(t *testing.T) {
	for _, r := range flowtest.DumpRecords(t) {
		roundTrip(t, r)
	}
}

func TestVectors(t *testing.T) {
	for _, r := range flowtest.VectorRecords(t) {
		roundTrip(t, r)
	}
}
