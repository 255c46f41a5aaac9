package oracle

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/flowtool/flowtool/har"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

// TestHARImport lets mitmproxy read the dumps that HARs become, of all tools and
// of the vectors: it finds the same states.
func TestHARImport(t *testing.T) {
	python := flowtest.Oracle(t)
	var inputs [][]byte
	for _, name := range flowtest.Glob(t, "har", "tools", "*.har") {
		inputs = append(inputs, flowtest.Read(t, name))
	}
	type vector struct {
		HAR   string `json:"har"`
		Bytes []byte `json:"har_b64"`
	}
	for _, v := range flowtest.Vectors[vector](t, "har-import-vectors.jsonl.gz") {
		inputs = append(inputs, append([]byte(v.HAR), v.Bytes...))
	}
	file := filepath.Join(t.TempDir(), "imported.mitm")
	var imported []*state.Map
	for _, in := range inputs {
		for m, err := range har.NewReader(bytes.NewReader(in), nil).States() {
			if err != nil {
				continue // some vectors are meant to fail
			}
			imported = append(imported, m)
		}
	}
	writeStates(t, file, imported)
	a := flowtest.RunOracle[answer](t, python, "dump_states.py", []string{file})[0]
	if a.Error != nil {
		t.Fatalf("mitmproxy reads %d flows of %d, then: %v", len(a.Flows), len(imported), *a.Error)
	}
	theirs := parse(t, a)
	if len(theirs) != len(imported) || len(theirs) < 100 {
		t.Fatalf("mitmproxy reads %d flows of %d", len(theirs), len(imported))
	}
	for n, want := range theirs {
		same(t, n, want, imported[n])
	}
}
