package dumpfile

import (
	"io"
	"iter"
	"math"
	"runtime/debug"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/randomaccess"
	"github.com/flowtool/flowtool/internal/sequence"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/state"
)

// Reader reads a dump. It is not safe for concurrent use.
type Reader struct {
	src    io.Reader
	load   loader
	opts   ReaderOptions
	stream *migrate.Stream
	unpack *decompressor

	started   bool
	format    Format
	container Container
	average   int64 // size of the records of a mapped file, see measure
	pending   error // found behind the last record of a batch
	err       error // sticky: set by next, where framing or the input failed
}

// NewReader returns a Reader of the dump in r. It reads nothing yet. If r is
// an [io.ReaderAt] and an [io.Seeker] that can seek, such as a regular file,
// the dump is read from r's position on by random access and large values are
// left in r; r must then stay open while records are in use. So it must if r is a
// [*Mapping].
func NewReader(r io.Reader, opts *ReaderOptions) *Reader {
	d := new(Reader)
	d.Reset(r, opts)
	return d
}

// Reset makes d read another dump, as [NewReader] would. Connection ids and
// other things that are remembered from record to record start anew.
func (d *Reader) Reset(r io.Reader, opts *ReaderOptions) {
	d.Close()
	o := opts.withDefaults()
	*d = Reader{src: r, opts: o, stream: migrate.NewStream(nil)}
	d.load.input = &input{opts: o, codec: o.codec(), size: -1, shape: recordShape, wholeRecord: wholeStream, wholeElement: wholeElement}
}

// Close releases what decompression takes. It does not close the input.
func (d *Reader) Close() error {
	if d.unpack != nil {
		d.unpack.close()
		d.unpack = nil
	}
	return nil
}

// Format returns what the input is, after looking at its first bytes if
// nothing has been read yet. FormatUnknown comes with the error that reading
// would give.
func (d *Reader) Format() (Format, Container, error) {
	err := d.start()
	if isEOF(err) {
		err = nil
	}
	return d.format, d.container, err
}

// Content returns what is behind the container of the input, for programs that
// found another format with [Reader.Format]. The Reader must not be used further,
// but not be closed either, until the content has been read.
func (d *Reader) Content() io.Reader {
	_ = d.start()
	w := &d.load.w
	switch {
	case d.load.mapping != nil:
		return d.load.mapping.Section()
	case w.at != nil:
		return io.NewSectionReader(w.at, w.off, 1<<62)
	case d.unpack != nil:
		return &joined{w.bytes(), d.unpack}
	}
	return &joined{w.bytes(), d.src}
}

// Offset returns the offset of the next record in the (decompressed) input.
func (d *Reader) Offset() int64 { return d.load.w.off }

// Size returns the size of the input in bytes, or -1 if it is not known.
func (d *Reader) Size() int64 {
	_ = d.start()
	return d.load.size
}

// start finds out what the input is.
func (d *Reader) start() (err error) {
	if d.started {
		return d.err
	}
	d.started = true
	if d.mapped() {
		defer d.catch(debug.SetPanicOnFault(true), &err)
	}
	d.err = d.detect()
	return d.err
}

// mapped tells whether the input is mapped into memory.
func (d *Reader) mapped() bool {
	_, ok := d.src.(*Mapping)
	return ok
}

func (d *Reader) detect() error {
	l := &d.load
	l.w = window{r: d.src, alloc: newChunks(), ahead: firstRead}
	if m, ok := d.src.(*Mapping); ok {
		l.mapping, l.size = m, int64(len(m.data))
		l.w = mappedWindow(m.data, m.pos)
		l.wholeRecord = math.MaxInt64
	} else if ra, pos, size, ok := randomaccess.Of(d.src); ok {
		l.at, l.size = ra, size
		l.shape = l.shape.only(d.opts.Only)
		l.w.at, l.w.off = ra, pos
		l.wholeRecord = min(l.wholeRecord, wholeRecord)
	}
	if err := l.w.more(sniffFirst); err != nil && !isEOF(err) {
		return err
	}
	if d.container = detectContainer(l.w.bytes()); d.container != ContainerNone {
		var in io.Reader
		switch {
		case l.mapping != nil:
			in = l.mapping.Section()
		case l.w.at != nil:
			in = io.NewSectionReader(l.w.at, l.w.off, 1<<62)
		default:
			in = &joined{l.w.bytes(), d.src}
		}
		var err error
		if d.unpack, err = newDecompressor(d.container, in, &d.opts); err != nil {
			return d.named(err)
		}
		l.at, l.mapping, l.shape = nil, nil, recordShape
		l.w = window{r: d.unpack, alloc: newChunks(), ahead: firstRead}
		l.wholeRecord = wholeStream
		if err := l.w.more(sniffFirst); err != nil && !isEOF(err) {
			return d.named(err)
		}
	}
	head, all := l.w.bytes(), isEOF(l.w.err)
	var skip int
	if d.format, skip = detectFormat(head, all); d.format != FormatDump && !all {
		if err := l.w.more(sniffLen); err != nil && !isEOF(err) {
			return d.named(err)
		}
		head, all = l.w.bytes(), isEOF(l.w.err)
		d.format, skip = detectFormat(head, all)
	}
	switch d.format {
	case FormatDump:
		l.w.advance(skip)
		return nil
	case FormatEmpty:
		return io.EOF
	}
	head = head[:min(len(head), sniffLen)]
	return &FormatError{Name: d.opts.Name, Format: d.format, Seems: seems(d.format, head)}
}

