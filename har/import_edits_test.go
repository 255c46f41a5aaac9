package har_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/flow"
)

// exactEntry returns the entry of a flow whose visible fields have the header blocks
// and bodies byte for byte, and with sums those of another, whose bodies they do not.
func exactEntry(t *testing.T, sums bool) string {
	t.Helper()
	q, err := flow.NewRequest("POST", "http://h.example/", flow.NewHeaders(":authority", "h.example", "X", "1", "content-length", "4"), []byte("body"))
	if err != nil {
		t.Fatal(err)
	}
	answer := flow.NewHeaders("Content-Type", "text/plain", "Content-Length", "5", "Y", "2")
	s := flow.NewResponse(200, answer, []byte("hello"))
	if sums { // as UTF-8 they are others
		s.Headers.Set("Content-Type", "text/plain; charset=latin1")
		s.Headers.Set("Y", "\xff")
		s.SetContent([]byte("h\xe9llo"))
		q.Headers.Set("X", "\xff")
		q.Headers.Set("Content-Type", "text/plain; charset=latin1")
		q.SetContent([]byte("b\xf6dy"))
	}
	f := flow.NewHTTP(flow.NewClientConn(), flow.NewServerConn(nil), q, s)
	f.SetComment("c")
	f.SetMarked("mark")
	f.SetWebSocket(&flow.WebSocket{Messages: []flow.WebSocketMessage{
		{Opcode: 1, Content: flow.NewBody([]byte("one"))}, {Opcode: 1, Content: flow.NewBody([]byte("two!"))},
	}})
	return string(export(t, f.State(), nil))
}

// summary returns what of a flow can be edited in an entry.
func summary(t *testing.T, f *flow.HTTP) string {
	t.Helper()
	body := func(b flow.Body) string {
		data, err := b.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if b.IsMissing() {
			return "missing"
		}
		return fmt.Sprintf("%q", data)
	}
	lines := func(h flow.Headers) (out []string) {
		for _, l := range h.All() {
			out = append(out, fmt.Sprintf("%s=%s", l.Name, l.Value))
		}
		return out
	}
	q, s := f.Request(), f.Response()
	out := fmt.Sprintf("%s %q %s", f.Comment(), lines(q.Headers), body(q.Body))
	if s == nil {
		return out + ", no response"
	}
	out += fmt.Sprintf(", %d %s %q %s", s.StatusCode, s.Reason, lines(s.Headers), body(s.Body))
	for _, m := range f.WebSocket().Messages {
		out += ", " + body(m.Content)
	}
	return out
}

