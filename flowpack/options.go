package flowpack

import (
	"cmp"
	"fmt"
	"math"
	"runtime"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
)

// Defaults of options.
const (
	// DefaultLevel is the level of compression: about that of the zstd command's own
	// default in size, and as fast.
	DefaultLevel = 1
	// DefaultChunkSize is the size of chunks before compression, unless a flow is
	// larger. Larger chunks compress a little better, smaller ones can be skipped
	// more often and take less memory.
	DefaultChunkSize = 4 << 20
	// DefaultMaxChunk is the limit on the size of a chunk, compressed or not. A
	// chunk holds one flow at least. On systems with 32 bits it is 1 GiB.
	DefaultMaxChunk = min(math.MaxUint32, math.MaxInt/2+1)
	// DefaultMaxRatio is the limit on how many bytes may come out of one byte of
	// a chunk. The first 64 MiB are free.
	DefaultMaxRatio = 1000
)

// WriterOptions are the options of a Writer. A nil pointer and zero fields mean
// the defaults.
type WriterOptions struct {
	// Software is the name of what writes the file, with its version. The
	// default is "flowtool".
	Software string
	// Level is a level of compression like those of zstd, 1 to 22, of which the
	// quality of four is told apart: up to 2, 3 to 5, 6 to 9, and 10 and more.
	Level int
	// ChunkSize is the number of bytes of MessagePack that a chunk has at most,
	// unless it has a single flow.
	ChunkSize int
	// Workers is how many goroutines compress at a time. The default is
	// GOMAXPROCS. Memory grows with it, by about three times ChunkSize each.
	Workers int
}

func (o *WriterOptions) withDefaults() WriterOptions {
	var w WriterOptions
	if o != nil {
		w = *o
	}
	w.Software = cmp.Or(w.Software, "flowtool")
	w.Level = cmp.Or(max(w.Level, 0), DefaultLevel)
	w.ChunkSize = cmp.Or(min(max(w.ChunkSize, 0), 1<<30), DefaultChunkSize)
	w.Workers = cmp.Or(max(w.Workers, 0), runtime.GOMAXPROCS(0))
	return w
}

// ReaderOptions are the options of a Reader. A nil pointer and zero fields mean
// the defaults.
type ReaderOptions struct {
	// Name is the name of the input in errors.
	Name string
	// MaxChunk limits the size of a chunk in bytes, compressed and
	// decompressed, and of what is decompressed of the summary.
	MaxChunk int64
	// MaxRatio limits what a chunk may expand to, relative to its compressed
	// size. The first 64 MiB are free.
	MaxRatio int64
	// MaxDepth limits the nesting of lists and maps. The default is
	// [tnetstring.DefaultMaxDepth].
	MaxDepth int
	// MaxElements limits the elements of a list and the entries of a map. The
	// default is [tnetstring.DefaultMaxElements].
	MaxElements int
	// Sequential says that the input is to be read from its start to its end,
	// without a look at the summary first, even if it can be read at any offset.
	Sequential bool
}

func (o *ReaderOptions) withDefaults() ReaderOptions {
	var r ReaderOptions
	if o != nil {
		r = *o
	}
	if r.MaxChunk <= 0 || r.MaxChunk > DefaultMaxChunk {
		r.MaxChunk = DefaultMaxChunk
	}
	if r.MaxRatio <= 0 {
		r.MaxRatio = DefaultMaxRatio
	}
	return r
}

// codec returns the codec with the limits.
func (o *ReaderOptions) codec() tnetstring.Codec {
	return tnetstring.Codec{MaxDepth: o.MaxDepth, MaxElements: o.MaxElements}
}

// freeOutput is what a chunk may expand to before its ratio is looked at: it takes
// no more memory than other large flows, and bodies of nothing but zeros exist.
const freeOutput = 64 << 20

// check refuses a chunk of which the sizes exceed the limits.
func (o *ReaderOptions) check(size int64, content uint64) error {
	switch {
	case size > o.MaxChunk || content > uint64(o.MaxChunk):
		return &LimitError{Limit: "max-chunk", Max: o.MaxChunk, What: fmt.Sprintf("chunk of %d bytes, %d decompressed", size, content)}
	case content > freeOutput && content/uint64(o.MaxRatio) > uint64(size):
		return &LimitError{Limit: "max-ratio", Max: o.MaxRatio, What: fmt.Sprintf("chunk: expansion of %d bytes to %d", size, content)}
	}
	return nil
}
