package har

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/jsonstring"
	"github.com/flowtool/flowtool/state"
)

// A Writer writes flows as the entries of a HAR. It is not safe for concurrent
// use; to render entries on several goroutines, see [Encoder].
type Writer struct {
	w       *bufio.Writer
	opts    WriterOptions
	enc     *Encoder
	entry   Entry
	buf     []byte       // for pieces of an entry
	flat    []byte       // an entry that is to be indented
	wide    bytes.Buffer // the same over several lines
	started bool
	said    map[string]bool  // members of the log that were written
	pages   map[string]bool  // the IDs of the pages that were
	unknown map[string]int64 // other pages, with how many entries name them
	count   int64
	conns   recent
	err     error // sticky: set by write and Close
}

var errClosed = errors.New("har: writer is closed")

// NewWriter returns a Writer to w. Output is buffered until [Writer.Close].
func NewWriter(w io.Writer, opts *WriterOptions) *Writer {
	return &Writer{w: bufio.NewWriterSize(w, 64<<10), opts: opts.orDefaults(), enc: NewEncoder(opts)}
}

// WriteFlow writes a flow as [Encoder.Encode] renders it. If f is not an HTTP
// flow, nothing is written, and the error is [ErrNotHTTP].
func (w *Writer) WriteFlow(f flow.Flow) error {
	if w.err != nil {
		return w.err
	}
	if err := w.enc.Encode(&w.entry, f); err != nil {
		return err
	}
	return w.WriteEntry(&w.entry)
}

// WriteState is WriteFlow for a state, see [Encoder.EncodeState].
func (w *Writer) WriteState(m *state.Map) error {
	if w.err != nil {
		return w.err
	}
	if err := w.enc.EncodeState(&w.entry, m); err != nil {
		return err
	}
	return w.WriteEntry(&w.entry)
}

// Notes returns those of the entry that WriteFlow or WriteState wrote last, see
// [Entry.Notes].
func (w *Writer) Notes() []string { return w.entry.notes }

// WriteEntry writes an entry. The entries of a file have to be written in the
// order of the flows: the first one for which a connection was made has the time
// that this took, as HAR demands. A connection is forgotten after some hundred
// thousand others.
func (w *Writer) WriteEntry(e *Entry) error {
	if w.err != nil {
		return w.err
	}
	sep := "\n"
	if w.count > 0 {
		sep = ",\n"
	}
	w.count++
	w.start()
	if e.raw != nil {
		w.name(e.page)
	}
	w.string(sep)
	first := e.conn == 0 || w.conns.add(e.conn)
	if w.opts.Indent == "" {
		e.pieces(&w.buf, first, w.write)
	} else {
		w.indented(e, first)
	}
	return w.err
}

// indented writes an entry over several lines.
func (w *Writer) indented(e *Entry, first bool) {
	in := w.opts.Indent
	w.flat = w.flat[:0]
	w.wide.Reset()
	e.pieces(&w.buf, first, func(piece []byte) { w.flat = append(w.flat, piece...) })
	if err := json.Indent(&w.wide, w.flat, in+in+in, in); err != nil {
		panic("har: what the encoder wrote is no JSON: " + err.Error())
	}
	w.string(in + in + in)
	w.write(w.wide.Bytes())
	if w.wide.Cap() > keepBuffer {
		w.flat, w.wide = nil, bytes.Buffer{}
	}
}

// start writes what stands before the entries.
func (w *Writer) start() {
	if w.started {
		return
	}
	w.started = true
	creator := appendString([]byte(`{"name":`), w.opts.Creator)
	creator = append(appendString(append(creator, `,"version":`...), w.opts.CreatorVersion), '}')
	members := []string{`"version"`, `"1.2"`, `"creator"`, string(creator)}
	members = append(append(members, w.logMembers(w.opts.Log == nil)...), `"entries"`, `[`)
	in, in2, colon := w.opts.Indent, w.opts.Indent+w.opts.Indent, ": "
	open, next := "{\n"+in+`"log": {`+"\n"+in2, ",\n"+in2
	if in == "" {
		open, next, colon = `{"log":{`, ",", ":"
	}
	for i := 0; i < len(members); i += 2 {
		w.string(open + members[i] + colon + members[i+1])
		open = next
	}
}

func appendString(dst []byte, s string) []byte {
	dst, _ = jsonstring.Append(append(dst, '"'), appendValid(nil, s))
	return append(dst, '"')
}

func (w *Writer) write(b []byte) {
	if w.err == nil {
		_, w.err = w.w.Write(b)
	}
}

func (w *Writer) string(s string) {
	if w.err == nil {
		_, w.err = w.w.WriteString(s)
	}
}

// Count returns the number of entries written so far.
func (w *Writer) Count() int64 { return w.count }

// Flush writes what is buffered.
func (w *Writer) Flush() error {
	if w.err == nil {
		w.start()
	}
	if w.err == nil {
		w.err = w.w.Flush()
	}
	return w.err
}

// Close writes the end of the file and flushes the output. It does not close the
// underlying writer. Nothing can be written afterwards.
func (w *Writer) Close() error {
	if w.err == errClosed {
		return nil
	}
	if w.err != nil {
		return w.err
	}
	w.start()
	members := w.logMembers(true)
	if in := w.opts.Indent; in != "" {
		if w.count > 0 {
			w.string("\n" + in + in)
		}
		w.string("]")
		for i := 0; i < len(members); i += 2 {
			w.string(",\n" + in + in + members[i] + ": " + members[i+1])
		}
		w.string("\n" + in + "}\n}\n")
	} else {
		if w.count > 0 {
			w.string("\n")
		}
		w.string("]")
		for i := 0; i < len(members); i += 2 {
			w.string("," + members[i] + ":" + members[i+1])
		}
		w.string("}}\n")
	}
	err := w.Flush()
	if err == nil {
		w.err = errClosed
	}
	return err
}

// recent is a set of connections that forgets the oldest ones.
type recent struct{ now, before map[uint64]struct{} }

// recentLimit is how many connections are remembered at least.
const recentLimit = 1 << 17

// add adds a connection and tells whether it is new.
func (s *recent) add(conn uint64) bool {
	if _, ok := s.now[conn]; ok {
		return false
	}
	_, known := s.before[conn]
	if s.now == nil || len(s.now) >= recentLimit {
		s.before, s.now = s.now, make(map[uint64]struct{})
	}
	s.now[conn] = struct{}{}
	return !known
}
