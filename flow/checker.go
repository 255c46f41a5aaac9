package flow

import (
	"fmt"
	"slices"

	"github.com/flowtool/flowtool/state"
)

// A checker walks over a state. The first walk only looks, so that nothing is
// changed in a state that is refused; a second one applies changes if the
// first has found any to make.
type checker struct {
	*scratch
	repair bool // tolerant rules
	apply  bool // second walk
	flow   *state.Map
	typ    *flowType

	path  []step
	dirty bool // there is something to change
	notes []Note
	err   *FieldError // the first thing that is wrong
}

func newChecker(m *state.Map, t *flowType, repair bool) *checker {
	return &checker{scratch: newScratch(), repair: repair, flow: m, typ: t, path: make([]step, 0, 8)}
}

// run checks the state and applies what there is to change, unless it is
// refused.
func (c *checker) run() {
	defer c.free()
	c.fields(c.typ.keys, c.flow.Value())
	if c.dirty && (c.repair || c.err == nil) {
		c.apply, c.err = true, nil
		c.fields(c.typ.keys, c.flow.Value())
	}
}

// A step leads from a list or map to an element.
type step struct {
	key   string
	index int // if key is empty
}

func (c *checker) at() state.Path {
	var p state.Path
	for _, s := range c.path {
		if s.key != "" {
			p = p.Key(s.key)
		} else {
			p = p.Index(s.index)
		}
	}
	return p
}

func (c *checker) down(s step) { c.path = append(c.path, s) }
func (c *checker) up()         { c.path = c.path[:len(c.path)-1] }

// fail records that v is not what the format wants.
func (c *checker) fail(want string, v state.Value) (state.Value, bool) {
	return v, c.failWith(&FieldError{Want: want, Got: describe(v)})
}

func (c *checker) failWith(e *FieldError) bool {
	if c.err == nil {
		e.Path = c.at() + e.Path
		c.err = e
	}
	return false
}

// malformed records that v cannot be decoded.
func (c *checker) malformed(want string, v state.Value, err error) (state.Value, bool) {
	e := &FieldError{Want: want, Got: "malformed " + v.Kind().String(), Err: err}
	if pe, ok := err.(*state.PathError); ok {
		e.Path = pe.Path
	}
	return v, c.failWith(e)
}

// describe returns v for an error message.
func describe(v state.Value) string {
	switch v.Kind() {
	case state.KindNull:
		return "null"
	case state.KindList, state.KindMap:
		return v.String()
	}
	return v.Kind().String() + " " + v.String()
}

// change makes v another value and notes why, in the second walk.
func (c *checker) change(v state.Value, format string, args ...any) (state.Value, bool) {
	c.note(format, args...)
	return v, true
}

func (c *checker) note(format string, args ...any) {
	c.dirty = true
	if c.apply && c.repair {
		c.notes = append(c.notes, Note{c.at(), fmt.Sprintf(format, args...)})
	}
}

func (c *checker) value(r *rule, v state.Value) (state.Value, bool) {
	if v.IsNull() {
		if r.null {
			return v, false
		}
		if c.repair && r.absent != nil {
			v = r.absent(c)
			return c.change(v, "null, set to %s", v)
		}
	}
	return r.check(c, r.want, v)
}

// elements returns what is in the list or map v. In the second walk the tree is
// opened, so that elements can be changed.
func (c *checker) elements(v state.Value) ([]state.Value, error) {
	if c.apply {
		switch v.Kind() {
		case state.KindMap:
			m, err := v.Map()
			if err != nil {
				return nil, err
			}
			for range m.All() { // gives containers among the elements their nodes
			}
		case state.KindList:
			l, err := v.List()
			if err != nil {
				return nil, err
			}
			for range l.All() {
			}
		}
	}
	return c.push(&v)
}

