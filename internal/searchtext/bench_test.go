package searchtext

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/flowtool/flowtool/internal/coding"
)

// benchmarkText is what bodies look like, more or less: source code.
func benchmarkText(b *testing.B, size int) []byte {
	var text []byte
	for _, name := range []string{"huffman.go", "inflate.go", "body_test.go", "tables.go", "idna.go", "dns.go", "../../flow/http.go"} {
		data, err := os.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		text = append(text, data...)
	}
	for len(text) < size {
		text = append(text, text...)
	}
	return text[:size]
}

func BenchmarkDecode(b *testing.B) {
	for _, size := range []int{1 << 10, 16 << 10, 100 << 10, 4 << 20} {
		text := benchmarkText(b, size)
		if size > 100<<10 { // without long repetitions
			rnd := rand.New(rand.NewPCG(19, 20))
			lines := bytes.SplitAfter(text, []byte("\n"))
			rnd.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
			text = bytes.Join(lines, nil)
		}
		for _, bb := range []compressed{
			{"gzip", gzipped(text)}, {"deflate", zlibbed(text)}, {"br", brotlied(text)}, {"zstd", zstded(text)},
		} {
			b.Run(fmt.Sprintf("%s/%dK", bb.encoding, size>>10), func(b *testing.B) {
				var d BodyDecoder
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := d.Decode([]byte(bb.encoding), bb.raw, noLimit); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		b.Run(fmt.Sprintf("klauspost gzip/%dK", size>>10), func(b *testing.B) {
			raw := gzipped(text)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := coding.Decode("gzip", raw, noLimit); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
