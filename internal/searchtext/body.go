package searchtext

import (
	"math"

	"github.com/klauspost/compress/zstd"

	"github.com/flowtool/flowtool/internal/coding"
)

// A BodyDecoder undoes the content coding of bodies as mitmproxy does before operators ~b, ~bq and
// ~bs search them. It keeps its memory from one body to the next. The zero value is ready to use;
// goroutines need one each.
type BodyDecoder struct {
	buf      []byte // the last output
	inflater *inflater
	zstd     *zstd.Decoder
	zstdMost int // bytes that zstd may write
}

// maxKept is the size of the largest output whose memory is kept for the next body.
const maxKept = 8 << 20

// Decode returns the body that operators search, given all values of the Content-Encoding header,
// joined (see [Joined]), and the body as it is stored, which must not be null
// (message.get_content(strict=False) in mitmproxy). The result is raw itself if nothing has to be
// undone or that fails; otherwise it is valid until the next call.
//
//	identity, none       nothing to undo
//	gzip                 the first gzip member, or zlib data; if cut short, what can be decoded
//	deflate, deflateraw  complete zlib data, or else complete deflate data
//	br                   a complete stream and nothing else
//	zstd                 complete frames and nothing else
//
// The header is compared without regard to case, but as a whole: "gzip, br" and "gzip " are other
// codings, and what has another coding is raw. mitmproxy takes other codings for names of Python
// codecs, a few of which (base64, bz2, hex, quopri, uu, zlib and their aliases) it undoes. That is
// not done here.
//
// When more than limit bytes come out of data that may yet prove to be wrong, the result is nil and
// a [*coding.LimitError], which is the only error. A limit of zero or less means
// [coding.DefaultLimit]. It does not concern what is returned raw.
func (d *BodyDecoder) Decode(encoding, raw []byte, limit int64) ([]byte, error) {
	decode, name := codingOf(encoding)
	if decode == nil || len(raw) == 0 {
		return raw, nil
	}
	if limit <= 0 {
		limit = coding.DefaultLimit
	}
	if cap(d.buf) > maxKept {
		d.buf = nil
	}
	out, err := decode(d, d.buf[:0], raw, int(min(limit, math.MaxInt-1)))
	d.buf = out[:0]
	switch err {
	case nil:
		if out == nil {
			out = []byte{} // empty, not missing
		}
		return out, nil
	case errLimit:
		return nil, &coding.LimitError{Encoding: name, Limit: limit}
	}
	return raw, nil
}

// A decodeFunc undoes a coding, if possible in the memory of buf, and returns at least that memory.
type decodeFunc func(d *BodyDecoder, buf, raw []byte, limit int) (out []byte, err error)

// codingOf returns what undoes a coding, nil if nothing does, and its name.
func codingOf(encoding []byte) (decode decodeFunc, name string) {
	var lower [len("deflateraw")]byte
	if len(encoding) > len(lower) {
		return nil, ""
	}
	for i, c := range encoding {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		lower[i] = c
	}
	switch string(lower[:len(encoding)]) {
	case "gzip":
		return (*BodyDecoder).gzip, "gzip"
	case "deflate", "deflateraw":
		return (*BodyDecoder).deflate, "deflate"
	case "br":
		return (*BodyDecoder).br, "br"
	case "zstd":
		return (*BodyDecoder).zst, "zstd"
	}
	return nil, ""
}

func (d *BodyDecoder) gzip(buf, raw []byte, limit int) ([]byte, error) {
	if d.inflater == nil {
		d.inflater = new(inflater)
	}
	out, err := d.inflater.gunzip(buf, raw, limit)
	if err == errTruncated {
		err = nil
	}
	return out, err
}

func (d *BodyDecoder) deflate(buf, raw []byte, limit int) ([]byte, error) {
	if d.inflater == nil {
		d.inflater = new(inflater)
	}
	return d.inflater.undeflate(buf, raw, limit)
}

func (d *BodyDecoder) br(buf, raw []byte, limit int) ([]byte, error) {
	out, err := coding.DecodeBrotli(buf, raw, limit)
	if _, ok := err.(*coding.LimitError); ok {
		err = errLimit
	}
	return out, err
}
