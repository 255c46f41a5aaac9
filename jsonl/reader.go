package jsonl

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/flowtool/flowtool/internal/sequence"
	"github.com/flowtool/flowtool/state"
)

// A Reader reads lines. It is not safe for concurrent use; the lines it returns
// are, each by itself.
type Reader struct {
	r    io.Reader
	opts ReaderOptions

	batch Batch // of ReadLine
	at    int   // next line in batch

	rest    []byte // what was read behind the last line
	started bool
	line    int64 // number of the last line
	off     int64 // of what is read next, rest included
	count   int64
	pending error // found behind the lines of a batch
	err     error // sticky: set by ReadBatch, where the input failed
}

// A Line is a line that is not blank.
type Line struct {
	// Number counts the lines of the input from 1, blank ones included.
	Number int64
	// Offset is where the line starts in the (decompressed) input.
	Offset int64
	// Data is the line without its end.
	Data []byte

	opts *ReaderOptions
}

// A Batch is a run of lines that share memory, for programs that hand lines to
// several goroutines. The memory is used again by the next [Reader.ReadBatch]
// into the same Batch.
type Batch struct {
	Lines []Line

	buf []byte
}

// batchSize is how many bytes of lines a batch has, unless it is a single line.
const batchSize = 256 << 10

// NewReader returns a Reader of the lines in r.
func NewReader(r io.Reader, opts *ReaderOptions) *Reader {
	return &Reader{r: r, opts: opts.withDefaults()}
}

// ReadBatch fills b with the next lines, at least one, as many as fit in little
// memory and can be had without waiting for the input. At the end of the input
// the error is [io.EOF].
func (d *Reader) ReadBatch(b *Batch) error {
	clear(b.Lines)
	b.Lines = b.Lines[:0]
	for len(b.Lines) == 0 {
		if d.err != nil {
			return d.err
		}
		d.fill(b)
	}
	return nil
}

// fill reads lines until it has some, blank ones included, or there is an error.
func (d *Reader) fill(b *Batch) {
	if cap(b.buf) < batchSize || cap(b.buf) > 4*batchSize {
		b.buf = make([]byte, 0, max(batchSize, len(d.rest)))
	}
	b.buf = append(b.buf[:0], d.rest...)
	d.rest = d.rest[:0]
	if cap(d.rest) > 4*batchSize {
		d.rest = nil
	}
	seen := 0 // bytes of buf that hold no line feed
	for tries := 0; ; {
		n := bytes.LastIndexByte(b.buf[seen:], '\n')
		if n >= 0 {
			n += seen + 1
			d.rest = append(d.rest, b.buf[n:]...)
			b.buf = b.buf[:n]
			d.split(b, b.buf)
			return
		}
		if seen = len(b.buf); seen > d.opts.MaxLine {
			d.err = d.tooLong(d.line+1, d.off)
			return
		}
		if d.pending != nil {
			d.err, d.pending = d.pending, nil
			if d.err == io.EOF {
				d.split(b, b.buf) // the last line may have no end
			}
			return
		}
		if len(b.buf) == cap(b.buf) {
			b.buf = slices.Grow(b.buf, min(len(b.buf), d.opts.MaxLine-len(b.buf)+1))
		}
		// No more than a batch at a time: behind a long line may be many short ones.
		room := b.buf[len(b.buf):min(cap(b.buf), len(b.buf)+batchSize)]
		got, err := d.r.Read(room)
		b.buf = b.buf[:len(b.buf)+got]
		if d.pending = err; got == 0 && err == nil {
			if tries++; tries == 100 {
				d.pending = io.ErrNoProgress
			}
		}
	}
}

const bom = "\xef\xbb\xbf"

// split adds the lines in data, which are complete.
func (d *Reader) split(b *Batch, data []byte) {
	for len(data) > 0 {
		line, size := data, len(data)
		if n := bytes.IndexByte(data, '\n'); n >= 0 {
			line, size = data[:n], n+1
		}
		data = data[size:]
		off := d.off
		d.off += int64(size)
		d.line++
		if !d.started {
			d.started = true
			if rest, ok := bytes.CutPrefix(line, []byte(bom)); ok {
				line = rest
				off += int64(len(bom))
			}
		}
		if len(line) > d.opts.MaxLine {
			d.err = d.tooLong(d.line, off)
			return
		}
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(bytes.TrimLeft(line, " \t\r")) == 0 {
			continue
		}
		d.count++
		b.Lines = append(b.Lines, Line{d.line, off, line[:len(line):len(line)], &d.opts})
	}
}

func (d *Reader) tooLong(line, off int64) error {
	err := fmt.Errorf("%w: the limit is %d bytes (MaxLine)", ErrTooLong, d.opts.MaxLine)
	return locate(fail(d.opts.MaxLine, err), d.opts.Name, line, off)
}

// ReadLine returns the next line. It is valid until the next call.
func (d *Reader) ReadLine() (*Line, error) {
	if d.at == len(d.batch.Lines) {
		d.at = 0
		if err := d.ReadBatch(&d.batch); err != nil {
			return nil, err
		}
	}
	d.at++
	return &d.batch.Lines[d.at-1], nil
}

// ReadState returns the state of the next line. At the end of the input the
// error is [io.EOF]. After an [*Error] about what a line says, the next call
// goes on behind it; other errors, and [ErrTooLong], are final.
func (d *Reader) ReadState() (*state.Map, error) {
	l, err := d.ReadLine()
	if err != nil {
		return nil, err
	}
	return l.State()
}

// States returns an iterator over the states that are left. It ends at the end of
// the input; any other error is yielded where it is met, and the iteration goes on
// behind it unless it is final.
func (d *Reader) States() iter.Seq2[*state.Map, error] { return sequence.Of(d.ReadState, d.final) }

// final tells whether nothing can be read behind an error.
func (d *Reader) final(err error) bool { return d.err != nil && errors.Is(err, d.err) }

// Offset returns how many bytes of the (decompressed) input the lines took that
// were read so far, in batches.
func (d *Reader) Offset() int64 { return d.off }

// Count returns the number of lines read so far, in batches, without blank ones.
func (d *Reader) Count() int64 { return d.count }

func (l *Line) limits() *limits { return &limits{l.opts.MaxDepth, l.opts.MaxElements} }

// State is [Decode] with the limits of the Reader. Errors have its name and the
// number of the line.
func (l *Line) State() (*state.Map, error) {
	m, err := l.limits().decode(l.Data)
	return m, l.Wrap(err)
}

// Record is [DecodeRecord] in the same way.
func (l *Line) Record(dst []byte) ([]byte, error) {
	dst, err := l.limits().record(dst, l.Data)
	return dst, l.Wrap(err)
}

// Wrap returns err as an [*Error] about l. An error that has a line number
// already is returned as it is.
func (l *Line) Wrap(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		if e.Line > 0 {
			return err
		}
		return locate(err, l.opts.Name, l.Number, l.Offset)
	}
	e := &Error{Name: l.opts.Name, Line: l.Number, Column: 1, Offset: l.Offset, Err: err}
	if pe, ok := errors.AsType[*state.PathError](err); ok {
		e.Path = pe.Path
		if direct, ok := err.(*state.PathError); ok {
			e.Err = direct.Err
		}
	}
	return e
}
