package flowtest

import (
	"testing"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/state"
)

// Records returns the records of a dump that can be read, as far as it can.
func Records(t testing.TB, data []byte) (out [][]byte) {
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

// DumpRecords returns the records of all dumps, see [Dumps].
func DumpRecords(t testing.TB) (out [][]byte) {
	t.Helper()
	for _, name := range Dumps(t) {
		out = append(out, Records(t, Read(t, name))...)
	}
	if len(out) < 500 {
		t.Fatalf("only %d records in dumps", len(out))
	}
	return out
}

// VectorRecords returns the records in the vectors, oddly encoded ones among them.
func VectorRecords(t testing.TB) (out [][]byte) {
	t.Helper()
	type vector struct{ Input, In []byte }
	for _, file := range []string{"migrate-vectors.jsonl.gz", "flowfile-vectors.jsonl.gz", "tnetstring-vectors.jsonl.gz"} {
		for _, v := range Vectors[vector](t, file) {
			out = append(out, Records(t, append(v.Input, v.In...))...)
		}
	}
	if len(out) < 300 {
		t.Fatalf("only %d records in vectors", len(out))
	}
	return out
}
