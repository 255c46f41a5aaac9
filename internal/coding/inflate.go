package coding

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
)

const gzipMagic = "\x1f\x8b\x08" // ID1, ID2 and the only compression method

// inflater holds the readers of the deflate family. Each is some 40 KiB and is made when first
// needed. All of them read src, which is a ByteReader, so none reads past the end of its stream.
type inflater struct {
	src  bytes.Reader
	gzip gzip.Reader
	zlib io.ReadCloser
	raw  io.ReadCloser
}

var inflaters = sync.Pool{New: func() any { return new(inflater) }}

func (in *inflater) release() {
	in.src.Reset(nil) // the pool must not keep the body alive
	inflaters.Put(in)
}

func decodeGzip(buf, data []byte, limit int) ([]byte, error) {
	in := inflaters.Get().(*inflater)
	defer in.release()

	if isZlib(data) {
		return in.readZlib(buf, data, limit)
	}
	if !isGzip(data) {
		return nil, gzip.ErrHeader
	}
	hint := gzipHint(data, limit)
	out := buf
	for isGzip(data) { // what follows the last member and is no member is ignored
		in.src.Reset(data)
		if err := in.gzip.Reset(&in.src); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return out, err
		}
		in.gzip.Multistream(false)
		var err error
		if out, err = readLimited(&in.gzip, out, hint, limit); err != nil {
			return out, err
		}
		data = data[len(data)-in.src.Len():]
	}
	return out, nil
}

// isGzip reports whether data begin with a gzip header, possibly a cut one.
func isGzip(data []byte) bool {
	return len(data) > 0 && strings.HasPrefix(gzipMagic, string(data[:min(len(data), len(gzipMagic))]))
}

// gzipHint returns the output length that the trailer of the last member claims, or a guess
// when the claim is implausible.
func gzipHint(data []byte, limit int) int {
	if len(data) < 18 { // header and trailer
		return 0
	}
	size := int64(binary.LittleEndian.Uint32(data[len(data)-4:]))
	if size > 64*int64(len(data)) || size > int64(limit) {
		return sizeHint(data, limit)
	}
	return int(size)
}

func decodeDeflate(buf, data []byte, limit int) ([]byte, error) {
	in := inflaters.Get().(*inflater)
	defer in.release()

	if !isZlib(data) {
		return in.readRaw(buf, data, limit)
	}
	out, err := in.readZlib(buf, data, limit)
	if err == nil || errors.Is(err, errTooLarge) {
		return out, err
	}
	// A raw stream may begin like this too, if only in theory.
	if raw, rawErr := in.readRaw(nil, data, limit); rawErr == nil {
		return raw, nil
	}
	return out, err
}

// isZlib reports whether data begin with a zlib header.
func isZlib(data []byte) bool {
	return len(data) >= 2 && data[0]&0x0f == 8 && data[0]>>4 <= 7 &&
		binary.BigEndian.Uint16(data)%31 == 0
}

func (in *inflater) readZlib(buf, data []byte, limit int) (out []byte, err error) {
	in.src.Reset(data)
	if in.zlib == nil {
		z, err := zlib.NewReader(&in.src)
		if err != nil {
			return nil, err
		}
		in.zlib = z
	} else if err := in.zlib.(zlib.Resetter).Reset(&in.src, nil); err != nil {
		return nil, err
	}
	return readLimited(in.zlib, buf, sizeHint(data, limit), limit)
}

func (in *inflater) readRaw(buf, data []byte, limit int) ([]byte, error) {
	in.src.Reset(data)
	if in.raw == nil {
		in.raw = flate.NewReader(&in.src)
	} else if err := in.raw.(flate.Resetter).Reset(&in.src, nil); err != nil {
		return nil, err
	}
	return readLimited(in.raw, buf, sizeHint(data, limit), limit)
}
