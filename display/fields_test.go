package display

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/flow"
)

// everything returns an HTTP flow with a value for every field it can have.
func everything() *flow.HTTP {
	const gzip = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\xc8\x04\x00\xac*\x93\xd8\x02\x00\x00\x00"
	client, server := flow.NewClientConn(), flow.NewServerConn(&flow.Address{Host: "example.com", Port: 443})
	client.Peername = &flow.Address{Host: "192.0.2.1", Port: 50000}
	client.TLSVersion, client.ALPN, client.SNI, client.ProxyMode = "TLSv1.3", "h2", "example.com", "regular"
	server.TLSVersion, server.ALPN, server.SNI = "TLSv1.2", "http/1.1", "Example.com"
	server.Peername = &flow.Address{Host: "2001:db8::1", Port: 443}
	server.Via = &flow.Via{Scheme: "http", Host: "proxy.example", Port: 3128}
	req := &flow.Request{Method: "POST", Scheme: "https", Host: "192.0.2.9", Port: 8443, Path: "/a?b=1?c"}
	req.HTTPVersion = "HTTP/1.1"
	req.Headers = flow.NewHeaders("Host", "example.com", "Content-Type", "text/plain", "Content-Encoding", "gzip", "X", "1", "x", "2")
	req.Body = flow.NewBody([]byte(gzip))
	req.TimestampStart, req.TimestampEnd = flow.Seconds(1700000000.25), flow.Seconds(1700000000.5)
	resp := &flow.Response{StatusCode: 404, Reason: "Nicht gefunden \xfc"}
	resp.HTTPVersion = "HTTP/1.0"
	resp.Headers = flow.NewHeaders("Content-Type", "text/plain; charset=latin1", "X", "3", "Content-Encoding", "identity")
	resp.Body = flow.NewBody([]byte("caf\xe9\n"))
	resp.TimestampStart, resp.TimestampEnd = flow.Seconds(1700000000.75), flow.Seconds(1700000001.5)
	f := flow.NewHTTP(client, server, req, resp)
	f.SetID("51c0")
	f.SetTimestampCreated(flow.Seconds(1700000000))
	f.SetComment("note")
	f.SetMarked(":grapes:")
	f.SetIsReplay("request")
	f.SetError(&flow.Error{Msg: "late"})
	return f
}

func TestFields(t *testing.T) {
	http := map[string]string{
		"index": "7", "offset": "100", "record_size": "50", "version": "21",
		"id": "51c0", "type": "http", "time": "2023-11-14T22:13:20.250000Z", "end": "2023-11-14T22:13:21.500000Z",
		"created": "2023-11-14T22:13:20.000000Z", "duration": "1.250000", "error": "late", "replay": "request",
		"marked": ":grapes:", "comment": "note", "edited": "false", "intercepted": "false",
		"client": "192.0.2.1:50000", "server": "example.com:443", "server_ip": "[2001:db8::1]:443", "upstream": "proxy.example:3128",
		"tls": "TLSv1.3", "alpn": "h2", "sni": "example.com", "mode": "regular",
		"server_tls": "TLSv1.2", "server_alpn": "http/1.1", "server_sni": "Example.com",
		"method": "POST", "scheme": "https", "host": "example.com", "port": "8443", "path": "/a?b=1?c", "query": "b=1?c",
		"url": "https://example.com:8443/a?b=1?c", "http_version": "HTTP/1.1", "request_type": "text/plain", "request_encoding": "gzip",
		"request_size": "22", "request_decoded": "2", "request_end": "2023-11-14T22:13:20.500000Z", "hnq:x": "1, 2", "request_text": "hi",
		"status": "404", "reason": "Nicht gefunden ü", "response_version": "HTTP/1.0", "content_type": "text/plain; charset=latin1",
		"content_encoding": "identity", "size": "5", "response_size": "5", "response_decoded": "5",
		"response_start": "2023-11-14T22:13:20.750000Z", "ttfb": "0.500000", "hns:x": "3", "hn:x": "1, 2, 3", "response_text": `café\n`,
		"messages": "", "messages_sent": "", "messages_received": "", "close_code": "",
		"dns_name": "", "dns_type": "", "dns_code": "", "dns_answers": "",
	}
	names := slices.Sorted(maps.Keys(http))
	got := values(t, names, everything())
	if d := cmp.Diff(http, got); d != "" {
		t.Errorf("http (-want +got):\n%s", d)
	}
	for _, f := range Fields() {
		name := strings.Replace(f.Name, "NAME", "x", 1)
		if _, ok := http[name]; !ok {
			t.Errorf("field %s is not tested", name)
		}
		if f.Doc == "" || len(f.Name) > 17 {
			t.Errorf("field %q: %q", f.Name, f.Doc)
		}
	}

	ws := everything()
	ws.SetWebSocket(&flow.WebSocket{Messages: []flow.WebSocketMessage{{FromClient: true, Content: flow.NewBody([]byte("ab"))}, {Content: flow.NewBody([]byte("c"))}, {}}, CloseCode: 1001})
	want := map[string]string{"messages": "3", "messages_sent": "1", "messages_received": "2", "close_code": "1001", "size": "3", "response_size": "5", "url": "wss://example.com:8443/a?b=1?c"}
	if d := cmp.Diff(want, values(t, slices.Collect(maps.Keys(want)), ws)); d != "" {
		t.Errorf("websocket (-want +got):\n%s", d)
	}

	dns := flow.NewDNS(flow.NewClientConn(), flow.NewServerConn(nil),
		&flow.DNSMessage{Query: true, Questions: []flow.DNSQuestion{{Name: "example.com", Type: flow.DNSTypeA}}, Timestamp: flow.Seconds(10)},
		&flow.DNSMessage{ResponseCode: 3, Timestamp: flow.Seconds(10.5), Answers: []flow.DNSRecord{{Type: flow.DNSTypeA, Data: "\x01\x02\x03\x04"}, {Type: flow.DNSTypeA, Data: "\x05\x06\x07\x08"}}})
	want = map[string]string{"dns_name": "example.com", "dns_type": "A", "dns_code": "NXDOMAIN", "dns_answers": "1.2.3.4, 5.6.7.8", "duration": "0.500000",
		"end": "1970-01-01T00:00:10.500000Z", "url": "", "status": "", "hn:x": "", "request_text": "", "response_decoded": "", "messages": "", "port": ""}
	if d := cmp.Diff(want, values(t, slices.Collect(maps.Keys(want)), dns)); d != "" {
		t.Errorf("dns (-want +got):\n%s", d)
	}
}

