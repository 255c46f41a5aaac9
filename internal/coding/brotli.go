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

func decodeBrotli(data []byte, limit int) ([]byte, error) {
	d := brotliDecoders.Get().(*brotliDecoder)
	defer func() {
		d.src.Reset(nil) // the pool must not keep the body alive
		brotliDecoders.Put(d)
	}()
	d.src.Reset(data)
	if err := d.Reset(&d.src); err != nil {
		return nil, err
	}
	return readLimited(d, nil, sizeHint(data, limit), limit)
}
