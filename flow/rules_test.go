package flow_test

import (
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

// sample returns a valid state in which everything has a value.
func sample(t testing.TB, kind string) *state.Map {
	t.Helper()
	f := fresh(t)[kind]
	f.SetError(flow.NewError("oops"))
	f.ServerConn().Peername = &flow.Address{Host: "192.0.2.1", Port: 443}
	f.ServerConn().Address = &flow.Address{Host: "example.com", Port: 443}
	f.ServerConn().Via = &flow.Via{Scheme: "http", Host: "proxy.example", Port: 3128}
	switch f := f.(type) {
	case *flow.HTTP:
		f.Request().Trailers = flow.NewHeaders("A", "b")
		closed := true
		f.SetWebSocket(&flow.WebSocket{
			Messages: []flow.WebSocketMessage{
				{Opcode: flow.OpText, Content: flow.NewBody([]byte("hi")), Timestamp: flow.Seconds(1)},
			},
			ClosedByClient: &closed, CloseCode: 1000, TimestampEnd: flow.Seconds(2),
		})
	case *flow.DNS:
		q := flow.DNSQuestion{Name: "example.com", Type: flow.DNSTypeA, Class: 1}
		f.Request().Questions = []flow.DNSQuestion{q}
		f.SetResponse(&flow.DNSMessage{
			Questions: []flow.DNSQuestion{q},
			Answers:   []flow.DNSRecord{{Name: "example.com", Type: flow.DNSTypeA, Class: 1, TTL: 60, Data: "\xc0\x00\x02\x01"}},
		})
	}
	return reread(t, f.State())
}

// at returns the value at a path and a function that replaces it; a nil value
// removes it.
func at(t testing.TB, m *state.Map, path string) (v state.Value, set func(v *state.Value)) {
	t.Helper()
	v = m.Value()
	for _, step := range strings.Split(path, "/")[1:] {
		switch v.Kind() {
		case state.KindMap:
			m, err := v.Map()
			if err != nil {
				t.Fatal(err)
			}
			v, _ = m.Get(step)
			set = func(v *state.Value) {
				if v == nil {
					m.Delete(step)
				} else {
					m.Set(step, *v)
				}
			}
		case state.KindList:
			l, err := v.List()
			if err != nil {
				t.Fatal(err)
			}
			i, err := strconv.Atoi(step)
			if err != nil {
				t.Fatal(err)
			}
			v = l.At(i)
			set = func(v *state.Value) { l.Set(i, *v) }
		default:
			t.Fatalf("%s: no %q", path, step)
		}
	}
	return v, set
}

func list(elems ...state.Value) state.Value { return state.NewList(elems...).Value() }

// TestRules: each case puts a value into a valid state. What mitmproxy makes of
// them was found by asking it.
func TestRules(t *testing.T) {
	const refused = "refused"
	text, bytes, null, num := state.Text, func(s string) state.Value { return state.Bytes([]byte(s)) }, state.Null(), state.Int
	yes, no, float := state.Bool(true), state.Bool(false), state.Float
	huge := state.BigInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(400), nil))
	big64 := state.BigInt(new(big.Int).Lsh(big.NewInt(1), 70))
	empty := state.NewMap().Value()
	pair := func(a, b state.Value) state.Value { return list(a, b) }
	cases := []struct {
		kind, path string
		value      state.Value
		strict     string // what is there after FromState, or refused; "" is the value
		tolerant   string // the same after Repair
	}{
		// Class F.
		{"http", "/client_conn/timestamp_start", num(5), "5.0", "5.0"},
		{"http", "/client_conn/timestamp_start", yes, "1.0", "1.0"},
		{"http", "/client_conn/timestamp_start", huge, refused, refused},
		{"http", "/client_conn/timestamp_start", text("5"), refused, refused},
		{"http", "/client_conn/timestamp_start", float(math.Inf(1)), "", ""},
		{"http", "/client_conn/timestamp_end", null, "", ""},
		{"http", "/server_conn/timestamp_tcp_setup", num(-1), "-1.0", "-1.0"},
		{"http", "/error/timestamp", no, "0.0", "0.0"},
		{"http", "/websocket/timestamp_end", num(5), "5.0", "5.0"},
		{"dns", "/request/timestamp", num(5), "5.0", "5.0"},
		{"dns", "/request/timestamp", null, "", ""},
		// Class I.
		{"http", "/websocket/close_code", float(1000.9), "1000", "1000"},
		{"http", "/websocket/close_code", float(-1.9), "-1", "-1"},
		{"http", "/websocket/close_code", yes, "1", "1"},
		{"http", "/websocket/close_code", float(math.NaN()), refused, refused},
		{"http", "/websocket/close_code", float(math.Inf(-1)), refused, refused},
		{"http", "/websocket/close_code", big64, "", ""},
		{"http", "/websocket/close_code", text("1000"), refused, refused},
		{"dns", "/request/id", float(1e22), "10000000000000000000000", "10000000000000000000000"},
		{"dns", "/request/questions/0/type", float(1.5), "1", "1"},
		{"dns", "/response/answers/0/ttl", yes, "1", "1"},
		{"http", "/client_conn/peername/1", float(1.7), "1", "1"},
		{"http", "/server_conn/address/1", yes, "1", "1"},
		{"http", "/server_conn/via/1/1", float(1.5), "1", "1"},
		// Integers that are not converted.
		{"http", "/request/port", float(80), refused, "80"},
		{"http", "/request/port", yes, refused, "1"},
		{"http", "/request/port", big64, "", ""},
		{"http", "/response/status_code", text("200"), refused, refused},
		// Times that are kept.
		{"http", "/request/timestamp_start", num(5), "", ""},
		{"http", "/request/timestamp_start", null, refused, "note"},
		{"http", "/request/timestamp_start", yes, refused, "1.0"},
		{"http", "/request/timestamp_end", null, "", ""},
		{"http", "/timestamp_created", num(5), "", ""},
		{"http", "/timestamp_created", null, refused, "note"},
		{"tcp", "/messages/0/2", num(0), "", ""},
		{"tcp", "/messages/0/2", null, "", ""},
		{"tcp", "/messages/0/2", text("x"), refused, refused},
		// Text and bytes.
		{"http", "/request/method", text("GET"), refused, `b"GET"`},
		{"http", "/request/path", text("/ü"), refused, `b"/ü"`},
		{"http", "/request/host", bytes("example.com"), refused, `"example.com"`},
		{"http", "/request/host", bytes("\xff"), refused, refused},
		{"http", "/request/headers/0/0", text("host"), refused, `b"host"`},
		{"http", "/request/headers/0", list(bytes("a")), refused, refused},
		{"http", "/request/headers/0", list(bytes("a"), bytes("b"), bytes("c")), refused, refused},
		{"http", "/request/headers", null, refused, "list of 0"},
		{"http", "/request/trailers", list(), "", ""},
		{"http", "/response/content", text("x"), refused, `b"x"`},
		{"http", "/response/content", null, "", ""},
		{"http", "/websocket/messages/0/2", text("x"), refused, `b"x"`},
		{"http", "/client_conn/alpn", text("h2"), refused, `b"h2"`},
		{"http", "/client_conn/sni", bytes("x"), refused, `"x"`},
		// Booleans.
		{"http", "/client_conn/tls", num(1), refused, "true"},
		{"http", "/client_conn/tls", num(2), refused, refused},
		{"http", "/client_conn/tls", null, refused, "false"},
		{"http", "/websocket/closed_by_client", null, "", ""},
		{"http", "/websocket/closed_by_client", num(1), refused, "true"},
		{"dns", "/request/query", num(1), refused, "true"},
		{"http", "/intercepted", null, refused, "false"},
		{"http", "/intercepted", text("x"), refused, "true"},
		// Closed sets.
		{"http", "/client_conn/tls_version", text("TLSv1.0"), refused, refused},
		{"http", "/client_conn/tls_version", text("QUICv1"), "", ""},
		{"http", "/client_conn/tls_version", text("QUIC"), refused, `"QUICv1"`},
		{"http", "/client_conn/tls_version", text(""), refused, refused},
		{"http", "/client_conn/transport_protocol", text("quic"), refused, refused},
		{"http", "/server_conn/via/0", text("HTTP"), refused, refused},
		{"http", "/server_conn/via", list(text("http")), refused, refused},
		{"http", "/is_replay", text("request"), "", ""},
		{"http", "/is_replay", bytes("response"), refused, `"response"`},
		{"http", "/is_replay", text("both"), refused, "null"},
		{"http", "/is_replay", no, refused, "null"},
		{"http", "/websocket/messages/0/0", num(8), "", ""},
		{"http", "/websocket/messages/0/0", num(3), refused, refused},
		{"http", "/websocket/messages/0/0", yes, refused, "1"},
		{"http", "/websocket/messages/0/0", float(1.5), refused, refused},
		// Addresses.
		{"http", "/client_conn/peername", list(), "", ""},
		{"http", "/client_conn/peername", null, refused, "list of 2"},
		{"http", "/client_conn/peername", list(text("::1"), num(1), num(0), num(0), num(9)), refused, "list of 4"},
		{"http", "/server_conn/peername", null, "", ""},
		{"http", "/server_conn/address", list(text("a"), num(1), num(0), num(0)), refused, "list of 2"},
		{"http", "/server_conn/address", list(text("a")), refused, refused},
		// Common keys.
		{"http", "/id", num(5), refused, "note"},
		{"http", "/marked", yes, refused, `":default:"`},
		{"http", "/marked", no, refused, `""`},
		{"http", "/comment", null, refused, `""`},
		{"http", "/metadata", list(), refused, "map of 0"},
		{"http", "/metadata", text("x"), refused, refused},
		{"http", "/error", list(), refused, "null"},
		{"http", "/response", empty, refused, "null"},
		{"http", "/response", num(0), refused, "null"},
		{"http", "/websocket", text("x"), refused, refused},
		{"http", "/request", null, refused, refused},
		{"http", "/client_conn", list(), refused, refused},
		{"http", "/backup", text("x"), refused, refused},
		{"http", "/backup", empty, "", ""},
		{"tcp", "/messages", null, refused, "list of 0"},
		{"tcp", "/messages/0", null, refused, refused},
		{"tcp", "/messages/0", pair(yes, bytes("x")), refused, "list of 3"},
		{"http", "/websocket/messages/0", list(num(1), yes, bytes("x")), refused, "list of 6"},
		{"http", "/websocket/messages/0", pair(num(1), yes), refused, refused},
	}
	for _, c := range cases {
		t.Run(c.kind+c.path+"="+c.value.String(), func(t *testing.T) {
			check := func(name, want string, prepare func(m *state.Map) []flow.Note) {
				t.Helper()
				m := sample(t, c.kind)
				_, set := at(t, m, c.path)
				v := state.Clone(c.value)
				set(&v)
				m = reread(t, m)
				before := encode(t, m)
				notes := prepare(m)
				f, err := flow.FromState(m)
				if want == refused {
					fe, _ := errors.AsType[*flow.FieldError](err)
					if fe == nil || !strings.HasPrefix(string(fe.Path), c.path) {
						t.Errorf("%s: %v, want an error at %s", name, err, c.path)
					}
					if len(notes) == 0 && string(encode(t, m)) != string(before) {
						t.Errorf("%s: the refused state was changed", name)
					}
					return
				}
				if err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
				decodeAll(f)
				got, _ := at(t, f.State(), c.path)
				switch want {
				case "":
					if string(encode(t, f.State())) != string(before) {
						t.Errorf("%s: changed to %s", name, got)
					}
				case "note":
					if len(notes) != 1 || string(notes[0].Path) != c.path {
						t.Errorf("%s: notes %v", name, notes)
					}
				default:
					if got.String() != want {
						t.Errorf("%s: %s, want %s", name, got, want)
					}
				}
			}
			check("strict", c.strict, func(*state.Map) []flow.Note { return nil })
			check("tolerant", c.tolerant, func(m *state.Map) []flow.Note {
				notes, err := flow.Repair(m)
				if err != nil {
					t.Fatal(err)
				}
				return notes
			})
		})
	}
}