// TestUnusableEdits edits entries in ways that cannot be used: what the private field
// has is kept, and the notes say what was not used.
func TestUnusableEdits(t *testing.T) {
	exact := []string{ // of the entry with exact bodies
		`c`, `[":authority=h.example" "X=1" "content-length=4"] "body"`,
		`200 OK ["Content-Type=text/plain" "Content-Length=5" "Y=2"] "hello"`, `"one", "two!"`,
	}
	summed := []string{
		`c`, `[":authority=h.example" "X=` + "\xff" + `" "content-length=4" "Content-Type=text/plain; charset=latin1"] "b\xf6dy"`,
		`200 OK ["Content-Type=text/plain; charset=latin1" "Content-Length=5" "Y=` + "\xff" + `"] "h\xe9llo"`, `"one", "two!"`,
	}
	for i := range summed {
		summed[i] = strings.ReplaceAll(summed[i], "\xff", `\xff`)
	}
	const kept = ""
	for _, tt := range []struct {
		name, old, new string
		part           int
		exact, summed  string // that part, if it changes
		note           string // what it begins with
		kept           string // metadata
	}{
		{"comment", `"comment":"c"`, `"comment":{"a":1}`, 0, kept, kept, "/comment: ", ""},
		{"status", `"status":200`, `"status":"abc"`, 2, kept, kept, "/response/status: ", ""},
		{"reason", `"statusText":"OK"`, `"statusText":[]`, 2, kept, kept, "/response/statusText: ", ""},
		{"content", `"text":"hello"`, `"text":{"a":1}`, 2, `200 OK ["Content-Type=text/plain" "Content-Length=5" "Y=2"] missing`, kept,
			"/response/content/text: ", ""},
		{"base64", `"text":"hello"`, `"text":"hello","encoding":"base64"`, 2, `200 OK ["Content-Type=text/plain" "Content-Length=5" "Y=2"] missing`, kept,
			"/response/content/text: not base64", "har.response.content.text"},
		{"posted", `"text":"body"`, `"_textB64":"%%%"`, 1, `[":authority=h.example" "X=1" "content-length=4"] missing`, kept,
			"/request/postData/text: not base64", "har.request.postData.text"},
		{"headers", `"headers":[{"name":"Content-Type"`, `"headers":5,"was":[{"name":"Content-Type"`, 2, `200 OK [] "hello"`, kept,
			"/response/headers: ", ""},
		{"nameless", `{"name":"X",`, `{"nam":"X",`, 1, `[":authority=h.example" "content-length=4"] "body"`,
			`["content-length=4" "Content-Type=text/plain; charset=latin1"] "b\xf6dy"`, "/request/headers/1: ", ""},
		{"response", `"response":{`, `"response":5,"_was":{`, 2, `200 OK [] missing`, kept, "/response: ", ""},
		{"post data", `"postData":{`, `"postData":5,"_was":{`, 1, `[":authority=h.example" "X=1" "content-length=4"] missing`, kept,
			"/request/postData: ", ""},
		{"message", `"opcode":1,"data":"two!"`, `"opcode":2,"data":"two!"`, 3, `"one"`, `"one"`, "/_webSocketMessages/1: ", "har._webSocketMessages"},
		{"messages", `"_webSocketMessages":[`, `"_webSocketMessages":5,"_was":[`, 3, "none", "none", "/_webSocketMessages: ", ""},
	} {
		for _, sums := range []bool{false, true} {
			entry, want, changed := exactEntry(t, sums), slices.Clone(exact), tt.exact
			old, edited := tt.old, tt.new
			if sums {
				want, changed = slices.Clone(summed), tt.summed
				accents := strings.NewReplacer(`"hello"`, `"héllo"`, `"body"`, `"bödy"`)
				old, edited = accents.Replace(old), accents.Replace(edited)
			}
			if visible, _, _ := strings.Cut(entry, `"_mitm"`); strings.Count(visible, old) != 1 {
				t.Fatalf("%s: %s is not once in %s", tt.name, old, entry)
			}
			f := importOne(t, inner(strings.Replace(entry, old, edited, 1)))
			if changed != kept {
				want[tt.part] = changed
			}
			if want[3] == "none" {
				want = want[:3]
			}
			all := want[0] + " " + strings.Join(want[1:], ", ")
			if got := strings.ReplaceAll(summary(t, f), "\xff", `\xff`); got != all {
				t.Errorf("%s (sums: %t):\n%s\nwant\n%s", tt.name, sums, got, all)
			}
			notes := notesOf(f)
			if len(notes) == 0 || !strings.HasPrefix(notes[0], tt.note) || tt.name != "response" && len(notes) != 1 {
				t.Errorf("%s (sums: %t): notes %q, want %q", tt.name, sums, notes, tt.note)
			}
			if _, ok := f.MetadataValue(tt.kept); tt.kept != "" && !ok {
				t.Errorf("%s (sums: %t): no metadata %s", tt.name, sums, tt.kept)
			}
			if f.Marked() != "mark" {
				t.Errorf("%s: the private field was not used", tt.name)
			}
		}
	}
}

// inner returns the entry of a HAR with one.
func inner(archive string) string {
	from := strings.Index(archive, `"entries":[`) + len(`"entries":[`)
	return archive[from:strings.LastIndex(archive, "]}")]
}

// TestNotesAreAdded: notes of an earlier import are kept.
func TestNotesAreAdded(t *testing.T) {
	f := importOne(t, with(``, ``, `"serverIPAddress":"x"`))
	entry := inner(string(export(t, f.State(), nil)))
	f = importOne(t, strings.Replace(entry, `"status":200`, `"status":"x"`, 1))
	if notes := notesOf(f); len(notes) != 2 || !strings.HasPrefix(notes[0], "/serverIPAddress: ") || !strings.HasPrefix(notes[1], "/response/status: ") {
		t.Errorf("notes %q", notes)
	}
}

