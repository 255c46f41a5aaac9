package dumpfile

import (
	"bytes"
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

	root    state.Value // the tree, once somebody has asked for it
	opened  bool
	left    bool   // in the input, to be read when somebody asks
	head    []byte // how a record that was left begins
	version int    // see VersionAtEnd, of a record that was left
	err     error  // why there is no tree
	loader  *loader

	// Of a record that was made of something else.
	origin *Origin // nil if the input is a dump
	part   int64
	data   []byte
	made   bool // of another record
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

// Forget lets go of the tree of a record of a [Batch] that was left in the input
// because it is large; nothing of it must be used any more. The next call of
// [Record.State] reads it again. For other records it does nothing.
func (r *Record) Forget() {
	if r.left && r.opened && r.loader != nil {
		r.root, r.opened = state.Value{}, false
		r.loader.recycle()
	}
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
	if r.origin != nil {
		e.Unit, e.Part = r.origin.unit, r.part
	}
	if pe, ok := errors.AsType[*state.PathError](err); ok {
		e.Path = pe.Path
		if pe.Offset != state.NoOffset && r.origin == nil && !r.made {
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

// With this entry mitmproxy ends records of integer versions: 7:version;2:21#}.
const (
	keyOfVersion = "7:version;"
	lenOfVersion = 16 // with the end of the record
)

// VersionAtEnd returns the format version that stands in the entry that
// mitmproxy writes last, without decoding the record, or 0 if there is none, as
// in versions before 4.
func (r *Record) VersionAtEnd() int {
	if r.raw != nil {
		return versionAtEnd(r.raw[max(0, len(r.raw)-lenOfVersion):])
	}
	return r.version
}

func versionAtEnd(tail []byte) int {
	tail, ok := bytes.CutSuffix(tail, []byte("#}"))
	if !ok {
		return 0
	}
	digits, ok := bytes.CutPrefix(tail, []byte(keyOfVersion+"2:"))
	if !ok || len(digits) != 2 {
		if i := len(tail) - len(keyOfVersion+"1:4"); i >= 0 {
			digits, ok = bytes.CutPrefix(tail[i:], []byte(keyOfVersion+"1:"))
		}
	}
	n := 0
	for _, d := range digits {
		if !ok || d < '0' || d > '9' {
			return 0
		}
		n = 10*n + int(d-'0')
	}
	if !ok {
		return 0
	}
	return n
}
