// Package coding undoes what HTTP does to a body on the wire: it removes content
// codings and finds the character set of text.
//
// Most callers want [Decode] with the value of the Content-Encoding header, and then [Text]
// with the value of the Content-Type header.
//
// # Codings
//
//	gzip, x-gzip         every member; bytes after the last member are ignored; zlib data too
//	deflate, deflateraw  zlib, or raw deflate when that fails; bytes after the end are ignored
//	br                   exactly one complete stream
//	zstd                 any number of frames, skippable ones included; no dictionaries
//	identity, none       nothing to do
//
// The name "deflateraw" and zlib data under "gzip" are accepted because mitmproxy accepts them.
// Unlike mitmproxy this package trims the header, splits it at commas, reads all gzip members
// and never falls back to codecs that are not content codings.
//
// # Limits
//
// A few kilobytes can decode to gigabytes, so every coding stops at a limit, and memory follows
// the smaller of limit and output. At most 8 codings are undone for one body. A zstd frame may
// ask for a window of 8 MiB, which RFC 9659 allows on the web, or of limit bytes if that is
// more, up to 512 MiB.
package coding

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// DefaultLimit is the limit that [Decode] applies when the caller names none: 16 MiB.
const DefaultLimit = 16 << 20

// maxCodings bounds how many codings are undone for one body; each may cost a full limit of work.
const maxCodings = 8

// codec is one content coding. decode returns at most limit bytes, in the memory of buf, which is
// empty, if that suffices; beside errTooLarge and io.ErrUnexpectedEOF it returns the bytes decoded
// so far.
type codec struct {
	name   string // as the header spells it, in lower case
	decode func(buf, data []byte, limit int) ([]byte, error)
}

// Decode undoes the content codings that the value of a Content-Encoding header lists. The value
// is lower-cased, trimmed and split at commas, and the codings are undone from right to left.
// An empty value, identity and none change nothing, and an empty body stays empty; in these
// cases Decode returns data itself, which the limit does not concern.
//
// No coding produces more than limit bytes; a limit of zero or less means [DefaultLimit].
//
// Errors:
//
//   - a name that is not a known coding: [*UnknownError], and no bytes;
//   - output beyond the limit: [*LimitError], with the first limit bytes, or none
//     if the data announce a size too large to begin with;
//   - data that end too early: [*DecodeError] that unwraps to [io.ErrUnexpectedEOF],
//     with the bytes decoded so far;
//   - anything else wrong with the data: [*DecodeError], and no bytes.
//
// When one of several codings fails with some bytes decoded, the remaining codings are undone for
// those bytes and the first error is returned.
//
// Decode is safe for concurrent use and does not change data.
func Decode(encoding string, data []byte, limit int64) ([]byte, error) {
	return DecodeInto(nil, encoding, data, limit)
}

// DecodeInto is [Decode] with memory for the result, which is used if it suffices. It must not be
// that of data.
func DecodeInto(buf []byte, encoding string, data []byte, limit int64) ([]byte, error) {
	var few [maxCodings]codec
	codecs, err := appendCodecs(few[:0], encoding)
	if err != nil {
		return nil, err
	}
	if limit <= 0 {
		limit = DefaultLimit
	}
	limit = min(limit, math.MaxInt)

	var firstErr error
	for i := len(codecs) - 1; i >= 0 && len(data) > 0; i-- {
		c := codecs[i]
		out, err := c.decode(buf[:0], data, int(limit))
		buf = nil // out is in it, and is read next
		switch {
		case err == nil:
			if out == nil {
				out = []byte{} // empty, not missing
			}
		case errors.Is(err, errTooLarge):
			err = &LimitError{Encoding: c.name, Limit: limit}
		case errors.Is(err, io.ErrUnexpectedEOF):
			err = &DecodeError{Encoding: c.name, Err: io.ErrUnexpectedEOF}
		default:
			err = &DecodeError{Encoding: c.name, Err: err}
			out = nil
		}
		if firstErr == nil {
			firstErr = err
		}
		data = out
	}
	return data, firstErr
}

// appendCodecs appends the codings that encoding lists, in the order they were applied.
func appendCodecs(dst []codec, encoding string) ([]codec, error) {
	for part := range strings.SplitSeq(encoding, ",") {
		c := codec{name: strings.ToLower(strings.TrimSpace(part))}
		switch c.name {
		case "", "identity", "none":
			continue
		case "gzip", "x-gzip":
			c.decode = decodeGzip
		case "deflate", "deflateraw":
			c.decode = decodeDeflate
		case "br":
			c.decode = decodeBrotli
		case "zstd":
			c.decode = decodeZstd
		default:
			return nil, &UnknownError{Name: c.name}
		}
		if len(dst) == maxCodings {
			return nil, fmt.Errorf("coding: more than %d content encodings", maxCodings)
		}
		dst = append(dst, c)
	}
	return dst, nil
}

// minBuffer is the smallest output buffer; it spares short bodies the first few growths.
const minBuffer = 512

// sizeHint guesses the size of the output when the data do not tell.
func sizeHint(data []byte, limit int) int {
	return min(4*min(len(data), math.MaxInt/4), limit)
}

// readLimited appends what r yields to dst until r ends, and fails with errTooLarge, with exactly
// limit bytes in the result, when there is more. hint is the expected length of the result; it
// must not exceed limit.
func readLimited(r io.Reader, dst []byte, hint, limit int) ([]byte, error) {
	if hint > cap(dst) {
		dst = append(make([]byte, 0, hint), dst...)
	}
	var probe [1]byte
	for {
		// A full buffer grows only when a byte more proves that it has to,
		// so that a right hint costs one allocation.
		p := dst[len(dst):min(cap(dst), limit)]
		full := len(p) == 0
		if full {
			p = probe[:]
		}
		n, err := r.Read(p)
		if full && n > 0 {
			if len(dst) == limit {
				return dst, errTooLarge
			}
			size := limit
			if len(dst) < limit/2 {
				size = min(max(2*len(dst), minBuffer), limit)
			}
			dst = append(append(make([]byte, 0, size), dst...), probe[0])
		} else {
			dst = dst[:len(dst)+n]
		}
		if err == io.EOF {
			return dst, nil
		}
		if err != nil {
			return dst, err
		}
	}
}
