package flowdiff_test

import (
	"bytes"
	"compress/gzip"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/flowdiff"
	"github.com/flowtool/flowtool/state"
)

// An exchange is a flow that a case edits.
type exchange struct {
	f    *flow.HTTP
	req  *flow.Request
	resp *flow.Response
}

func newExchange(t testing.TB) exchange {
	t.Helper()
	req, err := flow.NewRequest("GET", "http://a.example/list?q=go&q=c&n=10", flow.NewHeaders(
		"Host", "a.example",
		"Accept", "*/*",
		"Cookie", "sid=1; theme=dark",
		"X-Tag", "one",
		"X-Tag", "two",
	), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp := flow.NewResponse(200, flow.NewHeaders(
		"Content-Type", "text/plain; charset=utf-8",
		"Set-Cookie", "sid=1; Path=/",
		"Set-Cookie", "seen=yes",
		"Vary", "Accept",
	), []byte("one\ntwo\nthree\nfour\nfive\n"))
	req.TimestampStart, req.TimestampEnd = flow.Seconds(100), flow.Seconds(100.5)
	f := flow.NewHTTP(flow.NewClientConn(), flow.NewServerConn(nil), req, resp)
	return exchange{f, f.Request(), f.Response()}
}

func (x exchange) body(contentType, content string) {
	x.resp.Headers.Set("Content-Type", contentType)
	x.resp.Body = flow.NewBody([]byte(content))
}

func zip(s string, level int) string {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, level)
	w.Write([]byte(s))
	w.Close()
	return b.String()
}

