package flowpack

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"slices"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/state"
)

// A Writer writes a flowpack. Chunks are compressed in the background and
// written in order, by the call that finds them ready. It is not safe for
// concurrent use.
type Writer struct {
	w    io.Writer
	opts WriterOptions
	zstd *compressor

	cur   *chunkJob   // what is being filled
	queue []*chunkJob // what is being compressed, in order
	free  []*chunkJob
	last  int // size of the last frame

	offset int64
	frames []place
	header uint32 // its CRC
	chunks []packedChunk
	begun  bool
	closed bool
	err    error // sticky: set by write and Close
}

// A chunkJob is a chunk on its way.
type chunkJob struct {
	content []byte
	facts   collector
	frame   []byte
	crc     uint32
	done    chan struct{}
}

var errClosed = errors.New("flowpack: the Writer is closed")

// NewWriter returns a Writer to w. Nothing is written before the first flow, or
// [Writer.Close].
func NewWriter(w io.Writer, opts *WriterOptions) *Writer {
	o := opts.withDefaults()
	return &Writer{w: w, opts: o, zstd: newCompressor(&o), cur: new(chunkJob)}
}

// WriteRecord writes the bytes of a record of a dump, which need not be
// decoded. If it fails on the record, see [AppendRecord], nothing is written and
// the next write may succeed.
func (w *Writer) WriteRecord(record []byte) error {
	if w.err != nil {
		return w.err
	}
	if len(record) > w.opts.ChunkSize {
		if err := w.next(); err != nil { // rather than copying a large flow later
			return err
		}
	}
	content, err := AppendRecord(w.cur.content, record)
	if err != nil {
		return err
	}
	f := FactsOfRecord(record)
	return w.added(content, &f)
}

// WriteState writes a state in the format version that it has. Errors are as for
// WriteRecord.
func (w *Writer) WriteState(m *state.Map) error {
	if w.err != nil {
		return w.err
	}
	content, err := Append(w.cur.content, m)
	if err != nil {
		return err
	}
	v := m.Value()
	f := FactsOf(&v)
	return w.added(content, &f)
}

// WriteFlow writes a flow in the newest format version. Errors are as for
// WriteRecord.
func (w *Writer) WriteFlow(f flow.Flow) error { return w.WriteState(f.State()) }

// WritePacked writes a flow that [Append] or [AppendRecord] encoded, with what
// [FactsOf] says of it. So the work can be done in other goroutines. Wrong facts
// make readers skip the flow.
func (w *Writer) WritePacked(packed []byte, facts *Facts) error {
	if w.err != nil {
		return w.err
	}
	if len(w.cur.content)+len(packed) > w.opts.ChunkSize {
		if err := w.next(); err != nil {
			return err
		}
	}
	return w.added(append(w.cur.content, packed...), facts)
}

// added takes over the content of the current chunk with one more flow. If that
// is too much, the flow begins the next chunk: a window that holds all of a chunk
// makes compression quicker.
func (w *Writer) added(content []byte, f *Facts) error {
	before := len(w.cur.content)
	if before > 0 && len(content) > w.opts.ChunkSize {
		last := content[before:]
		w.cur.content = content[:before]
		job := w.cur
		w.cur = w.job(len(last))
		content = append(w.cur.content, last...)
		if err := w.submit(job); err != nil {
			return err
		}
	}
	if uint64(len(content)) > math.MaxUint32 {
		return fmt.Errorf("flow of %d bytes is too large for a flowpack", len(content))
	}
	w.cur.content = content
	w.cur.facts.add(f)
	if len(content) < w.opts.ChunkSize {
		return nil
	}
	return w.next()
}

// next completes the current chunk.
func (w *Writer) next() error {
	job := w.cur
	if len(job.content) == 0 {
		return nil
	}
	w.cur = w.job(0)
	return w.submit(job)
}

// job returns an empty chunk with room for n bytes, and for as many as the last
// one had.
func (w *Writer) job(n int) *chunkJob {
	if n := len(w.free); n > 0 {
		job := w.free[n-1]
		w.free = w.free[:n-1]
		return job
	}
	return &chunkJob{content: make([]byte, 0, max(n, min(len(w.cur.content), w.opts.ChunkSize)))}
}

// submit has a chunk compressed. If too many are on their way already, it waits
// for the first.
func (w *Writer) submit(job *chunkJob) error {
	if err := w.begin(); err != nil {
		return err
	}
	if len(job.content) > max(largeChunks*w.opts.ChunkSize, largeContent) {
		return w.large(job)
	}
	job.done = make(chan struct{})
	w.queue = append(w.queue, job)
	hint := max(w.last+w.last/8, len(job.content)/8)
	go func() {
		job.frame = w.zstd.frame(slices.Grow(job.frame[:0], hint), job.content)
		job.crc = crc32.ChecksumIEEE(job.frame)
		close(job.done)
	}()
	for len(w.queue) > w.opts.Workers {
		if err := w.drain(); err != nil {
			return err
		}
	}
	return nil
}

