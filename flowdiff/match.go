package flowdiff

import (
	"cmp"
	"hash/maphash"
	"slices"
)

// An Entry is what pairing needs to know of a flow. Keyer.Entry makes them. They
// are small, so that two captures of millions of flows can be paired in memory.
type Entry struct {
	// Index and Offset are where the flow is. Pairing does not look at them.
	Index, Offset int64
	// ID is a hash of the id of the flow.
	ID uint64
	// Print, Exact and Key are hashes of what the flow asked for, from narrow to
	// wide: what has the same Print has the same Exact, and that the same Key.
	// Flows are paired with the same Print first, with the same Key last.
	Print, Exact, Key uint64
}

// A Mode says what makes two flows a pair.
type Mode uint8

// The modes of pairing.
const (
	// Auto is by id if the captures share ids: if at least one in ten flows of the
	// smaller one is in the other. Flows without other half are paired by key then,
	// but only with flows between the same pairs: they were recorded again. If fewer
	// ids are shared, flows with the same id are paired, and all others by key.
	Auto  Mode = iota
	ByID       // only flows with the same id are paired
	ByKey      // ids mean nothing
)

// A Pairing says which flows of two captures belong together. All numbers are
// positions in the slices of entries.
type Pairing struct {
	Pairs        []Pair // in the order of b
	OnlyA, OnlyB []int  // in their order
}

// A Pair is two flows that belong together.
type Pair struct{ A, B int }

// Match pairs the flows of two captures.
//
// By id, flows with the same id are a pair; if an id occurs several times, the
// first with the first and so on. With [Auto], flows that ask for the same and stand
// between the same pairs are as well, such as one that was recorded again for the
// other capture. Elsewhere one flow more and one less are two flows, whatever they
// ask for.
//
// By key, flows that ask for the same are paired. Of several, those that have the
// same neighbours are, then the first with the first: flows that are missing in
// one capture, or in another order, do not shift the others.
//
// It takes about 100 bytes of memory for each entry and time n log n, whatever the
// captures are.
func Match(a, b []Entry, mode Mode) Pairing {
	m := newMatcher(a, b)
	if mode != ByKey {
		m.equal(func(e *Entry) uint64 { return e.ID })
	}
	keys := []func(e *Entry) uint64{
		func(e *Entry) uint64 { return e.Print },
		func(e *Entry) uint64 { return e.Exact },
		func(e *Entry) uint64 { return e.Key },
	}
	switch {
	case mode == ByID:
	case mode == Auto && m.count > 0 && 10*m.count >= min(len(a), len(b)):
		m.between(keys)
	default:
		for _, key := range keys {
			m.by(key)
		}
	}
	return m.result()
}

// A matcher holds the pairs found so far.
type matcher struct {
	a, b     []Entry
	inB, inA []int32 // the other half of each entry of a and b, or noPair
	count    int     // of pairs
	x, y     []item  // memory for what is left
	seed     maphash.Seed
}

func newMatcher(a, b []Entry) *matcher {
	m := &matcher{a: a, b: b, inB: make([]int32, len(a)), inA: make([]int32, len(b)), seed: maphash.MakeSeed()}
	for i := range m.inB {
		m.inB[i] = noPair
	}
	for j := range m.inA {
		m.inA[j] = noPair
	}
	return m
}

func (m *matcher) pair(i, j int32) {
	m.inB[i], m.inA[j] = j, i
	m.count++
}

// by pairs what is left and has the same key: first what is the only one with it,
// then what has the same neighbour before or behind, then in order.
func (m *matcher) by(key func(*Entry) uint64) {
	m.left(key)
	m.join(func(x, y []item) {
		if len(x) == 1 && len(y) == 1 {
			m.pair(x[0].at, y[0].at)
		}
	})
	for _, step := range []int{-1, 1} {
		m.left(key)
		m.beside(step)
		m.join(func(x, y []item) {
			switch {
			case x[0].beside == noPair:
			case step < 0:
				m.fromFront(x, y)
			default:
				m.fromEnd(x, y)
			}
		})
	}
	m.equal(key)
}

