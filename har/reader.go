package har

import (
	"crypto/sha256"
	"errors"
	"io"
	"iter"
	"slices"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/sequence"
	"github.com/flowtool/flowtool/state"
)

// A Reader reads the entries of a HAR one by one, in memory that follows the
// entry and not the file. It also takes a log object or an array of entries on
// its own, entries as JSON Lines, several such values in a row, UTF-16 with a
// byte order mark, and zlib data (.zhar). It is not safe for concurrent use; the
// entries it returns are, each by itself.
type Reader struct {
	r    io.Reader
	opts *ReaderOptions

	batch Batch // of ReadEntry
	at    int   // next entry in batch

	f       framer
	rest    []byte // what was read and is still needed
	off     int64  // of rest in the input
	opened  bool
	seed    *seed
	log     Log
	head    Log   // what was before the first entry
	pending error // found behind what was read
	err     error // sticky: set by ReadBatch
}

// A RawEntry is an entry of a HAR that was not decoded yet.
type RawEntry struct {
	// Index counts the entries of the input from 0, bad ones included.
	Index int64
	// Offset is where the entry starts in the input, decompressed and in UTF-8.
	Offset int64
	// Data is the entry in JSON; empty if it is known to be bad, which
	// [RawEntry.Record] tells.
	Data []byte

	opts       *ReaderOptions
	seed       *seed
	err        *Error
	start, end int // of Data in the buffer
}

// A Batch is a run of entries that share memory, for programs that hand entries
// to several goroutines. The memory is used again by the next
// [Reader.ReadBatch] into the same Batch.
type Batch struct {
	Entries []RawEntry

	buf []byte
}

// batchSize is how many bytes of entries a batch has, unless it is a single one.
const batchSize = 256 << 10

// NewReader returns a Reader of the HAR in r.
func NewReader(r io.Reader, opts *ReaderOptions) *Reader {
	return &Reader{r: r, opts: opts.withDefaults(), f: framer{pin: -1}}
}

// ReadBatch fills b with the next entries, at least one, as many as fit in
// little memory and can be had without waiting for the input. At the end of the
// input the error is [io.EOF]; an [*Error] means that no more entries can be
// found, other errors are those of the input.
func (d *Reader) ReadBatch(b *Batch) error {
	clear(b.Entries)
	b.Entries = b.Entries[:0]
	for len(b.Entries) == 0 {
		if d.err != nil {
			return d.err
		}
		d.fill(b)
	}
	return nil
}

// fill reads until there are entries or an error.
func (d *Reader) fill(b *Batch) {
	if !d.opened {
		d.opened = true
		if d.r, d.err = openInput(d.r, d.opts); d.err != nil {
			return
		}
	}
	if cap(b.buf) < batchSize || cap(b.buf) > 4*batchSize {
		b.buf = make([]byte, 0, max(batchSize, len(d.rest)))
	}
	b.buf = append(b.buf[:0], d.rest...)
	for tries := 0; ; {
		d.frame(b, b.buf, d.pending == io.EOF)
		if len(b.Entries) > 0 || d.err != nil {
			break
		}
		if d.pending != nil {
			d.finish()
			break
		}
		if n := d.f.needed(); n > 0 && len(b.buf) == cap(b.buf) {
			d.forget(n)
			b.buf = b.buf[:copy(b.buf, b.buf[n:])]
		}
		if len(b.buf) == cap(b.buf) {
			b.buf = slices.Grow(b.buf, len(b.buf))
		}
		// No more than a batch at a time: behind a long entry may be many short ones.
		room := b.buf[len(b.buf):min(cap(b.buf), len(b.buf)+batchSize)]
		got, err := d.r.Read(room)
		b.buf = b.buf[:len(b.buf)+got]
		if d.pending = err; got == 0 && err == nil {
			if tries++; tries == 100 {
				d.pending = io.ErrNoProgress
			}
		}
	}
	d.deliver(b)
}

// deliver completes the entries of a batch and keeps what comes behind them.
func (d *Reader) deliver(b *Batch) {
	for i := range b.Entries {
		e := &b.Entries[i]
		e.Data = b.buf[e.start:e.end:e.end]
		if d.seed == nil {
			s := seed(sha256.Sum256(e.Data[:min(len(e.Data), seedLen)]))
			d.seed = &s
		}
		e.seed = d.seed
	}
	n := d.f.needed()
	d.rest = append(d.rest[:0], b.buf[n:]...)
	d.forget(n)
}

// forget says that the first n bytes of the buffer are gone.
func (d *Reader) forget(n int) {
	d.f.shift(n)
	d.off += int64(n)
}

// finish turns the end of the input into that of the HAR.
func (d *Reader) finish() {
	if d.err = d.pending; d.err == io.EOF && d.f.where != betweenValues {
		d.fail(d.f.pos, &endError{"the log"})
	}
}

// fail ends the reading with an error at a position in the buffer.
func (d *Reader) fail(pos int, err error) {
	d.err = d.errorAt(-1, d.off+int64(pos), err)
}

func (d *Reader) errorAt(index, offset int64, err error) *Error {
	return &Error{Name: d.opts.Name, Index: index, Offset: offset, Err: err}
}

// ReadEntry returns the next entry. It is valid until the next call.
func (d *Reader) ReadEntry() (*RawEntry, error) {
	if d.at == len(d.batch.Entries) {
		d.at = 0
		if err := d.ReadBatch(&d.batch); err != nil {
			return nil, err
		}
	}
	d.at++
	return &d.batch.Entries[d.at-1], nil
}

// ReadState returns the state of the flow of the next entry. At the end of the
// input the error is [io.EOF]. After an [*Error] about an entry that is complete
// the next call goes on behind it; [Reader.Final] tells whether there is more.
func (d *Reader) ReadState() (*state.Map, error) {
	e, err := d.ReadEntry()
	if err != nil {
		return nil, err
	}
	return e.State()
}

// ReadFlow is ReadState for the typed flow.
func (d *Reader) ReadFlow() (flow.Flow, error) {
	m, err := d.ReadState()
	if err != nil {
		return nil, err
	}
	return flow.View(m)
}

// Final tells whether an error of ReadState or ReadFlow is one behind which there
// is nothing to be read.
func (d *Reader) Final(err error) bool {
	return err != nil && d.at == len(d.batch.Entries) && errors.Is(err, d.err)
}

// States returns an iterator over the states that are left. An entry that cannot
// be read is an [*Error], behind which the iteration goes on. It ends at the end
// of the input, or after an error behind which there is nothing.
func (d *Reader) States() iter.Seq2[*state.Map, error] { return sequence.Of(d.ReadState, d.Final) }

// Flows is States for typed flows.
func (d *Reader) Flows() iter.Seq2[flow.Flow, error] { return sequence.Of(d.ReadFlow, d.Final) }

// Offset returns how many bytes of the input were read and are not needed any
// more.
func (d *Reader) Offset() int64 { return d.off }

// Count returns the number of entries found so far, bad ones included.
func (d *Reader) Count() int64 { return d.f.count }

// wrap returns an error about e.
func (e *RawEntry) wrap(path state.Path, pos int, err error) *Error {
	return &Error{Name: e.opts.Name, Index: e.Index, Offset: e.Offset + int64(pos), Path: path, Err: err}
}
