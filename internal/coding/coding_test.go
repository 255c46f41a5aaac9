package coding

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/andybalholm/brotli"
	kgzip "github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// newWriter returns an encoder for a coding. Where it can, it is the standard library's,
// so that the decoders are not tested against their own twins.
func newWriter(t testing.TB, encoding string, w io.Writer) io.WriteCloser {
	t.Helper()
	switch encoding {
	case "gzip":
		return gzip.NewWriter(w)
	case "zlib":
		return zlib.NewWriter(w)
	case "flate":
		fw, err := flate.NewWriter(w, flate.DefaultCompression)
		if err != nil {
			t.Fatal(err)
		}
		return fw
	case "br":
		return brotli.NewWriterLevel(w, 4)
	case "zstd":
		zw, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true))
		if err != nil {
			t.Fatal(err)
		}
		return zw
	}
	t.Fatalf("no encoder for %q", encoding)
	return nil
}

func encode(t testing.TB, encoding, s string) string {
	t.Helper()
	var buf bytes.Buffer
	w := newWriter(t, encoding, &buf)
	if _, err := io.WriteString(w, s); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

const skippable = "\x53\x2a\x4d\x18\x03\x00\x00\x00abc"

func TestDecode(t *testing.T) {
	hello := "hello, hello, hello, hello\n"
	large := strings.Repeat("0123456789abcdef\n", 40000) // beyond one zstd block
	gz, zl, fl := encode(t, "gzip", hello), encode(t, "zlib", hello), encode(t, "flate", hello)
	br, zs := encode(t, "br", hello), encode(t, "zstd", hello)

	tests := []struct {
		name, encoding, data, want string
	}{
		{"no coding", "", hello, hello},
		{"spaces only", " \t", hello, hello},
		{"commas only", " , ,", hello, hello},
		{"identity", "identity", hello, hello},
		{"none", "None", hello, hello},
		{"identity is not limited", "identity", strings.Repeat("x", 2<<20), strings.Repeat("x", 2<<20)},

		{"gzip", "gzip", gz, hello},
		{"upper case", "GZip", gz, hello},
		{"x-gzip", "x-gzip", gz, hello},
		{"trimmed", " gzip\t", gz, hello},
		{"gzip of nothing", "gzip", encode(t, "gzip", ""), ""},
		{"gzip large", "gzip", encode(t, "gzip", large), large},
		{"gzip two members", "gzip", gz + encode(t, "gzip", "more"), hello + "more"},
		{"gzip empty member between", "gzip", gz + encode(t, "gzip", "") + gz, hello + hello},
		{"gzip trailing garbage", "gzip", gz + "garbage", hello},
		{"gzip trailing zeros", "gzip", gz + strings.Repeat("\x00", 512), hello},
		{"gzip two members and garbage", "gzip", gz + gz + "\x1fgarbage", hello + hello},
		{"gzip with zlib data", "gzip", zl, hello},

		{"deflate zlib", "deflate", zl, hello},
		{"deflate raw", "deflate", fl, hello},
		{"deflateraw", "deflateraw", fl, hello},
		{"deflate zlib garbage", "deflate", zl + "garbage", hello},
		{"deflate raw garbage", "deflate", fl + "garbage", hello},
		{"deflate zlib large", "deflate", encode(t, "zlib", large), large},
		{"deflate raw large", "deflate", encode(t, "flate", large), large},
		{"deflate raw like zlib", "deflate", "\x78\x01\x00\xfe\xff!\x01\x00\x00\xff\xff", "!"},

		{"br", "br", br, hello},
		{"br of nothing", "br", encode(t, "br", ""), ""},
		{"br large", "br", encode(t, "br", large), large},

		{"zstd", "zstd", zs, hello},
		{"zstd large", "zstd", encode(t, "zstd", large), large},
		{"zstd two frames", "zstd", zs + encode(t, "zstd", "more"), hello + "more"},
		{"zstd skippable first", "zstd", skippable + zs, hello},
		{"zstd skippable between and last", "zstd", zs + skippable + zs + skippable, hello + hello},
		{"zstd skippable only", "zstd", skippable, ""},

		{"two codings", "deflate, gzip", encode(t, "gzip", zl), hello},
		{"three codings", "br,identity , zstd,gzip", encode(t, "gzip", encode(t, "zstd", br)), hello},
		{"twice the same", "gzip, gzip", encode(t, "gzip", gz), hello},
		{"nothing inside", "br, gzip", encode(t, "gzip", ""), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := []byte(tt.data)
			got, err := Decode(tt.encoding, in, 1<<20)
			if err != nil || string(got) != tt.want {
				t.Errorf("Decode(%q) = %.60q, %v; want %.60q", tt.encoding, got, err, tt.want)
			}
			if got == nil {
				t.Error("Decode returned nil, which means a missing body")
			}
			for _, size := range []int{5, 100, 1 << 20} {
				buf := bytes.Repeat([]byte("x"), size)
				if got, err := DecodeInto(buf, tt.encoding, in, 1<<20); err != nil || string(got) != tt.want {
					t.Errorf("DecodeInto(%d bytes, %q) = %.60q, %v; want %.60q", size, tt.encoding, got, err, tt.want)
				}
			}
			if string(in) != tt.data {
				t.Error("Decode changed its input")
			}
		})
	}
}

