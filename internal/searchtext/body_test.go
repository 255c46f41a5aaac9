package searchtext

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/flowtool/flowtool/internal/coding"
	"github.com/flowtool/flowtool/internal/flowtest"
)

const noLimit = 1 << 30

// gzipWith returns a gzip stream with a header of its own.
func gzipWith(flags byte, fields string, data []byte) []byte {
	b := append([]byte{0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255}, fields...)
	if flags&gzipHeaderCRC != 0 {
		b = binary.LittleEndian.AppendUint16(b, uint16(crc32.ChecksumIEEE(b)))
	}
	b = append(b, deflated(data, 6)...)
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(data))
	return binary.LittleEndian.AppendUint32(b, uint32(len(data)))
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func TestDecode(t *testing.T) {
	text := []byte(strings.Repeat("Hello, world! ", 100))
	gz, zl, raw, br, zs := gzipped(text), zlibbed(text), deflated(text, 6), brotlied(text), zstded(text)
	sum := zstded(text, zstd.WithEncoderCRC(true))
	skip := []byte("\x50\x2a\x4d\x18\x03\x00\x00\x00abc")
	flip := func(b []byte, i int) []byte {
		b = bytes.Clone(b)
		b[(i+len(b))%len(b)] ^= 1
		return b
	}
	const plain = "as it is"
	var d BodyDecoder
	for _, tt := range []struct {
		name, encoding string
		raw            []byte
		want           string // plain for raw
	}{
		{"identity", "identity", gz, plain},
		{"none", "none", gz, plain},
		{"no encoding", "", gz, plain},
		{"unknown encoding", "x-gzip", gz, plain},
		{"two encodings", "gzip, gzip", gz, plain},
		{"space", "gzip ", gz, plain},
		{"long name", "deflateraww", raw, plain},
		{"upper case", "GZip", gz, string(text)},

		{"gzip", "gzip", gz, string(text)},
		{"gzip, empty", "gzip", nil, plain},
		{"gzip, zlib data", "gzip", zl, string(text)},
		{"gzip, raw data", "gzip", raw, plain},
		{"gzip, two members", "gzip", join(gz, gz), string(text)},
		{"gzip, trailing bytes", "gzip", join(gz, []byte("x")), string(text)},
		{"gzip, no size", "gzip", gz[:len(gz)-4], string(text)},
		{"gzip, part of a checksum", "gzip", gz[:len(gz)-5], string(text)},
		{"gzip, no checksum", "gzip", gz[:len(gz)-8], string(text)},
		{"gzip, first byte", "gzip", gz[:1], ""},
		{"gzip, one byte", "gzip", []byte("x"), ""},
		{"gzip, two bytes", "gzip", []byte("xx"), plain},
		{"gzip, three bytes", "gzip", []byte("\x1f\x8bx"), ""},
		{"gzip, other method", "gzip", []byte("\x1f\x8bxx"), plain},
		{"gzip, reserved flag", "gzip", gzipWith(0x20, "", text), plain},
		{"gzip, text flag", "gzip", gzipWith(1, "", text), string(text)},
		{"gzip, header", "gzip", gz[:10], ""},
		{"gzip, part of the header", "gzip", gz[:9], ""},
		{"gzip, wrong checksum", "gzip", flip(gz, -5), plain},
		{"gzip, wrong checksum and no size", "gzip", flip(gz[:len(gz)-4], -1), plain},
		{"gzip, wrong size", "gzip", flip(gz, -1), plain},
		{"gzip, extra", "gzip", gzipWith(gzipExtra, "\x03\x00abc", text), string(text)},
		{"gzip, name", "gzip", gzipWith(gzipName, "name\x00", text), string(text)},
		{"gzip, comment", "gzip", gzipWith(gzipComment, "\x00", text), string(text)},
		{"gzip, all", "gzip", gzipWith(gzipExtra|gzipName|gzipComment|gzipHeaderCRC, "\x01\x00xname\x00comment\x00", text), string(text)},
		{"gzip, wrong header checksum", "gzip", flip(gzipWith(gzipHeaderCRC, "", text), 10), plain},
		{"gzip, name without end", "gzip", gzipWith(gzipName, "name\x00", text)[:14], ""},
		{"gzip, extra without end", "gzip", gzipWith(gzipExtra, "\x03\x00abc", text)[:14], ""},
		{"gzip, extra without size", "gzip", gzipWith(gzipExtra, "\x03\x00abc", text)[:11], ""},
		{"gzip, part of a header checksum", "gzip", gzipWith(gzipHeaderCRC, "", text)[:11], ""},
		{"gzip, zlib data, no checksum", "gzip", zl[:len(zl)-3], string(text)},
		{"gzip, zlib data, wrong checksum", "gzip", flip(zl, -1), plain},
		{"gzip, zlib data, dictionary", "gzip", []byte("\x78\xbb\x00\x00\x00\x00x"), plain},
		{"gzip, zlib data, part of a dictionary", "gzip", []byte("\x78\xbb\x00\x00\x00"), ""},
		{"gzip, zlib data, large window", "gzip", []byte("\x88\x1c\x03\x00\x00\x00\x00\x01"), plain},
		{"gzip, zlib data, small window", "gzip", []byte("\x08\x1d\x03\x00\x00\x00\x00\x01"), ""},
		{"gzip, block type 3", "gzip", gzipWithStream("\x07"), plain},
		{"gzip, stored", "gzip", gzipWithStream("\x01\x03\x00\xfc\xffabc"), "abc"},
		{"gzip, stored, cut", "gzip", gzipWithStream("\x01\x05\x00\xfa\xffabc"), "abc"},
		{"gzip, stored, wrong size", "gzip", gzipWithStream("\x01\x05\x00\xfb\xffabc"), plain},
		{"gzip, stored, part of a size", "gzip", gzipWithStream("\x01\x05\x00\xfb"), ""},

		{"deflate", "deflate", zl, string(text)},
		{"deflate, trailing bytes", "deflate", join(zl, []byte("x")), string(text)},
		{"deflate, cut", "deflate", zl[:len(zl)-1], plain},
		{"deflate, raw data", "deflate", raw, string(text)},
		{"deflate, raw data, trailing bytes", "deflate", join(raw, []byte("x")), string(text)},
		{"deflate, raw data, cut", "deflate", raw[:len(raw)-1], plain},
		{"deflate, wrong checksum", "deflate", flip(zl, -1), plain},
		{"deflate, gzip data", "deflate", gz, plain},
		{"deflateraw", "deflateraw", raw, string(text)},
		{"deflateraw, zlib data", "DeflateRaw", zl, string(text)},
		{"deflate, empty", "deflate", nil, plain},

		{"br", "br", br, string(text)},
		{"br, cut", "br", br[:len(br)-1], plain},
		{"br, trailing bytes", "br", join(br, []byte("x")), plain},
		{"br, two", "br", join(br, br), plain},
		{"br, nothing", "br", []byte("\x06"), ""},

		{"zstd", "zstd", zs, string(text)},
		{"zstd, two", "zstd", join(zs, sum), string(text) + string(text)},
		{"zstd, cut", "zstd", zs[:len(zs)-1], plain},
		{"zstd, trailing byte", "zstd", join(zs, []byte("x")), plain},
		{"zstd, part of a magic", "zstd", join(zs, zs[:3]), plain},
		{"zstd, part of a frame", "zstd", join(zs, zs[:10]), plain},
		{"zstd, checksum cut", "zstd", sum[:len(sum)-1], plain},
		{"zstd, wrong checksum", "zstd", flip(sum, -1), plain},
		{"zstd, skippable", "zstd", join(skip, zs, skip), string(text)},
		{"zstd, skippable only", "zstd", skip, ""},
		{"zstd, skippable cut", "zstd", join(zs, skip[:len(skip)-1]), plain},
		{"zstd, garbage", "zstd", []byte("garbage"), plain},
		{"zstd, dictionary", "zstd", []byte("\x28\xb5\x2f\xfd\x21\x01\x03\x19\x00\x00abc"), plain},
	} {
		got, err := d.Decode([]byte(tt.encoding), tt.raw, noLimit)
		want := tt.want
		if want == plain {
			want = string(tt.raw)
			if len(got) > 0 && &got[0] != &tt.raw[0] {
				t.Errorf("%s: the raw body was copied", tt.name)
			}
		}
		if err != nil || string(got) != want {
			t.Errorf("%s: %.50q, %v; want %.50q", tt.name, got, err, want)
		}
		var fresh BodyDecoder
		if got, err := fresh.Decode([]byte(tt.encoding), tt.raw, noLimit); err != nil || string(got) != want || got == nil && tt.raw != nil {
			t.Errorf("%s: %.50q, %v without history; want %.50q", tt.name, got, err, want)
		}
	}
}

