package flow

import (
	"math"

	"github.com/flowtool/flowtool/state"
)

// A field connects a key of a state map, or an element of a tuple, with a field
// of the struct T. Tables of them are the only description of the format in
// this package: they drive validation, repair, decoding and writing back.
type field[T any] struct {
	name string // "" for an element of a tuple
	rule rule
	// kinds is what load can make something of; it is more than rule allows.
	kinds kindSet
	// load decodes v into p. What is of the wrong type leaves the zero value.
	load func(p *T, v *state.Value, s *scratch)
	// store returns the value to write. old is what is there now; it keeps what
	// is not edited in it.
	store func(p *T, old state.Value, s *scratch) state.Value
	// same tells whether load would give what is in p.
	same func(p *T, v *state.Value, s *scratch) bool
}

// A table is the fields of a map in logical order, or of a tuple.
type table[T any] []field[T]

func (t table[T]) schema() schema {
	out := make(schema, len(t))
	for i, f := range t {
		out[i] = schemaField{name: f.name, rule: f.rule}
	}
	return out
}

func (t table[T]) rules() []rule {
	out := make([]rule, len(t))
	for i, f := range t {
		out[i] = f.rule
	}
	return out
}

// load decodes the map or tuple v into p and tells whether there is anything
// in it.
func (t table[T]) load(p *T, v *state.Value, s *scratch) bool {
	mark := s.mark()
	defer s.release(mark)
	var elems []state.Value
	var err error
	tuple := t[0].name == ""
	switch {
	case v.Kind() < state.KindList || v.IsEmpty():
	case v.Kind() == state.KindMap && !tuple:
		s.keys = s.keys[:0]
		for i := range t {
			s.keys = append(s.keys, t[i].name)
		}
		elems, err = s.pick(v)
	default:
		elems, err = s.push(v)
	}
	if err != nil || len(elems) == 0 {
		var zero T
		*p = zero
		if err == nil && v.Kind() < state.KindList && !v.IsNull() {
			s.wrong(nil, t.want(), v)
		}
		return false
	}
	for i := range t {
		f, e := &t[i], &absent
		switch {
		case tuple && v.Kind() != state.KindList, !tuple && v.Kind() != state.KindMap:
		case i < len(elems):
			e = &elems[i]
		}
		good := s.err == nil
		if !f.kinds.has(e.Kind()) {
			s.wrong(nil, f.rule.want, e)
		}
		f.load(p, e, s)
		if good && s.err != nil {
			s.err = state.At(s.err, f.step(i))
		}
	}
	return true
}

// want names what a table is decoded from.
func (t table[T]) want() string {
	if t[0].name == "" {
		return state.KindList.String()
	}
	return state.KindMap.String()
}

// step returns the step in a path that leads to field i of a table.
func (f *field[T]) step(i int) any {
	if f.name == "" {
		return i
	}
	return f.name
}

// A kindSet is a set of kinds of values.
type kindSet uint16

func kindsOf(kinds ...state.Kind) (k kindSet) {
	for _, kind := range kinds {
		k |= 1 << kind
	}
	return k
}

func (k kindSet) has(kind state.Kind) bool { return k>>kind&1 != 0 }

// The kinds that fields of different types are decoded from. Null is among them
// because it is also what a missing value is taken for.
var (
	stringKinds = kindsOf(state.KindNull, state.KindText, state.KindBytes)
	numberKinds = kindsOf(state.KindNull, state.KindInt, state.KindFloat, state.KindBool)
	boolKinds   = kindsOf(state.KindNull, state.KindBool)
	listKinds   = kindsOf(state.KindNull, state.KindList)
)

// same tells whether load would give what is in p.
func (t table[T]) same(p *T, v *state.Value, s *scratch) bool {
	mark := s.mark()
	defer s.release(mark)
	elems, _ := s.push(v)
	for i := range t {
		if !t[i].same(p, t[i].in(v, elems, i), s) {
			return false
		}
	}
	return true
}

