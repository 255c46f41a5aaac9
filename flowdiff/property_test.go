package flowdiff_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	jsonpatch "github.com/evanphx/json-patch/v5"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/flowdiff"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/jsonl"
	"github.com/flowtool/flowtool/state"
)

// check checks what holds for the differences between any two states.
func check(t *testing.T, a, b *state.Map) {
	t.Helper()
	for _, m := range []*state.Map{a, b} {
		if changes := diff(t, m, m.Clone(), nil); len(changes) > 0 {
			t.Fatalf("a state differs from itself: %q", describe(changes))
		}
	}
	changes := diff(t, a, b, nil)
	if same := state.Equal(normal(a), normal(b)); same != (len(changes) == 0) {
		t.Fatalf("equal: %t, changes: %q\n%s\n%s", same, describe(changes), line(t, a), line(t, b))
	}
	back := diff(t, b, a, nil)
	for k := range back {
		mirror(&back[k])
	}
	if x, y := sorted(changes), sorted(back); !slices.Equal(x, y) {
		t.Fatalf("there: %q\nback:  %q", x, y)
	}
	for _, opts := range []*flowdiff.Options{{IgnoreDefaults: true}, {Backup: true}} {
		some := diff(t, a, b, opts)
		if len(some) > len(changes) {
			t.Fatalf("more changes with %+v", opts)
		}
		if opts.Backup {
			continue // what goes on has a direction
		}
		back := diff(t, b, a, opts)
		for k := range back {
			mirror(&back[k])
		}
		if x, y := sorted(some), sorted(back); !slices.Equal(x, y) {
			t.Fatalf("there with %+v: %q\nback:  %q", opts, x, y)
		}
	}
	checkPaths(t, a, b, changes)
	checkPatch(t, a, b)
	r := flowdiff.Report{A: &flowdiff.Ref{}, B: &flowdiff.Ref{}, Changes: changes}
	out, err := r.AppendJSON(nil)
	if err != nil || !json.Valid(out) {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := r.AppendText(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range text {
		if c < ' ' && c != '\n' {
			t.Fatalf("control character in %q", text)
		}
	}
}

// special escapes what means something in patterns.
var special = strings.NewReplacer("*", `\*`, "?", `\?`, "[", `\[`, `\`, `\\`)

// checkPaths checks that what is asked for by its path is reported, and what is below
// of it is not said to be the same.
func checkPaths(t *testing.T, a, b *state.Map, changes []flowdiff.Change) {
	t.Helper()
	for _, c := range changes[:min(len(changes), 4)] {
		if only := diff(t, a, b, &flowdiff.Options{Only: paths(t, special.Replace(string(c.Path)))}); len(only) == 0 {
			t.Fatalf("nothing is reported only at %q", c.Path)
		}
		whole := c.Kind != flowdiff.Moved && max(c.Old.Kind(), c.New.Kind()) >= state.KindList
		if only := diff(t, a, b, &flowdiff.Options{Only: paths(t, special.Replace(string(c.Path))+"/x")}); whole && len(only) == 0 {
			t.Fatalf("nothing is reported only below %q", c.Path)
		}
	}
}

// checkPatch checks that a patch does what it is for.
func checkPatch(t *testing.T, a, b *state.Map) {
	t.Helper()
	out, err := flowdiff.AppendPatch(nil, a, b)
	if err != nil {
		t.Fatal(err)
	}
	patch, err := jsonpatch.DecodePatch(out)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got, err := patch.Apply(line(t, a))
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, line(t, a))
	}
	if want := line(t, b); !reflect.DeepEqual(parse(t, got), parse(t, want)) {
		t.Fatalf("got  %s\nwant %s\npatch %s", got, want, out)
	}
}

func line(t *testing.T, m *state.Map) []byte {
	t.Helper()
	out, err := jsonl.Append(nil, m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// parse returns a JSON text with its numbers as they are spelled.
func parse(t *testing.T, data []byte) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	return v
}

// mirror makes a change from b to a one from a to b.
func mirror(c *flowdiff.Change) {
	c.Old, c.New = c.New, c.Old
	if c.From != "" {
		c.Path, c.From = c.From, c.Path
	}
	switch c.Kind {
	case flowdiff.Added:
		c.Kind = flowdiff.Removed
	case flowdiff.Removed:
		c.Kind = flowdiff.Added
	}
	if c.Body == nil {
		return
	}
	body := *c.Body
	body.Old, body.New = body.New, body.Old
	body.Hunks = slices.Clone(body.Hunks)
	for k := range body.Hunks {
		h := &body.Hunks[k]
		h.OldStart, h.OldLines, h.NewStart, h.NewLines = h.NewStart, h.NewLines, h.OldStart, h.OldLines
		h.Lines = slices.Clone(h.Lines)
		for i := range h.Lines {
			switch h.Lines[i].Op {
			case '-':
				h.Lines[i].Op = '+'
			case '+':
				h.Lines[i].Op = '-'
			}
		}
		// Removed lines stand before added ones.
		for i := 0; i < len(h.Lines); i++ {
			end := i
			for end < len(h.Lines) && h.Lines[end].Op != ' ' {
				end++
			}
			slices.SortStableFunc(h.Lines[i:end], func(x, y flowdiff.Line) int { return cmp.Compare(y.Op, x.Op) })
			i = end
		}
	}
	c.Body = &body
}

// sorted returns changes in words, all of them and in an order of its own.
func sorted(changes []flowdiff.Change) []string {
	var out []string
	for _, c := range changes {
		s := fmt.Sprintf("%s %s %s %s %q", c.Kind, c.Path, c.From, flowtest.Dump(state.NewList(c.Old, c.New).Value(), true), c.Note)
		if c.Body != nil {
			s += fmt.Sprintf("%v", *c.Body)
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

// normal returns a state without what means nothing: keys of null, but in
// metadata. A backup is a state.
func normal(m *state.Map) state.Value {
	out := state.NewMap()
	for k, v := range m.All() {
		switch {
		case k.IsKey("metadata"):
			out.SetKey(k, v)
		case k.IsKey("backup") && v.Kind() == state.KindMap:
			b, err := v.Map()
			if err != nil {
				panic(err)
			}
			out.SetKey(k, normal(b))
		case !v.IsNull():
			out.SetKey(k, withoutNulls(v))
		}
	}
	return out.Value()
}

func withoutNulls(v state.Value) state.Value {
	if v.Kind() != state.KindMap {
		return v
	}
	m, err := v.Map()
	if err != nil {
		panic(err)
	}
	out := state.NewMap()
	for k, e := range m.All() {
		if !e.IsNull() {
			out.SetKey(k, withoutNulls(e))
		}
	}
	return out.Value()
}

// TestDumps compares flows that follow each other in dumps, and flows with their
// backups.
func TestDumps(t *testing.T) {
	for _, name := range [][]string{
		{"har", "corpus.mitm"}, {"har", "other.mitm"}, {"har", "crash.mitm"}, {"filter", "corpus-a.mitm"},
		{"real", "edited.mitm"}, {"real", "head-replay.mitm"}, {"real", "head-http.mitm"}, {"real", "encodings.mitm"},
	} {
		t.Run(name[1], func(t *testing.T) {
			flows := readFlows(t, name...)
			for i, f := range flows {
				check(t, f.GetState(), flows[(i+1)%len(flows)].GetState())
				if b := f.BackupState(); b != nil {
					check(t, b, f.GetState())
				}
			}
		})
	}
}

// FuzzDiff checks random edits of flows.
func FuzzDiff(f *testing.F) {
	var states []*state.Map
	for _, name := range [][]string{{"har", "corpus.mitm"}, {"har", "other.mitm"}, {"real", "edited.mitm"}} {
		for _, fl := range readFlows(f, name...) {
			states = append(states, fl.GetState())
		}
	}
	for seed := range uint64(200) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		e := editor{rand.New(rand.NewPCG(seed, 1))}
		a := states[e.IntN(len(states))].Clone()
		b := a.Clone()
		for range 1 + e.IntN(4) {
			e.edit(b.Value(), 0)
		}
		check(t, a, b)
	})
}

// An editor edits states at random.
type editor struct{ *rand.Rand }

func (e editor) edit(v state.Value, depth int) {
	switch v.Kind() {
	case state.KindMap:
		m, err := v.Map()
		if err != nil || m.Len() == 0 {
			return
		}
		entry := m.Entry(e.IntN(m.Len()))
		if entry.Value.Kind() >= state.KindList && e.IntN(8) > 0 {
			e.edit(entry.Value, depth+1)
			return
		}
		switch {
		case depth > 0 && e.IntN(10) == 0:
			m.DeleteKey(entry.Key)
		case e.IntN(10) == 0:
			m.Set(fmt.Sprintf("new/~%d", e.IntN(3)), e.scalar())
		case !entry.Key.IsKey("type"):
			m.SetKey(entry.Key, e.other(entry.Value))
		}
	case state.KindList:
		l, err := v.List()
		if err != nil {
			return
		}
		e.editList(l, depth)
	}
}

func (e editor) editList(l *state.List, depth int) {
	n := l.Len()
	var elems []state.Value
	for _, v := range l.All() {
		elems = append(elems, v)
	}
	switch k := e.IntN(6); {
	case n == 0 || k == 0:
		v := e.scalar()
		if n > 0 {
			v = state.Clone(elems[e.IntN(n)])
		}
		elems = slices.Insert(elems, e.IntN(n+1), v)
	case k == 1:
		i := e.IntN(n)
		elems = slices.Delete(elems, i, i+1)
	case k == 2:
		i, j := e.IntN(n), e.IntN(n)
		elems[i], elems[j] = elems[j], elems[i]
	case k == 3:
		elems = append(elems[1:], elems[0])
	default:
		i := e.IntN(n)
		if elems[i].Kind() >= state.KindList {
			e.edit(elems[i], depth+1)
			return
		}
		elems[i] = e.other(elems[i])
	}
	l.Truncate(0)
	l.Append(elems...)
}

// other returns a value that may take the place of v.
func (e editor) other(v state.Value) state.Value {
	if e.IntN(10) == 0 {
		return e.scalar()
	}
	switch v.Kind() {
	case state.KindBytes:
		b, err := v.Bytes()
		if err != nil {
			return v
		}
		return state.Bytes(e.bytes(b))
	case state.KindText:
		s, err := v.Text()
		if err != nil {
			return v
		}
		return state.Text(string(bytes.ToValidUTF8(e.bytes([]byte(s)), []byte("?"))))
	case state.KindInt:
		return state.Int(int64(e.IntN(5)))
	case state.KindFloat:
		return state.Float(float64(e.IntN(8)) / 4)
	case state.KindBool:
		return state.Bool(e.IntN(2) == 0)
	}
	return e.scalar()
}

// bytes edits a byte string.
func (e editor) bytes(b []byte) []byte {
	b = slices.Clone(b)
	pieces := []string{"\n", "a", "=1;", "&x=", "{\"a\":[1,2]}", "\xff", "\x00", "Z", "%41", ", "}
	switch n := len(b); {
	case n > 0 && e.IntN(3) == 0:
		i := e.IntN(n)
		return slices.Delete(b, i, min(n, i+1+e.IntN(10)))
	case n > 0 && e.IntN(3) == 0:
		b[e.IntN(n)] ^= byte(1 + e.IntN(255))
		return b
	default:
		return slices.Insert(b, e.IntN(n+1), []byte(pieces[e.IntN(len(pieces))])...)
	}
}

func (e editor) scalar() state.Value {
	all := []state.Value{
		state.Null(), state.Bool(true), state.Int(7), state.Float(1.5), state.Text("t"), state.Bytes([]byte("b")),
		state.NewList(state.Int(1), state.Int(1), state.Text("x")).Value(), state.NewMap(state.E("$k/~", state.Null())).Value(),
		state.NewMap(state.Entry{Key: state.Int(3), Value: state.Int(4)}).Value(), state.Bytes([]byte{0xff, 0}),
	}
	return state.Clone(all[e.IntN(len(all))])
}

// FuzzContent checks any two bodies of any type.
func FuzzContent(f *testing.F) {
	types := []string{
		"", "text/plain", "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=B",
		"text/plain; charset=utf-16", "image/png",
	}
	for k := range types {
		f.Add([]byte(`{"a":[1,{"b":null}],"c":"x"}`), []byte(`{"a":[{"b":1},1],"d":"x"}`), byte(k))
		f.Add([]byte("a=1&b=2&a=3"), []byte("b=2&a=3&a=%31"), byte(k))
		f.Add([]byte("a\nb\nc\n"), []byte("b\r\nc"), byte(k))
		f.Add([]byte(multipartBody("a", "1", "b", "\x00")), []byte(multipartBody("b", "\x01", "a", "1")), byte(k))
		f.Add([]byte{0xff, 0xfe, 'a', 0}, []byte{'a', 0, 0xd8}, byte(k))
		f.Add([]byte("\n"+formPart("form-data; name=a; filename=x", "X: 1\r\n", "1")+"--B--"), []byte(formPart("form-data; name=a; filename*=utf-8''y", "x: 2\r\n", "1")+"--B--\r\nend"), byte(k))
	}
	f.Fuzz(func(t *testing.T, a, b []byte, k byte) {
		x := newExchange(t)
		x.body(types[int(k)%len(types)], string(a))
		before := x.f.GetState()
		x.resp.Body = flow.NewBody(b)
		check(t, before, x.f.GetState())
	})
}

// FuzzHeaders checks any two header blocks, with a query and cookies.
func FuzzHeaders(f *testing.F) {
	f.Add("A: 1\nB: 2\nA: 3\nCookie: a=1; b=2\nSet-Cookie: s=1", "a: 1\nCookie: b=2; a=1\nSet-Cookie: t=1\nA: 1\nB: 2", "a=1&b=2", "b=2&a=1")
	f.Add("Set-Cookie: s=1\nSet-Cookie: t=2\nSet-Cookie: s=3", "Set-Cookie: t=2\nSet-Cookie: s=3\nSet-Cookie: s=1", "", "?")
	f.Add("Cookie: a=1\nX: 1\nCookie: a=1", "X: 1\nCookie: a=1\nCookie: a=1", "%", "%25")
	f.Add("A: 1\nSet-Cookie: s=1\nSet-Cookie: t=2\nB: 2", "A: 1\nSet-Cookie: u=1\nB: 2\nSet-Cookie: v=2", "a=1#x", "b=1&a=2#y")
	f.Add("Cookie: a=1700000000.x; b=0123456789abcdef", "Cookie: b=fedcba9876543210; a=1800000000.x", "a&b&c", "c&a=1&b")
	f.Add("Set-Cookie: s=0123456789abcdef; Max-Age=1", "Set-Cookie: s=fedcba9876543210; max-age=2; Path=/", "", "&&#")
	f.Fuzz(func(t *testing.T, a, b, queryA, queryB string) {
		x := newExchange(t)
		set := func(block, query string) *state.Map {
			x.req.Headers, x.resp.Headers = flow.Headers{}, flow.Headers{}
			for s := range strings.SplitSeq(block, "\n") {
				name, value, _ := strings.Cut(s, ": ")
				x.req.Headers.Add(name, value)
				x.resp.Headers.Add(name, value)
			}
			x.req.Path = "/?" + query // which may have a fragment
			return x.f.GetState()
		}
		before := reread(t, set(a, queryA))
		after := reread(t, set(b, queryB))
		check(t, before, after)

		// With everything ignored that differs, nothing is left to tell in other words.
		var all []string
		for _, c := range diff(t, before, after, nil) {
			all = append(all, special.Replace(string(c.Path)))
			if c.From != "" {
				all = append(all, special.Replace(string(c.From)))
			}
		}
		if left := diff(t, before, after, &flowdiff.Options{Ignore: paths(t, all...)}); len(left) > 0 {
			t.Fatalf("without %q: %q", all, describe(left))
		}
	})
}