func TestDecodeEmpty(t *testing.T) {
	for _, encoding := range []string{"", "identity", "gzip", "x-gzip", "deflate", "br", "zstd", "br, gzip"} {
		if got, err := Decode(encoding, []byte{}, 0); err != nil || got == nil || len(got) != 0 {
			t.Errorf("Decode(%q, empty) = %#v, %v", encoding, got, err)
		}
		if got, err := Decode(encoding, nil, 0); err != nil || got != nil {
			t.Errorf("Decode(%q, nil) = %#v, %v", encoding, got, err)
		}
	}
}

func TestDecodeUnknown(t *testing.T) {
	for _, tt := range []struct{ encoding, name string }{
		{"compress", "compress"},
		{" SDCH ", "sdch"},
		{"gzip, aws-chunked", "aws-chunked"},
		{"aws-chunked, gzip", "aws-chunked"},
		{"gzip;q=1", "gzip;q=1"},
		{"utf-8", "utf-8"},
		{"base64", "base64"},
	} {
		for _, data := range []string{"", encode(t, "gzip", "hello")} {
			got, err := Decode(tt.encoding, []byte(data), 0)
			unknown, ok := errors.AsType[*UnknownError](err)
			if !ok || unknown.Name != tt.name || got != nil {
				t.Errorf("Decode(%q) = %q, %v", tt.encoding, got, err)
			}
		}
	}
	_, err := Decode("gzip"+strings.Repeat(",gzip", maxCodings), []byte("x"), 0)
	if err == nil || !strings.Contains(err.Error(), "more than 8") {
		t.Errorf("too many codings: %v", err)
	}
	_, err = Decode("\x1b[31m"+strings.Repeat("x", 1000), nil, 0)
	if err == nil || len(err.Error()) > 120 || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("error text is unsafe or long: %v", err)
	}
}

func TestDecodeCorrupt(t *testing.T) {
	gz, zl := encode(t, "gzip", "hello, hello"), encode(t, "zlib", "hello, hello")
	br, zs := encode(t, "br", "hello, hello"), encode(t, "zstd", "hello, hello")
	flip := func(s string, fromEnd int) string {
		b := []byte(s)
		b[len(b)-fromEnd] ^= 0x10
		return string(b)
	}
	for _, tt := range []struct{ name, encoding, data string }{
		{"gzip text", "gzip", "<html></html>"},
		{"gzip short text", "gzip", "hi"},
		{"gzip crc", "gzip", flip(gz, 5)},
		{"gzip length", "gzip", flip(gz, 4)},
		{"gzip raw deflate", "gzip", encode(t, "flate", "hello, hello")},
		{"gzip zlib checksum", "gzip", flip(zl, 1)},
		{"gzip reserved flag", "gzip", gz[:3] + "\xe0" + gz[4:]},
		{"gzip second member", "gzip", gz + flip(gz, 5)},
		{"x-gzip text", "x-gzip", "<html></html>"},
		{"deflate checksum", "deflate", flip(zl, 1)},
		{"deflate dictionary", "deflate", "\x78\xbb\x00\x00\x00\x00" + zl[2:]},
		{"deflate gzip data", "deflate", gz},
		{"br text", "br", "<html></html>"},
		{"br trailing", "br", br + "garbage"},
		{"br trailing far", "br", br + strings.Repeat("x", 40<<10)},
		{"zstd text", "zstd", "<html></html>"},
		{"zstd trailing", "zstd", zs + "garbage"},
		{"zstd checksum", "zstd", flip(zs, 1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Decode(tt.encoding, []byte(tt.data), 0)
			failed, ok := errors.AsType[*DecodeError](err)
			if !ok || got != nil {
				t.Fatalf("Decode = %q, %v", got, err)
			}
			if failed.Encoding != tt.encoding || errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("err = %#v", failed)
			}
			if s := err.Error(); !strings.HasPrefix(s, "coding: "+tt.encoding+": ") || strings.Count(s, ": ") != 2 {
				t.Errorf("err = %q", s)
			}
		})
	}
}