// fields checks the map v, which is at the current path.
func (c *checker) fields(t schema, v state.Value) {
	mark := c.mark()
	defer c.release(mark)
	elems, err := c.elements(v)
	if err != nil {
		c.malformed("map", v, err)
		return
	}
	var m *state.Map
	if c.apply {
		m, _ = v.Map()
	}
	found, added := 0, false
	for i := range t {
		f := &t[i]
		j := lookup(elems, f.name, i)
		if j < 0 {
			if f.optional {
				continue
			}
			c.down(step{key: f.name})
			if c.repair && f.rule.absent != nil {
				val := f.rule.absent(c)
				c.note("missing, set to %s", val)
				if m != nil {
					m.Set(f.name, val)
					added = true
				}
			} else {
				c.failWith(&FieldError{Want: f.rule.want, Got: "nothing"})
			}
			c.up()
			continue
		}
		found++
		c.down(step{key: f.name})
		val, changed := c.value(&f.rule, elems[j+1])
		c.up()
		if changed {
			c.dirty = true
			if m != nil {
				m.Set(f.name, val)
			}
		}
		if c.err != nil && !c.repair {
			return
		}
	}
	if 2*found != len(elems) {
		c.extra(t, m, elems)
	}
	if added {
		t.order(m)
	}
}

// extra deals with the keys that t does not have.
func (c *checker) extra(t schema, m *state.Map, elems []state.Value) {
	for i := 0; i < len(elems); i += 2 {
		key := elems[i]
		name, err := key.Text()
		if err == nil && t.find(name) >= 0 {
			continue
		}
		if err != nil || name == "" {
			name = key.String()
		}
		c.down(step{key: name})
		if !c.repair {
			c.failWith(&FieldError{Want: "no such key", Got: describe(elems[i+1])})
		} else {
			c.note("unknown key dropped, it held %s", elems[i+1])
			if m != nil {
				m.DeleteKey(key)
			}
		}
		c.up()
	}
}

func (t schema) find(name string) int {
	return slices.IndexFunc(t, func(f schemaField) bool { return f.name == name })
}

func hasKey(m *state.Map, i int, key string) bool {
	k := m.Entry(i).Key
	return k.IsKey(key)
}

// order brings the entries of m into the order of t, with keys that t does not
// have at the end.
func (t schema) order(m *state.Map) {
	next := 0
	for _, f := range t {
		if next < m.Len() && hasKey(m, next, f.name) {
			next++
		} else if m.Has(f.name) {
			break
		}
	}
	if next == m.Len() {
		return
	}
	entries := make([]state.Entry, 0, m.Len())
	for _, f := range t {
		if v, ok := m.Delete(f.name); ok {
			entries = append(entries, state.E(f.name, v))
		}
	}
	for m.Len() > 0 {
		e := m.Entry(0)
		m.DeleteKey(e.Key)
		entries = append(entries, e)
	}
	for _, e := range entries {
		m.SetKey(e.Key, e.Value)
	}
}

// list checks the elements of the list v.
func (c *checker) list(r *rule, v state.Value) {
	mark := c.mark()
	defer c.release(mark)
	elems, err := c.elements(v)
	if err != nil {
		c.malformed("list", v, err)
		return
	}
	for i, e := range elems {
		c.element(r, v, i, e)
		if c.err != nil && !c.repair {
			return
		}
	}
}

func (c *checker) element(r *rule, list state.Value, i int, e state.Value) {
	c.down(step{index: i})
	val, changed := c.value(r, e)
	c.up()
	if changed {
		c.dirty = true
		if l, err := list.List(); c.apply && err == nil {
			l.Set(i, val)
		}
	}
}

// tuple checks a list whose elements each have their rule. Strictly there are at
// least min of them; Repair adds what is missing if there are at least tolerated.
func (c *checker) tuple(want string, min, tolerated int, rules []rule, v state.Value) (state.Value, bool) {
	mark := c.mark()
	defer c.release(mark)
	elems, err := c.elements(v)
	if err != nil {
		return c.malformed(want, v, err)
	}
	n := len(elems)
	if n > len(rules) || n < tolerated || n < min && !c.repair {
		return c.fail(want, v)
	}
	for i, e := range elems {
		c.element(&rules[i], v, i, e)
		if c.err != nil && !c.repair {
			return v, false
		}
	}
	for i := n; i < min; i++ {
		c.note("element %d missing, set to %s", i, rules[i].absent(c))
		if c.apply {
			l, _ := v.List()
			l.Append(rules[i].absent(c))
		}
	}
	return v, false
}