var diffCases = []struct {
	name         string
	before, edit func(exchange) // both may be nil
	want         []string
}{
	{name: "nothing"},
	{
		name: "plain fields",
		edit: func(x exchange) {
			x.req.Method, x.resp.StatusCode, x.resp.Reason = "POST", 404, "Not Found"
			x.f.SetComment("c")
			x.f.SetIsReplay("request")
		},
		want: []string{
			`changed /request/method: b"GET" -> b"POST"`,
			`changed /response/status_code: 200 -> 404`,
			`changed /response/reason: b"OK" -> b"Not Found"`,
			`added /is_replay: "request"`,
			`changed /comment: "" -> "c"`,
		},
	},
	{
		name: "header value",
		edit: func(x exchange) { x.req.Headers.Set("accept", "text/html") },
		want: []string{`changed /request/headers/accept: b"*/*" -> b"text/html"`},
	},
	{
		name: "header added and removed",
		edit: func(x exchange) { x.req.Headers.Del("accept"); x.req.Headers.Add("X-New", "1") },
		want: []string{`removed /request/headers/accept: b"*/*"`, `added /request/headers/x-new: b"1"`},
	},
	{
		name: "one of several headers",
		edit: func(x exchange) { x.req.Headers.All()[4].Value = "three" },
		want: []string{`changed /request/headers/x-tag/1: b"two" -> b"three"`},
	},
	{
		name: "first of several headers removed",
		edit: func(x exchange) { x.req.Headers.Set("X-Tag", "two") },
		want: []string{`removed /request/headers/x-tag/0: b"one"`},
	},
	{
		name: "header renamed in case",
		edit: func(x exchange) { x.req.Headers.All()[1].Name = "ACCEPT" },
		want: []string{`changed /request/headers/accept: b"Accept" -> b"ACCEPT" (the name is spelled differently)`},
	},
	{
		name: "headers in another order",
		edit: func(x exchange) { h := x.req.Headers.All(); h[0], h[1] = h[1], h[0] },
		want: []string{`moved /request/headers/host: 0 -> 1`},
	},
	{
		name: "headers of a name in another order",
		edit: func(x exchange) { h := x.req.Headers.All(); h[3], h[4] = h[4], h[3] },
		want: []string{`moved /request/headers/x-tag/0 from /request/headers/x-tag/1: 4 -> 3`},
	},
	{
		name: "cookies of a request",
		edit: func(x exchange) { x.req.Headers.Set("Cookie", "theme=light; sid=1; new=2") },
		want: []string{
			`changed /request/cookies/theme: b"dark" -> b"light"`, `added /request/cookies/new: b"2"`,
			`moved /request/cookies/theme: 1 -> 0`,
		},
	},
	{
		name: "cookies of a request in another order",
		edit: func(x exchange) { x.req.Headers.Set("Cookie", "theme=dark; sid=1") },
		want: []string{`moved /request/cookies/theme: 1 -> 0`},
	},
	{
		name: "cookies of a request in two lines, with another value",
		edit: func(x exchange) {
			x.req.Headers.Set("Cookie", "sid=2")
			x.req.Headers.Add("Cookie", "theme=dark")
		},
		want: []string{`changed /request/cookies/sid: b"1" -> b"2"`},
	},
	{
		name: "cookies of a request, spelled differently",
		edit: func(x exchange) { x.req.Headers.Set("Cookie", "sid=1;theme=dark") },
		want: []string{`changed /request/headers/cookie: b"sid=1; theme=dark" -> b"sid=1;theme=dark" (same cookies, spelled differently)`},
	},
	{
		name: "cookies of a request in two lines",
		edit: func(x exchange) {
			x.req.Headers.Set("Cookie", "sid=1")
			x.req.Headers.Add("cookie", "theme=dark")
		},
		want: []string{`changed /request/headers/cookie: b"sid=1; theme=dark" -> list of 2 (same cookies, spelled differently)`},
	},
	{
		name:   "cookies of a request in one line",
		before: func(x exchange) { x.req.Headers.Add("Cookie", "a=1") },
		edit: func(x exchange) {
			x.req.Headers.Del("Cookie")
			x.req.Headers.Add("Cookie", "sid=1; theme=dark; a=1")
		},
		want: []string{
			`changed /request/headers/cookie: list of 2 -> b"sid=1; theme=dark; a=1" (same cookies, spelled differently)`,
			`moved /request/headers/cookie/0: 2 -> 4`,
		},
	},
	{
		name:   "line without cookies",
		before: func(x exchange) { x.req.Headers.Del("Cookie") },
		edit:   func(x exchange) { x.req.Headers.Add("Cookie", ";") },
		want:   []string{`added /request/headers/cookie: b";" (same cookies, spelled differently)`},
	},
	{
		name: "headers with cookies where they do not belong",
		edit: func(x exchange) {
			x.req.Headers.Set("Cookie", "sid=2; theme=dark")
			x.req.Headers.Add("Set-Cookie", "sid=3")
			x.resp.Headers.All()[1].Value = "sid=4; Path=/"
			x.resp.Headers.Add("Cookie", "sid=5")
		},
		want: []string{
			`changed /request/cookies/sid: b"1" -> b"2"`, `added /request/headers/set-cookie: b"sid=3"`,
			`changed /response/cookies/sid: b"sid=1; Path=/" -> b"sid=4; Path=/"`, `added /response/headers/cookie: b"sid=5"`,
		},
	},
	{
		name: "cookie set to another value",
		edit: func(x exchange) { x.resp.Headers.All()[1].Value = "sid=2; Path=/" },
		want: []string{`changed /response/cookies/sid: b"sid=1; Path=/" -> b"sid=2; Path=/"`},
	},
	{
		name: "cookie replaced by another",
		edit: func(x exchange) { x.resp.Headers.All()[1].Value = "stolen=1" },
		want: []string{`changed /response/cookies/stolen from /response/cookies/sid: b"sid=1; Path=/" -> b"stolen=1"`},
	},
	{
		name: "cookies replaced by others",
		edit: func(x exchange) {
			h := x.resp.Headers.All()
			h[1].Value, h[2].Value = "stolen=1", "other=2"
		},
		want: []string{
			`changed /response/cookies/stolen from /response/cookies/sid: b"sid=1; Path=/" -> b"stolen=1"`,
			`changed /response/cookies/other from /response/cookies/seen: b"seen=yes" -> b"other=2"`,
		},
	},
	{
		name: "cookie removed, and another set elsewhere",
		edit: func(x exchange) {
			x.resp.Headers.Set("Set-Cookie", "seen=yes")
			x.resp.Headers.Add("Set-Cookie", "stolen=1")
		},
		want: []string{`removed /response/cookies/sid: b"sid=1; Path=/"`, `added /response/cookies/stolen: b"stolen=1"`},
	},
	{
		name: "cookie replaced by two others",
		edit: func(x exchange) {
			x.resp.Headers.All()[1].Value = "stolen=1"
			x.resp.Headers.Add("Set-Cookie", "other=2")
		},
		want: []string{
			`changed /response/cookies/stolen from /response/cookies/sid: b"sid=1; Path=/" -> b"stolen=1"`,
			`added /response/cookies/other: b"other=2"`,
		},
	},
	{
		name: "cookie removed behind a header that is new",
		edit: func(x exchange) {
			x.resp.Headers.Set("Set-Cookie", "seen=yes")
			x.resp.Headers.Add("X-New", "1")
		},
		want: []string{`removed /response/cookies/sid: b"sid=1; Path=/"`, `added /response/headers/x-new: b"1"`},
	},
	{
		name: "cookies in another order",
		edit: func(x exchange) { h := x.resp.Headers.All(); h[1], h[2] = h[2], h[1] },
		want: []string{`moved /response/cookies/sid: 1 -> 2`},
	},
	{
		name: "cookie not set any more",
		edit: func(x exchange) { x.resp.Headers.Set("Set-Cookie", "sid=1; Path=/") },
		want: []string{`removed /response/cookies/seen: b"seen=yes"`},
	},
	{
		name: "query",
		edit: func(x exchange) { x.req.Path = "/list?q=go&q=rust&n=20&x=%41+b" },
		want: []string{
			`changed /request/query/q/1: b"c" -> b"rust"`, `changed /request/query/n: b"10" -> b"20"`, `added /request/query/x: b"A b"`,
		},
	},
	{
		name: "path without query",
		edit: func(x exchange) { x.req.Path = "/other?q=go&q=c&n=10" },
		want: []string{`changed /request/path: b"/list" -> b"/other"`},
	},
	{
		name: "query in another order",
		edit: func(x exchange) { x.req.Path = "/list?n=10&q=go&q=c" },
		want: []string{`moved /request/query/n: 2 -> 0`},
	},
	{
		name: "query in another order, with another value",
		edit: func(x exchange) { x.req.Path = "/list?n=20&q=go&q=c" },
		want: []string{`changed /request/query/n: b"10" -> b"20"`, `moved /request/query/n: 2 -> 0`},
	},
	{
		name: "parameters of a name in another order",
		edit: func(x exchange) { x.req.Path = "/list?q=c&q=go&n=10" },
		want: []string{`moved /request/query/q/1 from /request/query/q/0: 0 -> 1`},
	},
	{
		name: "query, spelled differently",
		edit: func(x exchange) { x.req.Path = "/list?q=%67o&q=c&&n=10" },
		want: []string{`changed /request/path: b"/list?q=go&q=c&n=10" -> b"/list?q=%67o&q=c&&n=10" (same path and parameters, spelled differently)`},
	},
	{
		name: "fragment",
		edit: func(x exchange) { x.req.Path = "/list?q=go&q=c&n=10#top" },
		want: []string{`changed /request/path: b"/list" -> b"/list#top"`},
	},
	{
		name:   "fragment and query",
		before: func(x exchange) { x.req.Path = "/list?n=10#a?b=1" },
		edit:   func(x exchange) { x.req.Path = "/list?n=20#a?b=2" },
		want:   []string{`changed /request/path: b"/list#a?b=1" -> b"/list#a?b=2"`, `changed /request/query/n: b"10" -> b"20"`},
	},
	{
		name: "times",
		edit: func(x exchange) { x.req.TimestampEnd = flow.Seconds(101.25); x.resp.TimestampEnd = flow.Timestamp{} },
		want: []string{
			`changed /request/timestamp_end: 100.5 -> 101.25`, `removed /response/timestamp_end: 3.0`,
		},
		before: func(x exchange) { x.resp.TimestampEnd = flow.Seconds(3) },
	},
	{
		name: "text",
		edit: func(x exchange) { x.resp.Body = flow.NewBody([]byte("one\n2\nthree\nfour\nfive\nsix\n")) },
		want: []string{`changed /response/content: -"two\n" +"2\n" +"six\n"`},
	},
	{
		name: "text, compressed",
		before: func(x exchange) {
			x.resp.Headers.Add("Content-Encoding", "gzip")
			x.body("text/plain", zip("a\nb\n", 9))
		},
		edit: func(x exchange) { x.body("text/plain", zip("a\nc\n", 9)) },
		want: []string{`changed /response/content: -"b\n" +"c\n"`},
	},
	{
		name: "compressed otherwise",
		before: func(x exchange) {
			x.resp.Headers.Add("Content-Encoding", "gzip")
			x.body("text/plain", zip("abcabcabc", 9))
		},
		edit: func(x exchange) { x.body("text/plain", zip("abcabcabc", 0)) },
		want: []string{`changed /response/content: 9 -> 9 bytes, at 9 (same content, coded or spelled differently)`},
	},
	{
		name: "compression removed",
		before: func(x exchange) {
			x.resp.Headers.Add("Content-Encoding", "gzip")
			x.body("text/plain", zip("abcabcabc", 9))
		},
		edit: func(x exchange) { x.resp.Headers.Del("Content-Encoding"); x.body("text/plain", "abcabcabc") },
		want: []string{`removed /response/headers/content-encoding: b"gzip"`},
	},
	{
		name:   "text in another charset",
		before: func(x exchange) { x.body("text/plain; charset=latin-1", "caf\xe9\n") },
		edit:   func(x exchange) { x.body("text/plain; charset=latin-1", "caf\xe8\n") },
		want:   []string{`changed /response/content: -"café\n" +"cafè\n"`},
	},
	{
		name:   "damaged compression",
		before: func(x exchange) { x.resp.Headers.Add("Content-Encoding", "gzip"); x.body("text/plain", "no gzip 1") },
		edit:   func(x exchange) { x.body("text/plain", "no gzip 2") },
		want:   []string{`changed /response/content: 9 -> 9 bytes, at 8 (compared as transferred)`},
	},
	{
		name:   "binary",
		before: func(x exchange) { x.body("image/png", "\x89PNG\x00\x00\x01") },
		edit:   func(x exchange) { x.body("image/png", "\x89PNG\x00\x00\x02\x03") },
		want:   []string{`changed /response/content: 7 -> 8 bytes, at 6`},
	},
	{
		name: "body removed",
		edit: func(x exchange) { x.resp.Body = flow.Body{} },
		want: []string{`removed /response/content: b"one\ntwo\nthree\nfour\nfive\n"`},
	},
	{
		name: "JSON",
		before: func(x exchange) {
			x.body("application/json", `{"user":{"name":"Ann","age":30},"tags":["a","b","c"],"a/b":1}`)
		},
		edit: func(x exchange) {
			x.body("application/json", `{"tags": ["c", "a", "b", "d"], "user": {"name": "Bob", "age": 30, "mail": null}, "a/b": 2}`)
		},
		want: []string{
			`changed /response/content/user/name: "Ann" -> "Bob"`,
			`added /response/content/user/mail: null`,
			`moved /response/content/tags/0 from /response/content/tags/2: 2 -> 0`,
			`added /response/content/tags/3: "d"`,
			`changed /response/content/a~1b: 1 -> 2`,
		},
	},
	{
		name:   "JSON, objects in an array",
		before: func(x exchange) { x.body("text/plain", `[{"id":1,"n":"a"},{"id":2,"n":"b"},{"id":3,"n":"c"}]`) },
		edit:   func(x exchange) { x.body("text/plain", `[{"id":2,"n":"b"},{"id":3,"n":"x"}]`) },
		want: []string{
			`removed /response/content/0: {…}`,
			`changed /response/content/1/n from /response/content/2/n: "c" -> "x"`,
		},
	},
	{
		name:   "JSON, spelled differently",
		before: func(x exchange) { x.body("application/json", `{"a": 1, "b": "\u00e9"}`) },
		edit:   func(x exchange) { x.body("application/json", `{"b":"é","a":1}`) },
		want:   []string{`changed /response/content: 23 -> 16 bytes, at 2 (same content, coded or spelled differently)`},
	},
	{
		name:   "JSON with a key twice is text",
		before: func(x exchange) { x.body("application/json", `{"a":1,"a":2}`) },
		edit:   func(x exchange) { x.body("application/json", `{"a":1,"a":3}`) },
		want:   []string{`changed /response/content: -"{\"a\":1,\"a\":2}" +"{\"a\":1,\"a\":3}"`},
	},
	{
		name:   "JSON with half of a character is text",
		before: func(x exchange) { x.body("application/json", `{"a":"\ud800","b":1}`) },
		edit:   func(x exchange) { x.body("application/json", `{"a":"\ud801","b":1}`) },
		want:   []string{`changed /response/content: -"{\"a\":\"\\ud800\",\"b\":1}" +"{\"a\":\"\\ud801\",\"b\":1}"`},
	},
	{
		name:   "JSON with half of a character on one side",
		before: func(x exchange) { x.body("application/json", `["\ud800"]`) },
		edit:   func(x exchange) { x.body("application/json", `["\ufffd"]`) },
		want:   []string{`changed /response/content: -"[\"\\ud800\"]" +"[\"\\ufffd\"]"`},
	},
	{
		name: "numbers in JSON that no float stands for",
		before: func(x exchange) {
			x.body("application/json", `[12345678901234567.1, 1e400, 1e-400, 1e-999999999, 0.10, 0e999999999, 1]`)
		},
		edit: func(x exchange) {
			x.body("application/json", `[12345678901234567.9, 1e999, 1e-500, 1e-999999998, 1e-1, 0.0, 2]`)
		},
		want: []string{
			`changed /response/content/0: b"12345678901234567.1" -> b"12345678901234567.9"`,
			`changed /response/content/1: b"1e400" -> b"1e999"`,
			`changed /response/content/2: b"1e-400" -> b"1e-500"`,
			`changed /response/content/3: b"1e-999999999" -> b"1e-999999998"`,
			`changed /response/content/6: 1 -> 2`,
		},
	}, {
		name:   "large numbers in JSON",
		before: func(x exchange) { x.body("application/json", `[12345678901234567890, 0.1]`) },
		edit:   func(x exchange) { x.body("application/json", `[12345678901234567891, 0.2]`) },
		want: []string{
			`changed /response/content/0: 12345678901234567890 -> 12345678901234567891`,
			`changed /response/content/1: 0.1 -> 0.2`,
		},
	},
	{
		name:   "form",
		before: func(x exchange) { x.body("application/x-www-form-urlencoded", "user=ann&pass=x&r=1&r=2") },
		edit:   func(x exchange) { x.body("application/x-www-form-urlencoded", "user=bob&r=1&r=3&new=%C3%A9") },
		want: []string{
			`changed /response/content/user: b"ann" -> b"bob"`, `removed /response/content/pass: b"x"`,
			`changed /response/content/r/1: b"2" -> b"3"`, `added /response/content/new: b"é"`,
		},
	},
	{
		name:   "form in another order",
		before: func(x exchange) { x.body("application/x-www-form-urlencoded", "user=ann&pass=x") },
		edit:   func(x exchange) { x.body("application/x-www-form-urlencoded", "pass=y&user=ann") },
		want:   []string{`changed /response/content/pass: b"x" -> b"y"`, `moved /response/content/user: 0 -> 1`},
	},
	{
		name: "multipart form in another order",
		before: func(x exchange) {
			x.body("multipart/form-data; boundary=B", multipartBody("a", "1", "b", "2", "c", "3"))
		},
		edit: func(x exchange) {
			x.body("multipart/form-data; boundary=B", multipartBody("b", "2", "a", "1", "c", "4"))
		},
		want: []string{`changed /response/content/c: -"3" +"4"`, `moved /response/content/b: 1 -> 0`},
	},
	{
		name: "multipart form",
		before: func(x exchange) {
			x.body("multipart/form-data; boundary=B", multipartBody("user", "ann", "note", "a\nb\n", "gone", "1"))
		},
		edit: func(x exchange) {
			x.body("multipart/form-data; boundary=B", multipartBody("user", "bob", "note", "a\nc\n", "new", "2"))
		},
		want: []string{
			`changed /response/content/user: -"ann" +"bob"`, `changed /response/content/note: -"b\n" +"c\n"`,
			`removed /response/content/gone: b"1"`, `added /response/content/new: b"2"`,
		},
	},
	{
		name: "files of a multipart form",
		before: func(x exchange) {
			x.body("multipart/form-data; boundary=B", "--B\r\nContent-Disposition: form-data; name=f; filename=a.json\r\nContent-Type: text/plain\r\n\r\n{\"a\": 1}\r\n"+
				"--B\r\nContent-Disposition: form-data; name=g; filename=x\r\n\r\n{\"a\":1}\r\n--B--\r\n")
		},
		edit: func(x exchange) {
			x.body("multipart/form-data; boundary=B", "--B\r\nContent-Disposition: form-data; name=f; filename=b.json\r\nContent-Type: application/json\r\n\r\n{\"a\": 2}\r\n"+
				"--B\r\nContent-Disposition: form-data; name=g; filename=x\r\n\r\n{ \"a\":1}\r\n--B--\r\n")
		},
		want: []string{
			`changed /response/parts/f/filename: b"a.json" -> b"b.json"`,
			`changed /response/parts/f/headers/content-type: b"text/plain" -> b"application/json"`,
			`changed /response/content/f/a: 1 -> 2`,
			`changed /response/content/g: 7 -> 8 bytes, at 1 (same content, spelled differently)`,
		},
	},
	{
		name: "headers of parts",
		before: func(x exchange) {
			x.body("multipart/form-data; boundary=B", "\r\n"+formPart("form-data; name=f; filename=e.txt", "X-Foo: 1\r\nX-Old: 1\r\n", "a")+
				formPart("form-data; name=g; size=1", "", "b")+formPart("form-data; name=h; filename=\"\"", "Content-Transfer-Encoding: binary\r\n", "c")+"--B--\r\n")
		},
		edit: func(x exchange) {
			x.body("multipart/form-data; boundary=B", "intro\r\n"+formPart("form-data; name=f; filename=\"../../e.txt\"", "X-Foo: 2\r\nX-New: 1\r\nX-New: 2\r\n", "a")+
				formPart("form-data; name=\"g\"; size=2", "", "b")+formPart("form-data; name=h", "Content-Transfer-Encoding: base64\r\n", "c")+"--B--\r\nmore\r\n")
		},
		want: []string{
			`changed /response/parts/f/filename: b"e.txt" -> b"../../e.txt"`,
			`changed /response/parts/f/headers/x-foo: b"1" -> b"2"`,
			`removed /response/parts/f/headers/x-old: b"1"`,
			`added /response/parts/f/headers/x-new: list of 2`,
			`changed /response/parts/g/headers/content-disposition: b"form-data; name=g; size=1" -> b"form-data; name=\"g\"; size=2"`,
			`removed /response/parts/h/filename: b""`,
			`changed /response/parts/h/headers/content-transfer-encoding: b"binary" -> b"base64"`,
			`changed /response/content: list of 2 -> list of 2 (what is before and behind the parts)`,
		},
	},
	{
		name: "file of a form, with JSON that looks like the name of one",
		before: func(x exchange) {
			x.body("multipart/form-data; boundary=B", formPart("form-data; name=a; filename=x", "", `{"filename":1}`)+"--B--")
		},
		edit: func(x exchange) {
			x.body("multipart/form-data; boundary=B", formPart("form-data; name=a; filename=y", "", `{"filename":2}`)+"--B--")
		},
		want: []string{`changed /response/parts/a/filename: b"x" -> b"y"`, `changed /response/content/a/filename: 1 -> 2`},
	},
	{
		name: "form with a binary file",
		before: func(x exchange) {
			x.body("multipart/form-data; boundary=B", multipartBody("user", "ann", "file", strings.Repeat("\x89\x00\xff", 2000)))
		},
		edit: func(x exchange) {
			x.body("multipart/form-data; boundary=B", multipartBody("user", "bob", "file", strings.Repeat("\x89\x00\xff", 2000)+"\x00"))
		},
		want: []string{`changed /response/content/user: -"ann" +"bob"`, `changed /response/content/file: 6000 -> 6001 bytes, at 6000`},
	},
	{
		name:   "parts of forms without any",
		before: func(x exchange) { x.body("multipart/form-data; boundary=B", "a\r\n--B--\r\nb") },
		edit:   func(x exchange) { x.body("multipart/form-data; boundary=B", "a\r\n--B-- \r\nc") },
		want:   []string{`changed /response/content: list of 2 -> list of 2 (what is before and behind the parts)`},
	},
	{
		name: "trailers",
		edit: func(x exchange) { x.resp.Trailers.Add("X-Sum", "1") },
		want: []string{`added /response/trailers: list of 1`},
	},
	{
		name: "metadata",
		before: func(x exchange) {
			x.f.Metadata().Set("list", state.NewList(state.Int(1), state.Int(2)).Value())
			x.f.Metadata().Set("none", state.Null())
		},
		edit: func(x exchange) {
			x.f.Metadata().Set("list", state.NewList(state.Int(1), state.Float(2)).Value())
			x.f.Metadata().Delete("none")
		},
		want: []string{`changed /metadata/list/1: 2 -> 2.0`, `removed /metadata/none: null`},
	},
	{
		name:   "addresses",
		before: func(x exchange) { x.f.ServerConn().Address = &flow.Address{Host: "a.example", Port: 80} },
		edit:   func(x exchange) { x.f.ServerConn().Address = &flow.Address{Host: "b.example", Port: 80} },
		want:   []string{`changed /server_conn/address/0: "a.example" -> "b.example"`},
	},
	{
		name: "address of another kind",
		before: func(x exchange) {
			x.f.ServerConn().Peername = &flow.Address{Host: "127.0.0.1", Port: 80}
			x.f.ServerConn().Via = &flow.Via{Scheme: "http", Host: "proxy.example", Port: 3128}
		},
		edit: func(x exchange) {
			x.f.ServerConn().Peername = &flow.Address{Host: "::1", Port: 80, ScopeID: 2}
			x.f.ServerConn().Via.Port = 8080
		},
		want: []string{
			`changed /server_conn/peername/0: "127.0.0.1" -> "::1"`, `added /server_conn/peername/2: 0`, `added /server_conn/peername/3: 2`,
			`changed /server_conn/via/1/1: 3128 -> 8080`,
		},
	},
	{
		name: "WebSocket messages",
		before: func(x exchange) {
			x.f.SetWebSocket(&flow.WebSocket{Messages: []flow.WebSocketMessage{
				wsMessage(true, "hello", 1), wsMessage(false, "hello", 2), wsMessage(true, "a", 3), wsMessage(false, "b", 4),
			}})
		},
		edit: func(x exchange) {
			ws := x.f.WebSocket()
			ws.Messages[3].Content = flow.NewBody([]byte("B"))
			ws.Messages[1].Dropped = true
			ws.Messages = append(ws.Messages[1:2:2], wsMessage(true, "new", 9), ws.Messages[2], ws.Messages[3])
			ws.CloseCode = 1000
		},
		want: []string{
			`removed /websocket/messages/0: list of 6`,
			`changed /websocket/messages/0/dropped from /websocket/messages/1/dropped: false -> true`,
			`added /websocket/messages/1: list of 6`,
			`changed /websocket/messages/3/content: -"b" +"B"`,
			`added /websocket/close_code: 1000`,
		},
	},
}

