package filter_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowtool/flowtool/filter"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/internal/searchtext"
	"github.com/flowtool/flowtool/migrate"
)

func set[T comparable](values ...T) filter.ValueSet[T] {
	return filter.ValueSet[T]{Known: true, Values: values, Always: true}
}

func within[T cmp.Ordered](lo, hi T) filter.ValueRange[T] {
	return filter.ValueRange[T]{Known: true, Min: lo, Max: hi, Always: true}
}

func TestMayMatch(t *testing.T) {
	some := set[int64](200, 404)
	some.Always = false
	pages := &filter.ChunkFacts{
		Types: set("http"), Hosts: set("shop.example", "10.0.0.1"), Methods: set("GET"),
		Answered: set(true, false), Statuses: some, IDs: set("8d2f", "51c0"),
		Versions: set(migrate.Number(21), migrate.Version{}), Indexes: within[int64](10, 19),
		Starts: within[float64](begin, begin+60), First: begin - 3600, Last: begin + 3600, HasSpan: true,
	}
	mixed := *pages
	mixed.Types = set("http", "tcp")
	ended := *pages
	ended.Answered, ended.Statuses, ended.Starts.Always = set(true), set[int64](200, 201), false
	names := &filter.ChunkFacts{Types: set("dns"), Hosts: set[string](), Answered: set(true)}
	odd := &filter.ChunkFacts{
		Types: set("http", "smtp"), Starts: within(math.NaN(), begin), Indexes: within[int64](1, 0),
	}
	for _, test := range []struct {
		facts    *filter.ChunkFacts
		may, not string // filters, separated by semicolons
	}{
		{nil, "~http; !~http; ~d x; ~c 200 & !~c 200; ~time 2024; ~index 0; ~all", "!~all; ~d x & !~all"},
		{&filter.ChunkFacts{}, "~http; !~http; ~d x; ~id 0; ~formatv 4; ~time end; !~time start..", "!~all | !~all"},
		{
			pages,
			"~http; ~websocket; !~websocket; ~d shop; ~d ^10; !~d shop; ~d .; ~m get; ~c 200; !~c 200; ~status 2xx; !~status 2xx,4xx;" +
				"~q; ~s; !~q; !~s; ~id 8d2f00; ~id 8; ~id 51C; !~id 8; ~formatv 21; ~index 0-10; ~index 15; !~index 0-18; ~index >18;" +
				"~time 2024-05-01; ~time 2024-05-01T10:00:30Z; !~time 2024-05-01T10:00:30Z; ~time start+1h..; ~time end-1h; ~u x; ~b x;" +
				"~marked; ~d shop & ~c 404; ~tcp | ~m get; ~size 0; ~src x; !~tcp; !~size 0",
			"~tcp; ~dns; !~http; ~d other; !~d .; ~m post; !~m ^g; ~c 500; ~status 1xx,3xx; ~id 9; ~id 8e; ~id a,b,c; ~formatv <21; !~formatv 21;" +
				"!~id 8,5; ~index 0-9,20-; !~index 10-19; !~index 5..; ~time 2025; ~time <2024-05-01T10:00:00Z; !~time 2024-05; ~time start; ~time end;" +
				"~d shop & ~m post; ~tcp | ~c 500; !(~http | ~d x); !(~m get | ~q); ~m post & ~b x; !(~time start..end)",
		},
		{&mixed, "!~http; !~d .; !~m get; ~tcp; ~b x; !~d shop & ~b x; ~c 200", "~dns; ~m post; ~c 500; ~udp"},
		{&ended, "~s; ~status 200; !~status 200; !~time 2024; ~time 2024", "~q; !~s; !~status 200..201; ~status 300..; ~q ~d shop"},
		{names, "~dns; ~s; ~u x; !~u x; ~b x; !~d .; !~m GET; !~size 0; ~q | ~time 2024", "~d .; ~m GET; ~q; ~t x; ~size 0; !~s; ~hn a; ~c 0"},
		{odd, "~tcp; ~dns; !~http; ~time 2020; !~time 2020", "~index 0..; ~index 0 & ~tcp; !~index 0"},
	} {
		for text, want := range splitBoth(test.may, test.not) {
			f := compile(t, text, &filter.Options{Location: time.UTC})
			if got := f.MayMatch(test.facts); got != want {
				t.Errorf("%s may match: %v, want %v, given %+v", text, got, want, test.facts)
			}
			not := compile(t, "!("+text+")", &filter.Options{Location: time.UTC})
			if f.MustMatch(test.facts) == not.MayMatch(test.facts) {
				t.Errorf("%s must match, or !(%[1]s) may, but not both: %+v", text, test.facts)
			}
		}
	}
}

