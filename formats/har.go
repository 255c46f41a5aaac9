package formats

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/zlib"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/har"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/pipeline"
)

var archive = &Format{
	Name: "har",
	Doc:  "HTTP Archive (HAR) 1.2",
	Exts: []string{".har"},
	Text: true,
	open: openHAR,
	create: func(w io.Writer, o *SinkOptions) (Sink, error) {
		return newHARSink(w, o), nil
	},
}

// zippedArchive is what mitmproxy makes of a HAR for a file named .zhar. When it is
// read it is a HAR.
var zippedArchive = &Format{
	Name: "zhar",
	Doc:  "HTTP Archive in zlib, as mitmproxy writes it",
	Exts: []string{".zhar"},
	open: openHAR,
	create: func(w io.Writer, o *SinkOptions) (Sink, error) {
		z := zlib.NewWriter(w)
		return &zippedSink{newHARSink(z, o), z}, nil
	},
}

// looksZipped tells whether an input may be a HAR in zlib or UTF-16, going by its
// first bytes.
func looksZipped(head []byte) bool {
	return len(head) > 2 && (head[0] == 0x78 && (int(head[0])<<8|int(head[1]))%31 == 0 || head[0]^head[1] == 1 && min(head[0], head[1]) == 0xfe)
}

// harSource is a source of flows in a HAR.
type harSource struct {
	r       *har.Reader
	origin  *dumpfile.Origin
	stream  *migrate.Stream
	unknown error // what to say if it is no HAR; nil if it was said to be one

	// What the HAR said besides its entries: before the first of them, and so far.
	head, said atomic.Pointer[har.Log]
}

// harBatch is what a batch is made of.
type harBatch struct {
	har.Batch
	records []byte
}

func openHAR(o *opening) (pipeline.Source, error) {
	r := har.NewReader(o.content, &har.ReaderOptions{
		Name:     o.opts.Name,
		MaxEntry: int(min(o.opts.MaxRecord, math.MaxInt)),
		MaxDepth: o.opts.MaxDepth,
		MaxRatio: o.opts.MaxRatio,
	})
	s := &harSource{r: r, origin: o.origin("entry"), stream: migrate.NewStream(nil)}
	if o.guessed {
		s.unknown = o.unknown
	}
	return s, nil
}

// log returns what the HAR said besides its entries: before the first of them, or
// also behind them.
func (s *harSource) log(atEnd bool) har.Log {
	from := &s.head
	if atEnd {
		from = &s.said
	}
	if log := from.Load(); log != nil {
		return *log
	}
	return har.Log{}
}

func (s *harSource) Stream() *migrate.Stream { return s.stream }

func (s *harSource) ReadBatch(b *dumpfile.Batch) error {
	hb, _ := b.Source.(*harBatch)
	if hb == nil {
		hb = new(harBatch)
		b.Source = hb
	}
	err := s.r.ReadBatch(&hb.Batch)
	if s.head.Load() == nil && s.r.Count() > 0 {
		head := s.r.Head()
		s.head.Store(&head)
	}
	said := s.r.Log()
	s.said.Store(&said)
	if _, bad := errors.AsType[*har.Error](err); bad && s.unknown != nil && s.r.Count() == 0 {
		if errors.Is(err, har.ErrNotHAR) || errors.Is(err, har.ErrZlib) {
			return s.unknown
		}
	}
	for i := range hb.Entries {
		b.Weight += 3 * int64(len(hb.Entries[i].Data)) // the entry, its values, the record
	}
	return err
}

func (s *harSource) DecodeBatch(b *dumpfile.Batch) error {
	hb := b.Source.(*harBatch)
	if hb.records = hb.records[:0]; cap(hb.records) > keepText {
		hb.records = nil
	}
	type place struct{ entry, end int }
	places := make([]place, 0, len(hb.Entries))
	for i := range hb.Entries {
		records, err := hb.Entries[i].Record(hb.records)
		if err != nil {
			b.Faults = append(b.Faults, err)
			continue
		}
		hb.records = records
		places = append(places, place{i, len(records)})
	}
	begin := 0
	for _, p := range places {
		e := &hb.Entries[p.entry]
		b.Append(s.origin, hb.records[begin:p.end:p.end], dumpfile.Part{
			Number: e.Index, Offset: e.Offset, Size: int64(len(e.Data)), Data: e.Data,
		})
		begin = p.end
	}
	return nil
}

