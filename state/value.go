package state

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"math/big"
	"unicode/utf8"
)

// A Value is one node of a state tree. The zero Value is null. Values are
// small and passed by value; the maps and lists behind them are shared.
type Value struct {
	f    frame
	data []byte // the encoded element; the payload alone if made in memory
	num  uint64 // bool, int64 or float bits, if made in memory
	ref  any    // nil, *Source (not decoded yet), *Extent, *Map, *List, *big.Int
}

// A frame is the kind of a value and how many encoded bytes lie before and
// behind its payload. It is one word, and a value seven, because then values are
// passed in registers; that is a third of the time that reading a flow takes.
type frame uint64

func newFrame(kind Kind, head uint32, tail uint8) frame {
	return frame(kind) | frame(tail)<<8 | frame(head)<<32
}

func (f frame) kind() Kind  { return Kind(f) }
func (f frame) tail() int   { return int(uint8(f >> 8)) }
func (f frame) head() int   { return int(f >> 32) }
func (f frame) bare() frame { return frame(f.kind()) }

// Null returns the null value, which is also the zero Value.
func Null() Value { return Value{} }

// Bool returns a boolean value.
func Bool(b bool) Value {
	if b {
		return Value{f: frame(KindBool), num: 1}
	}
	return Value{f: frame(KindBool)}
}

// Int returns an integer value.
func Int(i int64) Value { return Value{f: frame(KindInt), num: uint64(i)} }

// BigInt returns an integer value of any size. The caller must not change i
// afterwards.
func BigInt(i *big.Int) Value {
	if i.IsInt64() {
		return Int(i.Int64())
	}
	return Value{f: frame(KindInt), ref: i}
}

// Float returns a float value.
func Float(f float64) Value { return Value{f: frame(KindFloat), num: math.Float64bits(f)} }

// Bytes returns a byte string. It aliases b; nil is the empty byte string.
func Bytes(b []byte) Value { return Value{f: frame(KindBytes), data: b} }

// Text returns a text value. Text is UTF-8; encoding a text that is not fails.
func Text(s string) Value { return Value{f: frame(KindText), data: []byte(s)} }

// TextBytes returns a text value that aliases b.
func TextBytes(b []byte) Value { return Value{f: frame(KindText), data: b} }

// Kind returns what v is.
func (v Value) Kind() Kind { return v.f.kind() }

// IsNull tells whether v is null.
func (v Value) IsNull() bool { return v.f.kind() == KindNull }

// attach gives an undecoded container the node that will hold its elements, so
// that every copy of v shares it.
func (v *Value) attach(depth int32) {
	if v.f.kind() < KindList {
		return
	}
	src, ok := v.ref.(*Source)
	if !ok {
		return
	}
	c := container{f: v.f, src: src, raw: v.data, depth: depth}
	if v.f.kind() == KindMap {
		v.ref = &Map{c}
	} else {
		v.ref = &List{c}
	}
	v.data, v.f = nil, v.f.bare()
}

// Attach makes all copies of the undecoded list or map v made from now on share
// what is decoded and changed in it, and returns v.
func (v *Value) Attach() *Value {
	v.attach(0)
	return v
}

// container returns the node behind a list or a map.
func (v Value) container() *container {
	switch n := v.ref.(type) {
	case *Map:
		return &n.container
	case *List:
		return &n.container
	}
	return nil
}

// payload returns the bytes of v without their frame.
func (v *Value) payload() []byte {
	return v.data[v.f.head() : len(v.data)-v.f.tail()]
}

// Payload returns the encoded bytes of a scalar without their frame, nil if it
// was not read from a record or is not in memory. Unlike the result of
// [Value.TextBytes] it is not checked in any way.
func (v *Value) Payload() []byte { return v.payload() }

func (v Value) is(want Kind) error {
	if v.f.kind() != want {
		return &TypeError{Want: want.String(), Got: v.f.kind().String()}
	}
	return nil
}

