package migrate

import (
	"fmt"
	"math"
	"math/big"
	"slices"

	"github.com/flowtool/flowtool/state"
)

// finish returns the flow m, which went through all steps, in the shape that
// mitmproxy gives it when it reads and writes it: exactly the keys of the format
// in their order, with values of the types of the format.
func finish(m *state.Map, s *schema) (*state.Map, error) {
	typ, err := m.Text("type")
	if err != nil {
		return nil, err
	}
	t := s.of(typ)
	if t == nil {
		return nil, state.At(fmt.Errorf("unknown flow type %s", state.Text(typ)), "type")
	}
	if typ == "http" {
		if err := fillTimes(m); err != nil {
			return nil, err
		}
	}
	if t, _ := m.Get("timestamp_created"); t.IsNull() {
		t, err := started(m)
		if err != nil {
			return nil, err
		}
		m.Set("timestamp_created", t)
	}
	if v, _ := m.Get("backup"); !isFlow(v, typ) {
		setNull(m, "backup")
	}
	return t.rebuild(m)
}

// isFlow tells whether v is a flow of the given type.
func isFlow(v state.Value, typ string) bool {
	m, err := v.Map()
	if err != nil {
		return false
	}
	t, err := m.Text("type")
	return err == nil && t == typ
}

// A field is a key of a map, with the rule for its value.
type field struct {
	key    string
	as     rule
	absent func() state.Value // what a missing key means; nil if it must be there
}

// A rule returns a value in the type that the format demands, or an error if it
// is something else altogether.
type rule func(state.Value) (state.Value, error)

// A table is the fields of a map, in order.
type table struct {
	fields []field
	keys   []state.Value // those of fields; all maps share them
}

func tableOf(parts ...[]field) *table {
	t := &table{fields: slices.Concat(parts...)}
	for _, f := range t.fields {
		t.keys = append(t.keys, state.Text(f.key))
	}
	return t
}

// rebuild returns a map of the fields of m that are in t.
func (t *table) rebuild(m *state.Map) (*state.Map, error) {
	entries := make([]state.Entry, len(t.fields))
	for i, f := range t.fields {
		v, ok := m.Get(f.key)
		if !ok {
			if f.absent == nil {
				return nil, state.At(state.ErrMissing, f.key)
			}
			v = f.absent()
		}
		v, err := f.as(v)
		if err != nil {
			return nil, state.At(err, f.key)
		}
		entries[i] = state.Entry{Key: t.keys[i], Value: v}
	}
	return state.NewMap(entries...), nil
}

// mapOf is the rule for a map of the given fields.
func mapOf(fields []field) rule {
	t := tableOf(fields)
	return func(v state.Value) (state.Value, error) {
		m, err := v.Map()
		if err != nil {
			return v, err
		}
		m, err = t.rebuild(m)
		return m.Value(), err
	}
}

// listOf is the rule for a list of elements of the same kind.
func listOf(elem rule) rule {
	return func(v state.Value) (state.Value, error) {
		l, err := v.List()
		if err != nil {
			return v, err
		}
		out := make([]state.Value, l.Len())
		for i, e := range l.All() {
			if out[i], err = elem(e); err != nil {
				return v, state.At(err, i)
			}
		}
		return state.NewList(out...).Value(), nil
	}
}

// orNull is a rule that allows null too.
func orNull(r rule) rule {
	return func(v state.Value) (state.Value, error) {
		if v.IsNull() {
			return v, nil
		}
		return r(v)
	}
}

// emptyIsNull is a rule for which false, zero and all that is empty are null.
func emptyIsNull(r rule) rule {
	return func(v state.Value) (state.Value, error) {
		if some, err := truthy(v); !some {
			return state.Null(), err
		}
		return r(v)
	}
}

func asIs(v state.Value) (state.Value, error) { return v, nil }

func is(kind state.Kind) rule {
	return func(v state.Value) (state.Value, error) {
		if v.Kind() != kind {
			return v, typeError(kind.String(), v)
		}
		return v, nil
	}
}

// isFloat turns integers and booleans into floats.
func isFloat(v state.Value) (state.Value, error) {
	switch v.Kind() {
	case state.KindFloat:
		return v, nil
	case state.KindBool:
		b, err := v.Bool()
		if b {
			return state.Float(1), err
		}
		return state.Float(0), err
	}
	f, err := v.Number()
	if err == nil && math.IsInf(f, 0) {
		err = errTooLarge
	}
	return state.Float(f), err
}

// isInt turns booleans into integers, and drops the fraction of floats.
func isInt(v state.Value) (state.Value, error) {
	switch v.Kind() {
	case state.KindBool:
		b, err := v.Bool()
		if b {
			return state.Int(1), err
		}
		return state.Int(0), err
	case state.KindFloat:
		f, err := v.Float64()
		if err != nil {
			return v, err
		}
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return v, errNotFinite
		}
		n, _ := big.NewFloat(f).Int(nil)
		return state.BigInt(n), nil
	}
	return is(state.KindInt)(v)
}

// isNumber leaves numbers of every kind as they are.
func isNumber(v state.Value) (state.Value, error) {
	switch v.Kind() {
	case state.KindBool, state.KindInt, state.KindFloat:
		return v, nil
	}
	return v, typeError("number", v)
}
