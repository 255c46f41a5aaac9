package oracle

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/state"
)

// A releaseFlow has the facts of a flow, as release_flows.py describes them.
type releaseFlow struct {
	Type, ID          string
	Client, Server    *releaseAddress
	Error             *string
	Backup            bool
	Marked            *bool
	Comment           *string
	Request, Response *releaseHTTP
	Messages          []releaseMessage
	Query, Answer     *releaseDNS
}

type releaseHTTP struct {
	Version                    string
	Headers                    [][2]string
	Body                       *string
	Start, End                 *float64
	Method, Scheme, Host, Path string
	Port                       int
	Status                     int
	Reason                     string
}

type releaseMessage struct {
	Client bool
	Body   string
	Time   float64
	Opcode *int
}

type releaseDNS struct {
	ID                 int
	Query              bool
	Questions, Records []string
}

type releaseAddress struct {
	Host string
	Port int
}

func (a *releaseAddress) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[]any{&a.Host, &a.Port})
}

// letters is the text of a releaseFlow for s.
func letters(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}

func bodyHash(t *testing.T, b flow.Body) *string {
	t.Helper()
	if b.IsMissing() {
		return nil
	}
	data, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return new(fmt.Sprintf("%x", sha256.Sum256(data)))
}

func seconds(ts flow.Timestamp) *float64 {
	if ts.IsNull() {
		return nil
	}
	return new(ts.Unix())
}

func releaseAddressOf(a *flow.Address) *releaseAddress {
	if a == nil || a.Host == "" {
		return nil
	}
	return &releaseAddress{letters(a.Host), a.Port}
}

// facts returns those of a flow of the newest version.
func facts(t *testing.T, f flow.Flow) releaseFlow {
	t.Helper()
	out := releaseFlow{
		Type: f.Type(), ID: letters(f.ID()),
		Client: releaseAddressOf(f.ClientConn().Peername), Server: releaseAddressOf(f.ServerConn().Address),
		Marked: new(f.Marked() != ""), Comment: new(letters(f.Comment())),
	}
	if e := f.Error(); e != nil {
		out.Error = new(letters(e.Msg))
	}
	switch f := f.(type) {
	case *flow.HTTP:
		r := f.Request()
		out.Request = httpFacts(t, &r.HTTPMessage)
		out.Request.Method, out.Request.Scheme, out.Request.Host = letters(r.Method), letters(r.Scheme), letters(r.Host)
		out.Request.Path, out.Request.Port = letters(r.Path), r.Port
		if r := f.Response(); r != nil {
			out.Response = httpFacts(t, &r.HTTPMessage)
			out.Response.Status, out.Response.Reason = r.StatusCode, letters(r.Reason)
		}
		if ws := f.WebSocket(); ws != nil {
			out.Messages = []releaseMessage{}
			for _, m := range ws.Messages {
				out.Messages = append(out.Messages, releaseMessage{
					m.FromClient, *bodyHash(t, m.Content), m.Timestamp.Unix(), &m.Opcode})
			}
		}
	case *flow.TCP:
		out.Messages = messageFacts(t, f.Messages())
	case *flow.UDP:
		out.Messages = messageFacts(t, f.Messages())
	case *flow.DNS:
		out.Query, out.Answer = dnsFacts(t, f.Request()), dnsFacts(t, f.Response())
	}
	return out
}

func httpFacts(t *testing.T, m *flow.HTTPMessage) *releaseHTTP {
	t.Helper()
	out := &releaseHTTP{
		Version: letters(m.HTTPVersion), Headers: [][2]string{}, Body: bodyHash(t, m.Body),
		Start: seconds(m.TimestampStart), End: seconds(m.TimestampEnd),
	}
	for _, h := range m.Headers.All() {
		out.Headers = append(out.Headers, [2]string{letters(h.Name), letters(h.Value)})
	}
	return out
}

func messageFacts(t *testing.T, messages []flow.Message) []releaseMessage {
	t.Helper()
	out := []releaseMessage{}
	for _, m := range messages {
		out = append(out, releaseMessage{m.FromClient, *bodyHash(t, m.Content), m.Timestamp.Unix(), nil})
	}
	return out
}

func dnsFacts(t *testing.T, m *flow.DNSMessage) *releaseDNS {
	t.Helper()
	if m == nil {
		return nil
	}
	out := &releaseDNS{ID: m.ID, Query: m.Query, Questions: []string{}, Records: []string{}}
	for _, q := range m.Questions {
		out.Questions = append(out.Questions, fmt.Sprintf("%s %d %d", letters(q.Name), q.Type, q.Class))
	}
	for _, records := range [][]flow.DNSRecord{m.Answers, m.Authorities, m.Additionals} {
		for _, r := range records {
			hash := bodyHash(t, flow.NewBody([]byte(r.Data)))
			out.Records = append(out.Records, fmt.Sprintf("%s %d %d %d %s", letters(r.Name), r.Type, r.Class, r.TTL, *hash))
		}
	}
	return out
}

// inVersion are the facts of a flow that can be seen in m, what it became in
// version v.
func (f releaseFlow) inVersion(v migrate.Version, m *state.Map) releaseFlow {
	below := func(w migrate.Version) bool { return v.Compare(w) < 0 }
	f.Backup = !at(m, "backup").IsNull()
	if below(migrate.Number(14)) {
		f.Comment = nil
	}
	if below(migrate.Tuple(0, 18)) {
		f.Marked = nil
	}
	if below(migrate.Tuple(0, 16)) {
		f.Backup = false // they write backups, but do not read them
	}
	if str(m, "type") == "websocket" {
		f.Type, f.ID = "websocket", letters(str(m, "id"))
		f.Request, f.Response = nil, nil
		return f
	}
	if f.Request == nil {
		return f
	}
	if below(migrate.Number(12)) {
		f.Messages = nil
	}
	request := *f.Request
	f.Request = &request
	if below(migrate.Number(9)) && strings.ContainsFunc(request.Host, notASCII) {
		request.Host = letters(str(m, "request", "host")) // in IDNA
	}
	if f.Response != nil {
		response := *f.Response
		f.Response = &response
		if at(m, "response", "timestamp_start").IsNull() {
			response.Start, response.End = nil, nil // version 14 fills them in
		}
	}
	if below(migrate.Tuple(0, 14)) {
		request.Version = twoNumbers(request.Version)
		if f.Response != nil {
			f.Response.Version = twoNumbers(f.Response.Version)
		}
	}
	return f
}

// twoNumbers is an HTTP version when it is stored as two numbers.
func twoNumbers(version string) string {
	if strings.Contains(version, ".") {
		return version
	}
	return version + ".0"
}
