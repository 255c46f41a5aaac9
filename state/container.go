package state

import "errors"

// container is what lists and maps have in common: a node that knows the bytes
// it was read from and splits them into elements when asked.
type container struct {
	f      frame // of raw
	opened bool
	dirty  bool  // elements were added, replaced, moved or removed
	depth  int32 // containers around this one
	src    *Source
	raw    []byte  // the element as it was read; nil if made in memory
	ext    *Extent // the same, if it is not contiguous in memory
	items  []Value // elements; of a map: keys and values in turn
}

func (c *container) open() error {
	if c.opened {
		return nil
	}
	if c.raw == nil {
		if err := c.fetch(); err != nil {
			return err
		}
	}
	payload := c.raw[c.f.head() : len(c.raw)-c.f.tail()]
	items, err := c.src.Codec.Elements(c.src, c.f.kind(), payload, int(c.depth)+1, c.src.Slab.room())
	if err != nil {
		return located(c.src, payload, err)
	}
	c.items, c.opened = c.src.Slab.take(items), true
	return nil
}

// fetch brings an external container into memory.
func (c *container) fetch() error {
	data, err := c.ext.Read()
	if err != nil {
		return &PathError{Offset: c.ext.Off, Err: err}
	}
	src := &Source{Codec: c.src.Codec, Data: data, Off: c.ext.Off}
	v, err := src.Codec.Elements(src, KindList, data, int(c.depth), nil)
	if err != nil {
		return located(src, data, err)
	}
	if len(v) != 1 || v[0].f.kind() != c.f.kind() {
		return &PathError{Offset: c.ext.Off, Err: errors.New("input changed while it was read")}
	}
	c.src, c.raw, c.f = src, data, v[0].f
	return nil
}

// at returns element i. A container among the elements gets its node here, so
// that changes made through the returned value are seen by c.
func (c *container) at(i int) Value {
	v := &c.items[i]
	if v.f.kind() >= KindList {
		v.attach(c.depth + 1)
	}
	return *v
}

func (c *container) touch() { c.dirty = true }

// clean tells whether nothing at or below c was changed since it was read.
func (c *container) clean() bool {
	if c.dirty || c.raw == nil && c.ext == nil {
		return false
	}
	for i := range c.items {
		if n := c.items[i].container(); n != nil && !n.clean() {
			return false
		}
	}
	return true
}

func (c *container) rawBytes(encoding string) ([]byte, bool, error) {
	if c.src == nil || c.src.Codec.Encoding() != encoding || !c.clean() {
		return nil, false, nil
	}
	if c.raw != nil {
		return c.raw, true, nil
	}
	b, err := c.ext.Read()
	return b, err == nil, err
}

// clone returns an independent copy that shares the encoded bytes.
func (c *container) clone() container {
	if (c.raw != nil || !c.opened) && c.clean() {
		d := *c
		d.items, d.opened = nil, false
		return d
	}
	d := *c
	d.items = make([]Value, len(c.items))
	for i := range c.items {
		d.items[i] = Clone(c.items[i])
	}
	return d
}