// What a chunk may have, as a multiple of ChunkSize and in bytes at least, to be
// compressed in memory, and beside others.
const (
	largeChunks  = 4
	largeContent = 8 << 20
)

// large writes a chunk while it is compressed.
func (w *Writer) large(job *chunkJob) error {
	for len(w.queue) > 0 {
		if err := w.drain(); err != nil {
			return err
		}
	}
	f := place{offset: w.offset, content: uint32(len(job.content))}
	out := &frameWriter{w: w.w}
	if err := w.zstd.stream(out, job.content); err != nil {
		w.err = err
		return err
	}
	f.size, f.crc, f.sum = out.size, out.crc, binary.LittleEndian.Uint32(out.tail[:])
	w.offset += f.size
	facts := job.facts.done()
	w.chunks = append(w.chunks, facts.pack(f.crc))
	return w.note(f)
}

// A frameWriter notes what has to be known of a frame that goes through it.
type frameWriter struct {
	w    io.Writer
	size int64
	crc  uint32
	tail [checksumBytes]byte // the last bytes
}

// Write implements io.Writer.
func (f *frameWriter) Write(p []byte) (int, error) {
	n, err := f.w.Write(p)
	f.size += int64(n)
	f.crc = crc32.Update(f.crc, crc32.IEEETable, p[:n])
	last := append(f.tail[:], p[max(0, n-checksumBytes):n]...)
	copy(f.tail[:], last[len(last)-checksumBytes:])
	return n, err
}

// drain writes the first chunk of the queue.
func (w *Writer) drain() error {
	job := w.queue[0]
	<-job.done
	w.queue = slices.Delete(w.queue, 0, 1)
	facts := job.facts.done()
	w.chunks = append(w.chunks, facts.pack(job.crc))
	w.last = len(job.frame)
	err := w.frame(job.frame, len(job.content))
	if cap(job.content) <= 2*w.opts.ChunkSize { // else a large flow went through it
		*job = chunkJob{content: job.content[:0], frame: job.frame[:0]}
		w.free = append(w.free, job)
	}
	return err
}

// frame writes a frame and notes it for the seek table.
func (w *Writer) frame(frame []byte, content int) error {
	f := place{offset: w.offset, size: int64(len(frame)), sum: emptySum}
	if content > 0 {
		h, err := frameHead(frame)
		if err != nil {
			panic("flowpack: the zstd encoder wrote a frame that is not as expected: " + err.Error())
		}
		f = placeOf(w.offset, frame, &h)
	}
	if err := w.note(f); err != nil {
		return err
	}
	return w.write(frame)
}

// note adds a frame to the seek table.
func (w *Writer) note(f place) error {
	if f.size > math.MaxUint32 {
		w.err = fmt.Errorf("chunk of %d bytes is too large for a flowpack", f.size)
		return w.err
	}
	w.frames = append(w.frames, f)
	return nil
}

func (w *Writer) write(p []byte) error {
	if w.err == nil {
		_, w.err = w.w.Write(p)
		w.offset += int64(len(p))
	}
	return w.err
}

// begin writes what stands before the chunks.
func (w *Writer) begin() error {
	if w.begun {
		return nil
	}
	w.begun = true
	if err := w.frame(marker, 0); err != nil {
		return err
	}
	h := Header{Version: FormatVersion, Software: w.opts.Software}
	content, err := h.pack()
	if err != nil {
		return err
	}
	frame := w.zstd.frame(nil, content)
	w.header = crc32.ChecksumIEEE(frame)
	return w.frame(frame, len(content))
}

// Flush completes the current chunk, however small, and writes all chunks.
func (w *Writer) Flush() error {
	if w.err != nil {
		return w.err
	}
	if err := w.begin(); err != nil {
		return err
	}
	if err := w.next(); err != nil {
		return err
	}
	for len(w.queue) > 0 {
		if err := w.drain(); err != nil {
			return err
		}
	}
	return w.err
}

// Close writes what is left, the summary and the seek table. It does not close
// the underlying writer. Without Close, readers find that the file is cut off.
func (w *Writer) Close() error {
	if w.closed {
		return nil
	}
	w.closed = true
	defer w.wait()
	if err := w.Flush(); err != nil {
		return err
	}
	summary, err := (&fileSummary{w.header, tableCRC(w.frames), w.chunks}).encode(w.zstd)
	if err == nil {
		err = w.frame(summary, 0)
	}
	if err == nil && len(w.frames) > maxFrames {
		err = errors.New("too many chunks for a flowpack")
	}
	if err == nil {
		err = w.write(appendTable(nil, w.frames))
	}
	if w.err = err; err == nil {
		w.err = errClosed // for what comes after
	}
	return err
}

// wait waits for the goroutines, if there still are some after an error.
func (w *Writer) wait() {
	for _, job := range w.queue {
		<-job.done
	}
	w.queue = nil
	w.zstd.close()
}
