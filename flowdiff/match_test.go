package flowdiff_test

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/display"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/flowdiff"
)

// matchCases have captures as lists of flows. A flow is key/query/result: flows
// pair by the key, better with the same query, best with the same result. What
// stands before a colon is the id. The answer has a pair as positions in a and b.
var matchCases = []struct {
	name, a, b   string
	mode         flowdiff.Mode
	pairs        string
	onlyA, onlyB []int
}{
	{name: "empty"},
	{name: "nothing in a", b: "x y", onlyB: []int{0, 1}},
	{name: "nothing in b", a: "x y", onlyA: []int{0, 1}},
	{name: "same", a: "x y z", b: "x y z", pairs: "0-0 1-1 2-2"},
	{name: "reversed", a: "x y z", b: "z y x", pairs: "2-0 1-1 0-2"},
	{name: "nothing in common", a: "x y", b: "u v", onlyA: []int{0, 1}, onlyB: []int{0, 1}},
	{name: "first one missing", a: "x y z", b: "y z", pairs: "1-0 2-1", onlyA: []int{0}},
	{name: "last one missing", a: "x y z", b: "x y", pairs: "0-0 1-1", onlyA: []int{2}},
	{name: "one more in the middle", a: "x z", b: "x y z", pairs: "0-0 1-2", onlyB: []int{1}},
	{name: "the same several times", a: "x x x", b: "x x x", pairs: "0-0 1-1 2-2"},
	{name: "the same, once less", a: "x x x", b: "x x", pairs: "0-0 1-1", onlyA: []int{2}},
	{name: "poll before the first neighbour is gone", a: "p a p b p", b: "a p b p", pairs: "1-0 2-1 3-2 4-3", onlyA: []int{0}},
	{name: "poll between neighbours is gone", a: "p a p b p", b: "p a b p", pairs: "0-0 1-1 3-2 4-3", onlyA: []int{2}},
	{name: "poll after the last neighbour is new", a: "p a p b", b: "p a p b p", pairs: "0-0 1-1 2-2 3-3", onlyB: []int{4}},
	{name: "poll moved with its neighbour", a: "a p b p c", b: "c b p a p", pairs: "4-0 2-1 3-2 0-3 1-4"},
	{name: "poll kept before its neighbour", a: "a p p b", b: "c p b", pairs: "2-1 3-2", onlyA: []int{0, 1}, onlyB: []int{0}},
	{name: "other queries", a: "s/1 s/2 s/3", b: "s/4 s/5 s/6", pairs: "0-0 1-1 2-2"},
	{name: "same query first", a: "s/1 s/2 s/3", b: "s/3 s/1", pairs: "2-0 0-1", onlyA: []int{1}},
	{name: "same query, then nearest to it, then order", a: "s/1 s/2 s/3", b: "s/9 s/3 s/8", pairs: "1-0 2-1 0-2"},
	{name: "query inserted", a: "s/1 s/2", b: "s/1 s/7 s/2", pairs: "0-0 1-2", onlyB: []int{1}},
	{name: "same result first", a: "x//200 x//404", b: "x//404 x//200", pairs: "1-0 0-1"},
	{name: "one result is gone", a: "x//200 x//404 x//500", b: "x//200 x//500", pairs: "0-0 2-1", onlyA: []int{1}},
	{name: "results changed", a: "x//1 y//1 x//2", b: "x//3 y//2 x//4", pairs: "0-0 1-1 2-2"},
	{name: "same result beats same query elsewhere", a: "s/1/200 s/2/200", b: "s/2/200 s/1/500", pairs: "1-0 0-1"},
	{name: "query removed among others that moved", a: "x p/1 y p/9 z p/2", b: "z p/9 p/3 x y", pairs: "4-0 3-1 5-2 0-3 2-4", onlyA: []int{1}},
	{name: "ids", a: "1:x 2:x 3:x", b: "3:x 1:x 2:x", pairs: "2-0 0-1 1-2"},
	{name: "ids of edited flows", a: "1:x 2:y", b: "1:u 2:v", pairs: "0-0 1-1"},
	{name: "ids, one removed and one added of the same key", a: "1:x 2:x 3:x", b: "3:x 4:x 1:x", pairs: "2-0 0-2", onlyA: []int{1}, onlyB: []int{1}},
	{name: "ids, one recorded again", a: "1:x 2:x 3:x", b: "1:x 4:x 3:x", pairs: "0-0 1-1 2-2"},
	{name: "ids, one recorded again among others that moved", a: "1:x 2:p 3:x 4:y", b: "4:y 1:x 5:p 3:x", pairs: "3-0 0-1 1-2 2-3"},
	{name: "ids, one removed and another added in its place", a: "1:x 2:x 3:x", b: "1:x 4:y 3:x", pairs: "0-0 2-2", onlyA: []int{1}, onlyB: []int{1}},
	{name: "ids, the end recorded again", a: "1:a 2:p 3:q/1 4:q/2", b: "1:a 5:q/2 6:p 7:q/3", pairs: "0-0 3-1 1-2 2-3"},
	{name: "ids, the same result recorded again first", a: "1:a 2:x//200 3:x//404 4:b", b: "1:a 5:x//404 4:b", pairs: "0-0 2-1 3-2", onlyA: []int{1}},
	{name: "ids, another capture appended to each", a: "1:a 2:b 3:x 4:y", b: "1:a 2:b 5:y 6:x 7:z", pairs: "0-0 1-1 3-2 2-3", onlyB: []int{4}},
	{name: "ids, recorded again is not for ids only", a: "1:x 2:x 3:x", b: "1:x 4:x 3:x", mode: flowdiff.ByID, pairs: "0-0 2-2", onlyA: []int{1}, onlyB: []int{1}},
	{name: "id twice", a: "1:x 1:x 2:y", b: "2:y 1:x", pairs: "2-0 0-1", onlyA: []int{1}},
	{name: "one id in common by chance", a: "1:a b c d e f g h i j k l m n o p q r s t u v w x y z", b: "1:z a b c d e f g h i j k l m n o p q r s t u v w x y", pairs: "0-0 1-2 2-3 3-4 4-5 5-6 6-7 7-8 8-9 9-10 10-11 11-12 12-13 13-14 14-15 15-16 16-17 17-18 18-19 19-20 20-21 21-22 22-23 23-24 24-25", onlyA: []int{25}, onlyB: []int{1}},
	{name: "by id only", a: "1:x y", b: "y 1:x", mode: flowdiff.ByID, pairs: "0-1", onlyA: []int{1}, onlyB: []int{0}},
	{name: "by key only", a: "1:x 2:x", b: "2:x 1:x", mode: flowdiff.ByKey, pairs: "0-0 1-1"},
	{name: "two captures mixed up", a: "a b c d e", b: "e x b y a", pairs: "4-0 1-2 0-4", onlyA: []int{2, 3}, onlyB: []int{1, 3}},
}

