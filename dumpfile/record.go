package dumpfile

import (
	"errors"
	"io"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/state"
)

// A Record is one top-level element of a dump: a flow in the format version it
// was written in.
type Record struct {
	// Index counts the records of the input from 0.
	Index int64
	// Offset is where the record starts in the (decompressed) input.
	Offset int64
	// Size is the number of bytes of the record.
	Size int64

	in  *input
	raw []byte        // the bytes of the record, nil if they are not in memory
	src *state.Source // of raw

	root   state.Value // the tree, once somebody has asked for it
	opened bool
	left   bool   // in the input, to be read when somebody asks
	head   []byte // how a record that was left begins
	marked bool   // ends in endOfNewest
	err    error  // why there is no tree
	loader *loader
}

// Value returns the tree of r for reading only, a map; see
// [state.Value.Elements] for what that means. It costs less than
// [Record.State].
func (r *Record) Value() (*state.Value, error) {
	if r.err == nil && !r.opened {
		r.root, r.err = r.open()
		r.opened = true
	}
	return &r.root, r.err
}

func (r *Record) open() (state.Value, error) {
	if r.left {
		l := r.loader
		if l == nil {
			l = r.in.newLoader(newChunks())
		}
		return l.fetch(r)
	}
	v, err := r.src.Codec.Open(r.src, r.raw)
	return v, r.Wrap(err)
}

// State returns the tree of r, which is decoded as far as somebody looks. All
// calls return the same tree. Changing it changes neither the input nor what
// [Record.Bytes] returns.
func (r *Record) State() (*state.Map, error) {
	v, err := r.Value()
	if err != nil {
		return nil, err
	}
	m, err := v.Attach().Map()
	if err != nil {
		return nil, r.Wrap(err)
	}
	return m, nil
}

// InMemory tells whether all bytes of r are at hand.
func (r *Record) InMemory() bool { return r.raw != nil }

// Bytes returns the bytes of r as they are in the input.
func (r *Record) Bytes() ([]byte, error) {
	if r.raw != nil {
		return r.raw, nil
	}
	b, err := (&state.Extent{Reader: r.in.at, Off: r.Offset, Len: r.Size}).Read()
	if err != nil {
		return nil, r.Wrap(err)
	}
	return b, nil
}

// WriteTo copies the bytes of r to w without bringing them into memory.
func (r *Record) WriteTo(w io.Writer) (int64, error) {
	if r.raw != nil {
		n, err := w.Write(r.raw)
		return int64(n), err
	}
	if r.in.at == nil {
		return 0, r.Wrap(state.ErrElided)
	}
	n, err := io.Copy(w, io.NewSectionReader(r.in.at, r.Offset, r.Size))
	if err == nil && n < r.Size {
		err = r.Wrap(&TruncatedError{Have: n, Want: r.Size})
	}
	return n, err
}

// Wrap returns err as an [Error] about r, with the path and offset of a
// [state.PathError] if it is one. An err that is an Error already is returned
// as it is.
func (r *Record) Wrap(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	e := &Error{Name: r.in.opts.Name, Flow: r.Index, Offset: r.Offset, At: r.Offset, Err: err}
	if pe, ok := errors.AsType[*state.PathError](err); ok {
		e.Path = pe.Path
		if pe.Offset != state.NoOffset {
			e.At = pe.Offset
		}
		if direct, ok := err.(*state.PathError); ok {
			e.Err = direct.Err
		}
	}
	if fe, ok := errors.AsType[*flow.FieldError](err); ok {
		bare := *fe
		e.Path, bare.Path = fe.Path, ""
		e.Err = &bare
	}
	return e
}

// endOfNewest is the version entry with which mitmproxy ends records of format
// 21.
const endOfNewest = "7:version;2:21#}"

// EndsAsVersion21 tells whether the record ends in the version entry that
// mitmproxy writes last in records of format 21. It is a short cut for
// finding out that a record needs no migration without decoding it; false
// means nothing.
func (r *Record) EndsAsVersion21() bool {
	if n := len(r.raw) - len(endOfNewest); n > 0 {
		return string(r.raw[n:]) == endOfNewest
	}
	return r.marked
}
