package summary_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/state"
	"github.com/flowtool/flowtool/summary"
)

type item struct {
	rec summary.Record
	f   flow.Flow
}

// flows returns the flows of dumps one behind the other.
func flows(t *testing.T, paths ...string) []item {
	t.Helper()
	var out []item
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		r := dumpfile.NewReader(f, nil)
		for rec, err := range r.Records() {
			if err != nil {
				break // diskfull.mitm is damaged
			}
			m, err := rec.State()
			if err != nil {
				t.Fatal(err)
			}
			v, err := migrate.VersionOf(m)
			if err != nil {
				t.Fatal(err)
			}
			fl, err := r.Flow(rec)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, item{summary.Record{Index: int64(len(out)), Offset: rec.Offset, Size: rec.Size, Version: v}, fl})
		}
	}
	return out
}

func sum(items []item) *summary.Summary {
	var s summary.Summary
	for _, it := range items {
		if err := s.Add(it.rec, it.f); err != nil {
			panic(err)
		}
	}
	return &s
}

// diff compares everything in two summaries that can be seen from outside.
func diff(a, b *summary.Summary) string {
	return gocmp.Diff(a, b, gocmp.FilterPath(func(p gocmp.Path) bool {
		f, ok := p.Last().(gocmp.StructField)
		return ok && f.Name() != "First" && f.Name() != "Last" && strings.ToLower(f.Name()[:1]) == f.Name()[:1]
	}, gocmp.Ignore()), gocmp.Comparer(func(a, b flow.Timestamp) bool { return a == b }))
}

// TestMerge splits captures anywhere, adds up the parts, and merges them.
func TestMerge(t *testing.T) {
	var all []string
	for _, dir := range []string{"real", "har", "filter"} {
		all = append(all, flowtest.Glob(t, dir, "*.mitm")...)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for _, items := range [][]item{
		flows(t, flowtest.Path("har", "corpus.mitm")),
		flows(t, flowtest.Path("filter", "corpus-a.mitm")),
		flows(t, flowtest.Path("real", "edited.mitm"), flowtest.Path("real", "dns.mitm")),
		flows(t, all...),
	} {
		want := sum(items)
		if want.Flows != int64(len(items)) || len(want.Largest) != summary.MaxLargest {
			t.Fatalf("%d flows, %d of them largest", want.Flows, len(want.Largest))
		}
		for range 20 {
			var got, part summary.Summary
			rest := items
			for len(rest) > 0 {
				n := rng.IntN(min(len(rest), 40) + 1)
				part.Reset()
				for _, it := range rest[:n] {
					part.Add(it.rec, it.f)
				}
				got.Merge(&part)
				rest = rest[n:]
			}
			if d := diff(want, &got); d != "" {
				t.Fatalf("merged parts differ (-want +got):\n%s", d)
			}
		}
	}
}

func TestMergeNothing(t *testing.T) {
	items := flows(t, flowtest.Path("har", "other.mitm"))
	var got, none summary.Summary
	got.Merge(&none)
	if d := diff(&summary.Summary{}, &got); d != "" {
		t.Errorf("nothing and nothing:\n%s", d)
	}
	got.Merge(sum(items))
	got.Merge(&none)
	if d := diff(sum(items), &got); d != "" {
		t.Errorf("something between nothing:\n%s", d)
	}
}

// TestSummary looks at what is counted.
func TestSummary(t *testing.T) {
	s := sum(flows(t, flowtest.Path("har", "corpus.mitm"), flowtest.Path("har", "other.mitm")))
	for _, tt := range []struct {
		name      string
		got, want int64
	}{
		{"flows", s.Flows, 81},
		{"http", s.Types["http"], 60}, {"websocket", s.Types["websocket"], 2}, {"tcp", s.Types["tcp"], 8},
		{"udp", s.Types["udp"], 4}, {"dns", s.Types["dns"], 7},
		{"version 21", s.Versions[migrate.Newest], 81},
		{"GET", s.Methods["GET"], 45}, {"2xx", s.Statuses["2xx"], 52}, {"no response", s.Statuses["none"], 4},
		{"errors", s.Errors, 7}, {"marked", s.Marked, 1}, {"replayed", s.Replayed, 2}, {"commented", s.Commented, 1},
		{"messages", s.Messages, 10 + 15},
		{"first host", s.Hosts["example.com"], 51},
		{"out of order", s.Disordered, 1}, // the second file begins before the first ends
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, tt.got, tt.want)
		}
	}
	if !slices.IsSortedFunc(s.Largest, func(a, b summary.Large) int { return int(b.Size - a.Size) }) {
		t.Errorf("largest: %v", s.Largest)
	}
}