// entries makes the entries of a case. Flows without an id get one of their own.
func entries(s, side string) []flowdiff.Entry {
	hash := func(s string) uint64 {
		h := fnv.New64a()
		h.Write([]byte(s))
		return h.Sum64()
	}
	var out []flowdiff.Entry
	for i, f := range strings.Fields(s) {
		id, what, ok := strings.Cut(f, ":")
		if !ok {
			id, what = fmt.Sprintf("%s%d", side, i), f
		}
		key, rest, _ := strings.Cut(what, "/")
		query, _, _ := strings.Cut(rest, "/")
		out = append(out, flowdiff.Entry{
			Index: int64(i), ID: hash(id), Key: hash(key), Exact: hash(key + "/" + query), Got: hash(what),
		})
	}
	return out
}

func TestMatch(t *testing.T) {
	for _, tt := range matchCases {
		t.Run(tt.name, func(t *testing.T) {
			p := flowdiff.Match(entries(tt.a, "a"), entries(tt.b, "b"), tt.mode)
			var pairs []string
			for _, x := range p.Pairs {
				pairs = append(pairs, fmt.Sprintf("%d-%d", x.A, x.B))
			}
			if got := strings.Join(pairs, " "); got != tt.pairs {
				t.Errorf("pairs %s, want %s", got, tt.pairs)
			}
			if d := cmp.Diff(tt.onlyA, p.OnlyA); d != "" {
				t.Errorf("only in a: %s", d)
			}
			if d := cmp.Diff(tt.onlyB, p.OnlyB); d != "" {
				t.Errorf("only in b: %s", d)
			}
		})
	}
}

