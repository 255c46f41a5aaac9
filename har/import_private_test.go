package har_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/har"
	"github.com/flowtool/flowtool/internal/flowtest"
)

// editedFlow returns a flow of which the visible fields show some parts byte for
// byte and sum others.
func editedFlow(t *testing.T) *flow.HTTP {
	t.Helper()
	q, err := flow.NewRequest("pOsT", "http://h.example:81/a?b=c", flow.NewHeaders("Host", "h.example:81", "X", "y"), []byte("a=1"))
	if err != nil {
		t.Fatal(err)
	}
	s := flow.NewResponse(200, flow.NewHeaders("Content-Encoding", "gzip", "Content-Length", "29"), []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcbH\xcd\xc9\xc9\a\x00\x86\xa6\x106\x05\x00\x00\x00"))
	s.Trailers = flow.NewHeaders("T", "1")
	f := flow.NewHTTP(flow.NewClientConn(), flow.NewServerConn(&flow.Address{Host: "192.0.2.1", Port: 81}), q, s)
	f.SetMarked(":red_circle:")
	f.SetComment("note")
	f.SetWebSocket(&flow.WebSocket{
		CloseReason: "bye",
		Messages: []flow.WebSocketMessage{
			{Opcode: 1, FromClient: true, Content: flow.NewBody([]byte("one")), Timestamp: flow.Seconds(1), Dropped: true},
			{Opcode: 2, Content: flow.NewBody([]byte{0, 255}), Timestamp: flow.Seconds(2), Injected: true},
		},
	})
	return f
}

// TestRestoreEdited edits the visible part of an entry: that counts, and the
// private field for all the rest.
func TestRestoreEdited(t *testing.T) {
	const missing = "(missing)"
	describe := func(f *flow.HTTP) map[string]string {
		body := func(b flow.Body) string {
			if b.IsMissing() {
				return missing
			}
			data, err := b.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			return string(data)
		}
		out := map[string]string{"comment": f.Comment(), "marked": f.Marked(), "id": f.ID(), "server": f.ServerConn().ID}
		q := f.Request()
		out["method"], out["url"], out["version"] = q.Method, q.URL(), q.HTTPVersion
		out["headers"], out["content"] = q.Headers.String(), body(q.Body)
		if s := f.Response(); s != nil {
			out["status"], out["reason"] = flow.StatusText(s.StatusCode), s.Reason
			out["response headers"], out["response content"], out["trailers"] = s.Headers.String(), body(s.Body), s.Trailers.String()
		}
		if w := f.WebSocket(); w != nil {
			out["reason of closing"] = w.CloseReason
			for _, m := range w.Messages {
				out["messages"] += body(m.Content)
				if m.Dropped || m.Injected {
					out["messages"] += "!"
				}
				out["messages"] += " "
			}
		}
		return out
	}
	original := editedFlow(t)
	entry := string(export(t, original.State(), nil))
	gone := func(keys ...string) map[string]string {
		m := map[string]string{}
		for _, k := range keys {
			m[k] = ""
		}
		return m
	}
	for _, test := range []struct {
		name, old, new string
		want           map[string]string // what changes
	}{
		{"nothing", "", "", nil},
		{"what is not summed", `"cache":{}`, `"cache":{"x":1}`, nil},
		{"comment", `"comment":"note"`, `"comment":"other"`, map[string]string{"comment": "other"}},
		{"comment removed", `,"comment":"note"`, ``, map[string]string{"comment": ""}},
		{"method", `"method":"POST"`, `"method":"PUT"`, map[string]string{"method": "PUT"}},
		{"URL", `"url":"ws://h.example:81/a?b=c"`, `"url":"wss://i.example/?d"`, map[string]string{"method": "POST", "url": "https://i.example/?d"}},
		{"header", `"value":"y"`, `"value":"é"`, map[string]string{"headers": "Host: h.example:81\r\nX: é\r\n"}},
		{"body", `"text":"a=1"`, `"text":"é"`, map[string]string{"content": "é"}},
		{"body removed", `"text":"a=1",`, ``, map[string]string{"content": missing}},
		{"status", `"status":200`, `"status":404`, map[string]string{"status": "Not Found"}},
		{"no response", `"status":200,"statusText":"OK","httpVersion":"HTTP/1.1"`, `"status":0`, nil},
		{"response header", `"value":"29"`, `"value":"30"`, map[string]string{"response headers": "Content-Encoding: gzip\r\nContent-Length: 30\r\n"}},
		{"response body", `"text":"hello"`, `"text":"bye"`, map[string]string{"response headers": "Content-Length: 3\r\n", "response content": "bye"}},
		{"message", `"data":"one"`, `"data":"two"`, map[string]string{"messages": "two! \x00\xff! "}},
		{"message removed", `{"type":"send","time":1,"opcode":1,"data":"one"},`, ``, map[string]string{"messages": "\x00\xff "}},
		{"opcode", `"opcode":2`, `"opcode":1`, map[string]string{"messages": "one AP8= "}},
		{"version of the private field", `{"v":1,`, `{"v":2,`, gone("marked", "id", "server", "trailers", "reason of closing", "messages", "response headers", "response content", "method")},
		{"damaged private field", `"state":{"version":21`, `"state":{"version":[`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if !strings.Contains(entry, test.old) {
				t.Fatalf("%q is not in %s", test.old, entry)
			}
			in := entry
			if test.old != "" {
				in = strings.Replace(entry, test.old, test.new, 1)
			}
			flows, errs := 0, 0
			for f, err := range har.NewReader(strings.NewReader(in), nil).Flows() {
				if err != nil {
					errs++
					continue
				}
				flows++
				got, want := describe(f.(*flow.HTTP)), describe(original)
				for k, v := range test.want {
					if v == "" && k != "comment" {
						delete(got, k)
						delete(want, k)
						continue
					}
					want[k] = v
				}
				if test.name == "no response" {
					if f.(*flow.HTTP).Response() == nil {
						t.Error("there is no response, although it has headers")
					}
					continue
				}
				for k := range want {
					if got[k] != want[k] {
						t.Errorf("%s: got %q, want %q", k, got[k], want[k])
					}
				}
			}
			if test.name == "damaged private field" {
				if errs != 1 {
					t.Errorf("%d errors", errs)
				}
			} else if flows != 1 || errs > 0 {
				t.Errorf("%d flows, %d errors", flows, errs)
			}
		})
	}
}