// TestMissingKeys removes every key of every map in turn.
func TestMissingKeys(t *testing.T) {
	// What cannot be made up.
	required := map[string]bool{
		"/version": true, "/type": true, "/client_conn": true, "/server_conn": true,
		"/request": true, "/request/host": true, "/request/port": true, "/request/method": true,
		"/request/scheme": true, "/request/path": true, "/response/status_code": true,
		"/request/id": true, "/request/query": true, "/response/id": true, "/response/query": true,
	}
	for kind := range fresh(t) {
		for _, path := range mapPaths(sample(t, kind).Value(), "") {
			remove := func() *state.Map {
				m := sample(t, kind)
				_, set := at(t, m, path)
				set(nil)
				return reread(t, m)
			}
			_, err := flow.FromState(remove())
			if path == "/backup" {
				if err != nil {
					t.Errorf("%s %s: %v", kind, path, err)
				}
				continue
			}
			if path == "/type" {
				if _, ok := errors.AsType[*flow.UnknownTypeError](err); !ok {
					t.Errorf("%s %s: %v", kind, path, err)
				}
				continue
			}
			fe, _ := errors.AsType[*flow.FieldError](err)
			if fe == nil || string(fe.Path) != path || fe.Got != "nothing" {
				t.Errorf("%s without %s: %v", kind, path, err)
			}
			m := remove()
			notes, err := flow.Repair(m)
			if err == nil {
				_, err = flow.FromState(m)
			}
			leaf := path[strings.LastIndex(path, "/")+1:]
			record := strings.Contains(path, "/questions/") || strings.Contains(path, "/answers/")
			if want := required[path] || record && leaf != ""; (err != nil) != want {
				t.Errorf("%s without %s: repaired: %v, want %v", kind, path, err, want)
			}
			if err == nil && (len(notes) != 1 || string(notes[0].Path) != path) {
				t.Errorf("%s without %s: notes %v", kind, path, notes)
			}
			if err == nil {
				f, _ := flow.View(m)
				if d := diffStates(f.GetState(), m); d != "" {
					t.Errorf("%s without %s: repaired in the wrong order:\n%s", kind, path, d)
				}
			}
		}
	}
}

