package har

import (
	"bytes"
	"io"
	"testing"

	"github.com/flowtool/flowtool/internal/flowtest"
)

// TestUnedited restores flows in the quick way, and in that for edited entries, with
// the same results.
func TestUnedited(t *testing.T) {
	var data bytes.Buffer
	w := NewWriter(&data, nil)
	for _, m := range flowtest.States(t, flowtest.Read(t, flowtest.Path("har", "corpus.mitm"))) {
		if kind, _ := m.Text("type"); kind != "http" {
			continue
		}
		if err := w.WriteState(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	quick, all := 0, 0
	r := NewReader(&data, nil)
	for {
		e, err := r.ReadEntry()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		im := &importer{entry: e}
		if err := im.parse(e.Data, e.opts.MaxDepth); err != nil {
			t.Fatalf("entry %d: %v", e.Index, err.err)
		}
		at := im.get(0, privateKey)
		im.restorer.begin(im, at)
		got, ok := im.restorer.unedited(nil)
		im.privateAt = none
		want, known, err := im.restore(nil, at)
		if err != nil || !known {
			t.Fatalf("entry %d: %v", e.Index, err)
		}
		all++
		if !ok {
			continue
		}
		quick++
		if !bytes.Equal(got, want) {
			t.Errorf("entry %d:\n%q\n%q", e.Index, got, want)
		}
	}
	if quick < all*3/4 {
		t.Errorf("%d of %d flows are restored the quick way", quick, all)
	}
}
