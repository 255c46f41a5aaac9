package har_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/har"
	"github.com/flowtool/flowtool/state"
)

// importOne returns the flow of one entry.
func importOne(t testing.TB, entry string) *flow.HTTP {
	t.Helper()
	var flows []*flow.HTTP
	for m, err := range har.NewReader(strings.NewReader("["+entry+"]"), nil).States() {
		if err != nil {
			t.Fatal(err)
		}
		f, err := flow.FromState(m)
		if err != nil {
			t.Fatal(err)
		}
		flows = append(flows, f.(*flow.HTTP))
	}
	if len(flows) != 1 {
		t.Fatalf("%d flows", len(flows))
	}
	return flows[0]
}

// with returns the plainest entry with members added: those of the request, the
// response and the entry.
func with(request, response, entry string) string {
	join := func(s string) string {
		if s != "" {
			return "," + s
		}
		return s
	}
	if response != "null" {
		response = `{"status":200` + join(response) + `}`
	}
	return `{"request":{"method":"GET","url":"https://h.example/"` + join(request) + `},"response":` + response + join(entry) + `}`
}

func notesOf(f *flow.HTTP) (notes []string) {
	if v, ok := f.MetadataValue("har.notes"); ok {
		l, _ := v.List()
		for _, e := range l.All() {
			s, _ := e.Text()
			notes = append(notes, s)
		}
	}
	return notes
}

// TestSameLayout: a record has the keys that a new flow has, in the same order.
func TestSameLayout(t *testing.T) {
	f := importOne(t, with(`"headers":[{"name":"a","value":"b"}]`, ``, `"serverIPAddress":"192.0.2.1","_error":"x","_webSocketMessages":[{"type":"send","data":"x"}]`))
	q, err := flow.NewRequest("GET", "https://h.example/", flow.NewHeaders("a", "b"), nil)
	if err != nil {
		t.Fatal(err)
	}
	server := flow.NewServerConn(&flow.Address{Host: "h.example", Port: 443})
	server.Peername = &flow.Address{Host: "192.0.2.1", Port: 443}
	made := flow.NewHTTP(flow.NewClientConn(), server, q, flow.NewResponse(200, flow.Headers{}, nil))
	made.SetError(&flow.Error{Msg: "x", Timestamp: flow.Seconds(0)})
	made.SetWebSocket(&flow.WebSocket{Messages: []flow.WebSocketMessage{{Opcode: 1, FromClient: true, Content: flow.NewBody([]byte("x"))}}})
	if diff := cmp.Diff(layout(made.State().Value()), layout(f.State().Value())); diff != "" {
		t.Error(diff)
	}
}

// layout returns the keys of v, and what is in it, in their order.
func layout(v state.Value) any {
	switch v.Kind() {
	case state.KindMap:
		m, _ := v.Map()
		var out []any
		for k, e := range m.All() {
			key, _ := k.Text()
			if out = append(out, key); key != "metadata" {
				out = append(out, layout(e))
			}
		}
		return out
	case state.KindList:
		l, _ := v.List()
		return l.Len()
	}
	return nil
}

