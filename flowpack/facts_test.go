package flowpack_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/filter"
	"github.com/flowtool/flowtool/flowpack"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/state"
)

// filterFacts are the facts of a chunk as filters want them.
func filterFacts(c *flowpack.ChunkFacts) *filter.ChunkFacts {
	all := c.Opaque == 0
	timed := c.Flows - c.Opaque - c.Untimed
	f := &filter.ChunkFacts{
		Types:    known(c.Types, all),
		Hosts:    known(c.Hosts, all),
		Methods:  known(c.Methods, all),
		Statuses: known(c.Statuses, c.Unanswered == 0),
		IDs:      known(c.IDs, all),
		Versions: known(c.Versions, true),
		Answered: filter.ValueSet[bool]{Known: all, Always: all},
		Indexes:  filter.ValueRange[int64]{Known: true, Min: c.First, Max: c.First + c.Flows - 1, Always: true},
		Starts:   filter.ValueRange[float64]{Known: all, Min: c.Start, Max: c.End, Always: c.Untimed == 0},
	}
	if timed == 0 {
		f.Starts.Min, f.Starts.Max = 1, 0
	}
	if c.Answered > 0 {
		f.Answered.Values = append(f.Answered.Values, true)
	}
	if c.Unanswered > 0 {
		f.Answered.Values = append(f.Answered.Values, false)
	}
	return f
}

func known[T comparable](s flowpack.Set[T], always bool) filter.ValueSet[T] {
	return filter.ValueSet[T]{Known: !s.Open, Values: s.Values, Always: always && !s.Open}
}

// TestChunkFacts: no filter that the summary rules out for a chunk matches one
// of its flows, in dumps of all versions.
func TestChunkFacts(t *testing.T) {
	exprs := []string{
		"~http", "~tcp", "~udp", "~dns", "!~http", "~q", "~s", "!~q", "!~s", "~c 200", "~c 404", "!~c 200",
		"~m GET", "~m POST", "!~m GET", "~m ^$", "~index 3..5", "~index 0", "~formatv 21", "~formatv <17", "!~formatv 21",
		"~time 2020..", "~time ..2020", "!~time 2020..", "~time 2024-05",
	}
	ruled, possible := 0, 0
	for n, file := range flowtest.Dumps(t) {
		if n%every(7) > 0 {
			continue
		}
		rs := flowtest.Records(t, flowtest.Read(t, file))
		chunks := chunkFacts(t, rs)
		dump := slices.Clone(exprs)
		for _, r := range rs {
			f := flowpack.FactsOfRecord(r)
			if f.Opaque {
				continue
			}
			for _, s := range []string{"~d ^" + quoteRegexp(f.Host) + "$", "~d ^" + quoteRegexp(f.PrettyHost) + "$", "~id " + f.ID, fmt.Sprintf("~c %d", f.Status)} {
				if !slices.Contains(dump, s) && len(dump) < 60 {
					dump = append(dump, s)
				}
			}
		}
		for _, text := range dump {
			expr, err := filter.Parse(text, &filter.Options{Location: time.UTC})
			if err != nil {
				continue // not every host can stand in an expression
			}
			f := filter.Compile(expr)
			stream := migrate.NewStream(nil)
			at := 0
			for _, c := range chunks {
				may := f.MayMatch(filterFacts(c))
				if !may {
					ruled++
				}
				possible++
				for range c.Flows {
					m, err := flowpack.Decode(mustPack(t, rs[at]))
					if err != nil {
						t.Fatal(err)
					}
					version, _ := migrate.VersionOf(m)
					if m, err = stream.Up(m); err == nil {
						v := m.Value()
						matched, _ := f.MatchState(&v, &filter.Facts{Index: int64(at), Version: version})
						if matched && !may {
							t.Errorf("%s: %s matches flow %d, which is ruled out by %+v", file, text, at, c)
						}
					}
					at++
				}
			}
		}
	}
	if ruled*3 < possible {
		t.Errorf("%d of %d chunks ruled out: the summary is not worth much", ruled, possible)
	}
}

// quoteRegexp makes a regular expression of a host, for a filter expression.
func quoteRegexp(host string) string {
	var b bytes.Buffer
	for _, r := range host {
		if r == '.' || r == '[' || r == ']' || r == ':' {
			b.WriteString("\\")
		}
		b.WriteRune(r)
	}
	return b.String()
}

