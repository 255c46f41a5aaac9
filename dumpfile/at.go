package dumpfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/flowtool/flowtool/state"
)

// ReadAt fills b with one record, number index, which is at an offset where an
// earlier reading of the same input found it. Reading on with other methods is
// not possible afterwards. Several readers may read the same input at once.
//
// The input must be one that can be read at any offset, such as a regular file or an
// [io.SectionReader]; for others, for compressed ones and for a [Mapping] the
// error unwraps to [errors.ErrUnsupported].
func (d *Reader) ReadAt(b *Batch, index, offset int64) (*Record, error) {
	b.trim()
	b.Reset()
	if err := d.start(); err != nil && d.load.w.at == nil {
		return nil, err
	}
	if d.load.w.at == nil {
		return nil, fmt.Errorf("dumpfile: reading a record at an offset: %w", errors.ErrUnsupported)
	}
	d.load.slab = &b.slab
	defer func() { d.load.slab = nil }()
	defer d.lend(b)()
	d.load.w.begin(offset, nil)
	d.load.n = index
	var rec Record
	if err := d.load.next(&rec); err != nil {
		return nil, d.named(err)
	}
	if rec.left {
		rec.loader = b.loader
	}
	b.Records = append(b.Records, rec)
	return &b.Records[0], nil
}

// Equal tells whether two records have the same bytes. Records that are not in
// memory are read bit by bit.
func (r *Record) Equal(o *Record) (bool, error) {
	if r.raw != nil && o.raw != nil {
		return bytes.Equal(r.raw, o.raw), nil
	}
	a, err := r.reader()
	if err != nil {
		return false, err
	}
	b, err := o.reader()
	if err != nil {
		return false, err
	}
	if a.Size() != b.Size() {
		return false, nil
	}
	const most = 64 << 10
	size := min(a.Size(), most)
	x, y := make([]byte, size), make([]byte, size)
	for left := a.Size(); left > 0; left -= size {
		size = min(left, most)
		if _, err := io.ReadFull(a, x[:size]); err != nil {
			return false, r.Wrap(err)
		}
		if _, err := io.ReadFull(b, y[:size]); err != nil {
			return false, o.Wrap(err)
		}
		if !bytes.Equal(x[:size], y[:size]) {
			return false, nil
		}
	}
	return true, nil
}

// sized is a reader that knows how much there is.
type sized interface {
	io.Reader
	Size() int64
}

// reader returns a reader of the bytes of r.
func (r *Record) reader() (sized, error) {
	if r.raw != nil {
		return bytes.NewReader(r.raw), nil
	}
	if r.in.at == nil {
		return nil, r.Wrap(state.ErrElided)
	}
	return io.NewSectionReader(r.in.at, r.Offset, r.Size), nil
}
