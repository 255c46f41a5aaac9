package har_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/har"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/jsonl"
	"github.com/flowtool/flowtool/state"
)

// TestLossless: every entry has its flow, byte for byte, by the rules in the
// package documentation alone.
func TestLossless(t *testing.T) {
	n := 0
	for _, file := range flowtest.Dumps(t) {
		for rec, f := range httpFlows(t, flowtest.Read(t, file)) {
			e, _ := encode(t, f, nil)
			want, err := tnetstring.Encode(f.State().Value())
			if err != nil {
				t.Fatal(err)
			}
			got, err := restore(e)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: flow %d comes back as another: %v\n%.2000q\nwant\n%.2000q", file, rec.Index, err, got, want)
			}
			if err := checkSums(e); err != nil {
				t.Errorf("%s: flow %d: %v", file, rec.Index, err)
			}
			n++
		}
	}
	if n < 600 {
		t.Errorf("only %d flows", n)
	}
}

// httpFlows returns the HTTP flows in a dump, in the newest version, with the
// record that each was.
func httpFlows(t testing.TB, data []byte) func(yield func(*dumpfile.Record, *flow.HTTP) bool) {
	t.Helper()
	return func(yield func(*dumpfile.Record, *flow.HTTP) bool) {
		r := dumpfile.NewReader(bytes.NewReader(data), nil)
		for rec, err := range r.Records() {
			if err != nil {
				return // the dump is damaged from here on
			}
			f, err := r.Flow(rec)
			if err != nil {
				t.Fatal(err)
			}
			if h, ok := f.(*flow.HTTP); ok && !yield(rec, h) {
				return
			}
		}
	}
}

// An entry is an entry as a reader of HAR sees it.
type entry struct {
	StartedDateTime string
	Time            float64
	Comment         *string
	Request         struct {
		Method, URL, HTTPVersion string
		Cookies                  []cookie
		Headers, QueryString     []pair
		HeadersSize, BodySize    int64
		Comment                  string
		PostData                 *struct {
			MimeType string
			Text     *string
			TextB64  *string `json:"_textB64"`
			Params   []postParam
		}
	}
	Response struct {
		Status                               int64
		StatusText, HTTPVersion, RedirectURL string
		Cookies                              []cookie
		Headers                              []pair
		HeadersSize, BodySize                int64
		TransferSize                         *int64  `json:"_transferSize"`
		Error                                *string `json:"_error"`
		Comment                              string
		Content                              struct {
			Size              int64
			Compression       *int64
			MimeType, Comment string
			Text, Encoding    *string
		}
	}
	Timings         map[string]float64
	ServerIPAddress *string
	Connection      string
	ServerPort      int64      `json:"_serverPort"`
	ResourceType    string     `json:"_resourceType"`
	ID              string     `json:"_id"`
	Messages        *[]message `json:"_webSocketMessages"`
	Private         *struct {
		V     int
		From  []string
		Sums  map[string]string
		State json.RawMessage
	} `json:"_mitm"`
}

type pair struct{ Name, Value string }

type postParam struct {
	Name                         string
	Value, FileName, ContentType *string
}

type cookie struct {
	Name, Value       string
	Path, Domain      *string
	Expires, SameSite *string
	HTTPOnly, Secure  *bool
}

type message struct {
	Type   string
	Time   float64
	Opcode int64
	Data   string
}

// encode returns the only entry of a HAR with one flow, decoded, and the HAR.
func encode(t testing.TB, f flow.Flow, opts *har.WriterOptions) (*entry, []byte) {
	t.Helper()
	var out bytes.Buffer
	w := har.NewWriter(&out, opts)
	if err := w.WriteFlow(f); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	entries := decode(t, out.Bytes())
	if len(entries) != 1 {
		t.Fatalf("%d entries", len(entries))
	}
	return &entries[0], out.Bytes()
}

