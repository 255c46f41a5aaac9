package migrate

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/flowtool/flowtool/state"
)

var errKeyUTF8 = errors.New("key is not UTF-8")

// textKeys turns the bytes keys of m, and of maps in it at any depth, into text.
// Maps within lists stay as they are, as in mitmproxy. So does a key that is
// there as text already, which no release wrote.
func textKeys(m *state.Map) error {
	var texts map[string]bool
	for k := range m.All() {
		if k.Kind() != state.KindText {
			continue
		}
		s, err := k.Text()
		if err != nil {
			return err
		}
		if texts == nil {
			texts = make(map[string]bool)
		}
		texts[s] = true
	}
	for i := range m.Len() {
		e := m.Entry(i)
		if e.Key.Kind() == state.KindBytes {
			b, err := e.Key.Bytes()
			if err != nil {
				return err
			}
			if !utf8.Valid(b) {
				return state.At(errKeyUTF8, e.Key)
			}
			if !texts[string(b)] {
				e.Key = state.TextBytes(b)
				m.ReplaceKey(i, e.Key)
			}
		}
		if e.Value.Kind() == state.KindMap {
			sub, err := e.Value.Map()
			if err == nil {
				err = textKeys(sub)
			}
			if err != nil {
				return state.At(err, e.Key)
			}
		}
	}
	return nil
}

// textValues turns those values of m into text that are text since 0.18. Python
// 2 wrote them as bytes, up to 0.18.
func textValues(m *state.Map) error {
	if err := toText(m, "type", "id"); err != nil {
		return err
	}
	for _, sub := range []struct{ key, field string }{{"request", "first_line_format"}, {"error", "msg"}} {
		v, _ := m.Get(sub.key)
		if v.Kind() != state.KindMap {
			continue
		}
		s, err := v.Map()
		if err == nil {
			err = toText(s, sub.field)
		}
		if err != nil {
			return state.At(err, sub.key)
		}
	}
	return nil
}

func toText(m *state.Map, keys ...string) error {
	for _, key := range keys {
		v, _ := m.Get(key)
		if v.Kind() != state.KindBytes {
			continue
		}
		b, err := v.Bytes()
		if err != nil {
			return state.At(err, key)
		}
		m.Set(key, state.Text(escaped(b)))
	}
	return nil
}

// bytesOf returns v with bytes in place of all text in it.
func bytesOf(v state.Value) (state.Value, error) {
	return convertLeaves(v, func(v state.Value) (state.Value, error) {
		if v.Kind() != state.KindText {
			return v, nil
		}
		b, err := v.TextBytes()
		return state.Bytes(b), err
	})
}

// convertLeaves replaces every value in v that is neither a list nor a map, keys
// included, by what conv makes of it. Of two keys that become the same the first
// stays.
func convertLeaves(v state.Value, conv func(state.Value) (state.Value, error)) (state.Value, error) {
	switch v.Kind() {
	case state.KindList:
		l, err := v.List()
		if err != nil {
			return v, err
		}
		out := make([]state.Value, l.Len())
		for i, e := range l.All() {
			if out[i], err = convertLeaves(e, conv); err != nil {
				return v, state.At(err, i)
			}
		}
		return state.NewList(out...).Value(), nil
	case state.KindMap:
		m, err := v.Map()
		if err != nil {
			return v, err
		}
		out := state.NewMap()
		for k, e := range m.All() {
			if e, err = convertLeaves(e, conv); err != nil {
				return v, state.At(err, k)
			}
			if k, err = conv(k); err != nil {
				return v, err
			}
			if _, ok := out.GetKey(k); !ok {
				out.SetKey(k, e)
			}
		}
		return out.Value(), nil
	}
	return conv(v)
}

// escaped returns b as text, with \xNN for every byte that is not UTF-8.
func escaped(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	out := make([]byte, 0, len(b)+8)
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			out = fmt.Appendf(out, `\x%02x`, b[0])
		} else {
			out = append(out, b[:n]...)
		}
		b = b[n:]
	}
	return string(out)
}

// escapedASCII is escaped for text that must be ASCII.
func escapedASCII(b []byte) string {
	out := make([]byte, 0, len(b))
	for _, c := range b {
		if c < utf8.RuneSelf {
			out = append(out, c)
		} else {
			out = fmt.Appendf(out, `\x%02x`, c)
		}
	}
	return string(out)
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