// mapPaths returns the paths of all keys of all maps in v but metadata.
func mapPaths(v state.Value, p state.Path) (paths []string) {
	switch v.Kind() {
	case state.KindMap:
		m, _ := v.Map()
		for k, e := range m.All() {
			key, _ := k.Text()
			paths = append(paths, string(p.Key(key)))
			paths = append(paths, mapPaths(e, p.Key(key))...)
		}
	case state.KindList:
		l, _ := v.List()
		for i, e := range l.All() {
			paths = append(paths, mapPaths(e, p.Index(i))...)
		}
	}
	return paths
}

// TestExtraKeys adds a key to every map in turn.
func TestExtraKeys(t *testing.T) {
	for kind := range fresh(t) {
		maps := map[string]bool{"": true}
		for _, p := range mapPaths(sample(t, kind).Value(), "") {
			maps[p[:strings.LastIndex(p, "/")]] = true
		}
		for parent := range maps {
			add := func() *state.Map {
				m := sample(t, kind)
				v := m.Value()
				if parent != "" {
					v, _ = at(t, m, parent)
				}
				target, err := v.Map()
				if err != nil {
					t.Fatal(err)
				}
				target.SetKey(state.Bytes([]byte("extra")), state.Int(1))
				return m
			}
			want := parent + `/b"extra"`
			fe, _ := errors.AsType[*flow.FieldError](second(flow.FromState(add())))
			if fe == nil || string(fe.Path) != want {
				t.Errorf("%s: %v, want an error at %s", kind, fe, want)
			}
			m := add()
			notes, err := flow.Repair(m)
			if err != nil || len(notes) != 1 || string(notes[0].Path) != want {
				t.Errorf("%s: %v, %v, want a note at %s", kind, notes, err, want)
			}
			if d := flowtest.Dump(m.Value(), false); strings.Contains(d, "extra") {
				t.Errorf("%s: not removed:\n%s", kind, d)
			}
		}
	}
}

