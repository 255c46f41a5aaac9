package flowpack

import (
	"errors"
	"io"
	"iter"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/randomaccess"
	"github.com/flowtool/flowtool/internal/sequence"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/state"
)

// A Reader reads flowpacks, one or several that follow each other. It is not
// safe for concurrent use; the chunks it returns are.
type Reader struct {
	opts   ReaderOptions
	in     *input
	r      io.Reader
	opened bool

	header  *Header
	chunks  []*Chunk // of the index, nil without one
	at      int      // the next of chunks
	scan    *scanner // without index
	batch   *Batch   // of ReadState
	batchAt int
	failed  error // of batch, to be returned behind its flows
	stream  *migrate.Stream
}

// NewReader returns a Reader of the flowpack in r. It reads nothing yet. If r
// is an io.ReaderAt and an io.Seeker that can seek, such as a regular file, and
// its summary is undamaged, chunks are read only when they are decoded; r must
// then stay open until then.
func NewReader(r io.Reader, opts *ReaderOptions) *Reader {
	d := new(Reader)
	d.opts = opts.withDefaults()
	d.r = r
	d.in = &input{opts: d.opts, codec: d.opts.codec()}
	d.stream = migrate.NewStream(nil)
	return d
}

// open looks for the index.
func (d *Reader) open() {
	if d.opened {
		return
	}
	d.opened = true
	if at, pos, size, ok := randomaccess.Of(d.r); ok && size > pos && !d.opts.Sequential {
		d.in.at = at
		if d.header, d.chunks, ok = d.in.index(pos, size); ok {
			return
		}
	}
	d.chunks = nil
	d.scan = &scanner{in: d.in, win: window{r: d.r}, between: true}
}

// Header returns what the header says; nil if it is damaged, and without an index
// until the first chunk has been read.
func (d *Reader) Header() *Header {
	d.open()
	if d.scan != nil {
		return d.scan.header
	}
	return d.header
}

// Index returns all chunks, with what the summary says of them, for reading them
// in any order. It is nil if there is no summary, if that or the seek table is
// damaged, or if the input cannot be read at any offset; the chunks can then be
// had from ReadChunk only.
func (d *Reader) Index() []*Chunk {
	d.open()
	return d.chunks
}

// ReadChunk returns the next chunk, which has not been decompressed yet. At the
// end of the input the error is io.EOF. After an [*Error] the next call goes on
// behind the damage; other errors, and a [*VersionError], are final.
func (d *Reader) ReadChunk() (*Chunk, error) {
	d.open()
	if d.scan != nil {
		return d.scan.next()
	}
	if d.at == len(d.chunks) {
		return nil, io.EOF
	}
	d.at++
	return d.chunks[d.at-1], nil
}

// Chunks returns an iterator over the chunks that are left. Errors that reading
// can go on behind are yielded where they are met; any other but io.EOF is
// yielded last.
func (d *Reader) Chunks() iter.Seq2[*Chunk, error] {
	return sequence.Of(d.ReadChunk, final)
}

// final tells whether nothing can be read behind err.
func final(err error) bool {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return true
	}
	_, version := e.Err.(*VersionError)
	return version
}

// ReadState returns the state of the next flow in the format version it was
// written in. Errors are those of ReadChunk and of [Chunk.Decode]; flows before
// damage are returned first.
func (d *Reader) ReadState() (*state.Map, error) {
	for {
		if d.batch != nil && d.batchAt < d.batch.Len() {
			d.batchAt++
			return d.batch.State(d.batchAt - 1)
		}
		if err := d.failed; err != nil {
			d.failed = nil
			return nil, err
		}
		c, err := d.ReadChunk()
		if err != nil {
			return nil, err
		}
		// States alias the batch, so every chunk gets one of its own.
		d.batch, d.batchAt = new(Batch), 0
		d.failed = c.Decode(d.batch)
		d.batch.packed = nil
	}
}

// States returns an iterator over the states that are left, with errors as
// Chunks has them.
func (d *Reader) States() iter.Seq2[*state.Map, error] { return sequence.Of(d.ReadState, final) }

// ReadFlow returns the next flow, brought to the newest format version, with
// small defects repaired (see [flow.Repair]). An error about one flow does not
// stop the next call.
func (d *Reader) ReadFlow() (flow.Flow, error) {
	m, err := d.ReadState()
	if err != nil {
		return nil, err
	}
	f, err := dumpfile.FlowOf(m, d.stream, false)
	if err != nil {
		return nil, d.batch.Chunk.wrap(int64(d.batchAt-1), err)
	}
	return f, nil
}

// Flows returns an iterator over the flows that are left, with errors as Chunks
// has them.
func (d *Reader) Flows() iter.Seq2[flow.Flow, error] { return sequence.Of(d.ReadFlow, final) }

// Batches returns an iterator over the chunks that are left, decoded by several
// goroutines but in order. Chunks for which want is false are not decoded; a nil
// want stands for all. A batch is valid until the next one. Errors are as
// Chunks has them, each with the batch of the flows before it, if there is one.
func (d *Reader) Batches(workers int, want func(*Chunk) bool) iter.Seq2[*Batch, error] {
	type job struct {
		b    *Batch
		err  error
		size int64
		done chan struct{}
	}
	return func(yield func(*Batch, error) bool) {
		var queue []*job
		var free []*Batch
		held := int64(0) // bytes of content in the queue
		for end := false; ; {
			for !end && len(queue) < max(workers, 1) && held < int64(max(workers, 1))*keepBatch {
				j := &job{done: make(chan struct{})}
				c, err := d.ReadChunk()
				switch {
				case err != nil:
					j.err = err
					close(j.done)
					end = final(err)
				case want != nil && !want(c):
					continue
				default:
					j.b = new(Batch)
					if n := len(free); n > 0 {
						j.b, free = free[n-1], free[:n-1]
					}
					j.size = int64(c.place.content)
					held += j.size
					go func() {
						j.err = c.Decode(j.b)
						close(j.done)
					}()
				}
				queue = append(queue, j)
			}
			if len(queue) == 0 {
				return
			}
			j := queue[0]
			queue = queue[1:]
			<-j.done
			if j.err == io.EOF || !yield(j.b, j.err) {
				break
			}
			held -= j.size
			if j.b != nil {
				if d.scan != nil {
					d.scan.recycle(j.b.Chunk)
				}
				free = append(free, j.b)
			}
		}
		for _, j := range queue {
			<-j.done
		}
	}
}

// Close releases what decompression takes. It does not close the input.
func (d *Reader) Close() error {
	if dec := d.in.zstd.dec; dec != nil {
		dec.Close()
	}
	return nil
}
