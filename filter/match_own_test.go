package filter_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/filter"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/state"
)

// A sample is a flow with a name and what is known about it.
type sample struct {
	name  string
	flow  flow.Flow
	facts *filter.Facts
}

// A matchCase is an expression and the names of the samples that it matches.
type matchCase struct{ expr, want string }

// checkMatches compares which of some samples match, as flows and as records
// that nobody decoded, and that the others match the negation.
func checkMatches(t *testing.T, samples []sample, cases []matchCase) {
	t.Helper()
	records := make([]*state.Value, len(samples))
	for i, s := range samples {
		records[i] = recordOf(t, s.flow)
	}
	opts := &filter.Options{Location: time.UTC}
	for _, test := range cases {
		f, not := compile(t, test.expr, opts), compile(t, "!("+test.expr+")", opts)
		var got, gotRecords, gotNot []string
		add := func(list *[]string, f *filter.Filter, i int, v *state.Value) {
			ok, err := f.MatchState(v, samples[i].facts)
			if err != nil {
				t.Errorf("%s: %s: %v", test.expr, samples[i].name, err)
			}
			if ok {
				*list = append(*list, samples[i].name)
			}
		}
		for i, s := range samples {
			v := s.flow.State().Value()
			add(&got, f, i, &v)
			add(&gotRecords, f, i, records[i])
			add(&gotNot, not, i, records[i])
		}
		want := strings.Fields(test.want)
		var others []string
		for _, s := range samples {
			if !slices.Contains(want, s.name) {
				others = append(others, s.name)
			}
		}
		if len(want)+len(others) != len(samples) {
			t.Errorf("%s: %q has a name that no sample has", test.expr, test.want)
		}
		if !slices.Equal(got, want) || !slices.Equal(gotRecords, want) {
			t.Errorf("%s: matches %q, and of the records %q, want %q", test.expr, got, gotRecords, want)
		}
		if !slices.Equal(gotNot, others) {
			t.Errorf("!(%s): matches %q, want %q", test.expr, gotNot, others)
		}
	}
}

func compile(t testing.TB, expr string, opts *filter.Options) *filter.Filter {
	t.Helper()
	e, err := filter.Parse(expr, opts)
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	return filter.Compile(e)
}

// recordOf writes a flow and returns the record, of which nothing is decoded.
func recordOf(t testing.TB, f flow.Flow) *state.Value {
	t.Helper()
	return written(t, func(w *dumpfile.Writer) error { return w.WriteFlow(f) })
}

// Flows that tests change. They begin at the same time, and nothing of them has
// ended.

const begin = 1_714_557_600 // 2024-05-01T10:00:00Z

func at(seconds float64) flow.Timestamp { return flow.Seconds(begin + seconds) }

func conns() (*flow.ClientConn, *flow.ServerConn) {
	c := flow.NewClientConn()
	c.TimestampStart = at(0)
	return c, flow.NewServerConn(&flow.Address{Host: "server.example", Port: 443})
}

func newHTTP(change func(f *flow.HTTP)) *flow.HTTP {
	c, s := conns()
	f := flow.NewHTTP(c, s, &flow.Request{
		HTTPMessage: flow.HTTPMessage{HTTPVersion: "HTTP/1.1", TimestampStart: at(0)},
		Host:        "server.example", Port: 443, Method: "GET", Scheme: "https", Path: "/",
	}, nil)
	if change != nil {
		change(f)
	}
	return f
}

// respond gives f a response that has neither body nor end, and returns it.
func respond(f *flow.HTTP, status int) *flow.Response {
	f.SetResponse(&flow.Response{
		HTTPMessage: flow.HTTPMessage{HTTPVersion: "HTTP/1.1", TimestampStart: at(0)}, StatusCode: status,
	})
	return f.Response()
}

func newTCP(change func(f *flow.TCP)) *flow.TCP {
	c, s := conns()
	f := flow.NewTCP(c, s)
	if change != nil {
		change(f)
	}
	return f
}

func newUDP(change func(f *flow.UDP)) *flow.UDP {
	c, s := conns()
	f := flow.NewUDP(c, s)
	if change != nil {
		change(f)
	}
	return f
}

