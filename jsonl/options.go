package jsonl

import (
	"math"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
)

// DefaultMaxLine is the default limit on the length of a line. On systems with
// 32 bits it is 1 GiB.
const DefaultMaxLine = min(4<<30, math.MaxInt/2+1)

// ReaderOptions are the options of a [Reader]. A nil pointer and zero fields
// mean the defaults.
type ReaderOptions struct {
	// Name is the name of the input in errors.
	Name string
	// MaxLine limits the length of a line in bytes.
	MaxLine int
	// MaxDepth limits the nesting of lists and maps. The default is
	// [tnetstring.DefaultMaxDepth].
	MaxDepth int
	// MaxElements limits the elements of a list and the entries of a map. The
	// default is [tnetstring.DefaultMaxElements].
	MaxElements int
}

func (o *ReaderOptions) withDefaults() ReaderOptions {
	var r ReaderOptions
	if o != nil {
		r = *o
	}
	if r.MaxLine <= 0 {
		r.MaxLine = DefaultMaxLine
	}
	if r.MaxDepth <= 0 {
		r.MaxDepth = tnetstring.DefaultMaxDepth
	}
	if r.MaxElements <= 0 {
		r.MaxElements = tnetstring.DefaultMaxElements
	}
	return r
}