func TestDNS(t *testing.T) {
	message := func(ttl int, extra ...flow.DNSRecord) *flow.DNSMessage {
		return &flow.DNSMessage{
			Questions: []flow.DNSQuestion{{Name: "a.example", Type: flow.DNSTypeA, Class: 1}},
			Answers:   append(extra, flow.DNSRecord{Name: "a.example", Type: flow.DNSTypeA, Class: 1, TTL: ttl, Data: "\x7f\x00\x00\x01"}),
		}
	}
	f := flow.NewDNS(flow.NewClientConn(), flow.NewServerConn(nil), message(1), message(60))
	a := f.GetState()
	f.SetResponse(message(50, flow.DNSRecord{Name: "b.example", Type: flow.DNSTypeCNAME, Class: 1}))
	f.Request().ID = 7
	want := []string{
		"changed /request/id: 0 -> 7",
		`changed /response/answers/0/name: "a.example" -> "b.example"`,
		"changed /response/answers/0/type: 1 -> 5",
		"changed /response/answers/0/ttl: 60 -> 0",
		`changed /response/answers/0/data: b"\x7f\x00\x00\x01" -> b""`,
		"added /response/answers/1: {…}",
	}
	if d := cmp.Diff(want, describe(diff(t, a, f.GetState(), nil))); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	f.SetResponse(message(60, flow.DNSRecord{Name: "b.example", Type: flow.DNSTypeCNAME, Class: 1}))
	if got := describe(diff(t, a, f.GetState(), &flowdiff.Options{IgnoreDefaults: true})); len(got) != 1 || got[0] != "added /response/answers/0: {…}" {
		t.Errorf("%q", got)
	}
}

