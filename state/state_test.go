package state_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"math/big"
	"testing"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/state"
)

// open returns the tree that text encodes.
func open(t testing.TB, text string) state.Value {
	t.Helper()
	v, err := state.Open(&state.Source{Codec: tnetstring.Codec{}, Data: []byte(text), Off: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func encode(t testing.TB, v state.Value) string {
	t.Helper()
	b, err := tnetstring.Encode(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestUntouchedKeepsBytes(t *testing.T) {
	const text = "60:+3:abc;2:05#3:def;14: 4:+1.5^02:x],]1:k,18:1:b;2:+7#1:a;2:08#}}"
	head := bytes.IndexByte([]byte(text), ':')
	text2 := []byte(text)
	// Set the length of the outer map to what it is.
	inner := string(text2[head+1 : len(text2)-1])
	whole := string(appendLen(len(inner))) + ":" + inner + "}"
	v := open(t, whole)
	if got := encode(t, v); got != whole {
		t.Errorf("unopened: got %q", got)
	}
	if err := state.Validate(v); err != nil {
		t.Fatal(err)
	}
	if got := encode(t, v); got != whole {
		t.Errorf("after decoding everything: got %q", got)
	}
	m, _ := v.Map()
	if m.Len() != 3 {
		t.Fatalf("got %d entries", m.Len())
	}
	m.Set("new", state.Int(1))
	got := encode(t, v)
	for _, part := range []string{"+3:abc;2:05#", "3:def;14: 4:+1.5^02:x],]", "1:k,18:1:b;2:+7#1:a;2:08#}"} {
		if !bytes.Contains([]byte(got), []byte(part)) {
			t.Errorf("after adding a key: %q is not in %q", part, got)
		}
	}
	// An edit deep down re-encodes the maps around it and nothing else.
	v = open(t, whole)
	m, _ = v.Map()
	sub, _ := m.GetKey(state.Bytes([]byte("k")))
	sm, err := sub.Map()
	if err != nil {
		t.Fatal(err)
	}
	sm.Set("a", state.Int(9))
	got = encode(t, v)
	for _, part := range []string{"+3:abc;2:05#", "14: 4:+1.5^02:x],]", "1:b;2:+7#1:a;1:9#}"} {
		if !bytes.Contains([]byte(got), []byte(part)) {
			t.Errorf("after an edit below: %q is not in %q", part, got)
		}
	}
}

func appendLen(n int) []byte { return big.NewInt(int64(n)).Append(nil, 10) }

func TestMapOrderAndKeys(t *testing.T) {
	// On disk: b, then a. In logical order: a, then b.
	v := open(t, "16:1:b;1:2#1:a;1:1#}")
	m, err := v.Map()
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for k := range m.All() {
		s, _ := k.Text()
		keys = append(keys, s)
	}
	if len(keys) != 2 || keys[0] != "a" || keys[1] != "b" {
		t.Errorf("keys are %q", keys)
	}
	if _, ok := m.GetKey(state.Bytes([]byte("a"))); ok {
		t.Error(`b"a" found "a"`)
	}
	m.SetKey(state.Bytes([]byte("a")), state.Null())
	if m.Len() != 3 {
		t.Errorf("got %d entries", m.Len())
	}
	if !m.Rename("a", "c") || m.Has("a") {
		t.Error("Rename did not rename")
	}
	if got := encode(t, v); got != "23:1:a,0:~1:b;1:2#1:c;1:1#}" {
		t.Errorf("got %q", got)
	}
	if !m.Rename("b", "c") || m.Len() != 2 {
		t.Errorf("renaming onto a key leaves %d entries", m.Len())
	}
	if _, ok := m.Delete("nope"); ok {
		t.Error("deleted what is not there")
	}
	if v, ok := m.Delete("c"); !ok || v.String() != "2" {
		t.Errorf("deleted %v, %v", v, ok)
	}
}

func TestSameKey(t *testing.T) {
	nan, inf := state.Float(math.NaN()), state.Float(math.Inf(1))
	huge := state.BigInt(new(big.Int).Lsh(big.NewInt(1), 80))
	for _, tt := range []struct {
		a, b state.Value
		want bool
	}{
		{state.Int(1), state.Float(1), true},
		{state.Int(1), state.Bool(true), true},
		{state.Int(0), state.Float(math.Copysign(0, -1)), true},
		{state.Int(0), state.Null(), false},
		{state.Text("a"), state.Text("a"), true},
		{state.Text("a"), state.Bytes([]byte("a")), false},
		{state.Text("1"), state.Int(1), false},
		{nan, nan, false},
		{inf, inf, true},
		{inf, state.Float(math.Inf(-1)), false},
		{nan, inf, false},
		{huge, state.Float(math.Ldexp(1, 80)), true},
		{state.Float(0.5), state.Int(0), false},
	} {
		if got := state.SameKey(tt.a, tt.b); got != tt.want {
			t.Errorf("SameKey(%v, %v) = %v", tt.a, tt.b, got)
		}
		if got := state.SameKey(tt.b, tt.a); got != tt.want {
			t.Errorf("SameKey(%v, %v) = %v", tt.b, tt.a, got)
		}
	}
}

func TestEqual(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"1:1#", "2:01#", true},
		{"1:1#", "3:1.0^", false},
		{"3:0.0^", "4:-0.0^", false},
		{"3:nan^", "4:-NaN^", true},
		{"1:a;", "1:a,", false},
		{"16:1:b;1:2#1:a;1:1#}", "16:1:a;1:1#1:b;1:2#}", true},
		{"16:1:b;1:2#1:a;1:1#}", "16:1:a;1:2#1:b;1:1#}", false},
		{"8:1:1#1:2#]", "8:1:2#1:1#]", false},
		{"8:1:a;1:1#}", "16:1:b;1:2#1:a;1:1#}", false},
	} {
		a, b := open(t, tt.a), open(t, tt.b)
		if got := state.Equal(a, b); got != tt.want {
			t.Errorf("Equal(%s, %s) = %v", tt.a, tt.b, got)
		}
	}
}

func TestCloneIsIndependent(t *testing.T) {
	for _, f := range []struct {
		name string
		copy func(state.Value) state.Value
	}{{"Clone", state.Clone}, {"Detach", state.Detach}} {
		for _, edited := range []bool{false, true} {
			v := open(t, "32:1:b;16:1:y;1:2#1:x;1:1#}1:a;1:1#}")
			m, err := v.Map()
			if err != nil {
				t.Fatal(err)
			}
			if edited {
				b, _ := m.Map("b")
				b.Set("x", state.Text("edited"))
			}
			before := encode(t, v)
			c := f.copy(v)
			if got := encode(t, c); got != before {
				t.Errorf("%s: copy is %q, want %q", f.name, got, before)
			}
			cm, _ := c.Map()
			sub, _ := cm.Map("b")
			sub.Set("y", state.Null())
			cm.Delete("a")
			if got := encode(t, v); got != before {
				t.Errorf("%s: changing the copy changed the original to %q", f.name, got)
			}
		}
	}
}

func TestMapCloneIsOpen(t *testing.T) {
	m, err := open(t, "16:1:b;1:2#1:a;1:1#}").Map()
	if err != nil {
		t.Fatal(err)
	}
	c := m.Clone()
	if !c.Has("a") || c.Len() != 2 {
		t.Errorf("the clone has %d entries", c.Len())
	}
	if _, ok, _ := c.Value().Raw(tnetstring.Encoding); !ok {
		t.Error("the clone forgot its bytes")
	}
}

func TestDetachOwnsMemory(t *testing.T) {
	data := []byte("32:1:b;16:1:y;1:2#1:x;1:1#}1:a;1:1#}")
	v, err := state.Open(&state.Source{Codec: tnetstring.Codec{}, Data: data})
	if err != nil {
		t.Fatal(err)
	}
	want := string(data)
	d := state.Detach(v)
	clear(data)
	if got := encode(t, d); got != want {
		t.Errorf("got %q", got)
	}
}

func TestDetachKeepsOffsets(t *testing.T) {
	v := open(t, "14:5:first;3:5x7#]")
	l, err := v.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []state.Value{l.At(1), state.Detach(l.At(1))} {
		_, err := e.Int64()
		if pe, ok := err.(*state.PathError); !ok || pe.Offset != 1000+13 {
			t.Errorf("got %#v", err)
		}
	}
}

func TestErrorsSayWhere(t *testing.T) {
	text := "26:7:request;12:4:host;2:0x#}}"
	v := open(t, text)
	m, err := v.Map()
	if err != nil {
		t.Fatal(err)
	}
	req, err := m.Map("request")
	if err != nil {
		t.Fatal(err)
	}
	_, err = req.Int64("host")
	err = state.At(err, "request")
	pe, ok := err.(*state.PathError)
	if !ok || pe.Path != "/request/host" || !errors.Is(err, tnetstring.ErrInt) {
		t.Fatalf("got %v", err)
	}
	if want := int64(1000 + bytes.Index([]byte(text), []byte("0x"))); pe.Offset != want {
		t.Errorf("offset is %d, want %d", pe.Offset, want)
	}
	_, err = req.Text("nope")
	if !errors.Is(err, state.ErrMissing) {
		t.Errorf("got %v", err)
	}
	_, err = m.Text("request")
	if te, ok := errors.AsType[*state.TypeError](err); !ok || te.Got != "map" || te.Want != "text" {
		t.Errorf("got %v", err)
	}
	if got := state.At(errors.New("x"), 3).Error(); got != "/3: x" {
		t.Errorf("got %q", got)
	}
	if got := state.At(state.At(errors.New("x"), "a/b~c"), state.Bytes([]byte("k"))).Error(); got != `/b"k"/a~1b~0c: x` {
		t.Errorf("got %q", got)
	}
}

func TestExtents(t *testing.T) {
	r := bytes.NewReader([]byte("0123456789"))
	v := state.External(state.KindBytes, &state.Extent{Reader: r, Off: 2, Len: 5})
	if b, err := v.Bytes(); err != nil || string(b) != "23456" || v.Len() != 5 || v.InMemory() {
		t.Errorf("got %q, %v", b, err)
	}
	rd, err := v.Reader()
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(rd); err != nil || string(b) != "23456" {
		t.Errorf("got %q, %v", b, err)
	}
	cut := state.External(state.KindBytes, &state.Extent{Reader: r, Off: 8, Len: 5})
	if _, err := cut.Bytes(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file that became shorter gives %v", err)
	}
	gone := state.External(state.KindText, &state.Extent{Len: 7})
	if _, err := gone.Text(); !errors.Is(err, state.ErrElided) || gone.Len() != 7 {
		t.Errorf("a dropped value gives %v", err)
	}
}

func TestElementsLeavesNoTrace(t *testing.T) {
	const text = "32:1:b;16:1:y;1:2#1:x;1:1#}1:a;1:1#}"
	v := open(t, text)
	buf := make([]state.Value, 0, 8)
	elems, err := v.Elements(buf)
	if err != nil || len(elems) != 4 || elems[0].String() != `"a"` {
		t.Fatalf("got %v, %v", elems, err)
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = v.Elements(buf) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestFormatFloatExamples(t *testing.T) {
	for f, want := range map[float64]string{
		9999999999999998: "9999999999999998.0", 1e16: "1e+16", 0.0001: "0.0001", 0.00001: "1e-05",
		999999999999999.9: "999999999999999.9", 9.9999e-5: "9.9999e-05", 1.5e300: "1.5e+300",
	} {
		if got := state.FormatFloat(f); got != want {
			t.Errorf("%v: got %s, want %s", f, got, want)
		}
	}
}
