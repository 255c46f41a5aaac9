package flow_test

import (
	"errors"
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
	for _, tt := range []struct {
		name string
		edit func(*state.Map)
		path state.Path
		want error
	}{
		{"missing", func(m *state.Map) { m.Delete("request") }, "/request", state.ErrMissing},
		{"null", func(m *state.Map) { m.Set("request", state.Null()) }, "/request", nil},
		{"malformed", func(m *state.Map) { m.Set("request", broken) }, "/request", tnetstring.ErrPrefix},
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