// Captures that were shuffled, and of which flows were removed and others added,
// with and without their ids.
func TestMatchShuffled(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 2))
		a := make([]flowdiff.Entry, 2000)
		for i := range a {
			key := rng.Uint64()
			if rng.IntN(4) == 0 {
				key = uint64(rng.IntN(20))
			}
			a[i] = flowdiff.Entry{Index: int64(i), ID: rng.Uint64(), Key: key, Exact: key}
		}
		b := slices.Clone(a)
		rng.Shuffle(len(b), func(i, j int) { b[i], b[j] = b[j], b[i] })
		b = b[:1800]
		for k := range 100 {
			b = slices.Insert(b, rng.IntN(len(b)), flowdiff.Entry{Index: -1, ID: rng.Uint64(), Key: uint64(k % 30), Exact: uint64(k % 30)})
		}
		p := flowdiff.Match(a, b, flowdiff.Auto)
		if len(p.Pairs) != 1800 || len(p.OnlyA) != 200 || len(p.OnlyB) != 100 {
			t.Fatalf("%d pairs, %d and %d left", len(p.Pairs), len(p.OnlyA), len(p.OnlyB))
		}
		for _, x := range p.Pairs {
			if a[x.A].Index != b[x.B].Index {
				t.Fatalf("flow %d is paired with flow %d", a[x.A].Index, b[x.B].Index)
			}
		}
		for i := range b {
			b[i].ID = rng.Uint64()
		}
		p = flowdiff.Match(a, b, flowdiff.Auto)
		seen := map[int]bool{}
		for _, x := range p.Pairs {
			if a[x.A].Key != b[x.B].Key || seen[x.A] {
				t.Fatalf("flow %d of another key, or twice", x.A)
			}
			seen[x.A] = true
			if a[x.A].Key > 30 && a[x.A].Index != b[x.B].Index {
				t.Fatalf("flow %d is paired with flow %d", a[x.A].Index, b[x.B].Index)
			}
		}
		if len(p.Pairs)+len(p.OnlyA) != len(a) || len(p.Pairs)+len(p.OnlyB) != len(b) {
			t.Fatal("flows are lost")
		}
	}
}

// randomEntries returns two captures of n flows of 1000 keys.
func randomEntries(n int) (a, b []flowdiff.Entry) {
	rng := rand.New(rand.NewPCG(1, 3))
	make1 := func() []flowdiff.Entry {
		out := make([]flowdiff.Entry, n)
		for i := range out {
			key := uint64(rng.IntN(1000))
			exact := key<<32 | uint64(rng.IntN(100))
			out[i] = flowdiff.Entry{Index: int64(i), ID: rng.Uint64(), Key: key, Exact: exact, Got: uint64(rng.IntN(50))}
		}
		return out
	}
	return make1(), make1()
}

// alikeEntries returns a capture of n flows with one key, which asked for one of 20
// things at random.
func alikeEntries(n int, capture uint64) []flowdiff.Entry {
	rng := rand.New(rand.NewPCG(capture, 6))
	out := cycleEntries(n, capture)
	for i := range out {
		out[i].Sent = uint64(rng.IntN(20))
	}
	return out
}

// cycleEntries returns a capture of n flows with one key, which asked for one of 20
// things after the other.
func cycleEntries(n int, capture uint64) []flowdiff.Entry {
	out := make([]flowdiff.Entry, n)
	for i := range out {
		other := capture<<32 | uint64(i) // than in all other flows
		out[i] = flowdiff.Entry{Index: int64(i), ID: other, Key: 1, Exact: 1, Sent: uint64(i % 20), Got: other}
	}
	return out
}

