package filter_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/filter"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/coding"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/internal/pyregexp"
	"github.com/flowtool/flowtool/state"
)

// fullFlows returns flows that have all that a flow of their type can have.
func fullFlows() []sample {
	dress := func(f flow.Flow) flow.Flow {
		f.SetID("8d2f51c0-0000-4000-8000-000000000001")
		f.SetComment("todo")
		f.SetMarked(":grapes:")
		f.SetIsReplay("request")
		f.Metadata().Set("tag", state.Text("x"))
		f.SetError(&flow.Error{Msg: "Connection timeout.", Timestamp: at(3)})
		c, s := f.ClientConn(), f.ServerConn()
		c.Peername = &flow.Address{Host: "127.0.0.1", Port: 50000}
		c.TLSVersion, s.TLSVersion = "TLSv1.1", "TLSv1.3"
		c.SNI, s.SNI = "server.example", "server.example"
		c.TimestampEnd, s.TimestampStart, s.TimestampEnd = at(5), at(0), at(4)
		s.Address = &flow.Address{Host: "server.example", Port: 8080}
		return f
	}
	message := func(m *flow.HTTPMessage, encoding string) {
		m.Headers = flow.NewHeaders("Server", "nginx", "Content-Type", "text/html; json form", "Content-Encoding", encoding,
			"Cookie", "a", "Set-Cookie", "session=1", "Authorization", "b", "Host", "other.example")
		m.Body = flow.NewBody([]byte(`password "error" `))
		m.TimestampEnd = at(2)
	}
	page := newHTTP(func(f *flow.HTTP) {
		message(&f.Request().HTTPMessage, "gzip")
		f.Request().Path = "/api/"
		message(&respond(f, 404).HTTPMessage, "zstd")
	})
	socket := newHTTP(func(f *flow.HTTP) {
		respond(f, 101)
		f.SetWebSocket(&flow.WebSocket{TimestampEnd: at(9), Messages: []flow.WebSocketMessage{
			{Opcode: flow.OpText, Content: flow.NewBody([]byte("nothing")), Timestamp: at(1)},
			{Opcode: flow.OpText, FromClient: true, Content: flow.NewBody([]byte("password")), Timestamp: at(1)},
			{Opcode: flow.OpText, Content: flow.NewBody([]byte(`"error"`)), Timestamp: at(1)},
		}})
	})
	stream := newTCP(func(f *flow.TCP) { f.SetMessages(messagesOf(1, 2, 3)) })
	datagrams := newUDP(func(f *flow.UDP) { f.SetMessages(messagesOf(1, 2)) })
	query := newDNS(func(f *flow.DNS) {
		record := flow.DNSRecord{Name: "a", Type: flow.DNSTypeTXT, Data: "password"}
		f.SetResponse(&flow.DNSMessage{
			Questions: f.Request().Questions, Answers: []flow.DNSRecord{record, record},
			Authorities: []flow.DNSRecord{record}, Additionals: []flow.DNSRecord{record}, Timestamp: at(2),
		})
	})
	return []sample{
		{name: "page", flow: dress(page)}, {name: "socket", flow: dress(socket)}, {name: "tcp", flow: dress(stream)},
		{name: "udp", flow: dress(datagrams)}, {name: "dns", flow: dress(query)},
	}
}

// A place is a value in a tree that can be replaced or removed.
type place struct {
	path   state.Path
	value  state.Value
	set    func(state.Value)
	remove func() // nil for elements of lists
}

// places returns all places below the map m.
func places(m *state.Map) (list []place) {
	var below func(path state.Path, v state.Value)
	below = func(path state.Path, v state.Value) {
		switch v.Kind() {
		case state.KindMap:
			m, _ := v.Map()
			for k, e := range m.All() {
				key, _ := k.Text()
				list = append(list, place{path.Key(key), e, func(v state.Value) { m.Set(key, v) }, func() { m.Delete(key) }})
				below(path.Key(key), e)
			}
		case state.KindList:
			l, _ := v.List()
			for i, e := range l.All() {
				list = append(list, place{path.Index(i), e, func(v state.Value) { l.Set(i, v) }, nil})
				below(path.Index(i), e)
			}
		}
	}
	below("", m.Value())
	return list
}

// wrongFor returns values that nobody can take for one like v.
func wrongFor(v state.Value) []state.Value {
	var list []state.Value
	if k := v.Kind(); k != state.KindNull {
		if k > state.KindFloat {
			list = append(list, state.Int(7), state.Float(1.5), state.Bool(true))
		}
		if k != state.KindBytes && k != state.KindText {
			list = append(list, state.Bytes([]byte("x")), state.Text("x"))
		}
		if k != state.KindMap {
			list = append(list, state.NewMap(state.E("x", state.Null())).Value())
		}
	}
	if v.Kind() != state.KindList {
		list = append(list, state.NewList(state.Null()).Value())
	}
	return list
}