func mustPack(t *testing.T, record []byte) []byte {
	t.Helper()
	packed, err := flowpack.AppendRecord(nil, record)
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

// chunkFacts returns the facts of the chunks of a flowpack of records.
func chunkFacts(t *testing.T, rs [][]byte) (out []*flowpack.ChunkFacts) {
	t.Helper()
	data := pack(t, rs, &flowpack.WriterOptions{ChunkSize: 5000})
	flows := int64(0)
	for _, c := range flowpack.NewReader(bytes.NewReader(data), nil).Index() {
		if c.Facts.First != flows {
			t.Fatalf("chunk %d begins with flow %d, want %d", c.Number, c.Facts.First, flows)
		}
		flows += c.Facts.Flows
		out = append(out, c.Facts)
	}
	if flows != int64(len(rs)) {
		t.Fatalf("%d flows in the summary, want %d", flows, len(rs))
	}
	return out
}

// httpFlow returns a record of an HTTP flow in which some fields, given by path
// and value in turn, are others.
func httpFlow(t *testing.T, fields map[string]state.Value) []byte {
	t.Helper()
	get := func(path string, usual state.Value) state.Value {
		if v, ok := fields[path]; ok {
			return v
		}
		return usual
	}
	headers := state.NewList(state.NewList(state.Bytes([]byte("HOST")), state.Bytes([]byte("www.example:8080"))).Value())
	m := state.NewMap(
		state.E("version", get("version", state.Int(21))),
		state.E("type", get("type", state.Text("http"))),
		state.E("id", get("id", state.Text("0123456789"))),
		state.E("client_conn", get("client_conn", state.NewMap(state.E("timestamp_start", get("connected", state.Float(5)))).Value())),
		state.E("timestamp_created", state.Float(7)),
		state.E("request", get("request", state.NewMap(
			state.E("http_version", get("http_version", state.Bytes([]byte("HTTP/1.1")))),
			state.E("headers", get("headers", headers.Value())),
			state.E("timestamp_start", get("start", state.Float(6))),
			state.E("host", get("host", state.Text("10.0.0.1"))),
			state.E("method", get("method", state.Bytes([]byte("GET")))),
			state.E("authority", get("authority", state.Bytes(nil))),
		).Value())),
		state.E("response", get("response", state.NewMap(state.E("status_code", get("status", state.Int(200)))).Value())),
	)
	r, err := tnetstring.Encode(m.Value())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFacts(t *testing.T) {
	usual := flowpack.Facts{
		Version: migrate.Number(21), Type: "http", ID: "0123456789", Host: "10.0.0.1", PrettyHost: "www.example",
		Method: "GET", Answered: true, Status: 200, Start: 6,
	}
	opaque := flowpack.Facts{Version: migrate.Number(21), Opaque: true}
	for _, tt := range []struct {
		name   string
		fields map[string]state.Value
		want   func(f *flowpack.Facts)
	}{
		{"usual", nil, func(f *flowpack.Facts) {}},
		{"no host header", map[string]state.Value{"headers": state.NewList().Value()}, func(f *flowpack.Facts) { f.PrettyHost = f.Host }},
		{"authority", map[string]state.Value{"http_version": state.Bytes([]byte("HTTP/2.0")), "authority": state.Bytes([]byte("h2.example"))}, func(f *flowpack.Facts) { f.PrettyHost = "h2.example" }},
		{"no response", map[string]state.Value{"response": state.Null()}, func(f *flowpack.Facts) { f.Answered, f.Status = false, 0 }},
		{"connection's time", map[string]state.Value{"start": state.Null()}, func(f *flowpack.Facts) { f.Start = 5 }},
		{"time of creation", map[string]state.Value{"start": state.Null(), "connected": state.Null()}, func(f *flowpack.Facts) { f.Start = 7 }},
		{"no time", map[string]state.Value{"start": state.Float(0)}, func(f *flowpack.Facts) { f.Start = 0 }},
		{"version 18", map[string]state.Value{"version": state.Int(18), "start": state.Null(), "connected": state.Null()}, func(f *flowpack.Facts) { f.Version, f.Start = migrate.Number(18), 0 }},
		{"version 15", map[string]state.Value{"version": state.Int(15)}, func(f *flowpack.Facts) { *f = flowpack.Facts{Version: migrate.Number(15), Opaque: true} }},
		{"version 22", map[string]state.Value{"version": state.Int(22)}, func(f *flowpack.Facts) { *f = flowpack.Facts{Version: migrate.Number(22), Opaque: true} }},
		{"version 0.18", map[string]state.Value{"version": state.NewList(state.Int(0), state.Int(18)).Value()}, func(f *flowpack.Facts) { *f = flowpack.Facts{Version: migrate.Tuple(0, 18), Opaque: true} }},
		{"no version", map[string]state.Value{"version": state.Null()}, func(f *flowpack.Facts) { *f = flowpack.Facts{Opaque: true} }},
		{"type", map[string]state.Value{"type": state.Text("quic")}, func(f *flowpack.Facts) { *f = opaque }},
		{"id", map[string]state.Value{"id": state.Int(1)}, func(f *flowpack.Facts) { *f = opaque }},
		{"status", map[string]state.Value{"status": state.Float(200)}, func(f *flowpack.Facts) { *f = opaque }},
		{"method", map[string]state.Value{"method": state.Null()}, func(f *flowpack.Facts) { *f = opaque }},
		{"headers", map[string]state.Value{"headers": state.Text("x")}, func(f *flowpack.Facts) { *f = opaque }},
		{"time", map[string]state.Value{"start": state.Text("noon")}, func(f *flowpack.Facts) { *f = opaque }},
		{"request", map[string]state.Value{"request": state.Null()}, func(f *flowpack.Facts) { *f = opaque }},
		{"connection", map[string]state.Value{"client_conn": state.Null()}, func(f *flowpack.Facts) { *f = opaque }},
	} {
		want := usual
		tt.want(&want)
		record := httpFlow(t, tt.fields)
		if got := flowpack.FactsOfRecord(record); got != want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, want)
		}
		m, err := flowpack.Decode(mustPack(t, record))
		if err != nil {
			t.Fatal(err)
		}
		v := m.Value()
		if got := flowpack.FactsOf(&v); got != want {
			t.Errorf("%s: got %+v of the state, want %+v", tt.name, got, want)
		}
	}
}

