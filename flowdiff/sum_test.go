package flowdiff

import (
	"strings"
	"testing"

	"github.com/flowtool/flowtool/state"
)

// TestSumOfExternal: what is not in memory has the same sum as if it were.
func TestSumOfExternal(t *testing.T) {
	for _, n := range []int{0, 1, 22, 23, 24, 25, 100_000} {
		content := strings.Repeat("x", n)
		for _, inMemory := range []state.Value{state.Text(content), state.Bytes([]byte(content))} {
			external := state.External(inMemory.Kind(), &state.Extent{Reader: strings.NewReader(content), Len: int64(n)})
			x, err1 := buildNode(inMemory)
			y, err2 := buildNode(external)
			if err1 != nil || err2 != nil || x.sum != y.sum {
				t.Errorf("%s, %d bytes: sum %x, external %x, errors %v, %v", inMemory.Kind(), n, x.sum, y.sum, err1, err2)
			}
		}
	}
}

// TestSums has values of which no two are equal.
func TestSums(t *testing.T) {
	long := strings.Repeat("x", 24)
	list := func(elems ...state.Value) state.Value { return state.NewList(elems...).Value() }
	mapping := func(entries ...state.Entry) state.Value { return state.NewMap(entries...).Value() }
	seen := map[sum]state.Value{}
	for _, v := range []state.Value{
		state.Null(), state.Bool(false), state.Bool(true), state.Int(0), state.Int(1), state.Float(0), state.Float(1),
		state.Text(""), state.Bytes(nil), state.Text("0"), state.Bytes([]byte("0")), state.Text("\x00"), state.Text("\x00\x00"),
		state.Text(long), state.Bytes([]byte(long)), state.Text(long + "x"), state.Text(long[1:]),
		list(), mapping(), list(state.Null()), list(list()), list(mapping()), list(state.Null(), state.Null()),
		list(state.Text("a"), state.Text("b")), list(state.Text("b"), state.Text("a")), list(state.Text("ab")),
		list(list(state.Text("a")), state.Text("b")), list(list(state.Text("a"), state.Text("b"))),
		mapping(state.E("a", state.Text("b"))), mapping(state.E("b", state.Text("a"))), mapping(state.E("a", state.Bytes([]byte("b")))),
		mapping(state.Entry{Key: state.Bytes([]byte("a")), Value: state.Text("b")}),
		mapping(state.Entry{Key: state.Int(1), Value: state.Null()}), mapping(state.Entry{Key: state.Bool(true), Value: state.Null()}),
		mapping(state.E("1", state.Null())), mapping(state.E("", state.Null())), mapping(state.Entry{Value: state.Null()}),
	} {
		n, err := buildNode(v)
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[n.sum]; ok {
			t.Errorf("%s and %s have the same sum", other, v)
		}
		seen[n.sum] = v
	}
}
