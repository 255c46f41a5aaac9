package tnetstring_test

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/state"
)

func TestManyKeys(t *testing.T) {
	// Duplicates among many keys: hashing must agree with comparing.
	var b strings.Builder
	add := func(key string) { b.WriteString(key + "1:1#") }
	for i := range 1000 {
		k := fmt.Sprint(i)
		add(fmt.Sprintf("%d:%s;", len(k), k))
	}
	for _, k := range []string{"1:7;", "1:7,", "1:7#", "3:7.0^", "4:true!", "1:1#", "0:~", "0:~", "3:nan^", "3:nan^", "3:inf^", "3:inf^", "3:0.5^", "3:0.5^"} {
		add(k)
	}
	text := fmt.Sprintf("%d:%s}", b.Len(), b.String())
	v, err := state.Open(&state.Source{Codec: tnetstring.Codec{}, Data: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	m, err := v.Map()
	if err != nil {
		t.Fatal(err)
	}
	// b"7", 7, true, null, nan, nan, inf, 0.5 are new.
	if want := 1000 + 8; m.Len() != want {
		t.Errorf("got %d keys, want %d", m.Len(), want)
	}
}

func TestErrorOffsets(t *testing.T) {
	for _, tt := range []struct{ before, rest string }{
		{"", "x"},
		{"12", ""},
		{"3:ab", ""},
		{"3:abc", "?"},
		{"4:0:~", "1]"},
		{"7:0:~0:", "x~]"},
	} {
		v, err := state.Open(&state.Source{Codec: tnetstring.Codec{}, Data: []byte(tt.before + tt.rest)})
		if err == nil {
			err = state.Validate(v)
		}
		pe, ok := errors.AsType[*state.PathError](err)
		if !ok || pe.Offset != int64(len(tt.before)) {
			t.Errorf("%q + %q: got %v", tt.before, tt.rest, err)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	deep := state.NewList()
	for range tnetstring.DefaultMaxDepth {
		deep = state.NewList(deep.Value())
	}
	huge := new(big.Int).Exp(big.NewInt(10), big.NewInt(tnetstring.MaxDigits), nil)
	for _, tt := range []struct {
		name string
		v    state.Value
		want error
	}{
		{"text", state.Text("\xff"), tnetstring.ErrUTF8},
		{"key", state.NewMap(state.Entry{Key: state.NewList().Value(), Value: state.Null()}).Value(), tnetstring.ErrContainerKey},
		{"integer", state.BigInt(huge), tnetstring.ErrInt},
		{"depth", deep.Value(), tnetstring.ErrTooDeep},
	} {
		got, err := tnetstring.Append([]byte("before"), state.NewMap(state.E("k", tt.v)).Value())
		if !errors.Is(err, tt.want) || string(got) != "before" {
			t.Errorf("%s: got %q, %v", tt.name, got, err)
		}
		if pe, ok := errors.AsType[*state.PathError](err); !ok || !strings.HasPrefix(string(pe.Path), "/k") {
			t.Errorf("%s: error %v has no path", tt.name, err)
		}
	}
}

func TestDepthLimit(t *testing.T) {
	const levels = 100_000
	var b []byte
	for range levels {
		b = fmt.Appendf(nil, "%d:%s]", len(b), b)
		if len(b) > 5000 {
			break // enough levels; the test in dumpfile uses 100,000
		}
	}
	v, err := state.Open(&state.Source{Codec: tnetstring.Codec{}, Data: b})
	if err != nil {
		t.Fatal(err)
	}
	if err := state.Validate(v); !errors.Is(err, tnetstring.ErrTooDeep) || !strings.Contains(err.Error(), "limit is 500") {
		t.Errorf("got %v", err)
	}
}

func ExampleAppend() {
	m := state.NewMap(
		state.E("version", state.Int(21)),
		state.E("type", state.Text("http")),
	)
	b, err := tnetstring.Append(nil, m.Value())
	fmt.Printf("%s %v\n", b, err)
	// Output: 29:4:type;4:http;7:version;2:21#} <nil>
}

func BenchmarkElements(b *testing.B) {
	m := state.NewMap()
	for _, k := range []string{"version", "type", "id", "error", "client_conn", "server_conn", "intercepted", "is_replay", "marked", "metadata", "comment", "timestamp_created", "backup", "request", "response", "websocket"} {
		m.Set(k, state.Text("some text or other"))
	}
	data, err := tnetstring.Encode(m.Value())
	if err != nil {
		b.Fatal(err)
	}
	src := &state.Source{Codec: tnetstring.Codec{}, Data: data}
	v, err := state.Open(src)
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]state.Value, 0, 64)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Elements(buf); err != nil {
			b.Fatal(err)
		}
	}
}
