package flowpack

import (
	"io"
	"slices"
)

// A window is the part of a stream that is being looked at.
type window struct {
	r      io.Reader
	buf    []byte // of which the first used bytes are done with
	used   int
	offset int64 // of buf[used] in the stream
	err    error // sticky: io.EOF or what reading failed with
}

// readSize is how much is read at a time.
const readSize = 256 << 10

// peek returns what is left of the stream, at least n bytes unless it ends
// before. Memory grows only as data arrives.
func (w *window) peek(n int) []byte {
	for len(w.buf)-w.used < n && w.err == nil {
		if w.used > 0 && w.used >= len(w.buf)/2 {
			w.buf = append(w.buf[:0], w.buf[w.used:]...)
			w.used = 0
		}
		w.buf = slices.Grow(w.buf, readSize)
		var got int
		got, w.err = w.r.Read(w.buf[len(w.buf):min(cap(w.buf), len(w.buf)+max(readSize, n))])
		w.buf = w.buf[:len(w.buf)+got]
	}
	return w.buf[w.used:]
}

// skip is done with n bytes that were peeked at.
func (w *window) skip(n int) {
	w.used += n
	w.offset += int64(n)
}