// examples returns an example of each operator and its negation, by the text.
func examples(t *testing.T) map[string]*filter.Filter {
	t.Helper()
	fs := map[string]*filter.Filter{}
	for _, op := range filter.Operators() {
		expr, opts := op.Example, &filter.Options{Location: time.UTC}
		fs[expr] = compile(t, expr, opts)
		fs["!("+expr+")"] = compile(t, "!("+expr+")", opts)
	}
	return fs
}

// reencoded writes a state and reads it again, so that it is decoded on demand.
func reencoded(t testing.TB, m *state.Map) *state.Value {
	t.Helper()
	return written(t, func(w *dumpfile.Writer) error { return w.WriteState(m) })
}

// written returns the state of the only record that write writes, of which nothing
// is decoded.
func written(t testing.TB, write func(*dumpfile.Writer) error) *state.Value {
	t.Helper()
	var buf bytes.Buffer
	w := dumpfile.NewWriter(&buf)
	if err := errors.Join(write(w), w.Close()); err != nil {
		t.Fatal(err)
	}
	return onlyValue(t, buf.Bytes())
}

// onlyValue returns the state of the only record of a dump.
func onlyValue(t testing.TB, data []byte) *state.Value {
	t.Helper()
	rec, err := dumpfile.NewReader(struct{ io.Reader }{bytes.NewReader(data)}, nil).ReadRecord()
	if err != nil {
		t.Fatal(err)
	}
	v, err := rec.Value()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestMatchWrongType replaces every value in a flow by ones of other types: a
// filter then either has an error that names the place, or the answer it had
// before, because it does not look there.
func TestMatchWrongType(t *testing.T) {
	fs := examples(t)
	errs := map[string]int{}
	for _, s := range fullFlows() {
		good := s.flow.GetState()
		want := map[string]bool{}
		goodValue := good.Value()
		for expr, f := range fs {
			ok, err := f.MatchState(&goodValue, nil)
			if err != nil {
				t.Fatalf("%s: %s: %v", s.name, expr, err)
			}
			want[expr] = ok
		}
		for _, p := range places(good) {
			for _, wrong := range wrongFor(p.value) {
				p.set(wrong)
				inMemory := good.Value()
				encoded := reencoded(t, good)
				for expr, f := range fs {
					for how, v := range map[string]*state.Value{"in memory": &inMemory, "encoded": encoded} {
						ok, err := f.MatchState(v, nil)
						if err != nil {
							errs[expr]++
						}
						if !excusable(err, p.path) || err == nil && ok != want[expr] {
							t.Errorf("%s, %s is %s (%s): %s: %v, %v; was %v", s.name, p.path, wrong, how, expr, ok, err, want[expr])
						}
					}
				}
				p.set(p.value)
			}
		}
	}
	for expr := range fs {
		if strings.Contains(expr, "~replay") && errs[expr] == 0 {
			continue // all but null will do
		}
		if looks := len(fs[expr].Needs()) > 0; looks != (errs[expr] > 0) {
			t.Errorf("%s: %d errors, and looks at %v", expr, errs[expr], fs[expr].Needs())
		}
	}
}

// excusable tells whether err is nil or about the place at path, or something
// below it.
func excusable(err error, path state.Path) bool {
	if err == nil {
		return true
	}
	pe, ok := errors.AsType[*state.PathError](err)
	return ok && (pe.Path == path || strings.HasPrefix(string(pe.Path), string(path)+"/"))
}

// TestMatchMissing removes every key of a flow, or sets it to null. A filter
// then either has an error that names the place, or the answer for the flow that
// flow.Repair makes of it.
func TestMatchMissing(t *testing.T) {
	// unlike are where a filter finds nothing to look at, whatever Repair does.
	unlike := func(path state.Path) bool {
		switch path {
		case "/client_conn/peername": // Repair sets an unknown address
			return true
		case "/id": // and a new id
			return true
		case "/websocket/messages/1/2", "/websocket/messages/2/2", "/messages/0/1":
			return true // no flow can have null there, but no filter minds
		}
		return false
	}
	fs := examples(t)
	for _, s := range fullFlows() {
		m := s.flow.GetState()
		for i := range places(m) {
			for _, what := range []string{"missing", "null"} {
				broken := m.Clone()
				p := places(broken)[i]
				switch {
				case what == "null":
					p.set(state.Null())
				case p.remove == nil:
					continue
				default:
					p.remove()
				}
				v := reencoded(t, broken)
				repaired := broken.Clone()
				_, err := flow.Repair(repaired)
				if err == nil {
					_, err = flow.FromState(repaired)
				}
				rv := repaired.Value()
				before := m.Value()
				if err != nil {
					rv = before // it cannot be repaired, so who looks has to fail
				}
				for expr, f := range fs {
					want, _ := f.MatchState(&rv, nil)
					got, err := f.MatchState(v, nil)
					if excusable(err, p.path) && (err != nil || got == want) {
						continue
					}
					if unlike(p.path) {
						continue
					}
					t.Errorf("%s, %s is %s: %s: %v, %v; repaired: %v", s.name, p.path, what, expr, got, err, want)
				}
			}
		}
	}
}

// TestMatchConverted: values that mitmproxy or flow.Repair converts are taken for
// what they become.
func TestMatchConverted(t *testing.T) {
	large, _ := new(big.Int).SetString("100000000000000000000", 10)
	flows := map[string]*state.Map{}
	for _, s := range fullFlows() {
		flows[s.name] = s.flow.GetState()
	}
	for _, test := range []struct {
		name  string
		path  state.Path
		value state.Value
		match []string
		not   []string
	}{
		{"page", "/response/status_code", state.BigInt(large),
			[]string{"~c 100000000000000000000", "~c 0100000000000000000000", "~status >=400"}, []string{"~c 1", "~status <1000", "~c 9223372036854775807", "~status 4xx"}},
		{"page", "/response/status_code", state.BigInt(new(big.Int).Neg(large)), []string{"~status <100"}, []string{"~status >=0", "~c 100000000000000000000"}},
		{"page", "/response/status_code", state.Float(404.0), []string{"~c 404", "~status 404"}, nil},
		{"page", "/response/status_code", state.Bool(true), []string{"~c 1", "~status 1"}, nil},
		{"page", "/server_conn/address/1", state.BigInt(large), []string{"~dst :100000000000000000000$"}, []string{"~port 0.."}},
		{"page", "/server_conn/address/1", state.Float(80.9), []string{"~dst :80$", "~port 80"}, nil},
		{"page", "/server_conn/address/1", state.Float(1e20), []string{"~dst :100000000000000000000$"}, nil},
		{"page", "/client_conn/peername/1", state.Bool(false), []string{"~src :0$"}, nil},
		{"page", "/client_conn/peername", state.NewList(state.Text("::1"), state.Int(1), state.Int(2), state.Int(3)).Value(), []string{"~src ^::1:1$"}, nil},
		{"page", "/client_conn/peername", state.NewList().Value(), nil, []string{"~src ''"}},
		{"page", "/client_conn/peername", state.NewList(state.Text("::1")).Value(), nil, []string{"~src ''"}}, // IndexError in mitmproxy
		{"page", "/request/timestamp_start", state.Int(begin), []string{"~time 1714557600", "~dur >1s"}, nil},
		{"page", "/request/timestamp_start", state.Bool(true), []string{"~time 1970"}, nil},
		{"page", "/request/method", state.Text("GET"), []string{"~m ^GET$"}, nil},
		{"page", "/request/host", state.Bytes([]byte("server.example")), []string{"~d ^server"}, nil},
		{"page", "/request/content", state.Text("pass"), []string{"~bq ^pass$", "~sizeq 4"}, nil},
		{"page", "/response", state.NewMap().Value(), []string{"~q"}, []string{"~s"}},
		{"page", "/response", state.Bool(false), []string{"~q"}, []string{"~s"}},
		{"page", "/websocket", state.NewList().Value(), nil, []string{"~websocket"}},
		{"page", "/error", state.Int(0), nil, []string{"~e", "~errmsg ''"}},
		{"page", "/metadata", state.NewList().Value(), []string{"~meta ^$"}, []string{"~meta tag"}},
		{"tcp", "/messages/0/0", state.Int(0), []string{"~sizeq 3", "~sizes 3"}, nil},
		{"tcp", "/messages/0/0", state.Int(1), []string{"~sizeq 4", "~sizes 2"}, nil},
		{"dns", "/response/answers/0/type", state.Float(16.5), []string{"~bs ^name.example..password"}, nil},
	} {
		m := flows[test.name].Clone()
		list := places(m)
		i := slices.IndexFunc(list, func(p place) bool { return p.path == test.path })
		if i < 0 {
			t.Fatalf("%s has no %s", test.name, test.path)
		}
		list[i].set(test.value)
		v := reencoded(t, m)
		for want, exprs := range map[bool][]string{true: test.match, false: test.not} {
			for _, expr := range exprs {
				got, err := compile(t, expr, &filter.Options{Location: time.UTC}).MatchState(v, nil)
				if got != want || err != nil {
					t.Errorf("%s, %s is %s: %s: %v, %v", test.name, test.path, test.value, expr, got, err)
				}
			}
		}
	}
}

// TestMatchNeeds: a filter that looks at nothing says so.
func TestMatchNeeds(t *testing.T) {
	for expr, want := range map[string][]string{
		"~all": {}, "~index 0 | ~formatv 21": {}, "~comment x": {"comment"}, "~q": {"type", "response"}, "~edited": {"backup"},
		"~d x & !~d y": {"type", "request"}, "~bs x": {"type", "response", "websocket", "messages"},
	} {
		f := compile(t, expr, nil)
		if got := f.Needs(); got == nil || !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
			t.Errorf("%s needs %#v, want %q", expr, got, want)
		}
		if got := f.NeedsContent(); got != (expr == "~bs x") {
			t.Errorf("%s: NeedsContent is %v", expr, got)
		}
	}
}

