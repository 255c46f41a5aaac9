package state

import (
	"iter"
	"slices"
)

// A List is an ordered sequence of values. Maps and lists are always handled
// by pointer; two values that hold the same pointer share their elements.
type List struct{ container }

// NewList returns a list of the given elements.
func NewList(elems ...Value) *List {
	return &List{container{f: frame(KindList), opened: true, items: elems}}
}

// Value returns l as a node of a tree.
func (l *List) Value() Value {
	if l == nil {
		return Value{}
	}
	return Value{f: frame(KindList), ref: l}
}

// Len returns the number of elements.
func (l *List) Len() int { return len(l.items) }

// At returns element i.
func (l *List) At(i int) Value { return l.at(i) }

// Set replaces element i.
func (l *List) Set(i int, v Value) {
	l.items[i] = v
	l.touch()
}

// Append adds elements at the end.
func (l *List) Append(elems ...Value) {
	l.items = append(l.items, elems...)
	l.touch()
}

// Truncate drops all elements from n on.
func (l *List) Truncate(n int) {
	if n < len(l.items) {
		l.items = slices.Clip(l.items[:n])
		l.touch()
	}
}

// All returns an iterator over indexes and elements.
func (l *List) All() iter.Seq2[int, Value] {
	return func(yield func(int, Value) bool) {
		for i := range l.items {
			if !yield(i, l.at(i)) {
				return
			}
		}
	}
}