// Every proper prefix of a stream gives a prefix of the content and says that it is cut.
func TestDecodeTruncated(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var sb strings.Builder
	for range 3000 {
		fmt.Fprintf(&sb, "%d ", rng.IntN(1000))
	}
	plain := sb.String()
	for _, tt := range []struct{ name, encoding, data string }{
		{"gzip", "gzip", encode(t, "gzip", plain)},
		{"zlib", "deflate", encode(t, "zlib", plain)},
		{"flate", "deflate", encode(t, "flate", plain)},
		{"br", "br", encode(t, "br", plain)},
		{"zstd", "zstd", encode(t, "zstd", plain)},
		{"two codings", "deflate, gzip", encode(t, "gzip", encode(t, "zlib", plain))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var most int
			for n := 1; n < len(tt.data); n += 1 + n/100 {
				got, err := Decode(tt.encoding, []byte(tt.data[:n]), 0)
				if !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatalf("%d of %d bytes: %v", n, len(tt.data), err)
				}
				if !strings.HasPrefix(plain, string(got)) {
					t.Fatalf("%d of %d bytes: %.60q is not a prefix", n, len(tt.data), got)
				}
				most = max(most, len(got))
			}
			// zstd hands out whole blocks and these data are a single one.
			if tt.name != "zstd" && most < len(plain)*9/10 {
				t.Errorf("at most %d of %d bytes came back", most, len(plain))
			}
		})
	}

	t.Run("zstd keeps whole blocks", func(t *testing.T) {
		long := strings.Repeat(plain, 40)
		data := encode(t, "zstd", long)
		got, err := Decode("zstd", []byte(data[:len(data)-1]), 0)
		if !errors.Is(err, io.ErrUnexpectedEOF) || len(got) < 128<<10 || !strings.HasPrefix(long, string(got)) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	})
	t.Run("gzip second member", func(t *testing.T) {
		a, b := encode(t, "gzip", "first"), encode(t, "gzip", "second")
		for n := 1; n < len(b); n++ {
			got, err := Decode("gzip", []byte(a+b[:n]), 0)
			if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.HasPrefix(string(got), "first") {
				t.Errorf("%d bytes: %q, %v", n, got, err)
			}
		}
	})
	t.Run("zstd skippable frame", func(t *testing.T) {
		for n := 1; n < len(skippable); n++ {
			got, err := Decode("zstd", []byte(encode(t, "zstd", "first")+skippable[:n]), 0)
			if !errors.Is(err, io.ErrUnexpectedEOF) || string(got) != "first" {
				t.Errorf("%d bytes: %q, %v", n, got, err)
			}
		}
	})
	_, err := Decode("gzip", []byte("\x1f"), 0)
	if got, want := err.Error(), "coding: gzip: data end too early"; got != want {
		t.Errorf("err = %q, want %q", got, want)
	}
}

