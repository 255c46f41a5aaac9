package tnetstring

import (
	"errors"

	"github.com/flowtool/flowtool/state"
)

// Frame frames the element at the start of data if it is complete and its
// length is spelled as mitmproxy does: head is the length of its prefix and end
// that of the element, whose tag stands at data[end-1]. Otherwise both are 0.
// It is for programs that walk through records without making values.
func Frame(data []byte) (head, end int) { return usual(data) }

// OpenRecord returns the map that a record is, which refers to record. More than
// one record, or one that is no map, is an error.
func (c Codec) OpenRecord(record []byte) (state.Value, error) {
	v, err := state.Open(&state.Source{Codec: c, Data: record})
	if err != nil {
		return v, err
	}
	if raw, _, _ := v.Raw(Encoding); len(raw) < len(record) {
		return v, &state.PathError{Offset: int64(len(raw)), Err: errors.New("more than one record")}
	}
	if v.Kind() != state.KindMap {
		return v, &state.TypeError{Want: "map", Got: v.Kind().String()}
	}
	return v, nil
}

// Canonical returns the encoding that mitmproxy would write for v, whatever v
// was read from. It fails where [Append] does and where [state.Validate] does.
func Canonical(v state.Value) ([]byte, error) {
	if err := state.Validate(v); err != nil {
		return nil, err
	}
	c, err := rebuilt(v)
	if err != nil {
		return nil, err
	}
	return Append(nil, c)
}

// rebuilt returns a copy of v that does not know what it was read from.
func rebuilt(v state.Value) (state.Value, error) {
	switch v.Kind() {
	case state.KindBool:
		b, err := v.Bool()
		return state.Bool(b), err
	case state.KindInt:
		i, err := v.BigInt()
		if err != nil {
			return state.Value{}, err
		}
		return state.BigInt(i), nil
	case state.KindFloat:
		f, err := v.Float64()
		return state.Float(f), err
	case state.KindBytes:
		b, err := v.Bytes()
		return state.Bytes(b), err
	case state.KindText:
		b, err := v.TextBytes()
		return state.TextBytes(b), err
	case state.KindList:
		l, err := v.List()
		if err != nil {
			return state.Value{}, err
		}
		elems := make([]state.Value, l.Len())
		for i, e := range l.All() {
			if elems[i], err = rebuilt(e); err != nil {
				return state.Value{}, state.At(err, i)
			}
		}
		return state.NewList(elems...).Value(), nil
	case state.KindMap:
		m, err := v.Map()
		if err != nil {
			return state.Value{}, err
		}
		entries := make([]state.Entry, 0, m.Len())
		for k, e := range m.All() {
			var entry state.Entry
			if entry.Key, err = rebuilt(k); err != nil {
				return state.Value{}, err
			}
			if entry.Value, err = rebuilt(e); err != nil {
				return state.Value{}, state.At(err, k)
			}
			entries = append(entries, entry)
		}
		return state.NewMap(entries...).Value(), nil
	}
	return state.Null(), nil
}
