// Package sequence makes iterators of the methods with which readers return one
// thing after the other, so that those of all formats end in the same way.
package sequence

import (
	"io"
	"iter"
)

// Of returns an iterator over what read returns. It ends at [io.EOF]. Any other error
// is yielded where it is met, and the iteration goes on behind it unless it is final:
// then read would return nothing more.
func Of[T any](read func() (T, error), final func(error) bool) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			v, err := read()
			if err == io.EOF || !yield(v, err) || err != nil && final(err) {
				return
			}
		}
	}
}
