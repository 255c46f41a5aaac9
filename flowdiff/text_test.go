package flowdiff_test

import (
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/flowdiff"
	"github.com/flowtool/flowtool/state"
)

// report returns the report of an edit.
func report(t *testing.T, before, edit func(exchange), opts *flowdiff.Options) *flowdiff.Report {
	t.Helper()
	x := newExchange(t)
	x.f.SetID("8d9a0c3e-1d56-4b2f-9d0e-7f0f6f3b2a11")
	if before != nil {
		before(x)
	}
	a := x.f.GetState()
	ref := flowdiff.NewRef(3, x.f)
	edit(x)
	return &flowdiff.Report{A: ref, B: flowdiff.NewRef(4, x.f), Changes: diff(t, a, x.f.GetState(), opts)}
}

func TestText(t *testing.T) {
	for _, tt := range []struct {
		name         string
		before, edit func(exchange)
		want         string
	}{
		{
			name: "equal",
			edit: func(x exchange) {},
			want: "equal: flow 3 -> 4: GET http://a.example/list?q=go&q=c&n=10\n",
		},
		{
			name: "all kinds",
			edit: func(x exchange) {
				x.req.Headers.All()[1].Value = "a \x1b[31m\"red\"\n"
				x.req.Headers.Del("X-Tag")
				x.resp.Headers.Add("Bin", "\x00\x01\x02\x03\x04\x05")
				h := x.resp.Headers.All()
				h[2], h[3] = h[3], h[2]
				x.req.TimestampStart = flow.Seconds(98.5)
				x.f.ServerConn().TimestampStart = flow.Seconds(1e9)
				x.f.Metadata().Set("m", state.NewMap(state.E("k", state.Float(1))).Value())
				x.resp.Body = flow.NewBody([]byte("one\ntwo\nthree\nfour\nfive"))
			},
			want: `flow 3 -> 4: GET http://a.example/list?q=go&q=c&n=10
  ~ /request/headers/accept: "*/*" -> "a \x1b[31m"red"\n"
  - /request/headers/x-tag/0: "one"
  - /request/headers/x-tag/1: "two"
  ~ /request/timestamp_start: -1.500000s
  + /response/headers/bin: hex 000102030405
  > /response/headers/vary: moved, position 3 -> 2
  ~ /response/content: text, 24 bytes -> 23 bytes
    @@ -2,4 +2,4 @@
     two
     three
     four
    -five
    +five
    \ no line feed at the end
  + /metadata/m: {"k":1.0}
  + /server_conn/timestamp_start: 2001-09-09T01:46:40.000000Z
`,
		},
		{
			name:   "bytes",
			before: func(x exchange) { x.body("image/png", "\x89PNG\x00\x00\x01") },
			edit:   func(x exchange) { x.body("image/png", "\x89PNG\x00\x00\x02\x03") },
			want: `flow 3 -> 4: GET http://a.example/list?q=go&q=c&n=10
  ~ /response/content: 7 bytes -> 8 bytes, first difference at 6, sha256 ea9adde9a9a1 -> f04f2475b24c
`,
		},
		{
			name: "numbers in JSON",
			before: func(x exchange) {
				x.body("application/json", `{"big":{"a":123456789012345678901234567891,"$int":"5"},"digits":0.1,"exponent":1e400,"form":[1e400,"\u0001\"é",null,true,1.5,{}],"new":1}`)
			},
			edit: func(x exchange) {
				x.body("application/json", `{"big":1,"digits":0.10000000000000001,"exponent":1e401,"form":0,"new":[123456789012345678901234567891],"n":0.10000000000000002}`)
			},
			want: `flow 3 -> 4: GET http://a.example/list?q=go&q=c&n=10
  ~ /response/content/big: {"a":123456789012345678901234567891,"$int":"5"} -> 1
  ~ /response/content/digits: 0.1 -> 0.10000000000000001
  ~ /response/content/exponent: 1e400 -> 1e401
  ~ /response/content/form: [1e400,"\u0001\"é",null,true,1.5,{}] -> 0
  ~ /response/content/new: 1 -> [123456789012345678901234567891]
  + /response/content/n: 0.10000000000000002
`,
		},
		{
			name: "numbers in forms",
			before: func(x exchange) {
				x.body("application/x-www-form-urlencoded", "a=1e400&b=2")
			},
			edit: func(x exchange) {
				x.body("application/x-www-form-urlencoded", "a=1e401&c=1e400")
			},
			want: `flow 3 -> 4: GET http://a.example/list?q=go&q=c&n=10
  ~ /response/content/a: "1e400" -> "1e401"
  - /response/content/b: "2"
  + /response/content/c: "1e400"
`,
		},
		{
			name: "large values",
			edit: func(x exchange) {
				x.f.SetComment(strings.Repeat("ä", 2000))
				x.f.Metadata().Set("list", state.NewList(state.Text(strings.Repeat("ä", 2000))).Value())
			},
			want: "flow 3 -> 4: GET http://a.example/list?q=go&q=c&n=10\n" +
				`  ~ /comment: "" -> "` + strings.Repeat("ä", 500) + "…\", 4000 bytes\n" +
				`  + /metadata/list: ["` + strings.Repeat("ä", 499) + "…\n",
		},
		{
			name: "long values that differ late",
			before: func(x exchange) {
				x.req.Headers.Set("Accept", strings.Repeat("a", 1500)+"ä one")
				x.f.SetComment(strings.Repeat("ä", 700) + "one" + strings.Repeat("z", 2000))
				x.f.Metadata().Set("short", state.Text(strings.Repeat("s", 998)+"1"))
				x.f.Metadata().Set("kind", state.Text(strings.Repeat("k", 1001)))
				x.f.Metadata().Set("list", state.NewList(state.Int(1), state.Text(strings.Repeat("x", 2000)+"a")).Value())
				x.f.Metadata().Set("map", state.NewMap(state.E("k", state.Text(strings.Repeat("x", 2000)))).Value())
			},
			edit: func(x exchange) {
				x.req.Headers.Set("Accept", strings.Repeat("a", 1500)+"ä two")
				x.f.SetComment(strings.Repeat("ä", 700) + "two" + strings.Repeat("z", 2000))
				x.f.Metadata().Set("short", state.Text(strings.Repeat("s", 998)+"2"))
				x.f.Metadata().Set("kind", state.Bytes([]byte(strings.Repeat("k", 1001))))
				x.f.Metadata().Set("list", state.NewList(state.Int(1), state.Text(strings.Repeat("x", 2000)+"b")).Value())
				x.f.Metadata().Set("map", state.NewList(state.Int(1)).Value())
			},
			want: "flow 3 -> 4: GET http://a.example/list?q=go&q=c&n=10\n" +
				`  ~ /request/headers/accept: "…` + strings.Repeat("a", 197) + `ä one", 1506 bytes -> "…` + strings.Repeat("a", 197) + `ä two", 1506 bytes, first difference at 1503` + "\n" +
				`  ~ /comment: "…` + strings.Repeat("ä", 100) + "one" + strings.Repeat("z", 797) + `…", 3403 bytes -> "…` + strings.Repeat("ä", 100) + "two" + strings.Repeat("z", 797) + "…\", 3403 bytes, first difference at 1400\n" +
				`  ~ /metadata/short: "` + strings.Repeat("s", 998) + `1" -> "` + strings.Repeat("s", 998) + `2"` + "\n" +
				`  ~ /metadata/kind: "` + strings.Repeat("k", 1000) + `…", 1001 bytes -> bytes "` + strings.Repeat("k", 1000) + `…", 1001 bytes` + "\n" +
				`  ~ /metadata/list/1: "…` + strings.Repeat("x", 200) + `a", 2001 bytes -> "…` + strings.Repeat("x", 200) + `b", 2001 bytes, first difference at 2000` + "\n" +
				`  ~ /metadata/map: {"k":"` + strings.Repeat("x", 994) + "… -> [1]\n",
		},
		{
			name: "binary values",
			before: func(x exchange) {
				x.resp.Headers.Set("Vary", "\x00\x01")
				x.f.Metadata().Set("long", state.Bytes([]byte(strings.Repeat("\x00", 100)+"a")))
			},
			edit: func(x exchange) {
				x.resp.Headers.Set("Vary", "\x00\x02")
				x.f.Metadata().Set("long", state.Bytes([]byte(strings.Repeat("\x00", 100)+"b")))
			},
			want: `flow 3 -> 4: GET http://a.example/list?q=go&q=c&n=10
  ~ /response/headers/vary: hex 0001 -> hex 0002
  ~ /metadata/long: binary, 101 bytes, sha256 48b68d82f956 -> binary, 101 bytes, sha256 9d9b18e2285c, first difference at 100
`,
		},
		{
			name: "times that are nearly the same",
			before: func(x exchange) {
				x.req.TimestampStart, x.req.TimestampEnd = flow.Seconds(1700000000.25), flow.Seconds(1700000000.25)
			},
			edit: func(x exchange) {
				x.req.TimestampStart, x.req.TimestampEnd = flow.Seconds(1700000000.2500002), flow.Seconds(1700000000.250002)
			},
			want: `flow 3 -> 4: GET http://a.example/list?q=go&q=c&n=10
  ~ /request/timestamp_start: 1700000000.25 -> 1700000000.2500002
  ~ /request/timestamp_end: +0.000002s
`,
		},
		{
			name: "long lines",
			before: func(x exchange) {
				x.body("text/plain", strings.Repeat("a", 5000)+"\n"+strings.Repeat("b", 5000)+"one"+strings.Repeat("c", 5000)+"\n"+strings.Repeat("d", 5000))
			},
			edit: func(x exchange) {
				x.body("text/plain", strings.Repeat("a", 5000)+"\n"+strings.Repeat("b", 5000)+"two"+strings.Repeat("c", 5000)+"\n"+strings.Repeat("e", 5000)+"\nmore\n")
			},
			want: `flow 3 -> 4: GET http://a.example/list?q=go&q=c&n=10
  ~ /response/content: text, 20005 bytes -> 20011 bytes
    @@ -1,3 +1,4 @@
     ` + strings.Repeat("a", 1000) + `…
    -…` + strings.Repeat("b", 200) + "one" + strings.Repeat("c", 797) + `…
    -` + strings.Repeat("d", 1000) + `…
    \ no line feed at the end
    +…` + strings.Repeat("b", 200) + "two" + strings.Repeat("c", 797) + `…
    +` + strings.Repeat("e", 1000) + `…
    +more
`,
		},
		{
			name: "the same content, compressed otherwise",
			before: func(x exchange) {
				x.resp.Headers.Set("Content-Encoding", "gzip")
				x.body("text/plain", zip(strings.Repeat("ab", 250), 1))
			},
			edit: func(x exchange) { x.body("text/plain", zip(strings.Repeat("ab", 250), 0)) },
			want: `flow 3 -> 4: GET http://a.example/list?q=go&q=c&n=10
  ~ /response/content: 500 bytes (same content, coded or spelled differently)
`,
		},
		{
			name:   "large numbers",
			before: func(x exchange) { x.body("application/json", `{"n":123456789012345678901234567890}`) },
			edit:   func(x exchange) { x.body("application/json", `{"n":123456789012345678901234567891}`) },
			want: `flow 3 -> 4: GET http://a.example/list?q=go&q=c&n=10
  ~ /response/content/n: 123456789012345678901234567890 -> 123456789012345678901234567891
`,
		},
		{
			name: "control characters everywhere",
			edit: func(x exchange) {
				x.req.Path = "/list?q=go&q=c&n=10&\x1b=1"
				x.f.Metadata().Set("\u202e", state.Text("\u009b"))
				x.resp.Body = flow.NewBody([]byte("\x1b]0;title\x07\r\n"))
			},
			want: `flow 3 -> 4: GET http://a.example/list?q=go&q=c&n=10&\x1b=1
  + /request/query/\x1b: "1"
  ~ /response/content: text, 24 bytes -> 12 bytes
    @@ -1,5 +1 @@
    -one
    -two
    -three
    -four
    -five
    +\x1b]0;title\x07\r
  + /metadata/\u{202e}: "\u{009b}"
`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := report(t, tt.before, tt.edit, nil).AppendText(nil, &flowdiff.TextOptions{Location: time.UTC})
			if d := cmp.Diff(tt.want, string(got)); d != "" || err != nil {
				t.Errorf("%v, -want +got\n%s", err, d)
			}
		})
	}
}

