package dumpfile

import (
	"errors"
	"io"
)

const (
	// chunkSize is the memory that records are read into at a time.
	chunkSize = 256 << 10
	// firstRead is how much is read at a new place of the input; reading on
	// from there doubles it up to a chunk. Small first reads are what makes
	// skipping bodies worth while.
	firstRead = 8 << 10
	// nextRead is how much is read where a record that was left in the input
	// ends: the next record may be left as well, and the head of a message fits.
	nextRead = 1 << 10
)

// window is the part of the input that is in memory, and moves forward. Bytes
// that were handed out stay where they are: when a chunk of memory is used up,
// the window continues in another one.
type window struct {
	r     io.Reader   // a stream, or nil
	at    io.ReaderAt // an input that can be read anywhere, or nil
	off   int64       // offset of the window in the input
	chunk []byte      // chunk[pos:end] is the window
	pos   int
	end   int
	ahead int   // how much to read next
	limit int64 // offset behind which nothing is read ahead; 0 if there is none
	run   int   // position in chunk from which on bytes are contiguous in the input
	runs  int   // counts the runs of contiguous bytes

	// alloc returns a chunk of memory, rather of n bytes, of chunkSize at most.
	alloc func(n int) []byte
	err   error // of the input; sticky
}

// mappedWindow returns the window at an offset of a mapped file.
func mappedWindow(data []byte, off int64) window {
	return window{chunk: data, pos: int(off), end: len(data), off: off, err: io.EOF}
}

// more reads until at least n bytes are in the window. If the input ends
// before, it returns io.EOF and the window holds what was left.
func (w *window) more(n int) error {
	for w.end-w.pos < n {
		if w.err != nil {
			return w.err
		}
		if w.pos+n > len(w.chunk) || w.end == len(w.chunk) {
			w.rehouse(n)
		}
		if err := w.fill(n); err != nil {
			w.err = err
		}
	}
	return nil
}

// rehouse moves the window to memory that has room for n bytes: a chunk, or for
// a large element memory of its own. Callers ask for large n bit by bit.
func (w *window) rehouse(n int) {
	var c []byte
	if n = max(n, w.end-w.pos); n <= chunkSize {
		c = w.alloc(n)
	}
	if len(c) < n {
		c = make([]byte, n)
	}
	w.end = copy(c, w.chunk[w.pos:w.end])
	w.chunk, w.pos, w.run = c, 0, 0
	w.runs++
}

func (w *window) fill(n int) error {
	space := w.chunk[w.end:]
	have := w.end - w.pos
	want := max(n-have+nextRead, w.ahead)
	if w.limit > 0 {
		want = max(n-have, int(min(int64(want), w.limit-w.off-int64(have))))
	}
	if want < len(space) {
		space = space[:want]
	}
	w.ahead = min(2*w.ahead, chunkSize)
	var got int
	var err error
	if w.at != nil {
		got, err = w.at.ReadAt(space, w.off+int64(w.end-w.pos))
	} else {
		for tries := 0; got == 0 && err == nil; tries++ {
			if tries == 100 {
				return io.ErrNoProgress
			}
			got, err = w.r.Read(space)
		}
	}
	w.end += got
	if got > 0 && err == io.EOF {
		err = nil // the next call will say so again
	}
	return err
}

// bytes returns the window.
func (w *window) bytes() []byte { return w.chunk[w.pos:w.end] }

// advance moves the window n bytes on; they must be in it.
func (w *window) advance(n int) {
	w.pos += n
	w.off += int64(n)
}

// skip moves the window n bytes on without bringing them into memory.
func (w *window) skip(n int64) error {
	if have := int64(w.end - w.pos); n <= have {
		w.advance(int(n))
		return nil
	} else if w.at != nil {
		w.jump(w.off + n)
		return nil
	} else {
		w.advance(int(have))
		n -= have
	}
	// A stream: read into the free end of the chunk again and again.
	if w.end+firstRead > len(w.chunk) {
		w.rehouse(firstRead)
	}
	for n > 0 {
		if w.err != nil {
			return w.err
		}
		space := w.chunk[w.end:]
		if n < int64(len(space)) {
			space = space[:n]
		}
		got, err := w.r.Read(space)
		n -= int64(got)
		w.off += int64(got)
		if err != nil {
			w.err = err
		}
	}
	w.run = w.end
	w.runs++
	return nil
}

// jump moves the window to any offset of an input that can be read anywhere.
func (w *window) jump(off int64) {
	w.off = off
	w.pos, w.run = w.end, w.end
	w.runs++
	w.ahead = firstRead
	w.err = nil
}

// begin moves the window to off, from where on some bytes are known already.
func (w *window) begin(off int64, known []byte) {
	w.jump(off)
	w.chunk, w.pos, w.end, w.run = known, 0, len(known), 0
}

// newChunks returns an allocator of chunks for records that are kept. The first
// ones are smaller, for the sake of small inputs.
func newChunks() func(int) []byte {
	size := chunkSize / 16
	return func(n int) []byte {
		size = min(2*size, chunkSize)
		return make([]byte, max(n, size))
	}
}

// isEOF tells whether err is the regular end of an input.
func isEOF(err error) bool { return errors.Is(err, io.EOF) }
