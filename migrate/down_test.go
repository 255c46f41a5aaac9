package migrate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

// What every step does and loses. Nothing more is in the states than the step
// looks at.
func TestDownSteps(t *testing.T) {
	none := func() *state.Map { return obj() }
	list := func(elems ...any) state.Value { return flowtest.Value(seq(elems...)) }
	addr := func(host any) *state.Map { return obj("address", seq(host, 1), "use_ipv6", host == "::1") }
	for _, c := range []struct {
		name     string
		to       Version // of this one step
		target   Version // of the whole way, if it matters
		in, want *state.Map
		lost     string
	}{
		{"quic", Number(20), Version{},
			conns(obj("tls_version", "QUICv1", "proxy_mode", "Reverse:http3://h"), obj("tls_version", "QUICv1")),
			conns(obj("tls_version", "QUIC", "proxy_mode", "Reverse:http3://h"), obj("tls_version", "QUIC")), ""},
		{"tun", Number(20), Version{},
			conns(obj("tls_version", nil, "proxy_mode", "Tun:utun"), none()),
			conns(obj("tls_version", nil, "proxy_mode", "regular"), none()), "/client_conn/proxy_mode: proxy mode"},
		{"local", Number(20), Version{},
			conns(obj("proxy_mode", "local@8080"), none()), conns(obj("proxy_mode", "regular"), none()),
			"/client_conn/proxy_mode: proxy mode"},

		{"state", Number(19), Version{}, conns(none(), none()), conns(obj("state", 0), obj("state", 0)), ""},

		{"names", Number(18), Version{},
			with(conns(
				obj("peername", seq("h", 1), "cipher", "X", "transport_protocol", "tcp", "timestamp_tls_setup", nil,
					"proxy_mode", "dns"),
				obj("peername", nil, "sockname", nil, "via", seq("https", seq("p", 4)), "cipher", nil,
					"transport_protocol", "tcp", "timestamp_tls_setup", 1.0)),
				"metadata", obj("a", 1, "n", seq(nil, 1.5))),
			with(conns(
				obj("address", seq("h", 1), "cipher_name", "X", "timestamp_tls_setup", nil, "proxy_mode", "dns",
					"tls_extensions", seq(), "tls_established", false),
				obj("ip_address", nil, "source_address", nil, "via2", seq("https", seq("p", 4)), "via", nil,
					"cipher_name", nil, "timestamp_tls_setup", 1.0, "tls_established", true)),
				"metadata", obj("a", 1, "n", seq(nil, 1.5))), ""},
		{"HTTP/3", Number(18), Version{},
			with(conns(
				obj("peername", nil, "cipher", nil, "transport_protocol", "udp", "timestamp_tls_setup", 1.0,
					"proxy_mode", "reverse:HTTP3://h:1"),
				obj("peername", nil, "sockname", nil, "via", seq("quic", seq("p", 4)), "cipher", nil,
					"transport_protocol", "tcp", "timestamp_tls_setup", 1.0)),
				"metadata", obj(b("k"), b("\xff"), "k", seq(obj("a", b("x"))), "m", "x")),
			with(conns(
				obj("address", nil, "cipher_name", nil, "timestamp_tls_setup", 1.0, "proxy_mode", "regular",
					"tls_extensions", seq(), "tls_established", true),
				obj("ip_address", nil, "source_address", nil, "via2", nil, "via", nil, "cipher_name", nil,
					"timestamp_tls_setup", 1.0, "tls_established", true)),
				"metadata", obj("k", `\xff`, "m", "x")),
			"/client_conn/transport_protocol: transport protocol, /client_conn/proxy_mode: proxy mode, " +
				`/server_conn/via: upstream proxy, /metadata/b"k": type of metadata, /metadata/k: type of metadata`},
		{"UDP is usual", Number(18), Version{},
			with(conns(
				obj("peername", nil, "cipher", nil, "transport_protocol", "udp", "timestamp_tls_setup", nil,
					"proxy_mode", "regular"),
				obj("peername", nil, "sockname", nil, "via", nil, "cipher", nil, "transport_protocol", "tcp",
					"timestamp_tls_setup", nil)), "metadata", none(), "type", "dns"),
			with(conns(
				obj("address", nil, "cipher_name", nil, "timestamp_tls_setup", nil, "proxy_mode", "regular",
					"tls_extensions", seq(), "tls_established", false),
				obj("ip_address", nil, "source_address", nil, "via2", nil, "via", nil, "cipher_name", nil,
					"timestamp_tls_setup", nil, "tls_established", false)), "metadata", none(), "type", "dns"),
			"/server_conn/transport_protocol: transport protocol"},

		{"regular", Number(17), Version{}, conns(obj("proxy_mode", "regular"), none()), conns(none(), none()), ""},
		{"port", Number(17), Version{}, conns(obj("proxy_mode", "regular@1"), none()), conns(none(), none()),
			"/client_conn/proxy_mode: proxy mode"},

		{"mode", Number(16), Version{}, obj("type", "http"), obj("type", "http", "mode", "regular"), ""},
		{"no mode", Number(16), Version{}, obj("type", "tcp"), obj("type", "tcp"), ""},

		{"created with the request", Number(15), Version{},
			with(conns(obj("timestamp_start", 1.0), none()), "request", obj("timestamp_start", 2), "timestamp_created", 2.0),
			with(conns(obj("timestamp_start", 1.0), none()), "request", obj("timestamp_start", 2)), ""},
		{"created before", Number(15), Version{},
			with(conns(obj("timestamp_start", 1.0), none()), "timestamp_created", 0.5),
			conns(obj("timestamp_start", 1.0), none()), "/timestamp_created: time of creation"},

		{"injected", Number(14), Version{},
			obj("websocket", obj("messages", seq(seq(1, true, b("x"), 1, true, true), seq(1, true, b("x"), 1, true, true)))),
			obj("websocket", obj("messages", seq(seq(1, true, b("x"), 1, true), seq(1, true, b("x"), 1, true)))),
			"/websocket/messages: injected flags"},
		{"not injected", Number(14), Version{},
			obj("websocket", obj("messages", seq(seq(1, true, b("x"), 1, true, false)))),
			obj("websocket", obj("messages", seq(seq(1, true, b("x"), 1, true)))), ""},
		{"no websocket", Number(14), Version{}, obj("websocket", nil), obj("websocket", nil), ""},

		{"comment", Number(13), Version{}, obj("comment", "c"), none(), "/comment: comment"},
		{"no comment", Number(13), Version{}, obj("comment", ""), none(), ""},

		{"marked", Number(12), Version{}, obj("marked", ":default:"), obj("marked", true), ""},
		{"marker", Number(12), Version{}, obj("marked", ":grapes:"), obj("marked", true), "/marked: name of the marker"},
		{"not marked", Number(12), Version{}, obj("marked", ""), obj("marked", false), ""},

		{"not websocket", Number(11), Version{}, obj("type", "http", "websocket", nil), obj("type", "http"), ""},

		{"alpn", Number(10), Version{},
			conns(obj("alpn", b("h2")), obj("alpn", nil, "via2", nil, "sni", nil)),
			conns(obj("alpn_proto_negotiated", b("h2")), obj("alpn_proto_negotiated", nil, "via2", nil, "sni", nil)), ""},
		{"upstream proxy", Number(10), Version{},
			conns(obj("alpn", nil), obj("alpn", nil, "via2", seq(), "sni", true, "address", seq("h", 1))),
			conns(obj("alpn_proto_negotiated", nil), obj("alpn_proto_negotiated", nil, "via2", nil, "sni", "h",
				"address", seq("h", 1))), "/server_conn/via: upstream proxy"},

		{"what follows", Number(9), Version{},
			conns(obj("sockname", seq("", 0), "cipher_name", "C", "alpn_proto_negotiated", b("h2"),
				"certificate_list", list(b("a")), "alpn_offers", list(b("h2")), "cipher_list", list("C"),
				"tls_established", true, "tls", true, "error", nil, "state", 3),
				obj("cipher_name", nil, "via2", nil, "alpn_proto_negotiated", b(""), "certificate_list", list(),
					"alpn_offers", list(), "cipher_list", list(), "tls_established", false, "tls", false, "error", nil,
					"state", 0)),
			conns(obj("cipher_name", "C", "alpn_proto_negotiated", b("h2"), "tls_established", true, "clientcert", b("a")),
				obj("alpn_proto_negotiated", b(""), "tls_established", false, "cert", nil)), ""},
		{"what does not follow", Number(9), Version{},
			conns(obj("sockname", seq("h", 1), "cipher_name", "C", "alpn_proto_negotiated", b("h2"),
				"certificate_list", list(b("a"), b("b")), "alpn_offers", list(b("h2"), b("x")), "cipher_list", list(),
				"tls_established", true, "tls", false, "error", "e"),
				obj("cipher_name", "D", "via2", nil, "alpn_proto_negotiated", nil, "certificate_list", list(b("a"), b("b")),
					"alpn_offers", list(b("h2")), "cipher_list", list("D"), "tls_established", false, "tls", true,
					"error", "e")),
			conns(obj("cipher_name", "C", "alpn_proto_negotiated", b("h2"), "tls_established", true, "clientcert", b("a")),
				obj("alpn_proto_negotiated", nil, "tls_established", false, "cert", b("a"))),
			"/client_conn/sockname: local address, /client_conn/certificate_list: certificates but the first, " +
				"/client_conn/alpn_offers: offered protocols, /client_conn/cipher_list: offered ciphers, " +
				"/client_conn/tls: TLS flag, /client_conn/error: error of the connection, " +
				"/server_conn/cipher: cipher, /server_conn/certificate_list: certificates but the first, " +
				"/server_conn/alpn_offers: offered protocols, /server_conn/cipher_list: offered ciphers, " +
				"/server_conn/tls: TLS flag, /server_conn/error: error of the connection"},
		{"what will go as well", Number(9), Tuple(0, 18),
			conns(obj("sockname", seq("", 0), "cipher_name", "C", "alpn_proto_negotiated", b("h2"),
				"certificate_list", list(), "alpn_offers", list(b("h2")), "cipher_list", list("C"),
				"tls_established", true, "tls", true, "error", nil),
				obj("cipher_name", nil, "via2", nil, "alpn_proto_negotiated", nil, "certificate_list", list(),
					"alpn_offers", list(), "cipher_list", list(), "tls_established", false, "tls", false, "error", nil)),
			conns(obj("cipher_name", "C", "alpn_proto_negotiated", b("h2"), "tls_established", true, "clientcert", nil),
				obj("alpn_proto_negotiated", nil, "tls_established", false, "cert", nil)),
			"/client_conn/alpn_offers: offered protocols, /client_conn/cipher_list: offered ciphers"},

		{"relative", Number(8), Version{},
			obj("type", "http", "is_replay", nil, "request", obj("method", b("GET"), "authority", b(""), "host", "h")),
			obj("type", "http", "request", obj("method", b("GET"), "host", b("h"), "first_line_format", "relative",
				"is_replay", false)), ""},
		{"absolute", Number(8), Version{},
			obj("type", "http", "is_replay", "request", "request", obj("method", b("GET"), "authority", b("a"), "host", "münchen.de")),
			obj("type", "http", "request", obj("method", b("GET"), "host", b("xn--mnchen-3ya.de"),
				"first_line_format", "absolute", "is_replay", true)), "/request/authority: authority"},
		{"CONNECT", Number(8), Version{},
			obj("type", "http", "is_replay", "response", "request", obj("method", b("connect"), "authority", b(""), "host", "straße")),
			obj("type", "http", "request", obj("method", b("connect"), "host", b("strasse"),
				"first_line_format", "authority", "is_replay", false)),
			"/request/host: spelling of the host, /is_replay: replay mark"},
		{"replayed tcp", Number(8), Version{},
			obj("type", "tcp", "is_replay", "request"), obj("type", "tcp"), "/is_replay: replay mark"},

		{"trailers", Number(7), Version{},
			obj("metadata", none(), "request", obj("trailers", seq()), "response", obj("trailers", nil)),
			obj("metadata", none(), "request", none(), "response", none()), "/request/trailers: trailers"},
		{"metadata", Number(7), Version{},
			obj("metadata", obj("a", 1, "b", true, "c", nil, "d", "x", "e", 1e16, "f", seq(1, "ü\n\x7f\U0001f4a9", nil),
				"g", obj(1, 0.5, nil, false), 1, "int")),
			obj("metadata", obj("a", 1, "b", true, "c", nil, "d", "x", "e", "1e+16",
				"f", `[1, "\u00fc\n\u007f\ud83d\udca9", null]`, "g", `{"1": 0.5, "null": false}`, "1", "int")),
			"/metadata/e: type of metadata, /metadata/f: type of metadata, /metadata/g: type of metadata, " +
				"/metadata/1: type of metadata"},

		{"no extensions", Number(6), Version{}, conns(obj("tls_extensions", seq()), none()), conns(none(), none()), ""},
		{"extensions", Number(6), Version{},
			conns(obj("tls_extensions", seq(seq(0, b("")))), none()), conns(none(), none()),
			"/client_conn/tls_extensions: TLS extensions"},

		{"ssl", Number(5), Version{},
			conns(obj("tls_established", true, "timestamp_tls_setup", 1.0),
				obj("tls_established", false, "timestamp_tls_setup", nil, "via", obj("tls_established", nil,
					"timestamp_tls_setup", nil))),
			conns(obj("ssl_established", true, "timestamp_ssl_setup", 1.0),
				obj("ssl_established", false, "timestamp_ssl_setup", nil, "via", obj("ssl_established", nil,
					"timestamp_ssl_setup", nil))), ""},

		{"ids", Number(4), Version{},
			conns(obj("id", "x", "timestamp_start", 1.0, "address", seq("h", 1)),
				obj("id", derivedID(t, false, 2, seq("h", 1)), "timestamp_start", 2.0, "source_address", seq("h", 1))),
			conns(obj("timestamp_start", 1.0, "address", seq("h", 1)),
				obj("timestamp_start", 2.0, "source_address", seq("h", 1))), "/client_conn/id: id of the connection"},
		{"ids of bytes", Number(4), Tuple(0, 17),
			conns(obj("id", derivedID(t, true, 1, seq(b("h"), 1)), "timestamp_start", 1.0, "address", seq("h", 1)),
				obj("id", derivedID(t, false, 2, seq("h", 1)), "timestamp_start", 2.0, "source_address", seq("h", 1))),
			conns(obj("timestamp_start", 1.0, "address", seq("h", 1)),
				obj("timestamp_start", 2.0, "source_address", seq("h", 1))), "/server_conn/id: id of the connection"},

		{"addresses", Tuple(2, 0), Version{},
			conns(obj("address", seq("h", 1), "mitmcert", nil),
				obj("address", seq("::1", 1), "source_address", nil, "ip_address", seq("h", 1), "tls_version", nil,
					"via", obj("address", seq("h", 1), "tls_version", nil))),
			conns(obj("address", addr("h")),
				obj("address", addr("::1"), "source_address", nil, "ip_address", addr("h"), "via", obj("address", addr("h")))), ""},
		{"TLS", Tuple(2, 0), Version{},
			conns(obj("mitmcert", b("PEM")), obj("tls_version", "TLSv1.3")), conns(none(), none()),
			"/client_conn/mitmcert: certificate of mitmproxy, /server_conn/tls_version: TLS version"},

		{"sticky", Tuple(0, 18), Version{},
			with(conns(obj("sni", nil, "cipher_name", nil, "tls_version", nil, "alpn_proto_negotiated", nil),
				obj("sni", "h", "alpn_proto_negotiated", nil)), "type", "http", "mode", "regular", "metadata", none(),
				"request", none()),
			with(conns(none(), obj("sni", "h")), "type", "http",
				"request", obj("stickycookie", false, "stickyauth", false)), ""},
		{"TLS of the client", Tuple(0, 18), Version{},
			with(conns(obj("sni", "h", "cipher_name", "C", "tls_version", "T", "alpn_proto_negotiated", b("h2")),
				obj("alpn_proto_negotiated", b("h2"))), "type", "tcp", "metadata", obj("a", nil)),
			with(conns(none(), none()), "type", "tcp"),
			"/metadata: metadata, /client_conn/sni: server name, /client_conn/cipher: cipher, " +
				"/client_conn/tls_version: TLS version, /client_conn/alpn: negotiated protocol, " +
				"/server_conn/alpn: negotiated protocol"},

		{"mark", Tuple(0, 17), Version{},
			obj("type", "http", "marked", true, "request", obj("port", "80"),
				"server_conn", obj("ip_address", nil, "sni", "ü", "via", obj("ip_address", nil, "sni", "h"))),
			obj("type", "http", "request", obj("port", 80),
				"server_conn", obj("peer_address", nil, "sni", "ü", "via", obj("peer_address", nil, "sni", "h"))),
			"/marked: mark, /server_conn/sni: spelling of the server name"},

		{"resolved address", Tuple(0, 16), Version{},
			obj("server_conn", obj("peer_address", addr("h"), "via", obj("peer_address", nil))),
			obj("server_conn", obj("via", none())), "/server_conn/peername: resolved address"},

		{"messages", Tuple(0, 15), Version{},
			with(conns(obj("clientcert", b("PEM")), obj("address", nil)),
				"request", obj("stickycookie", false, "stickyauth", true, "first_line_format", "absolute", "content", nil),
				"response", obj("reason", b("OK"), "content", nil)),
			with(conns(obj("clientcert", nil), obj("address", obj("address", seq("", 0), "use_ipv6", false))),
				"request", obj("first_line_format", "absolute", "content", nil, "form_out", "absolute"),
				"response", obj("msg", b("OK"), "body", nil)),
			"/client_conn/certificate_list: client certificate, /server_conn/address: missing address of the server"},

		{"versions", Tuple(0, 13), Version{},
			obj("request", obj("first_line_format", "relative", "http_version", b("HTTP/1.0")),
				"response", obj("http_version", b("HTTP/2.0"), "status_code", 200, "body", b("x")), "server_conn", obj("via", nil)),
			obj("request", obj("form_in", "relative", "httpversion", seq(1, 0)),
				"response", obj("httpversion", seq(2, 0), "code", 200, "content", b("x")), "server_conn", obj("state", seq())), ""},
		{"odd versions", Tuple(0, 13), Version{},
			obj("request", obj("first_line_format", "relative", "http_version", b("HTTP/3")),
				"response", obj("http_version", b("ICY"), "status_code", 200, "body", b("x")), "server_conn", obj("via", none())),
			obj("request", obj("form_in", "relative", "httpversion", seq(3, 0)),
				"response", obj("httpversion", seq(1, 1), "code", 200, "content", b("x")), "server_conn", obj("state", seq())),
			"/request/http_version: spelling of the HTTP version, /response/http_version: spelling of the HTTP version, " +
				"/server_conn/via: upstream proxy"},
		{"no response", Tuple(0, 13), Version{},
			obj("request", obj("first_line_format", "relative", "http_version", b("HTTP/1.1")), "response", nil,
				"server_conn", obj("via", nil)),
			obj("request", obj("form_in", "relative", "httpversion", seq(1, 1)), "response", nil,
				"server_conn", obj("state", seq())), ""},
	} {
		t.Run(c.to.String()+" "+c.name, func(t *testing.T) {
			if c.target == (Version{}) {
				c.target = c.to
			}
			d := &downgrade{to: c.target, flows: []*state.Map{c.in}}
			if err := stepOf(t, c.to).Down(d, c.in); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(flowtest.Dump(c.want.Value(), true), flowtest.Dump(c.in.Value(), true)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.lost, printed(d.list)); diff != "" {
				t.Errorf("losses (-want +got):\n%s", diff)
			}
		})
	}
}