func TestImportURL(t *testing.T) {
	for _, test := range []struct {
		url, scheme, host string
		port              int
		path, kept        string
	}{
		{"http://h.example", "http", "h.example", 80, "/", ""},
		{"https://h.example:8443/a?b=c&d", "https", "h.example", 8443, "/a?b=c&d", ""},
		{"HTTPS://User:pw@H.Example/p#frag", "https", "h.example", 443, "/p", "HTTPS://User:pw@H.Example/p#frag"},
		{"https://h.example?q=1", "https", "h.example", 443, "/?q=1", "https://h.example?q=1"},
		{"https://[2001:db8::1]:9/x", "https", "2001:db8::1", 9, "/x", ""},
		{"https://2001:db8::1/x", "https", "2001:db8::1", 443, "/x", "https://2001:db8::1/x"},
		{"http://bücher.example/ü?ä b", "http", "xn--bcher-kva.example", 80, "/%C3%BC?%C3%A4%20b", "http://bücher.example/ü?ä b"},
		{"http://h.example/%zz|{}", "http", "h.example", 80, "/%zz|{}", ""},
		{"ws://h.example/s", "http", "h.example", 80, "/s", ""},
		{"wss://h.example:1/s", "https", "h.example", 1, "/s", ""},
		{"http://h.example:0/", "http", "h.example", 80, "/", "http://h.example:0/"},
		{"data:text/plain,hi there", "data", "", 0, "text/plain,hi%20there", "data:text/plain,hi there"},
		{"blob:https://h.example/1-2", "blob", "", 0, "https://h.example/1-2", ""},
		{"file:///etc/hosts", "file", "", 0, "/etc/hosts", "file:///etc/hosts"},
		{"chrome-extension://abc/x.js", "chrome-extension", "abc", 80, "/x.js", "chrome-extension://abc/x.js"},
	} {
		quoted, _ := json.Marshal(test.url)
		f := importOne(t, `{"request":{"method":"GET","url":`+string(quoted)+`}}`)
		q := f.Request()
		if q.Scheme != test.scheme || q.Host != test.host || q.Port != test.port || q.Path != test.path {
			t.Errorf("%s: got %q %q %d %q", test.url, q.Scheme, q.Host, q.Port, q.Path)
		}
		kept, _ := f.MetadataValue("har.request.url")
		if s, _ := kept.Text(); s != test.kept {
			t.Errorf("%s: kept %q, want %q", test.url, s, test.kept)
		}
	}
	for _, bad := range []string{"h.example", "", "http://", "http:///x", "https:h.example", "http://h.example:x/", "http://h.example:65536/", "http://a:b:c/", "1http://h/"} {
		_, errs := readAll(strings.NewReader(fmt.Sprintf(`[{"request":{"method":"GET","url":%q}}]`, bad)), nil)
		if len(errs) != 1 || !strings.Contains(errs[0].Error(), "(/request/url)") {
			t.Errorf("%q: %v", bad, errs)
		}
	}
}

func TestImportConnect(t *testing.T) {
	q := importOne(t, `{"request":{"method":"CONNECT","url":"https://h.example:8443/"}}`).Request()
	if q.Authority != "h.example:8443" || q.Scheme != "" || q.Path != "" || q.Host != "h.example" || q.Port != 8443 {
		t.Errorf("got %+v", q)
	}
}

