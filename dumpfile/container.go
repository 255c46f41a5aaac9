package dumpfile

import (
	"bufio"
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
		in := bufio.NewReader(d.in)
		zr, err := gzip.NewReader(in)
		if err != nil {
			return nil, containerError(kind, err)
		}
		zr.Multistream(false)
		d.r = &gzipMembers{in: in, zr: zr}
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
	if _, ok := d.r.(*gzipMembers); ok {
		kind = ContainerGzip
	}
	return n, containerError(kind, err)
}

// gzipMembers reads gzip members in a row. As gzip itself does, it ignores zeros
// behind them, which tapes and block devices add.
type gzipMembers struct {
	in *bufio.Reader
	zr *gzip.Reader
}

var errNotGzip = errors.New("something that is not gzip follows it")

func (g *gzipMembers) Read(p []byte) (int, error) {
	n, err := g.zr.Read(p)
	for err == io.EOF && n == 0 {
		if err = g.next(); err != nil {
			return 0, err
		}
		n, err = g.zr.Read(p)
	}
	if err == io.EOF {
		err = nil // of this member; the next call goes on behind it
	}
	return n, err
}

// next goes on with the next member.
func (g *gzipMembers) next() error {
	magic, err := g.in.Peek(2)
	if len(magic) == 2 && magic[0] == 0x1f && magic[1] == 0x8b {
		err = g.zr.Reset(g.in)
		g.zr.Multistream(false)
		return err
	}
	if err != nil && err != io.EOF {
		return err
	}
	for {
		b, err := g.in.ReadByte()
		if err != nil {
			return err // io.EOF behind zeros, or nothing, is the end
		}
		if b != 0 {
			return errNotGzip
		}
	}
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

// MaxLevel is the highest level of [NewCompressor].
const MaxLevel = 19

// NewCompressor returns a writer that wraps what is written to it in a container,
// which is complete after Close. Close does not close w. level is how hard to try,
// in the scale of the gzip and zstd commands, of which gzip knows 1 to 9 and zstd
// 1 to 19; 0 means the usual level.
func NewCompressor(w io.Writer, kind Container, level int) (io.WriteCloser, error) {
	switch kind {
	case ContainerGzip:
		if level == 0 {
			return gzip.NewWriter(w), nil
		}
		return gzip.NewWriterLevel(w, min(level, gzip.BestCompression))
	case ContainerZstd:
		if level == 0 {
			return zstd.NewWriter(w)
		}
		return zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(level)))
	}
	return uncompressed{w}, nil
}

// uncompressed is the writer for no container.
type uncompressed struct{ io.Writer }

func (uncompressed) Close() error { return nil }