// joined reads what was looked at before, then the rest.
type joined struct {
	head []byte
	rest io.Reader
}

func (j *joined) Read(p []byte) (int, error) {
	if len(j.head) > 0 {
		n := copy(p, j.head)
		j.head = j.head[n:]
		return n, nil
	}
	return j.rest.Read(p)
}

// named gives an error of the container the name of the input.
func (d *Reader) named(err error) error {
	switch err.(type) {
	case *ContainerError, *LimitError:
		return &Error{Name: d.opts.Name, Flow: d.load.n, Offset: d.load.w.off, At: d.load.w.off, Err: err}
	}
	return err
}

// next reads a record and keeps errors behind which nothing can be read.
func (d *Reader) next(rec *Record) error {
	if err := d.start(); err != nil {
		return err
	}
	if d.err != nil {
		return d.err
	}
	before := d.load.n
	err := d.load.next(rec)
	if err != nil && d.load.n == before {
		// Not the record but its frame, or the input, is at fault.
		err = d.named(err)
		d.err = err
	}
	return err
}

// ReadRecord returns the next record. At the end of the input the error is
// [io.EOF]. Records stay valid.
//
// After an error about the content of a record ([ErrNotFlow]) the next call
// goes on with the record behind it; other errors are final.
func (d *Reader) ReadRecord() (_ *Record, err error) {
	if d.mapped() {
		defer d.catch(debug.SetPanicOnFault(true), &err)
	}
	if d.pending != nil {
		err := d.pending
		d.pending = nil
		return nil, err
	}
	rec := new(Record)
	if err := d.next(rec); err != nil {
		return nil, err
	}
	return rec, nil
}

// catch is CatchFault for the reader itself. A fault ends the reading.
func (d *Reader) catch(before bool, err *error) {
	debug.SetPanicOnFault(before)
	if fault(recover()) || *err != nil && !d.src.(*Mapping).whole(d.load.size) {
		// Behind its new end, the rest of the last page reads as zeros.
		at := d.load.w.off
		d.err = &Error{Name: d.opts.Name, Flow: d.load.n, Offset: at, At: at, Err: errShorter}
		*err = d.err
	}
}

// ReadState returns the state of the next record in the format version it was
// written in. Errors are as for [Reader.ReadRecord]; a record whose top level is
// malformed does not stop the next call either.
func (d *Reader) ReadState() (*state.Map, error) {
	rec, err := d.ReadRecord()
	if err != nil {
		return nil, err
	}
	return rec.State()
}

// ReadFlow returns the next flow, brought to the newest format version. In the
// tolerant profile, small defects are repaired first (see [flow.Repair]).
//
// An error about one flow does not stop the next call: of an unsupported
// version, of an unknown type, or with a field that is not as it should be.
func (d *Reader) ReadFlow() (flow.Flow, error) {
	rec, err := d.ReadRecord()
	if err != nil {
		return nil, err
	}
	f, err := d.Flow(rec)
	if err != nil {
		return nil, rec.Wrap(err)
	}
	return f, nil
}

// Flow returns the flow in rec, one of the records read with d. Records of
// format versions below 12 must be passed in the order in which they were
// read, each once: see [migrate.Stream].
func (d *Reader) Flow(rec *Record) (flow.Flow, error) {
	m, err := rec.State()
	if err != nil {
		return nil, err
	}
	f, err := FlowOf(m, d.stream, d.opts.Strict)
	if err != nil {
		return nil, rec.Wrap(err)
	}
	return f, nil
}

// FlowOf returns the flow with a state of any format version, whatever format it was
// read from: brought to the newest version by the stream of its input, its backup as
// well, and unless strict with small defects repaired (see [flow.Repair]). It takes
// over m.
func FlowOf(m *state.Map, stream *migrate.Stream, strict bool) (flow.Flow, error) {
	m, err := stream.Up(m)
	if err != nil {
		return nil, err
	}
	if !strict {
		if _, err := flow.Repair(m); err != nil {
			return nil, err
		}
	}
	f, err := flow.FromState(m)
	if err != nil {
		return nil, err
	}
	if b, ok := migrate.OldBackup(m); ok {
		if up, err := b.Map(); err == nil {
			f.UpgradeBackup(up)
		}
	}
	return f, nil
}

// Stream returns what d remembers from record to record in order to bring old
// states up to date.
func (d *Reader) Stream() *migrate.Stream { return d.stream }

// Records returns an iterator over the records that are left. It ends at the
// end of the input; any other error is yielded where it is met, and the iteration
// goes on behind it unless it is final.
func (d *Reader) Records() iter.Seq2[*Record, error] { return sequence.Of(d.ReadRecord, d.final) }

// States is [Reader.Records] for [Reader.ReadState].
func (d *Reader) States() iter.Seq2[*state.Map, error] { return sequence.Of(d.ReadState, d.final) }

// Flows is [Reader.Records] for [Reader.ReadFlow].
func (d *Reader) Flows() iter.Seq2[flow.Flow, error] { return sequence.Of(d.ReadFlow, d.final) }

// final tells whether nothing can be read behind an error.
func (d *Reader) final(error) bool { return d.err != nil }

// Count returns the number of records read so far.
func (d *Reader) Count() int64 { return d.load.n }
