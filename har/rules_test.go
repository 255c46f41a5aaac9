package har_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/har"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

// start is when the flows of these tests begin.
const start = 1767323045.5 // 2026-01-02 03:04:05.5

// newFlow returns a flow with a response, over a connection that was made for
// it. The times are multiples of 1/128 s, which are exact: sending the request
// takes one; the connection begins after two, has TCP after six and TLS after
// eight; the response begins after sixteen and ends after twenty-four.
func newFlow(edit func(f *flow.HTTP)) *flow.HTTP {
	q, err := flow.NewRequest("GET", "https://www.example/path?a=1&b=%20+", flow.NewHeaders("Host", "www.example"), nil)
	if err != nil {
		panic(err)
	}
	q.TimestampStart, q.TimestampEnd = flow.Seconds(start), flow.Seconds(start+1./128)
	r := flow.NewResponse(200, flow.NewHeaders("Content-Type", "text/plain"), []byte("hello"))
	r.TimestampStart, r.TimestampEnd = flow.Seconds(start+16./128), flow.Seconds(start+24./128)
	c := flow.NewServerConn(&flow.Address{Host: "www.example", Port: 443})
	c.Peername = &flow.Address{Host: "192.0.2.1", Port: 443}
	c.TimestampStart, c.TimestampTCPSetup = flow.Seconds(start+2./128), flow.Seconds(start+6./128)
	c.TimestampTLSSetup = flow.Seconds(start + 8./128)
	f := flow.NewHTTP(flow.NewClientConn(), c, q, r)
	if edit != nil {
		edit(f)
	}
	return f
}

