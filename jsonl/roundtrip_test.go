package jsonl_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/jsonl"
	"github.com/flowtool/flowtool/state"
)

// roundTrip checks everything that must hold for a record and its line.
func roundTrip(t testing.TB, record []byte) (line []byte) {
	t.Helper()
	line, err := jsonl.AppendRecord(nil, record)
	if err != nil {
		t.Fatalf("%.200q: %v", record, err)
	}
	if !json.Valid(line) || bytes.IndexByte(line, '\n') != len(line)-1 {
		t.Fatalf("not a line of JSON: %.500s", line)
	}
	back, err := jsonl.DecodeRecord([]byte("before"), line)
	if err != nil {
		t.Fatalf("%v\n%.500s", err, line)
	}
	if back, ok := bytes.CutPrefix(back, []byte("before")); !ok || !bytes.Equal(back, record) {
		t.Fatalf("line gives\n%.500q, want\n%.500q\nline\n%.500s", back, record, line)
	}
	m, err := jsonl.Decode(line)
	if err != nil {
		t.Fatal(err)
	}
	if err := state.Validate(m.Value()); err != nil {
		t.Fatal(err)
	}
	raw, err := tnetstring.Append(nil, m.Value())
	if err != nil || !bytes.Equal(raw, record) {
		t.Fatalf("state gives\n%.500q, %v, want\n%.500q", raw, err, record)
	}
	again, err := jsonl.Append(nil, m)
	if err != nil || !bytes.Equal(again, line) {
		t.Fatalf("state gives\n%.500s, %v, want\n%.500s", again, err, line)
	}
	return line
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