// splitBoth yields the parts of yes with true and those of no with false.
func splitBoth(yes, no string) func(func(string, bool) bool) {
	return func(yield func(string, bool) bool) {
		for text := range strings.SplitSeq(yes, ";") {
			if !yield(strings.TrimSpace(text), true) {
				return
			}
		}
		for text := range strings.SplitSeq(no, ";") {
			if !yield(strings.TrimSpace(text), false) {
				return
			}
		}
	}
}

// TestMayMatchTimeout: an answer that takes too long is not known.
func TestMayMatchTimeout(t *testing.T) {
	f := compile(t, `~d "(a+)+\\1$"`, &filter.Options{Timeout: time.Millisecond})
	facts := &filter.ChunkFacts{Types: set("http"), Hosts: set(strings.Repeat("a", 60) + "b")}
	if !f.MayMatch(facts) {
		t.Error("ruled out by a regular expression without an answer")
	}
}

// A group is a number of flows, in a row as in a file, with their facts.
type group struct {
	flows []flow.Flow
	facts []filter.Facts
}

// summary returns what is known of g if everything is.
func (g *group) summary() filter.ChunkFacts {
	c := filter.ChunkFacts{
		Types: set[string](), Hosts: set[string](), Methods: set[string](), Answered: set[bool](), Statuses: set[int64](),
		IDs: set[string](), Versions: set[migrate.Version](), Indexes: within[int64](math.MaxInt64, 0),
		Starts: within(math.Inf(1), math.Inf(-1)), First: g.facts[0].First, Last: g.facts[0].Last, HasSpan: true,
	}
	for i, f := range g.flows {
		typ := f.Type()
		c.Types.Values = append(c.Types.Values, typ)
		c.IDs.Values = append(c.IDs.Values, f.ID())
		c.Versions.Values = append(c.Versions.Values, g.facts[i].Version)
		c.Indexes.Min, c.Indexes.Max = min(c.Indexes.Min, g.facts[i].Index), max(c.Indexes.Max, g.facts[i].Index)
		start := f.ClientConn().TimestampStart
		switch f := f.(type) {
		case *flow.HTTP:
			r := f.Request()
			pretty := searchtext.Request{
				Host: []byte(r.Host), Authority: []byte(r.Authority), HTTPVersion: []byte(r.HTTPVersion),
				HostHeader: []byte(strings.Join(slices.Collect(r.Headers.Values("host")), ", ")),
			}
			c.Hosts.Values = append(c.Hosts.Values, r.Host, string(pretty.PrettyHost()))
			c.Methods.Values = append(c.Methods.Values, r.Method)
			c.Answered.Values = append(c.Answered.Values, f.Response() != nil)
			if s := f.Response(); s != nil {
				c.Statuses.Values = append(c.Statuses.Values, int64(s.StatusCode))
			} else {
				c.Statuses.Always = false
			}
			if !r.TimestampStart.IsNull() {
				start = r.TimestampStart
			}
		case *flow.DNS:
			c.Answered.Values = append(c.Answered.Values, f.Response() != nil)
		}
		if start.IsNull() {
			start = f.TimestampCreated()
		}
		if t := start.Unix(); t != 0 {
			c.Starts.Min, c.Starts.Max = min(c.Starts.Min, t), max(c.Starts.Max, t)
		} else {
			c.Starts.Always = false
		}
	}
	return c
}