// storeMap writes p back: into the map old if that is one, else into a new one.
func (t table[T]) storeMap(p *T, old state.Value, s *scratch) state.Value {
	if m, err := old.Map(); err == nil {
		for i := range t {
			f := &t[i]
			if v, _ := m.Get(f.name); !f.same(p, &v, s) {
				m.Set(f.name, f.store(p, v, s))
			}
		}
		return old
	}
	entries := make([]state.Entry, len(t))
	for i := range t {
		entries[i] = state.E(t[i].name, t[i].store(p, state.Null(), s))
	}
	return state.NewMap(entries...).Value()
}

// storeTuple is storeMap for a list of fixed length.
func (t table[T]) storeTuple(p *T, old state.Value, s *scratch) state.Value {
	if l, err := old.List(); err == nil && l.Len() == len(t) {
		for i := range t {
			if v := l.At(i); !t[i].same(p, &v, s) {
				l.Set(i, t[i].store(p, v, s))
			}
		}
		return old
	}
	elems := make([]state.Value, len(t))
	for i := range t {
		elems[i] = t[i].store(p, state.Null(), s)
	}
	return state.NewList(elems...).Value()
}

// in returns the value of f, field i of its table, among the elements of v.
func (f *field[T]) in(v *state.Value, elems []state.Value, i int) *state.Value {
	switch {
	case f.name == "": // an element of a tuple
		if v.Kind() == state.KindList && i < len(elems) {
			return &elems[i]
		}
	case v.Kind() == state.KindMap:
		if j := lookup(elems, f.name, i); j >= 0 {
			return &elems[j+1]
		}
	}
	return &absent
}

// absent stands for what is not there.
var absent state.Value

// lookup returns the position of a key among keys and values in turn, or -1. The
// key is probably entry number i, where mitmproxy puts it.
func lookup(elems []state.Value, key string, i int) int {
	if i = 2 * i; i < len(elems) && elems[i].IsKey(key) {
		return i
	}
	for i = 0; i < len(elems); i += 2 {
		if elems[i].IsKey(key) {
			return i
		}
	}
	return -1
}

// Constructors of fields. at returns the address of the struct field.

// raw returns the content of bytes and of text: a state that nobody validated
// may have one for the other.
func raw(v *state.Value) []byte {
	k := v.Kind()
	switch {
	case k != state.KindBytes && k != state.KindText:
		return nil
	case v.InMemory():
		return v.Payload() // without looking whether a text is UTF-8
	case k == state.KindBytes:
		b, _ := v.Bytes()
		return b
	}
	b, _ := v.TextBytes()
	return b
}

func stringField[T any](name string, r rule, make func(string) state.Value, at func(*T) *string) field[T] {
	return field[T]{
		name: name, rule: r, kinds: stringKinds,
		load: func(p *T, v *state.Value, _ *scratch) { *at(p) = intern(raw(v)) },
		store: func(p *T, _ state.Value, _ *scratch) state.Value {
			if *at(p) == "" && r.null {
				return state.Null()
			}
			return make(*at(p))
		},
		same: func(p *T, v *state.Value, _ *scratch) bool { return *at(p) == string(raw(v)) },
	}
}

// textField is for text, or null where r allows it, which is "" in Go.
func textField[T any](name string, r rule, at func(*T) *string) field[T] {
	return stringField(name, r, state.Text, at)
}

// bytesField is for short byte strings.
func bytesField[T any](name string, r rule, at func(*T) *string) field[T] {
	return stringField(name, r, bytesValue, at)
}

func bytesValue(s string) state.Value { return state.Bytes([]byte(s)) }

// emptyOrNull makes f write "" as empty, and not as null, if the rest of the
// struct says that there was something to know.
func emptyOrNull[T any](f field[T], known func(p *T) bool, empty state.Value) field[T] {
	store := f.store
	f.store = func(p *T, old state.Value, s *scratch) state.Value {
		if known(p) {
			return empty
		}
		return store(p, old, s)
	}
	return f
}

