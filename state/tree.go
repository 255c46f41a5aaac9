package state

import (
	"bytes"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Clone returns a copy of v that can be changed without changing v, and the
// other way round. Encoded bytes are shared: they are never written to.
func Clone(v Value) Value {
	switch n := v.ref.(type) {
	case *Map:
		v.ref = &Map{n.clone()}
	case *List:
		v.ref = &List{n.clone()}
	}
	return v
}

// Clone returns a copy of m as [Clone] does.
func (m *Map) Clone() *Map {
	c := &Map{m.container.clone()}
	if err := c.open(); err != nil {
		panic("state: a map that was open cannot be opened again: " + err.Error())
	}
	return c
}

// Detach returns a copy of v that owns all its memory, for keeping a small
// part of a record without keeping the record. Values that are not in memory
// stay where they are.
func Detach(v Value) Value {
	switch n := v.ref.(type) {
	case *Source:
		return detachScalar(v, n)
	case *Map:
		return Value{f: v.f, ref: &Map{n.detach()}}
	case *List:
		return Value{f: v.f, ref: &List{n.detach()}}
	}
	v.data = bytes.Clone(v.data)
	return v
}

func detachScalar(v Value, src *Source) Value {
	off := src.offset(v.data)
	v.data = bytes.Clone(v.data)
	v.ref = &Source{Codec: src.Codec, Data: v.data, Off: off}
	return v
}

func (c *container) detach() container {
	d := *c
	if c.raw != nil && c.clean() {
		d.raw = bytes.Clone(c.raw)
		d.src = &Source{Codec: c.src.Codec, Data: d.raw, Off: c.src.offset(c.raw)}
		d.items, d.opened = nil, false
		return d
	}
	if !c.opened {
		return d // external as a whole
	}
	d.raw = nil
	d.items = make([]Value, len(c.items))
	for i := range c.items {
		d.items[i] = Detach(c.items[i])
	}
	return d
}

// Validate decodes everything in v that is in memory and returns the first
// error it meets, with its path.
func Validate(v Value) error {
	switch v.f.kind() {
	case KindMap:
		m, err := v.Map()
		if err != nil {
			return err
		}
		for k, e := range m.All() {
			if err := Validate(k); err != nil {
				return err
			}
			if err := Validate(e); err != nil {
				return At(err, k)
			}
		}
	case KindList:
		l, err := v.List()
		if err != nil {
			return err
		}
		for i, e := range l.All() {
			if err := Validate(e); err != nil {
				return At(err, i)
			}
		}
	case KindNull, KindBytes:
	default:
		if _, ok := v.ref.(*Source); ok {
			_, err := v.scalar(v.f.kind())
			return err
		}
	}
	return nil
}

// Equal tells whether a and b are the same state: of the same kind, numbers of
// the same value, maps with equal values under the same keys in any order.
// Every NaN equals every other, and 0.0 differs from -0.0. Malformed values
// equal only a value with the same bytes.
func Equal(a, b Value) bool {
	if a.f.kind() != b.f.kind() {
		return false
	}
	if sameBytes(a, b) {
		return true
	}
	switch a.f.kind() {
	case KindNull:
		return true
	case KindBool:
		x, err1 := a.Bool()
		y, err2 := b.Bool()
		return err1 == nil && err2 == nil && x == y
	case KindInt:
		x, err1 := a.BigInt()
		y, err2 := b.BigInt()
		return err1 == nil && err2 == nil && x.Cmp(y) == 0
	case KindFloat:
		x, err1 := a.Float64()
		y, err2 := b.Float64()
		return err1 == nil && err2 == nil && (math.Float64bits(x) == math.Float64bits(y) || x != x && y != y)
	case KindBytes:
		x, err1 := a.Bytes()
		y, err2 := b.Bytes()
		return err1 == nil && err2 == nil && bytes.Equal(x, y)
	case KindText:
		x, err1 := a.TextBytes()
		y, err2 := b.TextBytes()
		return err1 == nil && err2 == nil && bytes.Equal(x, y)
	case KindList:
		x, err1 := a.List()
		y, err2 := b.List()
		if err1 != nil || err2 != nil || x.Len() != y.Len() {
			return false
		}
		for i := range x.items {
			if !Equal(x.at(i), y.at(i)) {
				return false
			}
		}
		return true
	default:
		x, err1 := a.Map()
		y, err2 := b.Map()
		if err1 != nil || err2 != nil || x.Len() != y.Len() {
			return false
		}
		for i := 0; i < len(x.items); i += 2 {
			j := i // the same place is the likely one
			if !SameKey(x.items[i], y.items[j]) {
				if j = y.findKey(x.items[i]); j < 0 {
					return false
				}
			}
			if !Equal(x.at(i+1), y.at(j+1)) {
				return false
			}
		}
		return true
	}
}

// sameBytes is a short cut: equal encodings are equal values.
func sameBytes(a, b Value) bool {
	x, y := a.encoded(), b.encoded()
	return x != nil && y != nil && bytes.Equal(x, y)
}

// encoded returns the unchanged encoding of v if it is at hand.
func (v Value) encoded() []byte {
	if _, ok := v.ref.(*Source); ok {
		return v.data
	}
	if c := v.container(); c != nil && c.raw != nil && c.clean() {
		return c.raw
	}
	return nil
}

// SameKey tells whether a and b are the same map key. The rules are Python's,
// because mitmproxy's maps are: 1, 1.0 and true are one key, text never equals
// bytes, no NaN equals another.
func SameKey(a, b Value) bool {
	if a.f.kind() == KindText || a.f.kind() == KindBytes || b.f.kind() == KindText || b.f.kind() == KindBytes {
		return a.f.kind() == b.f.kind() && bytes.Equal(a.payload(), b.payload())
	}
	if a.f.kind() == KindNull || b.f.kind() == KindNull {
		return a.f.kind() == b.f.kind()
	}
	x, xf := a.rat()
	y, yf := b.rat()
	if x != nil && y != nil {
		return x.Cmp(y) == 0
	}
	return x == nil && y == nil && xf == yf // infinities; NaN is never equal
}

// rat returns the number behind a bool, int or float; nil for what has no
// exact fraction, with the float itself.
func (v Value) rat() (*big.Rat, float64) {
	switch v.f.kind() {
	case KindBool:
		if b, _ := v.Bool(); b {
			return big.NewRat(1, 1), 0
		}
		return new(big.Rat), 0
	case KindInt:
		if i, err := v.BigInt(); err == nil {
			return new(big.Rat).SetInt(i), 0
		}
	case KindFloat:
		f, err := v.Float64()
		if err == nil {
			return new(big.Rat).SetFloat64(f), f
		}
	}
	return nil, math.NaN()
}

// FormatFloat returns the text of f that mitmproxy writes: the shortest one
// that reads back as f, positional from 1e-4 to 1e16 and always with a
// fraction there, with an exponent of at least two digits elsewhere, and
// "inf", "-inf" and "nan".
func FormatFloat(f float64) string { return string(AppendFloat(nil, f)) }

// AppendFloat appends what [FormatFloat] returns to dst.
func AppendFloat(dst []byte, f float64) []byte {
	switch {
	case f != f:
		return append(dst, "nan"...)
	case math.IsInf(f, 1):
		return append(dst, "inf"...)
	case math.IsInf(f, -1):
		return append(dst, "-inf"...)
	}
	start := len(dst)
	if a := math.Abs(f); a < 1e-3 || a >= 1e15 {
		// The rounded decimal exponent decides, so it is read off the shortest
		// exponent form instead of being compared with 1e16.
		dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
		e := bytes.IndexByte(dst[start:], 'e') + start
		exp, _ := strconv.Atoi(string(dst[e+1:]))
		if exp < -4 || exp >= 16 {
			return dst
		}
	}
	dst = strconv.AppendFloat(dst[:start], f, 'f', -1, 64)
	if !strings.Contains(string(dst[start:]), ".") {
		dst = append(dst, ".0"...)
	}
	return dst
}
