package har_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/flowtool/flowtool/har"
)

// BenchmarkFind finds the entries without reading them, which is the part of the
// import that only one goroutine can do.
func BenchmarkFind(b *testing.B) {
	for _, in := range importInputs(b) {
		b.Run(in.name, func(b *testing.B) {
			b.SetBytes(int64(len(in.data)))
			b.ReportAllocs()
			var batch har.Batch
			for b.Loop() {
				r := har.NewReader(bytes.NewReader(in.data), nil)
				for r.ReadBatch(&batch) == nil {
				}
			}
		})
	}
}

// BenchmarkImport makes records of the entries.
func BenchmarkImport(b *testing.B) {
	for _, in := range importInputs(b) {
		b.Run(in.name, func(b *testing.B) {
			b.SetBytes(int64(len(in.data)))
			b.ReportAllocs()
			var batch har.Batch
			var record []byte
			for b.Loop() {
				r := har.NewReader(bytes.NewReader(in.data), nil)
				for {
					err := r.ReadBatch(&batch)
					if err == io.EOF {
						break
					}
					if err != nil {
						b.Fatal(err)
					}
					for i := range batch.Entries {
						if record, err = batch.Entries[i].Record(record[:0]); err != nil {
							b.Fatal(err)
						}
					}
				}
			}
		})
	}
}

type importInput struct {
	name string
	data []byte
}

// importInputs are the flows of benchInputs as HAR, plain and with the private
// fields.
func importInputs(b *testing.B) (out []importInput) {
	b.Helper()
	for _, in := range benchInputs(b) {
		for _, plain := range []bool{true, false} {
			name := in.name + "/lossless"
			if plain {
				name = in.name + "/plain"
			}
			var data bytes.Buffer
			w := har.NewWriter(&data, &har.WriterOptions{Plain: plain})
			for data.Len() < 1<<20 {
				for _, record := range in.records {
					if err := w.WriteFlow(viewOf(b, record)); err != nil {
						b.Fatal(err)
					}
				}
			}
			if err := w.Close(); err != nil {
				b.Fatal(err)
			}
			out = append(out, importInput{name, data.Bytes()})
		}
	}
	return out
}
