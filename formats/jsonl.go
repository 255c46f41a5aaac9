package formats

import (
	"errors"
	"io"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/jsonl"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/pipeline"
)

var jsonLines = &Format{
	Name:     "jsonl",
	Doc:      "JSON Lines, a flow a line",
	Exts:     []string{".jsonl", ".ndjson"},
	Versions: true,
	Text:     true,
	open:     openLines,
	create: func(w io.Writer, _ *SinkOptions) (Sink, error) {
		return &textSink{w, appendLine}, nil
	},
}

// appendLine appends the line of a flow, the very line if it comes from one.
func appendLine(dst []byte, it *pipeline.Item) ([]byte, error) {
	if line := it.Original("jsonl"); line != nil {
		return append(append(dst, line...), '\n'), nil
	}
	record, err := it.Bytes()
	if err != nil {
		return nil, err
	}
	return jsonl.AppendRecord(dst, record)
}

// lines is a source of flows in JSON Lines.
type lines struct {
	r      *jsonl.Reader
	origin *dumpfile.Origin
	stream *migrate.Stream
	name   string
}

// lineBatch is what a batch of lines consists of.
type lineBatch struct {
	jsonl.Batch
	records []byte
	ends    []int
}

func openLines(o *opening) (pipeline.Source, error) {
	r := jsonl.NewReader(o.content, &jsonl.ReaderOptions{
		Name:        o.opts.Name,
		MaxLine:     int(min(o.opts.MaxRecord, jsonl.DefaultMaxLine)),
		MaxDepth:    o.opts.MaxDepth,
		MaxElements: o.opts.MaxElements,
	})
	return &lines{r, o.origin("line"), migrate.NewStream(nil), o.opts.Name}, nil
}

func (s *lines) Stream() *migrate.Stream { return s.stream }

func (s *lines) ReadBatch(b *dumpfile.Batch) error {
	lb, _ := b.Source.(*lineBatch)
	if lb == nil {
		lb = new(lineBatch)
		b.Source = lb
	}
	err := s.r.ReadBatch(&lb.Batch)
	for i := range lb.Lines {
		b.Weight += 3 * int64(len(lb.Lines[i].Data)) // the line, its values, the record
	}
	return err
}

func (s *lines) DecodeBatch(b *dumpfile.Batch) error {
	lb := b.Source.(*lineBatch)
	lb.records, lb.ends = lb.records[:0], lb.ends[:0]
	if cap(lb.records) > keepText {
		lb.records = nil
	}
	var err error
	for i := range lb.Lines {
		if lb.records, err = lb.Lines[i].Record(lb.records); err != nil {
			break
		}
		lb.ends = append(lb.ends, len(lb.records))
	}
	begin := 0
	for i, end := range lb.ends {
		l := &lb.Lines[i]
		b.Append(s.origin, lb.records[begin:end:end], dumpfile.Part{
			Number: l.Number, Offset: l.Offset, Size: int64(len(l.Data)), Data: l.Data,
		})
		begin = end
	}
	if len(lb.Lines) > 0 && lb.Lines[0].Number == 1 {
		if why := notFlow(b, err); why != nil {
			b.Records = b.Records[:0]
			format := &dumpfile.FormatError{Name: s.name, Format: dumpfile.FormatUnknown}
			if c := lb.Lines[0].Data[0]; c == '{' || c == '[' {
				format.Format, format.Seems = dumpfile.FormatJSON, "JSON, but no flow: "+why.Error()
			}
			return format
		}
	}
	return err
}

// notFlow returns an error if the first line of a batch, of which decoding came to
// err, is not a flow.
func notFlow(b *dumpfile.Batch, err error) error {
	if len(b.Records) > 0 {
		m, stateErr := b.Records[0].State()
		if err = stateErr; err == nil {
			_, err = migrate.VersionOf(m)
		}
		if e, ok := errors.AsType[*migrate.VersionError](err); ok && e.Have != (migrate.Version{}) {
			return nil // only not one that we read
		}
	}
	if e, ok := errors.AsType[*jsonl.Error](err); ok {
		return e.Err
	}
	return err
}