func TestMatchMemory(t *testing.T) {
	a, b := randomEntries(100_000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p := flowdiff.Match(a, b, flowdiff.Auto)
	runtime.ReadMemStats(&after)
	// What is allocated altogether is much more than what is held at any time: more
	// than half of it is for aligning flows of one key, and given back at once.
	if n := after.TotalAlloc - before.TotalAlloc; n > 80<<20 {
		t.Errorf("%d bytes allocated", n)
	}
	if len(p.Pairs) < 90_000 {
		t.Errorf("%d pairs", len(p.Pairs))
	}
}

// Flows ask for the same if only what changes from capture to capture differs.
func TestKeyer(t *testing.T) {
	k := flowdiff.NewKeyer(nil)
	entry := func(method, url string) flowdiff.Entry {
		req, err := flow.NewRequest(method, url, flow.NewHeaders(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return k.Entry(flow.NewHTTP(flow.NewClientConn(), flow.NewServerConn(nil), req, nil), 3, 4)
	}
	base := entry("GET", "http://a.example/users/17/avatar.png?size=3")
	if base.Index != 3 || base.Offset != 4 {
		t.Errorf("%+v", base)
	}
	for _, tt := range []struct {
		method, url string
		key, exact  bool
	}{
		{"GET", "http://a.example/users/17/avatar.png?size=3", true, true},
		{"GET", "http://A.example/users/18/avatar.png?size=3", true, false},
		{"GET", "http://a.example/users/0b9c2f66-31a5-4b7e-9d0c-2f1b1f0e7a55/avatar.png", true, false},
		{"GET", "http://a.example/users/17/avatar.png", true, false},
		{"GET", "http://a.example/users/me/avatar.png", false, false},
		{"POST", "http://a.example/users/17/avatar.png?size=3", false, false},
		{"GET", "http://b.example/users/17/avatar.png?size=3", false, false},
		{"GET", "http://a.example/users/17/avatar.jpg?size=3", false, false},
	} {
		e := entry(tt.method, tt.url)
		if (e.Key == base.Key) != tt.key || (e.Exact == base.Exact) != tt.exact {
			t.Errorf("%s %s: key %t, exact %t", tt.method, tt.url, e.Key == base.Key, e.Exact == base.Exact)
		}
	}
	fragment := func(path string) flowdiff.Entry {
		req, err := flow.NewRequest("GET", "http://a.example/", flow.NewHeaders(), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Path = path
		return k.Entry(flow.NewHTTP(flow.NewClientConn(), flow.NewServerConn(nil), req, nil), 0, 0)
	}
	if fragment("/a?q=1#x").Key != fragment("/a?q=2#x").Key || fragment("/a#x?").Key == fragment("/a#y?").Key {
		t.Error("the query is looked at, or the fragment is not")
	}
	columns, err := display.ParseColumns("method,host")
	if err != nil {
		t.Fatal(err)
	}
	k = flowdiff.NewKeyer(columns)
	if entry("GET", "http://a.example/x").Key != entry("GET", "http://a.example/y").Key {
		t.Error("paths are looked at although they are no column")
	}
	if entry("GET", "http://a.example/x").Key == entry("GET", "http://b.example/x").Key {
		t.Error("hosts are not looked at")
	}
}

// Every flow of a capture is paired with itself, in any order.
func TestMatchSelf(t *testing.T) {
	for _, name := range [][]string{{"real", "http1.mitm"}, {"har", "other.mitm"}, {"filter", "corpus-a.mitm"}} {
		flows := readFlows(t, name...)
		k := flowdiff.NewKeyer(nil)
		var a []flowdiff.Entry
		for i, f := range flows {
			a = append(a, k.Entry(f, int64(i), 0))
		}
		b := slices.Clone(a)
		slices.Reverse(b)
		for _, mode := range []flowdiff.Mode{flowdiff.Auto, flowdiff.ByKey} {
			p := flowdiff.Match(a, b, mode)
			if len(p.Pairs) != len(a) {
				t.Fatalf("%v: %d pairs of %d", name, len(p.Pairs), len(a))
			}
			for _, x := range p.Pairs {
				if a[x.A].Key != b[x.B].Key || mode == flowdiff.Auto && a[x.A].ID != b[x.B].ID {
					t.Errorf("%v: %d is not %d", name, x.A, x.B)
				}
			}
		}
	}
}

// A capture that was recorded again, without some of its flows and in another
// order: no ids are the same, and everything finds its other half.
func TestMatchRecordedAgain(t *testing.T) {
	flows := readFlows(t, "real", "http1.mitm")
	k := flowdiff.NewKeyer(nil)
	var a []flowdiff.Entry
	for i, f := range flows {
		a = append(a, k.Entry(f, int64(i), 0))
	}
	type contents struct{ exact, sent, got, sizes uint64 }
	of := func(e flowdiff.Entry) contents { return contents{e.Exact, e.Sent, e.Got, e.Sizes} }
	count := map[contents]int{}
	for _, e := range a {
		count[of(e)]++
	}
	for seed := range uint64(10) {
		rng := rand.New(rand.NewPCG(seed, 4))
		b := slices.Clone(a)
		for i := range b {
			b[i].ID = rng.Uint64()
		}
		for range 10 {
			i := rng.IntN(len(b))
			b = slices.Delete(b, i, i+1)
		}
		for range 5 {
			i, j := rng.IntN(len(b)), rng.IntN(len(b))
			b[i], b[j] = b[j], b[i]
		}
		p := flowdiff.Match(a, b, flowdiff.Auto)
		if len(p.Pairs) != 90 || len(p.OnlyA) != 10 || len(p.OnlyB) != 0 {
			t.Fatalf("%d pairs, %d and %d left", len(p.Pairs), len(p.OnlyA), len(p.OnlyB))
		}
		for _, x := range p.Pairs {
			if of(a[x.A]) != of(b[x.B]) || count[of(a[x.A])] == 1 && a[x.A].Index != b[x.B].Index {
				t.Errorf("%d is paired with %d", a[x.A].Index, b[x.B].Index)
			}
		}
	}
}
