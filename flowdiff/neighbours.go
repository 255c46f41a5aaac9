package flowdiff

import (
	"cmp"
	"slices"
)

// beside sets which pair is the nearest before what is left (step -1) or behind it
// (step 1).
func (m *matcher) beside(step int) {
	neighbours(m.x, m.inB, step, func(i int) int32 { return m.inB[i] })
	neighbours(m.y, m.inA, step, func(j int) int32 { return int32(j) })
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

// besideAlike is beside among the flows with the same Key: what was recorded in
// between does not count.
func (m *matcher) besideAlike(step int) {
	if m.alikeA == nil {
		m.alikeA, m.alikeB = alike(m.a), alike(m.b)
		m.near = make([]int32, max(len(m.a), len(m.b)))
	}
	m.neighboursAlike(m.x, m.a, m.alikeA, m.inB, step, func(i int32) int32 { return m.inB[i] })
	m.neighboursAlike(m.y, m.b, m.alikeB, m.inA, step, func(j int32) int32 { return j })
}

// alike returns the positions of entries, those with the same Key together and in
// order.
func alike(entries []Entry) []int32 {
	order := make([]int32, len(entries))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(i, j int32) int {
		return cmp.Or(cmp.Compare(entries[i].Key, entries[j].Key), cmp.Compare(i, j))
	})
	return order
}

// neighboursAlike is neighbours among the entries with the same Key, which are
// together in order.
func (m *matcher) neighboursAlike(items []item, entries []Entry, order, other []int32, step int, inB func(at int32) int32) {
	last, key := int32(noPair), uint64(0)
	for k := range order {
		at := order[k]
		if step > 0 {
			at = order[len(order)-1-k]
		}
		if k == 0 || entries[at].Key != key {
			last, key = noPair, entries[at].Key
		}
		if other[at] >= 0 {
			last = inB(at)
		} else {
			m.near[at] = last
		}
	}
	for k := range items {
		items[k].beside = m.near[items[k].at]
	}
}
