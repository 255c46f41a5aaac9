package flow

import (
	"testing"

	"github.com/flowtool/flowtool/internal/searchtext"
)

func TestURL(t *testing.T) {
	base := Request{
		HTTPMessage: HTTPMessage{HTTPVersion: "HTTP/1.1"},
		Host:        "address", Port: 22, Method: "GET", Scheme: "http", Path: "/path",
	}
	host := func(h string) func(r *Request) {
		return func(r *Request) { r.Headers = NewHeaders("Host", h) }
	}
	cases := []struct {
		name       string
		edit       func(r *Request)
		url        string
		pretty     string
		prettyHost string
		mitmproxy  string // what filters see, if it differs from pretty
	}{
		{"plain", func(r *Request) {}, "http://address:22/path", "http://address:22/path", "address", ""},
		{"https 443", func(r *Request) { r.Scheme, r.Port = "https", 443 },
			"https://address/path", "https://address/path", "address", ""},
		{"host header", host("example.com"),
			"http://address:22/path", "http://example.com:22/path", "example.com", "http://example.com/path"},
		{"host header with default port", func(r *Request) { host("example.com:443")(r); r.Scheme = "https" },
			"https://address:22/path", "https://example.com/path", "example.com", ""},
		{"junk", host("exa mple"), "http://address:22/path", "http://exa mple:22/path", "exa mple", "http://exa mple/path"},
		{"bare IPv6", host("::1"), "http://address:22/path", "http://[::1]:22/path", "::1", "http://::1/path"},
		{"IPv6", host("[::1]:80"), "http://address:22/path", "http://[::1]/path", "::1", "http://::1/path"},
		{"connected to IPv6", func(r *Request) { r.Host = "::1" }, "http://[::1]:22/path", "http://[::1]:22/path", "::1",
			"http://::1:22/path"},
		{"empty host header", host(""), "http://address:22/path", "http://address:22/path", "address", ""},
		{"HTTP/2 authority", func(r *Request) { r.HTTPVersion, r.Authority = "HTTP/2.0", "auth.example" },
			"http://address:22/path", "http://auth.example:22/path", "auth.example", "http://auth.example/path"},
		{"HTTP/2 with both", func(r *Request) { host("h.example")(r); r.HTTPVersion, r.Authority = "HTTP/2.0", "auth.example:80" },
			"http://address:22/path", "http://auth.example/path", "auth.example", ""},
		{"not HTTP/2", func(r *Request) { r.HTTPVersion, r.Authority = "HTTP/2", "auth.example" },
			"http://address:22/path", "http://address:22/path", "address", ""},
		{"CONNECT", func(r *Request) { r.Method, r.Authority, r.Path = "connect", "c.example:443", "" },
			"address:22", "c.example:443", "address", ""},
		{"OPTIONS *", func(r *Request) { r.Method, r.Path = "OPTIONS", "*" },
			"http://address:22", "http://address:22", "address", ""},
		{"relative path", func(r *Request) { r.Path = "no-slash" },
			"http://address:22no-slash", "http://address:22no-slash", "address", ""},
		{"empty scheme", func(r *Request) { host("x.y")(r); r.Scheme = "" },
			"://address:22/path", "://x.y:22/path", "x.y", "://x.y:443/path"},
		{"bytes in path", func(r *Request) { r.Path = "/\xff" },
			"http://address:22/\xff", "http://address:22/\xff", "address", ""},
		{"not ASCII", host("bücher.example:80"), "http://address:22/path", "http://bücher.example/path", "bücher.example", ""},
	}
	for _, c := range cases {
		r := base
		c.edit(&r)
		if got := r.URL(); got != c.url {
			t.Errorf("%s: URL %q, want %q", c.name, got, c.url)
		}
		if got := r.PrettyURL(); got != c.pretty {
			t.Errorf("%s: PrettyURL %q, want %q", c.name, got, c.pretty)
		}
		if got := r.PrettyHost(); got != c.prettyHost {
			t.Errorf("%s: PrettyHost %q, want %q", c.name, got, c.prettyHost)
		}
		if c.mitmproxy == "" {
			c.mitmproxy = c.pretty
		}
		searched := searchtext.Request{
			Method: []byte(r.Method), Scheme: []byte(r.Scheme), Authority: []byte(r.Authority), Path: []byte(r.Path),
			HTTPVersion: []byte(r.HTTPVersion), Host: []byte(r.Host), Port: int64(r.Port), HostHeader: []byte(r.Headers.Get("Host")),
		}
		if got := string(searched.AppendPrettyURL(nil)); got != c.mitmproxy {
			t.Errorf("%s: filters see %q, want %q", c.name, got, c.mitmproxy)
		}
	}
}

