package flow

import (
	"bytes"
	"errors"
	"io"

	"github.com/flowtool/flowtool/internal/coding"
	"github.com/flowtool/flowtool/state"
)

// A Body is the content of a message as it was transferred. The zero Body is
// missing, which is not the same as empty: it was not recorded. A large body may
// not be in memory; only the methods that return its bytes fetch it.
type Body struct{ v state.Value }

// NewBody returns a body of the given bytes, which must not be changed
// afterwards. nil gives an empty body.
func NewBody(b []byte) Body { return Body{state.Bytes(b)} }

// bodyOf returns the body in a state; what is neither bytes nor text is missing.
func bodyOf(v *state.Value) Body {
	if v.Kind() == state.KindBytes || v.Kind() == state.KindText {
		return Body{*v}
	}
	return Body{}
}

// IsMissing tells whether the body was not recorded.
func (b Body) IsMissing() bool { return b.v.IsNull() }

// Len returns the number of bytes, without fetching them.
func (b Body) Len() int64 { return b.v.Len() }

// InMemory tells whether the bytes are in memory.
func (b Body) InMemory() bool { return b.v.InMemory() }

// Bytes returns the bytes, nil if the body is missing. They must not be changed.
// The error is that of fetching them.
func (b Body) Bytes() ([]byte, error) {
	var data []byte
	var err error
	switch b.v.Kind() {
	case state.KindNull:
		return nil, nil
	case state.KindText:
		data, err = b.v.TextBytes()
	default:
		data, err = b.v.Bytes()
	}
	if data == nil && err == nil {
		data = []byte{} // empty, not missing
	}
	return data, err
}

// Reader returns a reader of the bytes that does not bring a large body into
// memory. A missing body reads as an empty one.
func (b Body) Reader() (io.Reader, error) {
	if b.IsMissing() {
		return bytes.NewReader(nil), nil
	}
	return b.v.Reader()
}

// A BodyLimitError says that a body without its content codings is larger than
// was allowed.
type BodyLimitError = coding.LimitError

// An UnknownCodingError says that a body has a content coding that is not known.
type UnknownCodingError = coding.UnknownError

// Decoded returns the bytes after undoing the content codings that encoding, the
// value of the Content-Encoding header, lists. At most limit bytes are returned;
// zero or less means 16 MiB. Codings are trimmed and split at commas, truncated
// data give what they hold together with an error that unwraps to
// [io.ErrUnexpectedEOF], and so does, as far as it is in memory already, a body
// that exceeds the limit: its error is a [*BodyLimitError] or unwraps to it.
//
// A missing body is nil without an error.
func (b Body) Decoded(encoding string, limit int64) ([]byte, error) {
	if limit <= 0 {
		limit = coding.DefaultLimit
	}
	if b.InMemory() || b.Len() <= limit {
		data, err := b.Bytes()
		if err != nil || data == nil {
			return nil, err
		}
		return coding.Decode(encoding, data, limit)
	}
	// Content coding makes bodies smaller, so a body that is larger than the
	// limit as it is has no business in memory.
	r, err := b.Reader()
	if err != nil {
		return nil, err
	}
	data := make([]byte, limit)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, err
	}
	out, err := coding.Decode(encoding, data, limit)
	if err == nil || errors.Is(err, io.ErrUnexpectedEOF) {
		err = &coding.LimitError{Encoding: encoding, Limit: limit}
	}
	return out, err
}

// sameLeaf tells whether a and b are the same byte string or text, or both null,
// without fetching them.
func sameLeaf(a, b state.Value) bool {
	if a.Kind() != b.Kind() || a.InMemory() != b.InMemory() || a.Len() != b.Len() {
		return false
	}
	if a.IsNull() {
		return true
	}
	if a.InMemory() {
		x, y := raw(&a), raw(&b)
		return len(x) == 0 || &x[0] == &y[0] || bytes.Equal(x, y)
	}
	x, err1 := a.Reader()
	y, err2 := b.Reader()
	if err1 != nil || err2 != nil {
		return err1 == err2 // both were skipped when they were read
	}
	r, off, n := x.(*io.SectionReader).Outer()
	s, off2, n2 := y.(*io.SectionReader).Outer()
	return off == off2 && n == n2 && sameReader(r, s)
}

// sameReader compares readers, which may be of a type that cannot be compared.
func sameReader(a, b io.ReaderAt) (same bool) {
	defer func() {
		if recover() != nil {
			same = false
		}
	}()
	return a == b
}
