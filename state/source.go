package state

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// A Codec gives meaning to encoded elements. State trees call it when a value
// is asked for; see package dumpfile/tnetstring for the codec of mitmproxy's
// own dumps.
//
// Errors are relative to the payload that was passed; trees turn them into a
// [PathError] with the absolute offset if they implement
// interface{ Pos() int }.
type Codec interface {
	// Encoding names the encoding. Raw bytes of one value may be copied into
	// the output of every codec with the same name.
	Encoding() string

	// Open finds the element at the start of data, which must be complete,
	// without looking into it.
	Open(src *Source, data []byte) (Value, error)

	// Scalar decodes the payload of a bool, an integer or a float and returns
	// it as a value made in memory (see [Bool], [BigInt], …). The payload of a
	// text is its UTF-8, so Scalar is called for a text only to say what is
	// wrong with one that is not.
	Scalar(kind Kind, payload []byte) (Value, error)

	// Elements splits the payload of a list, or of a map into keys and values
	// in turn, and appends them to dst in logical order. depth is the number
	// of containers around these elements; the codec refuses what is nested
	// too deeply. It refuses keys that are lists or maps, and resolves
	// duplicate keys.
	Elements(src *Source, kind Kind, payload []byte, depth int, dst []Value) ([]Value, error)
}

// A Source is a run of encoded bytes that values point into.
type Source struct {
	Codec Codec
	// Data is the whole run. Elements are sub-slices of it whose capacity
	// reaches to its end; that is how their offset is found again.
	Data []byte
	// Off is the absolute offset of Data[0] in the input.
	Off int64
	// Slab, if it is not nil, is where the elements of opened lists and maps
	// are kept.
	Slab *Slab
}

// A Slab is memory for the elements of lists and maps that is used again after
// Reset, for programs that look at many records one after the other. Trees with
// a slab must not be used after its Reset.
type Slab struct {
	elems []Value // len is what is in use
}

// slabSize is enough for the usual records of a batch; what does not fit is
// allocated as if there were no slab.
const slabSize = 8 << 10

// Reset makes the memory of s free.
func (s *Slab) Reset() { s.elems = s.elems[:0] }

// room returns an empty slice to append elements to.
func (s *Slab) room() []Value {
	if s == nil {
		return nil
	}
	if s.elems == nil {
		s.elems = make([]Value, 0, slabSize)
	}
	const most = 32 // values; what most maps of a flow take
	n := len(s.elems)
	if cap(s.elems)-n < most {
		return nil
	}
	return s.elems[n : n : n+most]
}

// Copy returns a copy of elems in the memory of s, or in memory of its own if s is
// nil or full.
func (s *Slab) Copy(elems []Value) []Value {
	if s == nil || cap(s.elems)-len(s.elems) < len(elems) {
		return slices.Clone(elems)
	}
	n := len(s.elems)
	s.elems = append(s.elems, elems...)
	return s.elems[n:len(s.elems):len(s.elems)]
}

// take keeps what was appended to the slice that room returned.
func (s *Slab) take(elems []Value) []Value {
	if s == nil || len(elems) == 0 || cap(s.elems) == len(s.elems) {
		return elems
	}
	n := len(s.elems)
	if free := s.elems[: n+1 : n+1]; &free[n] == &elems[0] {
		s.elems = s.elems[:n+len(elems)]
		return elems[:len(elems):len(elems)]
	}
	return elems
}

// offset returns the absolute offset of b, a sub-slice of s.Data.
func (s *Source) offset(b []byte) int64 {
	return s.Off + int64(cap(s.Data)-cap(b))
}

// Open returns the element that src.Data begins with. Nothing inside it is
// decoded yet.
func Open(src *Source) (Value, error) { return OpenAt(src, src.Data) }

// OpenAt is [Open] for the element at the start of data, a sub-slice of
// src.Data.
func OpenAt(src *Source, data []byte) (Value, error) {
	v, err := src.Codec.Open(src, data)
	if err != nil {
		return Value{}, located(src, data, err)
	}
	v.attach(0)
	return v, nil
}

// SetEncoded makes v an undecoded value. It is for codecs: elem is the whole
// element, a sub-slice of src.Data, of which head bytes lie before and tail
// bytes behind the payload.
func (v *Value) SetEncoded(src *Source, kind Kind, elem []byte, head uint32, tail uint8) {
	v.f, v.num = newFrame(kind, head, tail), 0
	v.data = elem
	v.ref = src
}

// ErrElided is the error of asking for a large leaf that was not kept when the
// record was read from a stream.
var ErrElided = errors.New("value was skipped when the record was read")

// An Extent is a run of bytes that is not in memory but can be fetched: the
// payload of a large leaf, or the encoding of a container that holds one. The
// file it lies in must stay as it is; a file that was truncated meanwhile
// gives an error that unwraps to [io.ErrUnexpectedEOF].
type Extent struct {
	// Reader is where the bytes are; nil if they were skipped for good, and
	// reading them gives [ErrElided].
	Reader io.ReaderAt
	Off    int64
	Len    int64
}

// Read fetches all bytes of e.
func (e *Extent) Read() ([]byte, error) {
	if e.Reader == nil {
		return nil, ErrElided
	}
	if e.Len > math.MaxInt {
		return nil, fmt.Errorf("%d bytes do not fit in memory", e.Len)
	}
	b := make([]byte, e.Len)
	n, err := e.Reader.ReadAt(b, e.Off)
	if n == len(b) {
		return b, nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return nil, fmt.Errorf("input changed while it was read: %d bytes at offset %d: %w", e.Len, e.Off, err)
}

// External returns a bytes or text value whose payload is not in memory.
func External(kind Kind, payload *Extent) Value {
	if kind != KindBytes && kind != KindText {
		panic("state: External is for bytes and text, not " + kind.String())
	}
	return Value{f: frame(kind), ref: payload}
}

// ExternalContainer returns a list or map that is not in memory and is fetched
// as a whole when somebody looks into it. whole is its encoding.
func ExternalContainer(codec Codec, kind Kind, whole *Extent, depth int) Value {
	c := container{f: frame(kind), src: &Source{Codec: codec, Off: whole.Off}, ext: whole, depth: int32(depth)}
	if kind == KindMap {
		return Value{f: frame(kind), ref: &Map{c}}
	}
	return Value{f: frame(kind), ref: &List{c}}
}

// ExternalMap returns a map of which the encoding is not contiguous in memory
// because an external value lies inside. elems are its keys and values in turn
// and in logical order; whole is the encoding of the map as it was read.
func ExternalMap(src *Source, whole *Extent, depth int, elems []Value) Value {
	m := &Map{container{f: frame(KindMap), src: src, ext: whole, items: elems, opened: true, depth: int32(depth)}}
	return Value{f: frame(KindMap), ref: m}
}

// ExternalList is [ExternalMap] for a list.
func ExternalList(src *Source, whole *Extent, depth int, elems []Value) Value {
	l := &List{container{f: frame(KindList), src: src, ext: whole, items: elems, opened: true, depth: int32(depth)}}
	return Value{f: frame(KindList), ref: l}
}
