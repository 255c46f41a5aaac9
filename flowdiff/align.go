package flowdiff

import (
	"slices"

	"github.com/aymanbagabas/go-udiff/lcs"
)

// A run says that n elements from i of one sequence on are those from j of the
// other on.
type run struct{ i, j, n int }

// Limits of the search for common elements. Sequences of up to exact elements
// together are aligned as well as can be; the library gives up on those that
// differ in more than about 100 places, so larger ones are cut at elements that
// occur once in both. Both bounds keep the time near linear whatever the input.
const (
	exact     = 100
	maxRounds = 8
)

// align finds the elements that two sequences have in common, in order. What it
// finds for b and a is what it finds for a and b, the other way round.
func align(a, b []string) []run {
	if slices.Compare(a, b) > 0 {
		runs := align(b, a)
		for k, r := range runs {
			runs[k] = run{r.j, r.i, r.n}
		}
		return runs
	}
	var al aligner
	al.part(a, b, 0, 0, 0)
	return al.runs
}

type aligner struct{ runs []run }

func (al *aligner) add(i, j, n int) {
	if n == 0 {
		return
	}
	if k := len(al.runs) - 1; k >= 0 && al.runs[k].i+al.runs[k].n == i && al.runs[k].j+al.runs[k].n == j {
		al.runs[k].n += n
		return
	}
	al.runs = append(al.runs, run{i, j, n})
}

// part aligns a and b, which begin at i and j of the whole sequences.
func (al *aligner) part(a, b []string, i, j, round int) {
	prefix := 0
	for prefix < min(len(a), len(b)) && a[prefix] == b[prefix] {
		prefix++
	}
	al.add(i, j, prefix)
	a, b, i, j = a[prefix:], b[prefix:], i+prefix, j+prefix
	suffix := 0
	for suffix < min(len(a), len(b)) && a[len(a)-1-suffix] == b[len(b)-1-suffix] {
		suffix++
	}
	a, b = a[:len(a)-suffix], b[:len(b)-suffix]
	if len(a) > 0 && len(b) > 0 {
		al.middle(a, b, i, j, round)
	}
	al.add(i+len(a), j+len(b), suffix)
}

func (al *aligner) middle(a, b []string, i, j, round int) {
	var anchors []run
	if len(a)+len(b) > exact && round < maxRounds {
		anchors = uniqueCommon(a, b)
	}
	if len(anchors) == 0 {
		x, y := 0, 0
		for _, d := range lcs.DiffLines(a, b) {
			al.add(i+x, j+y, d.Start-x)
			x, y = d.End, d.ReplEnd
		}
		al.add(i+x, j+y, len(a)-x)
		return
	}
	x, y := 0, 0
	for _, r := range anchors {
		al.part(a[x:r.i], b[y:r.j], i+x, j+y, round+1)
		al.add(i+r.i, j+r.j, 1)
		x, y = r.i+1, r.j+1
	}
	al.part(a[x:], b[y:], i+x, j+y, round+1)
}

// uniqueCommon returns a longest sequence of elements, ascending in both, that
// occur once in a and once in b.
func uniqueCommon(a, b []string) []run {
	type place struct{ inA, inB, i, j int }
	places := make(map[string]*place, len(a))
	for i, s := range a {
		p := places[s]
		if p == nil {
			p = new(place)
			places[s] = p
		}
		p.inA++
		p.i = i
	}
	for j, s := range b {
		if p := places[s]; p != nil {
			p.inB++
			p.j = j
		}
	}
	var all []run
	for _, s := range a {
		if p := places[s]; p.inA == 1 && p.inB == 1 {
			all = append(all, run{p.i, p.j, 1})
		}
	}
	return ascending(all)
}