// TestMatchNullContent: mitmproxy fails on messages without content.
func TestMatchNullContent(t *testing.T) {
	f := newTCP(func(f *flow.TCP) { f.SetMessages(messagesOf(0, 5)) }).GetState()
	messages, err := f.List("messages")
	if err != nil {
		t.Fatal(err)
	}
	first, err := messages.At(0).List()
	if err != nil {
		t.Fatal(err)
	}
	first.Set(1, state.Null())
	v := f.Value()
	for expr, want := range map[string]bool{
		"~b ''": true, "~bq ''": false, "~bs ^.{5}$": true, "~size 5": true, "~sizeq 0": true, "~sizes 5": true,
	} {
		if got, err := compile(t, expr, nil).MatchState(&v, nil); got != want || err != nil {
			t.Errorf("%s: %v, %v", expr, got, err)
		}
	}
}

// TestMatchMalformed: what cannot be decoded is an error with its place in the
// input, for those who look there.
func TestMatchMalformed(t *testing.T) {
	page := fullFlows()[0].flow
	var buf bytes.Buffer
	w := dumpfile.NewWriter(&buf)
	if err := errors.Join(w.WriteFlow(page), w.Close()); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		from, to string // of the same length
		broken   string // a part of to
		path     state.Path
		sees     []string
		blind    []string
	}{
		{"4:todo;", "4:\xffodo;", "\xff", "/comment", []string{"~comment x", "~q | ~comment x"}, []string{"~marked", "~u x", "~s | ~comment x"}},
		{"4:path;5:/api/,", "4:path;5:/api/;", "", "", nil, []string{"~u api"}}, // text for bytes
		{"3:404#", "3:4x4#", "4x4", "/response/status_code", []string{"~c 404", "~status 4xx"}, []string{"~s", "~hs nginx"}},
		{"14:server.example;", "14:server.exampl\xe9;", "server.exampl\xe9", "/request/host", []string{"~d x", "~u x"}, []string{"~m GET"}},
		{"4:type;4:http;", "4:type;4:htto;", "", "/type", []string{"~http", "~u x", "~b x", "~q", "~time 2024"}, []string{"~comment todo", "~e", "~dst x"}},
		{"12:Content-Type,", "99:Content-Type,", "", "/response/headers", []string{"~hs x", "~ts x", "~bs x"}, []string{"~c 404", "~sizes 1.."}},
	} {
		data := bytes.Clone(buf.Bytes())
		// mitmproxy writes maps from their end, so the first one is the response.
		i := bytes.Index(data, []byte(test.from))
		if i < 0 || len(test.from) != len(test.to) {
			t.Fatalf("no %q in the record", test.from)
		}
		if test.path == "/request/host" {
			i = bytes.Index(data, []byte("4:host;"+test.from)) + len("4:host;")
		}
		copy(data[i:], test.to)
		v := onlyValue(t, data)
		for _, expr := range test.sees {
			_, err := compile(t, expr, nil).MatchState(v, nil)
			pe, ok := errors.AsType[*state.PathError](err)
			if !ok || !strings.HasPrefix(string(pe.Path), string(test.path)) {
				t.Errorf("%q, %s: %v, want an error at %s", test.to, expr, err, test.path)
			} else if j := bytes.Index(data[i:], []byte(test.broken)); test.broken != "" && (pe.Offset < int64(i) || pe.Offset > int64(i+j+len(test.broken))) {
				t.Errorf("%q, %s: %v at %d, want %d", test.to, expr, err, pe.Offset, i+j)
			}
		}
		for _, expr := range test.blind {
			if _, err := compile(t, expr, nil).MatchState(v, nil); err != nil {
				t.Errorf("%q, %s: %v", test.to, expr, err)
			}
		}
	}
}

