package flow

import "github.com/flowtool/flowtool/state"

// State implements [Flow].
func (c *common) State() *state.Map {
	s := newScratch()
	defer s.free()
	c.syncCommon(s)
	c.self.sync(s)
	if c.backup != nil {
		have := c.get("backup")
		if c.differs(c.backup) {
			if m, err := have.Map(); err != nil || m != c.backup {
				c.m.Set("backup", c.backup.Value())
			}
		} else if !have.IsNull() {
			c.m.Set("backup", state.Null())
		}
	}
	return c.m
}

func (c *common) syncCommon(s *scratch) {
	syncPart(c.m, "client_conn", clientFields, c.client, s)
	syncPart(c.m, "server_conn", serverFields, c.server, s)
	if c.metadata != nil && c.metadata.Len() > 0 {
		c.m.Set("metadata", c.metadata.Value())
		c.metadata = nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.errLoaded {
		syncOptional(c.m, "error", errorFields, c.err, s)
	}
	if v := c.get("intercepted"); v.Truthy() != c.intercepted {
		c.m.Set("intercepted", state.Bool(c.intercepted))
	}
}

// GetState implements [Flow].
func (c *common) GetState() *state.Map {
	m := c.State().Clone()
	if !m.Has("backup") {
		m.Set("backup", state.Null())
	}
	c.typ.order(m)
	return m
}

// SetState implements [Flow].
func (c *common) SetState(m *state.Map) error {
	typ, err := typeOf(m)
	if err != nil {
		return err
	}
	if typ != c.typ {
		return &FieldError{Path: "/type", Want: c.typ.name, Got: typ.name}
	}
	if err := typ.validate(m); err != nil {
		return err
	}
	s := newScratch()
	defer s.free()
	c.setMap(m)
	c.metadata, c.backup, c.upgraded, c.damage = nil, nil, nil, nil
	if c.client != nil {
		reloadPart(m, "client_conn", clientFields, c.client, s)
	}
	if c.server != nil {
		reloadPart(m, "server_conn", serverFields, c.server, s)
	}
	c.mu.Lock()
	if c.errLoaded {
		c.err = reloadPart(m, "error", errorFields, c.err, s)
	}
	c.mu.Unlock()
	c.self.reload(s)
	return nil
}

// loadPart decodes a part that every flow of the type has.
func loadPart[T any](c *common, key string, t table[T], p *T) {
	s := newScratch()
	defer s.free()
	v := c.peek(key)
	switch {
	case v == &absent:
		c.note(key, state.ErrMissing)
	case v.Kind() != state.KindMap:
		c.note(key, &state.TypeError{Want: state.KindMap.String(), Got: v.Kind().String()})
	}
	t.load(p, v, s)
	c.note(key, s.err)
}

// loadNew decodes a part that may be null.
func loadNew[T any](c *common, key string, t table[T]) *T {
	return loadInto(c, key, t, func() *T { return new(T) })
}

// loadInto is loadNew with a function that gives the memory.
func loadInto[T any](c *common, key string, t table[T], memory func() *T) *T {
	v := c.peek(key)
	if v.Kind() != state.KindMap {
		if v.Truthy() {
			c.note(key, &state.TypeError{Want: "map or null", Got: v.Kind().String()})
		}
		return nil
	}
	s := newScratch()
	defer s.free()
	p := memory()
	ok := t.load(p, v, s)
	c.note(key, s.err)
	if !ok {
		return nil
	}
	return p
}

// note remembers what was found to be wrong first.
func (c *common) note(key string, err error) {
	if err != nil && c.damage == nil {
		c.damage = state.At(err, key)
	}
}

// Damage implements [Flow].
func (c *common) Damage() error { return c.damage }

// syncPart writes a part back that cannot be null, if it was asked for.
func syncPart[T any](m *state.Map, key string, t table[T], p *T, s *scratch) {
	if v, _ := m.Get(key); p != nil && !t.same(p, &v, s) {
		m.Set(key, t.storeMap(p, v, s))
	}
}

// syncOptional writes a part back; nil makes it null.
func syncOptional[T any](m *state.Map, key string, t table[T], p *T, s *scratch) {
	v, _ := m.Get(key)
	mark := s.mark()
	elems, _ := s.push(&v)
	present := v.Kind() == state.KindMap && len(elems) > 0
	s.release(mark)
	switch {
	case p == nil:
		if present {
			m.Set(key, state.Null())
		}
	case !present || !t.same(p, &v, s):
		m.Set(key, t.storeMap(p, v, s))
	}
}

// reloadPart updates a part in place and returns it, or nil if there is none any
// more.
func reloadPart[T any](m *state.Map, key string, t table[T], p *T, s *scratch) *T {
	v, _ := m.Get(key)
	if p == nil {
		p = new(T)
	}
	old := *p
	if v.Kind() != state.KindMap || !t.load(p, &v, s) {
		*p = old
		return nil
	}
	return p
}

// order brings the keys of m and of the maps of the format in it into logical
// order.
func (t *flowType) order(m *state.Map) {
	t.keys.order(m)
	for _, f := range orderedParts {
		if v, ok := m.Get(f.key); ok {
			orderValue(v, f)
		}
	}
}

// A partOrder is the order of the keys of a map, and of the maps in lists in it.
type partOrder struct {
	key   string
	has   string // a key by which the schema is recognised
	keys  schema
	lists []partOrder
}

func orderValue(v state.Value, f partOrder) {
	m, err := v.Map()
	if err != nil || f.has != "" && !m.Has(f.has) {
		return
	}
	f.keys.order(m)
	for _, l := range f.lists {
		list, err := m.List(l.key)
		if err != nil {
			continue
		}
		for _, e := range list.All() {
			orderValue(e, partOrder{keys: l.keys})
		}
	}
}

var orderedParts = []partOrder{
	{key: "error", keys: errorFields.schema()},
	{key: "client_conn", keys: clientFields.schema()},
	{key: "server_conn", keys: serverFields.schema()},
	{key: "request", has: "path", keys: requestFields.schema()},
	{key: "response", has: "reason", keys: responseFields.schema()},
	{key: "request", has: "questions", keys: dnsFields.schema(), lists: dnsLists},
	{key: "response", has: "questions", keys: dnsFields.schema(), lists: dnsLists},
	{key: "websocket", keys: webSocketFields.schema()},
}

var dnsLists = []partOrder{
	{key: "questions", keys: questionFields.schema()},
	{key: "answers", keys: recordFields.schema()},
	{key: "authorities", keys: recordFields.schema()},
	{key: "additionals", keys: recordFields.schema()},
}