// ascending returns a longest subsequence of runs, which ascend in i, that
// ascends in j as well.
func ascending(runs []run) []run {
	tails := []int{}                 // tails[n] ends the best subsequence of n+1 runs
	before := make([]int, len(runs)) // the run before each, or -1
	for k, r := range runs {
		n, _ := slices.BinarySearchFunc(tails, r.j, func(t, j int) int { return runs[t].j - j })
		before[k] = -1
		if n > 0 {
			before[k] = tails[n-1]
		}
		if n == len(tails) {
			tails = append(tails, k)
		} else {
			tails[n] = k
		}
	}
	if len(tails) == 0 {
		return nil
	}
	out := make([]run, len(tails))
	for n, k := len(tails)-1, tails[len(tails)-1]; k >= 0; n, k = n-1, before[k] {
		out[n] = runs[k]
	}
	return out
}

// A gap is where two sequences differ: the elements from i to i2 of one stand in
// place of those from j to j2 of the other.
type gap struct{ i, i2, j, j2 int }

// gapsBetween returns what is between the runs of sequences of n and m elements.
func gapsBetween(runs []run, n, m int) []gap {
	var gaps []gap
	i, j := 0, 0
	for _, r := range append(slices.Clip(runs), run{n, m, 0}) {
		if i < r.i || j < r.j {
			gaps = append(gaps, gap{i, r.i, j, r.j})
		}
		i, j = r.i+r.n, r.j+r.n
	}
	return gaps
}

// A match is a pair of elements of two lists, or an element of one: the other
// index is -1 then.
type match struct {
	i, j  int
	equal bool // the keys are
	moved bool // equal, but at another place among the others
}

// matchLists pairs the elements of two lists by their keys: first those that are
// equal and in order, then equal ones elsewhere, then those of the same class
// that stand between the same neighbours. Removed elements come before what is in
// their place, everything else is in the order of b.
func matchLists(a, b []string, classA, classB func(int) string) []match {
	runs := align(a, b)
	gaps := gapsBetween(runs, len(a), len(b))
	from, taken := movedElements(a, b, gaps)
	var out []match
	i, j := 0, 0
	equal := func(i2 int) {
		for ; i < i2; i, j = i+1, j+1 {
			out = append(out, match{i: i, j: j, equal: true})
		}
	}
	for _, g := range gaps {
		equal(g.i)
		waiting := map[string][]int{} // elements of a by class
		for i := g.i; i < g.i2; i++ {
			if !taken[i] {
				waiting[classA(i)] = append(waiting[classA(i)], i)
			}
		}
		var inB []match
		for j := g.j; j < g.j2; j++ {
			m := match{i: -1, j: j}
			if k, ok := from[j]; ok {
				m = match{i: k, j: j, equal: true, moved: true}
			} else if w := waiting[classB(j)]; len(w) > 0 {
				m.i, waiting[classB(j)] = w[0], w[1:]
				taken[m.i] = true
			}
			inB = append(inB, m)
		}
		for i := g.i; i < g.i2; i++ {
			if !taken[i] {
				out = append(out, match{i: i, j: -1})
			}
		}
		out = append(out, inB...)
		i, j = g.i2, g.j2
	}
	equal(len(a))
	return out
}

// movedElements finds elements in the gaps of a that are in other gaps of b. It
// returns where those of b are in a, and which of a they are.
func movedElements(a, b []string, gaps []gap) (from map[int]int, taken map[int]bool) {
	waiting := map[string][]int{}
	for _, g := range gaps {
		for i := g.i; i < g.i2; i++ {
			waiting[a[i]] = append(waiting[a[i]], i)
		}
	}
	from, taken = map[int]int{}, map[int]bool{}
	for _, g := range gaps {
		for j := g.j; j < g.j2; j++ {
			if w := waiting[b[j]]; len(w) > 0 {
				from[j], taken[w[0]] = w[0], true
				waiting[b[j]] = w[1:]
			}
		}
	}
	return from, taken
}

// oneClass is the class of elements that may all be paired with each other.
func oneClass(int) string { return "" }
