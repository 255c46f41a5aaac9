package flowdiff

import (
	"encoding/binary"
	"slices"
)

// maxAlike limits how many items are aligned together. More are paired in their order,
// as if none of them was missing.
const maxAlike = 1 << 18

// joinAlike is join for items with the same Key, whatever the key is that they have.
func (m *matcher) joinAlike(f func(x, y []item)) {
	for k, it := range m.x {
		m.x[k].key = m.a[it.at].Key
	}
	for k, it := range m.y {
		m.y[k].key = m.b[it.at].Key
	}
	m.join(f)
}

// inOrder pairs items that have the same key, from the front (step -1) or from the end
// (step 1): first those that are in the same order on both sides, so that one that is
// missing does not shift those behind it, then the others.
func (m *matcher) inOrder(x, y []item, key func(*Entry) uint64, step int) {
	for k, it := range x {
		x[k].key = key(&m.a[it.at])
	}
	for k, it := range y {
		y[k].key = key(&m.b[it.at])
	}
	if len(x) > 1 && len(y) > 1 && len(x)+len(y) <= maxAlike {
		m.aligned(x, y, step)
		x, y = unpaired(x, m.inB), unpaired(y, m.inA)
	}
	join(x, y, func(x, y []item) {
		if step < 0 {
			m.fromFront(x, y)
		} else {
			m.fromEnd(x, y)
		}
	})
}

// aligned pairs items that have the same key and are in the same order on both sides.
func (m *matcher) aligned(x, y []item, step int) {
	a, b, different := m.tokens.of(x, y)
	if different == 1 {
		return // they are all in order
	}
	if step > 0 {
		slices.Reverse(a)
		slices.Reverse(b)
	}
	for _, r := range align(a, b) {
		for k := range r.n {
			i, j := r.i+k, r.j+k
			if step > 0 {
				i, j = len(x)-1-i, len(y)-1-j
			}
			m.pair(x[i].at, y[j].at)
		}
	}
}

// tokens makes texts that stand for keys, for align. They are in the order in which the
// keys come, as that of hashes is another one in every run.
type tokens struct {
	texts []string
	a, b  []string
}

// of returns a token for each item, and how many tokens are different. They are good
// until the next call.
func (t *tokens) of(x, y []item) (a, b []string, different int) {
	ranks := map[uint64]int{}
	add := func(dst []string, items []item) []string {
		for _, it := range items {
			rank, ok := ranks[it.key]
			if !ok {
				rank = len(ranks)
				ranks[it.key] = rank
				if rank == len(t.texts) {
					t.texts = append(t.texts, string(binary.BigEndian.AppendUint32(nil, uint32(rank))))
				}
			}
			dst = append(dst, t.texts[rank])
		}
		return dst
	}
	t.a, t.b = add(t.a[:0], x), add(t.b[:0], y)
	return t.a, t.b, len(ranks)
}
