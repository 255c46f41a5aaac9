package migrate

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

// conns makes what most steps work on: both connections.
func conns(client, server *state.Map) *state.Map {
	return obj("client_conn", client, "server_conn", server)
}

func TestSteps(t *testing.T) {
	none := func() *state.Map { return obj() }
	for _, c := range []struct {
		name     string
		from     Version
		in, want *state.Map
	}{
		{"response and version", Tuple(0, 13),
			obj("request", obj("form_in", "relative", "httpversion", seq(1, 1)),
				"response", obj("httpversion", seq(1, 0), "code", 200, "content", b("x")),
				"server_conn", obj("state", seq())),
			obj("request", obj("first_line_format", "relative", "http_version", b("HTTP/1.1")),
				"response", obj("http_version", b("HTTP/1.0"), "status_code", 200, "body", b("x")),
				"server_conn", obj("via", nil))},
		{"no response", Tuple(0, 13),
			obj("request", obj("form_in", "relative", "httpversion", seq(2)), "response", nil, "server_conn", none()),
			obj("request", obj("first_line_format", "relative", "http_version", b("HTTP/2")), "response", nil,
				"server_conn", obj("via", nil))},
		{"body", Tuple(0, 15),
			obj("request", obj("content", nil, "form_out", "relative"), "response", obj("body", b("x"), "msg", b("OK"))),
			obj("request", obj("content", nil), "response", obj("content", b("x"), "reason", b("OK")))},
		{"via within via", Tuple(0, 16),
			obj("server_conn", obj("via", obj("via", obj("via", nil)))),
			obj("server_conn", obj("via", obj("via", obj("via", nil, "peer_address", nil), "peer_address", nil),
				"peer_address", nil))},
		{"text", Tuple(0, 17),
			obj("type", b("http"), "id", b("x"), "request", obj("first_line_format", b("relative"), "host", b("h")),
				"error", obj("msg", b("caf\xe9")), "server_conn", obj("peer_address", nil)),
			obj("type", "http", "id", "x", "request", obj("first_line_format", "relative", "host", b("h")),
				"error", obj("msg", `caf\xe9`), "server_conn", obj("ip_address", nil), "marked", false)},
		{"tcp", Tuple(0, 18),
			with(conns(none(), none()), "type", "tcp"),
			with(conns(obj("sni", nil, "alpn_proto_negotiated", nil, "cipher_name", nil, "tls_version", nil),
				obj("alpn_proto_negotiated", nil)), "type", "tcp", "mode", "regular", "metadata", none())},
		{"addresses", Tuple(2, 0),
			conns(obj("address", obj("address", seq("h", 1), "use_ipv6", false)),
				obj("address", obj("address", seq("::1", 1, 0, 2), "use_ipv6", true), "source_address", nil,
					"ip_address", seq("1.2.3.4", 1), "via", obj("address", obj("address", seq(b("v"), 2))))),
			conns(obj("address", seq("h", 1), "mitmcert", nil),
				obj("address", seq("::1", 1, 0, 2), "source_address", nil, "ip_address", seq("1.2.3.4", 1),
					"tls_version", nil, "via", obj("address", seq(b("v"), 2), "tls_version", nil)))},
		{"websocket of 2.0", Tuple(2, 0),
			with(conns(none(), none()), "type", "websocket", "close_code", "1001",
				"messages", seq(seq(1, true, b("x"), 1.0))),
			with(conns(obj("mitmcert", nil), obj("tls_version", nil)), "type", "websocket", "close_code", 1001,
				"messages", seq(seq(1, true, b("x"), 1.0, false)))},
		{"no close code", Tuple(2, 0),
			with(conns(none(), none()), "type", "websocket", "close_code", "(status code missing)", "messages", seq()),
			with(conns(obj("mitmcert", nil), obj("tls_version", nil)), "type", "websocket", "close_code", nil,
				"messages", seq())},
		{"replayed request", Number(8),
			obj("request", obj("first_line_format", "relative", "is_replay", true, "host", b("h")),
				"response", obj("is_replay", true)),
			obj("request", obj("authority", b(""), "host", b("h")), "response", none(), "is_replay", "request")},
		{"replayed response", Number(8),
			obj("request", none(), "response", obj("is_replay", true)),
			obj("request", obj("authority", b("")), "response", none(), "is_replay", "response")},
		{"not replayed", Number(8),
			obj("request", obj("is_replay", false), "response", nil),
			obj("request", obj("authority", b("")), "response", nil, "is_replay", nil)},
		{"lists", Number(9),
			conns(obj("clientcert", b("PEM"), "tls_established", true, "alpn_proto_negotiated", b("h2"), "cipher_name", "X"),
				obj("cert", nil, "tls_established", nil, "alpn_proto_negotiated", b(""), "cipher_name", "Y")),
			conns(obj("certificate_list", seq(b("PEM")), "tls_established", true, "alpn_proto_negotiated", b("h2"),
				"cipher_name", "X", "sockname", seq("", 0), "alpn_offers", seq(b("h2")), "cipher_list", seq("X"),
				"tls", true, "state", 0, "error", nil),
				obj("certificate_list", seq(), "tls_established", nil, "alpn_proto_negotiated", b(""),
					"cipher_name", nil, "via2", nil, "alpn_offers", seq(), "cipher_list", seq(), "tls", false,
					"state", 0, "error", nil))},
		{"sni", Number(10),
			conns(obj("sni", b("h\xc3\xbc"), "alpn_proto_negotiated", nil, "alpn_offers", nil, "cipher_list", seq("X")),
				obj("sni", "h", "alpn_proto_negotiated", b("h2"), "alpn_offers", seq(b("h2")))),
			conns(obj("sni", `h\xc3\xbc`, "alpn", nil, "alpn_offers", seq(), "cipher_list", seq("X")),
				obj("sni", "h", "alpn", b("h2"), "alpn_offers", seq(b("h2")), "cipher_list", seq()))},
		{"websocket key", Number(11), obj("type", "http"), obj("type", "http", "websocket", nil)},
		{"no websocket key", Number(11), obj("type", "tcp"), obj("type", "tcp")},
		{"marked", Number(12), obj("marked", true), obj("marked", ":default:")},
		{"not marked", Number(12), none(), obj("marked", "")},
		{"times of the response", Number(13),
			obj("request", obj("timestamp_start", 1, "timestamp_end", 2.5), "response", obj("timestamp_start", nil)),
			obj("request", obj("timestamp_start", 1, "timestamp_end", 2.5),
				"response", obj("timestamp_start", 2.5, "timestamp_end", 3.5), "comment", "")},
		{"no time but of the client", Number(13),
			obj("client_conn", obj("timestamp_start", 9), "request", obj("timestamp_start", nil, "timestamp_end", nil),
				"response", obj("timestamp_start", nil)),
			obj("client_conn", obj("timestamp_start", 9), "request", obj("timestamp_start", 9, "timestamp_end", nil),
				"response", obj("timestamp_start", 9, "timestamp_end", 10), "comment", "")},
		{"no time at all", Number(13),
			obj("client_conn", obj("timestamp_start", nil), "request", obj("timestamp_start", nil), "response", nil),
			obj("client_conn", obj("timestamp_start", nil), "request", obj("timestamp_start", 0), "response", nil,
				"comment", "")},
		{"messages", Number(14),
			obj("websocket", obj("messages", seq(seq(1, true, b("x"), 1.0, true)))),
			obj("websocket", obj("messages", seq(seq(1, true, b("x"), 1.0, true, false))))},
		{"created by request", Number(15),
			obj("client_conn", obj("timestamp_start", 1.0), "request", obj("timestamp_start", 2)),
			obj("client_conn", obj("timestamp_start", 1.0), "request", obj("timestamp_start", 2), "timestamp_created", 2)},
		{"created by client", Number(15),
			obj("client_conn", obj("timestamp_start", 1.0)),
			obj("client_conn", obj("timestamp_start", 1.0), "timestamp_created", 1.0)},
		{"created never", Number(15),
			obj("client_conn", obj("timestamp_start", nil)),
			obj("client_conn", obj("timestamp_start", nil), "timestamp_created", 0.0)},
		{"names", Number(18),
			with(conns(
				obj("address", seq(b("h\xfc"), 1), "timestamp_start", nil, "tls_extensions", seq(), "cipher_name", "X",
					"tls", nil, "tls_established", true),
				obj("address", seq(b("\xc3\xbc"), 2, 0, 0), "ip_address", nil, "source_address", seq(b("s"), 3),
					"via", obj("address", seq("gone", 1)), "via2", seq("http", seq("p", 4)), "tls", false,
					"tls_established", true, "sni", true)), "type", "http"),
			with(conns(
				obj("peername", seq(`h\xfc`, 1), "timestamp_start", 0.0, "cipher", "X", "tls", true,
					"transport_protocol", "tcp"),
				obj("address", seq("ü", 2, 0, 0), "peername", nil, "sockname", seq("s", 3),
					"via", seq("http", seq("p", 4)), "tls", false, "sni", "ü", "cipher", nil,
					"transport_protocol", "tcp")), "type", "http")},
		{"udp", Number(18),
			with(conns(obj("timestamp_start", 1), obj("address", nil, "sni", true)), "type", "udp"),
			with(conns(obj("timestamp_start", 1, "peername", nil, "cipher", nil, "transport_protocol", "udp"),
				obj("address", nil, "sni", nil, "peername", nil, "sockname", nil, "via", nil, "cipher", nil,
					"transport_protocol", "udp")), "type", "udp")},
		{"state", Number(19), conns(obj("state", 3), none()), conns(none(), none())},
		{"quic", Number(20),
			conns(obj("tls_version", "QUIC", "proxy_mode", "OSProxy:curl@8080"), obj("tls_version", "QUIC", "proxy_mode", "osproxy")),
			conns(obj("tls_version", "QUICv1", "proxy_mode", "local:curl@8080"), obj("tls_version", "QUICv1", "proxy_mode", "osproxy"))},
		{"other modes", Number(20),
			conns(obj("tls_version", "UNKNOWN", "proxy_mode", "reverse:osproxy"), obj("tls_version", nil)),
			conns(obj("tls_version", "UNKNOWN", "proxy_mode", "reverse:osproxy"), obj("tls_version", nil))},
	} {
		t.Run(c.from.String()+" "+c.name, func(t *testing.T) {
			u := &upgrade{chain: steps, schema: flowSchema, to: Newest, flow: c.in}
			if err := stepOf(t, c.from).Up(u, c.in); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(flowtest.Dump(c.want.Value(), true), flowtest.Dump(u.flow.Value(), true)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func stepOf(t *testing.T, from Version) step {
	for _, st := range steps {
		if st.From == from {
			return st
		}
	}
	t.Fatalf("no step from %s", from)
	panic("unreachable")
}

func TestStepErrors(t *testing.T) {
	for _, c := range []struct {
		name string
		in   *state.Map
		want string
	}{
		{"no ssl_established", with(conns(obj(), obj()), "version", 5),
			"migrating format version 5 to 6: /client_conn/ssl_established: missing"},
		{"sni", with(http11("x", obj()), "version", 10, "client_conn", obj("sni", 1)),
			"migrating format version 10 to 11: /client_conn/sni: is int, want bytes, text or null"},
		{"no connections", obj("version", 19),
			"migrating format version 19 to 20: /client_conn: missing"},
		{"message", with(http20(), "version", 14, "websocket", obj("messages", seq(seq(), 1))),
			"migrating format version 14 to 15: /websocket/messages/1: is int, want list"},
		{"key", obj("version", seq(0, 17), "request", obj([]byte("\xff"), nil)),
			`migrating format version 0.17 to 0.18: /request/b"\xff": key is not UTF-8`},
		{"handshake", with(websocket11("w", obj()), "handshake_flow", obj("version", seq(2, 0), "client_conn", nil)),
			"migrating format version 11 to 12: /handshake_flow/client_conn: is null, want map"},
		{"type", with(tcp20(), "type", "quic"),
			`migrating format version 20 to 21: /type: unknown flow type "quic"`},
		{"missing", with(tcp20(), "client_conn", with(client20(), "sni", gone)),
			"migrating format version 20 to 21: /client_conn/sni: missing"},
		{"no request", with(http20(), "request", nil),
			"migrating format version 20 to 21: /request: is null, want map"},
		{"from afar", with(http11("x", obj()), "client_conn", with(client11(), "address", seq(5, 1))),
			"migrating format version 11 to 21: /client_conn/peername/0: is int, want text"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := NewStream(nil).Up(c.in)
			if err == nil || err.Error() != c.want {
				t.Fatalf("error %v\nwant  %s", err, c.want)
			}
			if _, ok := errors.AsType[*StepError](err); !ok {
				t.Errorf("%T is no StepError", err)
			}
			if _, ok := errors.AsType[*state.PathError](err); !ok {
				t.Error("no path")
			}
		})
	}
}

// What is not decoded must not be mistaken for empty.
func TestMalformedIsNotEmpty(t *testing.T) {
	damaged := open(t, "12:5:error;1:x}}")
	v, _ := damaged.Get("error")
	_, err := NewStream(nil).Up(with(http20(), "error", v))
	if _, ok := errors.AsType[*StepError](err); !ok {
		t.Errorf("error %v, want a StepError", err)
	}
}
