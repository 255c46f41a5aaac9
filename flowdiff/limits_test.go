package flowdiff_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/flowdiff"
	"github.com/flowtool/flowtool/state"
)

// repeated returns n texts, one after the other.
func repeated(n int, text func(i int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(text(i))
	}
	return b.String()
}

// Large and hostile contents are compared in reasonable time, which the limit of
// the test run guards, and as what they can be compared as.
func TestLimits(t *testing.T) {
	const n = 1 << 18
	rng := rand.New(rand.NewPCG(1, 1))
	for _, tt := range []struct {
		name, contentType, a, b string
		changes                 int
		hunks                   bool   // it is compared by line
		note                    string // names the limit
	}{
		{name: "other lines", a: repeated(n-1, func(i int) string { return fmt.Sprintln("a", i) }), b: repeated(n-1, func(i int) string { return fmt.Sprintln("b", i) }), changes: 1, hunks: true},
		{name: "lines of two kinds", a: repeated(n-1, func(i int) string { return fmt.Sprintln(rng.IntN(2)) }), b: repeated(n-1, func(i int) string { return fmt.Sprintln(rng.IntN(2)) }), changes: 1, hunks: true},
		{name: "lines backwards", a: repeated(n-1, func(i int) string { return fmt.Sprintln(i) }), b: repeated(n-1, func(i int) string { return fmt.Sprintln(-i) }), changes: 1, hunks: true},
		{name: "every other line", a: repeated(n-1, func(i int) string { return fmt.Sprintln(i) }), b: repeated(n-1, func(i int) string { return fmt.Sprintln(i &^ 1) }), changes: 1, hunks: true},
		{name: "too many lines", a: strings.Repeat("\n", n+1), b: strings.Repeat("\n", n+2), changes: 1, note: "compared as a whole: more than 262144 lines"},
		{name: "deep JSON", a: strings.Repeat("[", 1e6), b: strings.Repeat("[", 1e6) + "1", changes: 1, hunks: true, note: "compared by line: more than 200 levels of JSON"},
		{name: "deep JSON that is valid", a: strings.Repeat("[", 5000) + strings.Repeat("]", 5000), b: strings.Repeat("[", 5001) + strings.Repeat("]", 5001), changes: 1, hunks: true, note: "compared by line: more than 200 levels of JSON"},
		{name: "JSON that shares nothing", a: "[" + repeated(5000, func(i int) string { return fmt.Sprintf("{\"a\":%d},", i) }) + "0]", b: "[" + repeated(5000, func(i int) string { return fmt.Sprintf("{\"a\":%d},", -i) }) + "1]", changes: 1, hunks: true, note: "compared by line: more than 1000 changes of JSON"},
		{name: "JSON of many values", a: "[" + strings.Repeat("0,", n) + "0]", b: "[" + strings.Repeat("0,", n) + "1]", changes: 1, hunks: true, note: "compared by line: more than 262144 values of JSON"},
		{name: "JSON of many keys", a: "{" + repeated(100000, func(i int) string { return fmt.Sprintf("\"%d\":0,", i) }) + "\"x\":0}", b: "{" + repeated(100000, func(i int) string { return fmt.Sprintf("\"%d\":0,", i) }) + "\"x\":1}", changes: 1},
		{name: "number of many digits", a: "[" + strings.Repeat("1", 1e6) + "]", b: "[" + strings.Repeat("1", 1e6) + "2]", changes: 1},
		{name: "form of many fields", contentType: "application/x-www-form-urlencoded", a: strings.Repeat("a&", n), b: strings.Repeat("a&", n) + "b", changes: 1, hunks: true, note: "compared by line: more than 65536 fields of a form"},
		{name: "form of many names", contentType: "application/x-www-form-urlencoded", a: repeated(60000, func(i int) string { return fmt.Sprintf("%d=1&", i) }), b: repeated(60000, func(i int) string { return fmt.Sprintf("%d=1&", i) }) + "x", changes: 1},
		{name: "multipart of many fields", contentType: "multipart/form-data; boundary=B", a: strings.Repeat("--B\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n", 20000) + "--B--", b: strings.Repeat("--B\r\nContent-Disposition: form-data; name=a\r\n\r\n2\r\n", 20000) + "--B--", changes: 1, hunks: true, note: "compared by line: more than 10000 parts of a form"},
		{name: "multipart of many files", contentType: "multipart/form-data; boundary=B", a: strings.Repeat("--B\r\nContent-Disposition: form-data; name=a\r\n\r\n\x00\xff\r\n", 10001) + "--B--", b: strings.Repeat("--B\r\nContent-Disposition: form-data; name=a\r\n\r\n\x01\xff\r\n", 10001) + "--B--", changes: 1, note: "compared as a whole: more than 10000 parts of a form"},
		{name: "multipart of as many fields as may be", contentType: "multipart/form-data; boundary=B", a: strings.Repeat("--B\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n", 10000) + "--B--", b: strings.Repeat("--B\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n", 9999) + "--B--", changes: 1},
		{name: "more than MaxBody", a: strings.Repeat("a\n", 9<<20), b: strings.Repeat("a\n", 9<<20) + "b", changes: 1, note: "compared as transferred: more than the limit on bodies, --max-body 16777216"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := newExchange(t)
			x.body(tt.contentType, tt.a)
			a := x.f.GetState()
			x.body(tt.contentType, tt.b)
			changes := diff(t, a, x.f.GetState(), nil)
			if len(changes) != tt.changes {
				t.Fatalf("%d changes", len(changes))
			}
			if hunks := changes[0].Body != nil && changes[0].Body.Hunks != nil; hunks != tt.hunks {
				t.Errorf("hunks: %t", hunks)
			}
			if changes[0].Note != tt.note {
				t.Errorf("note %q, want %q", changes[0].Note, tt.note)
			}
		})
	}
}

