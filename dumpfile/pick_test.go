package dumpfile_test

import (
	"io"
	"path/filepath"
	"slices"
	"testing"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

// TestBatchPick: looking keys up side by side gives what each record has, or leaves it to
// the record.
func TestBatchPick(t *testing.T) {
	keys := &state.Keys{Keys: []string{"missing", "type", "request", "response"}, Inner: 2, InnerKeys: []string{"host", "no", "headers"}}
	picked, inside := 0, 0
	for _, file := range captures(t) {
		data := flowtest.Read(t, file)
		for _, w := range ways {
			r := w.open(data, dumpfile.ReaderOptions{})
			var b dumpfile.Batch
			var p dumpfile.Picks
			for {
				err := r.ReadBatch(&b)
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				for first := 0; first < len(b.Records); first += 7 {
					n := min(7, len(b.Records)-first)
					b.Pick(&p, first, n, keys)
					for i := range n {
						rec := &b.Records[first+i]
						got := p.Of(i)
						if got == nil {
							continue
						}
						if !rec.InMemory() {
							t.Fatal("values of a record that is not in memory")
						}
						v, err := rec.Value()
						if err != nil {
							t.Fatal(err)
						}
						want := make([]state.Value, len(keys.Keys))
						if err := v.Pick(keys.Keys, want); err != nil {
							t.Fatal(err)
						}
						picked++
						if !slices.EqualFunc(got.Values, want, state.Equal) {
							t.Fatalf("%s, %s: %v of record %d, want %v", filepath.Base(file), w.name, got.Values, rec.Index, want)
						}
						if got.Inner == nil {
							continue
						}
						inside++
						want = make([]state.Value, len(keys.InnerKeys))
						if err := got.Values[keys.Inner].Pick(keys.InnerKeys, want); err != nil {
							t.Fatal(err)
						}
						if !slices.EqualFunc(got.Inner, want, state.Equal) {
							t.Fatalf("%s, %s: %v in record %d, want %v", filepath.Base(file), w.name, got.Inner, rec.Index, want)
						}
					}
				}
			}
		}
	}
	if picked < 100 || inside < 100 {
		t.Errorf("only %d records and %d requests were looked at", picked, inside)
	}
}
