package tnetstring

import (
	"math"
	"math/big"

	"github.com/flowtool/flowtool/state"
)

// keySet finds duplicate keys: by comparing while a map is small, by hashing
// when it is not, so that a map with a million keys costs no quadratic time.
type keySet struct {
	maybe uint64         // a bit for every key seen, by its first and last byte and length
	seen  map[string]int // keys of a large map to their position in elems
}

const smallMap = 2 * 24

// add returns the position of key in elems (keys and values in turn), or -1
// after noting that it will stand at the end of elems.
func (s *keySet) add(key *state.Value, elems []state.Value) int {
	if len(elems) < smallMap {
		bit := keyBit(key)
		if bit != 0 && s.maybe&bit == 0 {
			s.maybe |= bit
			return -1
		}
		s.maybe |= bit
		return state.FindKey(elems, *key)
	}
	if s.seen == nil {
		s.seen = make(map[string]int)
		for i := 0; i < len(elems); i += 2 {
			if id, ok := keyID(elems[i]); ok {
				s.seen[id] = i
			}
		}
	}
	id, ok := keyID(*key)
	if !ok {
		return -1
	}
	if i, ok := s.seen[id]; ok {
		return i
	}
	s.seen[id] = len(elems)
	return -1
}

// keyBit returns the bit of a text key in keySet.maybe; 0 for other keys,
// which may equal each other across kinds.
func keyBit(key *state.Value) uint64 {
	text := key.Payload()
	n := len(text)
	if key.Kind() != state.KindText || n == 0 {
		return 0
	}
	h := uint32(text[0])*31 + uint32(text[n-1])*7 + uint32(text[n/2]) + uint32(n)*64
	return 1 << (h * 0x9e3779b1 >> 26)
}

// keyID returns a string that is the same for the same keys, in the sense of
// [state.SameKey]; ok is false for NaN, which is never the same.
func keyID(key state.Value) (id string, ok bool) {
	switch key.Kind() {
	case state.KindText:
		s, _ := key.Text()
		return ";" + s, true
	case state.KindBytes:
		b, _ := key.Bytes()
		return "," + string(b), true
	case state.KindNull:
		return "~", true
	case state.KindBool:
		if b, _ := key.Bool(); b {
			return "#1", true
		}
		return "#0", true
	case state.KindInt:
		i, _ := key.BigInt()
		return "#" + i.String(), true
	}
	f, _ := key.Float64()
	switch {
	case f != f:
		return "", false
	case math.IsInf(f, 0):
		return "^" + state.FormatFloat(f), true
	case f == math.Trunc(f):
		i, _ := big.NewFloat(f).Int(nil)
		return "#" + i.String(), true
	}
	return "^" + state.FormatFloat(f), true
}

// KeyID returns a string that is the same for the same map keys, in the sense of
// [state.SameKey], given as tag and payload. ok is false for NaN, which is never
// the same, and for what is malformed or cannot be a key.
func KeyID(tag byte, payload []byte) (id string, ok bool) {
	kind := kindOf[tag]
	switch {
	case kind == state.KindText, kind == state.KindBytes, kind == state.KindNull:
		return string(tag) + string(payload), true
	case kind >= state.KindList:
		return "", false
	}
	key, err := Codec{}.Scalar(kind, payload)
	if err != nil {
		return "", false
	}
	return keyID(key)
}
