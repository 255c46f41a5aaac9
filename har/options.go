package har

import "errors"

// ErrNotHTTP is the error of encoding a flow that HAR has no place for: TCP, UDP
// or DNS.
var ErrNotHTTP = errors.New("har: not an HTTP flow")

// DefaultMaxBody is the default limit on a body without its content codings.
const DefaultMaxBody = 64 << 20

// WriterOptions are the options of a [Writer] and of an [Encoder]. A nil pointer
// and zero fields mean the defaults.
type WriterOptions struct {
	// Plain leaves out all fields that HAR 1.2 does not define, whose names begin
	// with _. Messages of WebSockets, bodies of requests that are not text, and
	// everything else that HAR has no place for are lost then.
	Plain bool
	// Indent spreads the output over lines with this indentation, which consists of
	// white space. By default every entry is a line.
	Indent string
	// Creator and CreatorVersion are the name and version of the program that
	// writes. The default name is flowtool.
	Creator, CreatorVersion string
	// Log returns what the entries' own HAR said besides them, for entries that are
	// copied from one. Its pages, browser and comment are written. It is called
	// before the first entry, for what is written before the entries, and at the
	// end, for what else there is then. It may be nil.
	Log func(atEnd bool) Log
	// MaxBody limits the size in bytes of a body without its content codings. A
	// larger one is written as it was transferred. The default is
	// [DefaultMaxBody].
	MaxBody int64
}

func (o *WriterOptions) orDefaults() WriterOptions {
	var out WriterOptions
	if o != nil {
		out = *o
	}
	if out.Creator == "" {
		out.Creator = "flowtool"
	}
	if out.MaxBody <= 0 {
		out.MaxBody = DefaultMaxBody
	}
	return out
}
