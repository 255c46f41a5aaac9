package dumpfile

import (
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// freeOutput is what a compressed input may expand to before its ratio is
// looked at.
const freeOutput = 8 << 20

// decompressor undoes a container. It reads several gzip members or zstd
// frames in a row as one stream.
type decompressor struct {
	r     io.Reader
	in    *countingReader
	out   int64
	opts  *ReaderOptions
	close func()
}

type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func newDecompressor(kind Container, r io.Reader, opts *ReaderOptions) (*decompressor, error) {
	d := &decompressor{in: &countingReader{r: r}, opts: opts, close: func() {}}
	switch kind {
	case ContainerGzip:
		zr, err := gzip.NewReader(d.in)
		if err != nil {
			return nil, containerError(kind, err)
		}
		d.r = zr
	case ContainerZstd:
		zr, err := zstd.NewReader(d.in,
			zstd.WithDecoderConcurrency(1),
			zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(uint64(opts.MaxWindow)))
		if err != nil {
			return nil, containerError(kind, err)
		}
		d.r, d.close = zr, zr.Close
	}
	return d, nil
}

func (d *decompressor) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	d.out += int64(n)
	if d.out > freeOutput && d.out/d.opts.MaxRatio > d.in.n {
		return 0, &LimitError{Limit: "max-ratio", Max: d.opts.MaxRatio,
			What: fmt.Sprintf("compressed input: expansion of %d bytes to %d", d.in.n, d.out)}
	}
	switch {
	case err == nil || err == io.EOF:
		return n, err
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return n, &LimitError{Limit: "max-window", Max: d.opts.MaxWindow, What: "window of the zstd frame"}
	}
	kind := ContainerZstd
	if _, ok := d.r.(*gzip.Reader); ok {
		kind = ContainerGzip
	}
	return n, containerError(kind, err)
}

// A ContainerError says that the compressed data around a dump is damaged.
type ContainerError struct {
	Container Container
	Err       error
}

func (e *ContainerError) Error() string {
	if errors.Is(e.Err, io.ErrUnexpectedEOF) {
		return fmt.Sprintf("%s data is cut off", e.Container)
	}
	if e.Container == ContainerGzip && errors.Is(e.Err, gzip.ErrHeader) {
		return "gzip data is damaged, or followed by something else"
	}
	return fmt.Sprintf("%s data is damaged: %v", e.Container, e.Err)
}

// Unwrap returns the cause.
func (e *ContainerError) Unwrap() error { return e.Err }

func containerError(kind Container, err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return &ContainerError{kind, err}
}
