package dumpfile

import (
	"math"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
)

// Defaults of [ReaderOptions].
const (
	// DefaultMaxRecord is the default limit on the size of one record. On
	// systems with 32 bits it is 1 GiB.
	DefaultMaxRecord = min(4<<30, math.MaxInt/2+1)
	// DefaultMaxRatio is the default limit on how many bytes may come out of
	// one byte of compressed input.
	DefaultMaxRatio = 250
	// DefaultMaxWindow is the default limit on the window of a zstd frame, the
	// memory that its decompression takes. It admits zstd's highest regular
	// level.
	DefaultMaxWindow = 8 << 20
)

// ReaderOptions are the options of a [Reader]. A nil pointer and zero fields
// mean the defaults.
type ReaderOptions struct {
	// Name is the name of the input in errors.
	Name string
	// Strict selects the strict profiles of package tnetstring and of package
	// flow instead of the tolerant ones.
	Strict bool
	// MaxRecord limits the announced size of a record in bytes.
	MaxRecord int64
	// MaxDepth limits the nesting of lists and maps.
	MaxDepth int
	// MaxElements limits the elements of a list and the entries of a map.
	MaxElements int
	// MaxRatio limits what a compressed input may expand to, relative to its
	// compressed size. The first 8 MiB are free.
	MaxRatio int64
	// MaxWindow limits the memory that a zstd frame may ask for, in bytes.
	MaxWindow int64
	// DropLarge says that the content of HTTP messages, and of WebSocket, TCP
	// and UDP messages, need not be kept where it is large. A stream is then read
	// in little memory whatever its flows transferred; asking for content that
	// was dropped gives [state.ErrElided], its length is still known. It changes
	// nothing for an input that can be read at any offset, where content is
	// fetched when somebody asks.
	DropLarge bool
	// Skim says that nobody is going to look at large content, though records may
	// be copied. Batches of a [Mapping] are larger then.
	Skim bool
	// Only says which keys of a flow will be looked at, in an input that can be
	// read at any offset: what is large and under another key is not even
	// brought into memory. It is a hint: other keys are fetched when somebody
	// asks for them. Nil stands for all keys.
	Only []string
}

func (o *ReaderOptions) withDefaults() ReaderOptions {
	var r ReaderOptions
	if o != nil {
		r = *o
	}
	if r.MaxRecord <= 0 {
		r.MaxRecord = DefaultMaxRecord
	}
	if r.MaxRatio <= 0 {
		r.MaxRatio = DefaultMaxRatio
	}
	if r.MaxWindow <= 0 {
		r.MaxWindow = DefaultMaxWindow
	}
	return r
}

func (o *ReaderOptions) codec() tnetstring.Codec {
	return tnetstring.Codec{Strict: o.Strict, MaxDepth: o.MaxDepth, MaxElements: o.MaxElements}
}
