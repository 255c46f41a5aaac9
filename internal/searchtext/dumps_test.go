package searchtext

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

// searched has the texts of a flow as search_texts.py shows them.
type searched struct {
	Src, Dst *string
	Meta     string
	URLs     []string
	Headers  []*string
	Bodies   []*string
	Error    string `json:",omitempty"` // the exception that mitmproxy raises instead
}

// excuse makes want what got is where the two differ for a known reason.
func excuse(t *testing.T, name string, n int, want *searched, got searched) {
	lines := func(meta string) []string {
		list := strings.Split(string(unb64(t, meta)), "\n")
		slices.Sort(list)
		return list
	}
	switch place := fmt.Sprintf("%s %d", name, n); {
	case place == "crash.mitm 3" && want.Error == "TypeError":
		*want = got // the Content-Encoding rot13 ends the evaluation of a filter
	case place == "corpus-a.mitm 25":
		want.Bodies = got.Bodies // 12.2.3 does not mind zstd frames that are cut short
	case strings.Contains(string(unb64(t, want.Meta)), "duplicated: ") && slices.Equal(lines(want.Meta), lines(got.Meta)):
		// Reading a WebSocket flow of an old format adds this entry, at the end for mitmproxy, at
		// the end of the reversed order for flowtool.
		want.Meta = got.Meta
	}
}

// TestDumpsOracle compares all texts of all flows in all dumps.
func TestDumpsOracle(t *testing.T) {
	python := flowtest.Oracle(t)
	files := flowtest.Dumps(t)
	files = slices.DeleteFunc(files, func(name string) bool { return filepath.Base(name) == "dumpfile-010.mitm" }) // refused
	type line struct{ Answers []searched }
	flows := 0
	for i, answer := range flowtest.RunOracle[line](t, python, "search_texts.py", files) {
		name := filepath.Base(files[i])
		r := dumpfile.NewReader(bytes.NewReader(flowtest.Read(t, files[i])), nil)
		defer r.Close()
		n := 0
		for f, err := range r.Flows() {
			if err != nil {
				break
			}
			if n == len(answer.Answers) {
				t.Errorf("%s: mitmproxy has only %d flows", name, n)
				break
			}
			got, want := textsOf(t, f.GetState()), answer.Answers[n]
			excuse(t, name, n, &want, got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, flow %d: (-mitmproxy +flowtool)\n%s", name, n, diff)
			}
			n++
		}
		if n < len(answer.Answers) {
			t.Errorf("%s: %d flows, mitmproxy has %d", name, n, len(answer.Answers))
		}
		flows += n
	}
	t.Logf("%d flows in %d dumps", flows, len(files))
}

func textsOf(t *testing.T, f *state.Map) searched {
	t.Helper()
	meta, err := AppendMetadata(nil, f.Peek("metadata"))
	if err != nil {
		t.Fatal(err)
	}
	s := searched{
		Src:  addressOf(t, f, "client_conn", "peername"),
		Dst:  addressOf(t, f, "server_conn", "address"),
		Meta: b64(meta),
	}
	kind := field(t, f, "type", state.Value.Text)
	if kind != "http" && kind != "dns" {
		return s
	}
	for _, key := range []string{"request", "response"} {
		v, ok := f.Get(key)
		if !ok || v.IsNull() {
			s.Bodies = append(s.Bodies, nil)
			if kind == "http" {
				s.Headers = append(s.Headers, nil)
			}
			continue
		}
		m, err := v.Map()
		if err != nil {
			t.Fatal(err)
		}
		if kind == "dns" {
			text := dnsText(t, m)
			s.Bodies = append(s.Bodies, &text)
			continue
		}
		var block []byte
		var host, encoding Joined
		headers := field(t, m, "headers", state.Value.List)
		for _, h := range headers.All() {
			pair, err := h.List()
			if err != nil {
				t.Fatal(err)
			}
			name, _ := pair.At(0).Bytes()
			value, _ := pair.At(1).Bytes()
			block = AppendField(block, name, value)
			switch strings.ToLower(string(name)) {
			case "host":
				host.Add(value)
			case "content-encoding":
				encoding.Add(value)
			}
		}
		text := b64(block)
		s.Headers = append(s.Headers, &text)
		s.Bodies = append(s.Bodies, bodyText(t, m, encoding.Value()))
		if key == "request" {
			r := Request{
				Method: field(t, m, "method", state.Value.Bytes), Scheme: field(t, m, "scheme", state.Value.Bytes),
				Authority: field(t, m, "authority", state.Value.Bytes), Path: field(t, m, "path", state.Value.Bytes),
				HTTPVersion: field(t, m, "http_version", state.Value.Bytes),
				Host:        field(t, m, "host", state.Value.TextBytes), Port: field(t, m, "port", state.Value.Int64),
				HostHeader: host.Value(),
			}
			s.URLs = []string{b64(r.AppendPrettyURL(nil)), b64(r.PrettyHost())}
		}
	}
	return s
}

func field[T any](t *testing.T, m *state.Map, key string, as func(state.Value) (T, error)) T {
	t.Helper()
	v, ok := m.Get(key)
	if !ok {
		t.Fatalf("no %s", key)
	}
	got, err := as(v)
	if err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	return got
}

func addressOf(t *testing.T, f *state.Map, conn, key string) *string {
	t.Helper()
	v, _ := field(t, f, conn, state.Value.Map).Get(key)
	if v.IsNull() || v.Len() == 0 {
		return nil
	}
	l, err := v.List()
	if err != nil {
		t.Fatal(err)
	}
	host, err := l.At(0).TextBytes()
	if err != nil {
		t.Fatal(err)
	}
	port, err := l.At(1).Int64()
	if err != nil {
		t.Fatal(err)
	}
	text := b64(AppendAddress(nil, host, port))
	return &text
}

func bodyText(t *testing.T, m *state.Map, encoding []byte) *string {
	t.Helper()
	v, _ := m.Get("content")
	if v.IsNull() {
		return nil
	}
	raw, err := v.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	var d BodyDecoder
	body, err := d.Decode(encoding, raw, noLimit)
	if err != nil {
		t.Fatal(err)
	}
	text := short(body)
	return &text
}

func dnsText(t *testing.T, m *state.Map) string {
	t.Helper()
	var d DNSText
	for _, q := range field(t, m, "questions", state.Value.List).All() {
		question, err := q.Map()
		if err != nil {
			t.Fatal(err)
		}
		d.Question(field(t, question, "name", state.Value.TextBytes))
	}
	for _, section := range []string{"answers", "authorities", "additionals"} {
		for _, r := range field(t, m, section, state.Value.List).All() {
			record, err := r.Map()
			if err != nil {
				t.Fatal(err)
			}
			d.Record(field(t, record, "type", state.Value.Int64), field(t, record, "data", state.Value.Bytes))
		}
	}
	return short(d.Bytes())
}