func TestLimitsElsewhere(t *testing.T) {
	many := func(x exchange, n int) {
		for i := range n {
			x.req.Headers.Add(fmt.Sprint("X-", i%(n/2)), fmt.Sprint(i))
		}
	}
	for _, tt := range []struct {
		name         string
		before, edit func(exchange)
		changes      int
	}{
		{"many headers", func(x exchange) { many(x, 50000) }, func(x exchange) { x.req.Headers.Add("X", "y") }, 1},
		{"too many headers", func(x exchange) { many(x, 100000) }, func(x exchange) { x.req.Headers.Add("X", "y") }, 1},
		{"many headers with other values", func(x exchange) { many(x, 60000) }, func(x exchange) {
			for i, h := range x.req.Headers.All() {
				x.req.Headers.All()[i].Value = h.Value + "!"
			}
		}, 60005},
		{"many headers with other values, once each", func(x exchange) {
			for i := range 60000 {
				x.req.Headers.Add(fmt.Sprint("X-", i), "1")
			}
		}, func(x exchange) {
			for i, h := range x.req.Headers.All() {
				if h.Value == "1" {
					x.req.Headers.All()[i].Value = "2"
				}
			}
		}, 60000},
		{"many parameters", func(x exchange) { x.req.Path = "/?" + strings.Repeat("a&", 1e5) }, func(x exchange) { x.req.Path = "/" }, 1},
		{"many cookies", func(x exchange) { x.req.Headers.Set("Cookie", strings.Repeat("a;", 1e5)) }, func(x exchange) { x.req.Headers.Set("Cookie", "a") }, 1},
		{"many entries of metadata", func(x exchange) {
			l := state.NewList()
			for i := range 1 << 19 {
				l.Append(state.Int(int64(i)))
			}
			x.f.Metadata().Set("l", l.Value())
		}, func(x exchange) { l, _ := x.f.Metadata().List("l"); l.Set(7, state.Null()) }, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := newExchange(t)
			tt.before(x)
			a := x.f.GetState()
			tt.edit(x)
			b := x.f.GetState()
			if changes := diff(t, a, b, nil); len(changes) != tt.changes {
				t.Errorf("%d changes", len(changes))
			}
			if changes := diff(t, reread(t, a), reread(t, b), nil); len(changes) != tt.changes {
				t.Errorf("%d changes of states from a file", len(changes))
			}
		})
	}
}