func boolField[T any](name string, r rule, at func(*T) *bool) field[T] {
	load := func(v *state.Value) bool { return v.Kind() == state.KindBool && v.Truthy() }
	return field[T]{
		name: name, rule: r, kinds: boolKinds,
		load:  func(p *T, v *state.Value, _ *scratch) { *at(p) = load(v) },
		store: func(p *T, _ state.Value, _ *scratch) state.Value { return state.Bool(*at(p)) },
		same:  func(p *T, v *state.Value, _ *scratch) bool { return *at(p) == load(v) },
	}
}

// maybeBoolField is for a boolean or null.
func maybeBoolField[T any](name string, at func(*T) **bool) field[T] {
	load := func(v *state.Value) (b, ok bool) {
		if v.Kind() != state.KindBool {
			return false, false
		}
		b, err := v.Bool()
		return b, err == nil
	}
	return field[T]{
		name: name, rule: boolRule.orNull(), kinds: boolKinds,
		load: func(p *T, v *state.Value, _ *scratch) {
			*at(p) = nil
			if b, ok := load(v); ok {
				*at(p) = &b
			}
		},
		store: func(p *T, _ state.Value, _ *scratch) state.Value {
			if b := *at(p); b != nil {
				return state.Bool(*b)
			}
			return state.Null()
		},
		same: func(p *T, v *state.Value, _ *scratch) bool {
			b, ok := load(v)
			have := *at(p)
			return ok == (have != nil) && (!ok || b == *have)
		},
	}
}

// intField is for integers, or null where r allows it, which is 0 in Go. What
// does not fit is as large as possible.
func intField[T any](name string, r rule, at func(*T) *int) field[T] {
	return field[T]{
		name: name, rule: r, kinds: numberKinds,
		load: func(p *T, v *state.Value, s *scratch) {
			n := integer(v)
			if n == math.MaxInt || n == math.MinInt {
				s.wrong(nil, "integer of a sensible size", v)
			}
			*at(p) = n
		},
		store: func(p *T, _ state.Value, _ *scratch) state.Value {
			if *at(p) == 0 && r.null {
				return state.Null()
			}
			return state.Int(int64(*at(p)))
		},
		same: func(p *T, v *state.Value, _ *scratch) bool { return *at(p) == integer(v) },
	}
}

func integer(v *state.Value) int {
	if v.Kind() != state.KindInt {
		return 0
	}
	i, err := v.Int64()
	switch {
	case err == nil:
		return int(max(math.MinInt, min(i, math.MaxInt)))
	default:
		b, err := v.BigInt()
		switch {
		case err != nil:
			return 0
		case b.Sign() < 0:
			return math.MinInt
		}
		return math.MaxInt
	}
}

// timeField is for times, or null where r allows it; elsewhere the null
// Timestamp is written as 0.
func timeField[T any](name string, r rule, at func(*T) *Timestamp) field[T] {
	return field[T]{
		name: name, rule: r, kinds: numberKinds,
		load: func(p *T, v *state.Value, _ *scratch) { *at(p) = timestamp(v) },
		store: func(p *T, _ state.Value, _ *scratch) state.Value {
			if at(p).IsNull() && !r.null {
				return state.Float(0)
			}
			return at(p).value()
		},
		same: func(p *T, v *state.Value, _ *scratch) bool { return at(p).same(timestamp(v)) },
	}
}

// bodyField is for long byte strings, which are not decoded at all.
func bodyField[T any](name string, r rule, at func(*T) *Body) field[T] {
	return field[T]{
		name: name, rule: r, kinds: stringKinds,
		load: func(p *T, v *state.Value, _ *scratch) { *at(p) = bodyOf(v) },
		store: func(p *T, _ state.Value, _ *scratch) state.Value {
			if at(p).IsMissing() && !r.null {
				return state.Bytes(nil)
			}
			return at(p).v
		},
		same: func(p *T, v *state.Value, _ *scratch) bool { return sameLeaf(at(p).v, bodyOf(v).v) },
	}
}