// blur returns facts that are true of the same flows, but say less.
func blur(rnd *rand.Rand, c filter.ChunkFacts) filter.ChunkFacts {
	forget := func(known, always *bool) {
		switch rnd.IntN(6) {
		case 0:
			*known = false
		case 1:
			*always = false
		}
	}
	forget(&c.Types.Known, &c.Types.Always)
	forget(&c.Hosts.Known, &c.Hosts.Always)
	forget(&c.Methods.Known, &c.Methods.Always)
	forget(&c.Answered.Known, &c.Answered.Always)
	forget(&c.Statuses.Known, &c.Statuses.Always)
	forget(&c.IDs.Known, &c.IDs.Always)
	forget(&c.Versions.Known, &c.Versions.Always)
	forget(&c.Indexes.Known, &c.Indexes.Always)
	forget(&c.Starts.Known, &c.Starts.Always)
	if rnd.IntN(2) == 0 {
		c.Types.Values = append(c.Types.Values, []string{"http", "tcp", "udp", "dns", "other"}[rnd.IntN(5)])
		c.Hosts.Values = append(c.Hosts.Values, "blurred.example")
		c.Statuses.Values = append(c.Statuses.Values, 299, -1, math.MaxInt64)
		c.Starts.Min, c.Starts.Max = c.Starts.Min-rnd.Float64(), c.Starts.Max+rnd.Float64()
	}
	n := 1 + rnd.IntN(40)
	c.IDs.Values = slices.Clone(c.IDs.Values)
	for i, id := range c.IDs.Values {
		c.IDs.Values[i] = id[:min(n, len(id))]
	}
	return c
}

// A grouper makes groups of the flows of some dumps, and filters for them.
type grouper struct {
	*rand.Rand
	dumps [][]flow.Flow
}

func newGrouper(t testing.TB, seed uint64) *grouper {
	g := &grouper{Rand: rand.New(rand.NewPCG(seed, 11))}
	for _, path := range [][2]string{
		{"filter", "corpus-a.mitm"}, {"har", "corpus.mitm"}, {"real", "http1.mitm"}, {"real", "h2.mitm"},
		{"real", "ws-v21.mitm"}, {"real", "tcp.mitm"}, {"real", "dns.mitm"}, {"real", "errors.mitm"}, {"real", "reverse.mitm"},
	} {
		flows := readFlows(t, flowtest.Path(path[0], path[1]))
		if len(flows) < 3 {
			t.Fatalf("%v has only %d flows", path, len(flows))
		}
		g.dumps = append(g.dumps, flows)
	}
	return g
}

func (g *grouper) group() *group {
	flows := g.dumps[g.IntN(len(g.dumps))]
	from := g.IntN(len(flows))
	out := &group{flows: slices.Clone(flows[from : from+1+g.IntN(min(8, len(flows)-from))])}
	if g.IntN(3) == 0 { // as if another dump were appended
		other := g.dumps[g.IntN(len(g.dumps))]
		out.flows = append(out.flows, other[g.IntN(len(other))])
	}
	first := g.Int64N(30)
	versions := []migrate.Version{{}, migrate.Newest, migrate.Number(12), migrate.Tuple(0, 18)}[g.IntN(4):]
	for i := range out.flows {
		out.facts = append(out.facts, filter.Facts{
			Index: first + int64(i), Version: versions[g.IntN(len(versions))], First: 1.5e9, Last: 1.8e9,
		})
	}
	return out
}