// decode returns the entries of a HAR.
func decode(t testing.TB, data []byte) []entry {
	t.Helper()
	var file struct {
		Log struct {
			Version string
			Entries []entry
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	if file.Log.Version != "1.2" {
		t.Fatalf("version %q", file.Log.Version)
	}
	return file.Log.Entries
}

// restore returns the record of the flow in an entry that nobody edited.
func restore(e *entry) ([]byte, error) {
	if e.Private == nil || e.Private.V != 1 {
		return nil, fmt.Errorf("no private field")
	}
	record, err := jsonl.DecodeRecord(nil, e.Private.State)
	if err != nil || len(e.Private.From) == 0 {
		return record, err
	}
	v, err := state.Open(&state.Source{Codec: tnetstring.Codec{}, Data: record})
	if err != nil {
		return nil, err
	}
	m, err := v.Map()
	if err != nil {
		return nil, err
	}
	for _, part := range e.Private.From {
		if err := restorePart(m, e, part); err != nil {
			return nil, fmt.Errorf("%s: %w", part, err)
		}
	}
	return tnetstring.Encode(m.Value())
}

func restorePart(m *state.Map, e *entry, part string) error {
	set := func(message, key string, v state.Value) error {
		in, err := m.Map(message)
		if err != nil {
			return err
		}
		if old, ok := in.Get(key); !ok || !old.IsNull() {
			return fmt.Errorf("not null but %v", old)
		}
		in.Set(key, v)
		return nil
	}
	switch part {
	case "request.headers":
		return set("request", "headers", headersOf(e.Request.Headers))
	case "response.headers":
		return set("response", "headers", headersOf(e.Response.Headers))
	case "request.content":
		post := e.Request.PostData
		if post.TextB64 == nil {
			return set("request", "content", state.Bytes([]byte(*post.Text)))
		}
		data, err := base64.StdEncoding.DecodeString(*post.TextB64)
		if err != nil {
			return err
		}
		return set("request", "content", state.Bytes(data))
	case "response.content":
		data := []byte(*e.Response.Content.Text)
		if e.Response.Content.Encoding != nil {
			var err error
			if data, err = base64.StdEncoding.DecodeString(string(data)); err != nil {
				return err
			}
		}
		return set("response", "content", state.Bytes(data))
	case "websocket.messages":
		w, err := m.Map("websocket")
		if err != nil {
			return err
		}
		messages, err := w.List("messages")
		if err != nil {
			return err
		}
		if messages.Len() != len(*e.Messages) {
			return fmt.Errorf("%d messages, visible are %d", messages.Len(), len(*e.Messages))
		}
		for i, msg := range messages.All() {
			l, err := msg.List()
			if err != nil {
				return err
			}
			data := []byte((*e.Messages)[i].Data)
			if (*e.Messages)[i].Opcode != 1 {
				if data, err = base64.StdEncoding.DecodeString(string(data)); err != nil {
					return err
				}
			}
			if !l.At(2).IsNull() {
				return fmt.Errorf("not null but %v", l.At(2))
			}
			l.Set(2, state.Bytes(data))
		}
		return nil
	}
	return fmt.Errorf("no such part")
}

func headersOf(pairs []pair) state.Value {
	list := state.NewList()
	for _, p := range pairs {
		list.Append(state.NewList(state.Bytes([]byte(p.Name)), state.Bytes([]byte(p.Value))).Value())
	}
	return list.Value()
}

// checkSums checks that the sums of an entry are what the package documentation
// says.
func checkSums(e *entry) error {
	str := func(s *string) any {
		if s == nil {
			return nil
		}
		return *s
	}
	lines := func(pairs []pair) (out []any) {
		for _, p := range pairs {
			out = append(out, p.Name, p.Value)
		}
		return out
	}
	parts := map[string][]any{
		"comment":          {str(e.Comment)},
		"request":          {e.Request.Method, e.Request.URL, e.Request.HTTPVersion},
		"request.headers":  lines(e.Request.Headers),
		"response":         {e.Response.Status, e.Response.StatusText, e.Response.HTTPVersion},
		"response.headers": lines(e.Response.Headers),
		"response.content": {str(e.Response.Content.Text), str(e.Response.Content.Encoding)},
	}
	if p := e.Request.PostData; p != nil {
		parts["request.content"] = []any{str(p.Text), str(p.TextB64)}
	}
	if e.Messages != nil {
		for _, m := range *e.Messages {
			parts["websocket"] = append(parts["websocket"], m.Type, m.Opcode, m.Data)
		}
	}
	for part, values := range parts {
		want := sum(values)
		if slices.Contains(e.Private.From, part) || part == "websocket" && slices.Contains(e.Private.From, "websocket.messages") {
			want = ""
		}
		if got := e.Private.Sums[part]; got != want {
			return fmt.Errorf("sum of %s is %q, want %q", part, got, want)
		}
		delete(e.Private.Sums, part)
	}
	if len(e.Private.Sums) > 0 {
		return fmt.Errorf("more sums: %v", e.Private.Sums)
	}
	return nil
}

// sum returns the sum of strings, integers and nil.
func sum(values []any) string {
	h, absent := sha256.New(), true
	for _, v := range values {
		if v == nil {
			h.Write([]byte("-"))
			continue
		}
		absent = false
		s := fmt.Sprint(v)
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	if absent {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}