func newDNS(change func(f *flow.DNS)) *flow.DNS {
	c, s := conns()
	f := flow.NewDNS(c, s, &flow.DNSMessage{
		Query: true, Questions: []flow.DNSQuestion{{Name: "name.example", Type: flow.DNSTypeA, Class: 1}}, Timestamp: at(0),
	}, nil)
	if change != nil {
		change(f)
	}
	return f
}

func bytesBody(n int) flow.Body { return flow.NewBody(make([]byte, n)) }

// messagesOf returns messages of which the sizes alternate between client and
// server.
func messagesOf(sizes ...int) (list []flow.Message) {
	for i, n := range sizes {
		list = append(list, flow.Message{FromClient: i%2 == 0, Content: bytesBody(n), Timestamp: at(float64(i))})
	}
	return list
}

func TestMatchStatus(t *testing.T) {
	status := func(code int) flow.Flow { return newHTTP(func(f *flow.HTTP) { respond(f, code) }) }
	samples := []sample{
		{name: "none", flow: newHTTP(nil)},
		{name: "0", flow: status(0)},
		{name: "199", flow: status(199)},
		{name: "200", flow: status(200)},
		{name: "299", flow: status(299)},
		{name: "404", flow: status(404)},
		{name: "409", flow: status(409)},
		{name: "599", flow: status(599)},
		{name: "1000", flow: status(1000)},
		{name: "tcp", flow: newTCP(nil)},
		{name: "dns", flow: newDNS(func(f *flow.DNS) { f.SetResponse(&flow.DNSMessage{ResponseCode: 200}) })},
	}
	checkMatches(t, samples, []matchCase{
		{"~status 404", "404"},
		{"~status 0", "0"},
		{"~status 2xx", "200 299"},
		{"~status 40x", "404 409"},
		{"~status 1xx,5xx", "199 599"},
		{"~status 200..404", "200 299 404"},
		{"~status 2xx..4xx", "200 299 404 409"},
		{"~status 201-299", "299"},
		{"~status >=404", "404 409 599 1000"},
		{"~status >4xx", "599 1000"},
		{"~status <2xx", "0 199"},
		{"~status <=2xx", "0 199 200 299"},
		{"~status =404", "404"},
		{"~status 0..", "0 199 200 299 404 409 599 1000"},
		{"~status ..199", "0 199"},
		{"~status 300", ""},
		{"!~status 0..599", "none 1000 tcp dns"}, // what has no status is in no list
		{"~status 99999999", ""},
	})
}

func TestMatchSize(t *testing.T) {
	const gzipped = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"
	samples := []sample{
		{name: "null", flow: newHTTP(func(f *flow.HTTP) { respond(f, 200) })},
		{name: "none", flow: newHTTP(nil)},
		{name: "empty", flow: newHTTP(func(f *flow.HTTP) { respond(f, 204).Body = bytesBody(0) })},
		{name: "q1023", flow: newHTTP(func(f *flow.HTTP) { f.Request().Body = bytesBody(1023) })},
		{name: "s1024", flow: newHTTP(func(f *flow.HTTP) { respond(f, 200).Body = bytesBody(1024) })},
		{name: "both", flow: newHTTP(func(f *flow.HTTP) {
			f.Request().Body = bytesBody(1)
			respond(f, 200).Body = bytesBody(1024)
		})},
		// What counts is what was transferred.
		{name: "gzip", flow: newHTTP(func(f *flow.HTTP) {
			r := respond(f, 200)
			r.Headers = flow.NewHeaders("Content-Encoding", "gzip")
			r.Body = flow.NewBody([]byte(gzipped))
		})},
		{name: "ws", flow: newHTTP(func(f *flow.HTTP) {
			respond(f, 101).Body = bytesBody(0)
			f.SetWebSocket(&flow.WebSocket{Messages: []flow.WebSocketMessage{
				{FromClient: true, Content: bytesBody(600)}, {Content: bytesBody(500)}, {Content: bytesBody(0)},
			}})
		})},
		{name: "quiet", flow: newHTTP(func(f *flow.HTTP) { f.SetWebSocket(&flow.WebSocket{}) })},
		{name: "tcp", flow: newTCP(func(f *flow.TCP) { f.SetMessages(messagesOf(1000, 20, 24)) })},
		{name: "silent", flow: newTCP(nil)},
		{name: "udp", flow: newUDP(func(f *flow.UDP) { f.SetMessages(messagesOf(0, 3<<20)) })},
		{name: "dns", flow: newDNS(nil)},
	}
	checkMatches(t, samples, []matchCase{
		{"~size 0..", "empty q1023 s1024 both gzip ws quiet tcp silent udp"},
		{"~size 0", "empty quiet silent"},
		{"~size 10", "gzip"},
		{"~size 1k", "s1024"},
		{"~size <1k", "empty q1023 gzip quiet silent"},
		{"~size <=1k", "empty q1023 s1024 gzip quiet silent"},
		{"~size >1k", "both ws tcp udp"},
		{"~size >=1kB", "s1024 both ws tcp udp"},
		{"~size 1k..1.05K", "s1024 both tcp"},
		{"~size 1025,1100", "both ws"},
		{"~size >=3MiB", "udp"},
		{"~size >3M", ""},
		{"~size 1G..", ""},
		{"~sizeq 0..", "q1023 both ws quiet tcp silent udp"},
		{"~sizeq 1", "both"},
		{"~sizeq 600", "ws"},
		{"~sizeq 1k", "tcp"},
		{"~sizeq 0", "quiet silent udp"},
		{"~sizes 0..", "empty s1024 both gzip ws quiet tcp silent udp"},
		{"~sizes <1k", "empty gzip ws quiet tcp silent"},
		{"~sizes 500", "ws"},
		{"~sizes 20", "tcp"},
		{"~sizes 3M", "udp"},
	})
}

