package flowdiff_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/flowdiff"
	"github.com/flowtool/flowtool/state"
)

// What is asked for is never said to be the same because it was compared as a part
// of something else.
func TestOnlyPartOfTheWhole(t *testing.T) {
	form := func(x exchange, contentType, content string) { x.body(contentType, content) }
	json := func(v int, rest string) string { return fmt.Sprintf(`{"v":%d,%s}`, v, rest) }
	many := func(n int) string {
		return `"list":{` + strings.TrimSuffix(repeated(1200, func(i int) string { return fmt.Sprintf(`"%d":%d,`, i, i+n) }), ",") + "}"
	}
	for _, tt := range []struct {
		name, only   string
		before, edit func(exchange)
		want         []string // paths
	}{
		{
			"body that is no JSON any more", "/response/content/v",
			func(x exchange) { x.body("application/json", `{"v":1}`) },
			func(x exchange) { x.body("text/plain", "error") },
			[]string{"/response/content"},
		},
		{
			"any value of such a body", "/**/v",
			func(x exchange) { x.body("application/json", `{"v":1}`) },
			func(x exchange) { x.body("application/json", "\x00\xff\x00") },
			[]string{"/response/content"},
		},
		{
			"any value of a text", "/**/v",
			func(x exchange) { x.body("text/plain", "one") },
			func(x exchange) { x.body("text/plain", "two") },
			nil,
		},
		{
			"text that never had parts", "/response/content/v",
			func(x exchange) { x.body("text/plain", "one") },
			func(x exchange) { x.body("text/plain", "two") },
			nil,
		},
		{
			"JSON, spelled differently", "/response/content/v",
			func(x exchange) { x.body("application/json", `{"v":1}`) },
			func(x exchange) { x.body("application/json", `{"v": 1}`) },
			nil,
		},
		{
			"JSON in another charset that is none any more", "/response/content/v",
			func(x exchange) { x.body("text/plain; charset=utf-16le", "[\x00\"\x00a\x00\"\x00]\x00") },
			func(x exchange) { x.body("text/plain; charset=utf-16le", "a\x00b\x00c\x00") },
			[]string{"/response/content"},
		},
		{
			"JSON with many changes", "/response/content/v",
			func(x exchange) { x.body("application/json", json(1, many(0))) },
			func(x exchange) { x.body("application/json", json(2, many(1))) },
			[]string{"/response/content/v"},
		},
		{
			"JSON with a repeated key", "/response/content/v",
			func(x exchange) { x.body("application/json", json(1, `"a":1,"a":2`)) },
			func(x exchange) { x.body("application/json", json(2, `"a":1,"a":2`)) },
			[]string{"/response/content"},
		},
		{
			"any value of JSON with a repeated key", "/**/v",
			func(x exchange) { x.body("application/json", json(1, `"a":1,"a":2`)) },
			func(x exchange) { x.body("application/json", json(2, `"a":1,"a":2`)) },
			[]string{"/response/content"},
		},
		{
			"more than MaxBody", "/response/content/v",
			func(x exchange) { x.body("application/json", json(1, `"a":"`+strings.Repeat("x", 2000)+`"`)) },
			func(x exchange) { x.body("application/json", json(2, `"a":"`+strings.Repeat("x", 2000)+`"`)) },
			[]string{"/response/content"},
		},
		{
			"damaged compression", "/**/v",
			func(x exchange) { x.resp.Headers.Add("Content-Encoding", "gzip"); x.body("text/plain", "no gzip 1") },
			func(x exchange) { x.body("text/plain", "no gzip 2") },
			[]string{"/response/content"},
		},
		{
			"form of many fields", "/response/content/v",
			func(x exchange) { form(x, "application/x-www-form-urlencoded", "v=1"+strings.Repeat("&a", 1<<17)) },
			func(x exchange) { form(x, "application/x-www-form-urlencoded", "v=2"+strings.Repeat("&a", 1<<17)) },
			[]string{"/response/content"},
		},
		{
			"broken multipart form", "/response/parts/v/filename",
			func(x exchange) { form(x, "multipart/form-data; boundary=B", "--B\r\nfilename=1") },
			func(x exchange) { form(x, "multipart/form-data; boundary=B", "--B\r\nfilename=2") },
			[]string{"/response/content"},
		},
		{
			"name of a file of a form", "/response/content",
			func(x exchange) {
				form(x, "multipart/form-data; boundary=B", formPart("form-data; name=a; filename=x", "", "1")+"--B--")
			},
			func(x exchange) {
				form(x, "multipart/form-data; boundary=B", formPart("form-data; name=a; filename=y", "", "1")+"--B--")
			},
			[]string{"/response/parts/a/filename"},
		},
		{
			"value in a file with another name", "/response/content/a/v",
			func(x exchange) {
				form(x, "multipart/form-data; boundary=B", formPart("form-data; name=a; filename=x", "", `{"v":1}`)+"--B--")
			},
			func(x exchange) {
				form(x, "multipart/form-data; boundary=B", formPart("form-data; name=a; filename=y", "", `{"v":1}`)+"--B--")
			},
			nil,
		},
		{
			"no body", "/response/content/v",
			func(x exchange) { x.body("application/json", `{"v":1}`) },
			func(x exchange) { x.resp.Body = flow.Body{} },
			[]string{"/response/content"},
		},
		{
			"no body for anything", "/**/v",
			func(x exchange) { x.body("application/json", `{"v":1}`) },
			func(x exchange) { x.resp.Body = flow.Body{} },
			[]string{"/response/content"},
		},
		{"status of no response", "/response/status_code", nil, func(x exchange) { x.f.SetResponse(nil) }, []string{"/response"}},
		{"header of no response", "/response/headers/vary", nil, func(x exchange) { x.f.SetResponse(nil) }, []string{"/response"}},
		{"cookie of no response", "/*/cookies/sid", nil, func(x exchange) { x.f.SetResponse(nil) }, []string{"/response"}},
		{"anything of no response", "/**/sid", nil, func(x exchange) { x.f.SetResponse(nil) }, []string{"/response"}},
		{
			"parameter, of too many", "/request/query/n",
			func(x exchange) { x.req.Path = "/?n=1" + strings.Repeat("&a", 1<<17) },
			func(x exchange) { x.req.Path = "/?n=2" + strings.Repeat("&a", 1<<17) },
			[]string{"/request/path"},
		},
		{
			"cookie, of too many", "/request/cookies/n",
			func(x exchange) { x.req.Headers.Set("Cookie", "n=1"+strings.Repeat(";a", 1<<17)) },
			func(x exchange) { x.req.Headers.Set("Cookie", "n=2"+strings.Repeat(";a", 1<<17)) },
			[]string{"/request/headers/cookie"},
		},
		{
			"header, of too many", "/request/headers/x-tag",
			func(x exchange) {
				for range 1 << 17 {
					x.req.Headers.Add("A", "")
				}
			},
			func(x exchange) { x.req.Headers.Set("X-Tag", "three") },
			[]string{"/request/headers/3/1", "/request/headers/4"},
		},
		{
			"value in metadata", "/metadata/a/b",
			func(x exchange) { x.f.Metadata().Set("a", state.NewMap(state.E("b", state.Int(1))).Value()) },
			func(x exchange) { x.f.Metadata().Set("a", state.Int(1)) },
			[]string{"/metadata/a"},
		},
		{
			"value in metadata that is on neither side", "/metadata/a/b",
			func(x exchange) { x.f.Metadata().Set("a", state.Int(2)) },
			func(x exchange) { x.f.Metadata().Set("a", state.Int(1)) },
			nil,
		},
		{
			"something else", "/response/content/v",
			func(x exchange) { x.body("application/json", `{"v":1,"w":{"x":1}}`) },
			func(x exchange) { x.body("application/json", `{"v":1,"w":2}`); x.req.Path = "/"; x.req.Method = "PUT" },
			nil,
		},
		{
			"value in an array that was moved", "/response/content/*/v",
			func(x exchange) { x.body("application/json", `[{"v":1},{"v":2}]`) },
			func(x exchange) { x.body("application/json", `[{"v":2},{"v":1}]`) },
			[]string{"/response/content/0"},
		},
		{
			"any value in an array that was moved", "/**/v",
			func(x exchange) { x.body("application/json", `[{"v":1},{"v":2}]`) },
			func(x exchange) { x.body("application/json", `[{"v":2},{"v":1}]`) },
			[]string{"/response/content/0"},
		},
		{
			"value in an array, of which others have moved", "/response/content/*/v",
			func(x exchange) { x.body("application/json", `[1,{"v":1},2,{"w":1},{"w":2}]`) },
			func(x exchange) { x.body("application/json", `[2,{"v":1},1,{"w":2},{"w":1}]`) },
			nil,
		},
		{
			"content of a message that was moved", "/websocket/messages/*/content",
			func(x exchange) { x.f.SetWebSocket(sockets("one", "two")) },
			func(x exchange) { x.f.SetWebSocket(sockets("two", "one")) },
			[]string{"/websocket/messages/0"},
		},
		{
			"opcode of a message that was moved", "/websocket/messages/0/opcode",
			func(x exchange) { x.f.SetWebSocket(sockets("one", "two")) },
			func(x exchange) { x.f.SetWebSocket(sockets("two", "one")) },
			[]string{"/websocket/messages/0"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := newExchange(t)
			if tt.before != nil {
				tt.before(x)
			}
			a := x.f.GetState()
			tt.edit(x)
			b := x.f.GetState()
			opts := &flowdiff.Options{Only: paths(t, tt.only)}
			if strings.HasPrefix(tt.name, "more than") {
				opts.MaxBody = 1000
			}
			for range 2 { // there and back
				var got []string
				for _, c := range diff(t, a, b, opts) {
					if c.Kind == flowdiff.Moved {
						c.Path = min(c.Path, c.From) // the same there and back
					}
					got = append(got, string(c.Path))
				}
				slices.Sort(got)
				if d := cmp.Diff(tt.want, got); d != "" {
					t.Errorf("-want +got\n%s", d)
				}
				a, b = b, a
			}
		})
	}
}