func derivedID(t *testing.T, client bool, start float64, addr []any) state.Value {
	t.Helper()
	id, err := connectionID(client, state.Float(start), flowtest.Value(addr))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func printed(losses []Loss) string {
	var out []string
	for _, l := range losses {
		out = append(out, l.String())
	}
	return strings.Join(out, ", ")
}

func to(t testing.TB, s *Stream, m *state.Map, v Version) ([]*state.Map, string) {
	t.Helper()
	flows, losses, err := s.To(m, v)
	if err != nil {
		t.Fatalf("to %s: %v", v, err)
	}
	return flows, printed(losses)
}

func http21() *state.Map { return with(http20(), "version", 21) }

// webSocket21 is an HTTP flow with messages.
func webSocket21(pairs ...any) *state.Map {
	ws := with(obj("messages", seq(seq(1, true, b("hi"), 7.0, false, false), seq(1, false, b("\xff"), 8.0, true, false),
		seq(2, false, b("hi"), 9.0, false, false)),
		"closed_by_client", false, "close_code", 1000, "close_reason", "bye", "timestamp_end", 9.5), pairs...)
	return with(http21(), "websocket", ws,
		"request", with(request20(), "headers", seq(seq(b("sec-websocket-KEY"), b("k")),
			seq(b("Sec-WebSocket-Protocol"), b("a")), seq(b("Sec-WebSocket-Protocol"), b("b\xff")))),
		"server_conn", with(server20(), "timestamp_end", 9.5))
}

func TestSplit(t *testing.T) {
	m := webSocket21()
	flows, lost := to(t, NewStream(nil), m, Number(11))
	if len(flows) != 2 || lost != "/timestamp_created: time of creation" {
		t.Fatalf("%d flows, lost: %s", len(flows), lost)
	}
	h, w := flows[0], flows[1]
	id := webSocketID("f")
	if !isUUID(id) || id == webSocketID("g") {
		t.Errorf("id %q", id)
	}
	wantH := obj("websocket", true, "websocket_flow", id)
	if diff := cmp.Diff(flowtest.Dump(wantH.Value(), false), flowtest.Dump(get(t, h, "metadata"), false)); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
	want := obj("id", id, "error", nil, "client_conn", get(t, h, "client_conn"), "server_conn", get(t, h, "server_conn"),
		"type", "websocket", "intercepted", false, "is_replay", nil, "marked", false,
		"metadata", obj("websocket_handshake", "f"),
		"messages", seq(seq(1, true, "hi", 7.0, false), seq(1, false, b("\xff"), 8.0, true), seq(2, false, b("hi"), 9.0, false)),
		"close_sender", "server", "close_code", 1000, "close_message", "(message missing)", "close_reason", "bye",
		"client_key", "k", "client_protocol", `a, b\xff`, "client_extensions", nil,
		"server_accept", "", "server_protocol", nil, "server_extensions", nil, "version", 11)
	if diff := cmp.Diff(flowtest.Dump(want.Value(), false), flowtest.Dump(w.Value(), false)); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}

	// The id can be chosen. One that the flow had before it was merged is better.
	s := NewStream(&Options{NewID: func(flow string) string { return "of " + flow }})
	for _, c := range []struct {
		metadata   *state.Map
		want, lost string
	}{
		{obj(), "of f", ""},
		{obj("websocket_flow", id, "duplicated", "x"), id, ""},
		{obj("websocket_flow", "no id", "websocket", 1), "of f",
			"/metadata/websocket: metadata, /metadata/websocket_flow: metadata"},
	} {
		flows, lost := to(t, s, with(m, "metadata", c.metadata, "timestamp_created", 3.0), Number(11))
		if got, _ := flows[1].Text("id"); got != c.want || lost != c.lost {
			t.Errorf("id %q, lost: %s; want %q and %s", got, lost, c.want, c.lost)
		}
		if meta, _ := flows[0].Map("metadata"); meta.Has("duplicated") {
			t.Error("the handshake claims to be a duplicate")
		}
	}
}