// TestRules: one flow, one rule. Every entry is HAR 1.2 and has its flow.
func TestRules(t *testing.T) {
	gzipped := zip([]byte("hello hello hello hello hello hello hello"))
	set := func(f *flow.HTTP, contentType, encoding string, body []byte) {
		r := f.Response()
		r.Headers = flow.NewHeaders("Content-Type", contentType)
		if encoding != "" {
			r.Headers.Add("Content-Encoding", encoding)
		}
		r.Body = flow.NewBody(body)
	}
	post := func(f *flow.HTTP, method, contentType string, body string) {
		q := f.Request()
		q.Method, q.Body = method, flow.NewBody([]byte(body))
		if contentType != "" {
			q.Headers.Add("Content-Type", contentType)
		}
	}
	for _, tt := range []struct {
		name  string
		edit  func(f *flow.HTTP)
		opts  *har.WriterOptions
		got   func(e *entry) any
		want  any
		notes int
	}{
		{name: "size of the head of a request",
			got: func(e *entry) any { return e.Request.HeadersSize }, want: int64(len("GET /path?a=1&b=%20+ HTTP/1.1\r\nHost: www.example\r\n\r\n"))},
		{name: "size of the head of a response",
			got: func(e *entry) any { return e.Response.HeadersSize }, want: int64(len("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"))},
		{name: "size of the head of a request in absolute form",
			edit: func(f *flow.HTTP) { f.Request().Authority = "www.example" },
			got:  func(e *entry) any { return e.Request.HeadersSize },
			want: int64(len("GET https://www.example/path?a=1&b=%20+ HTTP/1.1\r\nHost: www.example\r\n\r\n"))},
		{name: "no size of heads in HTTP/2",
			edit: func(f *flow.HTTP) { f.Request().HTTPVersion, f.Response().HTTPVersion = "HTTP/2.0", "HTTP/2.0" },
			got: func(e *entry) any {
				return say(e.Request.HeadersSize, e.Response.HeadersSize, e.Response.TransferSize)
			}, want: "-1 -1 <nil>"},
		{name: "transferred size",
			got: func(e *entry) any { return *e.Response.TransferSize - e.Response.HeadersSize }, want: int64(5)},

		{name: "connection made for the request",
			got:  func(e *entry) any { return e.Timings },
			want: map[string]float64{"blocked": 7.813, "dns": -1, "connect": 46.875, "ssl": 15.625, "send": 7.812, "wait": 62.5, "receive": 62.5}},
		{name: "time is the sum", got: func(e *entry) any { return e.Time }, want: 187.5},
		{name: "no TLS",
			edit: func(f *flow.HTTP) { f.ServerConn().TimestampTLSSetup = flow.Timestamp{} },
			got:  func(e *entry) any { return say(e.Timings["connect"], e.Timings["ssl"], e.Timings["wait"]) }, want: "31.25 -1 78.125"},
		{name: "connection made before",
			edit: func(f *flow.HTTP) { f.ServerConn().TimestampStart = flow.Seconds(start - 1) },
			got:  func(e *entry) any { return e.Timings },
			want: map[string]float64{"blocked": -1, "dns": -1, "connect": -1, "ssl": -1, "send": 7.812, "wait": 117.188, "receive": 62.5}},
		{name: "response before the end of the request",
			edit: func(f *flow.HTTP) {
				f.ServerConn().TimestampStart = flow.Seconds(start - 1)
				f.Request().TimestampEnd = flow.Seconds(start + 32./128)
			},
			got: func(e *entry) any { return say(e.Timings["send"], e.Timings["wait"], e.Timings["receive"]) }, want: "250 0 62.5"},
		{name: "times without sense",
			edit: func(f *flow.HTTP) {
				q, r, c := f.Request(), f.Response(), f.ServerConn()
				q.TimestampStart, q.TimestampEnd = flow.Seconds(math.NaN()), flow.Seconds(-5)
				r.TimestampStart, r.TimestampEnd = flow.Seconds(math.Inf(1)), flow.Seconds(1e300)
				c.TimestampStart, c.TimestampTCPSetup = flow.Seconds(math.Inf(-1)), flow.Seconds(math.NaN())
				f.SetTimestampCreated(flow.Seconds(start))
			},
			got:  func(e *entry) any { return say(e.StartedDateTime, e.Time, e.Timings["send"]) },
			want: "2026-01-02T03:04:05.500Z 0 0"},
		{name: "TCP without a start",
			edit: func(f *flow.HTTP) { f.ServerConn().TimestampStart = flow.Timestamp{} },
			got:  func(e *entry) any { return e.Timings["connect"] }, want: -1.0},
		{name: "no time at all",
			edit: func(f *flow.HTTP) {
				f.Request().TimestampStart = flow.Seconds(-1)
				f.SetTimestampCreated(flow.Seconds(1e18))
				f.ClientConn().TimestampStart = flow.Timestamp{}
			},
			got: func(e *entry) any { return e.StartedDateTime }, want: "1970-01-01T00:00:00.000Z", notes: 1},
		{name: "microseconds",
			edit: func(f *flow.HTTP) { f.Request().TimestampStart = flow.Seconds(start + 1e-6) },
			got:  func(e *entry) any { return e.StartedDateTime }, want: "2026-01-02T03:04:05.500001Z"},

		{name: "no response",
			edit: func(f *flow.HTTP) { f.SetResponse(nil) },
			got: func(e *entry) any {
				r := e.Response
				return say(r.Status, r.HeadersSize, r.BodySize, r.Content.Size, r.Content.MimeType, *r.TransferSize, r.Error == nil)
			}, want: "0 -1 -1 0 x-unknown 0 true"},
		{name: "error",
			edit: func(f *flow.HTTP) { f.SetResponse(nil); f.SetError(flow.NewError("no route")) },
			got:  func(e *entry) any { return *e.Response.Error + e.Response.Comment }, want: "no routeno route"},
		{name: "error after a response",
			edit: func(f *flow.HTTP) { f.SetError(flow.NewError("cut")) },
			got:  func(e *entry) any { return say(e.Response.Status, e.Response.Error == nil, e.Response.Comment) }, want: "200 true cut"},

		{name: "body of a GET",
			edit: func(f *flow.HTTP) { post(f, "GET", "application/json", `{"q":1}`) },
			got:  func(e *entry) any { return *e.Request.PostData.Text }, want: `{"q":1}`},
		{name: "binary body of a request",
			edit: func(f *flow.HTTP) { post(f, "PUT", "image/png", "\x89PNG\xff") },
			got: func(e *entry) any {
				b, _ := base64.StdEncoding.DecodeString(*e.Request.PostData.TextB64)
				return string(b)
			}, want: "\x89PNG\xff"},
		{name: "body of a request in another charset",
			edit: func(f *flow.HTTP) { post(f, "POST", "text/plain; charset=koi8-r", "\xf0\xd2\xc9\xd7\xc5\xd4") },
			got:  func(e *entry) any { return *e.Request.PostData.Text }, want: "Привет"},
		{name: "empty body of a POST",
			edit: func(f *flow.HTTP) { post(f, "POST", "", "") },
			got:  func(e *entry) any { return say(e.Request.PostData == nil, e.Request.BodySize) }, want: "true 0"},
		{name: "missing body of a POST",
			edit: func(f *flow.HTTP) { post(f, "POST", "", ""); f.Request().Body = flow.Body{} },
			got: func(e *entry) any {
				return say(e.Request.PostData == nil, e.Request.BodySize, e.Request.Comment)
			},
			want: "true -1 body not captured"},
		{name: "missing body of a response",
			edit: func(f *flow.HTTP) { f.Response().Body = flow.Body{} },
			got: func(e *entry) any {
				c := e.Response.Content
				return say(c.Size, c.Text == nil, c.Comment, e.Response.BodySize)
			}, want: "0 true body not captured -1"},
		{name: "empty body of a response",
			edit: func(f *flow.HTTP) { f.Response().Body = flow.NewBody(nil) },
			got: func(e *entry) any {
				return say(e.Response.Content.Size, *e.Response.Content.Text, e.Response.BodySize)
			}, want: "0  0"},
		{name: "form",
			edit: func(f *flow.HTTP) {
				post(f, "POST", "Application/X-WWW-Form-Urlencoded; a=b", "a=%C3%A9+x&b&&=c&%zz=%")
			},
			got: func(e *entry) any { return params(e) }, want: []string{"a=é x", "b=", "=c", "%zz=%"}},
		{name: "multipart form",
			edit: func(f *flow.HTTP) {
				post(f, "POST", `multipart/form-data; boundary="x y"`, "--x y\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n2\r\n"+
					"--x y\r\nContent-Disposition: form-data; name=\"f\"; filename=\"../é.png\"\r\nContent-Type: image/png\r\n\r\n\xff\r\n--x y--")
			},
			got: func(e *entry) any { return params(e) }, want: []string{"a=1\r\n2", "f@../é.png image/png"}},
		{name: "multipart form that ends early",
			edit: func(f *flow.HTTP) {
				post(f, "POST", `multipart/form-data; boundary=x`, "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n12")
			},
			got: func(e *entry) any { return params(e) }, want: []string{"a=12"}, notes: 1},
		{name: "form with too many fields",
			edit: func(f *flow.HTTP) {
				post(f, "POST", "application/x-www-form-urlencoded", strings.Repeat("a&", 1<<16+1))
			},
			got: func(e *entry) any { return len(e.Request.PostData.Params) }, want: 1 << 16, notes: 1},
		{name: "multipart form without a boundary",
			edit: func(f *flow.HTTP) { post(f, "POST", `multipart/form-data`, "--x\r\n\r\n") },
			got:  func(e *entry) any { return params(e) }, want: []string(nil), notes: 1},

		{name: "content is decoded",
			edit: func(f *flow.HTTP) { set(f, "text/plain", "gzip", gzipped) },
			got: func(e *entry) any {
				c := e.Response.Content
				return say(c.Size, *c.Compression == c.Size-e.Response.BodySize, *c.Text)
			}, want: "41 true hello hello hello hello hello hello hello"},
		{name: "content that coding makes larger",
			edit: func(f *flow.HTTP) { set(f, "text/plain", "gzip", zip([]byte("x"))) },
			got:  func(e *entry) any { return say(e.Response.Content.Size, e.Response.Content.Compression) }, want: "1 <nil>"},
		{name: "gzip that ends early",
			edit: func(f *flow.HTTP) { set(f, "text/plain", "gzip", gzipped[:len(gzipped)-5]) },
			got:  func(e *entry) any { return (*e.Response.Content.Text)[:5] }, want: "hello", notes: 1},
		{name: "no gzip",
			edit: func(f *flow.HTTP) { set(f, "text/plain", "gzip", []byte("plain")) },
			got:  func(e *entry) any { return say(*e.Response.Content.Text, e.Response.Content.Size) }, want: "plain 5", notes: 1},
		{name: "unknown coding",
			edit: func(f *flow.HTTP) { set(f, "text/plain", "rot13", []byte("plain")) },
			got:  func(e *entry) any { return *e.Response.Content.Text }, want: "plain", notes: 1},
		{name: "content above the limit",
			opts: &har.WriterOptions{MaxBody: 10},
			edit: func(f *flow.HTTP) { set(f, "text/plain", "gzip", gzipped) },
			got: func(e *entry) any {
				return say(e.Response.Content.Size == e.Response.BodySize, *e.Response.Content.Encoding)
			},
			want: "true base64", notes: 1},
		{name: "unknown charset",
			edit: func(f *flow.HTTP) { set(f, "text/plain; charset=rot13", "", []byte("caf\xe9")) },
			got:  func(e *entry) any { return *e.Response.Content.Encoding }, want: "base64"},
		{name: "text that is not of its charset",
			edit: func(f *flow.HTTP) { set(f, "application/json", "", []byte(`"`+"\xff"+`"`)) },
			got:  func(e *entry) any { return *e.Response.Content.Text }, want: "Iv8i"},
		{name: "text with a byte order mark",
			edit: func(f *flow.HTTP) { set(f, "application/json", "", []byte("\ufeff{}")) },
			got:  func(e *entry) any { return *e.Response.Content.Text }, want: "\ufeff{}"},
		{name: "text in two charsets",
			edit: func(f *flow.HTTP) { set(f, "text/html", "", []byte("<meta charset=koi8-r>\xc1")) },
			got:  func(e *entry) any { return *e.Response.Content.Text }, want: "<meta charset=koi8-r>а"},
		{name: "text without a charset",
			edit: func(f *flow.HTTP) { set(f, "text/plain", "", []byte("café")) },
			got:  func(e *entry) any { return *e.Response.Content.Text }, want: "café"},
		{name: "text that begins like text only",
			edit: func(f *flow.HTTP) { set(f, "text/plain", "", []byte(strings.Repeat("a", 200)+"\xff\xfe")) },
			got:  func(e *entry) any { return *e.Response.Content.Encoding }, want: "base64"},

		{name: "bytes that are not UTF-8",
			edit: func(f *flow.HTTP) {
				q, r := f.Request(), f.Response()
				q.Method, q.Path, q.HTTPVersion = "g\xe9t", "/\xe9?\xff=%e9", "HTTP/1.1\xff"
				q.Headers.Add("X\xff", "\xc3\xa9 \xe9")
				r.Reason = "Tr\xe8s bien"
				r.HTTPVersion = "\xff"
			},
			got: func(e *entry) any {
				q, r := e.Request, e.Response
				return []any{q.Method, q.URL, q.HTTPVersion, q.Headers[1], q.QueryString, r.StatusText, r.HTTPVersion}
			},
			want: []any{"GÉT", "https://www.example/%E9?%FF=%e9", "HTTP/1.1ÿ", pair{"Xÿ", "é é"}, []pair{{"ÿ", "é"}}, "Très bien", "ÿ"}},
		{name: "trailers",
			edit: func(f *flow.HTTP) { f.Response().Trailers = flow.NewHeaders("grpc-status", "0") },
			got: func(e *entry) any {
				return strings.Contains(string(e.Private.State), `"trailers":[["grpc-status","0"]]`)
			}, want: true},
		{name: "query",
			got: func(e *entry) any { return e.Request.QueryString }, want: []pair{{"a", "1"}, {"b", "  "}}},

		{name: "scope of an address",
			edit: func(f *flow.HTTP) { f.ServerConn().Peername = &flow.Address{Host: "fe80::1%eth0", Port: 8080} },
			got:  func(e *entry) any { return say(*e.ServerIPAddress, e.ServerPort) }, want: "fe80::1 8080"},
		{name: "peer that is not an address",
			edit: func(f *flow.HTTP) { f.ServerConn().Peername = &flow.Address{Host: "/run/socket"} },
			got:  func(e *entry) any { return e.ServerIPAddress == nil }, want: true},
		{name: "connection",
			got: func(e *entry) any { return strings.Trim(e.Connection, "0123456789") == "" && e.Connection != "" }, want: true},
		{name: "no connection",
			edit: func(f *flow.HTTP) { c := f.ServerConn(); c.Peername, c.TimestampStart = nil, flow.Timestamp{} },
			got:  func(e *entry) any { return e.Connection }, want: ""},

		{name: "internationalised host",
			edit: func(f *flow.HTTP) { f.Request().Headers.Set("Host", "bücher.example:8443") },
			got:  func(e *entry) any { return e.Request.URL }, want: "https://xn--bcher-kva.example:8443/path?a=1&b=%20+"},
		{name: "IPv6 host",
			edit: func(f *flow.HTTP) { f.Request().Headers.Del("Host"); f.Request().Host = "2001:db8::1" },
			got:  func(e *entry) any { return e.Request.URL }, want: "https://[2001:db8::1]/path?a=1&b=%20+"},
		{name: "host that is none",
			edit: func(f *flow.HTTP) { f.Request().Headers.Add("Host", "other.example") },
			got:  func(e *entry) any { return e.Request.URL }, want: "https://www.example:443/path?a=1&b=%20+", notes: 1},
		{name: "no host at all",
			edit: func(f *flow.HTTP) { f.Request().Headers.Del("Host"); f.Request().Host = "a b" },
			got:  func(e *entry) any { return e.Request.URL }, want: "https://invalid/path?a=1&b=%20+", notes: 1},
		{name: "port",
			edit: func(f *flow.HTTP) { f.Request().Port = 8443 },
			got:  func(e *entry) any { return e.Request.URL }, want: "https://www.example:8443/path?a=1&b=%20+"},
		{name: "scheme that is none",
			edit: func(f *flow.HTTP) { f.Request().Scheme = "\xff" },
			got:  func(e *entry) any { return e.Request.URL }, want: "http://www.example:443/path?a=1&b=%20+", notes: 1},
		{name: "path without a slash, with a fragment",
			edit: func(f *flow.HTTP) { f.Request().Path = "a b%zz\x01?c d%zz#e" },
			got:  func(e *entry) any { return e.Request.URL }, want: "https://www.example/a%20b%25zz%01?c%20d%zz"},
		{name: "asterisk",
			edit: func(f *flow.HTTP) { f.Request().Method, f.Request().Path = "OPTIONS", "*" },
			got:  func(e *entry) any { return e.Request.URL }, want: "https://www.example"},
		{name: "CONNECT",
			edit: func(f *flow.HTTP) { f.Request().Method, f.Request().Authority = "CONNECT", "tunnel.example:443" },
			got:  func(e *entry) any { return e.Request.URL }, want: "https://tunnel.example:443/"},
		{name: "CONNECT without authority",
			edit: func(f *flow.HTTP) { f.Request().Method = "CONNECT" },
			got:  func(e *entry) any { return e.Request.URL }, want: "https://www.example:443/"},

		{name: "cookies",
			edit: func(f *flow.HTTP) {
				f.Request().Headers.Add("Cookie", `a=1; b="x y"; c ;; =d`)
				f.Request().Headers.Add("cookie", "a=2")
			},
			got: func(e *entry) any {
				var all []string
				for _, c := range e.Request.Cookies {
					all = append(all, c.Name+"="+c.Value)
				}
				return all
			}, want: []string{"a=1", `b="x y"`, "c=", "=d", "a=2"}},
		{name: "set cookies",
			edit: func(f *flow.HTTP) {
				h := &f.Response().Headers
				h.Add("Set-Cookie", "a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/p; Domain=.example; Secure; HttpOnly; SameSite=lax")
				h.Add("Set-Cookie", "b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Max-Age=60")
				h.Add("Set-Cookie", `c={"x":1, "y":2}; max-age=-5; expires=never`)
				h.Add("Set-Cookie", "d, e=5; max-age=x")
				h.Add("Set-Cookie", "novalue")
				h.Add("Set-Cookie", " ; path=/")
			},
			got: func(e *entry) any {
				var all []string
				for _, c := range e.Response.Cookies {
					s := c.Name + "=" + c.Value + " " + *c.Path + *c.Domain
					if c.Expires != nil {
						s += " " + *c.Expires
					}
					if c.SameSite != nil {
						s += " " + *c.SameSite
					}
					all = append(all, say(s, *c.HTTPOnly, *c.Secure))
				}
				return all
			},
			want: []string{
				"a=1 /p.example 2026-10-21T07:28:00.000Z lax true true",
				"b=2 / 2026-01-02T03:05:05.625Z false false",
				`c={"x":1, "y":2} / 2026-01-02T03:04:04.625Z false false`,
				"d= / false false",
				"e=5 / false false",
				"novalue= / false false",
			}},
		{name: "redirect",
			edit: func(f *flow.HTTP) { f.Response().StatusCode = 302; f.Response().Headers.Add("Location", "/x") },
			got:  func(e *entry) any { return e.Response.RedirectURL }, want: "/x"},
		{name: "location of something new",
			edit: func(f *flow.HTTP) { f.Response().StatusCode = 201; f.Response().Headers.Add("Location", "/x") },
			got:  func(e *entry) any { return e.Response.RedirectURL }, want: ""},

		{name: "WebSocket",
			edit: func(f *flow.HTTP) {
				f.SetWebSocket(&flow.WebSocket{Messages: []flow.WebSocketMessage{
					{Opcode: flow.OpText, FromClient: true, Content: flow.NewBody([]byte("hé")), Timestamp: flow.Seconds(start)},
					{Opcode: flow.OpBinary, Content: flow.NewBody([]byte("\x00\xff")), Timestamp: flow.Seconds(math.NaN()), Dropped: true},
				}, CloseCode: 1000})
			},
			got: func(e *entry) any { return say(e.Request.URL, e.ResourceType, *e.Messages, e.Private.From) },
			want: "wss://www.example/path?a=1&b=%20+ websocket [{send 1.7673230455e+09 1 hé} {receive 0 2 AP8=}] " +
				"[request.headers response.headers response.content websocket.messages]"},
		{name: "WebSocket text that is not UTF-8",
			edit: func(f *flow.HTTP) {
				f.SetWebSocket(&flow.WebSocket{Messages: []flow.WebSocketMessage{
					{Opcode: flow.OpText, Content: flow.NewBody([]byte("a\xff")), Timestamp: flow.Seconds(start)},
				}})
			},
			got: func(e *entry) any { return (*e.Messages)[0].Data }, want: "aÿ", notes: 1},
		{name: "WebSocket without messages",
			edit: func(f *flow.HTTP) { f.SetWebSocket(new(flow.WebSocket)) },
			got:  func(e *entry) any { return len(*e.Messages) }, want: 0},

		{name: "comment",
			edit: func(f *flow.HTTP) { f.SetComment("look"); set(f, "text/plain", "x", []byte("y")) },
			got:  func(e *entry) any { return *e.Comment }, want: "look\n[response body: unknown content encoding \"x\"]", notes: 1},
		{name: "id",
			edit: func(f *flow.HTTP) { f.SetID("an id") },
			got:  func(e *entry) any { return e.ID }, want: "an id"},
		{name: "control characters",
			edit: func(f *flow.HTTP) { f.Request().Headers.Add("X", "\x00\x1b\u0085\u2028\u202e") },
			got:  func(e *entry) any { return e.Request.Headers[1].Value }, want: "\x00\x1b\u0085\u2028\u202e"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFlow(tt.edit)
			e, data := encode(t, f, tt.opts)
			valid(t, data)
			if got := tt.got(e); fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("got  %v\nwant %v", got, tt.want)
			}
			want, err := tnetstring.Encode(f.State().Value())
			if err != nil {
				t.Fatal(err)
			}
			if got, err := restore(e); err != nil || !bytes.Equal(got, want) {
				t.Errorf("the flow comes back as another: %v\n%q\nwant\n%q", err, got, want)
			}
			if err := checkSums(e); err != nil {
				t.Error(err)
			}
			var rendered har.Entry
			if err := har.NewEncoder(tt.opts).Encode(&rendered, f); err != nil || len(rendered.Notes()) != tt.notes {
				t.Errorf("notes %q, %v, want %d", rendered.Notes(), err, tt.notes)
			}
		})
	}
}

