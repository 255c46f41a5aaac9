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
	// Key and Exact are hashes of what the flow asked for. Only flows with the same
	// Key are paired, those with the same Exact before others.
	Key, Exact uint64
	// Sent and Got are hashes of what was sent to the server and what came back,
	// Sizes is one of how much that was, and of the status. They tell flows apart
	// that have the same Exact.
	Sent, Got, Sizes uint64
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
// By key, flows that ask for the same are paired. Of several, those that sent and got
// the same are, then those that sent the same, then those of the same sizes. Where
// that leaves a choice, those are paired that have the same neighbours, among all flows
// or among those with the same key, then those in the same order, then the first with
// the first: flows that are missing in one capture, or in another order, do not shift
// the others.
//
// It takes about 120 bytes of memory for each entry, up to twice as many where very
// many flows ask for the same, and time n log n, whatever the captures are.
func Match(a, b []Entry, mode Mode) Pairing {
	m := newMatcher(a, b)
	if mode != ByKey {
		m.equal(func(e *Entry) uint64 { return e.ID })
	}
	keys := m.keys()
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

// keys returns what flows are paired by, one after the other.
func (m *matcher) keys() []func(*Entry) uint64 {
	return []func(*Entry) uint64{
		func(e *Entry) uint64 { return m.hash(e.Exact, e.Sent, e.Got, e.Sizes) },
		func(e *Entry) uint64 { return m.hash(e.Exact, e.Sent, e.Sizes) },
		func(e *Entry) uint64 { return m.hash(e.Exact, e.Sent) },
		func(e *Entry) uint64 { return m.hash(e.Exact, e.Sizes) },
		func(e *Entry) uint64 { return e.Exact },
		func(e *Entry) uint64 { return e.Key },
	}
}

// A matcher holds the pairs found so far.
type matcher struct {
	a, b     []Entry
	inB, inA []int32 // the other half of each entry of a and b, or noPair
	count    int     // of pairs
	x, y     []item  // memory for what is left
	// sameX and sameY are those that have the same key on both sides.
	sameX, sameY []item
	// alikeA and alikeB are the positions in a and b, those with the same Key
	// together; nil as long as nobody needs them.
	alikeA, alikeB []int32
	near           []int32 // memory for besideAlike
	tokens         tokens  // memory for align
	seed           maphash.Seed
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
// then what has the same neighbour before or behind, among all flows or among those
// with the same Key, then all the others. In every step flows with the same Key are
// paired in their order.
func (m *matcher) by(key func(*Entry) uint64) {
	m.left(key)
	m.sameX, m.sameY = m.sameX[:0], m.sameY[:0]
	m.join(func(x, y []item) {
		if len(x) == 1 && len(y) == 1 {
			m.pair(x[0].at, y[0].at)
		} else {
			m.same(x, y)
		}
	})
	for _, beside := range []func(step int){m.beside, m.besideAlike} {
		for _, step := range []int{-1, 1} {
			if !m.leftOfSame() {
				return
			}
			beside(step)
			m.joinAlike(func(x, y []item) {
				if x[0].beside != noPair {
					m.inOrder(x, y, key, step)
				}
			})
		}
	}
	m.leftOfSame()
	m.joinAlike(func(x, y []item) { m.inOrder(x, y, key, -1) })
}

// same notes items that have the same key on both sides.
func (m *matcher) same(x, y []item) {
	m.sameX, m.sameY = append(m.sameX, x...), append(m.sameY, y...)
}

// leftOfSame sets x and y to what is left of the items that have the same key on both
// sides, in order; it returns false if that is nothing.
func (m *matcher) leftOfSame() bool {
	m.sameX, m.sameY = unpaired(m.sameX, m.inB), unpaired(m.sameY, m.inA)
	m.x, m.y = append(m.x[:0], m.sameX...), append(m.y[:0], m.sameY...)
	return len(m.x) > 0 && len(m.y) > 0
}

// unpaired returns the items without other half, in order.
func unpaired(items []item, other []int32) []item {
	items = slices.DeleteFunc(items, func(it item) bool { return other[it.at] != noPair })
	slices.SortFunc(items, func(x, y item) int { return cmp.Compare(x.at, y.at) })
	return items
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

// hash returns a hash of up to four numbers.
func (m *matcher) hash(x ...uint64) uint64 {
	var all [4]uint64
	copy(all[:], x)
	return maphash.Comparable(m.seed, all)
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

// join calls f for every group of items in m.x and m.y that are the same but for
// where they are, in their order.
func (m *matcher) join(f func(x, y []item)) { join(m.x, m.y, f) }

// join is the join of a matcher, for any items. It sorts them.
func join(x, y []item, f func(x, y []item)) {
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