func TestMatchDuration(t *testing.T) {
	took := func(seconds float64) flow.Flow {
		return newHTTP(func(f *flow.HTTP) { respond(f, 200).TimestampEnd = at(seconds) })
	}
	samples := []sample{
		{name: "pending", flow: newHTTP(nil)},
		{name: "unfinished", flow: newHTTP(func(f *flow.HTTP) { respond(f, 200) })},
		{name: "instant", flow: took(0)},
		{name: "0.5s", flow: took(0.5)},
		{name: "1s", flow: took(1)},
		{name: "90s", flow: took(90)},
		{name: "earlier", flow: took(-1)}, // clocks are set
		{name: "failed", flow: newHTTP(func(f *flow.HTTP) { f.SetError(&flow.Error{Timestamp: at(30)}) })},
		// With a response, it is the response that counts.
		{name: "late", flow: newHTTP(func(f *flow.HTTP) {
			respond(f, 200).TimestampEnd = at(2)
			f.SetError(&flow.Error{Timestamp: at(60)})
		})},
		{name: "unknown", flow: newHTTP(func(f *flow.HTTP) {
			f.Request().TimestampStart = flow.Seconds(0)
			respond(f, 200).TimestampEnd = at(2)
		})},
		{name: "endless", flow: newHTTP(func(f *flow.HTTP) { respond(f, 200).TimestampEnd = flow.Seconds(0) })},
		{name: "ws", flow: newHTTP(func(f *flow.HTTP) {
			respond(f, 101).TimestampEnd = at(0.1)
			f.SetWebSocket(&flow.WebSocket{TimestampEnd: at(3600)})
		})},
		{name: "open", flow: newHTTP(func(f *flow.HTTP) {
			respond(f, 101).TimestampEnd = at(0.1)
			f.SetWebSocket(&flow.WebSocket{})
		})},
		{name: "tcp", flow: newTCP(func(f *flow.TCP) {
			f.ServerConn().TimestampEnd, f.ClientConn().TimestampEnd = at(10), at(11)
			f.SetMessages(messagesOf(1, 1, 1))
		})},
		{name: "client", flow: newTCP(func(f *flow.TCP) { f.ClientConn().TimestampEnd = at(11) })},
		{name: "talking", flow: newUDP(func(f *flow.UDP) { f.SetMessages(messagesOf(1, 1, 1, 1, 1)) })},
		{name: "timeless", flow: newUDP(func(f *flow.UDP) { f.SetMessages([]flow.Message{{}, {}}) })},
		{name: "zero", flow: newUDP(func(f *flow.UDP) { f.SetMessages([]flow.Message{{Timestamp: flow.Seconds(0)}}) })},
		{name: "silent", flow: newTCP(nil)},
		{name: "dns", flow: newDNS(func(f *flow.DNS) { f.SetResponse(&flow.DNSMessage{Timestamp: at(0.25)}) })},
		{name: "lost", flow: newDNS(nil)},
	}
	checkMatches(t, samples, []matchCase{
		{"~dur >=0", "instant 0.5s 1s 90s failed late ws tcp client talking dns"},
		{"~dur <0", "earlier"},
		{"~dur <=0", "instant earlier"},
		{"~dur <1s", "instant 0.5s earlier dns"},
		{"~dur <=1s", "instant 0.5s 1s earlier dns"},
		{"~dur >1s", "90s failed late ws tcp client talking"},
		{"~dur >=1000ms", "1s 90s failed late ws tcp client talking"},
		{"~dur 250ms..500ms", "0.5s dns"},
		{"~dur 2..4", "late talking"},
		{"~dur >=1m30s", "90s ws"},
		{"~dur >=1h", "ws"},
		{"~dur >1h", ""},
		{"~dur 10s..11s,30s..30s", "failed tcp client"},
	})
}