func TestDecodeLimit(t *testing.T) {
	plain := strings.Repeat("0123456789", 1000)
	for _, tt := range []struct{ encoding, data string }{
		{"gzip", encode(t, "gzip", plain)},
		{"gzip", encode(t, "gzip", plain[:9999]) + encode(t, "gzip", "9")},
		{"deflate", encode(t, "zlib", plain)},
		{"deflate", encode(t, "flate", plain)},
		{"br", encode(t, "br", plain)},
		{"zstd", encode(t, "zstd", plain)},
		{"zstd", encode(t, "zstd", plain[:9999]) + encode(t, "zstd", "9")},
	} {
		for _, limit := range []int64{1, 2, 511, 512, 513, 9998, 9999} {
			got, err := DecodeInto(make([]byte, 600), tt.encoding, []byte(tt.data), limit)
			tooLarge, ok := errors.AsType[*LimitError](err)
			if !ok || string(got) != plain[:limit] {
				t.Fatalf("%s, limit %d: %d bytes, %v", tt.encoding, limit, len(got), err)
			}
			if *tooLarge != (LimitError{tt.encoding, limit}) || !strings.Contains(err.Error(), fmt.Sprint(limit)) {
				t.Errorf("%s, limit %d: %v", tt.encoding, limit, err)
			}
		}
		for _, limit := range []int64{10000, 10001, 1 << 20, 0, -1, 1<<63 - 1} {
			got, err := Decode(tt.encoding, []byte(tt.data), limit)
			if err != nil || string(got) != plain {
				t.Fatalf("%s, limit %d: %d bytes, %v", tt.encoding, limit, len(got), err)
			}
		}
	}
}

// A frame that asks for a huge window is refused before the window is allocated.
func TestDecodeZstdWindow(t *testing.T) {
	for _, tt := range []struct {
		name, header string
		limit        int64
		want         string
	}{
		{"2 GiB window", "\x28\xb5\x2f\xfd\x00\xa8", 0,
			"coding: zstd: frame needs a window of more than 16777216 bytes"},
		{"16 MiB window", "\x28\xb5\x2f\xfd\x00\x70", 1000,
			"coding: zstd: frame needs a window of more than 8388608 bytes"},
		{"2 GiB window, no real limit", "\x28\xb5\x2f\xfd\x00\xa8", 1<<63 - 1,
			"coding: zstd: frame needs a window of more than 536870912 bytes"},
		{"1 GiB single segment", "\x28\xb5\x2f\xfd\xa0\x00\x00\x00\x40", 0,
			"coding: zstd: output exceeds the limit of 16777216 bytes"},
	} {
		data := []byte(tt.header + "\x0b\x00\x00x") // one RLE block
		allocated := totalAlloc(func() {
			got, err := Decode("zstd", data, tt.limit)
			if err == nil || err.Error() != tt.want || len(got) > 0 {
				t.Errorf("%s: %q, %v", tt.name, got, err)
			}
		})
		if allocated > 4<<20 {
			t.Errorf("%s: %d bytes allocated", tt.name, allocated)
		}
	}
	// An 8 MiB window is always fine.
	got, err := Decode("zstd", []byte("\x28\xb5\x2f\xfd\x00\x68\x0b\x00\x00x"), 10)
	if err != nil || string(got) != "x" {
		t.Errorf("8 MiB window: %q, %v", got, err)
	}
}