// say returns all values with spaces between them.
func say(values ...any) string { return strings.TrimSuffix(fmt.Sprintln(values...), "\n") }

func params(e *entry) (all []string) {
	for _, p := range e.Request.PostData.Params {
		s := p.Name
		if p.Value != nil {
			s += "=" + *p.Value
		}
		if p.FileName != nil {
			s += "@" + *p.FileName + " " + *p.ContentType
		}
		all = append(all, s)
	}
	return all
}

func zip(data []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(data)
	w.Close()
	return out.Bytes()
}

// TestCrash: the flows on which mitmproxy's export ends give an entry each.
func TestCrash(t *testing.T) {
	n := 0
	for _, f := range httpFlows(t, flowtest.Read(t, flowtest.Path("har", "crash.mitm"))) {
		n++
		_, data := encode(t, f, nil)
		valid(t, data)
	}
	if n != 6 {
		t.Errorf("%d flows", n)
	}
}

// TestNotHTTP: other flows give an error and nothing else.
func TestNotHTTP(t *testing.T) {
	for _, m := range flowtest.States(t, flowtest.Read(t, flowtest.Path("har", "other.mitm"))) {
		var out bytes.Buffer
		w := har.NewWriter(&out, nil)
		f, err := flow.View(m)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.WriteFlow(f); !errors.Is(err, har.ErrNotHTTP) || !strings.HasSuffix(err.Error(), f.Type()) {
			t.Errorf("%s: %v", f.Type(), err)
		}
		if err := w.WriteState(m); !errors.Is(err, har.ErrNotHTTP) {
			t.Error(err)
		}
		if err := w.Close(); err != nil || w.Count() != 0 {
			t.Error(err, w.Count())
		}
		if valid(t, out.Bytes()); len(decode(t, out.Bytes())) != 0 {
			t.Errorf("%s", out.Bytes())
		}
	}
}