// sockets returns a WebSocket with messages from the client.
func sockets(contents ...string) *flow.WebSocket {
	ws := &flow.WebSocket{}
	for _, content := range contents {
		ws.Messages = append(ws.Messages, flow.WebSocketMessage{FromClient: true, Content: flow.NewBody([]byte(content))})
	}
	return ws
}

// The lines that hold cookies are headers, too, even if what differs there has other
// paths.
func TestNarrowCookieHeaders(t *testing.T) {
	edit := func(x exchange) {
		x.req.Headers.Set("Cookie", "sid=2; theme=dark")
		x.resp.Headers.All()[2].Value = "seen=no"
		x.req.Method = "PUT"
	}
	const method, sid, seen = "/request/method", "/request/cookies/sid", "/response/cookies/seen"
	for _, tt := range []struct {
		pattern      string
		only, ignore []string // paths that are told
	}{
		{"/request/headers", []string{sid}, []string{method, seen}},
		{"/request/headers/Cookie", []string{sid}, []string{method, seen}},
		{"/response/headers", []string{seen}, []string{method, sid}},
		{"/response/headers/set-*", []string{seen}, []string{method, sid}},
		{"/*/headers", []string{sid, seen}, []string{method}},
		{"/**/cookie", []string{sid}, []string{method, seen}},
		{"/request/headers/set-cookie", nil, []string{method, sid, seen}},
		{"/response/headers/cookie", nil, []string{method, sid, seen}},
		{"/request/cookies", []string{sid}, []string{method, seen}},
		{"/request/cookies/theme", nil, []string{method, sid, seen}},
	} {
		for _, inBackup := range []bool{false, true} {
			x := newExchange(t)
			a := x.f.GetState()
			edit(x)
			b := x.f.GetState()
			pattern, prefix := tt.pattern, ""
			if inBackup {
				a, b = withBackup(a, a), withBackup(a, b)
				pattern, prefix = "/backup"+pattern, "/backup"
			}
			for want, opts := range map[*[]string]*flowdiff.Options{
				&tt.only:   {Only: paths(t, pattern)},
				&tt.ignore: {Ignore: paths(t, pattern)},
			} {
				var got []string
				for _, c := range diff(t, a, b, opts) {
					got = append(got, strings.TrimPrefix(string(c.Path), prefix))
				}
				if d := cmp.Diff(*want, got); d != "" {
					t.Errorf("%s, only %t: -want +got\n%s", pattern, want == &tt.only, d)
				}
			}
		}
	}
}

