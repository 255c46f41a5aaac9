package migrate

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

func up(t testing.TB, s *Stream, m *state.Map) *state.Map {
	t.Helper()
	m, err := s.Up(m)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func encoded(t testing.TB, m *state.Map) []byte {
	t.Helper()
	data, err := tnetstring.Encode(m.Value())
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// reread returns m as it is when it comes from a file.
func reread(t testing.TB, m *state.Map) *state.Map {
	t.Helper()
	return open(t, string(encoded(t, m)))
}

func TestNewestIsUntouched(t *testing.T) {
	for _, name := range flowtest.Glob(t, "real", "*-v21.mitm") {
		for i, m := range flowtest.States(t, flowtest.Read(t, name)) {
			got := up(t, NewStream(nil), m)
			if got != m {
				t.Errorf("%s: flow %d is another map", name, i)
			}
			if _, ok, err := got.Value().Raw(tnetstring.Encoding); !ok || err != nil {
				t.Errorf("%s: flow %d would be encoded anew (%v)", name, i, err)
			}
		}
	}
}

func handshakeAndMessages(id string) (h, w *state.Map) {
	return http11(id, obj("websocket", true, "websocket_flow", "w"+id)),
		websocket11("w"+id, obj("websocket_handshake", id))
}

func hostOf(t testing.TB, m *state.Map) string {
	t.Helper()
	s, err := get(t, m, "request", "host").Text()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestMerge(t *testing.T) {
	s := NewStream(nil)
	h, w := handshakeAndMessages("1")
	h.Set("id", state.Text("1"))
	w.Set("error", obj("msg", "boom", "timestamp", 9).Value())
	server, _ := w.Map("server_conn")
	server.Set("timestamp_end", state.Int(8))
	again := reread(t, w)

	plain := up(t, s, reread(t, h))
	if v := get(t, plain, "websocket"); !v.IsNull() {
		t.Errorf("the handshake itself has websocket %s", v)
	}
	got := up(t, s, reread(t, w))
	want := with(plain, "websocket", obj(
		"messages", seq(seq(1, true, b("hi"), 7.0, false, false)),
		"closed_by_client", false,
		"close_code", 1000,
		"close_reason", "bye",
		"timestamp_end", 8.0,
	), "error", obj("msg", "boom", "timestamp", 9.0),
		"metadata", obj("websocket", true, "websocket_flow", "w1", "duplicated", duplicated))
	if diff := cmp.Diff(flowtest.Dump(want.Value(), false), flowtest.Dump(got.Value(), false)); diff != "" {
		t.Errorf("merged flow (-want +got):\n%s", diff)
	}

	// The handshake was used up.
	got = up(t, s, again)
	if id, _ := got.Text("id"); id != "w1" || hostOf(t, got) != "unknown" {
		t.Errorf("second copy has id %s and host %s", id, hostOf(t, got))
	}
}

// The handshake that is kept must not hold on to the record it came from.
func TestHandshakeIsCopied(t *testing.T) {
	s := NewStream(nil)
	h, w := handshakeAndMessages("1")
	record := encoded(t, h)
	first := encoded(t, up(t, s, open(t, string(record))))

	src := bytes.Clone(record)
	s = NewStream(nil)
	v, err := state.Open(&state.Source{Codec: tnetstring.Codec{}, Data: src})
	if err != nil {
		t.Fatal(err)
	}
	m, err := v.Map()
	if err != nil {
		t.Fatal(err)
	}
	up(t, s, m)
	clear(src)
	merged := up(t, s, w)
	merged.Set("websocket", state.Null())
	meta, _ := merged.Map("metadata")
	meta.Delete("duplicated")
	if got := encoded(t, merged); !bytes.Equal(got, first) {
		t.Errorf("got  %q\nwant %q", got, first)
	}
}

func TestHandshakeLimits(t *testing.T) {
	const n = 20
	size := len(encoded(t, http11("1", obj("websocket", true, "websocket_flow", "w1"))))
	for _, c := range []struct {
		name     string
		opts     *Options
		min, max int // of handshakes remembered
	}{
		{"default", nil, n, n},
		{"number", &Options{MaxHandshakes: 3}, 3, 3},
		{"bytes", &Options{MaxHandshakeBytes: int64(20 * size)}, 1, 15},
		{"no room", &Options{MaxHandshakeBytes: int64(size)}, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := NewStream(c.opts)
			var ws []*state.Map
			for i := range n {
				h, w := handshakeAndMessages(fmt.Sprint(i))
				up(t, s, h)
				ws = append(ws, w)
			}
			if s.pending.bytes > s.pending.maxBytes {
				t.Errorf("%d bytes, the limit is %d", s.pending.bytes, s.pending.maxBytes)
			}
			found := 0
			for i, w := range ws {
				known := hostOf(t, up(t, s, w)) == "example.com"
				if known {
					found++
				} else if found > 0 {
					t.Errorf("%d was forgotten before an older one", i)
				}
			}
			if found < c.min || found > c.max {
				t.Errorf("%d handshakes were remembered, want %d to %d", found, c.min, c.max)
			}
			if s.pending.bytes != 0 || len(s.pending.byID) != 0 || s.pending.order.Len() != 0 {
				t.Errorf("left over: %d bytes, %d and %d handshakes", s.pending.bytes, len(s.pending.byID), s.pending.order.Len())
			}
		})
	}
}

// Encoded lengths may have zeros in front, so the size in memory is not that of
// the content.
func TestHandshakeSizeIsThatInMemory(t *testing.T) {
	const pads = 200
	padded := strings.Repeat(strings.Repeat("0", 4000)+"1:x,", pads)
	entries := fmt.Sprintf("9:websocket;4:true!3:pad;%d:%s]", len(padded), padded)
	meta := open(t, fmt.Sprintf("%d:%s}", len(entries), entries))
	s := NewStream(&Options{MaxHandshakeBytes: 100_000})
	h, w := handshakeAndMessages("1")
	h.Set("metadata", meta.Value())
	up(t, s, h)
	kept := s.pending.order.Front()
	if kept == nil {
		t.Fatal("handshake was not kept")
	}
	if n := len(encoded(t, kept.Value.(*handshake).flow)); n > 10_000 {
		t.Errorf("%d bytes are kept", n)
	}
	if hostOf(t, up(t, s, w)) != "example.com" {
		t.Error("handshake was forgotten")
	}
}

func TestEmbeddedHandshake(t *testing.T) {
	v2 := func(m *state.Map) *state.Map {
		m = with(m, "version", seq(2, 0, 2))
		for _, key := range []string{"client_conn", "server_conn"} {
			c, err := m.Map(key)
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range []string{"address", "source_address", "ip_address"} {
				if a, ok := c.Get(k); ok && !a.IsNull() {
					c.Set(k, obj("address", a, "use_ipv6", false).Value())
				}
			}
			c.Rename("tls_established", "ssl_established")
			c.Rename("timestamp_tls_setup", "timestamp_ssl_setup")
			c.Rename("alpn", "alpn_proto_negotiated")
			c.Delete("id")
		}
		return m
	}
	h := v2(http11("h", obj()))
	w := with(v2(websocket11("w", obj())), "handshake_flow", h, "close_code", "1000",
		"messages", seq(seq(1, true, b("hi"), 7.0)))
	got := up(t, NewStream(nil), reread(t, w))
	if id, _ := got.Text("id"); id != "h" || hostOf(t, got) != "example.com" {
		t.Errorf("id %s, host %s", id, hostOf(t, got))
	}
	code, err := get(t, got, "websocket", "close_code").Int64()
	if code != 1000 || err != nil {
		t.Errorf("close_code %d, %v", code, err)
	}
	if a, b := get(t, got, "client_conn", "id"), get(t, up(t, NewStream(nil), h), "client_conn", "id"); !state.Equal(a, b) {
		t.Errorf("client ids %s and %s", a, b)
	}
}

func TestBackup(t *testing.T) {
	v := func(m *state.Map) *state.Map { return with(m, "backup", gone) }
	for _, c := range []struct {
		name   string
		backup any
		want   string // path of its request, or null
	}{
		{"older", http11("x", obj()), `b"/"`},
		{"same version", v(http20()), `b"/"`},
		{"newest", with(http20(), "version", 21), `b"/"`},
		{"too new", with(http20(), "version", 22), "null"},
		{"no version", with(http20(), "version", gone), "null"},
		{"other type", tcp20(), "null"},
		{"incomplete", with(http20(), "client_conn", gone), "null"},
		{"no map", "x", "null"},
		{"absent", gone, "null"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := with(http20(), "backup", gone)
			if _, ok := c.backup.(removed); !ok {
				m.Set("backup", flowtest.Value(c.backup))
			}
			got := up(t, NewStream(nil), m)
			have := get(t, got, "backup")
			if !have.IsNull() {
				bm, _ := have.Map()
				if ver, err := VersionOf(bm); ver != Newest || err != nil {
					t.Errorf("version %s, %v", ver, err)
				}
				have = get(t, bm, "request", "path")
			}
			if have.String() != c.want {
				t.Errorf("got %s, want %s", have, c.want)
			}
		})
	}
}

// A backup is not another record of the stream.
func TestBackupDoesNotCount(t *testing.T) {
	s := NewStream(nil)
	h, w := handshakeAndMessages("1")
	up(t, s, with(http11("2", obj()), "backup", reread(t, h)))
	if n := len(s.pending.byID); n != 0 {
		t.Errorf("%d handshakes", n)
	}
	up(t, s, h)
	up(t, s, with(http11("3", obj()), "backup", reread(t, w)))
	if n := len(s.pending.byID); n != 1 {
		t.Errorf("%d handshakes", n)
	}
}

func TestDeterminism(t *testing.T) {
	type vector struct {
		ID    string
		Input []byte
	}
	for _, v := range flowtest.Vectors[vector](t, "migrate-vectors.jsonl.gz") {
		var runs [2][]byte
		for i := range runs {
			s := NewStream(nil)
			for _, m := range flowtest.States(t, v.Input) {
				if m, err := s.Up(m); err == nil {
					runs[i] = append(runs[i], encoded(t, m)...)
				}
			}
		}
		if !bytes.Equal(runs[0], runs[1]) {
			t.Errorf("%s: two results", v.ID)
		}
	}
}

// Flows of all stateless versions, each migrated by several goroutines at once
// with one Stream. The race detector is the judge.
func TestStatelessIsConcurrent(t *testing.T) {
	s := NewStream(nil)
	old := http11("x", obj("websocket", true))
	inputs := [][]byte{
		encoded(t, with(http20(), "backup", old)),
		encoded(t, with(tcp20(), "version", 19)),
		encoded(t, with(old, "version", 12, "websocket", nil, "marked", true)),
		encoded(t, with(old, "version", 14, "websocket", obj("messages", seq(), "closed_by_client", nil,
			"close_code", nil, "close_reason", nil, "timestamp_end", nil), "marked", "", "comment", "")),
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, in := range inputs {
				m := open(t, string(in))
				if v, err := VersionOf(m); err != nil || !Stateless(v) {
					t.Errorf("version %s, %v", v, err)
				}
				if _, err := s.Up(m); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if s.records != 0 || len(s.pending.byID) != 0 {
		t.Error("the stream remembers something")
	}
}

func TestVersion0_10(t *testing.T) {
	record := func(conn any, cert any) *state.Map {
		m := obj(b("version"), seq(0, 10, 1), b("error"), nil,
			b("request"), obj(b("client_conn"), conn, b("httpversion"), seq(1, 1), b("host"), b("example.com"),
				b("port"), 443, b("scheme"), b("https"), b("method"), b("GET"), b("path"), b("/x"),
				b("headers"), seq(seq(b("A"), b("B"))), b("content"), b(""), b("timestamp_start"), 1.0,
				b("timestamp_end"), 2.0, b("tcp_setup_timestamp"), 3.0, b("ssl_setup_timestamp"), 4.0,
				b("ip"), b("192.0.2.1")),
			b("response"), obj(b("httpversion"), seq(1, 1), b("code"), 200, b("msg"), b("OK"), b("headers"), seq(),
				b("timestamp_start"), 5.0, b("timestamp_end"), 6.0, b("cert"), cert, b("content"), b("hello")))
		return reread(t, m)
	}
	s := NewStream(nil)
	conn := obj(b("address"), seq(b("192.0.2.9"), 4000), b("requestcount"), 1, b("error"), nil)
	got := up(t, s, record(conn, b("PEM")))
	want := with(http20(), "version", 21, "id", get(t, got, "id"),
		"client_conn", with(client20(), "peername", seq("192.0.2.9", 4000), "sockname", seq("", 0), "tls", true,
			"id", get(t, got, "client_conn", "id")),
		"server_conn", with(server20(), "peername", seq("192.0.2.1", 443), "tls", true, "certificate_list", seq(b("PEM")),
			"timestamp_start", 3.0, "timestamp_tcp_setup", 3.0, "timestamp_tls_setup", 4.0,
			"address", seq("example.com", 443), "id", get(t, got, "server_conn", "id")),
		"timestamp_created", 1.0,
		"request", with(request20(), "headers", seq(seq(b("A"), b("B"))), "timestamp_start", 1.0,
			"timestamp_end", 2.0, "port", 443, "scheme", b("https"), "path", b("/x")))
	if diff := cmp.Diff(flowtest.Dump(want.Value(), false), flowtest.Dump(got.Value(), false)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	same := up(t, s, record(conn, b("PEM")))
	if state.Equal(get(t, got, "id"), get(t, same, "id")) {
		t.Error("equal requests have equal ids")
	}
	if !state.Equal(get(t, got, "client_conn", "id"), get(t, same, "client_conn", "id")) {
		t.Error("the client connection has two ids")
	}
	again := up(t, NewStream(nil), record(conn, b("PEM")))
	if !state.Equal(got.Value(), again.Value()) {
		t.Error("reading again gives another flow")
	}
	replayed := up(t, s, record(nil, nil))
	if v := get(t, replayed, "client_conn", "peername"); v.Len() != 2 {
		t.Errorf("client address %s", v)
	}

	// Up to 2.0 addresses are maps.
	old, _, err := NewStream(nil).To(record(conn, nil), Tuple(0, 18))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range [][]string{{"client_conn", "address"}, {"server_conn", "address"}, {"server_conn", "ip_address"}} {
		if v := get(t, old[0], append(path, "address")...); v.Len() != 2 {
			t.Errorf("%v is %s", path, v)
		}
	}
}
