package migrate

import (
	"math/big"
	"testing"

	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

// obj makes a map of keys and values in turn. Keys may be bytes as well.
func obj(pairs ...any) *state.Map {
	m := state.NewMap()
	for i := 0; i < len(pairs); i += 2 {
		m.SetKey(flowtest.Value(pairs[i]), flowtest.Value(pairs[i+1]))
	}
	return m
}

func seq(elems ...any) []any { return elems }

func b(s string) []byte { return []byte(s) }

// with returns a copy of m with some keys set, and those removed whose value is
// the function gone.
func with(m *state.Map, pairs ...any) *state.Map {
	m = m.Clone()
	for i := 0; i < len(pairs); i += 2 {
		if _, ok := pairs[i+1].(removed); ok {
			m.DeleteKey(flowtest.Value(pairs[i]))
			continue
		}
		m.SetKey(flowtest.Value(pairs[i]), flowtest.Value(pairs[i+1]))
	}
	return m
}

type removed struct{}

var gone removed

func get(t testing.TB, m *state.Map, keys ...string) state.Value {
	t.Helper()
	v := m.Value()
	for _, k := range keys {
		sub, err := v.Map()
		if err != nil {
			t.Fatalf("%v: %v", keys, err)
		}
		var ok bool
		if v, ok = sub.Get(k); !ok {
			t.Fatalf("%v: no %q", keys, k)
		}
	}
	return v
}

// client20, server20, http20 and tcp20 are a flow of version 20, without
// surprises.
func client20() *state.Map {
	return obj("peername", seq("127.0.0.1", 50000), "sockname", seq("127.0.0.1", 8080), "id", "c",
		"transport_protocol", "tcp", "error", nil, "tls", false, "certificate_list", seq(), "alpn", nil,
		"alpn_offers", seq(), "cipher", nil, "cipher_list", seq(), "tls_version", nil, "sni", nil,
		"timestamp_start", 1.0, "timestamp_end", nil, "timestamp_tls_setup", nil, "mitmcert", nil,
		"proxy_mode", "regular")
}

func server20() *state.Map {
	return obj("peername", nil, "sockname", nil, "id", "s", "transport_protocol", "tcp", "error", nil,
		"tls", false, "certificate_list", seq(), "alpn", nil, "alpn_offers", seq(), "cipher", nil,
		"cipher_list", seq(), "tls_version", nil, "sni", nil, "timestamp_start", 2.0, "timestamp_end", nil,
		"timestamp_tls_setup", nil, "address", seq("example.com", 80), "timestamp_tcp_setup", nil, "via", nil)
}

func tcp20() *state.Map {
	return obj("version", 20, "type", "tcp", "id", "f", "error", nil, "client_conn", client20(),
		"server_conn", server20(), "intercepted", false, "is_replay", nil, "marked", "", "metadata", obj(),
		"comment", "", "timestamp_created", 1.5, "backup", nil, "messages", seq())
}

func request20() *state.Map {
	return obj("http_version", b("HTTP/1.1"), "headers", seq(seq(b("Host"), b("example.com"))),
		"content", b(""), "trailers", nil, "timestamp_start", 3.0, "timestamp_end", 4.0, "host", "example.com",
		"port", 80, "method", b("GET"), "scheme", b("http"), "authority", b(""), "path", b("/"))
}

func response20() *state.Map {
	return obj("http_version", b("HTTP/1.1"), "headers", seq(), "content", b("hello"), "trailers", nil,
		"timestamp_start", 5.0, "timestamp_end", 6.0, "status_code", 200, "reason", b("OK"))
}

func http20() *state.Map {
	return with(tcp20(), "type", "http", "messages", gone, "request", request20(), "response", response20(),
		"websocket", nil)
}

func client11() *state.Map {
	return with(client20(), "peername", gone, "address", seq("127.0.0.1", 50000), "transport_protocol", gone,
		"cipher", gone, "cipher_name", nil, "proxy_mode", gone, "tls_extensions", nil, "tls_established", false,
		"state", 0)
}

func server11() *state.Map {
	return with(server20(), "peername", gone, "sockname", gone, "ip_address", nil, "source_address", nil,
		"transport_protocol", gone, "cipher", gone, "cipher_name", nil, "via2", nil, "tls_established", false,
		"state", 0)
}

// http11 is an HTTP flow of version 11, websocket11 a WebSocket flow of that
// version.
func http11(id string, metadata *state.Map) *state.Map {
	return with(http20(), "version", 11, "id", id, "client_conn", client11(), "server_conn", server11(),
		"marked", false, "metadata", metadata, "comment", gone, "timestamp_created", gone, "backup", gone,
		"websocket", gone, "mode", "regular")
}

func websocket11(id string, metadata *state.Map) *state.Map {
	return with(http11(id, metadata), "type", "websocket", "request", gone, "response", gone, "mode", gone,
		"messages", seq(seq(1, true, b("hi"), 7.0, false)), "close_sender", "server", "close_code", 1000,
		"close_message", "(message missing)", "close_reason", "bye")
}

func bigPow(base, exp int64) *big.Int {
	return new(big.Int).Exp(big.NewInt(base), big.NewInt(exp), nil)
}
