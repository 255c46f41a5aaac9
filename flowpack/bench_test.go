package flowpack_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/flowtool/flowtool/flowpack"
	"github.com/flowtool/flowtool/internal/flowtest"
)

// benchRecords returns records of a dump of ordinary HTTP traffic.
func benchRecords(b *testing.B) (rs [][]byte, size int64) {
	b.Helper()
	rs = flowtest.Records(b, flowtest.Read(b, flowtest.Path("filter", "corpus-a.mitm")))
	for _, r := range rs {
		size += int64(len(r))
	}
	return rs, size
}

func BenchmarkAppendRecord(b *testing.B) {
	rs, size := benchRecords(b)
	b.SetBytes(size)
	b.ReportAllocs()
	var buf []byte
	for b.Loop() {
		for _, r := range rs {
			var err error
			if buf, err = flowpack.AppendRecord(buf[:0], r); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkDecodeRecord(b *testing.B) {
	rs, size := benchRecords(b)
	packed := make([][]byte, len(rs))
	for i, r := range rs {
		packed[i], _ = flowpack.AppendRecord(nil, r)
	}
	b.SetBytes(size)
	b.ReportAllocs()
	var buf []byte
	for b.Loop() {
		for _, p := range packed {
			var err error
			if buf, err = flowpack.DecodeRecord(buf[:0], p); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// large returns records of real traffic, over and over, of some 40 MB.
func large(b *testing.B) (rs [][]byte, size int64) {
	b.Helper()
	some := flowtest.Records(b, flowtest.Read(b, flowtest.Path("real", "http1-v21.mitm")))
	for size < 40<<20 {
		for _, r := range some {
			rs = append(rs, r)
			size += int64(len(r))
		}
	}
	return rs, size
}

func BenchmarkFactsOfRecord(b *testing.B) {
	rs, size := benchRecords(b)
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		for _, r := range rs {
			flowpack.FactsOfRecord(r)
		}
	}
}

func BenchmarkWriter(b *testing.B) {
	rs, size := large(b)
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		w := flowpack.NewWriter(io.Discard, nil)
		for _, r := range rs {
			if err := w.WriteRecord(r); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkZstd compresses the same dump as a whole, to compare with
// BenchmarkWriter.
func BenchmarkZstd(b *testing.B) {
	rs, size := large(b)
	b.SetBytes(size)
	for b.Loop() {
		w, err := zstd.NewWriter(io.Discard)
		if err != nil {
			b.Fatal(err)
		}
		for _, r := range rs {
			if _, err := w.Write(r); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReader(b *testing.B) {
	rs, size := large(b)
	data := pack(b, rs, nil)
	for name, opts := range map[string]*flowpack.ReaderOptions{"index": nil, "sequential": {Sequential: true}} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				r := flowpack.NewReader(bytes.NewReader(data), opts)
				for _, err := range r.Batches(2, nil) {
					if err != nil {
						b.Fatal(err)
					}
				}
				if err := r.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