func second(_ flow.Flow, err error) error { return err }

// TestRepairBackup: a backup is repaired like the flow.
func TestRepairBackup(t *testing.T) {
	m := sample(t, "http")
	b := sample(t, "http")
	b.Set("marked", state.Bool(true))
	m.Set("backup", b.Value())
	notes, err := flow.Repair(m)
	if err != nil || len(notes) != 1 || notes[0].Path != "/backup/marked" {
		t.Fatalf("%v, %v", notes, err)
	}
	f, err := flow.FromState(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Revert(); err != nil || f.Marked() != flow.DefaultMarker {
		t.Errorf("marked %q, %v", f.Marked(), err)
	}
}

// TestViewIsLenient: nothing in a state that nobody validated makes a view fail.
func TestViewIsLenient(t *testing.T) {
	junk := []state.Value{
		state.Null(), state.Int(5), state.Float(1.5), state.Text("x"), state.Bytes([]byte("x")), state.Bool(true),
		list(), list(state.Int(1), list(list())), state.NewMap(state.E("x", state.Int(1))).Value(),
	}
	for kind := range fresh(t) {
		for _, path := range append(mapPaths(sample(t, kind).Value(), ""), "/request/headers/0", "/server_conn/via/1") {
			if path == "/type" || kind != "http" && (strings.HasPrefix(path, "/request/headers") || strings.HasPrefix(path, "/server_conn/via/")) {
				continue
			}
			for _, v := range junk {
				m := sample(t, kind)
				_, set := at(t, m, path)
				v := state.Clone(v)
				set(&v)
				m = reread(t, m)
				f, err := flow.View(m)
				if err != nil {
					t.Fatal(err)
				}
				decodeAll(f)
				f.TimestampStart()
				f.Modified()
				if _, ok, _ := f.State().Value().Raw(tnetstring.Encoding); !ok {
					t.Errorf("%s: looking at %s = %s changed the state", kind, path, v)
				}
				if h, ok := f.(*flow.HTTP); ok {
					h.Request().PrettyURL()
				}
				f.Copy().GetState()
			}
		}
	}
}