// reread returns a state as it comes out of a file.
func reread(t *testing.T, m *state.Map) *state.Map {
	t.Helper()
	var file bytes.Buffer
	w := dumpfile.NewWriter(&file)
	if err := errors.Join(w.WriteState(m), w.Close()); err != nil {
		t.Fatal(err)
	}
	m, err := dumpfile.NewReader(&file, nil).ReadState()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// In a file, large bodies are compared without bringing them into memory.
func TestStreams(t *testing.T) {
	big := bytes.Repeat([]byte("0123456789abcdef"), 2<<20)
	var file bytes.Buffer
	w := dumpfile.NewWriter(&file)
	for _, last := range []byte("aab") {
		x := newExchange(t)
		x.f.SetID("same")
		big[len(big)-1] = last
		x.resp.Body = flow.NewBody(big)
		if err := w.WriteFlow(x.f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var states []*state.Map
	for m, err := range dumpfile.NewReader(bytes.NewReader(file.Bytes()), nil).States() {
		if err != nil {
			t.Fatal(err)
		}
		states = append(states, m)
	}
	opts := &flowdiff.Options{Only: paths(t, "/response/content")}
	if changes := diff(t, states[0], states[1], opts); len(changes) > 0 {
		t.Errorf("%q", describe(changes))
	}
	want := fmt.Sprintf("changed /response/content: %d -> %d bytes, at %d (compared as transferred: more than the limit on bodies, --max-body 16777216)", len(big), len(big), len(big)-1)
	if got := describe(diff(t, states[0], states[2], opts)); len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What cannot be read is an error, and so is what is malformed.
func TestErrors(t *testing.T) {
	x := newExchange(t)
	a := x.f.GetState()
	b := a.Clone()
	resp, err := b.Map("response")
	if err != nil {
		t.Fatal(err)
	}
	gone := &state.Extent{Reader: strings.NewReader("x"), Off: 0, Len: 24}
	resp.Set("content", state.External(state.KindBytes, gone))
	if _, err := flowdiff.Diff(a, b, nil); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut file: %v", err)
	}
	resp.Set("content", state.External(state.KindBytes, &state.Extent{Len: 24}))
	if _, err := flowdiff.Diff(a, b, nil); !errors.Is(err, state.ErrElided) {
		t.Errorf("elided: %v", err)
	}
	if _, err := flowdiff.AppendPatch(nil, a, b); !errors.Is(err, state.ErrElided) {
		t.Errorf("patch, elided: %v", err)
	}
	payload := "7:comment;1:\xff;4:type;4:http;7:version;2:21#"
	m, err := dumpfile.NewReader(strings.NewReader(fmt.Sprintf("%d:%s}", len(payload), payload)), nil).ReadState()
	if err != nil {
		t.Fatal(err)
	}
	_, err = flowdiff.Diff(a, m, nil)
	if pe, ok := errors.AsType[*state.PathError](err); !ok || pe.Path != "/7:comment" && pe.Path == "" {
		t.Errorf("malformed: %v", err)
	}
}

// Differences are found among many lines, however many there are.
func TestManyDifferences(t *testing.T) {
	x := newExchange(t)
	x.body("text/plain", repeated(20000, func(i int) string { return fmt.Sprintln("line", i, i%7) }))
	a := x.f.GetState()
	x.body("text/plain", repeated(20000, func(i int) string {
		switch {
		case i%50 == 0:
			return fmt.Sprintln("edited", i)
		case i%50 == 10:
			return "\n"
		case i%50 == 20:
			return fmt.Sprintln("line", i, i%7) + "new\n"
		}
		return fmt.Sprintln("line", i, i%7)
	}))
	count := map[byte]int{}
	for _, c := range diff(t, a, x.f.GetState(), nil) {
		for _, h := range c.Body.Hunks {
			for _, l := range h.Lines {
				count[l.Op]++
			}
		}
	}
	if count['-'] != 800 || count['+'] != 1200 {
		t.Errorf("%d lines removed, %d added", count['-'], count['+'])
	}
}
