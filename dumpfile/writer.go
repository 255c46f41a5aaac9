package dumpfile

import (
	"io"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/state"
)

// Writer writes a dump: records one after the other, nothing else. It is not
// safe for concurrent use.
type Writer struct {
	w   *Buffer
	buf []byte // of the last record, used again
	err error  // sticky: set by keep
}

// keepBuffer is the size up to which the buffer of a record is kept for the
// next one.
const keepBuffer = 1 << 20

// NewWriter returns a Writer to w. Output is buffered until [Writer.Close].
func NewWriter(w io.Writer) *Writer {
	return &Writer{w: NewBuffer(w)}
}

// WriteRecord copies a record, byte for byte.
func (w *Writer) WriteRecord(r *Record) error {
	if w.err != nil {
		return w.err
	}
	_, err := r.WriteTo(w.w)
	return w.keep(err)
}

// WriteRecords copies records, byte for byte. It is quicker than copying one by
// one where they are neighbours in the input.
func (w *Writer) WriteRecords(records []*Record) error {
	for len(records) > 0 {
		n, size := 1, records[0].Size
		for n < len(records) && records[n].follows(records[n-1]) {
			size += records[n].Size
			n++
		}
		if err := w.writeRun(records[:n], size); err != nil {
			return err
		}
		records = records[n:]
	}
	return w.err
}

// writeRun writes records of size bytes that are neighbours in the input.
func (w *Writer) writeRun(records []*Record, size int64) error {
	first := records[0]
	if m := first.in.mapping; m != nil {
		m.touched.Add(size)
	}
	if len(records) == 1 {
		return w.WriteRecord(first)
	}
	if run := contiguous(records); run != nil && w.err == nil {
		_, err := w.w.Write(run)
		return w.keep(err)
	}
	return w.WriteRecord(&Record{Index: first.Index, Offset: first.Offset, Size: size, in: first.in})
}

// follows tells whether r and before can be copied in one go.
func (r *Record) follows(before *Record) bool {
	if r.in != before.in || r.Offset != before.Offset+before.Size {
		return false
	}
	if r.raw != nil && before.raw != nil {
		return adjacent(before.raw, r.raw)
	}
	return r.in.at != nil && r.raw == nil && before.raw == nil
}

// adjacent tells whether b lies behind a in memory.
func adjacent(a, b []byte) bool {
	return cap(a)-len(a) == cap(b) && cap(b) > 0 && &a[:len(a)+1][len(a)] == &b[0]
}

// contiguous returns the bytes of records that follow each other, nil if they
// are not in memory.
func contiguous(records []*Record) []byte {
	first, last := records[0].raw, records[len(records)-1].raw
	if first == nil {
		return nil
	}
	return first[:cap(first)-cap(last)+len(last)]
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

// keep keeps an error, unless nothing is wrong with the output.
func (w *Writer) keep(err error) error {
	if err != errShorter {
		w.err = err
	}
	return err
}