// TestRestoreOrder: entries need no others, so their order does not matter.
func TestRestoreOrder(t *testing.T) {
	var all, last bytes.Buffer
	w := har.NewWriter(&all, &har.WriterOptions{Indent: "  "})
	n := 0
	for _, f := range httpFlows(t, flowtest.Read(t, flowtest.Path("har", "corpus.mitm"))) {
		if err := w.WriteFlow(f); err != nil {
			t.Fatal(err)
		}
		last.Reset()
		last.Write(records(t, export(t, f.State(), nil))[0])
		n++
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got := records(t, all.Bytes())
	if len(got) != n || !bytes.Equal(got[n-1], last.Bytes()) {
		t.Errorf("%d records of %d", len(got), n)
	}
}

// TestRestoreNotes has an entry whose private field cannot be used: what else is
// wrong is noted once.
func TestRestoreNotes(t *testing.T) {
	in := `{"request":{"method":"GET","url":"http://h.example/","headers":[{"value":"x"}]},` +
		`"_mitm":{"v":1,"sums":{"request":"0011223344556677"},"state":{"type":"http","type":"http"}}}`
	notes := notesOf(importOne(t, in))
	if len(notes) != 2 || !strings.HasPrefix(notes[0], "/_mitm/state: ") || !strings.Contains(notes[0], "occurs twice") ||
		!strings.HasPrefix(notes[1], "/request/headers/0: ") {
		t.Errorf("notes: %q", notes)
	}
}