// expression returns a filter about something that is true of a flow of one of
// the groups, and mostly not of those of another.
func (g *grouper) expression(groups []*group, depth int) string {
	if depth > 0 && g.IntN(5) < 2 {
		a, b := g.expression(groups, depth-1), g.expression(groups, depth-1)
		return fmt.Sprintf([]string{"(%s) & (%s)", "(%s) | (%s)", "!(%s) & %s", "%s !(%s)"}[g.IntN(4)], a, b)
	}
	if g.IntN(6) == 0 {
		all := filter.Operators()
		return all[g.IntN(len(all))].Example
	}
	of := groups[g.IntN(len(groups))]
	c := of.summary()
	begin := []string{"", "", "", "!"}[g.IntN(4)]
	from, to := c.Indexes.Min+g.Int64N(3)-1, c.Indexes.Max+g.Int64N(3)-1
	switch g.IntN(9) {
	case 0:
		return begin + "~" + []string{"http", "tcp", "udp", "dns", "websocket", "q", "s"}[g.IntN(7)]
	case 1:
		if len(c.Hosts.Values) > 0 {
			return begin + "~d '^" + c.Hosts.Values[g.IntN(len(c.Hosts.Values))] + "'"
		}
		return begin + "~d ^[a-f]"
	case 2:
		return begin + "~m " + []string{"^GET$", "^POST$", "^P", "CONNECT", "E"}[g.IntN(5)]
	case 3:
		return begin + "~status " + []string{"2xx", "200", "4xx,5xx", "200..404", ">=300"}[g.IntN(5)]
	case 4:
		return begin + "~c " + []string{"200", "404", "101"}[g.IntN(3)]
	case 5:
		id := c.IDs.Values[g.IntN(len(c.IDs.Values))]
		return begin + "~id '" + id[:1+g.IntN(max(1, len(id)-1))] + "'"
	case 6:
		return begin + fmt.Sprintf([]string{"~index %d..%d", "~index %d,%d", "~index %d-,%d"}[g.IntN(3)],
			max(0, min(from, to)), max(0, from, to))
	case 7:
		return begin + "~formatv " + []string{"21", "<21", "0.18", "12..20"}[g.IntN(4)]
	}
	at := math.Floor(c.Starts.Min + float64(g.IntN(3)-1))
	if math.IsInf(at, 0) || at < 0 {
		return begin + "~time start.."
	}
	return begin + fmt.Sprintf([]string{"~time %.0f..", "~time <%.0f", "~time %.0f", "~time start+1d..%.0f"}[g.IntN(4)], at)
}

// check fails if f is ruled out but matches a flow of g, and tells whether it is
// ruled out and whether it matches one.
func (g *group) check(t *testing.T, f *filter.Filter, text string, c *filter.ChunkFacts) (out, matched bool) {
	t.Helper()
	out = !f.MayMatch(c)
	must := f.MustMatch(c)
	for i, fl := range g.flows {
		ok, _ := f.Match(fl, &g.facts[i])
		matched = matched || ok
		if ok && out {
			t.Fatalf("%s matches flow %d but is ruled out by %+v", text, i, c)
		}
		if !ok && must {
			t.Fatalf("%s does not match flow %d but must do so because of %+v", text, i, c)
		}
	}
	return out, matched
}

// TestMayMatchRandom: whatever is ruled out matches no flow. The most part of what
// matches no flow is ruled out.
func TestMayMatchRandom(t *testing.T) {
	g := newGrouper(t, seed(t))
	rounds := 300
	if raceEnabled {
		rounds /= 10
	}
	unmatched, ruledOut := 0, 0
	for range rounds {
		groups := []*group{g.group(), g.group(), g.group()}
		for range 40 {
			text := g.expression(groups, 2)
			f := compile(t, text, &filter.Options{Location: time.UTC})
			for _, of := range groups {
				c := of.summary()
				out, matched := of.check(t, f, text, &c)
				if !matched {
					unmatched++
				}
				if out {
					ruledOut++
				}
				less := blur(g.Rand, c)
				if outToo, _ := of.check(t, f, text, &less); outToo && !out {
					t.Fatalf("%s is ruled out by less knowledge:\n%+v\n%+v", text, less, c)
				}
			}
		}
	}
	t.Logf("%d of %d filters that match nothing are ruled out", ruledOut, unmatched)
	if ruledOut < unmatched/2 || unmatched < rounds*40*3/5 {
		t.Errorf("%d filters match nothing, and only %d of them are ruled out", unmatched, ruledOut)
	}
}

// FuzzMayMatch does the same with any filter.
func FuzzMayMatch(f *testing.F) {
	texts, _ := matchSeeds(f)
	for i, text := range texts {
		f.Add(text, uint64(i))
	}
	g := newGrouper(f, 0)
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		if len(text) > 500 {
			return
		}
		expr, err := filter.Parse(text, &filter.Options{Timeout: 20 * time.Millisecond, Location: time.UTC})
		if err != nil {
			return
		}
		m := filter.Compile(expr)
		g := &grouper{rand.New(rand.NewPCG(seed, 12)), g.dumps}
		of := g.group()
		c := of.summary()
		of.check(t, m, text, &c)
		c = blur(g.Rand, c)
		of.check(t, m, text, &c)
	})
}
