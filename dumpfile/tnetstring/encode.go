package tnetstring

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/flowtool/flowtool/state"
)

// Append appends the encoding of v to dst: the very bytes v was read from
// where nothing was changed, else exactly what mitmproxy would write.
//
// It fails on text that is not UTF-8, on maps with lists or maps as keys, on
// integers of more than [MaxDigits] digits (which mitmproxy could not read
// back), on nesting beyond [DefaultMaxDepth], on malformed values inside
// something that was changed, and when a value that is not in memory cannot be
// fetched. The error is a [state.PathError]; dst is returned as it was.
func Append(dst []byte, v state.Value) ([]byte, error) {
	if raw, ok, err := v.Raw(Encoding); err != nil {
		return dst, err
	} else if ok {
		return append(dst, raw...), nil
	}
	var e encoder
	if err := e.value(v, 1); err != nil {
		return dst, err
	}
	return append(dst, e.buf[e.start:]...), nil
}

// encoder writes from the end of buf to its start, because the length of an
// element stands before it and is known after it.
type encoder struct {
	buf   []byte
	start int
}

// room makes space for n bytes in front and returns it.
func (e *encoder) room(n int) []byte {
	if e.start < n {
		used := len(e.buf) - e.start
		grown := make([]byte, max(512, 2*len(e.buf), used+n))
		e.start = len(grown) - used
		copy(grown[e.start:], e.buf[len(e.buf)-used:])
		e.buf = grown
	}
	e.start -= n
	return e.buf[e.start : e.start+n]
}

func (e *encoder) bytes(b []byte) { copy(e.room(len(b)), b) }
func (e *encoder) byte(b byte)    { e.room(1)[0] = b }

// used returns the number of bytes written so far.
func (e *encoder) used() int { return len(e.buf) - e.start }

// prefix writes the length of everything behind the given mark.
func (e *encoder) prefix(mark int) {
	e.byte(':')
	var digits [20]byte
	e.bytes(strconv.AppendInt(digits[:0], int64(e.used()-1-mark), 10))
}

// value writes v; depth is the number of containers that v would be nested in
// if it were one, itself included.
func (e *encoder) value(v state.Value, depth int) error {
	raw, ok, err := v.Raw(Encoding)
	if err != nil {
		return err
	}
	if ok {
		e.bytes(raw)
		return nil
	}
	if v.Kind() >= state.KindList && depth > DefaultMaxDepth {
		return fmt.Errorf("%w: the limit is %d levels", ErrTooDeep, DefaultMaxDepth)
	}
	mark := e.used() + 1 // behind the tag
	var text []byte
	switch v.Kind() {
	case state.KindNull:
		e.byte('~')
	case state.KindBool:
		b, err := v.Bool()
		if err != nil {
			return err
		}
		e.byte('!')
		text = strconv.AppendBool(nil, b)
	case state.KindInt:
		i, err := v.BigInt()
		if err != nil {
			return err
		}
		if text = i.Append(nil, 10); len(bytes.TrimPrefix(text, []byte("-"))) > MaxDigits {
			return fmt.Errorf("%w: the limit is %d digits", ErrInt, MaxDigits)
		}
		e.byte('#')
	case state.KindFloat:
		f, err := v.Float64()
		if err != nil {
			return err
		}
		e.byte('^')
		text = state.AppendFloat(nil, f)
	case state.KindBytes:
		if text, err = v.Bytes(); err != nil {
			return err
		}
		e.byte(',')
	case state.KindText:
		if text, err = v.TextBytes(); err != nil {
			return err
		}
		if !utf8.Valid(text) {
			return ErrUTF8
		}
		e.byte(';')
	case state.KindList:
		l, err := v.List()
		if err != nil {
			return err
		}
		e.byte(']')
		for i := l.Len() - 1; i >= 0; i-- {
			if err := e.value(l.At(i), depth+1); err != nil {
				return state.At(err, i)
			}
		}
	case state.KindMap:
		m, err := v.Map()
		if err != nil {
			return err
		}
		e.byte('}')
		// From first to last: writing backwards is what reverses the entries.
		for key, val := range m.All() {
			if key.Kind() >= state.KindList {
				return ErrContainerKey
			}
			if err := e.value(val, depth+1); err != nil {
				return state.At(err, key)
			}
			if err := e.value(key, depth+1); err != nil {
				return err
			}
		}
	}
	e.bytes(text)
	e.prefix(mark)
	return nil
}

// Encode returns the encoding of v in a slice of its own; see [Append].
func Encode(v state.Value) ([]byte, error) {
	b, err := Append(nil, v)
	return slices.Clip(b), err
}
