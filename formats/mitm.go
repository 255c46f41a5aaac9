package formats

import (
	"io"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/pipeline"
)

var mitm = &Format{
	Name:     "mitm",
	Doc:      "mitmproxy flow dump",
	Exts:     []string{".mitm", ".flow", ".flows", ".dump"},
	Versions: true,
	open:     openDump,
	create: func(w io.Writer, _ *SinkOptions) (Sink, error) {
		return &dumpSink{dumpfile.NewWriter(w)}, nil
	},
}

func openDump(o *opening) (pipeline.Source, error) {
	if p := o.dump.Parts(); p != nil {
		return p, nil
	}
	return o.dump, nil
}

// dumpSink writes a dump: records as they are.
type dumpSink struct{ w *dumpfile.Writer }

func (s *dumpSink) Encode(c *Chunk, it *pipeline.Item) error {
	c.Records = append(c.Records, it.Record)
	return nil
}

func (s *dumpSink) Write(c *Chunk) error { return s.w.WriteRecords(c.Records) }
func (s *dumpSink) Flush() error         { return s.w.Flush() }
func (s *dumpSink) Close() error         { return s.w.Close() }
