package flowtest

import (
	"math"
	"math/big"
	"math/rand/v2"

	"github.com/flowtool/flowtool/state"
)

// Random makes random states, for properties that hold for all of them.
type Random struct {
	*rand.Rand
	// Most is how many elements lists and maps have at most, and Long how long bytes
	// and text are.
	Most, Long int
}

// Flow returns a state that looks like a flow here and there.
func (g Random) Flow() *state.Map {
	m := state.NewMap()
	for range g.IntN(8) {
		key := g.pick("version", "type", "error", "client_conn", "server_conn", "metadata", "backup", "request", "response",
			"websocket", "messages", "flowpack", "$x", "")
		m.Set(key, g.Value(3))
	}
	if g.IntN(4) > 0 {
		m.Set("version", g.pickValue(state.Int(21), state.Int(7), state.NewList(state.Int(0), state.Int(18)).Value()))
	}
	if g.IntN(4) > 0 {
		r := state.NewMap()
		for range g.IntN(6) {
			r.Set(g.pick("host", "path", "headers", "content", "timestamp_start", "timestamp"), g.Value(2))
		}
		m.Set("request", r.Value())
	}
	return m
}

func (g Random) pick(s ...string) string { return s[g.IntN(len(s))] }

func (g Random) pickValue(v ...state.Value) state.Value { return v[g.IntN(len(v))] }

// Value returns a value of any kind, with lists and maps nested up to depth.
func (g Random) Value(depth int) state.Value {
	kinds := 13
	if depth == 0 {
		kinds = 10
	}
	switch g.IntN(kinds) {
	case 0:
		return state.Null()
	case 1:
		return state.Bool(g.IntN(2) == 0)
	case 2:
		return state.Int(int64(g.IntN(2000) - 1000))
	case 3:
		return state.BigInt(new(big.Int).Lsh(big.NewInt(g.Int64()-math.MaxInt64/2), uint(g.IntN(80))))
	case 4:
		return state.Int(int64(g.Uint64()) >> g.IntN(64))
	case 5:
		return state.Float(math.Float64frombits(g.Uint64()))
	case 6:
		return state.Float(float64(g.IntN(4000)-2000) / 8)
	case 7, 8:
		return state.Bytes(g.bytes())
	case 9:
		return state.Text(g.text())
	case 10:
		l := state.NewList()
		for range g.IntN(g.Most) {
			l.Append(g.Value(depth - 1))
		}
		return l.Value()
	}
	m := state.NewMap()
	keys := g.IntN(4) // of all kinds, or bytes, or text
	for range g.IntN(g.Most) {
		switch keys {
		case 0:
			key := g.Value(0)
			if f, err := key.Float64(); err != nil || f == f { // NaN never equals another
				m.SetKey(key, g.Value(depth-1))
			}
		case 1:
			m.SetKey(state.Bytes(g.bytes()), g.Value(depth-1))
		default:
			m.Set(g.text(), g.Value(depth-1))
		}
	}
	return m.Value()
}

func (g Random) bytes() []byte {
	if g.IntN(2) == 0 {
		return []byte(g.text())
	}
	b := make([]byte, g.IntN(g.Long))
	for i := range b {
		b[i] = byte(g.Uint32())
	}
	return b
}

func (g Random) text() string {
	var s []rune
	for range g.IntN(min(g.Long, 40)) {
		switch g.IntN(12) {
		case 0:
			s = append(s, rune(g.IntN(0xd800)))
		case 1:
			s = append(s, rune(0x1f300+g.IntN(0x100)))
		case 2:
			s = append(s, []rune("\"\\\n\x00\x7f\u0085\u2028\u202e$")[g.IntN(9)])
		case 3:
			s = append(s, rune(0x400+g.IntN(0x100)))
		default:
			s = append(s, rune(' '+g.IntN(95)))
		}
	}
	return string(s)
}
