package formats

import (
	"io"

	"github.com/flowtool/flowtool/display"
	"github.com/flowtool/flowtool/pipeline"
)

// tables are the formats that give each flow as a row.
var tables = []*Format{
	{Name: "csv", Doc: "columns of your choice (--fields) as CSV, RFC 4180", Exts: []string{".csv"}, Text: true, create: tableSink(display.CSV)},
	{Name: "tsv", Doc: "the same with tabs between them", Exts: []string{".tsv"}, Text: true, create: tableSink(display.TSV)},
}

// A rowSink writes a header, and a row for each flow.
type rowSink struct {
	w     io.Writer
	table *display.Table
	begun bool
}

func tableSink(format display.TableFormat) func(io.Writer, *SinkOptions) (Sink, error) {
	return func(w io.Writer, o *SinkOptions) (Sink, error) {
		columns := o.Columns
		if columns == nil {
			var err error
			if columns, err = display.ParseColumns(display.DefaultColumns); err != nil {
				return nil, err
			}
		}
		table := display.NewTable(columns, &display.TableOptions{Format: format, Formulas: o.Formulas})
		return &rowSink{w: w, table: table}, nil
	}
}

func (s *rowSink) Encode(c *Chunk, it *pipeline.Item) error {
	f, err := it.Flow(false)
	if err != nil {
		return err
	}
	start := len(c.Text)
	pos := display.Position{Index: c.Base + it.Index, Offset: it.Offset, Size: it.Size, Version: it.Version.String()}
	c.Text = s.table.AppendRow(c.Text, pos, f)
	if err := f.Damage(); err != nil {
		c.Text = c.Text[:start]
		return it.Wrap(err)
	}
	c.end()
	return nil
}

// begin writes the header.
func (s *rowSink) begin() error {
	if s.begun {
		return nil
	}
	s.begun = true
	_, err := s.w.Write(s.table.AppendHeader(nil))
	return err
}

func (s *rowSink) Write(c *Chunk) error {
	if err := s.begin(); err != nil {
		return err
	}
	_, err := s.w.Write(c.Text)
	return err
}

func (s *rowSink) Flush() error { return nil }
func (s *rowSink) Close() error { return s.begin() }
