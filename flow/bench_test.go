package flow_test

import (
	"testing"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

// typicalHTTP returns the bytes of an HTTP flow over TLS with headers as sites
// send them.
func typicalHTTP(t testing.TB) []byte {
	const file = "real/http1-v21.mitm"
	var best *state.Map
	n := 0
	for _, m := range flowtest.States(t, flowtest.Read(t, flowtest.Path(file))) {
		f, err := flow.View(m)
		if err != nil {
			t.Fatal(err)
		}
		h, ok := f.(*flow.HTTP)
		if !ok || h.Response() == nil {
			continue
		}
		if k := h.Request().Headers.Len() + h.Response().Headers.Len(); k > n && k < 30 {
			best, n = m, k
		}
	}
	b, _, err := best.Value().Raw(tnetstring.Encoding)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func open(b testing.TB, data []byte) *state.Map {
	v, err := state.Open(&state.Source{Codec: tnetstring.Codec{}, Data: data})
	if err != nil {
		b.Fatal(err)
	}
	m, err := v.Map()
	if err != nil {
		b.Fatal(err)
	}
	return m
}

var sinkHTTP *flow.HTTP

func BenchmarkHTTP(b *testing.B) {
	data := typicalHTTP(b)
	f, _ := flow.View(open(b, data))
	h := f.(*flow.HTTP)
	b.Logf("%d bytes, %d request and %d response headers", len(data), h.Request().Headers.Len(), h.Response().Headers.Len())
	view := func(b *testing.B) *flow.HTTP {
		f, err := flow.View(open(b, data))
		if err != nil {
			b.Fatal(err)
		}
		return f.(*flow.HTTP)
	}
	b.Run("open", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			open(b, data)
		}
	})
	b.Run("view", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			sinkHTTP = view(b)
		}
	})
	b.Run("request", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			view(b).Request()
		}
	})
	b.Run("list", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			f := view(b)
			f.Request()
			f.Response()
		}
	})
	b.Run("all", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			decodeAll(view(b))
		}
	})
	b.Run("sync", func(b *testing.B) {
		b.ReportAllocs()
		f := view(b)
		decodeAll(f)
		for b.Loop() {
			f.State()
		}
	})
	b.Run("fromstate", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := flow.FromState(open(b, data)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("repair", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := flow.Repair(open(b, data)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// TestAllocations holds the promise that listing flows is cheap.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("allocations are not the same with the race detector")
	}
	data := typicalHTTP(t)
	n := testing.AllocsPerRun(100, func() {
		f, err := flow.View(open(t, data))
		if err != nil {
			t.Fatal(err)
		}
		h := f.(*flow.HTTP)
		h.Request()
		h.Response()
	})
	if n > 15 {
		t.Errorf("%v allocations for a request and a response", n)
	}
}
