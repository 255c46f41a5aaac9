package har

import (
	"math"
	"time"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
)

// Defaults of [ReaderOptions].
const (
	// DefaultMaxEntry is the default limit on the size of one entry. On systems
	// with 32 bits it is 512 MiB.
	DefaultMaxEntry = min(2<<30, math.MaxInt/4+1)
	// DefaultMaxDepth is the default limit on the nesting of arrays and objects
	// in an entry. It admits the private field of every flow that a dump can
	// hold.
	DefaultMaxDepth = tnetstring.DefaultMaxDepth + 8
	// DefaultMaxRatio is the default limit on how many bytes may come out of one
	// byte of zlib data.
	DefaultMaxRatio = 250
)

// ReaderOptions are the options of a [Reader]. A nil pointer and zero fields
// mean the defaults.
type ReaderOptions struct {
	// Name is the name of the input in errors.
	Name string
	// MaxEntry limits the size of an entry, in bytes.
	MaxEntry int
	// MaxDepth limits the nesting of arrays and objects in an entry.
	MaxDepth int
	// MaxRatio limits what zlib data (.zhar) may expand to, relative to their
	// size. The first 8 MiB are free.
	MaxRatio int64
	// Location is where dates without a time zone are from. The default is UTC,
	// so that the same file gives the same flows everywhere.
	Location *time.Location
}

func (o *ReaderOptions) withDefaults() *ReaderOptions {
	var r ReaderOptions
	if o != nil {
		r = *o
	}
	if r.MaxEntry <= 0 {
		r.MaxEntry = DefaultMaxEntry
	}
	if r.MaxDepth <= 0 {
		r.MaxDepth = DefaultMaxDepth
	}
	if r.MaxRatio <= 0 {
		r.MaxRatio = DefaultMaxRatio
	}
	if r.Location == nil {
		r.Location = time.UTC
	}
	return &r
}