// gzipWithStream returns a gzip header with a stream and a trailer that suits "abc".
func gzipWithStream(stream string) []byte {
	b := append([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"), stream...)
	if !strings.HasSuffix(stream, "\x03\x00\xfc\xffabc") {
		return b
	}
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE([]byte("abc")))
	return binary.LittleEndian.AppendUint32(b, 3)
}

func TestDecodeLimit(t *testing.T) {
	text := bytes.Repeat([]byte("0123456789abcdef"), 1<<12)
	rnd := rand.New(rand.NewPCG(11, 12))
	noise := make([]byte, 1<<16)
	for i := range noise {
		noise[i] = byte(rnd.Uint32())
	}
	for _, data := range [][]byte{text, noise, make([]byte, 1<<16), text[:1], text[:1500]} {
		for encoding, raw := range map[string][]byte{
			"gzip": gzipped(data), "deflate": deflated(data, 9), "deflateraw": zlibbed(data), "br": brotlied(data), "zstd": zstded(data),
			"GZIP": gzipWithStream(string(deflated(data, flate.NoCompression))),
			"ZSTD": zstded(data, zstd.WithSingleSegment(true)),
		} {
			size := int64(len(data))
			for _, limit := range []int64{1, 2, 511, 512, 1023, 1024, 4096, size / 2, size - 1, size, size + 1, 2 * size} {
				if limit < 1 {
					continue
				}
				var d BodyDecoder
				got, err := d.Decode([]byte(encoding), raw, limit)
				if limit >= size {
					if err != nil || !bytes.Equal(got, data) {
						t.Errorf("%s, limit %d of %d: %d bytes, %v", encoding, limit, size, len(got), err)
					}
					continue
				}
				e, ok := errors.AsType[*coding.LimitError](err)
				if !ok || e.Limit != limit || got != nil {
					t.Errorf("%s, limit %d of %d: %d bytes, %v", encoding, limit, size, len(got), err)
				}
				if cap(d.buf) > 2*int(size)+(256<<10) {
					t.Errorf("%s, limit %d of %d: a buffer of %d bytes", encoding, limit, size, cap(d.buf))
				}
			}
		}
	}
}

// TestDecodeLimitWindow: the window of a stream, which does not say how long its
// content is, may be larger than the limit.
func TestDecodeLimitWindow(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	var raw bytes.Buffer
	w, err := zstd.NewWriter(&raw, zstd.WithWindowSize(8<<20))
	if err != nil {
		t.Fatal(err)
	}
	for rest := data; len(rest) > 0; rest = rest[1<<14:] {
		if _, err := w.Write(rest[:1<<14]); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if size, window, err := zstdSize(raw.Bytes()); size != 0 || window != 8<<20 || err != nil {
		t.Fatalf("size %d, window %d, %v: not what is to be tested", size, window, err)
	}
	for _, limit := range []int64{1 << 10, 1<<20 - 1} {
		var d BodyDecoder
		got, err := d.Decode([]byte("zstd"), raw.Bytes(), limit)
		if e, ok := errors.AsType[*coding.LimitError](err); !ok || e.Limit != limit || got != nil {
			t.Errorf("limit %d: %d bytes, %v", limit, len(got), err)
		}
	}
	var d BodyDecoder
	if got, err := d.Decode([]byte("zstd"), raw.Bytes(), 1<<20); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// TestDecodeBomb checks that an announcement alone does not allocate.
func TestDecodeBomb(t *testing.T) {
	frame := "\x28\xb5\x2f\xfd\xa0\x00\x00\x00\x40\x01\x00\x00" // a gigabyte in an empty block
	gz := gzipped([]byte("a"))
	copy(gz[len(gz)-4:], "\x00\x00\x00\x40")
	for encoding, raw := range map[string]string{"zstd": frame, "gzip": string(gz)} {
		var d BodyDecoder
		got, err := d.Decode([]byte(encoding), []byte(raw), 1<<31-2)
		if err != nil || string(got) != raw {
			t.Errorf("%s: %q, %v", encoding, got, err)
		}
		if cap(d.buf) > 1<<16 {
			t.Errorf("%s: a buffer of %d bytes", encoding, cap(d.buf))
		}
	}
}

// TestDecodeReuse checks that a body does not depend on what was decoded before.
func TestDecodeReuse(t *testing.T) {
	rnd := rand.New(rand.NewPCG(13, 14))
	var d BodyDecoder
	bodies := compressedBodies(rnd)
	for range 2000 {
		b := bodies[rnd.IntN(len(bodies))]
		raw := b.raw
		if rnd.IntN(2) == 0 {
			raw = mutated(rnd, raw)
		}
		got, err := d.Decode([]byte(b.encoding), raw, noLimit)
		var fresh BodyDecoder
		want, err2 := fresh.Decode([]byte(b.encoding), raw, noLimit)
		if err != nil || err2 != nil || !bytes.Equal(got, want) {
			t.Fatalf("%s: %d bytes, %v; %d bytes, %v without history", b.encoding, len(got), err, len(want), err2)
		}
	}
}

func TestDecodeOracle(t *testing.T) {
	python := flowtest.Oracle(t)
	rnd := rand.New(rand.NewPCG(15, 16))
	var questions []question
	var bodies []compressed
	add := func(encoding string, raw []byte) {
		bodies = append(bodies, compressed{encoding, raw})
		questions = append(questions, question{"body", []string{b64(encoding)}, b64(raw)})
	}
	intact := compressedBodies(rnd)
	for _, b := range intact {
		add(b.encoding, b.raw)
	}
	for _, b := range intact {
		for range max(10, 40-len(b.raw)/100) {
			add(b.encoding, mutated(rnd, b.raw))
		}
		add([]string{"gzip", "deflate", "br", "zstd", "identity", "x-gzip", "gzip, br", "GZIP", "utf-8"}[rnd.IntN(9)], b.raw)
		if len(b.raw) < 200 {
			for i := range b.raw {
				add(b.encoding, b.raw[:i])
			}
		}
	}
	counts := map[string]int{}
	damaged := 0
	var d BodyDecoder
	for i, answer := range ask(t, python, questions) {
		b := bodies[i]
		var want string
		if err := json.Unmarshal(answer, &want); err != nil {
			t.Errorf("%s, %.100q: mitmproxy has %s", b.encoding, b.raw, answer)
			continue
		}
		got, err := d.Decode([]byte(b.encoding), b.raw, noLimit)
		result := "raw"
		if err != nil || len(b.raw) == 0 || len(got) == 0 || &got[0] != &b.raw[0] {
			result = "decoded"
		}
		counts[b.encoding+" "+result]++
		if err == nil && short(got) == want {
			continue
		}
		if i >= len(intact) && b.encoding == "zstd" {
			if _, _, err := zstdSize(b.raw); err != nil && bytes.Equal(got, b.raw) {
				// The specification wants complete frames, as 13.0.0.dev does.
				counts["zstd differs: 12.2.3 does not mind frames that are cut short"]++
				continue
			}
			// Package zstd and the reference implementation overlook different damage in
			// compressed blocks. That is rare, and only happens without a checksum.
			counts["zstd differs: damage is overlooked"]++
			if damaged++; damaged < len(bodies)/500 {
				continue
			}
		}
		t.Errorf("%s, %d bytes %.200q:\n%s, %v\nwant %s", b.encoding, len(b.raw), b.raw, short(got), err, want)
	}
	for what, n := range counts {
		t.Logf("%6d %s", n, what)
	}
}

// FuzzDecode checks that the limit is kept, and that gzip and deflate agree with package flate
// about everything that it decodes.
func FuzzDecode(f *testing.F) {
	text := []byte("Hello, hello, hello, world")
	for _, b := range [][]byte{gzipped(text), zlibbed(text), deflated(text, 9), deflated(text, -2), brotlied(text), zstded(text), {}} {
		f.Add(b, uint16(len(text)))
		f.Add(b, uint16(1))
	}
	encodings := []string{"gzip", "deflate", "br", "zstd"}
	var d BodyDecoder
	f.Fuzz(func(t *testing.T, raw []byte, limit uint16) {
		for _, encoding := range encodings {
			before := bytes.Clone(raw)
			body, err := d.Decode([]byte(encoding), raw, max(int64(limit), 1))
			if !bytes.Equal(raw, before) {
				t.Fatalf("%s: the input was changed", encoding)
			}
			if _, ok := errors.AsType[*coding.LimitError](err); err != nil && !ok {
				t.Fatalf("%s: %v", encoding, err)
			}
			isRaw := len(body) == len(raw) && (len(raw) == 0 || &body[0] == &raw[0])
			if len(body) > max(int(limit), 1) && !isRaw {
				t.Fatalf("%s: %d bytes, limit %d", encoding, len(body), limit)
			}
		}
		const most = 1 << 20
		out, rest, err := new(inflater).inflate(nil, raw, most)
		r := bytes.NewReader(raw)
		want, wantErr := io.ReadAll(io.LimitReader(flate.NewReader(r), most+1))
		switch {
		case err == errLimit:
			if len(want) <= most {
				t.Fatalf("more than %d bytes, package flate has %d", most, len(want))
			}
		case wantErr == nil:
			if err != nil || !bytes.Equal(out, want) || len(rest) != r.Len() {
				t.Fatalf("%d bytes, %d left, %v; package flate has %d, %d left", len(out), len(rest), err, len(want), r.Len())
			}
		case err == nil:
			t.Fatalf("%d bytes; package flate says %v", len(out), wantErr)
		case !bytes.HasPrefix(out, want) && err == errTruncated:
			t.Fatalf("%q is not what package flate has: %q", out, want)
		}
	})
}