func TestSplitLosses(t *testing.T) {
	for _, c := range []struct {
		name string
		in   *state.Map
		to   Version
		want string
	}{
		{"closed", webSocket21("closed_by_client", true), Number(11), ""},
		{"open", webSocket21("closed_by_client", nil, "close_code", nil, "close_reason", nil, "timestamp_end", nil), Number(11),
			"/websocket/timestamp_end: missing end of the WebSocket connection, " +
				"/websocket/closed_by_client: that the connection was open, " +
				"/websocket/close_code: missing close code, /websocket/close_reason: missing close reason"},
		{"other end", webSocket21("timestamp_end", 10.0), Number(11), "/server_conn/timestamp_end: end of the server connection"},
		{"injected", webSocket21("messages", seq(seq(1, true, b(""), 1, false, true))), Number(11),
			"/websocket/messages: injected flags"},
		{"dropped", webSocket21("close_code", -1), Tuple(2, 0),
			"/client_conn/sockname: local address, " +
				"/client_conn/id: id of the connection, /server_conn/id: id of the connection, " +
				"/websocket/messages: flags of dropped messages, /websocket/close_code: close code"},
		{"all", webSocket21("close_code", nil), Tuple(1, 0),
			"/client_conn/sockname: local address, " +
				"/client_conn/id: id of the connection, /server_conn/id: id of the connection, " +
				"/websocket: WebSocket messages"},
		{"no metadata", webSocket21(), Tuple(0, 18),
			"/client_conn/sockname: local address, " +
				"/client_conn/id: id of the connection, /server_conn/id: id of the connection, " +
				"/websocket: WebSocket messages"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, lost := to(t, NewStream(nil), with(c.in, "timestamp_created", 3.0), c.to)
			if lost != c.want {
				t.Errorf("lost: %s\nwant: %s", lost, c.want)
			}
		})
	}
}

