package dumpfile

import (
	"bufio"
	"cmp"
	"io"
)

// A Buffer gathers small writes, as [bufio.Writer] does, and passes large ones on
// without a copy: most of these are records in the memory of a [Mapping], parts of
// which nobody has looked at yet. After an error it writes nothing more.
type Buffer struct {
	to    io.Writer
	small *bufio.Writer
	err   error // of what was passed on
}

const (
	bufferSize = 256 << 10
	// passOn is the size from which on a write of its own takes less time than a copy.
	passOn = 32 << 10
)

// NewBuffer returns a Buffer in front of w, which is w itself if that is one.
func NewBuffer(w io.Writer) *Buffer {
	if b, ok := w.(*Buffer); ok {
		return b
	}
	return &Buffer{to: w, small: bufio.NewWriterSize(w, bufferSize)}
}

// Write implements [io.Writer].
func (b *Buffer) Write(p []byte) (n int, err error) {
	if len(p) < passOn && b.err == nil {
		return b.small.Write(p)
	}
	if err := b.Flush(); err != nil {
		return 0, err
	}
	n, b.err = b.to.Write(p)
	return n, b.err
}

// ReadFrom implements [io.ReaderFrom], so that what is in a file can be copied by the
// system.
func (b *Buffer) ReadFrom(r io.Reader) (int64, error) {
	if b.err != nil {
		return 0, b.err
	}
	return b.small.ReadFrom(r)
}

// Flush writes what is in the buffer.
func (b *Buffer) Flush() error { return cmp.Or(b.err, b.small.Flush()) }