// A message of the other side is another message, not one that was edited.
func TestMessageSides(t *testing.T) {
	f := flow.NewTCP(flow.NewClientConn(), flow.NewServerConn(nil))
	message := func(fromClient bool, s string) flow.Message {
		return flow.Message{FromClient: fromClient, Content: flow.NewBody([]byte(s)), Timestamp: flow.Seconds(1)}
	}
	f.SetMessages([]flow.Message{message(true, "a"), message(false, "b"), message(true, "c")})
	a := f.GetState()
	f.SetMessages([]flow.Message{message(true, "a"), message(true, "B"), message(true, "c"), message(true, "a")})
	b := f.GetState()
	want := []string{"removed /messages/1: list of 3", "added /messages/1: list of 3", "added /messages/3: list of 3"}
	if d := cmp.Diff(want, describe(diff(t, a, b, nil))); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	check(t, a, b)
	f.SetMessages([]flow.Message{message(false, "b"), message(true, "a"), message(true, "C")})
	want = []string{
		"moved /messages/1 from /messages/0: 0 -> 1", "changed /messages/2/content: -\"c\" +\"C\"",
	}
	if d := cmp.Diff(want, describe(diff(t, a, f.GetState(), nil))); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func wsMessage(fromClient bool, s string, sec float64) flow.WebSocketMessage {
	return flow.WebSocketMessage{Opcode: flow.OpText, FromClient: fromClient, Content: flow.NewBody([]byte(s)), Timestamp: flow.Seconds(sec)}
}

// formPart returns a part of multipart form data.
func formPart(disposition, header, data string) string {
	return "--B\r\nContent-Disposition: " + disposition + "\r\n" + header + "\r\n" + data + "\r\n"
}

func multipartBody(namesAndValues ...string) string {
	var b strings.Builder
	for i := 0; i < len(namesAndValues); i += 2 {
		b.WriteString("--B\r\nContent-Disposition: form-data; name=\"" + namesAndValues[i] + "\"\r\n\r\n" + namesAndValues[i+1] + "\r\n")
	}
	return b.String() + "--B--\r\n"
}

func TestDiff(t *testing.T) {
	for _, tt := range diffCases {
		t.Run(tt.name, func(t *testing.T) {
			x := newExchange(t)
			if tt.before != nil {
				tt.before(x)
			}
			a := x.f.GetState()
			if tt.edit != nil {
				tt.edit(x)
			}
			b := x.f.GetState()
			if d := cmp.Diff(tt.want, describe(diff(t, a, b, nil))); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
			check(t, a, b)
		})
	}
}

func paths(t *testing.T, patterns ...string) flowdiff.Paths {
	t.Helper()
	p, err := flowdiff.ParsePaths(patterns...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestOptions(t *testing.T) {
	x := newExchange(t)
	x.resp.Headers.Add("Date", "yesterday")
	x.resp.Headers.Add("X-Request-Id", "1")
	x.resp.Headers.Add("Set-Cookie", "token=0123456789abcdef01; Path=/")
	x.f.ClientConn().Peername = &flow.Address{Host: "127.0.0.1", Port: 1000}
	a := x.f.GetState()
	x.req.Method = "PUT"
	x.req.TimestampStart = flow.Seconds(200)
	x.resp.Headers.Set("Date", "today")
	x.resp.Headers.Set("X-Request-Id", "2")
	h := x.resp.Headers.All()
	h[1].Value = "sid=1; Path=/; Max-Age=3"
	h[len(h)-1].Value = "token=fedcba98765432100f; Path=/"
	x.f.ClientConn().ID = "another"
	x.f.ClientConn().Peername.Port = 2000
	x.f.SetID("another")
	b := x.f.GetState()
	all := []string{
		"/id", "/request/method", "/request/timestamp_start", "/response/cookies/sid", "/response/cookies/token",
		"/response/headers/date", "/response/headers/x-request-id", "/client_conn/peername/1", "/client_conn/id",
	}
	for _, tt := range []struct {
		name string
		opts flowdiff.Options
		want []string
	}{
		{"all", flowdiff.Options{}, all},
		{"defaults", flowdiff.Options{IgnoreDefaults: true}, []string{"/request/method"}},
		{"ignore", flowdiff.Options{Ignore: paths(t, "/client_conn/**", "/**/timestamp_*", "/response", "/i?")}, []string{"/request/method"}},
		{"only", flowdiff.Options{Only: paths(t, "/*/headers/x-*", "/client_conn")}, []string{"/response/headers/x-request-id", "/client_conn/peername/1", "/client_conn/id"}},
		{"both", flowdiff.Options{Only: paths(t, "/**/id", "/client_conn"), Ignore: paths(t, "/client_conn/id")}, []string{"/id", "/client_conn/peername/1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, c := range diff(t, a, b, &tt.opts) {
				got = append(got, string(c.Path))
			}
			if d := cmp.Diff(slices.Sorted(slices.Values(tt.want)), slices.Sorted(slices.Values(got))); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
		})
	}
}

// A backup is compared like the flow it is.
func TestBackups(t *testing.T) {
	x := newExchange(t)
	x.f.ClientConn().TimestampStart = flow.Seconds(1)
	none := x.f.GetState()
	x.f.Backup()
	x.f.SetComment("edited")
	a := x.f.GetState()
	backup, err := a.Map("backup")
	if err != nil {
		t.Fatal(err)
	}
	b := a.Clone()
	set := func(m *state.Map, v state.Value, keys ...string) {
		t.Helper()
		for _, k := range keys[:len(keys)-1] {
			if m, err = m.Map(k); err != nil {
				t.Fatal(err)
			}
		}
		m.Set(keys[len(keys)-1], v)
	}
	set(b, state.Bytes([]byte("/list?q=go&q=rust&n=10")), "backup", "request", "path")
	set(b, state.Bytes([]byte("one\ntwo\n")), "backup", "response", "content")
	set(b, state.Float(3.5), "backup", "client_conn", "timestamp_start")
	set(b, state.Int(1), "backup", "metadata", "timestamp_start")
	set(b, state.Text("another"), "backup", "id")
	want := []string{
		`changed /backup/id: ` + mustText(t, backup, "id") + ` -> "another"`,
		`changed /backup/request/query/q/1: b"c" -> b"rust"`,
		`changed /backup/response/content: -"three\n" -"four\n" -"five\n"`,
		`added /backup/metadata/timestamp_start: 1`,
		`changed /backup/client_conn/timestamp_start: 1.0 -> 3.5`,
	}
	changes := diff(t, a, b, nil)
	if d := cmp.Diff(want, describe(changes)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if s, ok := changes[4].Delta(); s != 2.5 || !ok {
		t.Errorf("a time in a backup differs by %v, %t", s, ok)
	}
	if got := describe(diff(t, a, b, &flowdiff.Options{IgnoreDefaults: true})); !slices.Equal(got, want[1:4]) {
		t.Errorf("without volatile values: %q", got)
	}
	if got := describe(diff(t, a, b, &flowdiff.Options{Only: paths(t, "/Backup", "/backup/*/query")})); !slices.Equal(got, want[1:2]) {
		t.Errorf("only queries: %q", got)
	}
	check(t, a, b)

	// A backup that only one has is one change.
	want = []string{`changed /comment: "" -> "edited"`, `added /backup: {…}`}
	if d := cmp.Diff(want, describe(diff(t, none, a, nil))); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	check(t, none, a)
}

func mustText(t *testing.T, m *state.Map, key string) string {
	t.Helper()
	v, ok := m.Get(key)
	if !ok {
		t.Fatalf("no %s", key)
	}
	return v.String()
}

// Keys of maps may be anything, also NaN several times.
func TestOddKeys(t *testing.T) {
	x := newExchange(t)
	odd := state.NewMap()
	for i, k := range []state.Value{
		state.Float(math.NaN()), state.Float(math.NaN()), state.Null(), state.Int(1), state.Bytes([]byte("k")), state.Text("k"),
	} {
		odd.SetKey(k, state.Int(int64(i)))
	}
	x.f.Metadata().Set("odd", odd.Value())
	a := x.f.GetState()
	if got := describe(diff(t, a, a.Clone(), nil)); got != nil {
		t.Errorf("differs from itself: %q", got)
	}
	odd.ReplaceKey(3, state.Float(1))
	for i := range odd.Len() {
		if e := odd.Entry(i); i == 1 || i == 4 {
			odd.SetKey(e.Key, state.Text("new"))
		}
	}
	b := x.f.GetState()
	var got []string
	for _, c := range diff(t, a, b, nil) {
		got = append(got, c.Kind.String()+" "+string(c.Path))
	}
	want := []string{"removed /metadata/odd/1", "changed /metadata/odd/k", "added /metadata/odd/1.0", "added /metadata/odd/nan"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	checkPatch(t, a, b)
}