// TestOldVersion: states of other versions are refused, since they mean something
// else.
func TestOldVersion(t *testing.T) {
	m := flowtest.States(t, flowtest.Read(t, flowtest.Path("real", "http1.mitm")))[0]
	w := har.NewWriter(new(bytes.Buffer), nil)
	if err := w.WriteState(m); err == nil || !strings.Contains(err.Error(), "version 21") {
		t.Error(err)
	}
	if w.Count() != 0 {
		t.Error("it was written")
	}
}

// TestDamaged: a flow in which parts are missing or of another type gives an
// entry that says so, and has the state as it is.
func TestDamaged(t *testing.T) {
	record := httpRecords(t, "real", "ws-v21.mitm")[0]
	for _, tt := range []struct{ message, key string }{
		{"", "request"}, {"", "response"}, {"", "websocket"}, {"", "server_conn"}, {"", "client_conn"}, {"", "metadata"},
		{"request", "headers"}, {"request", "content"}, {"request", "path"}, {"request", "port"}, {"request", "timestamp_start"},
		{"response", "headers"}, {"response", "content"}, {"response", "status_code"}, {"response", "timestamp_end"},
		{"websocket", "messages"}, {"server_conn", "peername"}, {"server_conn", "timestamp_start"}, {"server_conn", "id"},
	} {
		for _, value := range []state.Value{
			{}, state.Int(7), state.Text("text"), state.Bytes([]byte("\xff")), state.NewList(state.Int(1)).Value(),
			state.NewList(state.NewList(state.Text("a"), state.Text("b"), state.Text("c")).Value()).Value(),
			state.NewMap(state.E("x", state.Null())).Value(),
		} {
			f := viewOf(t, record)
			m := f.State()
			in := m
			if tt.message != "" {
				in, _ = m.Map(tt.message)
			}
			in.Set(tt.key, value)
			damaged, err := tnetstring.Encode(m.Value())
			if err != nil {
				t.Fatal(err)
			}
			e, data := encode(t, viewOf(t, damaged), nil)
			valid(t, data)
			if got, err := restore(e); err != nil || !bytes.Equal(got, damaged) {
				t.Errorf("%s/%s = %v: comes back as another: %v\n%q\nwant\n%q", tt.message, tt.key, value, err, got, damaged)
			}
			in.Delete(tt.key)
			e, data = encode(t, f, nil)
			if valid(t, data); e.Private == nil {
				t.Errorf("%s/%s missing: no private field", tt.message, tt.key)
			}
		}
	}
}