// scalar decodes v if that has not been done yet.
func (v Value) scalar(want Kind) (Value, error) {
	if err := v.is(want); err != nil {
		return Value{}, err
	}
	src, ok := v.ref.(*Source)
	if !ok {
		return v, nil
	}
	d, err := src.Codec.Scalar(v.f.kind(), v.payload())
	if err != nil {
		return Value{}, located(src, v.payload(), err)
	}
	return d, nil
}

// Bool returns the boolean v.
func (v Value) Bool() (bool, error) {
	d, err := v.scalar(KindBool)
	return d.num != 0, err
}

// A NumberCodec is a [Codec] that can decode usual numbers without making values
// of them. ok is false for all others.
type NumberCodec interface {
	Int(payload []byte) (i int64, ok bool)
	Float(payload []byte) (f float64, ok bool)
}

// Int64 returns the integer v. An integer that needs more than 64 bits is a
// [RangeError].
func (v Value) Int64() (int64, error) {
	if src, ok := v.ref.(*Source); ok && v.f.kind() == KindInt {
		if codec, ok := src.Codec.(NumberCodec); ok {
			if i, ok := codec.Int(v.payload()); ok {
				return i, nil
			}
		}
	}
	d, err := v.scalar(KindInt)
	if err != nil {
		return 0, err
	}
	if d.ref != nil {
		return 0, &RangeError{Int: d.ref.(*big.Int)}
	}
	return int64(d.num), nil
}

// BigInt returns the integer v.
func (v Value) BigInt() (*big.Int, error) {
	d, err := v.scalar(KindInt)
	if err != nil {
		return nil, err
	}
	if b, ok := d.ref.(*big.Int); ok {
		return b, nil
	}
	return big.NewInt(int64(d.num)), nil
}

// Float64 returns the float v. Integers are not converted: see [Value.Number].
func (v Value) Float64() (float64, error) {
	if src, ok := v.ref.(*Source); ok && v.f.kind() == KindFloat {
		if codec, ok := src.Codec.(NumberCodec); ok {
			if f, ok := codec.Float(v.payload()); ok {
				return f, nil
			}
		}
	}
	d, err := v.scalar(KindFloat)
	return math.Float64frombits(d.num), err
}

// Number returns a float, or an integer converted to one.
func (v Value) Number() (float64, error) {
	if v.f.kind() == KindInt {
		d, err := v.scalar(KindInt)
		if err != nil {
			return 0, err
		}
		if b, ok := d.ref.(*big.Int); ok {
			f, _ := new(big.Float).SetInt(b).Float64()
			return f, nil
		}
		return float64(int64(d.num)), nil
	}
	if v.f.kind() != KindFloat {
		return 0, &TypeError{Want: "number", Got: v.f.kind().String()}
	}
	return v.Float64()
}

// Bytes returns the byte string v. The result aliases the record it came from
// and must not be changed; appending to it is safe. A byte string that is not
// in memory is fetched anew on every call (see [Extent]).
func (v Value) Bytes() ([]byte, error) {
	if err := v.is(KindBytes); err != nil {
		return nil, err
	}
	return v.content()
}

// StringBytes is [Value.Bytes] for a byte string and [Value.TextBytes] for a text.
func (v *Value) StringBytes() ([]byte, error) {
	if k := v.f.kind(); k != KindBytes && k != KindText {
		return nil, &TypeError{Want: "bytes or text", Got: k.String()}
	}
	return v.content()
}

// content returns the content of a byte string or text.
func (v *Value) content() ([]byte, error) {
	if e, ok := v.ref.(*Extent); ok {
		return e.Read()
	}
	p := v.payload()
	if v.ref != nil && v.f.kind() == KindText && !utf8.Valid(p) {
		// The codec words the error.
		if _, err := v.scalar(KindText); err != nil {
			return nil, err
		}
	}
	return p[:len(p):len(p)], nil
}

// Text returns the text v.
func (v Value) Text() (string, error) {
	b, err := v.TextBytes()
	return string(b), err
}

