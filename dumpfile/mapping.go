package dumpfile

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime/debug"
	"sync/atomic"
)

// A Mapping is a regular file that is mapped into memory. Reading a dump from
// one takes no copies: records alias the file, and parts that nobody looks at
// are never brought into memory. The price is that a file that becomes shorter
// meanwhile makes the program fault where it looks at what is gone; see
// [CatchFault].
type Mapping struct {
	data []byte
	file *os.File // nil in tests
	pos  int64
	gone int64 // what is before it has been released
	// About how much of what is behind that was looked at, and is in memory.
	touched atomic.Int64
}

// Map maps a file, which must stay open. The mapping begins at the position of f
// for [NewReader]. If the file or the system does not allow it, the error unwraps
// to [errors.ErrUnsupported].
func Map(f *os.File) (*Mapping, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	size := info.Size()
	if !info.Mode().IsRegular() || size == 0 || size > math.MaxInt/4 {
		return nil, fmt.Errorf("mapping %s: %w", f.Name(), errors.ErrUnsupported)
	}
	pos, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, err
	}
	data, err := mapFile(f, int(size))
	if err != nil {
		return nil, fmt.Errorf("mapping %s: %w", f.Name(), errors.Join(err, errors.ErrUnsupported))
	}
	return &Mapping{data: data, file: f, pos: min(pos, size)}, nil
}

// Close ends the mapping. Nothing that was read from it may be used any more.
func (m *Mapping) Close() error {
	data := m.data
	m.data = nil
	if data == nil || m.file == nil {
		return nil
	}
	return unmapFile(data)
}

// Section returns the input from the position of m on, for reading all of it:
// that would keep all of the mapping in memory, so the file is read instead.
func (m *Mapping) Section() *io.SectionReader {
	var in io.ReaderAt = m
	if m.file != nil {
		in = m.file
	}
	return io.NewSectionReader(in, m.pos, int64(len(m.data))-m.pos)
}

// whole tells whether the file is still as long as end.
func (m *Mapping) whole(end int64) bool {
	if m.file == nil {
		return true
	}
	info, err := m.file.Stat()
	return err == nil && info.Size() >= end
}

// Read implements [io.Reader].
func (m *Mapping) Read(p []byte) (n int, err error) {
	n, err = m.ReadAt(p, m.pos)
	m.pos += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

// ReadAt implements [io.ReaderAt].
func (m *Mapping) ReadAt(p []byte, off int64) (n int, err error) {
	defer CatchFault(debug.SetPanicOnFault(true), &err)
	if off < 0 || off >= int64(len(m.data)) {
		return 0, io.EOF
	}
	if n = copy(p, m.data[off:]); n < len(p) {
		err = io.EOF
	}
	return n, err
}

// release tells the system that the bytes before an offset need not be kept in
// memory any more. They come back when somebody looks at them. touched is about how
// many of them somebody has looked at since the last call, beside those that were
// written.
func (m *Mapping) release(to, touched int64) {
	const (
		// What the system brings in at a time lies between multiples of this.
		block = 64 << 10
		// Telling the system costs more than a little memory.
		least = 4 << 20
	)
	if m.file == nil {
		return
	}
	in := m.touched.Add(touched)
	if to = min(to, int64(len(m.data))) / block * block; in >= least && to > m.gone {
		releasePages(m.data[m.gone:to])
		m.gone = to
		m.touched.Store(0)
	}
}

// CatchFault is for functions that look at what was read from a [Mapping]:
//
//	defer dumpfile.CatchFault(debug.SetPanicOnFault(true), &err)
//
// turns a fault into an error that unwraps to [io.ErrUnexpectedEOF]: the file has
// become shorter, or cannot be read any more, since it was mapped. before is what
// SetPanicOnFault is set to afterwards.
func CatchFault(before bool, err *error) {
	debug.SetPanicOnFault(before)
	if fault(recover()) {
		*err = errShorter
	}
}

// fault tells whether what was recovered is a fault, and panics if it is
// something else.
func fault(r any) bool {
	if _, ok := r.(interface{ Addr() uintptr }); ok {
		return true
	}
	if r != nil {
		panic(r)
	}
	return false
}

var errShorter = fmt.Errorf("input became shorter while it was read: %w", io.ErrUnexpectedEOF)