func TestSplitHostPort(t *testing.T) {
	cases := []struct {
		in, host string
		port     int
	}{
		{"a", "a", -1}, {"a:1", "a", 1}, {"a:", "a:", -1}, {"[::1]", "::1", -1}, {"[::1]:5", "::1", 5},
		{"::1", "::1", -1}, {"a:b", "a:b", -1}, {"a:99999", "a:99999", -1}, {"a b", "a b", -1}, {"", "", -1},
		{"xn--bcher-kva.x", "xn--bcher-kva.x", -1}, {"bücher.x", "bücher.x", -1}, {"a:1:2", "a:1:2", -1},
		{"a:080", "a", 80}, {"A.B", "A.B", -1}, {"[::1", "[::1", -1}, {"a.", "a.", -1}, {"-", "-", -1},
		{"_", "_", -1}, {"a/b", "a/b", -1}, {"1.2.3.4:80", "1.2.3.4", 80}, {"a:99999999999999999999", "a:99999999999999999999", -1},
		{"[a]:+1", "[a]:+1", -1},
	}
	for _, c := range cases {
		if host, port := splitHostPort(c.in); host != c.host || port != c.port {
			t.Errorf("%q: %q, %d, want %q, %d", c.in, host, port, c.host, c.port)
		}
	}
}

