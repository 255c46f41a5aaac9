package flowtest

import (
	"fmt"
	"maps"
	"slices"

	"github.com/flowtool/flowtool/state"
)

// Value makes a value of a Go value: null of nil, text of a string, bytes of
// []byte, a list of []any, and a map of map[string]any, whose keys it sorts. Bools,
// ints and floats are themselves, and so are maps and values of package state.
func Value(x any) state.Value {
	switch x := x.(type) {
	case nil:
		return state.Null()
	case bool:
		return state.Bool(x)
	case int:
		return state.Int(int64(x))
	case float64:
		return state.Float(x)
	case string:
		return state.Text(x)
	case []byte:
		return state.Bytes(x)
	case []any:
		elems := make([]state.Value, len(x))
		for i := range x {
			elems[i] = Value(x[i])
		}
		return state.NewList(elems...).Value()
	case map[string]any:
		m := state.NewMap()
		for _, k := range slices.Sorted(maps.Keys(x)) {
			m.Set(k, Value(x[k]))
		}
		return m.Value()
	case *state.Map:
		return x.Value()
	case state.Value:
		return x
	}
	panic(fmt.Sprintf("flowtest: no value for %T", x))
}

// Reversed returns v with the entries of all maps back to front: dumps have them
// in the opposite order of a state.
func Reversed(v state.Value) state.Value {
	switch v.Kind() {
	case state.KindList:
		l, _ := v.List()
		out := state.NewList()
		for _, e := range l.All() {
			out.Append(Reversed(e))
		}
		return out.Value()
	case state.KindMap:
		m, _ := v.Map()
		entries := make([]state.Entry, m.Len())
		for i := range entries {
			e := m.Entry(len(entries) - 1 - i)
			entries[i] = state.Entry{Key: e.Key, Value: Reversed(e.Value)}
		}
		return state.NewMap(entries...).Value()
	}
	return v
}
