package flowpack

import (
	"math"
	"strconv"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/state"
)

// codec knows what numbers in a dump may look like.
var codec = tnetstring.Codec{}

// wideInt returns the integer that text is, if MessagePack has it and text is
// its usual spelling. Those of up to 18 digits have been tried before.
func wideInt(text []byte) (i int64, u uint64, ok bool) {
	if len(text) > len("-9223372036854775808") {
		return 0, 0, false
	}
	s := string(text)
	var err error
	if s != "" && s[0] == '-' {
		i, err = strconv.ParseInt(s, 10, 64)
		return i, 0, err == nil && strconv.FormatInt(i, 10) == s
	}
	u, err = strconv.ParseUint(s, 10, 64)
	return 0, u, err == nil && strconv.FormatUint(u, 10) == s
}

// usualFloat returns the float that text is. ok is false if text is not how
// mitmproxy writes it.
func usualFloat(text []byte) (f float64, ok bool) {
	f, ok = codec.Float(text)
	if !ok {
		switch string(text) {
		case "nan":
			return math.NaN(), true
		case "inf":
			return math.Inf(1), true
		case "-inf":
			return math.Inf(-1), true
		}
		return 0, false
	}
	var buf [32]byte
	return f, string(state.AppendFloat(buf[:0], f)) == string(text)
}

// isNumber tells whether text is a number of the kind at all.
func isNumber(kind state.Kind, text []byte) bool {
	_, err := codec.Scalar(kind, text)
	return err == nil
}

// keySet finds keys that occur twice among those of a map.
type keySet struct {
	maybe uint64          // a bit for every key so far
	seen  map[string]bool // from the first key on that may have been there
}

// keyBit returns a bit that two equal texts have in common.
func keyBit(key []byte) uint64 {
	h := uint(len(key))
	if h > 0 {
		h += 7*uint(key[0]) + 31*uint(key[h-1]) + 5*uint(key[h/2])
	}
	return 1 << (h & 63)
}