func TestMatchTime(t *testing.T) {
	facts := &filter.Facts{First: begin, Last: begin + 7200}
	started := func(seconds float64) flow.Flow {
		return newHTTP(func(f *flow.HTTP) {
			f.Request().TimestampStart = at(seconds)
			f.ClientConn().TimestampStart = at(-1000) // a connection that was open already
		})
	}
	samples := []sample{
		{"first", started(0), facts},
		{"0.25s", started(0.25), facts},
		{"59.5s", started(59.5), facts},
		{"1m", started(60), facts},
		{"1h", started(3600), facts},
		{"last", started(7200), facts},
		{"midnight", started(14 * 3600), facts},
		{"tcp", newTCP(func(f *flow.TCP) { f.ClientConn().TimestampStart = at(1800) }), facts},
		{"dns", newDNS(func(f *flow.DNS) { f.ClientConn().TimestampStart = at(-86400) }), facts},
		{"unknown", newHTTP(func(f *flow.HTTP) { f.Request().TimestampStart = flow.Seconds(0) }), facts},
	}
	checkMatches(t, samples, []matchCase{
		{"~time 2024", "first 0.25s 59.5s 1m 1h last midnight tcp dns"},
		{"~time 2024-05-01", "first 0.25s 59.5s 1m 1h last tcp"},
		{"~time >2024-05-01", "midnight"},
		{"~time <2024-05-01", "dns"},
		{"~time 2024-05-01T10:00", "first 0.25s 59.5s"},
		{"~time 2024-05-01T10:00:00", "first 0.25s"},
		{"~time 2024-05-01T10:00:00.2", "0.25s"},
		{"~time 2024-05-01T12:00+02:00", "first 0.25s 59.5s"},
		{"~time 2024-05-01T10:00..2024-05-01T10:30", "first 0.25s 59.5s 1m tcp"},
		{"~time 1714557600", "first 0.25s"},
		{"~time 1714557600.25", "0.25s"},
		{"~time >1714557600", "59.5s 1m 1h last midnight tcp"},
		{"~time >=1714557660", "1m 1h last midnight tcp"},
		{"~time start", "first"},
		{"~time start..start+1m", "first 0.25s 59.5s 1m"},
		{"~time <start", "dns"},
		{"~time >=end-1h", "1h last midnight"},
		{"~time end-1h..end", "1h last"},
		{"~time end", "last"},
		{"~time ..end-1h30m", "first 0.25s 59.5s 1m tcp dns"},
		{"~time ..2000", ""},
		{"~time 2023,2024-04", "dns"},
	})
	without := func(part string, f flow.Flow) flow.Flow {
		m := f.GetState()
		if sub, err := m.Map(part); err != nil {
			t.Fatal(err)
		} else {
			sub.Set("timestamp_start", state.Null())
		}
		f, err := flow.View(m)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	checkMatches(t, []sample{
		{"connection", without("request", newHTTP(func(f *flow.HTTP) { f.ClientConn().TimestampStart = at(5) })), facts},
		{"created", without("client_conn", newTCP(func(f *flow.TCP) { f.SetTimestampCreated(at(9)) })), facts},
	}, []matchCase{
		{"~time 2024-05-01T10:00:05Z", "connection"},
		{"~time 2024-05-01T10:00:09Z", "created"},
	})
	for expr, want := range map[string]bool{"~time 2024": false, "~time end-1h..": true, "~q & !(~time <start)": true} {
		if got := compile(t, expr, nil).NeedsSpan(); got != want {
			t.Errorf("%s: NeedsSpan is %v", expr, got)
		}
	}
}

func TestMatchID(t *testing.T) {
	id := func(id string) flow.Flow { return newTCP(func(f *flow.TCP) { f.SetID(id) }) }
	samples := []sample{
		{name: "a", flow: id("8d2f51c0-0000-4000-8000-000000000001")},
		{name: "b", flow: id("8d2f51c0-0000-4000-8000-000000000002")},
		{name: "c", flow: id("8D2F0000-0000-4000-8000-000000000003")}, // not written by mitmproxy
		{name: "short", flow: id("8")},
		{name: "empty", flow: id("")},
	}
	checkMatches(t, samples, []matchCase{
		{"~id 8d2f", "a b c"},
		{"~id 8D2F5", "a b"},
		{"~id 8d2f51c0-0000-4000-8000-000000000002", "b"},
		{"~id 8d2f0,8d2f51c0-0000-4000-8000-000000000001", "a c"},
		{"~id 8", "a b c short"},
		{"~id d2f", ""},
		{"~id 8d2f51c0-0000-4000-8000-0000000000021", ""},
	})
}

func TestMatchFacts(t *testing.T) {
	fact := func(index int64, v migrate.Version) *filter.Facts { return &filter.Facts{Index: index, Version: v} }
	f := newTCP(nil)
	samples := []sample{
		{"0", f, fact(0, migrate.Tuple(0, 11))},
		{"1", f, fact(1, migrate.Tuple(0, 2))},
		{"4", f, fact(4, migrate.Tuple(3, 0))},
		{"5", f, fact(5, migrate.Number(4))},
		{"9", f, fact(9, migrate.Number(17))},
		{"20", f, fact(20, migrate.Number(21))},
		{"huge", f, fact(1<<40, migrate.Version{})}, // the newest
	}
	checkMatches(t, samples, []matchCase{
		{"~index 0", "0"},
		{"~index 0,4-9,20-", "0 4 5 9 20 huge"},
		{"~index >=5", "5 9 20 huge"},
		{"~index <1", "0"},
		{"~index 2..3", ""},
		{"~index 1099511627776", "huge"},
		{"~formatv 0", "0 1"},
		{"~formatv 0.11", "0"},
		{"~formatv >0.2", "0 4 5 9 20 huge"},
		{"~formatv <17", "0 1 4 5"},
		{"~formatv 3..4", "4 5"},
		{"~formatv 21", "20 huge"},
		{"~formatv >=17", "9 20 huge"},
		{"~formatv >21", ""},
	})
	ok, err := compile(t, "~index 0 & ~formatv 21", nil).Match(f, nil)
	if !ok || err != nil {
		t.Errorf("without facts: %v, %v; want those of the first flow in the newest version", ok, err)
	}
}

func TestMatchHTTPVersion(t *testing.T) {
	version := func(q, s string) flow.Flow {
		return newHTTP(func(f *flow.HTTP) {
			f.Request().HTTPVersion = q
			respond(f, 200).HTTPVersion = s
		})
	}
	samples := []sample{
		{name: "1.0", flow: version("HTTP/1.0", "HTTP/1.0")},
		{name: "1.1", flow: version("HTTP/1.1", "HTTP/1.1")},
		{name: "2.0", flow: version("HTTP/2.0", "HTTP/2.0")},
		{name: "3", flow: version("HTTP/3", "HTTP/3")},
		{name: "mixed", flow: version("HTTP/2.0", "HTTP/1.1")},
		{name: "request", flow: newHTTP(nil)},
		{name: "http/2", flow: version("HTTP/2", "http/2")},
		{name: "h2", flow: version("h2", "")},
		{name: "h3", flow: version("", "h3")},
		{name: "empty", flow: version("", "")},
		{name: "odd", flow: version("HTTP/+1.1", "HTTP/1.-1")},
		{name: "huge", flow: version("HTTP/99999999999999999999", "ICY")},
		{name: "tcp", flow: newTCP(nil)},
		{name: "dns", flow: newDNS(nil)},
	}
	checkMatches(t, samples, []matchCase{
		{"~httpv 1", "1.0 1.1 mixed request"},
		{"~httpv 1.0", "1.0"},
		{"~httpv 1.1", "1.1 mixed request"},
		{"~httpv 2", "2.0 mixed http/2 h2"},
		{"~httpv 2.0", "2.0 mixed http/2 h2"},
		{"~httpv 3", "3 h3"},
		{"~httpv <2", "1.0 1.1 mixed request"},
		{"~httpv >=2", "2.0 3 mixed http/2 h2 h3"},
		{"~httpv 1.1..2", "1.1 2.0 mixed request http/2 h2"},
		{"~httpv 1.0,3", "1.0 3 h3"},
		{"~httpv 0..", "1.0 1.1 2.0 3 mixed request http/2 h2 h3"},
	})
}

func TestMatchTLSVersion(t *testing.T) {
	version := func(client, server string) flow.Flow {
		return newTCP(func(f *flow.TCP) {
			f.ClientConn().TLSVersion, f.ServerConn().TLSVersion = client, server
		})
	}
	samples := []sample{
		{name: "none", flow: newHTTP(nil)},
		{name: "SSLv3", flow: version("SSLv3", "")},
		{name: "TLSv1", flow: version("TLSv1", "TLSv1")},
		{name: "TLSv1.1", flow: version("", "TLSv1.1")},
		{name: "TLSv1.2", flow: version("TLSv1.2", "TLSv1.2")},
		{name: "TLSv1.3", flow: version("TLSv1.3", "TLSv1.3")},
		{name: "mixed", flow: version("TLSv1.3", "TLSv1.2")},
		{name: "DTLSv0.9", flow: version("DTLSv0.9", "")},
		{name: "DTLSv1", flow: version("DTLSv1", "")},
		{name: "DTLSv1.2", flow: version("DTLSv1.2", "")},
		{name: "QUICv1", flow: version("QUICv1", "")},
		{name: "QUIC", flow: version("QUIC", "")}, // what 10.0 wrote
		{name: "unknown", flow: version("UNKNOWN", "TLSv")},
	}
	checkMatches(t, samples, []matchCase{
		{"~tlsv 1.3", "TLSv1.3 mixed QUICv1 QUIC"},
		{"~tlsv 1.2", "TLSv1.2 mixed DTLSv1.2"},
		{"~tlsv <1.2", "SSLv3 TLSv1 TLSv1.1 DTLSv0.9 DTLSv1"},
		{"~tlsv <=1.2", "SSLv3 TLSv1 TLSv1.1 TLSv1.2 mixed DTLSv0.9 DTLSv1 DTLSv1.2"},
		{"~tlsv 1.0", "TLSv1 DTLSv1"},
		{"~tlsv 1", "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3 mixed DTLSv1 DTLSv1.2 QUICv1 QUIC"},
		{"~tlsv 0..", "SSLv3 TLSv1 TLSv1.1 TLSv1.2 TLSv1.3 mixed DTLSv0.9 DTLSv1 DTLSv1.2 QUICv1 QUIC"},
		{"~tlsv >1.3", ""},
	})
}

func TestMatchEdited(t *testing.T) {
	old := newHTTP(nil).GetState()
	old.Set("backup", state.NewMap().Value())
	empty, err := flow.View(old)
	if err != nil {
		t.Fatal(err)
	}
	reverted := newHTTP(func(f *flow.HTTP) {
		f.Backup()
		f.SetComment("new")
	})
	if err := reverted.Revert(); err != nil {
		t.Fatal(err)
	}
	samples := []sample{
		{name: "never", flow: newHTTP(nil)},
		{name: "edited", flow: newHTTP(func(f *flow.HTTP) {
			f.Backup()
			f.Request().Path = "/new"
		})},
		{name: "tcp", flow: newTCP(func(f *flow.TCP) {
			f.Backup()
			f.SetMarked(":grapes:")
		})},
		{name: "unchanged", flow: newHTTP(func(f *flow.HTTP) { f.Backup() })},
		{name: "undone", flow: newHTTP(func(f *flow.HTTP) {
			f.Backup()
			f.SetComment("new")
			f.SetComment("")
		})},
		{name: "reverted", flow: reverted},
		{name: "empty", flow: empty},
	}
	checkMatches(t, samples, []matchCase{{"~edited", "edited tcp"}})
}

// withHeaders returns a flow with headers in request and response, nil for no
// response.
func withHeaders(q, s []string) flow.Flow {
	return newHTTP(func(f *flow.HTTP) {
		f.Request().Headers = flow.NewHeaders(q...)
		if s != nil {
			respond(f, 200).Headers = flow.NewHeaders(s...)
		}
	})
}

func TestMatchNamedHeader(t *testing.T) {
	samples := []sample{
		{name: "none", flow: withHeaders(nil, nil)},
		{name: "q", flow: withHeaders([]string{"X-Token", "abc"}, []string{"Server", "nginx/1.2"})},
		{name: "s", flow: withHeaders(nil, []string{"x-TOKEN", "ABC"})},
		{name: "empty", flow: withHeaders([]string{"x-token", ""}, nil)},
		{name: "several", flow: withHeaders([]string{"X-Token", "one", "Other", "x", "X-Token", "two"}, nil)},
		{name: "longer", flow: withHeaders([]string{"X-Tokens", "abc"}, []string{"X-Toke", "abc"})},
		{name: "value", flow: withHeaders([]string{"Other", "X-Token: abc"}, nil)},
		{name: "equals", flow: withHeaders([]string{"X-Token", "k=v"}, nil)},
		{name: "tcp", flow: newTCP(nil)},
	}
	checkMatches(t, samples, []matchCase{
		{"~hn x-token", "q s empty several equals"},
		{"~hn X-TOKEN", "q s empty several equals"},
		{"~hnq x-token", "q empty several equals"},
		{"~hns x-token", "s"},
		{"~hn x-token=abc", "q s"},
		{`~hn "x-token=(?-i:abc)"`, "q"},
		{"~hnq x-token=abc", "q"},
		{"~hns x-token=abc", "s"},
		{"~hn x-token=", "q s empty several equals"},
		{"~hn x-token=^$", "empty"},
		{"~hn x-token=.", "q s several equals"},
		{"~hn x-token=^two$", "several"},
		{"~hn x-token=one.*two", ""},
		{"~hn x-token=k=v", "equals"},
		{"~hn x-token==", "equals"},
		{"~hn server=^nginx", "q"},
		{`~hn "server=nginx/\\d"`, "q"},
		{"~hn server=apache", ""},
		{"~hn x-tok", ""},
	})
}

func TestMatchContentEncoding(t *testing.T) {
	const name = "Content-Encoding"
	samples := []sample{
		{name: "none", flow: withHeaders(nil, []string{"Accept-Encoding", "gzip"})},
		{name: "q", flow: withHeaders([]string{name, "gzip"}, []string{})},
		{name: "s", flow: withHeaders(nil, []string{"content-encoding", "BR"})},
		{name: "list", flow: withHeaders(nil, []string{name, "gzip, br"})},
		{name: "two", flow: withHeaders(nil, []string{name, "gzip", name, "zstd"})},
		{name: "empty", flow: withHeaders([]string{name, ""}, nil)},
		{name: "udp", flow: newUDP(nil)},
	}
	checkMatches(t, samples, []matchCase{
		{"~enc gzip", "q list two"},
		{"~encq gzip", "q"},
		{"~encs gzip", "list two"},
		{"~enc br", "s list"},
		{"~encs ^br$", "s"},
		{"~encs ^zstd$", "two"}, // each header on its own
		{"~encs gzip.*zstd", ""},
		{"~enc ^$", "empty"},
		{"~enc ''", "q s list two empty"},
		{"~enc identity", ""},
	})
}

func TestMatchPort(t *testing.T) {
	port := func(a *flow.Address) flow.Flow {
		return newTCP(func(f *flow.TCP) { f.ServerConn().Address = a })
	}
	samples := []sample{
		{name: "443", flow: newHTTP(nil)},
		{name: "8000", flow: port(&flow.Address{Host: "server.example", Port: 8000})},
		{name: "8999", flow: port(&flow.Address{Host: "::1", Port: 8999})},
		{name: "9000", flow: port(&flow.Address{Host: "server.example", Port: 9000})},
		{name: "0", flow: port(&flow.Address{})},
		{name: "53", flow: newDNS(func(f *flow.DNS) { f.ServerConn().Address = &flow.Address{Host: "192.0.2.1", Port: 53} })},
		{name: "none", flow: port(nil)},
		// Without a connection it is the port that the request is for.
		{name: "request", flow: newHTTP(func(f *flow.HTTP) { f.ServerConn().Address, f.Request().Port = nil, 8080 })},
		{name: "client", flow: newTCP(func(f *flow.TCP) {
			f.ServerConn().Address, f.ServerConn().Peername = nil, &flow.Address{Host: "192.0.2.1", Port: 443}
			f.ClientConn().Peername, f.ClientConn().Sockname = &flow.Address{Port: 443}, &flow.Address{Port: 443}
		})},
		{name: "dns", flow: newDNS(func(f *flow.DNS) { f.ServerConn().Address = nil })},
	}
	checkMatches(t, samples, []matchCase{
		{"~port 443", "443"},
		{"~port 443,8000-8999", "443 8000 8999 request"},
		{"~port <1024", "443 0 53"},
		{"~port >=8080", "8999 9000 request"},
		{"~port 0", "0"},
		{"~port 53", "53"},
		{"~port 8001..8998", "request"},
		{"~port 0-65535", "443 8000 8999 9000 0 53 request"},
	})
}

func TestMatchSNI(t *testing.T) {
	sni := func(name string) flow.Flow {
		return newTCP(func(f *flow.TCP) { f.ClientConn().SNI = name })
	}
	server := newTCP(func(f *flow.TCP) { f.ServerConn().SNI = "a.example" })
	known := sni("x").GetState()
	client, err := known.Map("client_conn")
	if err != nil {
		t.Fatal(err)
	}
	client.Set("sni", state.Text("")) // which is not null
	empty, err := flow.View(known)
	if err != nil {
		t.Fatal(err)
	}
	samples := []sample{
		{name: "none", flow: sni("")},
		{name: "a", flow: sni("a.example")},
		{name: "B", flow: sni("B.EXAMPLE")},
		{name: "ü", flow: sni("ü.example")},
		{name: "server", flow: server},
		{name: "empty", flow: empty},
		{name: "dns", flow: newDNS(nil)},
	}
	checkMatches(t, samples, []matchCase{
		{"~sni example", "a B ü"},
		{"~sni ^b", "B"},
		{"~sni Ü", "ü"},
		{`~sni ^\w\.example$`, "a B ü"},
		{"~sni ''", "a B ü empty"},
		{"~sni ^$", "empty"},
	})
}

func TestMatchErrorMessage(t *testing.T) {
	failed := func(f flow.Flow, msg string) flow.Flow {
		f.SetError(&flow.Error{Msg: msg, Timestamp: at(1)})
		return f
	}
	samples := []sample{
		{name: "none", flow: newHTTP(nil)},
		{name: "timeout", flow: failed(newHTTP(nil), "Connection timeout.\nTry again.")},
		{name: "killed", flow: failed(newTCP(nil), flow.KilledMessage)},
		{name: "silent", flow: failed(newDNS(nil), "")},
	}
	checkMatches(t, samples, []matchCase{
		{"~errmsg TIMEOUT", "timeout"},
		{"~errmsg ^connection", "timeout killed"},
		{"~errmsg ''", "timeout killed silent"},
		{"~errmsg ^$", "silent"},
		{"~errmsg ^try", ""}, // one text, not lines
		{"~e & !~errmsg killed", "timeout silent"},
	})
}
