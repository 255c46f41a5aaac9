package flowpack

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/state"
)

// A Chunk is a run of flows that were compressed together. Its flows can be
// decoded in any goroutine.
type Chunk struct {
	// Number counts the chunks of the input from 0, those that are damaged
	// included.
	Number int
	// Offset is where the chunk starts in the input, and Size its size there.
	Offset, Size int64
	// Facts are what the summary says of the flows; nil if the summary is not
	// known (yet).
	Facts *ChunkFacts

	place place
	data  []byte // nil if it has to be read first
	in    *input
}

// An input is what all chunks of an input share.
type input struct {
	opts  ReaderOptions
	codec tnetstring.Codec
	at    io.ReaderAt // nil if chunks bring their data
	zstd  decompressor
	bad   badChunks
}

// A Batch is the flows of a chunk, as the records of a dump that follow each
// other. Its memory is used again by the next [Chunk.Decode] into the same
// Batch.
type Batch struct {
	// Chunk is what the flows come from.
	Chunk *Chunk
	// Data is the records, one after the other.
	Data []byte

	ends   []int
	packed []byte
	frame  []byte
}

// Len returns the number of flows.
func (b *Batch) Len() int { return len(b.ends) }

// Record returns the bytes of record i.
func (b *Batch) Record(i int) []byte {
	start := 0
	if i > 0 {
		start = b.ends[i-1]
	}
	return b.Data[start:b.ends[i]:b.ends[i]]
}

// State returns the state of flow i in the format version it was written in.
// It aliases Data.
func (b *Batch) State(i int) (*state.Map, error) {
	m, err := stateOf(b.Record(i), b.Chunk.in.codec)
	if err != nil {
		return nil, b.Chunk.wrap(int64(i), err)
	}
	return m, nil
}

// keepBatch is the size up to which memory is kept for the next chunk.
const keepBatch = 4 * DefaultChunkSize

// Decode fills b with the flows of the chunk, and checks them. After an error,
// which is an [*Error] or one of reading, b holds the flows before it; those are
// all flows if only bytes were changed that mean nothing.
func (c *Chunk) Decode(b *Batch) error {
	b.Chunk, b.Data, b.ends = c, b.Data[:0], b.ends[:0]
	if cap(b.Data) > keepBatch {
		b.Data = nil
	}
	packed, harmless, err := c.content(b)
	if err != nil {
		return err
	}
	if isHeader(packed) {
		return c.fail(0, errMisplaced)
	}
	if cap(b.Data) < len(packed) {
		b.Data = make([]byte, 0, len(packed)+min(len(packed)/4, keepBuffer))
	}
	d := newDecoder(packed, c.in.codec)
	defer d.release()
	for d.src.pos < len(packed) {
		if b.Data, err = d.flow(b.Data); err != nil {
			return c.fail(int64(len(b.ends)), err)
		}
		b.ends = append(b.ends, len(b.Data))
	}
	if harmless == nil && c.Facts != nil && c.Facts.Flows != int64(len(b.ends)) {
		harmless = fmt.Errorf("%d flows, of which the summary says that they are %d", len(b.ends), c.Facts.Flows)
	}
	if harmless != nil {
		return c.fail(int64(len(b.ends)), harmless)
	}
	return nil
}

// content returns the MessagePack of the chunk, in the memory of b. harmless
// says that the frame is not as it was, though its content is.
func (c *Chunk) content(b *Batch) (packed []byte, harmless, err error) {
	frame, err := c.frame(b)
	if err != nil {
		return nil, nil, err
	}
	packed, err = c.in.content(frame, b.packed[:0])
	if b.packed = packed; cap(packed) > keepBatch {
		b.packed = nil // it is too large to be kept
	}
	if err != nil {
		return nil, nil, c.fail(0, err)
	}
	if c.data == nil && c.place.crc != crc32.ChecksumIEEE(frame) {
		harmless = errHarmless
	}
	return packed, harmless, nil
}

var errMisplaced = errors.New("there is a header where flows have to be")

var errHarmless = errors.New("the compressed data was changed, though not what it stands for")

// frame returns the frame of the chunk, in the memory of b if it has to be read.
func (c *Chunk) frame(b *Batch) ([]byte, error) {
	if c.data != nil {
		return c.data, nil
	}
	if err := c.in.opts.check(c.Size, uint64(c.place.content)); err != nil {
		return nil, c.fail(0, err)
	}
	frame := slices.Grow(b.frame[:0], int(c.Size))[:c.Size]
	if b.frame = frame; cap(frame) > keepBatch {
		b.frame = nil
	}
	if n, err := c.in.at.ReadAt(frame, c.Offset); n < len(frame) {
		if err == nil || err == io.EOF {
			return nil, c.fail(0, fmt.Errorf("input changed while it was read: %w", io.ErrUnexpectedEOF))
		}
		return nil, err
	}
	return frame, nil
}

// fail returns err as an [*Error] about flow i of the chunk, and notes that the
// chunk is damaged.
func (c *Chunk) fail(i int64, err error) error {
	c.in.bad.add(c.Number)
	return c.wrap(i, err)
}

// wrap returns err as an [*Error] about flow i of the chunk.
func (c *Chunk) wrap(i int64, err error) error {
	flow := int64(-1)
	if c.Facts != nil {
		flow = c.Facts.First + i
	}
	return &Error{Name: c.in.opts.Name, Part: PartChunk, Chunk: c.Number, Offset: c.Offset, Flow: flow, Err: err}
}

// content decompresses a frame, all of it, and appends it to dst.
func (in *input) content(frame, dst []byte) ([]byte, error) {
	var w walker
	switch size, _, err := w.walk(frame); {
	case err == errMoreNeeded:
		return dst, errFrame
	case err != nil:
		return dst, err
	case size != len(frame):
		return dst, errFrame
	}
	if err := in.opts.check(int64(len(frame)), w.head.FrameContentSize); err != nil {
		return dst, err
	}
	out, err := in.zstd.decoder(&in.opts).DecodeAll(frame, dst)
	if err != nil {
		return dst, fmt.Errorf("%w: %v", errContent, err) // an unexpected EOF is none of the input
	}
	if uint64(len(out)-len(dst)) != w.head.FrameContentSize {
		return dst, errContent
	}
	return out, nil
}

var errContent = errors.New("the compressed data is damaged")

// Memory returns about how many bytes of memory decoding the chunk takes.
func (c *Chunk) Memory() int64 { return c.Size + 2*int64(c.place.content) }