// TestMatchNotFlow: states that are no flows at all.
func TestMatchNotFlow(t *testing.T) {
	for _, v := range []state.Value{
		state.Null(), state.Int(1), state.Text("http"), state.NewList().Value(), state.NewMap().Value(),
		state.NewMap(state.E("type", state.Bytes([]byte("http")))).Value(),
		state.NewMap(state.E("type", state.Text("websocket"))).Value(),
	} {
		for expr, f := range examples(t) {
			if !strings.Contains(expr, "~http") {
				continue
			}
			_, err := f.MatchState(&v, nil)
			unknown, isUnknown := errors.AsType[*flow.UnknownTypeError](err)
			if err == nil || v.Kind() == state.KindMap != isUnknown {
				t.Errorf("%s of %s: %v", expr, v, err)
			} else if isUnknown && unknown.Type == "" {
				t.Errorf("%s of %s: %v does not say what is there", expr, v, err)
			}
		}
		for _, expr := range []string{"~all", "~index 0", "~formatv 21"} {
			if ok, err := compile(t, expr, nil).MatchState(&v, nil); !ok || err != nil {
				t.Errorf("%s of %s: %v, %v", expr, v, ok, err)
			}
		}
	}
}

// TestMatchElided: content that was dropped from a stream is an error for those
// who want to see it, and only for them.
func TestMatchElided(t *testing.T) {
	const size = 2 << 20
	body := bytesBody(size)
	samples := []struct {
		sample
		path state.Path
		side string // the operator that looks there, beside ~b
	}{
		{sample{name: "response", flow: newHTTP(func(f *flow.HTTP) { respond(f, 200).Body = body })}, "/response/content", "~bs"},
		{sample{name: "request", flow: newHTTP(func(f *flow.HTTP) {
			f.Request().Body = body
			f.Request().Headers = flow.NewHeaders("Content-Encoding", "gzip")
		})}, "/request/content", "~bq"},
		{sample{name: "socket", flow: newHTTP(func(f *flow.HTTP) {
			f.SetWebSocket(&flow.WebSocket{Messages: []flow.WebSocketMessage{{}, {Content: body}}})
		})}, "/websocket/messages/1/2", "~bs"},
		{sample{name: "stream", flow: newTCP(func(f *flow.TCP) {
			f.SetMessages([]flow.Message{{FromClient: true, Content: body}})
		})}, "/messages/0/1", "~bq"},
	}
	for _, s := range samples {
		var buf bytes.Buffer
		w := dumpfile.NewWriter(&buf)
		if err := errors.Join(w.WriteFlow(s.flow), w.Close()); err != nil {
			t.Fatal(err)
		}
		r := dumpfile.NewReader(struct{ io.Reader }{&buf}, &dumpfile.ReaderOptions{DropLarge: true})
		rec, err := r.ReadRecord()
		if err != nil {
			t.Fatal(err)
		}
		v, err := rec.Value()
		if err != nil {
			t.Fatal(err)
		}
		for expr, f := range examples(t) {
			if !f.NeedsContent() {
				if _, err := f.MatchState(v, nil); err != nil {
					t.Errorf("%s, %s: %v", s.name, expr, err)
				}
			}
		}
		if ok, err := compile(t, "~size 2M", nil).MatchState(v, nil); !ok || err != nil {
			t.Errorf("%s, ~size: %v, %v", s.name, ok, err)
		}
		for _, expr := range []string{"~b x", "~bq x", "~bs x", "~b ^x", "!~b x"} {
			_, err := compile(t, expr, nil).MatchState(v, nil)
			pe, _ := errors.AsType[*state.PathError](err)
			sees := errors.Is(err, state.ErrElided) && pe != nil && pe.Path == s.path
			if want := strings.Contains(expr, s.side) || strings.Contains(expr, "~b "); err != nil != want || want && !sees {
				t.Errorf("%s, %s: %v, want an error at %s: %v", s.name, expr, err, s.path, want)
			}
		}
	}
}

