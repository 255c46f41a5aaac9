package migrate

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

func TestFinish(t *testing.T) {
	ws := func(pairs ...any) *state.Map {
		return with(obj("messages", seq(), "closed_by_client", nil, "close_code", nil, "close_reason", nil,
			"timestamp_end", nil), pairs...)
	}
	for _, c := range []struct {
		name     string
		in, want *state.Map
	}{
		{"times",
			with(http20(), "client_conn", with(client20(), "timestamp_start", 1, "timestamp_end", true),
				"server_conn", with(server20(), "timestamp_start", 2), "error", obj("timestamp", 3, "msg", "x"),
				"timestamp_created", 4),
			with(http20(), "client_conn", with(client20(), "timestamp_start", 1.0, "timestamp_end", 1.0),
				"server_conn", with(server20(), "timestamp_start", 2.0), "error", obj("msg", "x", "timestamp", 3.0),
				"timestamp_created", 4)},
		{"empty is null",
			with(http20(), "error", obj(), "response", seq(), "websocket", false),
			with(http20(), "error", nil, "response", nil, "websocket", nil)},
		{"defaults",
			with(tcp20(), "error", gone, "intercepted", gone, "is_replay", gone, "marked", gone, "metadata", gone,
				"comment", gone, "timestamp_created", gone, "backup", gone, "messages", gone),
			with(tcp20(), "timestamp_created", 1.0)},
		{"unknown keys",
			with(http20(), "x", 1, b("type"), "tcp", "request", with(request20(), "x", 1), "client_conn",
				with(client20(), b("sni"), 1)),
			http20()},
		{"order",
			obj("server_conn", server20(), "type", "tcp", "client_conn", client20(), "id", "f", "version", 20,
				"timestamp_created", 1.5, "metadata", obj("z", 1, "a", 2)),
			with(tcp20(), "metadata", obj("z", 1, "a", 2))},
		{"addresses",
			with(tcp20(), "client_conn", with(client20(), "peername", nil, "sockname", seq("::1", 1, 2, 3, 4)),
				"server_conn", with(server20(), "address", seq("::1", 1.9, 0, 0), "peername", seq(),
					"via", seq("dtls", seq("h", true)))),
			with(tcp20(), "client_conn", with(client20(), "peername", seq("", 0), "sockname", seq("::1", 1, 2, 3)),
				"server_conn", with(server20(), "address", seq("::1", 1), "peername", seq(), "via", seq("dtls", seq("h", 1))))},
		{"ascii",
			with(http20(), "request", with(request20(), "method", "GET", "host", b("xn--mnchen-3ya.de"), "port", "8080"),
				"response", with(response20(), "reason", "OK", "status_code", 200.0)),
			with(http20(), "request", with(request20(), "host", "münchen.de", "port", 8080))},
		{"websocket",
			with(http20(), "websocket", ws("messages", seq(seq(1, true, "hé", 7.0, true), seq(2, 0, b("x"), 8, 0, 1)),
				"close_code", 1000.5, "timestamp_end", 9)),
			with(http20(), "websocket", ws("messages", seq(seq(1, true, b("hé"), 7.0, true, false), seq(2, 0, b("x"), 8, 0, 1)),
				"close_code", 1000, "timestamp_end", 9.0))},
		{"what only some reader refuses",
			with(tcp20(), "client_conn", with(client20(), "tls_version", "TLSv9", "proxy_mode", "no such mode",
				"certificate_list", seq(b("no PEM")), "transport_protocol", "carrier pigeon")),
			with(tcp20(), "client_conn", with(client20(), "tls_version", "TLSv9", "proxy_mode", "no such mode",
				"certificate_list", seq(b("no PEM")), "transport_protocol", "carrier pigeon"))},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := up(t, NewStream(nil), c.in)
			want := with(c.want, "version", 21)
			if diff := cmp.Diff(flowtest.Dump(want.Value(), false), flowtest.Dump(got.Value(), false)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestFinishErrors(t *testing.T) {
	client := func(key string, v any) *state.Map { return with(tcp20(), "client_conn", with(client20(), key, v)) }
	server := func(key string, v any) *state.Map { return with(tcp20(), "server_conn", with(server20(), key, v)) }
	request := func(key string, v any) *state.Map { return with(http20(), "request", with(request20(), key, v)) }
	message := func(v any) *state.Map {
		return with(http20(), "websocket", obj("messages", seq(v), "closed_by_client", nil, "close_code", nil,
			"close_reason", nil, "timestamp_end", nil))
	}
	huge := state.BigInt(bigPow(10, 400))
	for _, c := range []struct {
		in   *state.Map
		want string
	}{
		{client("timestamp_start", nil), "/client_conn/timestamp_start: is null, want number"},
		{client("timestamp_start", huge), "/client_conn/timestamp_start: integer is too large for a float"},
		{client("tls", 1), "/client_conn/tls: is int, want bool"},
		{client("certificate_list", seq("PEM")), "/client_conn/certificate_list/0: is text, want bytes"},
		{client("peername", seq("h", math.Inf(1))), "/client_conn/peername/1: float is not finite"},
		{server("address", seq("h")), "/server_conn/address: is list of 1, want list of host and port"},
		{server("via", seq("http")), "/server_conn/via: is list of 1, want list of scheme and address"},
		{server("via", seq("http", nil)), "/server_conn/via/1: is null, want list"},
		{request("path", "/ü"), "/request/path: text is not ASCII, want bytes"},
		{request("port", "http"), "/request/port: is text, want int"},
		{request("port", 80.0), "/request/port: is float, want int"},
		{request("timestamp_end", "x"), "/request/timestamp_end: is text, want number"},
		{message(seq(1, true)), "/websocket/messages/0: is list of 2, want list of 3 to 6"},
		{message(seq(1, true, nil)), "/websocket/messages/0/2: is null, want bytes"},
		{message(seq(1, seq(), b(""))), "/websocket/messages/0/1: is list, want scalar"},
		{with(tcp20(), "server_conn", gone), "/server_conn: missing"},
		{with(tcp20(), "messages", nil), "/messages: is null, want list"},
	} {
		_, err := NewStream(nil).Up(c.in)
		want := "migrating format version 20 to 21: " + c.want
		if err == nil || err.Error() != want {
			t.Errorf("error %v\nwant  %s", err, want)
		}
	}
}

func TestDecodeHost(t *testing.T) {
	long := strings.Repeat("a", 60)
	for in, want := range map[string]string{
		"":                              "",
		"example.com":                   "example.com",
		"Under_Score..[::1] ":           "Under_Score..[::1] ",
		"xn--mnchen-3ya.de":             "münchen.de",
		"xn--mnchen-3ya.de.":            "münchen.de.",
		"xn--MNCHEN-3ya.de":             "MüNCHEN.de",
		"www.xn--ls8h.la":               "www.💩.la",
		"xn--4dbrk0ce":                  "ישראל",
		"XN--MNCHEN-3YA.de":             "XN--MNCHEN-3YA.de",
		"axn--x.de":                     "axn--x.de",
		"xn--strae-oqa.de":              "xn--strae-oqa.de", // straße, IDNA 2008
		"xn--fa-hia.de":                 "xn--fa-hia.de",    // faß
		"xn--mnchen-3ya.xn--fa-hia.de":  "xn--mnchen-3ya.xn--fa-hia.de",
		"xn--":                          "xn--",
		"xn--.de":                       "xn--.de",
		"xn--abc-":                      "xn--abc-",      // nothing to decode
		"xn--nchen-1pa":                 "xn--nchen-1pa", // Ünchen
		"xn--" + long:                   "xn--" + long,
		"m\xc3\xbcnchen.de":             "münchen.de",
		"m\xfcnchen.xn--mnchen-3ya.de":  `m\xfcnchen.xn--mnchen-3ya.de`,
		"\xe2\x98x\xff\xf0\x9f\x98\x80": `\xe2\x98x\xff😀`,
	} {
		if got := decodeHost([]byte(in)); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// Keys that mean the same connection to mitmproxy must, and others must not.
func TestConnectionID(t *testing.T) {
	id := func(client bool, start, addr any) string {
		v, err := connectionID(client, flowtest.Value(start), flowtest.Value(addr))
		if err != nil {
			t.Fatal(err)
		}
		s, _ := v.Text()
		return s
	}
	same := [][2]string{
		{id(true, 1, seq("h", 1)), id(true, 1.0, seq("h", true))},
		{id(true, 1e22, seq()), id(true, state.BigInt(bigPow(10, 22)), seq())},
		{id(false, nil, seq("", 0)), id(false, nil, seq("", 0.0))},
		{id(false, nil, nil), id(false, nil, seq())},
	}
	for i, p := range same {
		if p[0] != p[1] {
			t.Errorf("pair %d differs", i)
		}
	}
	all := []string{
		id(true, 1, seq("h", 1)), id(false, 1, seq("h", 1)), id(true, 1, seq(b("h"), 1)), id(true, 1, seq("h", 11)),
		id(true, 11, seq("h", 1)), id(true, 1.5, seq("h", 1)), id(true, nil, seq("h", 1)), id(true, 1, nil),
		id(true, 1, seq("h", 1, 0, 0)), id(true, 1, seq("h", nil)), id(true, 1, seq("", "h1")), id(true, 1, seq("h1", "")),
		id(true, math.Inf(1), nil), id(true, math.Inf(-1), nil), id(true, math.NaN(), nil), id(true, "inf", nil),
		id(true, state.Int(1<<53), nil), id(true, state.Int(1<<53+1), nil),
	}
	seen := map[string]int{}
	for i, s := range all {
		if j, ok := seen[s]; ok {
			t.Errorf("keys %d and %d have the same id", j, i)
		}
		seen[s] = i
	}
	if _, err := connectionID(true, flowtest.Value(seq()), flowtest.Value(nil)); err == nil {
		t.Error("a list was accepted as a time")
	}
	const want = "8d5fb74b-b29e-404b-b4f3-632e79e7f0c7"
	if got := id(true, 1.5, seq("127.0.0.1", 50000)); got != want {
		t.Errorf("ids changed: got %s, want %s; files converted earlier would differ", got, want)
	}
}