// between pairs what is left and stands between the same pairs: what has the same
// keys, from narrow to wide, in order.
func (m *matcher) between(keys []func(*Entry) uint64) {
	m.left(func(*Entry) uint64 { return 0 })
	for _, step := range []int{-1, 1} {
		m.beside(step)
		for _, items := range [][]item{m.x, m.y} {
			for k := range items {
				items[k].key = m.hash(items[k].key, uint64(items[k].beside))
			}
		}
	}
	gapsA, gapsB := make([]uint64, len(m.a)), make([]uint64, len(m.b))
	for _, it := range m.x {
		gapsA[it.at] = it.key
	}
	for _, it := range m.y {
		gapsB[it.at] = it.key
	}
	for _, key := range keys {
		m.left(key)
		for k, it := range m.x {
			m.x[k].key = m.hash(it.key, gapsA[it.at])
		}
		for k, it := range m.y {
			m.y[k].key = m.hash(it.key, gapsB[it.at])
		}
		m.join(m.fromFront)
	}
}

func (m *matcher) hash(x, y uint64) uint64 { return maphash.Comparable(m.seed, [2]uint64{x, y}) }

// beside sets which pair is the nearest before what is left (step -1) or behind it
// (step 1).
func (m *matcher) beside(step int) {
	neighbours(m.x, m.inB, step, func(i int) int32 { return m.inB[i] })
	neighbours(m.y, m.inA, step, func(j int) int32 { return int32(j) })
}

// equal pairs what is left and has the same key, in order.
func (m *matcher) equal(key func(*Entry) uint64) {
	m.left(key)
	m.join(m.fromFront)
}

func (m *matcher) fromFront(x, y []item) {
	for k := range min(len(x), len(y)) {
		m.pair(x[k].at, y[k].at)
	}
}

func (m *matcher) fromEnd(x, y []item) {
	n := min(len(x), len(y))
	m.fromFront(x[len(x)-n:], y[len(y)-n:])
}

// An item is an entry that has no other half yet.
type item struct {
	key uint64
	// beside is the nearest pair before or behind the entry, as a position in b;
	// noPair if there is none, or if it is not looked at.
	beside int32
	at     int32 // position of the entry
}

const noPair = -1

// compareItems does not look at where the entries are.
func compareItems(x, y item) int {
	if x.key != y.key {
		return cmp.Compare(x.key, y.key)
	}
	return cmp.Compare(x.beside, y.beside)
}

func sortItems(items []item) {
	slices.SortFunc(items, func(x, y item) int {
		if c := compareItems(x, y); c != 0 {
			return c
		}
		return cmp.Compare(x.at, y.at)
	})
}

// left sets x and y to the entries without other half, in order.
func (m *matcher) left(key func(*Entry) uint64) {
	m.x = leftOf(m.x, m.a, m.inB, key)
	m.y = leftOf(m.y, m.b, m.inA, key)
}

func leftOf(dst []item, entries []Entry, other []int32, key func(*Entry) uint64) []item {
	dst = slices.Grow(dst[:0], len(entries))
	for i := range entries {
		if other[i] == noPair {
			dst = append(dst, item{key(&entries[i]), noPair, int32(i)})
		}
	}
	return dst
}

// neighbours sets which pair is the nearest before the items (step -1) or behind
// them (step 1). inB returns the position in b of the pair that an entry belongs
// to.
func neighbours(items []item, other []int32, step int, inB func(at int) int32) {
	last := int32(noPair)
	visit := func(i int) {
		if other[i] >= 0 {
			last = inB(i)
		}
	}
	if step < 0 {
		i := 0
		for k := range items {
			for ; i < int(items[k].at); i++ {
				visit(i)
			}
			items[k].beside = last
		}
		return
	}
	i := len(other) - 1
	for k := len(items) - 1; k >= 0; k-- {
		for ; i > int(items[k].at); i-- {
			visit(i)
		}
		items[k].beside = last
	}
}

// join calls f for every group of items in x and y that are the same but for
// where they are, in their order.
func (m *matcher) join(f func(x, y []item)) {
	x, y := m.x, m.y
	sortItems(x)
	sortItems(y)
	group := func(s []item) []item {
		n := 1
		for n < len(s) && compareItems(s[0], s[n]) == 0 {
			n++
		}
		return s[:n]
	}
	for len(x) > 0 && len(y) > 0 {
		switch c := compareItems(x[0], y[0]); {
		case c < 0:
			x = x[len(group(x)):]
		case c > 0:
			y = y[len(group(y)):]
		default:
			gx, gy := group(x), group(y)
			f(gx, gy)
			x, y = x[len(gx):], y[len(gy):]
		}
	}
}

func (m *matcher) result() Pairing {
	var p Pairing
	for j, i := range m.inA {
		if i >= 0 {
			p.Pairs = append(p.Pairs, Pair{int(i), j})
		} else {
			p.OnlyB = append(p.OnlyB, j)
		}
	}
	for i, j := range m.inB {
		if j < 0 {
			p.OnlyA = append(p.OnlyA, i)
		}
	}
	return p
}