func TestValidHost(t *testing.T) {
	label := "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	for host, want := range map[string]bool{
		"a": true, "a_b": true, "a..b": false, ".": false, "1.2.3.4": true, "[::1]": false, "::1": true,
		label: true, label + "a": false, "a b": false, "*.a": false, "a.": true, "": false,
	} {
		if got := validHost(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}

func TestFormatAddress(t *testing.T) {
	cases := []struct {
		addr *Address
		want string
	}{
		{nil, "<no address>"},
		{&Address{Host: "::1", Port: 80}, "[::1]:80"},
		{&Address{Host: "::", Port: 80}, "*:80"},
		{&Address{Host: "0.0.0.0", Port: 80}, "*:80"},
		{&Address{Host: "::ffff:0.0.0.0", Port: 80}, "*:80"},
		{&Address{Host: "::ffff:192.0.2.1", Port: 80}, "192.0.2.1:80"},
		{&Address{Host: "example.com", Port: 443}, "example.com:443"},
		{&Address{Host: "fe80::1%eth0", Port: 1, ScopeID: 3}, "[fe80::1%eth0]:1"},
		{&Address{Host: "2001:DB8:0:0::1", Port: 5}, "[2001:db8::1]:5"},
		{&Address{}, ":0"},
	}
	for _, c := range cases {
		if got := c.addr.String(); got != c.want {
			t.Errorf("%+v: %q, want %q", c.addr, got, c.want)
		}
	}
}

func TestReasonPhrase(t *testing.T) {
	for _, c := range []struct {
		version, reason, want string
		code                  int
	}{
		{"HTTP/1.1", "", "", 200},
		{"HTTP/1.1", "Fine", "Fine", 200},
		{"HTTP/2.0", "", "OK", 200},
		{"HTTP/3", "", "Gateway Time-out", 504},
		{"HTTP/3", "Stored", "Stored", 504},
		{"HTTP/2.0", "", "", 306},
	} {
		r := Response{HTTPMessage: HTTPMessage{HTTPVersion: c.version}, StatusCode: c.code, Reason: c.reason}
		if got := r.ReasonPhrase(); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestMarkerGlyph(t *testing.T) {
	for name, want := range map[string]string{
		"": "", ":default:": "●", ":grapes:": "🍇", ":+1:": "👍", "a": "a", "Z": "Z", "7": "7",
		":no such emoji:": "●", "x7": "●", ":": "●", "::": "●", "-": "●", "grapes": "●",
	} {
		if got := MarkerGlyph(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestHeaders(t *testing.T) {
	h := NewHeaders("Host", "a", "accept", "x", "Accept", "y", "Cookie", "c", "ACCEPT", "z")
	if got := h.Get("aCCept"); got != "x, y, z" {
		t.Errorf("Get: %q", got)
	}
	empty := NewHeaders("a", "", "a", "b")
	if got := empty.Get("a"); got != ", b" {
		t.Errorf("Get of an empty and another value: %q", got)
	}
	if h.Get("none") != "" || h.Has("none") || !h.Has("HOST") {
		t.Error("Has is wrong")
	}
	var values []string
	for v := range h.Values("accept") {
		values = append(values, v)
	}
	if len(values) != 3 {
		t.Errorf("Values: %q", values)
	}
	orig := h.Clone()
	h.Set("ACCEPT", "new")
	if got := h.String(); got != "Host: a\r\naccept: new\r\nCookie: c\r\n" {
		t.Errorf("Set: %q", got)
	}
	h.Set("X", "1")
	h.Add("X", "2")
	if !h.Del("x") || h.Del("x") || h.Len() != 3 || orig.Len() != 5 {
		t.Errorf("Del: %q", h.String())
	}
}

func TestTimestamp(t *testing.T) {
	if ts := (Timestamp{}); !ts.IsNull() || !ts.Time().IsZero() || ts.Unix() != 0 {
		t.Error("the zero Timestamp is not null")
	}
	if Seconds(0).IsNull() || Seconds(0) == (Timestamp{}) {
		t.Error("0 seconds are null")
	}
	ts := Seconds(1795325521.5793715)
	if got := ts.Time().Format("2006-01-02T15:04:05.000000000Z07:00"); got != "2026-11-22T05:32:01.579371000Z" && got != "2026-11-22T05:32:01.579372000Z" {
		t.Errorf("Time: %s", got)
	}
	if got := At(ts.Time()).Time(); !got.Equal(ts.Time()) {
		t.Errorf("At: %v, want %v", got, ts.Time())
	}
	if got := Seconds(-1.5).Time().UnixMilli(); got != -1500 {
		t.Errorf("before 1970: %d", got)
	}
	var zero, nan float64
	nan = zero / zero
	for _, sec := range []float64{1e300, -1e300, nan, 1 / zero} {
		if got := Seconds(sec).Time(); !got.IsZero() {
			t.Errorf("%v: %v", sec, got)
		}
		if _, ok := Seconds(sec).Sub(Seconds(1)); ok {
			t.Errorf("%v: a duration", sec)
		}
	}
	if d, ok := Seconds(2.25).Sub(Seconds(1)); !ok || d.String() != "1.25s" {
		t.Errorf("Sub: %v, %v", d, ok)
	}
	if _, ok := Seconds(2).Sub(Timestamp{}); ok {
		t.Error("Sub of null")
	}
}

func TestDNSText(t *testing.T) {
	cases := []struct {
		typ        int
		data, want string
	}{
		{DNSTypeA, "\x01\x02\x03\x04", "1.2.3.4"},
		{DNSTypeA, "\x01\x02\x03", "0x010203 (invalid A data)"},
		{DNSTypeAAAA, "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01", "2001:db8::1"},
		{DNSTypeCNAME, "\x01a\x07example\x00", "a.example"},
		{DNSTypeNS, "\x00", "."},
		{DNSTypePTR, "\x05a", "0x0561 (invalid PTR data)"},
		{DNSTypePTR, "\xc0\x0c", "0xc00c (invalid PTR data)"},
		{DNSTypePTR, "\x01a\x00x", "0x01610078 (invalid PTR data)"},
		{DNSTypeTXT, "\x05hello\x02yo", "helloyo"},
		{DNSTypeTXT, "", ""},
		{DNSTypeTXT, "\x05hi", "0x056869 (invalid TXT data)"},
		{DNSTypeMX, "\x00\x0a\x01a\x00", "10 a"},
		{DNSTypeSRV, "\x00\x01\x00\x02\x00\x50\x01a\x00", "1 2 80 a"},
		{DNSTypeHTTPS, "\x00\x01\x00\x00\x01\x00\x06\x02h2\x02h3\x00\x03\x00\x02\x01\xbb\x00\x04\x00\x04\xc0\x00\x02\x01",
			"1 . alpn=h2,h3 port=443 ipv4hint=192.0.2.1"},
		{DNSTypeHTTPS, "\x00\x01\x00\x00\x00\x00\x02\x00\x01\x00\x02\x00\x00\x00\x05\x00\x01\xff\x01\x00\x00\x01\x07",
			"1 . mandatory=alpn no-default-alpn ech=/w== key256=0x07"},
		{DNSTypeHTTPS, "\x00\x01\x00\x00\x03\x00\x01\x01", "0x0001000003000101 (invalid HTTPS data)"},
		{6, "\x00\x01", "0x0001"},
	}
	for _, c := range cases {
		r := DNSRecord{Type: c.typ, Data: c.data}
		if got := r.Text(); got != c.want {
			t.Errorf("%s %q: %q, want %q", r.TypeName(), c.data, got, c.want)
		}
	}
	for _, c := range []struct{ got, want string }{
		{DNSTypeName(1), "A"}, {DNSTypeName(65), "HTTPS"}, {DNSTypeName(53), "SMIMEA"}, {DNSTypeName(54), "TYPE(54)"},
		{DNSTypeName(109), "EUI64"}, {DNSTypeName(260), "AMTRELAY"}, {DNSTypeName(32769), "DLV"},
		{DNSTypeName(-1), "TYPE(-1)"}, {DNSTypeName(0), "TYPE(0)"}, {DNSTypeName(255), "ANY"},
		{DNSClassName(1), "IN"}, {DNSClassName(2), "CLASS(2)"},
		{DNSOpCodeName(0), "QUERY"}, {DNSOpCodeName(3), "OPCODE(3)"},
		{DNSResponseCodeName(3), "NXDOMAIN"}, {DNSResponseCodeName(12), "RCODE(12)"}, {DNSResponseCodeName(-1), "RCODE(-1)"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