// WebSocket flows that are records of their own.
func TestSeparateWebSocketFlows(t *testing.T) {
	v5 := func(t *testing.T, s *Stream, m *state.Map) *state.Map {
		flows, _ := to(t, s, m, Number(5))
		return flows[0]
	}
	s := NewStream(nil)
	h, w := handshakeAndMessages("1")
	h.Set("id", state.Text("1"))
	for _, key := range []string{"client_key", "server_accept", "client_protocol", "client_extensions", "server_protocol",
		"server_extensions"} {
		w.Set(key, state.Text("x"))
	}
	h, w = v5(t, s, h), v5(t, s, w)
	if got, _ := w.Text("type"); got != "websocket" {
		t.Fatalf("type %s", got)
	}

	flows, lost := to(t, s, w, Tuple(2, 0))
	if len(flows) != 0 || lost != "WebSocket flow without handshake" {
		t.Errorf("without handshake: %d flows, lost: %s", len(flows), lost)
	}
	if flows, lost = to(t, s, h, Tuple(2, 0)); len(flows) != 1 {
		t.Fatalf("handshake: %d flows, lost: %s", len(flows), lost)
	}
	for range 2 { // a flow may have been saved twice
		got, lost := to(t, s, w, Tuple(2, 0))
		if len(got) != 1 {
			t.Fatalf("%d flows, lost: %s", len(got), lost)
		}
		if !state.Equal(get(t, got[0], "handshake_flow"), flows[0].Value()) {
			t.Errorf("handshake %s", flowtest.Dump(get(t, got[0], "handshake_flow"), false))
		}
		if n := get(t, got[0], "metadata").Len(); n != 0 {
			t.Errorf("%d metadata", n)
		}
	}
	flows, lost = to(t, s, w, Tuple(1, 0))
	if len(flows) != 0 || lost != "WebSocket flow" {
		t.Errorf("1.0: %d flows, lost: %s", len(flows), lost)
	}

	// And up again, out of a flow of 2.0.
	s = NewStream(nil)
	to(t, s, h, Tuple(2, 0))
	old, _ := to(t, s, w, Tuple(2, 0))
	flows, lost = to(t, s, old[0], Number(7))
	if len(flows) != 2 || lost != "" {
		t.Fatalf("%d flows, lost: %s", len(flows), lost)
	}
	if id, _ := get(t, flows[1], "metadata", "websocket_handshake").Text(); id != "1" {
		t.Errorf("handshake %q", id)
	}
	if merged := up(t, s, old[0]); hostOf(t, merged) != "example.com" {
		t.Error("merged with another handshake")
	}
}