// withBackup returns a state with a backup.
func withBackup(m, backup *state.Map) *state.Map {
	m = m.Clone()
	m.Set("backup", backup.Value())
	return m
}

// What is ignored is not told in other words.
func TestIgnoreInside(t *testing.T) {
	list := func(v int) string {
		return "[" + strings.TrimSuffix(repeated(2000, func(i int) string { return fmt.Sprintf(`{"id":%d,"t":%d},`, i, i+v) }), ",") + "]"
	}
	for _, tt := range []struct {
		name, ignore, contentType, a, b string
		want                            []string
	}{
		{name: "JSON", ignore: "/response/content/ts", a: `{"ts":1,"v":1}`, b: `{"ts":2,"v":1}`},
		{name: "JSON, nested", ignore: "/response/content/*/t", a: `{"a":{"t":1},"b":{"t":1}}`, b: `{"a":{"t":2},"b":{"t":3}}`},
		{name: "JSON, with another change", ignore: "/response/content/ts", a: `{"ts":1,"v":1}`, b: `{"ts":2,"v":2}`, want: []string{"/response/content/v"}},
		{name: "JSON, added", ignore: "/response/content/ts", a: `{"v":1}`, b: `{"ts":2,"v":1}`},
		{name: "JSON, everywhere", ignore: "/response/content/*/t", a: list(0), b: list(1)},
		{
			name: "JSON in a part", ignore: "/response/content/a/ts", contentType: "multipart/form-data; boundary=B",
			a: multipartBody("a", `{"ts":1,"v":1}`), b: multipartBody("a", `{"ts":2,"v":1}`),
		},
		{
			name: "part", ignore: "/response/content/a", contentType: "multipart/form-data; boundary=B",
			a: formPart("form-data; name=a; filename=x", "", "1") + "--B--", b: formPart("form-data; name=a; filename=y", "", "2") + "--B--",
		},
		{
			name: "name of a file", ignore: "/response/parts/*/filename", contentType: "multipart/form-data; boundary=B",
			a: formPart("form-data; name=a; filename=x", "", "1") + "--B--", b: formPart("form-data; name=a; filename=y", "", "1") + "--B--",
		},
		{
			name: "field that moved", ignore: "/response/content/a", contentType: "application/x-www-form-urlencoded",
			a: "a=1&b=1&c=1&d=1", b: "b=1&c=1&d=1&a=1",
		},
		{
			name: "field that moved over one", ignore: "/response/content/b", contentType: "application/x-www-form-urlencoded",
			a: "a=1&b=1", b: "b=1&a=1",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := newExchange(t)
			x.body(tt.contentType, tt.a)
			if tt.contentType == "" {
				x.body("application/json", tt.a)
			}
			a := x.f.GetState()
			x.resp.Body = flow.NewBody([]byte(tt.b))
			b := x.f.GetState()
			for _, opts := range []*flowdiff.Options{{}, {Backup: true}} {
				opts.Ignore = paths(t, tt.ignore)
				var got []string
				for _, c := range diff(t, a, b, opts) {
					got = append(got, string(c.Path))
				}
				if d := cmp.Diff(tt.want, got); d != "" {
					t.Errorf("-want +got\n%s", d)
				}
			}
		})
	}
}