// TestEditedBody edits bodies: their length follows, if it was the right one, and
// header blocks that are exact stay so.
func TestEditedBody(t *testing.T) {
	for _, tt := range []struct{ name, old, new, want string }{
		{"exact request", `"text":"body"`, `"text":"longer body"`, `[":authority=h.example" "X=1" "content-length=11"] "longer body"`},
		{"in base64", `"text":"body"`, `"_textB64":"AA=="`, `[":authority=h.example" "X=1" "content-length=1"] "\x00"`},
		{"without the usual padding", `"text":"body"`, `"_textB64":"AA"`, `[":authority=h.example" "X=1" "content-length=1"] "\x00"`},
		{"exact response", `"text":"hello"`, `"text":"hi"`, `["Content-Type=text/plain" "Content-Length=2" "Y=2"] "hi"`},
		{"empty", `"text":"hello"`, `"text":""`, `["Content-Type=text/plain" "Content-Length=0" "Y=2"] ""`},
		{"another length", `"value":"5"`, `"value":"7"`, `["Content-Type=text/plain" "Content-Length=7" "Y=2"] "hello"`},
	} {
		entry := exactEntry(t, false)
		if visible, _, _ := strings.Cut(entry, `"_mitm"`); strings.Count(visible, tt.old) != 1 {
			t.Fatalf("%s: not once in %s", tt.old, entry)
		}
		f := importOne(t, inner(strings.Replace(entry, tt.old, tt.new, 1)))
		if got := summary(t, f); !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s\nwant %s", tt.name, got, tt.want)
		}
	}
	// Those that are not exact, with headers that are not either.
	entry := exactEntry(t, true)
	f := importOne(t, inner(strings.Replace(entry, `"text":"bödy"`, `"text":"böses"`, 1)))
	if got := summary(t, f); !strings.Contains(got, `[":authority=h.example" "X=`+"\\xff"+`" "content-length=5" "Content-Type=text/plain; charset=latin1"] "b\xf6ses"`) {
		t.Errorf("%s", got)
	}
}

// TestUnusableState: a private state that readers of dumps would stop at is not used,
// and a note says why.
func TestUnusableState(t *testing.T) {
	good := inner(exactEntry(t, false))
	for _, tt := range []struct{ old, new, want string }{
		{`"version":21`, `"version":99`, "not of version 21"},
		{`"version":21`, `"version":"x"`, "not of version 21"},
		{`"version":21,`, ``, "not of version 21"},
		{`"type":"http"`, `"type":"tcp"`, "not an HTTP flow"},
		{`"state":{`, `"state":{"version":21,"type":"http"},"was":{`, "client_conn is missing"},
		{`"request":{"http_version"`, `"request":null,"was":{"http_version"`, "request is a null"},
		{`"method":"POST"`, `"method":7`, "request: method is a int"},
		{`"from":`, `"was":`, "request: headers is a null"},
		{`"status_code":200`, `"status_code":"x"`, "response: status_code is a text"},
		{`"server_conn":{`, `"server_conn":[],"was":{`, "server_conn is a list"},
		{`"messages":[[1,`, `"messages":[1,[1,`, "websocket: message 0 is no list"},
		{`,"websocket.messages"`, ``, "websocket: the content of message 0 is a null"},
	} {
		private := strings.Index(good, `"_mitm":`)
		if !strings.Contains(good[private:], tt.old) {
			t.Fatalf("%s is not in %s", tt.old, good[private:])
		}
		f := importOne(t, good[:private]+strings.Replace(good[private:], tt.old, tt.new, 1))
		notes := notesOf(f)
		if len(notes) != 1 || !strings.HasPrefix(notes[0], "/_mitm/state: ") || !strings.Contains(notes[0], tt.want) {
			t.Errorf("%s: notes %q, want %q", tt.new, notes, tt.want)
		}
		if f.Marked() != "" || f.Request().Method != "POST" {
			t.Errorf("%s: mark %q, method %q", tt.new, f.Marked(), f.Request().Method)
		}
	}
}

// TestOddURLs: a URL that nobody can have called is kept, with a note.
func TestOddURLs(t *testing.T) {
	for url, want := range map[string][]string{
		"//a b/ö":                  {"has no scheme", `the host "a b" has blanks`},
		"//a.example/":             {"has no scheme"},
		`http://a\u0000b/`:         {`the host "a\x00b" has blanks`},
		"http://a\u00a0b.example/": {"has blanks"},
		"http://a.example/b c":     nil,
	} {
		notes := notesOf(importOne(t, `{"request":{"method":"GET","url":"`+url+`"}}`))
		if len(notes) != len(want) {
			t.Errorf("%s: notes %q, want %q", url, notes, want)
			continue
		}
		for i := range want {
			if !strings.HasPrefix(notes[i], "/request/url: ") || !strings.Contains(notes[i], want[i]) {
				t.Errorf("%s: notes %q, want %q", url, notes, want)
			}
		}
	}
}
