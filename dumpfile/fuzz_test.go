package dumpfile_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

// outcome is what reading an input came to, for comparing ways of reading it.
type outcome struct {
	records int
	flow    int64
	offset  int64
	failed  bool
}

func outcomeOf(recs []*dumpfile.Record, err error) outcome {
	o := outcome{records: len(recs), failed: err != nil}
	if e, ok := errors.AsType[*dumpfile.Error](err); ok {
		o.flow, o.offset = e.Flow, e.Offset
	}
	return o
}

// FuzzRead checks that an input gives the same records however it is read, that
// records are its bytes one after the other, and that states are written back
// as they were.
func FuzzRead(f *testing.F) {
	type fileVector struct{ In []byte }
	for _, v := range flowtest.Vectors[fileVector](f, "flowfile-vectors.jsonl.gz") {
		f.Add(v.In)
	}
	for _, name := range flowtest.Glob(f, "real", "append*.mitm") {
		f.Add(flowtest.Read(f, name))
	}
	small := flowtest.Read(f, flowtest.Path("real", "append.mitm"))
	f.Add(gz(f, small))
	f.Add(zst(f, small))
	f.Fuzz(func(t *testing.T, data []byte) {
		opts := dumpfile.ReaderOptions{MaxRecord: 1 << 20}
		var first outcome
		for i, w := range ways {
			r := w.open(data, opts)
			recs, err := records(r)
			got := outcomeOf(recs, err)
			if i == 0 {
				first = got
			} else if got != first {
				t.Fatalf("%s: %+v (%v), %s: %+v", w.name, got, err, ways[0].name, first)
			}
			_, c, _ := r.Format()
			var end int64
			for i, rec := range recs {
				if i == 0 {
					end = rec.Offset
				}
				if rec.Offset != end {
					t.Fatalf("%s: record %d is at %d, want %d", w.name, i, rec.Offset, end)
				}
				end += rec.Size
				raw, err := rec.Bytes()
				if err != nil {
					if errors.Is(err, state.ErrElided) && strings.Contains(w.name, "dropping") {
						continue
					}
					t.Fatal(err)
				}
				if c == dumpfile.ContainerNone && !bytes.Equal(raw, data[rec.Offset:end]) {
					t.Fatalf("%s: record %d is not its bytes", w.name, i)
				}
				m, err := rec.State()
				if err != nil {
					continue
				}
				_ = state.Validate(m.Value())
				back, err := tnetstring.Encode(m.Value())
				if err != nil || !bytes.Equal(back, raw) {
					t.Fatalf("%s: record %d is written back as %.100q (%v)", w.name, i, back, err)
				}
			}
		}
	})
}

// FuzzFlows checks that typed reading ends, does not panic, and that the flows
// it gives can be written and read again as the same flows.
func FuzzFlows(f *testing.F) {
	for _, name := range flowtest.Glob(f, "real", "append*.mitm") {
		f.Add(flowtest.Read(f, name))
	}
	for _, name := range []string{"ws.mitm", "tcp.mitm", "dns.mitm", "edited.mitm"} {
		for i, m := range flowtest.States(f, flowtest.Read(f, flowtest.Path("real", name))) {
			if raw, ok := m.Value().Encoded(); ok && i < 4 && len(raw) < 20_000 {
				f.Add(raw)
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := dumpfile.NewReader(bytes.NewReader(data), &dumpfile.ReaderOptions{MaxRecord: 1 << 20})
		var out bytes.Buffer
		w := dumpfile.NewWriter(&out)
		var states []state.Value
		for fl, err := range r.Flows() {
			if err != nil {
				break
			}
			if err := w.WriteFlow(fl); err != nil {
				continue // a text that is not UTF-8 in a part that was kept
			}
			states = append(states, fl.GetState().Value())
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		again := dumpfile.NewReader(&out, &dumpfile.ReaderOptions{Strict: false})
		n := 0
		for {
			fl, err := again.ReadFlow()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("flow %d cannot be read back: %v", n, err)
			}
			if n >= len(states) || !state.Equal(fl.GetState().Value(), states[n]) {
				t.Fatalf("flow %d was read back differently", n)
			}
			n++
		}
		if n != len(states) {
			t.Fatalf("%d flows of %d were read back", n, len(states))
		}
	})
}