// What is ignored does not move others, and is not told of them.
func TestIgnoreMoved(t *testing.T) {
	x := newExchange(t)
	a := x.f.GetState()
	h := x.req.Headers.All()
	h[0], h[1] = h[1], h[0] // Host and Accept
	x.req.Path = "/list?n=10&q=go&q=c"
	b := x.f.GetState()
	for _, tt := range []struct {
		ignore []string
		want   []string
	}{
		{nil, []string{"moved /request/query/n: 2 -> 0", "moved /request/headers/host: 0 -> 1"}},
		{[]string{"/request/headers/accept"}, []string{"moved /request/query/n: 2 -> 0"}},
		{[]string{"/request/headers/host", "/request/query/n"}, nil},
		{[]string{"/request/headers", "/request/query/q"}, nil},
	} {
		if d := cmp.Diff(tt.want, describe(diff(t, a, b, &flowdiff.Options{Ignore: paths(t, tt.ignore...)}))); d != "" {
			t.Errorf("without %q: -want +got\n%s", tt.ignore, d)
		}
	}

	// Cookies and queries are ignored as a whole, also how they are spelled.
	x = newExchange(t)
	a = x.f.GetState()
	x.req.Path = "/list?q=go&q=c&&n=%31%30"
	x.req.Headers.Set("Cookie", "sid=1")
	x.req.Headers.Add("Cookie", "theme=dark")
	if got := describe(diff(t, a, x.f.GetState(), &flowdiff.Options{Ignore: paths(t, "/request/cookies", "/request/query")})); got != nil {
		t.Errorf("%q", got)
	}
}