func TestTextColor(t *testing.T) {
	r := report(t, nil, func(x exchange) {
		x.req.Method = "PUT"
		x.resp.Body = flow.NewBody([]byte("one\n"))
	}, nil)
	got, err := r.AppendText(nil, &flowdiff.TextOptions{Color: true})
	want := "\x1b[1mflow 3 -> 4: PUT http://a.example/list?q=go&q=c&n=10\x1b[0m\n" +
		"\x1b[33m  ~ /request/method\x1b[0m: \"GET\" -> \"PUT\"\n" +
		"\x1b[33m  ~ /response/content\x1b[0m: text, 24 bytes -> 4 bytes\n" +
		"\x1b[36m    @@ -1,5 +1 @@\x1b[0m\n     one\n" +
		"\x1b[31m    -two\x1b[0m\n\x1b[31m    -three\x1b[0m\n\x1b[31m    -four\x1b[0m\n\x1b[31m    -five\x1b[0m\n"
	if d := cmp.Diff(want, string(got)); d != "" || err != nil {
		t.Errorf("%v, -want +got\n%s", err, d)
	}
}

// Parts that are there in one flow only are shown in a few words.
func TestTextParts(t *testing.T) {
	f := readFlows(t, "real", "edited.mitm")[0]
	b := f.GetState()
	r := flowdiff.Report{A: flowdiff.NewRef(0, f), B: flowdiff.NewRef(0, f), Changes: diff(t, f.BackupState(), b, nil)}
	got, err := r.AppendText(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"  + /response: status 200, 15 bytes\n", "  + /backup: a backup\n", `  + /server_conn/address: ["quirks.example",80]` + "\n"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	flows := readFlows(t, "real", "h2.mitm")
	for _, f := range flows[1:] {
		r.Changes = append(r.Changes, diff(t, flows[0].GetState(), f.GetState(), &flowdiff.Options{Only: paths(t, "/server_conn/certificate_list")})...)
	}
	if got, err = r.AppendText(nil, nil); err != nil || !strings.Contains(string(got), "/server_conn/certificate_list/0: certificate CN=") {
		t.Errorf("%v\n%s", err, got)
	}
}

func TestStat(t *testing.T) {
	r := report(t, nil, func(x exchange) {
		x.req.Method = "P\x1bT"
		x.resp.Headers.Del("Vary")
		x.f.SetComment("c")
	}, nil)
	if got, want := string(r.AppendStat(nil)), "+0 -1 ~2 >0 flow 3 -> 4: P\\x1bT http://a.example/list?q=go&q=c&n=10\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	r.Changes = nil
	if got, want := string(r.AppendStat(nil)), "equal: flow 3 -> 4: P\\x1bT http://a.example/list?q=go&q=c&n=10\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	r.A = nil
	if got, want := string(r.AppendStat(nil)), "only in b: flow 4: P\\x1bT http://a.example/list?q=go&q=c&n=10\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestJSON(t *testing.T) {
	r := report(t, nil, func(x exchange) {
		h := x.req.Headers.All()
		h[0], h[1] = h[1], h[0]
		h[4].Value = "\xff"
		x.req.TimestampStart = flow.Seconds(101.5)
		x.resp.Headers.Del("Vary")
		x.resp.Body = flow.NewBody([]byte("one\ntwo\n3\nfour\nfive\n"))
	}, nil)
	got, err := r.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	ref := func(n string) string {
		return `{"index":` + n + `,"id":"8d9a0c3e-1d56-4b2f-9d0e-7f0f6f3b2a11","type":"http","title":"GET http://a.example/list?q=go&q=c&n=10"}`
	}
	want := `{"status":"different","a":` + ref("3") + `,"b":` + ref("4") + `,"changes":[` +
		`{"path":"/request/headers/x-tag/1","kind":"changed","old":"two","new":{"$base64":"/w=="}},` +
		`{"path":"/request/headers/host","kind":"moved","old":0,"new":1},` +
		`{"path":"/request/timestamp_start","kind":"changed","old":100.0,"new":101.5,"delta":1.5},` +
		`{"path":"/response/headers/vary","kind":"removed","old":"Accept"},` +
		`{"path":"/response/content","kind":"changed","body":{` +
		`"old":{"size":24,"sha256":"` + hex.EncodeToString(r.Changes[4].Body.Old.SHA256[:]) + `"},"new":{"size":20,"sha256":"` + hex.EncodeToString(r.Changes[4].Body.New.SHA256[:]) + `"},"offset":8,` +
		`"hunks":[{"old_start":1,"old_lines":5,"new_start":1,"new_lines":5,"lines":[" one\n"," two\n","-three\n","+3\n"," four\n"," five\n"]}]}}]}` + "\n"
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	r.B = nil
	r.Changes = nil
	got, err = r.AppendJSON([]byte("x"))
	var v struct {
		Status  string
		A, B    *struct{ Index int }
		Changes []any
	}
	if err != nil || got[0] != 'x' || json.Unmarshal(got[1:], &v) != nil || v.Status != "only_a" || v.A.Index != 3 || v.B != nil || v.Changes == nil {
		t.Errorf("%v\n%s", err, got)
	}
}

// Contents that are the same have no place where they differ.
func TestJSONSameContent(t *testing.T) {
	r := report(t, func(x exchange) {
		x.resp.Headers.Set("Content-Encoding", "gzip")
		x.body("text/plain", zip("text", 1))
	}, func(x exchange) { x.body("text/plain", zip("text", 0)) }, nil)
	got, err := r.AppendJSON(nil)
	if err != nil || !strings.Contains(string(got), `"size":4`) || strings.Contains(string(got), `"offset"`) {
		t.Errorf("%v\n%s", err, got)
	}
}

// What happened after the backup is one line, and no difference.
func TestTextProgress(t *testing.T) {
	flows := readFlows(t, "real", "edited.mitm")
	f := flows[0]
	ref := flowdiff.NewRef(0, f)
	r := flowdiff.Report{A: ref, B: ref, Changes: backupDiff(t, f)}
	got, err := r.AppendText(nil, nil)
	want := `flow 0: GET http://quirks.example/x?edit=req&added=yes+%26+no
  + /request/query/added: "yes & no"
  + /request/headers/x-edited-by: "script ✎"
  ~ /comment: "" -> "request was edited before it was sent"
  after the backup: /response, /server_conn/peername, /server_conn/sockname, /server_conn/id, ` +
		`/server_conn/timestamp_start, /server_conn/address, /server_conn/timestamp_tcp_setup
`
	if d := cmp.Diff(want, string(got)); d != "" || err != nil {
		t.Errorf("%v, -want +got\n%s", err, d)
	}
	if got, want := string(r.AppendStat(nil)), "+2 -0 ~1 >0 flow 0: GET http://quirks.example/x?edit=req&added=yes+%26+no\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	r.Changes = slices.DeleteFunc(r.Changes, func(c flowdiff.Change) bool { return !c.Progress })
	if got := r.Status(); got != flowdiff.StatusEqual {
		t.Errorf("only progress is %s", got)
	}
	if got, err := r.AppendJSON(nil); err != nil || strings.Count(string(got), `"progress":true`) != len(r.Changes) {
		t.Errorf("%v\n%s", err, got)
	}
}

func TestTitles(t *testing.T) {
	for _, tt := range []struct {
		file  string
		index int
		want  string
	}{
		{"tcp", 0, "legacy.tcp.example:7000"},
		{"dns", 0, "A www.shop.example"},
		{"ws", 0, "GET ws://ws.chat.example/echo"},
	} {
		if got := flowdiff.NewRef(7, readFlows(t, "real", tt.file+".mitm")[tt.index]); got.Title != tt.want || got.Index != 7 {
			t.Errorf("%s: %+v", tt.file, got)
		}
	}
}