func TestSkip(t *testing.T) {
	dnsMessage := obj("id", 1, "query", true, "op_code", 0, "authoritative_answer", false, "truncation", false,
		"recursion_desired", false, "recursion_available", false, "reserved", 0, "response_code", 0, "questions", seq(),
		"answers", seq(), "authorities", seq(), "additionals", seq(), "timestamp", nil)
	tcp := with(tcp20(), "version", 21, "comment", "c", "backup", with(tcp20(), "version", 21, "comment", "d"))
	dns := with(tcp, "type", "dns", "messages", gone, "request", dnsMessage, "response", nil)
	for _, c := range []struct {
		in   *state.Map
		last Version // that has such flows
		want string
		at   Version
	}{
		{tcp, Tuple(0, 18), "TCP flow", Tuple(0, 17)},
		{with(tcp, "type", "udp"), Number(18), "UDP flow", Number(17)},
		{dns, Number(17), "DNS flow", Number(16)},
	} {
		for _, v := range Versions()[1:] {
			flows, losses, err := NewStream(nil).To(c.in, v)
			if err != nil {
				t.Fatal(err)
			}
			if v.Compare(c.last) >= 0 {
				if len(flows) != 1 {
					t.Errorf("%s to %s: %d flows", c.want, v, len(flows))
				}
				continue
			}
			want := []Loss{{Flow: "f", What: c.want, Version: c.at, Skipped: true}}
			if len(flows) != 0 || !slices.Equal(losses, want) {
				t.Errorf("to %s: %d flows, losses %v, want %v", v, len(flows), losses, want)
			}
		}
	}
}

