package dumpfile

import (
	"bufio"
	"io"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/state"
)

// Writer writes a dump: records one after the other, nothing else. It is not
// safe for concurrent use.
type Writer struct {
	w   *bufio.Writer
	buf []byte // of the last record, used again
	err error  // sticky: set by keep
}

// keepBuffer is the size up to which the buffer of a record is kept for the
// next one.
const keepBuffer = 1 << 20

// NewWriter returns a Writer to w. Output is buffered until [Writer.Close].
func NewWriter(w io.Writer) *Writer {
	return &Writer{w: bufio.NewWriterSize(w, 64<<10)}
}

// WriteRecord copies a record, byte for byte.
func (w *Writer) WriteRecord(r *Record) error {
	if w.err != nil {
		return w.err
	}
	_, err := r.WriteTo(w.w)
	return w.keep(err)
}

// WriteState writes a state in the format version that it has. What nobody
// changed since it was read is written as the bytes it was read from, and
// everything else as mitmproxy would write it. If m cannot be encoded (see
// [tnetstring.Append]), nothing of it is written and the next write may
// succeed.
func (w *Writer) WriteState(m *state.Map) error {
	if w.err != nil {
		return w.err
	}
	buf, err := tnetstring.Append(w.buf[:0], m.Value())
	if cap(buf) <= keepBuffer {
		w.buf = buf
	}
	if err != nil {
		return err
	}
	_, err = w.w.Write(buf)
	return w.keep(err)
}

// WriteFlow writes a flow in the newest format version. See [Writer.WriteState].
func (w *Writer) WriteFlow(f flow.Flow) error { return w.WriteState(f.State()) }

// Flush writes what is buffered.
func (w *Writer) Flush() error {
	if w.err != nil {
		return w.err
	}
	return w.keep(w.w.Flush())
}

// Close flushes the output. It does not close the underlying writer.
func (w *Writer) Close() error { return w.Flush() }

func (w *Writer) keep(err error) error {
	w.err = err
	return err
}
