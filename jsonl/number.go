package jsonl

import (
	"math"
	"strconv"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/state"
)

// codec knows what numbers in a dump may look like.
var codec = tnetstring.Codec{}

// maxSafe is the largest integer up to which all of them are exact in a
// float64, which is what many JSON readers take every number for.
const maxSafe = "9007199254740991"

// safeInt tells whether text is an integer in its usual form that all JSON
// readers keep.
func safeInt(text []byte) bool {
	if len(text) == 1 {
		return isDigit(text[0])
	}
	if len(text) > 0 && text[0] == '-' {
		text = text[1:]
	}
	if len(text) == 0 || len(text) > len(maxSafe) || text[0] == '0' {
		return false
	}
	for _, c := range text {
		if !isDigit(c) {
			return false
		}
	}
	return len(text) < len(maxSafe) || string(text) <= maxSafe
}

// plainFloat tells whether text is a decimal fraction as mitmproxy writes most
// floats: digits on both sides of the dot, none too many. Such a text stands
// for itself, in both directions and without being looked at any further.
func plainFloat(text []byte) bool {
	i := 0
	if len(text) > 0 && text[0] == '-' {
		i = 1
	}
	whole := i
	for i < len(text) && isDigit(text[i]) {
		i++
	}
	n := i - whole
	if n == 0 || n > 1 && text[whole] == '0' || i+1 >= len(text) || text[i] != '.' {
		return false
	}
	frac := text[i+1:]
	lead := 0 // zeros that are no significant digits
	if text[whole] == '0' {
		n = 0
		for lead < len(frac) && frac[lead] == '0' {
			lead++
		}
	}
	for _, c := range frac {
		if !isDigit(c) {
			return false
		}
	}
	if len(frac) == 1 {
		return n <= 16
	}
	return frac[len(frac)-1] != '0' && n+len(frac)-lead <= 17 && lead < 4
}

// canonicalFloat tells whether text is what mitmproxy writes for a finite
// float. ok is false if it is no float at all.
func canonicalFloat(text []byte) (canonical, ok bool) {
	v, err := codec.Scalar(state.KindFloat, text)
	if err != nil {
		return false, false
	}
	f, _ := v.Float64()
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return false, true
	}
	return state.FormatFloat(f) == string(text), true
}

// appendFloat appends the text of the float that a JSON number stands for. ok
// is false if it is too large for one.
func appendFloat(dst, literal []byte) (_ []byte, ok bool) {
	f, err := strconv.ParseFloat(string(literal), 64)
	if err != nil {
		return dst, false
	}
	return state.AppendFloat(dst, f), true
}

func isDigit(c byte) bool { return c-'0' <= 9 }

// keySet finds keys that occur twice among those of a map: known ones by their
// number, the others by comparing while they are few and by hashing when they
// are not.
type keySet struct {
	known uint64
	start int // of the keys of this map on the stack
	seen  map[string]bool
}

const fewKeys = 24

// addField adds a known key and tells whether it is new.
func (s *keySet) addField(i int) bool {
	bit := uint64(1) << i
	if s.known&bit != 0 {
		return false
	}
	s.known |= bit
	return true
}

// add adds another key, which it puts on the stack while keys are few.
func (s *keySet) add(stack *[][]byte, key []byte) bool {
	if s.seen != nil {
		return s.addID(string(key))
	}
	for _, k := range (*stack)[s.start:] {
		if string(k) == string(key) {
			return false
		}
	}
	*stack = append(*stack, key)
	if keys := (*stack)[s.start:]; len(keys) == fewKeys {
		s.seen = make(map[string]bool)
		for _, k := range keys {
			s.seen[string(k)] = true
		}
	}
	return true
}

// addID adds a key by its [tnetstring.KeyID].
func (s *keySet) addID(id string) bool {
	if s.seen[id] {
		return false
	}
	if s.seen == nil {
		s.seen = make(map[string]bool)
	}
	s.seen[id] = true
	return true
}
