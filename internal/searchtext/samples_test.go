package searchtext

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"strings"

	"github.com/andybalholm/brotli"
	kflate "github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
)

// compress writes data through a writer.
func compress(data []byte, newWriter func(w io.Writer) io.WriteCloser) []byte {
	var b bytes.Buffer
	w := newWriter(&b)
	if _, err := w.Write(data); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func must[W io.WriteCloser](w W, err error) io.WriteCloser {
	if err != nil {
		panic(err)
	}
	return w
}

func gzipped(data []byte) []byte {
	return compress(data, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
}

func zlibbed(data []byte) []byte {
	return compress(data, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) })
}

func deflated(data []byte, level int) []byte {
	return compress(data, func(w io.Writer) io.WriteCloser { return must(flate.NewWriter(w, level)) })
}

func brotlied(data []byte) []byte {
	return compress(data, func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) })
}

func zstded(data []byte, options ...zstd.EOption) []byte {
	return compress(data, func(w io.Writer) io.WriteCloser { return must(zstd.NewWriter(w, options...)) })
}

type compressed struct {
	encoding string
	raw      []byte
}

// sampleTexts are bodies of various kinds.
func sampleTexts(rnd *rand.Rand) [][]byte {
	var texts [][]byte
	words := strings.Fields("the quick brown fox jumps over the lazy dog {\"key\": 12, <div class=\"x\"> </div> \u00fc\u20ac")
	for _, size := range []int{0, 1, 2, 10, 100, 1000, 5000, 40000} {
		var b bytes.Buffer
		for b.Len() < size {
			b.WriteString(words[rnd.IntN(len(words))] + " ")
		}
		noise := make([]byte, size)
		for i := range noise {
			noise[i] = byte(rnd.Uint32())
		}
		few := make([]byte, size)
		for i := range few {
			few[i] = "ab"[min(1, rnd.IntN(10))]
		}
		skewed := make([]byte, size) // for long codes
		for i := range skewed {
			n := 0
			for n < 200 && rnd.IntN(3) > 0 {
				n++
			}
			skewed[i] = byte(n)
		}
		texts = append(texts, b.Bytes()[:size], noise, few, make([]byte, size), skewed)
	}
	return texts
}

// compressedBodies returns bodies in all codings, by several encoders and settings.
func compressedBodies(rnd *rand.Rand) []compressed {
	var bodies []compressed
	add := func(encoding string, raw []byte) { bodies = append(bodies, compressed{encoding, raw}) }
	for _, text := range sampleTexts(rnd) {
		add("gzip", gzipped(text))
		add("gzip", zlibbed(text))
		add("deflate", zlibbed(text))
		for _, level := range []int{flate.HuffmanOnly, flate.NoCompression, 1, 9} {
			raw := deflated(text, level)
			add("deflate", raw)
			gz := append([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"), raw...)
			gz = binary.LittleEndian.AppendUint32(gz, crc32.ChecksumIEEE(text))
			add("gzip", binary.LittleEndian.AppendUint32(gz, uint32(len(text))))
		}
		for _, level := range []int{-2, 1, 5, 9} {
			add("deflate", compress(text, func(w io.Writer) io.WriteCloser { return must(kflate.NewWriter(w, level)) }))
		}
		add("gzip", gzipWith(byte(rnd.IntN(2))*gzipHeaderCRC|byte(rnd.IntN(2))*gzipName, "name\x00", text))
		for _, level := range []int{0, 5, 11} {
			add("br", compress(text, func(w io.Writer) io.WriteCloser { return brotli.NewWriterLevel(w, level) }))
		}
		add("zstd", zstded(text, zstd.WithEncoderCRC(false)))
		add("zstd", zstded(text, zstd.WithEncoderLevel(zstd.SpeedBestCompression)))
		add("zstd", zstded(text, zstd.WithSingleSegment(true)))
	}
	return bodies
}

// mutated returns a changed copy.
func mutated(rnd *rand.Rand, b []byte) []byte {
	b = bytes.Clone(b)
	for range 1 + rnd.IntN(2) {
		if len(b) == 0 {
			return b
		}
		i := rnd.IntN(len(b))
		if rnd.IntN(2) == 0 {
			i = rnd.IntN(min(len(b), 40)) // headers and codes
		}
		switch rnd.IntN(6) {
		case 0, 1:
			b = b[:i]
		case 2:
			b[i] = byte(rnd.Uint32())
		case 3:
			b[i] ^= 1 << rnd.IntN(8)
		case 4:
			b = append(b, b[:i]...)
		case 5:
			b = append(b[:i], b[min(len(b), i+1+rnd.IntN(3)):]...)
		}
	}
	return b
}

func short(b []byte) string {
	if len(b) <= 64 {
		return b64(b)
	}
	return fmt.Sprintf("%d:%x", len(b), sha256.Sum256(b))
}
