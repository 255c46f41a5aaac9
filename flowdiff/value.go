package flowdiff

import (
	"bytes"
	"unicode/utf8"

	"github.com/flowtool/flowtool/jsonl"
	"github.com/flowtool/flowtool/state"
)

// appendValue appends v as a line of package jsonl has it, but with bytes that
// are UTF-8 as plain strings, if plain is set.
func appendValue(dst []byte, v state.Value, plain bool) ([]byte, error) {
	if plain {
		var err error
		if v, err = plainBytes(v); err != nil {
			return dst, err
		}
	}
	line, err := jsonl.Append(nil, state.NewMap(state.E("v", v)))
	if err != nil {
		return dst, err
	}
	line = bytes.TrimPrefix(line, []byte(`{"v":`))
	return append(dst, line[:len(line)-len("}\n")]...), nil
}

// plainBytes returns v with text for all byte strings in it that are UTF-8.
func plainBytes(v state.Value) (state.Value, error) {
	switch v.Kind() {
	case state.KindBytes:
		b, err := v.Bytes()
		if err == nil && utf8.Valid(b) {
			return state.Text(string(b)), nil
		}
		return v, err
	case state.KindList:
		l, err := v.List()
		if err != nil {
			return v, err
		}
		elems := make([]state.Value, l.Len())
		for i, e := range l.All() {
			if elems[i], err = plainBytes(e); err != nil {
				return v, err
			}
		}
		return state.NewList(elems...).Value(), nil
	case state.KindMap:
		m, err := v.Map()
		if err != nil {
			return v, err
		}
		var entries []state.Entry
		for k, e := range m.All() {
			if e, err = plainBytes(e); err != nil {
				return v, err
			}
			entries = append(entries, state.Entry{Key: k, Value: e})
		}
		return state.NewMap(entries...).Value(), nil
	}
	return v, nil
}

// plainPair tells whether bytes may be shown as strings in a change: not if that
// is all that changed.
func plainPair(a, b state.Value) bool {
	text := func(v state.Value) bool { return v.Kind() == state.KindBytes || v.Kind() == state.KindText }
	return !text(a) || !text(b) || a.Kind() == b.Kind()
}