func TestDownBackup(t *testing.T) {
	m := http21()
	m.Set("timestamp_created", state.Float(3))
	for _, c := range []struct {
		name   string
		backup any
		to     Version
		want   string // version of the backup, or ""
		lost   string
	}{
		{"none", nil, Number(17), "", ""},
		{"same", m, Number(17), "17", ""},
		{"lossy", with(m, "comment", "c"), Number(13), "13", "/backup/comment: comment"},
		{"older", with(http11("f", obj()), "marked", true), Number(17), "17", ""},
		{"of the target", with(http11("f", obj()), "websocket", nil, "version", 12), Number(12), "12", ""},
		{"websocket", with(webSocket21(), "timestamp_created", 3.0), Number(11), "11", "/backup/websocket: WebSocket messages"},
		{"other type", with(tcp20(), "version", 21), Number(20), "", "/backup: backup"},
		{"other type, skipped", with(tcp20(), "version", 21, "type", "udp"), Number(17), "", "/backup: backup"},
		{"broken", with(m, "request", 1), Number(20), "", "/backup: backup"},
		{"no flow", 1, Number(20), "", "/backup: backup"},
		// As the vectors have it.
		{"below 4", m, Tuple(0, 18), "4", "/backup/client_conn/sockname: local address, " +
			"/backup/client_conn/id: id of the connection, /backup/server_conn/id: id of the connection, " +
			"/client_conn/sockname: local address, /client_conn/id: id of the connection, /server_conn/id: id of the connection"},
		{"below 0.18", m, Tuple(0, 17), "4", "/backup: backup, " +
			"/client_conn/sockname: local address, /client_conn/id: id of the connection, /server_conn/id: id of the connection"},
	} {
		t.Run(c.name, func(t *testing.T) {
			flows, lost := to(t, NewStream(nil), with(m, "backup", c.backup), c.to)
			if lost != c.lost {
				t.Errorf("lost: %s\nwant: %s", lost, c.lost)
			}
			v, _ := flows[0].Get("backup")
			if c.to.Compare(Tuple(0, 18)) < 0 {
				v, _ = flows[0].GetKey(backupKey)
			}
			if v.IsNull() {
				if has := flows[0].Has("backup"); has != (c.to.Compare(Number(19)) >= 0) {
					t.Errorf("null backup: %t", has)
				}
				if c.want != "" {
					t.Errorf("no backup, want one of version %s", c.want)
				}
				return
			}
			b, err := v.Map()
			if err != nil {
				t.Fatal(err)
			}
			if have, err := VersionOf(b); err != nil || have.String() != c.want {
				t.Errorf("version %s, %v, want %s", have, err, c.want)
			}
			if i := flows[0].Len() - 1; c.to.Compare(Number(19)) < 0 && flows[0].Entry(i).Value.Kind() != state.KindMap {
				t.Error("the backup is not the last key")
			}
		})
	}
}

