package flowdiff

import (
	"bytes"
	"encoding/hex"
	"unicode/utf8"

	"github.com/flowtool/flowtool/jsonl"
	"github.com/flowtool/flowtool/state"
)

// AppendJSON appends r as a line with a JSON object; the package documentation
// says what is in it. The error is that of reading a value that is not in memory.
func (r *Report) AppendJSON(dst []byte) ([]byte, error) {
	m := r.head()
	changes := make([]state.Value, len(r.Changes))
	for k := range r.Changes {
		var err error
		if changes[k], err = r.Changes[k].value(); err != nil {
			return dst, err
		}
	}
	m.Set("changes", state.NewList(changes...).Value())
	if r.Elsewhere {
		m.Set("elsewhere", state.Bool(true))
	}
	return jsonl.Append(dst, m)
}

// AppendPatch appends a line with a JSON object: status, a and b as AppendJSON writes
// them, and
//
//   - patch, if there are two flows: the JSON Patch that [AppendPatch] makes of their
//     states, empty if they are the same,
//   - flow, if there is only one in b: the object of its state in package jsonl.
//
// a and b are the states of the flows of r, nil if there is no such flow.
func (r *Report) AppendPatch(dst []byte, a, b *state.Map) ([]byte, error) {
	line, err := jsonl.Append(dst, r.head())
	if err != nil {
		return dst, err
	}
	line = bytes.TrimSuffix(line, []byte("}\n"))
	switch {
	case a != nil && b != nil:
		line, err = AppendPatch(append(line, `,"patch":`...), a, b)
	case b != nil:
		line, err = jsonl.Append(append(line, `,"flow":`...), b)
	default:
		line = append(line, '\n')
	}
	if err != nil {
		return dst, err
	}
	return append(line[:len(line)-1], "}\n"...), nil
}

// head returns what all objects have: the status, and the flows.
func (r *Report) head() *state.Map {
	m := state.NewMap(state.E("status", state.Text(string(r.Status()))))
	for _, side := range []struct {
		key string
		ref *Ref
	}{{"a", r.A}, {"b", r.B}} {
		if side.ref != nil {
			m.Set(side.key, side.ref.value())
		}
	}
	return m
}

func (r *Ref) value() state.Value {
	return state.NewMap(
		state.E("index", state.Int(r.Index)),
		state.E("id", stringValue(r.ID)),
		state.E("type", stringValue(r.Type)),
		state.E("title", stringValue(r.Title)),
	).Value()
}

func (c *Change) value() (state.Value, error) {
	m := state.NewMap(
		state.E("path", stringValue(string(c.Path))),
		state.E("kind", state.Text(c.Kind.String())),
	)
	if c.From != "" {
		m.Set("from", stringValue(string(c.From)))
	}
	plain := plainPair(c.Old, c.New)
	for _, side := range []struct {
		key  string
		v    state.Value
		kind Kind // that has no such side
	}{{"old", c.Old, Added}, {"new", c.New, Removed}} {
		if c.Body != nil || c.Kind == side.kind {
			continue
		}
		v := side.v
		if plain {
			var err error
			if v, err = plainBytes(v); err != nil {
				return v, err
			}
		}
		m.Set(side.key, v)
	}
	if delta, ok := c.Delta(); ok {
		m.Set("delta", state.Float(delta))
	}
	if c.Body != nil {
		m.Set("body", c.Body.value())
	}
	if c.Note != "" {
		m.Set("note", state.Text(c.Note))
	}
	if c.Progress {
		m.Set("progress", state.Bool(true))
	}
	return m.Value(), nil
}

func (b *Body) value() state.Value {
	m := state.NewMap(
		state.E("old", b.Old.value()),
		state.E("new", b.New.value()),
	)
	if b.Old != b.New {
		m.Set("offset", state.Int(b.Offset))
	}
	if b.Hunks != nil {
		hunks := make([]state.Value, len(b.Hunks))
		for k, h := range b.Hunks {
			lines := make([]state.Value, len(h.Lines))
			for i, l := range h.Lines {
				lines[i] = stringValue(string(l.Op) + l.Text)
			}
			hunks[k] = state.NewMap(
				state.E("old_start", state.Int(int64(h.OldStart))),
				state.E("old_lines", state.Int(int64(h.OldLines))),
				state.E("new_start", state.Int(int64(h.NewStart))),
				state.E("new_lines", state.Int(int64(h.NewLines))),
				state.E("lines", state.NewList(lines...).Value()),
			).Value()
		}
		m.Set("hunks", state.NewList(hunks...).Value())
	}
	return m.Value()
}

func (c *Content) value() state.Value {
	return state.NewMap(
		state.E("size", state.Int(c.Size)),
		state.E("sha256", state.Text(hex.EncodeToString(c.SHA256[:]))),
	).Value()
}

// stringValue returns s as text, or as bytes if it is not UTF-8.
func stringValue(s string) state.Value {
	if utf8.ValidString(s) {
		return state.Text(s)
	}
	return bytesValue(s)
}
