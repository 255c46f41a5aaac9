package flowdiff_test

import (
	"bytes"
	"testing"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/flowdiff"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

// BenchmarkDiff compares the flows of a capture with those of others: the same
// one, one that was made later, and one with other bodies.
func BenchmarkDiff(b *testing.B) {
	file := flowtest.Read(b, flowtest.Path("real", "http1-v21.mitm"))
	later := func(f *flow.HTTP) {
		f.SetID("later")
		f.ClientConn().ID, f.ServerConn().ID = "later", "later"
		for _, t := range []*flow.Timestamp{
			&f.ClientConn().TimestampStart, &f.ServerConn().TimestampStart, &f.Request().TimestampStart, &f.Request().TimestampEnd,
		} {
			*t = flow.Seconds(t.Unix() + 86400)
		}
		f.Response().Headers.Set("Date", "another day")
	}
	edited := func(f *flow.HTTP) {
		body, err := f.Response().Body.Bytes()
		if err != nil {
			b.Fatal(err)
		}
		f.Response().Body = flow.NewBody(bytes.ReplaceAll(body, []byte("e"), []byte("E")))
	}
	a := readStates(b, file)
	for _, bb := range []struct {
		name string
		edit func(*flow.HTTP)
		opts *flowdiff.Options
	}{
		{"same", func(*flow.HTTP) {}, nil},
		{"later", later, nil},
		{"later-ignored", later, &flowdiff.Options{IgnoreDefaults: true}},
		{"bodies", edited, nil},
	} {
		b.Run(bb.name, func(b *testing.B) {
			var out bytes.Buffer
			w := dumpfile.NewWriter(&out)
			for f, err := range dumpfile.NewReader(bytes.NewReader(file), nil).Flows() {
				if err != nil {
					b.Fatal(err)
				}
				bb.edit(f.(*flow.HTTP))
				if err := w.WriteFlow(f); err != nil {
					b.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				b.Fatal(err)
			}
			other := readStates(b, out.Bytes())
			b.SetBytes(int64(len(file)))
			b.ReportAllocs()
			for b.Loop() {
				for i := range a {
					diff(b, a[i], other[i], bb.opts)
				}
			}
			b.ReportMetric(float64(len(a))*float64(b.N)/b.Elapsed().Seconds(), "flows/s")
		})
	}
}

func readStates(b *testing.B, file []byte) []*state.Map {
	b.Helper()
	var out []*state.Map
	for m, err := range dumpfile.NewReader(bytes.NewReader(file), nil).States() {
		if err != nil {
			b.Fatal(err)
		}
		out = append(out, m)
	}
	return out
}

// BenchmarkMatch pairs two captures of 100,000 flows that share no ids and ask for
// 1000 different things.
func BenchmarkMatch(b *testing.B) {
	x, y := randomEntries(100_000)
	b.ReportAllocs()
	for b.Loop() {
		flowdiff.Match(x, y, flowdiff.Auto)
	}
	b.ReportMetric(float64(len(x)+len(y))*float64(b.N)/b.Elapsed().Seconds(), "flows/s")
}
