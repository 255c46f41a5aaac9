package state

// A PickCodec is a [Codec] that can find entries of a map without making values
// of the others.
type PickCodec interface {
	// Pick sets dst[i] to the value of the text key keys[i], of those that are
	// there. If payload, that of a map, is not encoded as usual, it returns
	// false.
	Pick(src *Source, payload []byte, keys []string, dst []Value) bool
}

// Pick sets dst[i] to the value of the text key keys[i] in the map v, to null if
// it is not there. It is for reading only, as [Value.Elements], and allocates
// nothing.
func (v *Value) Pick(keys []string, dst []Value) error {
	dst = dst[:len(keys)]
	clear(dst)
	if v.f.kind() != KindMap {
		return &TypeError{Want: "map", Got: v.f.kind().String()}
	}
	src, data, f, depth := (*Source)(nil), v.data, v.f, 0
	var items []Value
	if m, ok := v.ref.(*Map); !ok {
		src = v.ref.(*Source)
	} else if m.opened || m.raw == nil {
		if err := m.open(); err != nil {
			return err
		}
		items = m.items
	} else {
		src, data, f, depth = m.src, m.raw, m.f, int(m.depth)
	}
	if src != nil {
		payload := data[f.head() : len(data)-f.tail()]
		if codec, ok := src.Codec.(PickCodec); ok && codec.Pick(src, payload, keys, dst) {
			return nil
		}
		clear(dst)
		var err error
		if items, err = src.Codec.Elements(src, KindMap, payload, depth+1, nil); err != nil {
			return located(src, payload, err)
		}
	}
	for i := 0; i < len(items); i += 2 {
		for j, key := range keys {
			if items[i].IsKey(key) {
				dst[j] = items[i+1]
			}
		}
	}
	return nil
}

// Keys are keys of a map, and of one of the maps in it.
type Keys struct {
	Keys []string
	// Inner is the index in Keys of the map in which InnerKeys are; if there are none
	// it means nothing.
	Inner     int
	InnerKeys []string
}

// Picked are the values of Keys, null for those that are not there.
type Picked struct {
	Values []Value
	// Inner are the values of InnerKeys. It is nil if there is no such map, if it is
	// empty, or if it has to be asked itself, with [Value.Pick].
	Inner []Value
}