func TestToErrors(t *testing.T) {
	client := func(key string, v any) *state.Map { return with(http21(), "client_conn", with(client20(), key, v)) }
	for _, c := range []struct {
		name string
		in   *state.Map
		to   Version
		want string
	}{
		{"target", http21(), Number(22), "format version 22 is newer than 21, the newest this build reads"},
		{"oldest", http21(), Oldest, "there is no way to format version 0.10, which no later release reads"},
		{"no target", http21(), Version{}, "format version is missing"},
		{"version", obj(), Number(20), "format version is missing"},
		{"no flow", obj("version", 21), Number(20), "migrating format version 21 to 20: /type: missing"},
		{"type", obj("version", 21, "type", 1), Number(20), "migrating format version 21 to 20: /type: is int, want text"},
		{"unknown type", obj("version", 21, "type", "websocket"), Number(20),
			`migrating format version 21 to 20: /type: unknown flow type "websocket"`},
		{"missing", client("sni", gone), Number(20), "migrating format version 21 to 20: /client_conn/sni: missing"},
		{"kind", client("tls", 1), Number(4), "migrating format version 21 to 4: /client_conn/tls: is int, want bool"},
		{"older missing", with(http20(), "client_conn", with(client20(), "sni", gone)), Number(12),
			"migrating format version 20 to 12: /client_conn/sni: missing"},
		{"older kind", with(http20(), "client_conn", with(client20(), "proxy_mode", 1)), Number(12),
			"migrating format version 19 to 18: /client_conn/proxy_mode: is int, want text"},
		{"metadata", with(http21(), "metadata", seq()), Number(18),
			"migrating format version 19 to 18: /metadata: is list, want map"},
		{"header", with(webSocket21(), "request", with(request20(), "headers", seq(seq(b("a"))))), Number(11),
			"migrating format version 12 to 11: /request/headers/0: is list of 1, want list of name and value"},
		{"message", with(http11("x", obj()), "version", 12, "websocket", obj("messages", seq(1), "closed_by_client", nil,
			"close_code", nil, "close_reason", nil, "timestamp_end", nil)), Number(11),
			"migrating format version 12 to 11: /websocket/messages/0: is int, want list"},
		{"id", with(webSocket21(), "id", 1), Number(11), "migrating format version 12 to 11: /id: is int, want text"},
		{"up", with(http11("x", obj()), "client_conn", obj()), Number(12),
			"migrating format version 11 to 12: /client_conn/id: missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := flowtest.Dump(c.in.Value(), false)
			flows, losses, err := NewStream(nil).To(c.in, c.to)
			if err == nil || err.Error() != c.want {
				t.Fatalf("error %v\nwant  %s", err, c.want)
			}
			_, ok1 := errors.AsType[*StepError](err)
			_, ok2 := errors.AsType[*VersionError](err)
			if ok1 == ok2 || flows != nil || losses != nil {
				t.Errorf("%T, %d flows, losses %v", err, len(flows), losses)
			}
			if diff := cmp.Diff(before, flowtest.Dump(c.in.Value(), false)); diff != "" {
				t.Errorf("the state was changed (-before +after):\n%s", diff)
			}
		})
	}
}

func TestUnknownKeys(t *testing.T) {
	m := with(http21(), "x/y", 1, b("type"), "tcp", "request", with(request20(), "x", 1),
		"metadata", obj("x", 1), "response", with(response20(), 1, 1))
	_, lost := to(t, NewStream(nil), m, Number(20))
	const want = `/request/x: unknown key, /response/1: unknown key, /x~1y: unknown key, /b"type": unknown key`
	if lost != want {
		t.Errorf("lost: %s\nwant: %s", lost, want)
	}
}

