package migrate

import (
	"fmt"
	"math"
	"unicode/utf16"

	"github.com/flowtool/flowtool/state"
)

// convertMetadata replaces keys and values of the metadata of a flow by what conv
// makes of them. Of two keys that become the same the first stays.
func (d *downgrade) convertMetadata(m *state.Map, conv func(v state.Value, key bool) (state.Value, error)) error {
	was, err := m.Map("metadata")
	if err != nil {
		return err
	}
	var out []state.Entry
	texts := make(map[string]bool) // keys in out: those that are text
	other := state.NewMap()        // and the others, which are few
	for k, v := range was.All() {
		key, err := conv(k, true)
		if err == nil {
			v2, err2 := conv(v, false)
			if !state.Equal(k, key) || !state.Equal(v, v2) {
				d.lose("type of metadata", "metadata", k)
			}
			v, err = v2, err2
		}
		if err != nil {
			return state.At(state.At(err, k), "metadata")
		}
		var known bool
		if text, err := key.Text(); err == nil {
			known = texts[text]
			texts[text] = true
		} else if _, known = other.GetKey(key); !known {
			other.SetKey(key, state.Null())
		}
		if !known {
			out = append(out, state.Entry{Key: key, Value: v})
		}
	}
	m.Set("metadata", state.NewMap(out...).Value())
	return nil
}

// jsonable returns v with text in place of bytes, which is all that JSON lacks.
func jsonable(v state.Value, _ bool) (state.Value, error) {
	return convertLeaves(v, func(v state.Value) (state.Value, error) {
		if v.Kind() != state.KindBytes {
			return v, nil
		}
		b, err := v.Bytes()
		return state.Text(escaped(b)), err
	})
}

// flat returns v if it is text, an integer, a bool or null, and else its JSON. A
// key becomes text in any case.
func flat(v state.Value, key bool) (state.Value, error) {
	switch v.Kind() {
	case state.KindText:
		return v, nil
	case state.KindBytes:
		b, err := v.Bytes()
		return state.Text(escaped(b)), err
	case state.KindNull, state.KindBool, state.KindInt:
		if !key {
			return v, nil
		}
	}
	b, err := appendJSON(nil, v)
	return state.Text(string(b)), err
}

// appendJSON appends v as Python writes it as JSON.
func appendJSON(dst []byte, v state.Value) ([]byte, error) {
	switch v.Kind() {
	case state.KindNull:
		return append(dst, "null"...), nil
	case state.KindBool:
		t, err := v.Bool()
		return fmt.Append(dst, t), err
	case state.KindInt:
		n, err := v.BigInt()
		if err != nil {
			return dst, err
		}
		return n.Append(dst, 10), nil
	case state.KindFloat:
		f, err := v.Float64()
		switch {
		case math.IsNaN(f):
			return append(dst, "NaN"...), err
		case math.IsInf(f, 1):
			return append(dst, "Infinity"...), err
		case math.IsInf(f, -1):
			return append(dst, "-Infinity"...), err
		}
		return state.AppendFloat(dst, f), err
	case state.KindBytes:
		b, err := v.Bytes()
		return appendJSONText(dst, escaped(b)), err
	case state.KindText:
		s, err := v.Text()
		return appendJSONText(dst, s), err
	case state.KindList:
		l, err := v.List()
		if err != nil {
			return dst, err
		}
		dst = append(dst, '[')
		for i, e := range l.All() {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			if dst, err = appendJSON(dst, e); err != nil {
				return dst, state.At(err, i)
			}
		}
		return append(dst, ']'), nil
	}
	m, err := v.Map()
	if err != nil {
		return dst, err
	}
	dst = append(dst, '{')
	for i := range m.Len() {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		e := m.Entry(i)
		key, err := flat(e.Key, true)
		if err != nil {
			return dst, err
		}
		if dst, err = appendJSON(dst, key); err != nil {
			return dst, err
		}
		if dst, err = appendJSON(append(dst, ": "...), e.Value); err != nil {
			return dst, state.At(err, e.Key)
		}
	}
	return append(dst, '}'), nil
}

// appendJSONText appends s in quotes, in ASCII.
func appendJSONText(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case r == '\b':
			dst = append(dst, `\b`...)
		case r == '\f':
			dst = append(dst, `\f`...)
		case r >= ' ' && r <= '~':
			dst = append(dst, byte(r))
		default:
			for _, u := range utf16.Encode([]rune{r}) {
				dst = fmt.Appendf(dst, `\u%04x`, u)
			}
		}
	}
	return append(dst, '"')
}
