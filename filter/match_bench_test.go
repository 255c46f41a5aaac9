package filter_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/filter"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

// benchDumps have all types of flows, in format 21.
var benchDumps = [][]string{{"filter", "corpus-a.mitm"}, {"har", "corpus.mitm"}}

// benchRecords returns the records of the benchmarks, undecoded, and their size.
func benchRecords(t testing.TB) (vs []state.Value, size int64) {
	t.Helper()
	for _, name := range benchDumps {
		data := flowtest.Read(t, flowtest.Path(name...))
		vs = append(vs, values(t, data)...)
		size += int64(len(data))
	}
	return vs, size
}

var benchFilters = []struct{ name, expr string }{
	{"d", "~d example"},
	{"m", "~m ^POST$"},
	{"c", "~c 404"},
	{"u", "~u /api/"},
	{"h", "~h ^server:"},
	{"t", "~t json"},
	{"b literal", "~b password"},
	{"b regex", `~b "pass(word|phrase)\\s*="`},
	{"b backtracking", `~b "(?<!no)password"`},
	{"meta", "~meta ^tag:"},
	{"src", "~src ^127"},
	{"size", "~size >10k"},
	{"combined", "~d example & ~m POST & (~c 404 | ~t json) & !~b password"},
}

// BenchmarkMatch looks at all records once.
func BenchmarkMatch(b *testing.B) {
	for _, bench := range benchFilters {
		b.Run(bench.name, func(b *testing.B) {
			f := compile(b, bench.expr, nil)
			vs, size := benchRecords(b)
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				matchAll(b, f, vs)
			}
		})
	}
}

func matchAll(t testing.TB, f *filter.Filter, vs []state.Value) {
	for i := range vs {
		if _, err := f.MatchState(&vs[i], nil); err != nil {
			t.Fatal(err)
		}
	}
}

// oddHost tells whether a flow has a host that is an international name or an
// IPv6 address: to find out whether mitmproxy would take it for valid allocates.
func oddHost(v state.Value) bool {
	m, err := v.Map()
	if err != nil {
		return true
	}
	f, err := flow.View(m)
	h, ok := f.(*flow.HTTP)
	if err != nil || !ok {
		return err != nil
	}
	r := h.Request()
	odd := func(c rune) bool { return c >= 0x80 || c == '[' }
	return slices.ContainsFunc([]string{r.Host, r.Authority, r.Headers.Get("host")}, func(name string) bool {
		return strings.Contains(strings.ToLower(name), "xn--") || strings.ContainsFunc(name, odd)
	})
}

// TestMatchAllocs: filters that look at the head of a flow allocate nothing once
// they have looked at some.
func TestMatchAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool forget things")
	}
	all, _ := benchRecords(t)
	vs := slices.DeleteFunc(all, oddHost)
	if len(vs) < len(all)/2 {
		t.Fatalf("only %d of %d flows", len(vs), len(all))
	}
	for _, bench := range benchFilters {
		f := compile(t, bench.expr, nil)
		allocs := testing.AllocsPerRun(20, func() { matchAll(t, f, vs) })
		t.Logf("%s: %v allocations for %d flows", bench.expr, allocs, len(vs))
		switch bench.name {
		case "d", "m", "c", "u", "h", "t", "meta", "src", "size":
			if allocs > 0 {
				t.Errorf("%s: %v allocations for %d flows, want none", bench.expr, allocs, len(vs))
			}
		}
	}
}
