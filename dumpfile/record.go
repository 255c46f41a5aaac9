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

	root state.Value
	name string
	at   io.ReaderAt // where the bytes are if root is not contiguous in memory
	err  error       // why there is no state
}

// State returns the tree of r, which is decoded as far as somebody looks. All
// calls return the same tree. Changing it changes neither the input nor what
// [Record.Bytes] returns.
func (r *Record) State() (*state.Map, error) {
	if r.err != nil {
		return nil, r.err
	}
	m, err := r.root.Map()
	if err != nil {
		return nil, r.Wrap(err)
	}
	return m, nil
}

// InMemory tells whether all bytes of r are at hand.
func (r *Record) InMemory() bool { return r.at == nil && r.encoded() != nil }

func (r *Record) encoded() []byte {
	raw, ok := r.root.Encoded()
	if !ok {
		return nil
	}
	return raw
}

// Bytes returns the bytes of r as they are in the input.
func (r *Record) Bytes() ([]byte, error) {
	if raw := r.encoded(); raw != nil {
		return raw, nil
	}
	b, err := (&state.Extent{Reader: r.at, Off: r.Offset, Len: r.Size}).Read()
	if err != nil {
		return nil, r.Wrap(err)
	}
	return b, nil
}

// WriteTo copies the bytes of r to w without bringing them into memory.
func (r *Record) WriteTo(w io.Writer) (int64, error) {
	if raw := r.encoded(); raw != nil {
		n, err := w.Write(raw)
		return int64(n), err
	}
	if r.at == nil {
		return 0, r.Wrap(state.ErrElided)
	}
	n, err := io.Copy(w, io.NewSectionReader(r.at, r.Offset, r.Size))
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
	e := &Error{Name: r.name, Flow: r.Index, Offset: r.Offset, At: r.Offset, Err: err}
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

// EndsAsVersion21 tells whether the record ends in the version entry that
// mitmproxy writes last in records of format 21. It is a short cut for
// finding out that a record needs no migration without decoding it; false
// means nothing.
func (r *Record) EndsAsVersion21() bool {
	const end = "7:version;2:21#}"
	raw := r.encoded()
	if n := len(raw) - len(end); n > 0 {
		return string(raw[n:]) == end
	}
	return false
}
