package flow_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/state"
)

// mutate changes m as data say: three bytes choose a place, what to do there and
// the value to do it with.
func mutate(t testing.TB, m *state.Map, data []byte) {
	values := []state.Value{
		state.Null(), state.Int(0), state.Int(1), state.Int(-5), state.Float(1.5), state.Float(0), state.Bool(true),
		state.Bool(false), state.Text(""), state.Text("QUIC"), state.Text("x"), state.Text("request"),
		state.Bytes(nil), state.Bytes([]byte("x")), state.Bytes([]byte{0xff}), list(), list(state.Int(1)),
		list(state.Text("a"), state.Int(1)), list(state.Bool(true), state.Bytes([]byte("x"))),
		list(state.Bytes([]byte("a")), state.Bytes([]byte("b"))),
		state.NewMap().Value(), state.NewMap(state.E("x", state.Int(1))).Value(),
	}
	for ; len(data) >= 3; data = data[3:] {
		paths := allPaths(m.Value(), "")
		path := paths[int(data[0])%len(paths)]
		if path == "/type" && data[1] != 77 {
			continue
		}
		v, set := at(t, m, path)
		w := state.Clone(values[int(data[2])%len(values)])
		switch data[1] % 4 {
		case 0, 1:
			set(&w)
		case 2:
			if l, err := v.List(); err == nil {
				if data[2]%2 == 0 {
					l.Append(w)
				} else if l.Len() > 0 {
					l.Truncate(l.Len() - 1)
				}
			} else if p, err := v.Map(); err == nil {
				p.SetKey(values[int(data[2])%15], w)
			}
		case 3:
			if p, err := parent(t, m, path).Map(); err == nil {
				p.Delete(path[strings.LastIndex(path, "/")+1:])
			}
		}
	}
}

func parent(t testing.TB, m *state.Map, path string) state.Value {
	i := strings.LastIndex(path, "/")
	if i <= 0 {
		return m.Value()
	}
	v, _ := at(t, m, path[:i])
	return v
}

// allPaths returns the paths of everything in v that text keys and indexes lead
// to.
func allPaths(v state.Value, p state.Path) (paths []string) {
	switch v.Kind() {
	case state.KindMap:
		m, _ := v.Map()
		for k, e := range m.All() {
			if key, err := k.Text(); err == nil && key != "" {
				paths = append(append(paths, string(p.Key(key))), allPaths(e, p.Key(key))...)
			}
		}
	case state.KindList:
		l, _ := v.List()
		for i, e := range l.All() {
			paths = append(append(paths, string(p.Index(i))), allPaths(e, p.Index(i))...)
		}
	}
	return paths
}

// FuzzSetState: what is accepted is what GetState returns then, but for numbers
// of another kind; what is refused changes neither the flow nor the state.
// Looking at a flow changes nothing, nothing that is fine is repaired, and
// nothing needs to be repaired twice.
func FuzzSetState(f *testing.F) {
	kinds := flow.Types()
	for i := range kinds {
		f.Add(uint8(i), []byte(nil))
		f.Add(uint8(i), []byte{4, 0, 2, 17, 1, 3})
	}
	f.Fuzz(func(t *testing.T, kind uint8, data []byte) {
		if len(data) > 300 {
			return
		}
		m := sample(t, kinds[int(kind)%len(kinds)])
		mutate(t, m, data)
		input := reread(t, m)
		m = reparse(input)
		v, err := flow.View(reparse(input))
		if err != nil {
			return
		}
		decodeAll(v)
		if raw, ok, _ := v.State().Value().Raw(tnetstring.Encoding); !ok || !bytes.Equal(raw, mustRaw(input)) {
			t.Error("looking at the flow changed the state")
		}
		g := fresh(t)[v.Type()]
		decodeAll(g)
		before := encode(t, g.State())
		err = g.SetState(m)
		if err != nil {
			if !bytes.Equal(before, encode(t, g.State())) {
				t.Error("the flow was changed though the state was refused")
			}
			if raw, ok, _ := m.Value().Raw(tnetstring.Encoding); !ok || !bytes.Equal(raw, mustRaw(input)) {
				t.Error("the state was changed though it was refused")
			}
		} else {
			got := g.GetState()
			if !input.Has("backup") {
				got.Delete("backup")
			}
			if !sameButNumbers(input.Value(), got.Value()) {
				t.Errorf("GetState differs:\n%s", diffStates(input, got))
			}
			h, err := flow.FromState(reread(t, g.State()))
			if err != nil {
				t.Fatalf("refused when it is read again: %v", err)
			}
			decodeAll(h)
			rawOf(t, h.State())
		}
		fixed := reparse(input)
		notes, _ := flow.Repair(fixed)
		if raw, ok, _ := fixed.Value().Raw(tnetstring.Encoding); ok != (len(notes) == 0) || ok && !bytes.Equal(raw, mustRaw(input)) {
			t.Errorf("repaired without a note, or the other way round: %v", notes)
		}
		if err == nil && len(notes) > 0 {
			t.Errorf("a state that is accepted was repaired: %v", notes)
		}
		if again, _ := flow.Repair(fixed); len(again) != 0 {
			t.Errorf("repairing twice: %v, then %v", notes, again)
		}
	})
}

func reparse(m *state.Map) *state.Map {
	states, _ := records(mustRaw(m))
	return states[0]
}

func mustRaw(m *state.Map) []byte {
	raw, ok, err := m.Value().Raw(tnetstring.Encoding)
	if !ok || err != nil {
		panic("not clean")
	}
	return raw
}

// sameButNumbers compares like state.Equal, but takes numbers of different kinds
// for the same.
func sameButNumbers(a, b state.Value) bool {
	if a.Kind() != b.Kind() {
		return number(a) && number(b)
	}
	switch a.Kind() {
	case state.KindMap:
		x, err1 := a.Map()
		y, err2 := b.Map()
		if err1 != nil || err2 != nil {
			return state.Equal(a, b)
		}
		if x.Len() != y.Len() {
			return false
		}
		for k, v := range x.All() {
			if w, ok := y.GetKey(k); !ok || !sameButNumbers(v, w) {
				return false
			}
		}
		return true
	case state.KindList:
		x, err1 := a.List()
		y, err2 := b.List()
		if err1 != nil || err2 != nil {
			return state.Equal(a, b)
		}
		if x.Len() != y.Len() {
			return false
		}
		for i, v := range x.All() {
			if !sameButNumbers(v, y.At(i)) {
				return false
			}
		}
		return true
	}
	return state.Equal(a, b)
}

func number(v state.Value) bool {
	return v.Kind() == state.KindBool || v.Kind() == state.KindInt || v.Kind() == state.KindFloat
}
