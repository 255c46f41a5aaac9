package har_test

import (
	"bytes"
	"testing"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/har"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

// TestRestore writes every HTTP flow of the dumps as HAR and reads it again: the
// records must be the same, byte for byte.
func TestRestore(t *testing.T) {
	flows := 0
	for _, name := range flowtest.Dumps(t) {
		for rec, f := range httpFlows(t, flowtest.Read(t, name)) {
			want, err := tnetstring.Encode(f.State().Value())
			if err != nil {
				t.Fatal(err)
			}
			got := records(t, export(t, f.State(), nil))
			if len(got) != 1 || !bytes.Equal(got[0], want) {
				t.Errorf("%s: flow %d comes back as another:\n%.2000q\nwant\n%.2000q", name, rec.Index, got, want)
			}
			flows++
		}
	}
	if flows < 600 {
		t.Errorf("only %d flows", flows)
	}
}

// httpStates returns the flows of a dump of special cases.
func httpStates(t testing.TB) (out []*state.Map) {
	t.Helper()
	for _, f := range httpFlows(t, flowtest.Read(t, flowtest.Path("har", "corpus.mitm"))) {
		out = append(out, f.State())
	}
	return out
}

// export returns the HAR of one flow.
func export(t testing.TB, m *state.Map, opts *har.WriterOptions) []byte {
	t.Helper()
	var out bytes.Buffer
	w := har.NewWriter(&out, opts)
	if err := w.WriteState(m.Clone()); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// records returns the records of the entries of a HAR.
func records(t testing.TB, data []byte) (out [][]byte) {
	t.Helper()
	r := har.NewReader(bytes.NewReader(data), nil)
	for {
		e, err := r.ReadEntry()
		if err != nil {
			return out
		}
		record, err := e.Record(nil)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, record)
	}
}
