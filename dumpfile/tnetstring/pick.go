package tnetstring

import "github.com/flowtool/flowtool/state"

// A Lookup is a map in which the values of some keys are looked up.
type Lookup struct {
	// Source is that of the map, and Payload its content; if that is nil there is no
	// map to look at.
	Source  *state.Source
	Payload []byte
	// Values are set to the values of the keys, null for those that are not there.
	Values []state.Value
	// Done tells whether that worked. Maps that are not spelled as mitmproxy spells
	// them are left to [Codec.Elements].
	Done bool

	// The entry found last: where its value begins, how long the prefix of that is, and
	// where its tag stands.
	value, head, end int
	key              int // the index of its key; -1 if nobody asked for that
	expect           int // the index of the key that is probably found next
	entries          int
}

// Pick implements [state.PickCodec]. It is quickest if keys are in the order of the
// map.
func (c Codec) Pick(src *state.Source, payload []byte, keys []string, dst []state.Value) bool {
	l := Lookup{Source: src, Payload: payload, Values: dst}
	p := c.newPicker(keys)
	for more := p.begin(&l); more; {
		more = p.step(&l)
	}
	return l.Done
}

// PickEach looks up keys in several maps side by side. Where memory has to be waited
// for, that takes much less time than one map after the other.
func (c Codec) PickEach(maps []Lookup, keys []string) {
	p := c.newPicker(keys)
	live := make([]*Lookup, 0, 32)
	for i := range maps {
		if l := &maps[i]; p.begin(l) {
			live = append(live, l)
		}
	}
	for len(live) > 0 {
		for i := 0; i < len(live); {
			if p.step(live[i]) {
				i++
				continue
			}
			last := len(live) - 1
			live[i], live = live[last], live[:last]
		}
	}
}

// A picker walks maps.
type picker struct {
	keys    []string
	lengths uint64 // of the keys, modulo 64
	most    int    // entries in a map
	strict  bool
}

func (c Codec) newPicker(keys []string) picker {
	p := picker{keys: keys, most: c.maxElements(), strict: c.Strict}
	for _, key := range keys {
		p.lengths |= 1 << (len(key) % 64)
	}
	return p
}

// begin begins with a map and tells whether it is to be walked. The strict profile
// has more to check.
func (p *picker) begin(l *Lookup) bool {
	clear(l.Values)
	l.Done, l.end, l.entries = false, -1, 0
	l.expect = len(p.keys) - 1 // the order on disk is the reverse
	return l.Payload != nil && !p.strict
}

// step goes on to the next entry, and tells whether there was one.
//
// Where a value ends lies often far behind where it begins. What stands there, its tag
// and the next key, is asked for by the step that finds the value, but only looked at by
// the next one, so that it can arrive while other maps have their turn.
func (p *picker) step(l *Lookup) bool {
	data, pos := l.Payload, l.end+1
	if pos > 0 {
		kind := kindOf[data[l.end]]
		if !fits(kind, l.end-l.value-l.head) {
			return false
		}
		if l.key >= 0 {
			l.Values[l.key].SetEncoded(l.Source, kind, data[l.value:pos], uint32(l.head), 1)
		}
	}
	if pos >= len(data) {
		l.Done = true
		return false
	}
	head, end := usualKey(data[pos:])
	if l.entries++; head == 0 || l.entries > p.most {
		return false
	}
	key := data[pos+head : pos+end-1]
	l.value = pos + end
	vhead, size := usualPrefix(data[l.value:])
	l.head, l.end = vhead, l.value+vhead+size
	if vhead == 0 || l.end >= len(data) {
		return false
	}
	prefetch(&data[l.end])
	l.key = p.index(key, l.expect)
	if l.key >= 0 {
		l.expect = l.key - 1
	}
	return true
}

// index returns the index of a key, probably expect, or -1.
func (p *picker) index(key []byte, expect int) int {
	if p.lengths>>(len(key)%64)&1 == 0 {
		return -1
	}
	if expect >= 0 && string(key) == p.keys[expect] {
		return expect
	}
	i := len(p.keys) - 1
	for i >= 0 && string(key) != p.keys[i] {
		i--
	}
	return i
}