func request(t *testing.T, method, url string, at float64) *flow.HTTP {
	t.Helper()
	req, err := flow.NewRequest(method, url, flow.Headers{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.TimestampStart = flow.Seconds(at)
	return flow.NewHTTP(flow.NewClientConn(), flow.NewServerConn(nil), req, nil)
}

// TestHostsLimit gives more hosts than are told apart, in parts and at once.
func TestHostsLimit(t *testing.T) {
	f := request(t, "GET", "http://x.example/", 1)
	rec := summary.Record{Size: 1, Version: migrate.Newest}
	var whole, merged, part summary.Summary
	const n = summary.MaxNames + 500
	for i := range n {
		f.Request().Host = fmt.Sprintf("h%d.example", i)
		whole.Add(rec, f)
		part.Add(rec, f)
		if i%777 == 0 || i == n-1 {
			merged.Merge(&part)
			part.Reset()
		}
	}
	f.Request().Host = "h0.example" // known already
	whole.Add(rec, f)
	merged.Add(rec, f)
	if got := len(whole.Hosts); got != summary.MaxNames+1 {
		t.Errorf("%d hosts, want %d and %s", got, summary.MaxNames, summary.Other)
	}
	if got := whole.Hosts[summary.Other]; got != 500 {
		t.Errorf("%d other hosts, want 500", got)
	}
	if got := whole.Hosts["h0.example"]; got != 2 {
		t.Errorf("first host counted %d times, want 2", got)
	}
	if d := diff(&whole, &merged); d != "" {
		t.Errorf("merged parts differ:\n%.2000s", d)
	}
}

func TestLongNames(t *testing.T) {
	f := request(t, strings.Repeat("ä", 1000), "http://x.example/"+strings.Repeat("p", 10_000), 1)
	f.Request().Headers = flow.NewHeaders("Host", strings.Repeat("h", 30_000))
	var s summary.Summary
	s.Add(summary.Record{Size: 1}, f)
	for _, m := range []map[string]int64{s.Hosts, s.Methods} {
		for name := range m {
			if len(name) > 300 || !strings.HasSuffix(name, "…") || strings.ToValidUTF8(name, "") != name {
				t.Errorf("%d bytes: %.100q", len(name), name)
			}
		}
	}
	if what := s.Largest[0].What; len(what) > 1100 {
		t.Errorf("the largest flow is called by %d bytes", len(what))
	}
}

func TestTimes(t *testing.T) {
	for _, tt := range []struct {
		name        string
		times       []float64
		first, last float64
		disordered  int64
	}{
		{"in order", []float64{1, 2, 2, 3}, 1, 3, 0},
		{"out of order", []float64{5, 1, 2, 1}, 1, 5, 2},
		{"no moments are left out", []float64{math.Inf(1), 5, math.NaN(), 1e300, 6, math.Inf(-1)}, 5, 6, 0},
		{"before 1970", []float64{-5, 0, 5}, -5, 5, 0},
	} {
		var s summary.Summary
		for _, at := range tt.times {
			s.Add(summary.Record{Size: 1}, request(t, "GET", "http://x.example/", at))
		}
		if s.First.Unix() != tt.first || s.Last.Unix() != tt.last || s.Disordered != tt.disordered {
			t.Errorf("%s: %v to %v, %d out of order", tt.name, s.First, s.Last, s.Disordered)
		}
	}
}

func TestSorted(t *testing.T) {
	got := summary.Sorted(map[string]int64{"b": 1, "a": 1, "c": 3})
	want := []summary.Count{{Name: "c", Flows: 3}, {Name: "a", Flows: 1}, {Name: "b", Flows: 1}}
	if d := gocmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if got := summary.Sorted(nil); got == nil || len(got) != 0 {
		t.Errorf("of nothing: %v, want an empty list", got)
	}
}

// TestDamage: a flow that cannot be read leaves no trace.
func TestDamage(t *testing.T) {
	m := request(t, "GET", "http://x.example/", 1).GetState()
	m.Set("request", state.Text("?"))
	f, err := flow.View(m)
	if err != nil {
		t.Fatal(err)
	}
	var s summary.Summary
	if err := s.Add(summary.Record{Size: 1}, f); err == nil {
		t.Error("no error")
	}
	if d := diff(&summary.Summary{}, &s); d != "" {
		t.Error(d)
	}
}

func TestStatusClass(t *testing.T) {
	for code, want := range map[int]string{100: "1xx", 199: "1xx", 200: "2xx", 399: "3xx", 404: "4xx", 599: "5xx",
		600: "other", 999: "other", 0: "other", 99: "other", -200: "other"} {
		if got := summary.StatusClass(code); got != want {
			t.Errorf("%d: %s, want %s", code, got, want)
		}
	}
}

// TestReset: what a summary held before does not show.
func TestReset(t *testing.T) {
	a := flows(t, filepath.Join(flowtest.Path("real"), "edited.mitm"))
	b := flows(t, flowtest.Path("har", "other.mitm"))
	s := sum(a)
	s.Reset()
	for _, it := range b {
		s.Add(it.rec, it.f)
	}
	if d := diff(sum(b), s); d != "" {
		t.Error(d)
	}
}
