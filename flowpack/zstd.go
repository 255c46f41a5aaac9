package flowpack

import (
	"io"
	"math/bits"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// A compressor makes frames, in any number of goroutines.
type compressor struct{ usual, small *zstd.Encoder }

// smallContent is the size below which the zstd encoder leaves out the content
// size, unless it is told that the content is a single segment.
const smallContent = zstd.MinWindowSize

func newCompressor(o *WriterOptions) *compressor {
	encoder := func(opts ...zstd.EOption) *zstd.Encoder {
		enc, err := zstd.NewWriter(nil, append(opts,
			zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(o.Level)),
			zstd.WithWindowSize(windowFor(o.ChunkSize)),
			zstd.WithEncoderConcurrency(o.Workers),
			zstd.WithLowerEncoderMem(true),
			zstd.WithEncoderCRC(true))...)
		if err != nil {
			panic("flowpack: invalid zstd options: " + err.Error())
		}
		return enc
	}
	return &compressor{usual: encoder(), small: encoder(zstd.WithSingleSegment(true))}
}

// windowFor returns the window for chunks of a size: no more than they need, and
// what every decoder supports at most.
func windowFor(chunk int) int {
	const least, most = 1 << 20, 8 << 20
	return min(max(1<<bits.Len(uint(chunk-1)), least), most)
}

// frame appends the frame of what content holds, which is not empty.
func (c *compressor) frame(dst, content []byte) []byte {
	if len(content) <= smallContent {
		return c.small.EncodeAll(content, dst)
	}
	return c.usual.EncodeAll(content, dst)
}

// stream writes the frame of what content holds to w, without holding it in
// memory. It is for one goroutine at a time.
func (c *compressor) stream(w io.Writer, content []byte) error {
	c.usual.ResetContentSize(w, int64(len(content)))
	if _, err := c.usual.Write(content); err != nil {
		return err
	}
	return c.usual.Close()
}

func (c *compressor) close() {
	_ = c.usual.Close()
	_ = c.small.Close()
}

// A decompressor undoes frames, in any number of goroutines. It is made when it
// is needed.
type decompressor struct {
	once sync.Once
	dec  *zstd.Decoder
}

func (d *decompressor) decoder(o *ReaderOptions) *zstd.Decoder {
	d.once.Do(func() {
		var err error
		d.dec, err = zstd.NewReader(nil,
			zstd.WithDecoderConcurrency(0),
			zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxMemory(uint64(o.MaxChunk)),
			zstd.WithDecoderMaxWindow(max(uint64(o.MaxChunk), zstd.MinWindowSize)))
		if err != nil {
			panic("flowpack: invalid zstd options: " + err.Error())
		}
	})
	return d.dec
}