// What is ignored in the elements of an array does not count for which of them
// belong together.
func TestIgnoreInElements(t *testing.T) {
	list := func(first, ts int) string {
		var elems []string
		for i := first; i < 10; i++ {
			elems = append(elems, fmt.Sprintf(`{"id":%d,"ts":%d,"in":[{"x":%d,"n":1},%d]}`, i, ts+i, ts, ts))
		}
		return "[" + strings.Join(elems, ",") + "]"
	}
	ignore := paths(t, "/response/content/*/ts", "/response/content/*/in/*/x", "/response/content/*/in/1", "/metadata/list/*/ts")
	entry := func(id, ts int64) state.Value {
		return state.NewMap(state.E("id", state.Int(id)), state.E("ts", state.Int(ts))).Value()
	}
	for _, tt := range []struct {
		name, a, b string
		want       []string
	}{
		{"first removed", list(0, 100), list(1, 200), []string{"removed /response/content/0: {…}"}},
		{"ignored is missing", `[{"id":1},{"id":2}]`, `[{"id":2,"ts":1}]`, []string{"removed /response/content/0: {…}"}},
		{"moved", `[{"id":1,"ts":1},{"id":2,"ts":1},{"id":3,"ts":1}]`, `[{"id":3,"ts":2},{"id":1,"ts":2},{"id":2,"ts":2}]`, []string{
			"moved /response/content/0 from /response/content/2: 2 -> 0",
		}},
		{"nothing else", list(0, 100), list(0, 200), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := newExchange(t)
			x.body("application/json", tt.a)
			a := x.f.GetState()
			x.body("application/json", tt.b)
			if d := cmp.Diff(tt.want, describe(diff(t, a, x.f.GetState(), &flowdiff.Options{Ignore: ignore}))); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
		})
	}
	x := newExchange(t)
	x.f.Metadata().Set("list", state.NewList(entry(1, 1), entry(2, 1), entry(3, 1)).Value())
	a := x.f.GetState()
	x.f.Metadata().Set("list", state.NewList(entry(2, 2), entry(3, 2)).Value())
	want := []string{"removed /metadata/list/0: {…}"}
	if d := cmp.Diff(want, describe(diff(t, a, x.f.GetState(), &flowdiff.Options{Ignore: ignore}))); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// What is not asked for in the elements of an array does not count for which of them
// belong together.
func TestOnlyInElements(t *testing.T) {
	list := func(first, last, ts int) string {
		var elems []string
		for i := first; i < last; i++ {
			elems = append(elems, fmt.Sprintf(`{"id":%d,"ts":%d,"in":[{"x":%d,"n":%d},%d]}`, i, ts+i, ts, i, ts))
		}
		return "[" + strings.Join(elems, ",") + "]"
	}
	for _, tt := range []struct {
		name, only, a, b string
		want             []string
	}{
		{"first removed", "/response/content/*/id", list(0, 4, 0), list(1, 4, 50), []string{"removed /response/content/0: {…}"}},
		{"first removed, asked for anywhere", "/**/id", list(0, 4, 0), list(1, 4, 50), []string{"removed /response/content/0: {…}"}},
		{"one inserted, asked for deeper", "/response/content/*/in/*/n", list(1, 4, 0), list(0, 4, 50), []string{"added /response/content/0: {…}"}},
		{"nothing that is asked for", "/response/content/*/id", list(0, 4, 0), list(0, 4, 50), nil},
		{"nothing that is asked for, with a number", "/response/content/1/id", list(0, 4, 0), list(0, 4, 50), nil},
		{"the element with a number", "/response/content/1/ts", list(0, 4, 0), list(0, 4, 50), []string{"changed /response/content/1/ts: 1 -> 51"}},
		{"removed before the element with a number", "/response/content/0/id", list(0, 4, 0), list(1, 4, 0), []string{"removed /response/content/0: {…}"}},
		{"whole elements", "/response/content/*", `[1,{"a":1}]`, `[1,{"a":2}]`, []string{"changed /response/content/1/a: 1 -> 2"}},
		{"changed and removed", "/response/content/*/id", `[{"id":1,"t":1},{"id":2,"t":1},{"id":3,"t":1}]`, `[{"id":2,"t":2},{"id":4,"t":2}]`, []string{
			"removed /response/content/0: {…}", "changed /response/content/1/id from /response/content/2/id: 3 -> 4",
		}},
		{"no value of its own any more", "/response/content/a/v", `{"a":{"v":1,"w":1},"b":1}`, `{"a":5,"b":2}`, []string{"changed /response/content/a: {…} -> 5"}},
		{"gone", "/response/content/a/v", `{"a":{"v":1,"w":1},"b":1}`, `{"a":{"w":2},"b":2}`, []string{"removed /response/content/a/v: 1"}},
		{"never there", "/response/content/a/v", `{"a":{"w":1},"b":1}`, `{"a":{"w":2},"b":2}`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := newExchange(t)
			x.body("application/json", tt.a)
			a := x.f.GetState()
			x.body("application/json", tt.b)
			if d := cmp.Diff(tt.want, describe(diff(t, a, x.f.GetState(), &flowdiff.Options{Only: paths(t, tt.only)}))); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
		})
	}
}