// stringsField is for a list of short strings.
func stringsField[T any](name string, elem rule, make func(string) state.Value, at func(*T) *[]string) field[T] {
	return field[T]{
		name: name, rule: listOf(elem), kinds: listKinds,
		load: func(p *T, v *state.Value, s *scratch) { *at(p) = loadStrings(v, s) },
		store: func(p *T, old state.Value, s *scratch) state.Value {
			return storeElems(len(*at(p)), old, func(i int, old state.Value) (state.Value, bool) {
				str := (*at(p))[i]
				return make(str), old.Kind() >= state.KindBytes && str == string(raw(&old))
			})
		},
		same: func(p *T, v *state.Value, s *scratch) bool {
			mark := s.mark()
			defer s.release(mark)
			elems, _ := s.push(v)
			if v.Kind() != state.KindList {
				elems = nil
			}
			if len(elems) != len(*at(p)) {
				return false
			}
			for i, str := range *at(p) {
				if str != string(raw(&elems[i])) {
					return false
				}
			}
			return true
		},
	}
}

// loadStrings decodes a list of strings. They share one allocation.
func loadStrings(v *state.Value, s *scratch) []string {
	mark := s.mark()
	defer s.release(mark)
	elems, _ := s.push(v)
	if len(elems) == 0 || v.Kind() != state.KindList {
		return nil
	}
	s.begin()
	for _, e := range elems {
		s.add(raw(&e))
	}
	out, all := make([]string, len(elems)), s.joined()
	for i := range out {
		out[i] = all.next()
	}
	return out
}

// listField is for a list of tuples or of maps.
func listField[T, E any](name string, elem rule, t table[E], store storeFunc[E], at func(*T) *[]E) field[T] {
	return field[T]{
		name: name, rule: listOf(elem), kinds: listKinds,
		load: func(p *T, v *state.Value, s *scratch) { *at(p) = loadList(t, v, s) },
		store: func(p *T, old state.Value, s *scratch) state.Value {
			return storeList(t, *at(p), old, store, s)
		},
		same: func(p *T, v *state.Value, s *scratch) bool { return sameList(t, *at(p), v, s) },
	}
}

func loadList[E any](t table[E], v *state.Value, s *scratch) []E {
	mark := s.mark()
	defer s.release(mark)
	elems, _ := s.push(v)
	if len(elems) == 0 || v.Kind() != state.KindList {
		return nil
	}
	out := make([]E, len(elems))
	for i := range elems {
		good := s.err == nil
		t.load(&out[i], &elems[i], s)
		if good && s.err != nil {
			s.err = state.At(s.err, i)
		}
	}
	return out
}

// storeList writes a list back and keeps the elements that are the same. store
// is the method of t for one of them.
func storeList[E any](t table[E], list []E, old state.Value, store storeFunc[E], s *scratch) state.Value {
	return storeElems(len(list), old, func(i int, old state.Value) (state.Value, bool) {
		if old.Kind() >= state.KindList && t.same(&list[i], &old, s) {
			return old, true
		}
		return store(&list[i], old, s), false
	})
}

type storeFunc[E any] = func(*E, state.Value, *scratch) state.Value

func sameList[E any](t table[E], list []E, v *state.Value, s *scratch) bool {
	return sameElems(len(list), v, s, func(i int, e *state.Value) bool { return t.same(&list[i], e, s) })
}

// sameElems tells whether v has n elements that are all the same. What is no list
// has none.
func sameElems(n int, v *state.Value, s *scratch, same func(i int, e *state.Value) bool) bool {
	mark := s.mark()
	defer s.release(mark)
	elems, _ := s.push(v)
	if v.Kind() != state.KindList {
		elems = nil
	}
	if len(elems) != n {
		return false
	}
	for i := range elems {
		if !same(i, &elems[i]) {
			return false
		}
	}
	return true
}

// storeElems makes old a list of n elements and replaces those that elem says
// are not the same as before. If old is no list, the result is a new one.
func storeElems(n int, old state.Value, elem func(i int, old state.Value) (v state.Value, same bool)) state.Value {
	l, err := old.List()
	if err != nil {
		l = state.NewList()
	}
	l.Truncate(n)
	for i := range l.Len() {
		if v, same := elem(i, l.At(i)); !same {
			l.Set(i, v)
		}
	}
	for i := l.Len(); i < n; i++ {
		v, _ := elem(i, state.Null())
		l.Append(v)
	}
	return l.Value()
}
