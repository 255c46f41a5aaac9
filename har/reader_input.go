package har

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zlib"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// openInput undoes what may lie around the JSON: zlib, a byte order mark, and
// UTF-16 if the mark says so.
func openInput(r io.Reader, opts *ReaderOptions) (io.Reader, error) {
	in := bufio.NewReader(r)
	head, err := in.Peek(2)
	if len(head) == 2 && isZlib(head) {
		z, err := newInflater(in, opts)
		if err != nil {
			return nil, err
		}
		in = bufio.NewReader(z)
	} else if err != nil && err != io.EOF {
		return nil, err
	}
	head, err = in.Peek(3)
	switch {
	case len(head) >= 2 && (string(head[:2]) == "\xff\xfe" || string(head[:2]) == "\xfe\xff"):
		decoder := unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder()
		return transform.NewReader(in, decoder), nil
	case err != nil && err != io.EOF:
		return nil, err
	}
	return in, nil
}

// bom is the byte order mark in UTF-8.
const bom = "\xef\xbb\xbf"

// isZlib tells whether head, two bytes, is the header of a zlib stream. No JSON
// begins with one.
func isZlib(head []byte) bool {
	return head[0]&0x0f == 8 && head[0]>>4 <= 7 && (int(head[0])<<8|int(head[1]))%31 == 0
}

// freeOutput is what zlib data may expand to before the ratio is looked at.
const freeOutput = 8 << 20

// An inflater reads zlib data and stops where they expand too much.
type inflater struct {
	z    io.Reader
	in   countingReader
	out  int64
	opts *ReaderOptions
}

// A countingReader counts the bytes that a decompressor took. As an
// io.ByteReader, it is not read ahead of.
type countingReader struct {
	r *bufio.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func (c *countingReader) ReadByte() (byte, error) {
	b, err := c.r.ReadByte()
	if err == nil {
		c.n++
	}
	return b, err
}

func newInflater(r *bufio.Reader, opts *ReaderOptions) (*inflater, error) {
	f := &inflater{in: countingReader{r: r}, opts: opts}
	z, err := zlib.NewReader(&f.in)
	f.z = z
	return f, f.wrap(err)
}

func (f *inflater) Read(p []byte) (int, error) {
	n, err := f.z.Read(p)
	f.out += int64(n)
	if f.out > freeOutput && f.out/f.opts.MaxRatio > f.in.n {
		return 0, f.wrap(fmt.Errorf("%w: %d bytes to %d, the limit is %d times (MaxRatio)",
			ErrTooLarge, f.in.n, f.out, f.opts.MaxRatio))
	}
	return n, f.wrap(err)
}

// wrap says of an error that is not one of the input that it is about zlib.
func (f *inflater) wrap(err error) error {
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = &endError{"zlib data"}
	case corrupt, errors.Is(err, zlib.ErrChecksum), errors.Is(err, zlib.ErrHeader), errors.Is(err, zlib.ErrDictionary):
		err = fmt.Errorf("%w: %w", ErrZlib, err)
	case !errors.Is(err, ErrTooLarge):
		return err
	}
	return &Error{Name: f.opts.Name, Index: -1, Offset: f.out, Err: err}
}
