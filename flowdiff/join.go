package flowdiff

import "iter"

// joinKeys yields the positions of every key in a and in b, -1 where it is not: in
// the order of a, then those that only b has. No key is twice in a or in b.
func joinKeys(a, b []string) iter.Seq2[int, int] {
	return func(yield func(i, j int) bool) {
		inB := make(map[string]int, len(b))
		for j, k := range b {
			inB[k] = j
		}
		inA := make(map[string]bool, len(a))
		for i, k := range a {
			inA[k] = true
			j, ok := inB[k]
			if !ok {
				j = -1
			}
			if !yield(i, j) {
				return
			}
		}
		for j, k := range b {
			if !inA[k] && !yield(-1, j) {
				return
			}
		}
	}
}
