package flowpack

import "sync"

// badChunks are the numbers of chunks of which somebody was told that they are
// damaged.
type badChunks struct {
	mu   sync.Mutex
	nums map[int]bool
}

func (b *badChunks) add(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.nums == nil {
		b.nums = make(map[int]bool)
	}
	b.nums[n] = true
}

func (b *badChunks) has(n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.nums[n]
}
