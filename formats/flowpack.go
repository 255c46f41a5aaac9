package formats

import (
	"cmp"
	"errors"
	"io"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/filter"
	"github.com/flowtool/flowtool/flowpack"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/pipeline"
)

var pack = &Format{
	Name:     "flowpack",
	Doc:      "flowpack, small, checked and divisible",
	Exts:     []string{".flowpack"},
	Versions: true,
	Packs:    true,
	open:     openPack,
	create: func(w io.Writer, o *SinkOptions) (Sink, error) {
		return &packSink{flowpack.NewWriter(w, &flowpack.WriterOptions{
			Software: o.Software, Level: o.Level, ChunkSize: o.ChunkSize, Workers: o.Workers,
		})}, nil
	},
}

// packSource is a source of flows in a flowpack.
type packSource struct {
	r      *flowpack.Reader
	origin *dumpfile.Origin
	stream *migrate.Stream
	want   func(*Group) bool
}

// packBatch is what a batch is made of.
type packBatch struct {
	flowpack.Batch
	chunk *flowpack.Chunk
}

func openPack(o *opening) (pipeline.Source, error) {
	in := packInput(o.content)
	if s, ok := in.(interface{ Size() int64 }); ok {
		o.in.Size = s.Size()
	}
	r := flowpack.NewReader(in, &flowpack.ReaderOptions{
		Name:        o.opts.Name,
		MaxChunk:    o.opts.MaxRecord,
		MaxRatio:    o.opts.MaxRatio,
		MaxDepth:    o.opts.MaxDepth,
		MaxElements: o.opts.MaxElements,
	})
	done := o.in.Close
	o.in.Close = func() error { return cmp.Or(r.Close(), done()) }
	return &packSource{r, o.origin("chunk"), migrate.NewStream(nil), o.want}, nil
}

// packInput returns an input as a reader of flowpacks wants it: able to seek, if it
// is a file.
func packInput(r io.Reader) io.Reader {
	if m, ok := r.(*dumpfile.Mapping); ok {
		return m.Section()
	}
	return r
}

func (s *packSource) Stream() *migrate.Stream { return s.stream }

func (s *packSource) ReadBatch(b *dumpfile.Batch) error {
	pb, _ := b.Source.(*packBatch)
	if pb == nil {
		pb = new(packBatch)
		b.Source = pb
	}
	for {
		c, err := s.r.ReadChunk()
		switch {
		case err == nil && s.wanted(c):
			pb.chunk = c
			b.Weight = c.Memory()
			return nil
		case err == nil:
			b.Skipped += c.Facts.Flows
		case isDamage(err):
			b.Faults = append(b.Faults, err)
		default:
			return err
		}
	}
}

// isDamage tells whether reading goes on behind an error.
func isDamage(err error) bool {
	_, damaged := errors.AsType[*flowpack.Error](err)
	_, newer := errors.AsType[*flowpack.VersionError](err)
	return damaged && !newer
}

// wanted tells whether somebody wants flows of a chunk.
func (s *packSource) wanted(c *flowpack.Chunk) bool {
	if s.want == nil || c.Facts == nil {
		return true
	}
	f := c.Facts
	return s.want(&Group{First: f.First, Flows: f.Flows, Facts: factsOf(f)})
}

// factsOf turns what a summary says into what a filter asks.
func factsOf(f *flowpack.ChunkFacts) *filter.ChunkFacts {
	known := f.Opaque == 0
	facts := &filter.ChunkFacts{
		Types:    valueSet(f.Types, known),
		Hosts:    valueSet(f.Hosts, known),
		Methods:  valueSet(f.Methods, known),
		Statuses: valueSet(f.Statuses, known && f.Unanswered == 0),
		IDs:      valueSet(f.IDs, known),
		Versions: valueSet(f.Versions, true),
		Answered: filter.ValueSet[bool]{Known: known, Always: known},
		Starts:   filter.ValueRange[float64]{Known: known, Min: f.Start, Max: f.End, Always: known && f.Untimed == 0},
	}
	facts.Statuses.Known = known && !f.Statuses.Open
	if f.Answered > 0 {
		facts.Answered.Values = append(facts.Answered.Values, true)
	}
	if f.Unanswered > 0 {
		facts.Answered.Values = append(facts.Answered.Values, false)
	}
	if f.Start == 0 && f.End == 0 {
		facts.Starts.Min, facts.Starts.Max = 1, 0 // none
	}
	return facts
}

// valueSet turns a set of a summary into one of a filter. always says that no flow
// that can have a value is without one.
func valueSet[T comparable](s flowpack.Set[T], always bool) filter.ValueSet[T] {
	return filter.ValueSet[T]{Known: always && !s.Open, Values: s.Values, Always: always}
}

func (s *packSource) DecodeBatch(b *dumpfile.Batch) error {
	pb := b.Source.(*packBatch)
	c := pb.chunk
	pb.chunk = nil
	err := c.Decode(&pb.Batch)
	for i := range pb.Len() {
		b.Append(s.origin, pb.Record(i), dumpfile.Part{Number: int64(c.Number), Offset: c.Offset, Size: c.Size})
	}
	if err != nil && isDamage(err) {
		b.Faults = append(b.Faults, err)
		err = nil
	}
	return err
}

// packSink writes a flowpack.
type packSink struct{ w *flowpack.Writer }

func (s *packSink) Encode(c *Chunk, it *pipeline.Item) error {
	record, err := it.Bytes()
	if err != nil {
		return err
	}
	text, err := flowpack.AppendRecord(c.Text, record)
	if err != nil {
		return it.Wrap(err)
	}
	v, err := it.Value()
	if err != nil {
		return err
	}
	facts, _ := c.Facts.(*[]flowpack.Facts)
	if facts == nil {
		facts = new([]flowpack.Facts)
		c.Facts = facts
	}
	// Chunk.Reset leaves the facts of flows that were written before.
	*facts = append((*facts)[:len(c.Ends)], flowpack.FactsOf(v))
	c.Text = text
	c.end()
	return nil
}

func (s *packSink) Write(c *Chunk) error {
	begin := 0
	for i, end := range c.Ends {
		if err := s.w.WritePacked(c.Text[begin:end], &(*c.Facts.(*[]flowpack.Facts))[i]); err != nil {
			return err
		}
		begin = end
	}
	return nil
}

func (s *packSink) Flush() error { return s.w.Flush() }
func (s *packSink) Close() error { return s.w.Close() }
