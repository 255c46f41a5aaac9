package jsonl

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/state"
)

// canonical returns the record that mitmproxy would write for the state v,
// whatever v was read from.
func canonical(v state.Value) ([]byte, error) {
	c, err := rebuilt(v)
	if err != nil {
		return nil, err
	}
	return tnetstring.Append(nil, c)
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

// original appends the record in $raw to dst, unless the rest of the line, whose
// record is rest, says something else: then somebody changed it, and it counts.
func (d *decoder) original(dst, rest []byte, c tnetstring.Codec) ([]byte, error) {
	text := d.plain(d.rawAt, d.raw)
	raw, err := base64.StdEncoding.Strict().AppendDecode(nil, text)
	if err != nil || base64.StdEncoding.EncodedLen(len(raw)) != len(text) {
		return dst, fail(d.rawAt, errBase64).under([]byte(tagRaw))
	}
	wrong := func(err error) ([]byte, error) {
		return dst, fail(d.rawAt, fmt.Errorf("no record of a flow: %w", err)).under([]byte(tagRaw))
	}
	v, err := state.Open(&state.Source{Codec: c, Data: raw})
	if err != nil {
		return wrong(err)
	}
	if whole, _, _ := v.Raw(tnetstring.Encoding); len(whole) < len(raw) || v.Kind() != state.KindMap {
		return wrong(errors.New("more, or something else"))
	}
	if err := state.Validate(v); err != nil {
		return wrong(err)
	}
	if string(rest) == "0:}" {
		return append(dst, raw...), nil // there is nothing else
	}
	r, err := state.Open(&state.Source{Codec: c, Data: rest})
	if err != nil {
		return wrong(err)
	}
	was, err := canonical(v)
	if err != nil {
		return wrong(err)
	}
	is, err := canonical(r)
	if err != nil {
		return wrong(err)
	}
	if bytes.Equal(was, is) {
		return append(dst, raw...), nil
	}
	return append(dst, rest...), nil
}
