package coding

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// A stream decoder allocates the window that a frame asks for, so the window is limited like the
// output, but not below what every decoder on the web supports (RFC 9659), nor above what
// a mere announcement should be able to allocate.
const (
	zstdMinWindow = 8 << 20
	zstdMaxWindow = 512 << 20
)

type zstdDecoder struct {
	src bytes.Reader
	dec *zstd.Decoder
}

// zstdDecoders needs no Close: with a concurrency of one a decoder has no goroutines.
var zstdDecoders = sync.Pool{New: func() any {
	dec, err := zstd.NewReader(nil,
		zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderLowmem(true),
		// Decoding short input whole would hold the output of a bomb twice.
		zstd.WithDecodeBuffersBelow(0),
	)
	if err != nil {
		panic("coding: invalid zstd options: " + err.Error())
	}
	return &zstdDecoder{dec: dec}
}}

func decodeZstd(buf, data []byte, limit int) ([]byte, error) {
	d := zstdDecoders.Get().(*zstdDecoder)
	defer func() {
		d.src.Reset(nil) // the pool must not keep the body alive
		zstdDecoders.Put(d)
	}()
	window := uint64(min(max(limit, zstdMinWindow), zstdMaxWindow))
	d.src.Reset(data)
	err := d.dec.ResetWithOptions(&d.src,
		zstd.WithDecoderMaxWindow(window), zstd.WithDecoderMaxMemory(window))
	if err != nil {
		return nil, err
	}
	out, err := readLimited(d.dec, buf, sizeHint(data, limit), limit)
	switch {
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		err = fmt.Errorf("frame needs a window of more than %d bytes", window)
	case errors.Is(err, zstd.ErrDecoderSizeExceeded): // as the frame announces
		err = errTooLarge
	}
	return out, err
}
