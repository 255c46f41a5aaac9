package formats

import (
	"io"

	"github.com/flowtool/flowtool/pipeline"
	"github.com/flowtool/flowtool/shell"
)

// commands are the formats that give each flow as a command or as its messages.
var commands = []*Format{
	{Name: "curl", Doc: "a curl command for each request", Text: true, create: shellSink(shell.Curl)},
	{Name: "httpie", Doc: "an HTTPie command for each request", Text: true, create: shellSink(shell.HTTPie)},
	{Name: "raw", Doc: "request and response of each flow as HTTP/1 messages", create: shellSink(shell.Raw)},
	{Name: "raw-request", Doc: "the requests alone", create: shellSink(shell.RawRequest)},
	{Name: "raw-response", Doc: "the responses alone", create: shellSink(shell.RawResponse)},
}

// shellSink returns what creates sinks for a format of package shell. Commands are
// lines of their own, messages follow each other.
func shellSink(format shell.Format) func(io.Writer, *SinkOptions) (Sink, error) {
	return func(w io.Writer, o *SinkOptions) (Sink, error) {
		opts := &shell.Options{Decode: o.Decode, PreserveIP: o.PreserveIP, MaxBody: o.MaxBody}
		return &textSink{w, func(dst []byte, it *pipeline.Item) ([]byte, error) {
			f, err := it.Flow(false)
			if err != nil {
				return nil, err
			}
			dst, err = shell.Append(dst, format, f, opts)
			if err != nil {
				if damage := f.Damage(); damage != nil {
					return nil, damage
				}
				return nil, &SkipError{err.Error()}
			}
			if format.IsCommand() {
				dst = append(dst, '\n')
			}
			return dst, nil
		}}, nil
	}
}