// TextBytes returns the UTF-8 of the text v without copying it. Like the
// result of [Value.Bytes] it must not be changed.
func (v Value) TextBytes() ([]byte, error) {
	if err := v.is(KindText); err != nil {
		return nil, err
	}
	return v.content()
}

// IsKey tells whether v is the text key, without copying or checking anything.
func (v *Value) IsKey(key string) bool {
	return v.f.kind() == KindText && string(v.payload()) == key
}

// Len returns the number of bytes in a byte string or text, without fetching
// it, or the number of elements of a list or map, decoding one level. It is 0
// for everything else and for what is malformed.
func (v Value) Len() int64 {
	switch n := v.ref.(type) {
	case *Extent:
		return n.Len
	case *Map:
		if n.open() != nil {
			return 0
		}
		return int64(len(n.items) / 2)
	case *List:
		if n.open() != nil {
			return 0
		}
		return int64(len(n.items))
	case *Source:
		if v.f.kind() >= KindList && len(v.payload()) > 0 {
			elems, err := v.Elements(nil)
			if v.f.kind() == KindMap {
				elems = elems[:len(elems)/2]
			}
			if err != nil {
				return 0
			}
			return int64(len(elems))
		}
	}
	if v.f.kind() == KindBytes || v.f.kind() == KindText {
		return int64(len(v.payload()))
	}
	return 0
}

// IsEmpty tells whether v is a byte string or text without bytes, or a list or map
// without elements. Unlike Len it decodes and fetches nothing.
func (v *Value) IsEmpty() bool {
	if v.f.kind() < KindBytes {
		return false
	}
	if e, ok := v.ref.(*Extent); ok {
		return e.Len == 0
	}
	if c := v.container(); c != nil {
		if c.opened {
			return len(c.items) == 0
		}
		return c.raw != nil && len(c.raw) == c.f.head()+c.f.tail()
	}
	return len(v.payload()) == 0
}

// InMemory tells whether the bytes or text v can be had without reading from
// the input again.
func (v Value) InMemory() bool {
	_, ext := v.ref.(*Extent)
	return !ext
}

// Reader returns a reader of the byte string or text v. It does not bring a
// value that is not in memory into memory as a whole.
func (v Value) Reader() (io.Reader, error) {
	if v.f.kind() != KindBytes && v.f.kind() != KindText {
		return nil, &TypeError{Want: "bytes", Got: v.f.kind().String()}
	}
	if e, ok := v.ref.(*Extent); ok {
		if e.Reader == nil {
			return nil, ErrElided
		}
		return io.NewSectionReader(e.Reader, e.Off, e.Len), nil
	}
	return bytes.NewReader(v.payload()), nil
}

// Map returns the map v after splitting it into its elements.
func (v Value) Map() (*Map, error) {
	if err := v.is(KindMap); err != nil {
		return nil, err
	}
	v.attach(0)
	m := v.ref.(*Map)
	return m, m.open()
}

// List returns the list v after splitting it into its elements.
func (v Value) List() (*List, error) {
	if err := v.is(KindList); err != nil {
		return nil, err
	}
	v.attach(0)
	l := v.ref.(*List)
	return l, l.open()
}

// Elements appends the elements of the list or map v to buf and returns it; a
// map gives keys and values in turn. It is for reading only and leaves no trace
// in the tree: what is changed in a list or map among the elements is lost,
// unless it had been reached through [Value.Map] or [Value.List] before. In
// return it allocates nothing if buf is large enough.
func (v *Value) Elements(buf []Value) ([]Value, error) {
	if v.f.kind() < KindList {
		return buf, &TypeError{Want: "list or map", Got: v.f.kind().String()}
	}
	src, data, f, depth := (*Source)(nil), v.data, v.f, 0
	if c := v.container(); c == nil {
		src = v.ref.(*Source)
	} else if c.opened || c.raw == nil {
		if err := c.open(); err != nil {
			return buf, err
		}
		return append(buf, c.items...), nil
	} else {
		src, data, f, depth = c.src, c.raw, c.f, int(c.depth)
	}
	payload := data[f.head() : len(data)-f.tail()]
	buf, err := src.Codec.Elements(src, v.f.kind(), payload, depth+1, buf)
	if err != nil {
		err = located(src, payload, err)
	}
	return buf, err
}