// TestOddRecord: a record that is not encoded as mitmproxy encodes it is kept as
// a whole.
func TestOddRecord(t *testing.T) {
	record := httpRecords(t, "har", "corpus.mitm")[0]
	_, payload, _ := bytes.Cut(record, []byte(":"))
	for _, change := range [][2]string{
		{"7:version;2:21#", "7:version;02:21#"},
		{"8:metadata;0:}", "8:metadata;10:1:x;02:42#}"},
		{"7:version;", "7:comment;0:;7:version;"},
		{"4:path;", "04:path;"},
		{"4:Host,", "04:Host,"},
	} {
		odd := bytes.Replace(payload, []byte(change[0]), []byte(change[1]), 1)
		more := len(odd) - len(payload)
		if strings.HasPrefix(change[1], "04") { // the request around it, and the lists, are one longer
			odd = longer(t, odd, "7:request;")
			if change[0] == "4:Host," {
				odd = longer(t, odd, "7:headers;")
				odd = bytes.Replace(odd, []byte("22:04:Host"), []byte("23:04:Host"), 1)
			}
		}
		odd = append([]byte(fmt.Sprint(len(payload)-1+more)+":"), odd...)
		f := viewOf(t, odd)
		if err := state.Validate(f.State().Value()); err != nil || bytes.Equal(odd, record) {
			t.Fatalf("%s: %v", change[1], err)
		}
		e, data := encode(t, f, nil)
		valid(t, data)
		if got, err := restore(e); err != nil || !bytes.Equal(got, odd) {
			t.Errorf("%s: %v\n%q\nwant\n%q", change[1], err, got, odd)
		}
		if len(e.Private.From) != 0 || len(e.Private.Sums) != 0 {
			t.Errorf("%s: the private field needs the visible ones", change[1])
		}
	}
}

// longer adds one to the length of the element behind the last key.
func longer(t *testing.T, record []byte, key string) []byte {
	t.Helper()
	at := bytes.LastIndex(record, []byte(key)) + len(key)
	end := at + bytes.IndexByte(record[at:], ':')
	n, err := strconv.Atoi(string(record[at:end]))
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(record[:at], []byte(strconv.Itoa(n+1)), record[end:])
}

// TestEdited: what was edited in a flow is in the entry.
func TestEdited(t *testing.T) {
	f := viewOf(t, httpRecords(t, "real", "http1-v21.mitm")[0])
	f.Request().Path = "/edited"
	f.Request().Headers.Set("X-Edited", "yes")
	f.Response().SetContent([]byte("edited"))
	e, data := encode(t, f, nil)
	valid(t, data)
	if !strings.HasSuffix(e.Request.URL, "/edited") || *e.Response.Content.Text != "edited" {
		t.Errorf("%s", data)
	}
	want, err := tnetstring.Encode(f.State().Value())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := restore(e); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v\n%q\nwant\n%q", err, got, want)
	}
}