// harSink writes a HAR.
type harSink struct {
	encoder *har.Encoder
	w       *har.Writer
	plain   bool
	first   *dumpfile.Origin       // the HAR whose pages are written; nil if there is none
	pages   func() map[string]bool // the pages that are written; nil if they are not known yet
}

func newHARSink(w io.Writer, o *SinkOptions) *harSink {
	name, version, _ := strings.Cut(o.Software, " ")
	opts := &har.WriterOptions{Plain: o.Plain, Creator: name, CreatorVersion: version, MaxBody: o.MaxBody}
	s := &harSink{plain: o.Plain}
	if o.From != nil {
		if from, ok := o.From.Source.(*harSource); ok {
			opts.Log, s.first = from.log, from.origin
			s.pages = sync.OnceValue(func() map[string]bool {
				head := from.log(false)
				if head.Pages == nil {
					return nil
				}
				return head.PageIDs()
			})
		}
	}
	s.encoder, s.w = har.NewEncoder(opts), har.NewWriter(w, opts)
	return s
}

// pageNote returns why an entry must not name a page, "" if it may.
func (s *harSink) pageNote(it *pipeline.Item, page string) string {
	if !it.IsFrom(s.first) {
		return "the page is left out, because it is not one of the first HAR"
	}
	if pages := s.pages(); pages != nil && !pages[page] {
		return "the name of the page is left out, because there is no such page"
	}
	return ""
}

// Warnings returns what was found out at the end, after Close: entries were written
// before the pages that they name.
func (s *harSink) Warnings() []string {
	switch n := s.w.MissingPages(); n {
	case 0:
		return nil
	case 1:
		return []string{"1 entry names a page that is not in the HAR"}
	default:
		return []string{fmt.Sprintf("%d entries name a page that is not in the HAR", n)}
	}
}

// zippedSink writes a HAR in zlib.
type zippedSink struct {
	*harSink
	z *zlib.Writer
}

func (s *zippedSink) Flush() error { return cmp.Or(s.harSink.Flush(), s.z.Flush()) }
func (s *zippedSink) Close() error { return cmp.Or(s.harSink.Close(), s.z.Close()) }

func (s *harSink) Encode(c *Chunk, it *pipeline.Item) error {
	entries, _ := c.Facts.(*[]*har.Entry)
	if entries == nil {
		entries = new([]*har.Entry)
		c.Facts = entries
	}
	// Chunk.Reset leaves the entries of flows that were written before.
	if len(*entries) == len(c.Ends) {
		*entries = append(*entries, new(har.Entry))
	}
	e := (*entries)[len(c.Ends)]
	if entry := it.Original("har"); entry != nil && !s.plain {
		leaveOut := func(page string) string { return s.pageNote(it, page) }
		if e.Copy(entry, leaveOut) == nil {
			for _, note := range e.Notes() {
				c.Notes = append(c.Notes, Note{it.Index, note})
			}
			c.end()
			return nil
		}
	}
	m, err := it.Newest()
	if err != nil {
		return err
	}
	switch err := s.encoder.EncodeState(e, m); {
	case errors.Is(err, har.ErrNotHTTP):
		f, err := it.Flow(false)
		if err != nil {
			return err
		}
		return &SkipError{"a HAR holds HTTP flows only, not " + strings.ToUpper(f.Type())}
	case err != nil:
		return it.Wrap(err)
	}
	for _, note := range e.Notes() {
		c.Notes = append(c.Notes, Note{it.Index, note})
	}
	c.end()
	return nil
}

func (s *harSink) Write(c *Chunk) error {
	for i := range c.Ends {
		e := (*c.Facts.(*[]*har.Entry))[i]
		if err := s.w.WriteEntry(e); err != nil {
			return err
		}
		e.Trim()
	}
	return nil
}

func (s *harSink) Flush() error { return s.w.Flush() }
func (s *harSink) Close() error { return s.w.Close() }
