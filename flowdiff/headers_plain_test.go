package flowdiff_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/flowdiff"
	"github.com/flowtool/flowtool/state"
)

// TestPlainHeaders: header blocks in which only values differ are compared in a
// shorter way than others, with the same result. One more line, the same on both
// sides and with a name that the shorter way refuses, makes them others.
func TestPlainHeaders(t *testing.T) {
	names := []string{"Host", "Accept", "accept", "Via", "Date", "Cookie", "Set-Cookie", "X-A", "X-B", "X-C"}
	values := []string{"a=1", "a=2", "b=1", ""}
	rnd := rand.New(rand.NewPCG(1, 2))
	pick := func(from []string) string { return from[rnd.IntN(len(from))] }
	req, err := flow.NewRequest("GET", "http://a.example/", flow.Headers{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	exchange := flow.NewHTTP(flow.NewClientConn(), flow.NewServerConn(nil), req, flow.NewResponse(200, flow.Headers{}, nil))
	// As it is read: what differs is found by the bytes of lines, too.
	read := func(block []string) *state.Map {
		exchange.Request().Headers = flow.NewHeaders(block...)
		exchange.Response().Headers = flow.NewHeaders(block...)
		var dump bytes.Buffer
		w := dumpfile.NewWriter(&dump)
		if err := w.WriteFlow(exchange); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		m, err := dumpfile.NewReader(&dump, nil).ReadState()
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	for range 3000 {
		var a []string
		for range rnd.IntN(6) {
			a = append(a, pick(names), pick(values))
		}
		b := append([]string(nil), a...)
		for range rnd.IntN(3) {
			if i := rnd.IntN(len(b) + 1); i%2 == 1 {
				b[i] = pick(values)
			}
		}
		opts := &flowdiff.Options{IgnoreDefaults: rnd.IntN(2) == 0}
		got := describe(diff(t, read(a), read(b), opts))
		want := describe(diff(t, read(append(a, "Ä", "1")), read(append(b, "Ä", "1")), opts))
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("%q and %q (-long way +short way)\n%s", a, b, d)
		}
	}
}