// TestSets: what a set cannot hold makes it open.
func TestSets(t *testing.T) {
	var many [][]byte
	for i := range 300 {
		many = append(many, httpFlow(t, map[string]state.Value{"host": state.Text(fmt.Sprint("h", i))}))
	}
	long := httpFlow(t, map[string]state.Value{"host": state.Text(string(make([]byte, 257)))})
	broken := httpFlow(t, map[string]state.Value{"method": state.Bytes([]byte("\xff"))})
	opaque := httpFlow(t, map[string]state.Value{"id": state.Null()})
	unversioned := httpFlow(t, map[string]state.Value{"version": state.Null()})
	for _, tt := range []struct {
		name    string
		records [][]byte
		open    []bool // versions, types, hosts, methods, statuses, ids
	}{
		{"usual", many[:2], []bool{false, false, false, false, false, false}},
		{"too many", many, []bool{false, false, true, false, false, false}},
		{"too long", [][]byte{long, many[0]}, []bool{false, false, true, false, false, false}},
		{"not UTF-8", [][]byte{broken}, []bool{false, false, false, true, false, false}},
		{"opaque", [][]byte{many[0], opaque}, []bool{false, true, true, true, true, true}},
		{"no version", [][]byte{unversioned}, []bool{true, true, true, true, true, true}},
	} {
		data := pack(t, tt.records, nil)
		index := flowpack.NewReader(bytes.NewReader(data), nil).Index()
		if len(index) != 1 {
			t.Fatalf("%s: %d chunks", tt.name, len(index))
		}
		c := index[0].Facts
		got := []bool{c.Versions.Open, c.Types.Open, c.Hosts.Open, c.Methods.Open, c.Statuses.Open, c.IDs.Open}
		if !slices.Equal(got, tt.open) {
			t.Errorf("%s: open sets are %v, want %v", tt.name, got, tt.open)
		}
		if tt.name == "usual" && (!slices.Equal(c.Hosts.Values, []string{"h0", "h1", "www.example"}) || c.Start != 6 || c.End != 6 || !slices.Equal(c.IDs.Values, []string{"012345"})) {
			t.Errorf("got %+v", c)
		}
	}
}
