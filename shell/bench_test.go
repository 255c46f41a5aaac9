package shell_test

import (
	"strings"
	"testing"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/shell"
)

// BenchmarkAppend counts the bytes of the bodies for the two long requests, and of
// the output for the flows of all dumps.
func BenchmarkAppend(b *testing.B) {
	text := request(posted(strings.Repeat("0123456789abcde ", 4000), "Content-Type", "text/plain"))
	binary := request(posted(strings.Repeat("\x00\x01binary\xff\n", 100000)))
	opts := &shell.Options{}
	for _, format := range shell.Formats() {
		if format == shell.RawResponse {
			continue
		}
		for name, f := range map[string]*flow.HTTP{"text": text, "binary": binary} {
			b.Run(string(format)+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(f.Request().Body.Len())
				var buf []byte
				for b.Loop() {
					var err error
					if buf, err = shell.Append(buf[:0], format, f, opts); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		flows := httpFlows(b)
		b.Run(string(format)+"/dumps", func(b *testing.B) {
			b.ReportAllocs()
			var buf []byte
			for b.Loop() {
				buf = buf[:0]
				for _, f := range flows {
					buf, _ = shell.Append(buf, format, f, opts) // some cannot be
				}
			}
			b.SetBytes(int64(len(buf)))
		})
	}
}
