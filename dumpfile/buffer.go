package dumpfile

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"syscall"
)

// A Buffer gathers small writes, as [bufio.Writer] does, and passes large ones on to a
// file without a copy: most of these are records in the memory of a [Mapping], parts of
// which nobody has looked at yet.
//
// Such memory can be gone, because the mapped file has become shorter. Then the write
// fails, or the program faults (see [CatchFault]), and as far as the file can be
// truncated nothing of what was being written stays in it: the next write may succeed.
// After any other error nothing more is written.
type Buffer struct {
	small *bufio.Writer
	file  *os.File // behind small; nil if that is no file
	err   error    // of the file
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
	file, _ := w.(*os.File)
	return &Buffer{small: bufio.NewWriterSize(w, bufferSize), file: file}
}

// Write implements [io.Writer].
func (b *Buffer) Write(p []byte) (int, error) {
	direct := b.file != nil && len(p) >= passOn
	if direct || len(p) > b.small.Available() {
		// A fault must not come when the beginning of p has been written.
		if err := b.Flush(); err != nil {
			return 0, err
		}
	}
	switch {
	case b.err != nil:
		return 0, b.err
	case direct:
		return b.pass(p)
	case len(p) > bufferSize:
		touch(p)
	}
	return b.small.Write(p)
}

// pass writes p to the file.
func (b *Buffer) pass(p []byte) (int, error) {
	n, err := b.file.Write(p)
	switch {
	case err == nil:
		return n, nil
	case !errors.Is(err, syscall.EFAULT):
		b.err = err
	case n > 0 && !b.takeBack(n):
		b.err = fmt.Errorf("the output ends in a flow that was cut off: %w", errShorter)
	default:
		n, err = 0, errShorter
	}
	return n, cmp.Or(b.err, err)
}

// takeBack removes the last n bytes from the file, if that is possible.
func (b *Buffer) takeBack(n int) bool {
	end, err := b.file.Seek(-int64(n), io.SeekCurrent)
	return err == nil && b.file.Truncate(end) == nil
}

// touch looks at all pages of p.
func touch(p []byte) {
	sum := byte(0)
	for i := 0; i < len(p); i += 4 << 10 {
		sum += p[i]
	}
	runtime.KeepAlive(sum)
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
