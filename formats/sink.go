package formats

import (
	"io"

	"github.com/flowtool/flowtool/display"
	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/pipeline"
)

// SinkOptions are the options of [Format.Create]. A nil pointer and zero fields mean the
// defaults. A format ignores what does not concern it.
type SinkOptions struct {
	// Software is what writes the output, with its version.
	Software string
	// Workers is how many goroutines compress; 0 means one per processor.
	Workers int
	// Level is how hard a format that compresses by itself tries, in the scale of
	// the zstd command; 0 means the usual level.
	Level int
	// ChunkSize is how many bytes, before compression, the parts of a format have
	// that has parts; 0 means the usual size.
	ChunkSize int
	// From is the first input, if it is known. What it says besides its flows is kept,
	// if that is possible: the pages of a HAR.
	From *Input
	// Plain leaves out of a HAR what HAR 1.2 does not define.
	Plain bool
	// Columns are those of a table; nil means the usual ones. Formulas leaves cells
	// as they are that a spreadsheet would take for formulas.
	Columns  *display.Columns
	Formulas bool
	// Decode undoes the content coding of bodies in messages.
	Decode bool
	// PreserveIP makes commands connect to the address that was connected to.
	PreserveIP bool
	// MaxBody limits how large a body may become when its coding is undone; 0 means
	// the usual limit.
	MaxBody int64
}

// A Sink writes flows in a format.
type Sink interface {
	// Encode adds a flow to c. It is called by several goroutines at once for
	// different chunks. The error is a [SkipError] if the format has no way to
	// express the flow, a [dumpfile.Error] if something is wrong with the flow.
	Encode(c *Chunk, it *pipeline.Item) error
	// Write writes what is in c. Chunks are written one at a time, in order.
	Write(c *Chunk) error
	// Flush writes what is buffered, as far as the format allows that.
	Flush() error
	// Close completes the output. It does not close the underlying writer.
	Close() error
}

// A Warner is a sink that may have something to say after Close: what is written as it
// was, but is not as it should be.
type Warner interface{ Warnings() []string }

// Create returns a sink that writes f to w.
func (f *Format) Create(w io.Writer, opts *SinkOptions) (Sink, error) {
	if opts == nil {
		opts = new(SinkOptions)
	}
	return f.create(w, opts)
}

// A Chunk is a run of flows on its way to a sink, in one of two forms.
type Chunk struct {
	// Records are the flows, if they are written as they are. Encode must not be
	// given items that are not going to be there when the chunk is written.
	Records []*dumpfile.Record
	// Text is the encoding of the flows, which end at Ends.
	Text []byte
	Ends []int
	// Facts is what the sink keeps beside the text.
	Facts any
	// Base is the number of flows in the inputs before, for sinks that number them.
	Base int64
	// Notes are what a sink wrote in another way than it was.
	Notes []Note
}

// A Note says that something in a flow could not be written as it is.
type Note struct {
	Index int64 // of the flow in its input
	Text  string
}

// keepText is how much memory is kept for the next chunk: enough for a batch of small
// flows in any format.
const keepText = 4 << 20

// Flows returns the number of flows in c.
func (c *Chunk) Flows() int { return len(c.Records) + len(c.Ends) }

// Truncate keeps the first n flows.
func (c *Chunk) Truncate(n int) {
	if c.Ends == nil {
		clear(c.Records[n:])
		c.Records = c.Records[:n]
		return
	}
	c.Ends = c.Ends[:n]
	size := 0
	if n > 0 {
		size = c.Ends[n-1]
	}
	c.Text = c.Text[:size]
}

// Reset empties c.
func (c *Chunk) Reset() {
	clear(c.Records)
	c.Records = c.Records[:0]
	c.Ends, c.Notes = c.Ends[:0], c.Notes[:0]
	if c.Text = c.Text[:0]; cap(c.Text) > keepText {
		c.Text = nil
	}
}

// end notes the end of a flow in Text.
func (c *Chunk) end() { c.Ends = append(c.Ends, len(c.Text)) }

// textSink writes formats that are nothing but the texts of flows, one behind the
// other.
type textSink struct {
	w      io.Writer
	encode func(dst []byte, it *pipeline.Item) ([]byte, error)
}

func (s *textSink) Encode(c *Chunk, it *pipeline.Item) error {
	text, err := s.encode(c.Text, it)
	if _, ok := err.(*SkipError); ok {
		return err
	}
	if err != nil {
		return it.Wrap(err)
	}
	c.Text = text
	c.end()
	return nil
}

func (s *textSink) Write(c *Chunk) error {
	_, err := s.w.Write(c.Text)
	return err
}

func (s *textSink) Flush() error { return nil }
func (s *textSink) Close() error { return nil }