// A PairCodec is a [Codec] that can look through a list of pairs of byte
// strings, as headers are stored, without making values of them.
type PairCodec interface {
	// Pairs calls yield with the content of the byte strings, in order, until
	// it returns false. If payload, that of a list, is not encoded as usual, or
	// not a list of such pairs, it stops and returns false.
	Pairs(payload []byte, yield func(first, second []byte) bool) bool
}

// Pairs calls yield with the pairs of byte strings in the list v. If it returns
// false, v is not a list of such pairs, or not encoded in a way that can be
// looked through quickly, and what was yielded is void: see [Value.Elements].
func (v *Value) Pairs(yield func(first, second []byte) bool) bool {
	if v.f.kind() != KindList {
		return false
	}
	src, data, f := (*Source)(nil), v.data, v.f
	switch n := v.ref.(type) {
	case *Source:
		src = n
	case *List:
		if n.raw == nil || n.opened && !n.clean() {
			return false
		}
		src, data, f = n.src, n.raw, n.f
	default:
		return false
	}
	codec, ok := src.Codec.(PairCodec)
	return ok && codec.Pairs(data[f.head():len(data)-f.tail()], yield)
}

// Raw returns the bytes v was read from, if it comes from an encoding with the
// given name and nothing in it was changed since. Otherwise ok is false and v
// has to be encoded.
func (v Value) Raw(encoding string) (raw []byte, ok bool, err error) {
	switch n := v.ref.(type) {
	case *Source:
		return v.data, n.Codec.Encoding() == encoding, nil
	case *Map:
		return n.rawBytes(encoding)
	case *List:
		return n.rawBytes(encoding)
	}
	return nil, false, nil
}

// Truthy tells whether Python would take v for true: not null, false, zero or
// empty. Several rules of the format are worded that way.
func (v Value) Truthy() bool {
	switch v.f.kind() {
	case KindNull:
		return false
	case KindBool:
		b, err := v.Bool()
		return b && err == nil
	case KindInt:
		i, err := v.BigInt()
		return err == nil && i.Sign() != 0
	case KindFloat:
		f, err := v.Float64()
		return err == nil && f != 0
	default:
		return v.Len() > 0
	}
}

// String describes v for error messages and tests, shortened. It is not an
// encoding.
func (v Value) String() string {
	const most = 40
	switch v.f.kind() {
	case KindNull:
		return "null"
	case KindBool:
		b, err := v.Bool()
		return orError(fmt.Sprint(b), err)
	case KindInt:
		i, err := v.BigInt()
		if err != nil {
			return orError("", err)
		}
		return i.String()
	case KindFloat:
		f, err := v.Float64()
		return orError(FormatFloat(f), err)
	case KindList, KindMap:
		return fmt.Sprintf("%s of %d", v.f.kind(), v.Len())
	}
	if !v.InMemory() {
		return fmt.Sprintf("%s of %d bytes", v.f.kind(), v.Len())
	}
	p := v.payload()
	more := ""
	if len(p) > most {
		p, more = p[:most], "…"
	}
	if v.f.kind() == KindBytes {
		return fmt.Sprintf("b%q%s", p, more)
	}
	return fmt.Sprintf("%q%s", p, more)
}

func orError(s string, err error) string {
	if err != nil {
		return "malformed (" + err.Error() + ")"
	}
	return s
}

// Encoded returns the bytes that v was read from, whether or not it was
// changed since; ok is false if it was made in memory or if its bytes are not
// contiguous in memory.
func (v Value) Encoded() (raw []byte, ok bool) {
	if _, lazy := v.ref.(*Source); lazy {
		return v.data, true
	}
	if c := v.container(); c != nil && c.raw != nil {
		return c.raw, true
	}
	return nil, false
}
