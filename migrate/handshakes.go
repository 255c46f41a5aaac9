package migrate

import (
	"container/list"

	"github.com/flowtool/flowtool/state"
)

const (
	defaultHandshakes     = 10_000
	defaultHandshakeBytes = 64 << 20
)

// handshakes remembers HTTP flows that were the handshake of a WebSocket flow
// yet to come, within limits.
type handshakes struct {
	max      int
	maxBytes int64

	bytes int64
	byID  map[string]*list.Element
	order list.List // of *handshake, oldest first
}

type handshake struct {
	id    string
	flow  *state.Map
	bytes int64
}

func (h *handshakes) init(most int, mostBytes int64) {
	if most <= 0 {
		most = defaultHandshakes
	}
	if mostBytes <= 0 {
		mostBytes = defaultHandshakeBytes
	}
	h.max, h.maxBytes = most, mostBytes
	h.byID = make(map[string]*list.Element)
}

// put remembers a copy of m in place of an earlier one with the same id. One that
// is malformed or larger than the limit is not kept.
func (h *handshakes) put(id string, m *state.Map) {
	h.take(id)
	c := copier{left: h.maxBytes}
	v, ok := c.copy(m.Value())
	if !ok {
		return
	}
	flow, _ := v.Map()
	hs := &handshake{id, flow, h.maxBytes - c.left}
	h.byID[id] = h.order.PushBack(hs)
	h.bytes += hs.bytes
	for len(h.byID) > h.max || h.bytes > h.maxBytes {
		h.remove(h.order.Front())
	}
}

// get returns a copy of the handshake with the given id, or nil.
func (h *handshakes) get(id string) *state.Map {
	e, ok := h.byID[id]
	if !ok {
		return nil
	}
	return e.Value.(*handshake).flow.Clone()
}

// take returns the handshake with the given id, or nil, and forgets it.
func (h *handshakes) take(id string) *state.Map {
	e, ok := h.byID[id]
	if !ok {
		return nil
	}
	return h.remove(e).flow
}

func (h *handshakes) remove(e *list.Element) *handshake {
	hs := h.order.Remove(e).(*handshake)
	delete(h.byID, hs.id)
	h.bytes -= hs.bytes
	return hs
}

// A copier makes copies that share no memory with the record and whose size is
// known exactly. [state.Detach] keeps encoded bytes as they are, and these may be
// much longer than what they mean: a length may have any number of zeros in
// front.
type copier struct{ left int64 }

// Memory of a value without its payload, and of the node of a list or map, roughly.
const (
	perValue     = 64
	perContainer = 192
)

// copy reports false when v is malformed or there is no room left.
func (c *copier) copy(v state.Value) (state.Value, bool) {
	if c.left -= perValue; c.left < 0 {
		return v, false
	}
	switch v.Kind() {
	case state.KindNull:
		return state.Null(), true // v holds on to its bytes
	case state.KindBool:
		b, err := v.Bool()
		return state.Bool(b), err == nil
	case state.KindInt:
		n, err := v.BigInt()
		if err != nil {
			return v, false
		}
		c.left -= int64(n.BitLen() / 8)
		return state.BigInt(n), c.left >= 0
	case state.KindFloat:
		f, err := v.Float64()
		return state.Float(f), err == nil
	case state.KindBytes, state.KindText:
		if !v.InMemory() {
			return v, true
		}
		if c.left -= v.Len(); c.left < 0 {
			return v, false
		}
		if v.Kind() == state.KindText {
			s, err := v.Text()
			return state.Text(s), err == nil
		}
		b, err := v.Bytes()
		return state.Bytes(append([]byte(nil), b...)), err == nil
	}
	if c.left -= perContainer; c.left < 0 {
		return v, false
	}
	elems, err := v.Elements(nil)
	if err != nil {
		return v, false
	}
	for i := range elems {
		var ok bool
		if elems[i], ok = c.copy(elems[i]); !ok {
			return v, false
		}
	}
	if v.Kind() == state.KindList {
		return state.NewList(elems...).Value(), true
	}
	entries := make([]state.Entry, 0, len(elems)/2)
	for i := 0; i < len(elems); i += 2 {
		entries = append(entries, state.Entry{Key: elems[i], Value: elems[i+1]})
	}
	return state.NewMap(entries...).Value(), true
}
