package flowdiff_test

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
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

// BenchmarkJSON compares JSON bodies of 1 to 100 objects, one of which differs.
func BenchmarkJSON(b *testing.B) {
	for _, n := range []int{1, 10, 100} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			var objects strings.Builder
			for i := range n {
				fmt.Fprintf(&objects, `{"id":%d,"uuid":"6a159e4e-3e73-48f7-b098-%012d","name":"Ann Müller","active":true,"balance":%d.25,`+
					`"tags":["a","b"],"address":{"street":"Basket %d","zip":"75433"},"note":null},`, 1e9+i, i, i, i)
			}
			var states [2]*state.Map
			var size int
			for i := range states {
				f := readFlows(b, "real", "http1-v21.mitm")[0].(*flow.HTTP)
				body := fmt.Sprintf(`{"items":[%s{"id":%d}]}`, objects.String(), i)
				f.Response().Headers.Set("Content-Type", "application/json")
				f.Response().Body = flow.NewBody([]byte(body))
				states[i] = f.State()
				size += len(body)
			}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if changes := diff(b, states[0], states[1], nil); len(changes) != 1 {
					b.Fatal(describe(changes))
				}
			}
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

// BenchmarkMatch pairs two captures of 100,000 flows that share no ids: those that ask
// for 1000 different things, and those that all ask the same place for one of 20.
func BenchmarkMatch(b *testing.B) {
	const n = 100_000
	x, y := randomEntries(n)
	for _, bb := range []struct {
		name string
		a, b []flowdiff.Entry
	}{
		{"different", x, y},
		{"alike", alikeEntries(n, 1), alikeEntries(n, 2)},
		{"alike, in order", cycleEntries(n, 1), cycleEntries(n, 2)[1:]},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				flowdiff.Match(bb.a, bb.b, flowdiff.Auto)
			}
			b.ReportMetric(float64(len(bb.a)+len(bb.b))*float64(b.N)/b.Elapsed().Seconds(), "flows/s")
		})
	}
}