// TestManyKeys: tens of thousands of keys that nobody knows take no longer than
// they have to. With a look at all of them for each, this would take minutes.
func TestManyKeys(t *testing.T) {
	const n = 100_000
	unknown := make([]state.Entry, n)
	for i := range unknown {
		unknown[i] = state.E(fmt.Sprint("key", i), state.NewList(state.Int(1)).Value())
	}
	m := with(http20(), "metadata", state.NewMap(unknown...).Value())
	entries := slices.Clone(unknown)
	for k, v := range m.All() {
		entries = append(entries, state.Entry{Key: k, Value: v})
	}
	_, losses, err := NewStream(nil).To(state.NewMap(entries...), Tuple(0, 18))
	if err != nil {
		t.Fatal(err)
	}
	if len(losses) < n {
		t.Errorf("%d losses", len(losses))
	}
}

func TestSameVersionIsUntouched(t *testing.T) {
	for _, v := range Versions()[1:] {
		m := obj("version", 1, "x", 1)
		setVersion(m, v)
		flows, losses, err := NewStream(nil).To(m, v)
		if err != nil || len(losses) != 0 || len(flows) != 1 || flows[0] != m {
			t.Errorf("%s: %d flows, losses %v, %v", v, len(flows), losses, err)
		}
	}
}

// There is no text below 0.18.
func TestNoText(t *testing.T) {
	m := with(http21(), "error", obj("msg", "é", "timestamp", 1.0))
	flows, _ := to(t, NewStream(nil), with(m, "backup", m), Tuple(0, 17))
	var check func(v state.Value)
	check = func(v state.Value) {
		if v.Kind() == state.KindText {
			t.Errorf("text %s", v)
		}
		if v.Kind() >= state.KindList {
			elems, err := v.Elements(nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range elems {
				check(e)
			}
		}
	}
	check(flows[0].Value())
	if v, _ := flows[0].GetKey(versionKey); v.Len() != 2 {
		t.Errorf("version %s", v)
	}
}

func TestLossError(t *testing.T) {
	m := with(http21(), "comment", "secret", "marked", ":x:", "client_conn", with(client20(), "sockname", seq("secret", 1)))
	_, losses, err := NewStream(nil).To(m, Number(9))
	if err != nil {
		t.Fatal(err)
	}
	e := error(&LossError{To: Number(9), Losses: losses})
	const want = `format version 9 cannot hold all of flow "f": time of creation, comment, name of the marker, …`
	if e.Error() != want {
		t.Errorf("error %s\nwant  %s", e, want)
	}
	for _, l := range losses {
		if l.Flow != "f" || strings.Contains(l.String(), "secret") || l.Derived != (l.What == "time of creation") {
			t.Errorf("loss %+v", l)
		}
	}
	if l := losses[1]; l.Version != Number(13) {
		t.Errorf("the comment is lost in version %s", l.Version)
	}
}

func TestEncodeHost(t *testing.T) {
	for _, c := range []struct{ host, want string }{
		{"", ""},
		{"Example.COM.", "Example.COM."},
		{"a..b", "a..b"},
		{"xn--mnchen-3ya.de", "xn--mnchen-3ya.de"},
		{"münchen.de", "xn--mnchen-3ya.de"},
		{"WWW.münchen.de.", "WWW.xn--mnchen-3ya.de."},
		{"MÜNCHEN。de", "xn--mnchen-3ya.de"},
		{"💩.la", "xn--ls8h.la"},
		{"straße.de", "strasse.de"},
		{strings.Repeat("ü", 64), strings.Repeat("ü", 64)}, // no such label
		{"ü\u0378.de", "ü\u0378.de"},
	} {
		if got := string(encodeHost(c.host)); got != c.want {
			t.Errorf("%q becomes %q, want %q", c.host, got, c.want)
		}
	}
}

// The rows of all versions are written by hand.
func TestLayouts(t *testing.T) {
	layouts := layouts()
	for i, l := range layouts {
		if i > 0 && layouts[i-1].version.Compare(l.version) >= 0 {
			t.Errorf("%s comes before %s", layouts[i-1].version, l.version)
		}
		if l.version.check() != nil {
			t.Errorf("%s is no version", l.version)
		}
		var check func(at string, s *shape, depth int)
		check = func(at string, s *shape, depth int) {
			if len(s.keys) == 0 || depth > 3 {
				if len(s.keys) == 0 {
					t.Errorf("%s: no keys of %s", l.version, at)
				}
				return
			}
			seen := map[string]bool{}
			for _, key := range s.keys {
				if seen[key] {
					t.Errorf("%s: %s has %s twice", l.version, at, key)
				}
				seen[key] = true
				if part, ok := s.parts[key]; ok {
					check(at+"/"+key, part.shape, depth+1)
				}
			}
		}
		for typ, s := range l.layout {
			check(typ, s, 0)
		}
	}
	// The newest row says what schema says as well.
	for typ, s := range layoutOf(Newest) {
		var keys []string
		for _, f := range flowSchema.of(typ).fields {
			keys = append(keys, f.key)
		}
		if diff := cmp.Diff(keys, s.keys); diff != "" {
			t.Errorf("%s (-schema +layout):\n%s", typ, diff)
		}
	}
}

func TestToIsConcurrent(t *testing.T) {
	s := NewStream(nil)
	in := encoded(t, with(webSocket21(), "backup", http11("f", obj())))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, v := range Versions()[1:] {
				if _, _, err := s.To(open(t, string(in)), v); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if s.records != 0 || len(s.pending.byID) != 0 || len(s.embedded.byID) != 0 {
		t.Error("the stream remembers something")
	}
}