func totalAlloc(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// bomb returns size zero bytes in the given coding.
func bomb(t testing.TB, encoding string, size int) []byte {
	t.Helper()
	var buf bytes.Buffer
	var w io.WriteCloser
	if encoding == "gzip" { // the standard library's takes seconds
		fast, err := kgzip.NewWriterLevel(&buf, kgzip.BestSpeed)
		if err != nil {
			t.Fatal(err)
		}
		w = fast
	} else {
		w = newWriter(t, encoding, &buf)
	}
	zeros := make([]byte, 1<<20)
	for ; size > 0; size -= len(zeros) {
		if _, err := w.Write(zeros[:min(size, len(zeros))]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestDecodeBomb(t *testing.T) {
	size := 1 << 30
	if testing.Short() {
		size = DefaultLimit + 1<<20
	}
	gz := bomb(t, "gzip", size)
	for _, tt := range []struct {
		name, encoding string
		data           []byte
	}{
		{"gzip", "gzip", gz},
		{"zlib", "deflate", bomb(t, "zlib", DefaultLimit+1<<20)},
		{"flate", "deflate", bomb(t, "flate", DefaultLimit+1<<20)},
		{"br", "br", bomb(t, "br", size)},
		{"zstd", "zstd", bomb(t, "zstd", size)},
		{"gzip in gzip", "gzip, gzip", []byte(encode(t, "gzip", string(gz)))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, limit := range []int64{1 << 20, DefaultLimit} {
				allocated := totalAlloc(func() {
					got, err := Decode(tt.encoding, tt.data, limit)
					tooLarge, ok := errors.AsType[*LimitError](err)
					if !ok || tooLarge.Limit != limit || int64(len(got)) != limit {
						t.Errorf("limit %d: %d bytes, %v", limit, len(got), err)
					}
				})
				// The output grows by doubling, which costs at most three times the
				// limit in all; brotli and zstd add their window.
				if bound := 3*uint64(limit) + 20<<20; allocated > bound {
					t.Errorf("limit %d: %d bytes allocated, want at most %d", limit, allocated, bound)
				}
			}
		})
	}
}

// The decoders come from pools and must carry nothing over from one body to the next.
func TestDecodeConcurrent(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 4 {
		plain := strings.Repeat(fmt.Sprintf("body %d, ", i), 2000)
		inputs := map[string]string{
			"gzip":    encode(t, "gzip", plain),
			"deflate": encode(t, "zlib", plain),
			"br":      encode(t, "br", plain),
			"zstd":    encode(t, "zstd", plain),
		}
		wg.Go(func() {
			for range 20 {
				for encoding, data := range inputs {
					if got, err := Decode(encoding, []byte(data), 0); err != nil || string(got) != plain {
						t.Errorf("%s: %.20q, %v", encoding, got, err)
					}
					if _, err := Decode(encoding, []byte(data[:len(data)/2]), 0); err == nil {
						t.Errorf("%s: no error for half the data", encoding)
					}
					if _, err := Decode(encoding, []byte(data), 100); err == nil {
						t.Errorf("%s: no error beyond the limit", encoding)
					}
					if _, err := Decode(encoding, []byte(data[len(data)/2:]), 0); err == nil && encoding != "deflate" {
						t.Errorf("%s: no error for the second half", encoding)
					}
				}
			}
		})
	}
	wg.Wait()
}

func FuzzDecode(f *testing.F) {
	for _, encoding := range []string{"gzip", "zlib", "flate", "br", "zstd"} {
		f.Add([]byte(encode(f, encoding, "hello, hello, hello")), int64(10))
		f.Add([]byte(encode(f, encoding, strings.Repeat("a", 3000))), int64(2000))
	}
	f.Add([]byte(skippable), int64(1))
	f.Fuzz(func(t *testing.T, data []byte, limit int64) {
		limit = 1 + limit&0xffff
		for _, encoding := range []string{"gzip", "deflate", "br", "zstd", "gzip, br"} {
			got, err := Decode(encoding, data, limit)
			if len(data) > 0 && int64(len(got)) > limit {
				t.Fatalf("%s: %d bytes, limit %d", encoding, len(got), limit)
			}
			if err == nil {
				// A tighter limit cuts the output, and a wider one changes nothing.
				if more, err := Decode(encoding, data, 2*limit); err != nil || !bytes.Equal(more, got) {
					t.Fatalf("%s: limit %d gives %q, limit %d gives %q, %v", encoding, limit, got, 2*limit, more, err)
				}
			}
		}
		for encoding, writer := range map[string]string{
			"gzip": "gzip", "deflate": "zlib", "deflateraw": "flate", "br": "br", "zstd": "zstd",
		} {
			got, err := Decode(encoding, []byte(encode(t, writer, string(data))), int64(len(data)))
			if err != nil || !bytes.Equal(got, data) {
				t.Fatalf("%s: decode of encode is %q, %v; want %q", encoding, got, err, data)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	var sb strings.Builder
	for sb.Len() < 64<<10 {
		fmt.Fprintf(&sb, `{"id": %d, "name": "item"},`, rng.IntN(1e6))
	}
	for _, size := range []int{200, 64 << 10} {
		plain := sb.String()[:size]
		for _, encoding := range []string{"gzip", "deflate", "br", "zstd"} {
			writer := encoding
			if encoding == "deflate" {
				writer = "zlib"
			}
			data := []byte(encode(b, writer, plain))
			b.Run(fmt.Sprintf("%s/%d", encoding, size), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(size))
				for b.Loop() {
					if _, err := Decode(encoding, data, 0); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