// TestImportBodies has content as HAR shows it, and the bytes that were sent.
func TestImportBodies(t *testing.T) {
	const missing = "(missing)"
	for _, test := range []struct{ name, headers, content, want string }{
		{"text", `text/plain`, `"text":"abc"`, "abc"},
		{"empty", `text/plain`, `"text":""`, ""},
		{"left out", `text/plain`, `"size":3`, missing},
		{"null", `text/plain`, `"size":3,"text":null`, missing},
		{"none", `text/plain`, `"size":0`, ""},
		{"none, but why", `text/plain`, `"size":0,"comment":"not captured"`, missing},
		{"nothing known", `text/plain`, ``, missing},
		{"base64", `image/png`, `"text":"AP8=","encoding":"base64"`, "\x00\xff"},
		{"base64, other forms", `image/png`, `"text":"-_8\n","encoding":"BASE64"`, "\xfb\xff"},
		{"bad base64", `image/png`, `"text":"a*b","encoding":"base64"`, missing},
		{"number", `text/plain`, `"text":12`, "12"},
		{"array", `text/plain`, `"text":[1]`, missing},
		{"latin-1", `text/plain; charset=latin1`, `"text":"é"`, "\xe9"},
		{"windows-1252", `text/plain; charset=iso-8859-1`, `"text":"€"`, "\x80"},
		{"not in the charset", `text/plain; charset=latin1; x=y`, `"text":"日"`, "日"},
		{"Shift_JIS", `text/html; charset="Shift_JIS"`, `"text":"日本"`, "\x93\xfa\x96\x7b"},
		{"UTF-16", `text/plain; charset=utf-16le`, `"text":"ab"`, "a\x00b\x00"},
		{"unknown charset", `text/plain; charset=nonsense`, `"text":"é"`, "é"},
		{"meta", `text/html`, `"text":"<META CharSet=koi8-r>я"`, "<META CharSet=koi8-r>\xd1"},
		{"size says UTF-8", `text/html`, `"size":2,"text":"é"`, "é"},
		{"size says windows-1252", `text/html`, `"size":1,"text":"é"`, "\xe9"},
		{"JSON is UTF-8", `application/json`, `"size":1,"text":"é"`, "é"},
		{"escaped bytes", `text/plain`, `"text":"a\udcff\udc80\ud83d\ude00\ud800\udc00x\ud800"`, "a\xff\x80😀𐀀x\ufffd"},
		{"escapes", `text/plain`, `"text":"\"\\\/\b\f\n\r\t\u0000\u00e9"`, "\"\\/\b\f\n\r\t\x00é"},
		{"bytes that are not UTF-8", `text/plain`, "\"text\":\"a\xffb\"", "a\xffb"},
	} {
		f := importOne(t, with(`"method":"GET"`, `"headers":[{"name":"Content-Type","value":`+string(marshal(test.headers))+`}],"content":{`+test.content+`}`, ""))
		got := missing
		if body := f.Response().Body; !body.IsMissing() {
			b, _ := body.Bytes()
			got = string(b)
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
	f := importOne(t, with("", `"headers":[{"name":"Content-Type","value":"text/plain; charset=latin1; x=y"}],"content":{"text":"日"}`, ""))
	if got := f.Response().Headers.Get("Content-Type"); got != "text/plain; x=y; charset=utf-8" {
		t.Errorf("got %q", got)
	}
}

func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// TestImportCodings: the headers say what the body is.
func TestImportCodings(t *testing.T) {
	gzipped := "H4sIAAAAAAAAA8tIzcnJBwCGphA2BQAAAA==" // hello
	for _, test := range []struct{ name, coding, content, want string }{
		{"decoded", "gzip", `"text":"hello"`, ": 5"},
		{"as sent", "gzip", `"text":"` + gzipped + `","encoding":"base64"`, "gzip: 99"},
		{"two", "gzip, br", `"text":"hello"`, ": 5"},
		{"unknown", "aws-chunked", `"text":"hello"`, "aws-chunked: 99"},
		{"identity", "identity", `"text":"hello"`, "identity: 99"},
		{"empty", "gzip", `"text":""`, "gzip: 99"},
		{"missing", "gzip", ``, "gzip: 99"},
		{"by size", "br", `"size":1,"text":";"`, ": 1"}, // also the empty stream
	} {
		f := importOne(t, with("", `"headers":[["Content-Encoding","`+test.coding+`"],["Content-Length","99"]],"content":{`+test.content+`}`, ""))
		h := f.Response().Headers
		if got := h.Get("Content-Encoding") + ": " + h.Get("Content-Length"); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
		if _, err := f.Response().Content(0); err != nil && test.name != "unknown" {
			t.Errorf("%s: %v", test.name, err)
		}
		if _, changed := f.MetadataValue("har.response.originalHeaders"); changed == h.Has("Content-Encoding") {
			t.Errorf("%s: the headers are kept: %v", test.name, changed)
		}
	}
}

func TestImportRequestBody(t *testing.T) {
	const missing = "(missing)"
	for _, test := range []struct{ name, contentType, request, want string }{
		{"no body", "", `"bodySize":0`, ""},
		{"nothing known", "", `"bodySize":-1`, ""},
		{"left out", "", `"bodySize":7`, missing},
		{"commented", "", `"bodySize":-1,"comment":"body not captured"`, missing},
		{"null", "", `"postData":null`, ""},
		{"text", "text/plain", `"postData":{"text":"x"}`, "x"},
		{"base64", "text/plain", `"postData":{"text":"AP8","encoding":"base64"}`, "\x00\xff"},
		{"our base64", "text/plain", `"postData":{"text":"?","_textB64":"AP8="}`, "\x00\xff"},
		{"form", "application/x-www-form-urlencoded", `"postData":{"params":[{"name":"a b","value":"ä&"},{"name":"c","value":null}]}`, "a+b=%C3%A4%26&c="},
		{"multipart", "multipart/form-data; boundary=B", `"postData":{"params":[{"name":"a\"","value":"1"},{"name":"f","fileName":"x","contentType":"t/y","value":"2"}]}`,
			"--B\r\nContent-Disposition: form-data; name=\"a%22\"\r\n\r\n1\r\n--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\nContent-Type: t/y\r\n\r\n2\r\n--B--\r\n"},
		{"file without content", "multipart/form-data; boundary=B", `"bodySize":9,"postData":{"params":[{"name":"f","fileName":"x"}]}`, missing},
		{"other type", "application/json", `"bodySize":9,"postData":{"params":[{"name":"a","value":"1"}]}`, missing},
		{"no boundary", "", `"bodySize":9,"postData":{"mimeType":"multipart/form-data","params":[{"name":"a","value":"1"}]}`, missing},
	} {
		headers := `"headers":[]`
		if test.contentType != "" {
			headers = `"headers":[{"name":"content-type","value":"` + test.contentType + `"}]`
		}
		f := importOne(t, with(headers+","+test.request, "", ""))
		got := missing
		if body := f.Request().Body; !body.IsMissing() {
			b, _ := body.Bytes()
			got = string(b)
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q (%q)", test.name, got, test.want, notesOf(f))
		}
	}
}

func TestImportHeaders(t *testing.T) {
	for _, test := range []struct{ name, headers, want string }{
		{"objects", `[{"name":"A","value":"1"},{"name":"a","value":"2"},{"name":"B"},{"name":"C","value":null},{"name":"D","value":3},{"value":"x"},7]`,
			"A: 1\r\na: 2\r\nB: \r\nC: \r\nD: 3\r\n"},
		{"pairs", `[["A","1"],["B"],["C","2","3"],[]]`, "A: 1\r\nB: \r\nC: 2\r\n"},
		{"object", `{"A":"1","B":["2","3"],"C":null,"D":true}`, "A: 1\r\nB: 2\r\nB: 3\r\nC: \r\nD: true\r\n"},
		{"pseudo", `[{"name":":Authority","value":"a.example"},{"name":":path","value":"/x"},{"name":":other","value":"y"}]`, ":other: y\r\n"},
		{"bytes", `[{"name":"\udcff","value":"é\udc80"}]`, "\xff: é\x80\r\n"},
		{"twice the key", `[{"name":"A","name":"B","value":"1","value":"2"}]`, "B: 2\r\n"},
		{"string", `"A: 1"`, ""},
	} {
		f := importOne(t, with(`"headers":`+test.headers, "", ""))
		if got := f.Request().Headers.String(); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
		if test.name == "pseudo" && f.Request().Authority != "a.example" {
			t.Errorf("authority %q", f.Request().Authority)
		}
	}
}

func TestImportCookies(t *testing.T) {
	f := importOne(t, with(
		`"httpVersion":"h2","cookies":[{"name":"a","value":"1"},{"name":"b","value":"\"2\""}],"queryString":[{"name":"x y","value":"&"}]`,
		`"cookies":[{"name":"s","value":"v","path":"/","domain":"d.example","expires":"2026-01-02T03:04:05.000Z","httpOnly":true,"secure":true,"sameSite":"Lax"},{"name":"t"}]`, ""))
	if got := f.Request().Headers.Get("cookie"); got != `a=1; b="2"` {
		t.Errorf("got %q", got)
	}
	if got := f.Request().Path; got != "/?x+y=%26" {
		t.Errorf("got %q", got)
	}
	want := "set-cookie: s=v; Path=/; Domain=d.example; Expires=Fri, 02 Jan 2026 03:04:05 GMT; SameSite=Lax; HttpOnly; Secure\r\nset-cookie: t=\r\n"
	if got := f.Response().Headers.String(); got != want {
		t.Errorf("got %q", got)
	}
}

func TestImportTimes(t *testing.T) {
	const start = 1767323045
	for _, test := range []struct{ name, entry, want string }{
		{"all phases", `"time":21,"timings":{"blocked":1,"dns":2,"connect":8,"ssl":5,"send":1,"wait":4,"receive":5}`, "0 12 16 21 | 3 6 11"},
		{"TLS beside", `"time":26,"timings":{"blocked":1,"dns":2,"connect":8,"ssl":5,"send":1,"wait":4,"receive":5}`, "0 17 21 26 | 3 11 16"},
		{"TLS longer", `"timings":{"dns":0,"connect":3,"ssl":5,"send":1,"wait":1,"receive":1}`, "0 9 10 11 | 0 3 8"},
		{"reused", `"time":10,"timings":{"blocked":-1,"dns":-1,"connect":-1,"ssl":-1,"send":1,"wait":4,"receive":5}`, "0 1 5 10 | - - -"},
		{"zeros", `"time":0,"timings":{"blocked":0,"dns":0,"connect":0,"ssl":0,"send":0,"wait":0,"receive":0}`, "0 0 0 0 | - - -"},
		{"mitmproxy", `"time":25,"timings":{"connect":3,"ssl":5,"send":1,"wait":11,"receive":5}`, "0 1 12 17 | 1 4 9"},
		{"mitmproxy, connected before", `"time":15,"timings":{"connect":3,"ssl":5,"send":1,"wait":1,"receive":5}`, "0 1 2 7 | -8 -5 0"},
		{"time only", `"time":10`, "0 - 10 10 | - - -"},
		{"nothing", ``, "0 - 0 - | - - -"},
		{"nonsense", `"time":"x","timings":[1]`, "0 - 0 - | - - -"},
		{"text", `"time":"10","timings":{"send":"1","wait":"2","receive":"7"}`, "0 1 3 10 | - - -"},
		{"too long", `"time":1e300,"timings":{"send":1e13}`, "0 - 0 - | - - -"},
	} {
		f := importOne(t, with("", "", `"startedDateTime":"2026-01-02T03:04:05Z",`+strings.TrimPrefix(test.entry+`,"a":1`, ",")))
		at := func(ts flow.Timestamp) string {
			if ts.IsNull() {
				return "-"
			}
			return fmt.Sprint(int((ts.Unix()-start)*1e3+1000.5) - 1000)
		}
		q, s, c := f.Request(), f.Response(), f.ServerConn()
		got := fmt.Sprintf("%s %s %s %s | %s %s %s", at(q.TimestampStart), at(q.TimestampEnd), at(s.TimestampStart), at(s.TimestampEnd),
			at(c.TimestampStart), at(c.TimestampTCPSetup), at(c.TimestampTLSSetup))
		if got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}

func TestImportDates(t *testing.T) {
	opts := &har.ReaderOptions{Location: time.FixedZone("east", 3600)}
	for _, test := range []struct {
		date string
		want float64
	}{
		{`"2026-01-02T03:04:05.678901Z"`, 1767323045.678901},
		{`"2026-01-02T03:04:05,5+01:00"`, 1767319445.5},
		{`"2026-01-02t03:04:05z"`, 1767323045},
		{`"2026-01-02 03:04:05+0000"`, 1767323045},
		{`"20260102T030405Z"`, 1767323045},
		{`"Fri, 02 Jan 2026 03:04:05 GMT"`, 1767323045},
		{`"2026-01-02T03:04:05"`, 1767319445},
		{`"2026-01-02"`, 1767308400},
		{`1767323045`, 1767323045},
		{`1767323045678`, 1767323045.678},
		{`"yesterday"`, 0},
		{`""`, 0},
		{`null`, 0},
		{`{}`, 0},
		{`7`, 0},
	} {
		for m, err := range har.NewReader(strings.NewReader("["+with("", "", `"startedDateTime":`+test.date)+"]"), opts).States() {
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := m.Get("timestamp_created"); !state.Equal(got, state.Float(test.want)) {
				t.Errorf("%s: got %v, want %v", test.date, got, test.want)
			}
		}
	}
}

func TestImportVersions(t *testing.T) {
	for in, want := range map[string]string{
		"http/2.0": "HTTP/2.0", "HTTP/2": "HTTP/2.0", "h2": "HTTP/2.0", "H2": "HTTP/2.0", "h3": "HTTP/3", "h3-29": "HTTP/3",
		"HTTP/3.0": "HTTP/3", "http/1.0": "HTTP/1.0", "HTTP/0.9": "HTTP/0.9", "http/1.1": "HTTP/1.1", "": "HTTP/1.1",
		"unknown": "HTTP/1.1", "data": "HTTP/1.1",
	} {
		f := importOne(t, with(`"httpVersion":"`+in+`"`, "", ""))
		if f.Request().HTTPVersion != want || f.Response().HTTPVersion != want {
			t.Errorf("%q: got %q and %q, want %q", in, f.Request().HTTPVersion, f.Response().HTTPVersion, want)
		}
	}
	f := importOne(t, with(`"httpVersion":null`, `"httpVersion":"h2"`, ""))
	if f.Request().HTTPVersion != "HTTP/2.0" {
		t.Errorf("got %q", f.Request().HTTPVersion)
	}
}

func TestImportStatus(t *testing.T) {
	for _, test := range []struct{ name, response, entry, want string }{
		{"failed", `{"status":0,"_error":"net::ERR_FAILED"}`, ``, "none, error net::ERR_FAILED"},
		{"failed, in the entry", `{"status":0}`, `"_error":"x"`, "none, error x"},
		{"failed, no reason", `{"status":0}`, ``, "none, error no response"},
		{"not failed", `{"status":0,"_error":null}`, ``, "none"},
		{"zero with headers", `{"status":0,"headers":[["a","b"]]}`, ``, "0 "},
		{"missing", `null`, ``, "none"},
		{"text", `{"status":"204","statusText":"Fine"}`, ``, "204 Fine"},
		{"float", `{"status":200.0,"statusText":"\u00e9"}`, ``, "200 \xe9"},
		{"null", `{"status":null}`, ``, "0 "},
		{"both", `{"status":200,"_error":"x"}`, ``, "200 , error x"},
	} {
		entry := `{"request":{"method":"GET","url":"http://h.example/"},"response":` + test.response
		if test.entry != "" {
			entry += "," + test.entry
		}
		f := importOne(t, entry+"}")
		got := "none"
		if s := f.Response(); s != nil {
			got = fmt.Sprintf("%d %s", s.StatusCode, s.Reason)
		}
		if e := f.Error(); e != nil {
			got += ", error " + e.Msg
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestImportConnections(t *testing.T) {
	entry := func(connection string) string {
		return with("", "", `"connection":"`+connection+`","x":"`+connection+`"`)
	}
	entries := []string{entry("7"), entry("443"), entry("7"), with("", "", `"_connectionId":"7"`), entry("8"),
		strings.Replace(entry("7"), "h.example", "i.example", 1), entry("443"), with("", "", "")}
	ids := func(order ...int) (out []string) {
		var in []string
		for _, i := range order {
			in = append(in, entries[i])
		}
		// The first entry stands for the file.
		r := har.NewReader(strings.NewReader("["+with("", "", `"a":0`)+","+strings.Join(in, ",")+"]"), nil)
		for f, err := range r.Flows() {
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, f.(*flow.HTTP).ServerConn().ID)
		}
		return out[1:]
	}
	got := ids(0, 1, 2, 3, 4, 5, 6, 7)
	if got[0] != got[2] || got[0] != got[3] {
		t.Error("a connection has several ids")
	}
	for _, pair := range [][2]int{{0, 1}, {0, 4}, {0, 5}, {1, 6}, {0, 7}, {6, 7}} {
		if got[pair[0]] == got[pair[1]] {
			t.Errorf("connections %v have the same id", pair)
		}
	}
	if back := ids(7, 6, 5, 4, 3, 2, 1, 0); back[7] != got[0] || back[3] != got[4] {
		t.Error("ids depend on the order")
	}
	if again := ids(0, 1, 2, 3, 4, 5, 6, 7); cmp.Diff(again, got) != "" {
		t.Error("the same file has other ids")
	}
}

func TestImportAddresses(t *testing.T) {
	for in, want := range map[string]string{
		`"192.0.2.1"`: "192.0.2.1:443", `"[2001:db8::1]"`: "[2001:db8::1]:443", `"192.0.2.1:8443"`: "192.0.2.1:8443",
		`"[2001:db8::1]:99"`: "[2001:db8::1]:99", `""`: "<no address>", `null`: "<no address>", `"h.example"`: "<no address>", `7`: "<no address>",
		`"192.0.2.1","_serverPort":1234`: "192.0.2.1:1234",
	} {
		f := importOne(t, with("", "", `"serverIPAddress":`+in))
		if got := flow.FormatAddress(f.ServerConn().Peername); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
		if got := flow.FormatAddress(f.ServerConn().Address); got != "h.example:443" {
			t.Errorf("address %s", got)
		}
	}
}

func TestImportWebSocket(t *testing.T) {
	f := importOne(t, `{"request":{"method":"GET","url":"wss://h.example/s"},"response":{"status":101},"_webSocketMessages":[
		{"type":"send","time":1.5,"opcode":1,"data":"é"},{"type":"receive","time":1767323045678,"opcode":2,"data":"AP8="},
		{"type":"receive","data":null},{"type":"error","data":"x"},{"type":"send","opcode":2,"data":"*"},{"type":"send","opcode":99}]}`)
	w := f.WebSocket()
	if w == nil || len(w.Messages) != 3 || len(notesOf(f)) != 3 {
		t.Fatalf("got %+v, notes %q", w, notesOf(f))
	}
	var got []string
	for _, m := range w.Messages {
		data, _ := m.Content.Bytes()
		got = append(got, fmt.Sprintf("%d %v %q %v", m.Opcode, m.FromClient, data, m.Timestamp.Unix()))
	}
	want := []string{`1 true "é" 1.5`, `2 false "\x00\xff" 1.767323045678e+09`, `1 false "" 0`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := f.PrettyURL(); got != "wss://h.example/s" {
		t.Errorf("got %q", got)
	}
	if importOne(t, `{"request":{"method":"GET","url":"wss://h.example/s"},"response":{"status":101}}`).WebSocket() == nil {
		t.Error("no WebSocket without messages")
	}
	if importOne(t, `{"request":{"method":"GET","url":"wss://h.example/s"},"response":{"status":400}}`).WebSocket() != nil {
		t.Error("a WebSocket that was refused")
	}
}

// TestImportExtras: what flows have no place for is metadata.
func TestImportExtras(t *testing.T) {
	f := importOne(t, with(`"headersSize":5,"_r":1.5,"postData":{"_p":"q","text":""},"bodySize":3`,
		`"_s":true,"redirectURL":"/x","content":{"_c":[1,{"a":null}],"size":9,"mimeType":"text/x"},"bodySize":7`,
		`"_initiator":{"type":"x","type":"y"},"cache":{"beforeRequest":null,"afterRequest":{"hitCount":1}},"_none":null,"_empty":"","_unknown":-1,"pageref":"p","comment":"c","timings":{"_t":2},"big":12345678901234567890123`))
	got := map[string]string{}
	for k, v := range f.Metadata().All() {
		key, _ := k.Text()
		var b bytes.Buffer
		fmt.Fprint(&b, printed(v))
		got[key] = b.String()
	}
	want := map[string]string{
		"har._initiator": "{type y}", "har.big": "12345678901234567890123", "har.cache": "{beforeRequest null afterRequest {hitCount 1}}",
		"har.pageref": "p", "har.request._r": "1.5", "har.request.bodySize": "3", "har.request.postData._p": "q",
		"har.response._s": "true", "har.response.bodySize": "7", "har.response.content._c": "[1 {a null}]",
		"har.response.content.mimeType": "text/x", "har.response.content.size": "9", "har.response.redirectURL": "/x", "har.timings._t": "2",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if f.Comment() != "c" {
		t.Errorf("comment %q", f.Comment())
	}
}

func printed(v state.Value) string {
	switch v.Kind() {
	case state.KindMap:
		m, _ := v.Map()
		var parts []string
		for k, e := range m.All() {
			parts = append(parts, printed(k), printed(e))
		}
		return "{" + strings.Join(parts, " ") + "}"
	case state.KindList:
		l, _ := v.List()
		var parts []string
		for _, e := range l.All() {
			parts = append(parts, printed(e))
		}
		return "[" + strings.Join(parts, " ") + "]"
	case state.KindText:
		s, _ := v.Text()
		return s
	case state.KindNull:
		return "null"
	case state.KindBool:
		b, _ := v.Bool()
		return fmt.Sprint(b)
	case state.KindInt:
		i, _ := v.BigInt()
		return i.String()
	}
	f, _ := v.Float64()
	return fmt.Sprint(f)
}

// TestImportNotes: what could not be made use of is told.
func TestImportNotes(t *testing.T) {
	f := importOne(t, with(`"headers":5,"postData":"x","cookies":[{}]`, `"headers":[7],"content":[],"statusText":{}`,
		`"startedDateTime":"x","time":[],"timings":7,"serverIPAddress":"x","_webSocketMessages":8,"response":{"status":"x","statusText":{},"headers":[7],"content":[]}`))
	got := strings.Join(notesOf(f), "\n")
	for _, path := range []string{"/request/headers", "/request/postData", "/response/headers", "/response/content", "/response/status",
		"/startedDateTime", "/response/statusText", "/time", "/timings", "/serverIPAddress", "/_webSocketMessages"} {
		if !strings.Contains(got, path) {
			t.Errorf("nothing about %s in:\n%s", path, got)
		}
	}
}

// TestNaN: numbers that Python writes and JSON lacks are no numbers.
func TestNaN(t *testing.T) {
	f := importOne(t, with("", `"statusText":"NaN \" Infinity"`, `"time":NaN,"a":[-Infinity,Infinity],"timings":{"send":NaN,"wait":1}`))
	if f.Response().Reason != `NaN " Infinity` || !f.Request().TimestampEnd.IsNull() {
		t.Errorf("got %+v", f.Response())
	}
}
