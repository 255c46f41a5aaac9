package coding

import (
	"bytes"
	"sync"

	"github.com/andybalholm/brotli"
)

type brotliDecoder struct {
	src bytes.Reader
	brotli.Reader
}

var brotliDecoders = sync.Pool{New: func() any { return new(brotliDecoder) }}

// DecodeBrotli is [Decode] for one Brotli stream, which must be complete and have nothing behind
// it. The output is in the memory of buf if that suffices, and the result is at least that memory.
// The limit has to be more than zero. When there is more output the error is a [*LimitError], and
// any other error says that the data are no such stream.
func DecodeBrotli(buf, data []byte, limit int) ([]byte, error) {
	out, err := decodeBrotli(buf[:0], data, limit)
	if err == errTooLarge {
		err = &LimitError{Encoding: "br", Limit: int64(limit)}
	}
	return out, err
}

func decodeBrotli(buf, data []byte, limit int) ([]byte, error) {
	d := brotliDecoders.Get().(*brotliDecoder)
	defer func() {
		d.src.Reset(nil) // the pool must not keep the body alive
		brotliDecoders.Put(d)
	}()
	d.src.Reset(data)
	if err := d.Reset(&d.src); err != nil {
		return buf, err
	}
	return readLimited(d, buf, sizeHint(data, limit), limit)
}
