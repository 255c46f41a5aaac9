package har_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/har"
	"github.com/flowtool/flowtool/internal/flowtest"
)

// TestWriterOutput: the whole file, without and with indentation, with and
// without entries.
func TestWriterOutput(t *testing.T) {
	f := newFlow(func(f *flow.HTTP) { f.SetID("1"); f.ServerConn().ID = "2"; f.SetResponse(nil) })
	const entry = `{"startedDateTime":"2026-01-02T03:04:05.500Z","time":54.687,"request":{"method":"GET",` +
		`"url":"https://www.example/path?a=1&b=%20+","httpVersion":"HTTP/1.1","cookies":[],"headers":[{"name":"Host","value":"www.example"}],` +
		`"queryString":[{"name":"a","value":"1"},{"name":"b","value":"  "}],"headersSize":52,"bodySize":0},"response":{"status":0,"statusText":"",` +
		`"httpVersion":"","cookies":[],"headers":[],"content":{"size":0,"mimeType":"x-unknown"},"redirectURL":"","headersSize":-1,` +
		`"bodySize":-1},"cache":{},"timings":{"blocked":-1,"dns":-1,"connect":46.875,"ssl":15.625,"send":7.812,"wait":0,` +
		`"receive":0},"serverIPAddress":"192.0.2.1","connection":"3085482842415130"}`
	for _, tt := range []struct {
		indent string
		flows  int
		want   string
	}{
		{"", 0, `{"log":{"version":"1.2","creator":{"name":"test","version":"1"},"pages":[],"entries":[]}}` + "\n"},
		{"", 1, `{"log":{"version":"1.2","creator":{"name":"test","version":"1"},"pages":[],"entries":[` + "\n" + entry + "\n]}}\n"},
		{"", 2, `{"log":{"version":"1.2","creator":{"name":"test","version":"1"},"pages":[],"entries":[` + "\n" + entry + ",\n" + second(entry) + "\n]}}\n"},
		{" ", 0, "{\n \"log\": {\n  \"version\": \"1.2\",\n  \"creator\": {\"name\":\"test\",\"version\":\"1\"},\n  \"pages\": [],\n  \"entries\": []\n }\n}\n"},
	} {
		var out bytes.Buffer
		w := har.NewWriter(&out, &har.WriterOptions{Plain: true, Indent: tt.indent, Creator: "test", CreatorVersion: "1"})
		for range tt.flows {
			if err := w.WriteFlow(f); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if got := out.String(); got != tt.want {
			t.Errorf("indent %q, %d flows:\n%s\nwant\n%s", tt.indent, tt.flows, got, tt.want)
		}
	}
}

// compacted returns JSON without white space.
func compacted(t testing.TB, data []byte) string {
	t.Helper()
	var out bytes.Buffer
	if err := json.Compact(&out, data); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// second returns an entry as it is when another has counted the connection.
func second(entry string) string {
	entry = strings.Replace(entry, `"connect":46.875,"ssl":15.625,"send":7.812`, `"connect":-1,"ssl":-1,"send":7.812`, 1)
	return strings.Replace(entry, `"time":54.687`, `"time":7.812`, 1)
}

// TestIndent: indentation changes white space only.
func TestIndent(t *testing.T) {
	var compact, wide bytes.Buffer
	ws, opts := []*har.Writer{har.NewWriter(&compact, nil), nil}, &har.WriterOptions{Indent: "\t"}
	ws[1] = har.NewWriter(&wide, opts)
	for _, f := range httpFlows(t, flowtest.Read(t, flowtest.Path("har", "corpus.mitm"))) {
		for _, w := range ws {
			if err := w.WriteFlow(f); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, w := range ws {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if a, b := compacted(t, compact.Bytes()), compacted(t, wide.Bytes()); a != b {
		t.Error("the content differs")
	}
	for i, line := range strings.Split(wide.String(), "\n") {
		if i > 5 && i < 60 && !strings.HasPrefix(line, "\t\t\t") {
			t.Errorf("line %d: %q", i+1, line)
		}
	}
}

// TestEncoder: entries that several goroutines render are those that a Writer
// renders itself, if they are written in order.
func TestEncoder(t *testing.T) {
	var want bytes.Buffer
	w := har.NewWriter(&want, nil)
	var flows, twins []flow.Flow // states may be read by one goroutine only
	for _, list := range []*[]flow.Flow{&flows, &twins} {
		for _, name := range []string{"http1-v21.mitm", "h2-v21.mitm", "head-http.mitm"} {
			for _, f := range httpFlows(t, flowtest.Read(t, flowtest.Path("real", name))) {
				*list = append(*list, f)
			}
		}
	}
	for _, f := range flows {
		if err := w.WriteFlow(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	enc, entries := har.NewEncoder(nil), make([]har.Entry, len(flows))
	var wg sync.WaitGroup
	for part := range 4 {
		wg.Go(func() {
			for i := part; i < len(twins); i += 4 {
				if err := enc.Encode(&entries[i], twins[i]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var got bytes.Buffer
	w = har.NewWriter(&got, nil)
	for i := range entries {
		if err := w.WriteEntry(&entries[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil || w.Count() != int64(len(flows)) {
		t.Fatal(err, w.Count())
	}
	if !bytes.Equal(got.Bytes(), want.Bytes()) {
		t.Error("another file")
	}
}

// TestConnections: the first flow for which a connection was made counts it,
// even behind one that merely used it.
func TestConnections(t *testing.T) {
	var out bytes.Buffer
	w := har.NewWriter(&out, nil)
	for _, f := range []struct {
		conn   string
		before bool // the connection is older than the request
	}{{"a", true}, {"a", false}, {"a", false}, {"b", false}, {"a", true}, {"", false}, {"", false}} {
		err := w.WriteFlow(newFlow(func(h *flow.HTTP) {
			if h.ServerConn().ID = f.conn; f.before {
				h.ServerConn().TimestampStart = flow.Seconds(start - 1)
			}
		}))
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	valid(t, out.Bytes())
	var got []any
	for _, e := range decode(t, out.Bytes()) {
		got = append(got, e.Timings["connect"])
	}
	if s := fmt.Sprint(got); s != "[-1 46.875 -1 46.875 -1 46.875 46.875]" {
		t.Error(s)
	}
}

// TestFlush: what was flushed is complete up to the last entry.
func TestFlush(t *testing.T) {
	var out bytes.Buffer
	w := har.NewWriter(&out, nil)
	if err := w.Flush(); err != nil || out.Len() == 0 {
		t.Error(err, out.Len())
	}
	if err := w.WriteFlow(newFlow(nil)); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil || !bytes.HasSuffix(out.Bytes(), []byte("}")) {
		t.Errorf("%v, %s", err, out.Bytes())
	}
	valid(t, append(out.Bytes(), "]}}"...))
}

// TestWriterErrors: errors of the output are final, and so is Close.
func TestWriterErrors(t *testing.T) {
	broken := errors.New("broken")
	r, pw := io.Pipe()
	r.CloseWithError(broken)
	w := har.NewWriter(pw, nil)
	if err := w.WriteFlow(newFlow(nil)); err != nil {
		t.Error(err) // it is buffered
	}
	for _, err := range []error{w.Flush(), w.WriteFlow(newFlow(nil)), w.WriteState(newFlow(nil).State()), w.Close()} {
		if !errors.Is(err, broken) {
			t.Error(err)
		}
	}
	w = har.NewWriter(new(bytes.Buffer), nil)
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if err := w.WriteFlow(newFlow(nil)); err == nil {
		t.Error("written after Close")
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

// TestNotes: the notes of an entry are those of the flow it was rendered from
// last.
func TestNotes(t *testing.T) {
	w := har.NewWriter(io.Discard, nil)
	bad := newFlow(func(f *flow.HTTP) { f.Response().Headers.Add("Content-Encoding", "x") })
	if err := w.WriteFlow(bad); err != nil || len(w.Notes()) != 1 {
		t.Error(err, w.Notes())
	}
	if err := w.WriteFlow(newFlow(nil)); err != nil || len(w.Notes()) != 0 {
		t.Error(err, w.Notes())
	}
}

// TestPlain: plain entries have what HAR 1.2 defines, and nothing else.
func TestPlain(t *testing.T) {
	own := regexp.MustCompile(`[{,]"_\w+":`)
	for _, name := range []string{"corpus.mitm", "crash.mitm"} {
		for _, f := range httpFlows(t, flowtest.Read(t, flowtest.Path("har", name))) {
			if _, data := encode(t, f, nil); !own.Match(data) {
				t.Errorf("%s, flow %s: nothing of our own", name, f.ID())
			}
			if _, data := encode(t, f, &har.WriterOptions{Plain: true}); own.Match(data) {
				t.Errorf("%s, flow %s: %s", name, f.ID(), own.Find(data))
			}
		}
	}
}
