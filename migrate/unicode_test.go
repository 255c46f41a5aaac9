package migrate

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/internal/flowtest"
)

func TestTextKeys(t *testing.T) {
	m := obj(b("a"), obj(b("ü"), obj(b("c"), b("value"))),
		b("list"), seq(obj(b("kept"), 1)),
		"both", 1, b("both"), 2,
		3, 4)
	want := obj("a", obj("ü", obj("c", b("value"))),
		"list", seq(obj(b("kept"), 1)),
		"both", 1, b("both"), 2,
		3, 4)
	if err := textKeys(m); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(flowtest.Dump(want.Value(), false), flowtest.Dump(m.Value(), false)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	err := textKeys(obj(b("a"), obj(b("\xe9"), 1)))
	if err == nil || err.Error() != `/a/b"\xe9": key is not UTF-8` {
		t.Errorf("error %v", err)
	}
}

func TestEscaped(t *testing.T) {
	for _, c := range []struct{ in, utf8, ascii string }{
		{"", "", ""},
		{"plain", "plain", "plain"},
		{"h\xc3\xbc", "hü", `h\xc3\xbc`},
		{"a\xe9\xc3\xbcz", `a\xe9üz`, `a\xe9\xc3\xbcz`},
		{"\xed\xa0\x80", `\xed\xa0\x80`, `\xed\xa0\x80`}, // a surrogate
	} {
		if got := escaped([]byte(c.in)); got != c.utf8 {
			t.Errorf("escaped(%q) is %q, want %q", c.in, got, c.utf8)
		}
		if got := escapedASCII([]byte(c.in)); got != c.ascii {
			t.Errorf("escapedASCII(%q) is %q, want %q", c.in, got, c.ascii)
		}
	}
}

// A whole flow as Python 2 wrote it, backup and all.
func TestPython2Backup(t *testing.T) {
	conn := func() any {
		return obj(b("address"), obj(b("address"), seq(b("h"), 1), b("use_ipv6"), false), b("source_address"), nil,
			b("peer_address"), nil, b("ssl_established"), false, b("clientcert"), nil, b("cert"), nil, b("sni"), b("h"),
			b("via"), nil, b("timestamp_start"), 1.0, b("timestamp_end"), nil, b("timestamp_tcp_setup"), nil,
			b("timestamp_ssl_setup"), nil)
	}
	flow := func(path string, backup any) any {
		return obj(b("version"), seq(0, 17, 1), b("type"), b("http"), b("id"), b("f"), b("error"), nil,
			b("client_conn"), conn(), b("server_conn"), conn(), b("intercepted"), false, b("response"), nil,
			b("request"), obj(b("first_line_format"), b("relative"), b("method"), b("GET"), b("scheme"), b("http"),
				b("host"), b("h"), b("port"), 1, b("path"), b(path), b("http_version"), b("HTTP/1.1"), b("headers"), seq(),
				b("content"), b(""), b("timestamp_start"), 2.0, b("timestamp_end"), 3.0, b("is_replay"), false,
				b("stickycookie"), false, b("stickyauth"), false), b("backup"), backup)
	}
	m, _ := flowtest.Value(flow("/new", flow("/old", nil))).Map()
	got := up(t, NewStream(nil), reread(t, m))
	backup, err := got.Map("backup")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ got, want any }{
		{get(t, got, "request", "path"), b("/new")},
		{get(t, backup, "request", "path"), b("/old")},
		{get(t, backup, "version"), 21},
		{get(t, backup, "request", "host"), "h"},
		{get(t, backup, "client_conn", "id"), get(t, got, "client_conn", "id")},
	} {
		if g, w := flowtest.Dump(flowtest.Value(c.got), true), flowtest.Dump(flowtest.Value(c.want), true); g != w {
			t.Errorf("got %s, want %s", g, w)
		}
	}
}