// TestMatchTimeout: a regular expression that takes too long is an error that
// names the operator.
func TestMatchTimeout(t *testing.T) {
	long := "c" + strings.Repeat("a", 40)
	f := newHTTP(func(f *flow.HTTP) {
		f.SetComment(long)
		f.SetMarked(long)
		f.Metadata().Set("key", state.Text(long))
		f.Request().Method, f.Request().Host, f.Request().Path = long, long, "/"+long
		f.ClientConn().SNI, f.ClientConn().Peername = long, &flow.Address{Host: long}
		f.ServerConn().Address = &flow.Address{Host: long}
		f.SetError(&flow.Error{Msg: long, Timestamp: at(1)})
		r := respond(f, 200)
		r.Headers = flow.NewHeaders("Content-Type", long, "Content-Encoding", long)
		r.Body = flow.NewBody([]byte(long))
		f.SetWebSocket(&flow.WebSocket{Messages: []flow.WebSocketMessage{{Content: r.Body}}})
	})
	v := f.State().Value()
	const slow = `(?=(a+)+\1c)`
	for _, op := range filter.Operators() {
		arg := slow
		switch op.Arg {
		case filter.RegexArg:
			if strings.HasSuffix(op.Code, "q") {
				continue // the request has nothing to look at
			}
		case filter.HeaderArg:
			if op.Code == "hnq" {
				continue
			}
			arg = "content-type=" + slow
		default:
			continue
		}
		expr := op.String() + ` '` + strings.ReplaceAll(arg, `\`, `\\`) + `'`
		const limit = 20 * time.Millisecond
		f := compile(t, expr, &filter.Options{Timeout: limit})
		begin := time.Now()
		_, err := f.MatchState(&v, nil)
		took := time.Since(begin)
		me, ok := errors.AsType[*filter.MatchError](err)
		if !ok || me.Op != op.String()+" "+arg || !strings.Contains(err.Error(), me.Op) {
			t.Errorf("%s: %v", expr, err)
		}
		if te, ok := errors.AsType[*pyregexp.TimeoutError](err); !ok || te.Limit != limit {
			t.Errorf("%s: %v", expr, err)
		}
		if took > 5*time.Second {
			t.Errorf("%s: took %v", expr, took)
		}
	}
	// What needs no search has no error, whatever the order.
	for _, expr := range []string{"~q & ~b '%s'", "~b '%s' & ~q", "~b '%s' | ~s", "~u '%s' ~dns"} {
		expr = fmt.Sprintf(expr, strings.ReplaceAll(slow, `\`, `\\`))
		if _, err := compile(t, expr, nil).MatchState(&v, nil); err != nil {
			t.Errorf("%s: %v", expr, err)
		}
	}
}

// encoders make bodies.
var encoders = map[string]func([]byte) []byte{
	"gzip": func(b []byte) []byte {
		return encoded(b, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
	},
	"deflate": func(b []byte) []byte {
		return encoded(b, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) })
	},
	"br": func(b []byte) []byte {
		return encoded(b, func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) })
	},
	"zstd": func(b []byte) []byte {
		z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
		if err != nil {
			panic(err)
		}
		defer z.Close()
		return z.EncodeAll(b, nil)
	},
}

func encoded(b []byte, encoder func(io.Writer) io.WriteCloser) []byte {
	var buf bytes.Buffer
	w := encoder(&buf)
	if _, err := w.Write(b); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return buf.Bytes()
}

// TestMatchMaxBody: a body that decodes to more than the limit is an error.
func TestMatchMaxBody(t *testing.T) {
	const size = 1 << 20
	content := append(make([]byte, size-6), "needle"...)
	for name, encode := range encoders {
		f := newHTTP(func(f *flow.HTTP) {
			r := respond(f, 200)
			r.Headers = flow.NewHeaders("Content-Encoding", name)
			r.Body = flow.NewBody(encode(content))
		})
		for _, test := range []struct {
			expr  string
			limit int64
			want  bool
			fails bool
		}{
			{"~b needle", size, true, false},
			{"~b needle", 0, true, false}, // the default
			{"~b needle", -1, true, false},
			{"~b needle", size - 1, false, true},
			{"!~bs needle", 100, false, true},
			{"~bq needle", 100, false, false},
			{"~b needle & ~q", 100, false, false},
			{"~size <100k", 100, true, false},
			{"~encs .", 100, true, false},
		} {
			m := compile(t, test.expr, nil)
			if m.MaxBody != filter.DefaultMaxBody {
				t.Fatalf("MaxBody is %d", m.MaxBody)
			}
			m.MaxBody = test.limit
			ok, err := m.Match(f, nil)
			if ok != test.want || err != nil != test.fails {
				t.Errorf("%s, %s, at most %d bytes: %v, %v", name, test.expr, test.limit, ok, err)
			}
			if !test.fails {
				continue
			}
			le, isLimit := errors.AsType[*coding.LimitError](err)
			me, isMatch := errors.AsType[*filter.MatchError](err)
			pe, isPath := errors.AsType[*state.PathError](err)
			if !isLimit || le.Limit != test.limit || !isMatch || me.Op != strings.Trim(test.expr, "!") || !isPath || pe.Path != "/response/content" {
				t.Errorf("%s, %s: %v", name, test.expr, err)
			}
		}
	}
	// The default is not that of package coding.
	big := newHTTP(func(f *flow.HTTP) {
		f.Request().Headers = flow.NewHeaders("Content-Encoding", "gzip")
		f.Request().Body = flow.NewBody(encoders["gzip"](append(make([]byte, coding.DefaultLimit), "needle"...)))
	})
	for _, limit := range []int64{0, filter.DefaultMaxBody} {
		m := compile(t, "~b needle", nil)
		m.MaxBody = limit
		if ok, err := m.Match(big, nil); !ok || err != nil {
			t.Errorf("more than 16 MiB, at most %d bytes: %v, %v", limit, ok, err)
		}
	}
	// A body that is not encoded has no limit.
	plain := newHTTP(func(f *flow.HTTP) { respond(f, 200).Body = flow.NewBody(content) })
	m := compile(t, "~b needle", nil)
	m.MaxBody = 10
	if ok, err := m.Match(plain, nil); !ok || err != nil {
		t.Errorf("plain: %v, %v", ok, err)
	}
}

// pyregexpOf returns the regular expression of a filter that is one operator.
func pyregexpOf(f *filter.Filter) *pyregexp.Regexp { return f.Expr().Root.(*filter.Op).Regexp }

// window is how much of a body is searched at a time.
const window = 256 << 10

// TestMatchLargeBody searches bodies that are not in memory, with the string to
// be found at all places that could be special.
func TestMatchLargeBody(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	filler := make([]byte, 3*window+100)
	for i := range filler {
		filler[i] = "abcdefghNEDL .\n\x00\xff"[rnd.IntN(17)]
	}
	long := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = "0123456789"[rnd.IntN(10)]
		}
		return string(b)
	}
	for _, test := range []struct {
		expr   string
		needle string
	}{
		{"~b needle1", "NEEDLE1"},
		{"~bs needle1", "needle1"},
		{"~b (?-i:Needle1)", "Needle1"},
		{"~b 1", "1"},
		{"~b ne.dle1", "ne\ndle1"},
		{`~b ne\Sdle\d`, "neXdle7"},
		{"~b xyz1|longer.alternative1", "xyz1"},
		{"~b xyz1|longer.alternative1", "longer alternative1"},
		{"~b ^needle1|needle[12]", "needle2"}, // not for windows
		{`~b needle1\s*$`, "needle1"},
		{`~b (1)\1\1`, "111"},
		{"~b " + long(100), ""},
		{"~b " + long(window/2), ""},
		{"~b " + long(window/2+1), ""},
		{"~b " + long(window+1), ""},
	} {
		needle := test.needle
		op, arg, _ := strings.Cut(test.expr, " ")
		if needle == "" {
			needle = arg
		}
		if strings.ContainsAny(arg, `()\|`) {
			test.expr = op + " '" + strings.ReplaceAll(arg, `\`, `\\`) + "'"
		}
		f := compile(t, test.expr, nil)
		n := len(needle)
		places := []int{-1, 0, 1, len(filler) - n, len(filler) - n - 1, window - n, window, 2*window - n}
		for _, border := range []int{window, 2*window - (n - 1), 2 * window, 3*window - 2*(n-1)} {
			places = append(places, border-n, border-n+1, border-n/2, border-1, border, border+1)
		}
		slices.Sort(places)
		if _, ok := pyregexpOf(f).Literal(); !ok || n > 1000 { // it is searched as a whole
			places = []int{-1, 0, window - n/2, len(filler) - n}
		}
		for _, at := range slices.Compact(places) {
			if at < -1 || at+n > len(filler) {
				continue
			}
			body := bytes.Clone(filler)
			if at >= 0 {
				copy(body[at:], needle)
			}
			want := at >= 0 && (arg != `needle1\s*$` || at+n == len(filler))
			// In memory, and left in the input.
			inMemory := newHTTP(func(f *flow.HTTP) { respond(f, 200).Body = flow.NewBody(body) }).State().Value()
			outside := inMemory
			m, _ := outside.Map()
			m = m.Clone()
			response, err := m.Map("response")
			if err != nil {
				t.Fatal(err)
			}
			input := io.MultiReader(strings.NewReader("before"), bytes.NewReader(body), strings.NewReader("needle1 111"))
			all, _ := io.ReadAll(input)
			response.Set("content", state.External(state.KindBytes,
				&state.Extent{Reader: bytes.NewReader(all), Off: 6, Len: int64(len(body))}))
			outside = m.Value()
			for how, v := range map[string]*state.Value{"in memory": &inMemory, "outside": &outside} {
				if got, err := f.MatchState(v, nil); got != want || err != nil {
					t.Errorf("%.60s, %.20q at %d, %s: %v, %v, want %v", test.expr, needle, at, how, got, err, want)
				}
			}
		}
	}
}

// TestMatchFile reads a file with large bodies of all sorts.
func TestMatchFile(t *testing.T) {
	const size = 700 << 10
	body := func(end string) flow.Body {
		b := bytes.Repeat([]byte("filler "), size/7)
		return flow.NewBody(append(b, end...))
	}
	flows := []flow.Flow{
		newHTTP(func(f *flow.HTTP) { f.Request().Body = body("in request") }),
		newHTTP(func(f *flow.HTTP) { respond(f, 200).Body = body("in response") }),
		newHTTP(func(f *flow.HTTP) {
			b, _ := body("in gzip").Bytes()
			r := respond(f, 200)
			r.Headers, r.Body = flow.NewHeaders("content-encoding", "GZIP"), flow.NewBody(encoders["gzip"](b))
		}),
		newHTTP(func(f *flow.HTTP) {
			r := respond(f, 200)
			r.Headers, r.Body = flow.NewHeaders("content-encoding", "gzip, br"), body("in unknown")
		}),
		newHTTP(func(f *flow.HTTP) {
			f.SetWebSocket(&flow.WebSocket{Messages: []flow.WebSocketMessage{{Content: body("in socket 1")}, {Content: body("in socket 2")}}})
		}),
		newTCP(func(f *flow.TCP) { f.SetMessages([]flow.Message{{FromClient: true, Content: body("in tcp")}}) }),
		newTCP(func(f *flow.TCP) {
			f.SetComment(strings.Repeat("in comment\n", 10_000))
			f.Metadata().Set("key", state.Text(strings.Repeat("in metadata ", 10_000)))
		}),
		newHTTP(func(f *flow.HTTP) {
			f.Request().Headers = flow.NewHeaders("X-Long", strings.Repeat("in header ", 10_000), "Content-Type", "in type")
			f.Request().Path = "/" + strings.Repeat("in-path/", 10_000)
		}),
		newDNS(func(f *flow.DNS) {
			f.SetResponse(&flow.DNSMessage{Answers: []flow.DNSRecord{{Type: flow.DNSTypeTXT, Data: strings.Repeat("in dns ", 8_000)}}})
		}),
		newHTTP(func(f *flow.HTTP) {
			f.Request().Body = body("in request")
			f.Backup()
			f.Request().Body = bytesBody(1)
		}),
	}
	name := filepath.Join(t.TempDir(), "large.mitm")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w := dumpfile.NewWriter(file)
	for _, f := range flows {
		if err := w.WriteFlow(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		expr string
		want []int
	}{
		{"~b 'in request'", []int{0}}, {"~bq 'in request'", []int{0}}, {"~bs 'in request'", nil},
		{"~b 'in response'", []int{1}}, {"~b 'in gzip'", []int{2}}, {"~b 'in unknown'", []int{3}},
		{"~bs 'in socket 2'", []int{4}}, {"~b 'in socket 2$'", []int{4}}, {"~bq in", []int{0, 5}}, {"~b 'in tcp'", []int{5}},
		{"~bs 'r in [gus][^r]+$'", []int{2, 3, 4}}, {"~comment 'in comment'", []int{6}}, {`~comment 'comment\n\\Z'`, []int{6}},
		{"~meta '^key: in m'", []int{6}}, {"~h 'in header'", []int{7}}, {"~tq 'in type'", []int{7}}, {"~u 'in-path/$'", []int{7}},
		{"~b 'in dns $'", []int{8}}, {"~size >1M", []int{4}}, {"~size 700k..701k", []int{0, 1, 3, 5}}, {"~m GET", []int{0, 1, 2, 3, 4, 7, 9}}, {"~edited", []int{9}}, {"~size 1", []int{9}},
	}
	readers := map[string]func() io.Reader{
		"file":   func() io.Reader { _, _ = file.Seek(0, io.SeekStart); return file },
		"memory": func() io.Reader { return bytes.NewReader(flowtest.Read(t, name)) },
		"stream": func() io.Reader { return struct{ io.Reader }{bytes.NewReader(flowtest.Read(t, name))} },
	}
	for how, open := range readers {
		for _, test := range tests {
			f := compile(t, test.expr, nil)
			for _, only := range [][]string{nil, f.Needs()} {
				var got []int
				for rec, err := range dumpfile.NewReader(open(), &dumpfile.ReaderOptions{Only: only}).Records() {
					if err != nil {
						t.Fatal(err)
					}
					v, err := rec.Value()
					if err != nil {
						t.Fatal(err)
					}
					ok, err := f.MatchState(v, nil)
					if err != nil {
						t.Errorf("%s: %s, record %d: %v", how, test.expr, rec.Index, err)
					}
					if ok {
						got = append(got, int(rec.Index))
					}
				}
				if !slices.Equal(got, test.want) {
					t.Errorf("%s: %s: matches %v, want %v (only %v)", how, test.expr, got, test.want, only)
				}
			}
		}
	}
	// A file that becomes shorter while it is read.
	rec, err := dumpfile.NewReader(readers["file"](), nil).ReadRecord()
	if err != nil {
		t.Fatal(err)
	}
	v, err := rec.Value()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, size/2); err != nil {
		t.Fatal(err)
	}
	for _, expr := range []string{"~b 'in request'", "~b 'in request$'"} {
		_, err := compile(t, expr, nil).MatchState(v, nil)
		pe, ok := errors.AsType[*state.PathError](err)
		if !errors.Is(err, io.ErrUnexpectedEOF) || !ok || pe.Path != "/request/content" {
			t.Errorf("%s of a file that became shorter: %v", expr, err)
		}
	}
}

// TestMatchConcurrently: goroutines that share a filter get the answers that
// each would get alone.
func TestMatchConcurrently(t *testing.T) {
	data := flowtest.Read(t, flowtest.Path("filter", "corpus-a.mitm"))
	var fs []*filter.Filter
	for _, text := range []string{
		`~u "(a|b)"`, `~b "(?s)h.*l" | ~h "^server" | ~meta x`, `~b "(.)\\1" & !~d "(?<!a)b"`, "~t html | ~c 404 | ~dns",
		`~comment "\\bé" | ~marker . | ~src ^127 & ~dst ":\\d+$"`, "~size >10 & ~dur <10s | ~time 2020.. | ~hn server=a | ~tlsv 1.3",
	} {
		fs = append(fs, compile(t, text, nil))
	}
	ask := func() (out []bool, err error) {
		for _, v := range values(t, data) {
			for _, f := range fs {
				ok, err := f.MatchState(&v, nil)
				if err != nil {
					return nil, err
				}
				out = append(out, ok)
			}
		}
		return out, nil
	}
	want, err := ask()
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 3 {
				if got, err := ask(); err != nil || !slices.Equal(got, want) {
					t.Errorf("the answers are not those of a goroutine alone (%v)", err)
				}
			}
		})
	}
	wg.Wait()
}