// TestOfPosition: what is about the record of a flow is told from what is about the
// flow, which is the same wherever it was read from.
func TestOfPosition(t *testing.T) {
	f := everything()
	for _, field := range Fields() {
		name := strings.Replace(field.Name, "NAME", "x", 1)
		c, err := ParseColumns("method," + name)
		if err != nil {
			t.Fatal(err)
		}
		want := ""
		if string(c.Append(nil, Position{1, 2, 3, "4"}, f)) != string(c.Append(nil, Position{5, 6, 7, "8"}, f)) {
			want = name
		}
		if got := c.OfPosition(); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// values returns fields of f by their names.
func values(t *testing.T, names []string, f flow.Flow) map[string]string {
	t.Helper()
	c, err := ParseColumns(strings.Join(names, ","))
	if err != nil {
		t.Fatal(err)
	}
	line, ok := strings.CutSuffix(string(c.Append(nil, Position{7, 100, 50, "21"}, f)), "\n")
	cells := strings.Split(line, "\t")
	if !ok || len(cells) != len(names) {
		t.Fatalf("%d cells for %d names: %q", len(cells), len(names), line)
	}
	m := map[string]string{}
	for i, name := range names {
		m[name] = cells[i]
	}
	return m
}

// TestBodiesThatCannotBeDecoded: a size that is not known is nothing, and text is
// what there is.
func TestBodiesThatCannotBeDecoded(t *testing.T) {
	f := everything()
	for _, tt := range []struct {
		encoding, body, size, text string
		missing                    bool
	}{
		{"br", "not brotli", "", "", false},
		{"unknown", "abc", "", "", false},
		{"", "", "", "", true},
		{"gzip", "", "0", "", false},
		{"", "abc", "3", "abc", false},
	} {
		r := f.Request()
		r.Headers.Set("Content-Encoding", tt.encoding)
		r.Body = flow.NewBody([]byte(tt.body))
		if tt.missing {
			r.Body = flow.Body{}
		}
		want := map[string]string{"request_decoded": tt.size, "request.text": tt.text}
		if d := cmp.Diff(want, values(t, []string{"request_decoded", "request.text"}, f)); d != "" {
			t.Errorf("%q in %q (-want +got):\n%s", tt.body, tt.encoding, d)
		}
	}
}

func TestParseColumns(t *testing.T) {
	for _, tt := range []struct {
		names, unknown string
		content        bool
	}{
		{"index", "", false},
		{" index , url ", "", false},
		{DefaultColumns, "", false},
		{"request.text", "", true},
		{"request_text", "", true},
		{"url,response_decoded", "", true},
		{"response_size,hnq:content-length", "", false},
		{"hn:x.y_z", "", false},
		{"url,nonsense", "nonsense", false},
		{"", "", false},
		{"url,", "", false},
		{"hnq:", "hnq:", false},
		{"hnq", "hnq", false},
		{"hnq:NAME,NAME", "NAME", false},
		{"url:x", "url:x", false},
	} {
		c, err := ParseColumns(tt.names)
		if e, ok := errors.AsType[*UnknownFieldError](err); ok {
			if e.Name != tt.unknown || !strings.Contains(e.Error(), "hnq:NAME") {
				t.Errorf("%q: %v", tt.names, err)
			}
		} else if tt.unknown != "" || err != nil {
			t.Errorf("%q: error %v, want one about %q", tt.names, err, tt.unknown)
		} else if c.NeedsContent() != tt.content {
			t.Errorf("%q: needs content: %v", tt.names, c.NeedsContent())
		}
	}
}
