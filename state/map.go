package state

import (
	"bytes"
	"iter"
	"slices"
)

// A Map is an ordered map. Its keys are scalars of any kind; text and bytes
// keys with the same content are different keys. Nearly all keys are text, so
// the plain methods take a Go string and mean text; those named Key take any
// value.
type Map struct{ container }

// An Entry is a key with its value.
type Entry struct{ Key, Value Value }

// NewMap returns a map with the given entries, in this order. A key must not
// occur twice.
func NewMap(entries ...Entry) *Map {
	m := &Map{container{f: frame(KindMap), opened: true}}
	m.items = make([]Value, 0, 2*len(entries))
	for _, e := range entries {
		m.items = append(m.items, e.Key, e.Value)
	}
	return m
}

// E returns an entry with a text key; it keeps literals of maps short.
func E(key string, v Value) Entry { return Entry{Text(key), v} }

// Value returns m as a node of a tree.
func (m *Map) Value() Value {
	if m == nil {
		return Value{}
	}
	return Value{f: frame(KindMap), ref: m}
}

// Len returns the number of entries.
func (m *Map) Len() int { return len(m.items) / 2 }

// Entry returns entry i in the order of the map.
func (m *Map) Entry(i int) Entry { return Entry{m.items[2*i], m.at(2*i + 1)} }

// All returns an iterator over keys and values in order.
func (m *Map) All() iter.Seq2[Value, Value] {
	return func(yield func(k, v Value) bool) {
		for i := 0; i < len(m.items); i += 2 {
			if !yield(m.items[i], m.at(i+1)) {
				return
			}
		}
	}
}

// find returns the position of the text key in items, or -1.
func (m *Map) find(key string) int {
	for i := 0; i < len(m.items); i += 2 {
		if m.items[i].IsKey(key) {
			return i
		}
	}
	return -1
}

func (m *Map) findKey(key Value) int { return FindKey(m.items, key) }

// FindKey returns the position of key among elems, keys and values in turn, or
// -1. Keys are compared as [SameKey] does.
func FindKey(elems []Value, key Value) int {
	if key.f.kind() != KindText && key.f.kind() != KindBytes {
		for i := 0; i < len(elems); i += 2 {
			if SameKey(elems[i], key) {
				return i
			}
		}
		return -1
	}
	p := key.payload()
	for i := 0; i < len(elems); i += 2 {
		k := &elems[i]
		if k.f.kind() == key.f.kind() && len(k.data)-k.f.head()-k.f.tail() == len(p) && bytes.Equal(k.payload(), p) {
			return i
		}
	}
	return -1
}

// Get returns the value of a text key.
func (m *Map) Get(key string) (v Value, ok bool) {
	i := m.find(key)
	if i < 0 {
		return Value{}, false
	}
	return m.at(i + 1), true
}

// Peek returns the value of a text key for reading only, nil if it is not
// there. It must not be changed, it is valid until m is changed, and, as with
// [Value.Elements], changes to what is in it may be lost.
func (m *Map) Peek(key string) *Value {
	i := m.find(key)
	if i < 0 {
		return nil
	}
	return &m.items[i+1]
}

// Has tells whether the text key is present.
func (m *Map) Has(key string) bool { return m.find(key) >= 0 }

// GetKey returns the value of a key of any kind.
func (m *Map) GetKey(key Value) (v Value, ok bool) {
	i := m.findKey(key)
	if i < 0 {
		return Value{}, false
	}
	return m.at(i + 1), true
}

// Set gives a text key a value: in place if the key is present, else at the end.
func (m *Map) Set(key string, v Value) { m.set(m.find(key), Text(key), v) }

// SetKey is [Map.Set] for a key of any scalar kind.
func (m *Map) SetKey(key, v Value) { m.set(m.findKey(key), key, v) }

func (m *Map) set(i int, key, v Value) {
	if i >= 0 {
		m.items[i+1] = v
	} else {
		m.items = append(m.items, key, v)
	}
	m.touch()
}

// Delete removes a text key and returns the value it had.
func (m *Map) Delete(key string) (v Value, ok bool) { return m.remove(m.find(key)) }

// DeleteKey is [Map.Delete] for a key of any scalar kind.
func (m *Map) DeleteKey(key Value) (v Value, ok bool) { return m.remove(m.findKey(key)) }

func (m *Map) remove(i int) (Value, bool) {
	if i < 0 {
		return Value{}, false
	}
	v := m.at(i + 1)
	m.items = slices.Delete(m.items, i, i+2)
	m.touch()
	return v, true
}

// Rename gives the entry of a text key another text key and leaves it where it
// is; an entry that already has the new key is replaced. It reports whether
// the old key was present.
func (m *Map) Rename(from, to string) bool {
	i := m.find(from)
	if i < 0 {
		return false
	}
	if from == to {
		return true
	}
	if j := m.find(to); j >= 0 {
		m.items = slices.Delete(m.items, j, j+2)
		if j < i {
			i -= 2
		}
	}
	m.items[i] = Text(to)
	m.touch()
	return true
}

// ReplaceKey replaces the key of entry i. It must not be a key of m already.
func (m *Map) ReplaceKey(i int, key Value) {
	m.items[2*i] = key
	m.touch()
}

// Map returns the map under a text key. If the key is absent or holds
// something else, or if it is malformed, the error is a [PathError].
func (m *Map) Map(key string) (*Map, error) { return field(m, key, Value.Map) }

// List is [Map.Map] for a list.
func (m *Map) List(key string) (*List, error) { return field(m, key, Value.List) }

// Text is [Map.Map] for a text.
func (m *Map) Text(key string) (string, error) { return field(m, key, Value.Text) }

// Bytes is [Map.Map] for a byte string.
func (m *Map) Bytes(key string) ([]byte, error) { return field(m, key, Value.Bytes) }

// Int64 is [Map.Map] for an integer.
func (m *Map) Int64(key string) (int64, error) { return field(m, key, Value.Int64) }

// Bool is [Map.Map] for a boolean.
func (m *Map) Bool(key string) (bool, error) { return field(m, key, Value.Bool) }

func field[T any](m *Map, key string, as func(Value) (T, error)) (T, error) {
	v, ok := m.Get(key)
	if !ok {
		var zero T
		return zero, At(ErrMissing, key)
	}
	t, err := as(v)
	if err != nil {
		return t, At(err, key)
	}
	return t, nil
}
