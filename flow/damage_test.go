package flow_test

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

func TestViewReportsDamage(t *testing.T) {
	data := flowtest.Read(t, flowtest.Path("real", "append-v21.mitm"))
	good := flowtest.States(t, data)[0]
	if f, err := flow.View(good); err != nil {
		t.Fatal(err)
	} else if f.(*flow.HTTP).Request(); f.Damage() != nil {
		t.Fatalf("a good flow: %v", f.Damage())
	}
	broken, err := state.Open(&state.Source{Codec: tnetstring.Codec{}, Data: []byte("5:1:a;x}")})
	if err != nil {
		t.Fatal(err)
	}
	req := func(m *state.Map) *state.Map {
		r, err := m.Map("request")
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, tt := range []struct {
		name string
		edit func(*state.Map)
		path state.Path
		want error
	}{
		{"missing", func(m *state.Map) { m.Delete("request") }, "/request", state.ErrMissing},
		{"null", func(m *state.Map) { m.Set("request", state.Null()) }, "/request", nil},
		{"malformed", func(m *state.Map) { m.Set("request", broken) }, "/request", tnetstring.ErrPrefix},
		{"method", func(m *state.Map) { req(m).Set("method", state.Int(1)) }, "/request/method", nil},
		{"content", func(m *state.Map) { req(m).Set("content", state.Int(1)) }, "/request/content", nil},
		{"port", func(m *state.Map) { req(m).Set("port", state.BigInt(new(big.Int).Lsh(big.NewInt(1), 80))) }, "/request/port", nil},
		{"headers", func(m *state.Map) { req(m).Set("headers", state.Text("x")) }, "/request/headers", nil},
		{"response", func(m *state.Map) { m.Set("response", state.Text("x")) }, "/response", nil},
	} {
		m := good.Clone()
		tt.edit(m)
		f, err := flow.View(m)
		if err != nil {
			t.Fatal(err)
		}
		h := f.(*flow.HTTP)
		if h.Damage() != nil {
			t.Errorf("%s: damage before anybody looked", tt.name)
		}
		_, _ = h.Request(), h.Response()
		pe, ok := errors.AsType[*state.PathError](h.Damage())
		if !ok || pe.Path != tt.path || tt.want != nil && !errors.Is(h.Damage(), tt.want) {
			t.Errorf("%s: %v", tt.name, h.Damage())
		}
	}
}

func TestViewReportsDamageBelow(t *testing.T) {
	header := flowtest.States(t, flowtest.Read(t, flowtest.Path("real", "append-v21.mitm")))[0]
	r, err := header.Map("request")
	if err != nil {
		t.Fatal(err)
	}
	r.Set("headers", state.NewList(state.NewList(state.Bytes([]byte("a")), state.Int(5)).Value()).Value())
	f, err := flow.View(header)
	if err != nil {
		t.Fatal(err)
	}
	if n := f.(*flow.HTTP).Request().Headers.Len(); n != 0 || f.Damage() == nil || !strings.HasPrefix(f.Damage().Error(), "/request/headers/0: ") {
		t.Errorf("%d headers, %v", n, f.Damage())
	}
	dns := flowtest.States(t, flowtest.Read(t, flowtest.Path("real", "dns-v21.mitm")))[0]
	q, err := dns.Map("request")
	if err != nil {
		t.Fatal(err)
	}
	l, err := q.List("questions")
	if err != nil {
		t.Fatal(err)
	}
	m, err := l.At(0).Map()
	if err != nil {
		t.Fatal(err)
	}
	m.Set("type", state.Text("A"))
	if f, err = flow.View(dns); err != nil {
		t.Fatal(err)
	}
	f.(*flow.DNS).Request()
	if f.Damage() == nil || !strings.HasPrefix(f.Damage().Error(), "/request/questions/0/type: ") {
		t.Errorf("%v", f.Damage())
	}
}
