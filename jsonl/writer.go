package jsonl

import (
	"bufio"
	"io"

	"github.com/flowtool/flowtool/state"
)

// A Writer writes states as lines. It is not safe for concurrent use.
type Writer struct {
	w   *bufio.Writer
	buf []byte // of the last line, used again
	err error  // sticky: set by write
}

// NewWriter returns a Writer to w. Output is buffered until [Writer.Close].
func NewWriter(w io.Writer) *Writer {
	return &Writer{w: bufio.NewWriterSize(w, 64<<10)}
}

// WriteState writes a state in the format version that it has, see [Append]. If
// it fails on the state, nothing is written and the next write may succeed.
func (w *Writer) WriteState(m *state.Map) error {
	if w.err != nil {
		return w.err
	}
	line, err := Append(w.buf[:0], m)
	return w.write(line, err)
}

// WriteRecord is WriteState for the bytes of a record of a dump, which need not
// be decoded.
func (w *Writer) WriteRecord(record []byte) error {
	if w.err != nil {
		return w.err
	}
	line, err := AppendRecord(w.buf[:0], record)
	return w.write(line, err)
}

func (w *Writer) write(line []byte, err error) error {
	if cap(line) <= keepBuffer {
		w.buf = line
	}
	if err != nil {
		return err
	}
	_, w.err = w.w.Write(line)
	return w.err
}

// Flush writes what is buffered.
func (w *Writer) Flush() error {
	if w.err == nil {
		w.err = w.w.Flush()
	}
	return w.err
}

// Close flushes the output. It does not close the underlying writer.
func (w *Writer) Close() error { return w.Flush() }
