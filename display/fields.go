package display

import (
	"strconv"
	"strings"

	"github.com/flowtool/flowtool/flow"
)

// A Field is a column that can be asked for by name.
type Field struct {
	// Name is what to ask for. A name that ends in a colon and NAME stands for
	// many fields: it is asked for with the name of a header instead of NAME.
	Name string
	Doc  string

	append  func(dst []byte, c *cell) []byte
	named   func(name string) func(dst []byte, c *cell) []byte // instead of append, if there is a NAME
	number  bool                                               // what it appends is a number
	content bool                                               // it looks at the content of bodies
	place   bool                                               // it is about the record, not about the flow
}

// Position says where a flow was read from.
type Position struct {
	Index   int64  // number of the flow
	Offset  int64  // of its record in the (decompressed) input
	Size    int64  // of its record
	Version string // format version of its record
}

// cell is what a field is computed from.
type cell struct {
	Position
	flow flow.Flow
}

// http returns the HTTP flow with its parts, nil where there is none.
func (c *cell) http() (*flow.HTTP, *flow.Request, *flow.Response) {
	if f, ok := c.flow.(*flow.HTTP); ok {
		return f, f.Request(), f.Response()
	}
	return nil, nil, nil
}

// request and response return the messages of an HTTP flow, nil where there is
// none.
func (c *cell) request() *flow.HTTPMessage {
	if _, r, _ := c.http(); r != nil {
		return &r.HTTPMessage
	}
	return nil
}

func (c *cell) response() *flow.HTTPMessage {
	if _, _, r := c.http(); r != nil {
		return &r.HTTPMessage
	}
	return nil
}

// The kinds of fields. A value that a flow does not have is nothing.

func textField(name, doc string, get func(*cell) string) Field {
	return Field{Name: name, Doc: doc, append: func(dst []byte, c *cell) []byte { return append(dst, get(c)...) }}
}

func flowField(name, doc string, get func(flow.Flow) string) Field {
	return textField(name, doc, func(c *cell) string { return get(c.flow) })
}

func requestField(name, doc string, get func(*flow.Request) string) Field {
	return textField(name, doc, func(c *cell) string {
		if _, r, _ := c.http(); r != nil {
			return get(r)
		}
		return ""
	})
}

func responseField(name, doc string, get func(*flow.Response) string) Field {
	return textField(name, doc, func(c *cell) string {
		if _, _, r := c.http(); r != nil {
			return get(r)
		}
		return ""
	})
}

func numberField(name, doc string, get func(*cell) (int64, bool)) Field {
	return Field{Name: name, Doc: doc, number: true, append: func(dst []byte, c *cell) []byte {
		if n, ok := get(c); ok {
			return strconv.AppendInt(dst, n, 10)
		}
		return dst
	}}
}

// placeField is a field of the [Position] of a flow.
func placeField(f Field) Field {
	f.place = true
	return f
}

func timeField(name, doc string, get func(*cell) flow.Timestamp) Field {
	return Field{Name: name, Doc: doc, append: func(dst []byte, c *cell) []byte { return appendTime(dst, get(c)) }}
}

func secondsField(name, doc string, get func(*cell) (float64, bool)) Field {
	return Field{Name: name, Doc: doc, number: true, append: func(dst []byte, c *cell) []byte {
		if s, ok := get(c); ok {
			return strconv.AppendFloat(dst, s, 'f', 6, 64)
		}
		return dst
	}}
}

// headerField is a field for all headers that can be named.
func headerField(name, doc string, messages func(*cell) []*flow.HTTPMessage) Field {
	return Field{Name: name, Doc: doc, named: func(header string) func([]byte, *cell) []byte {
		return func(dst []byte, c *cell) []byte {
			start := len(dst)
			for _, m := range messages(c) {
				if m == nil {
					continue
				}
				for value := range m.Headers.Values(header) {
					if len(dst) > start {
						dst = append(dst, ", "...)
					}
					dst = append(dst, value...)
				}
			}
			return dst
		}
	}}
}

// bodySize, decodedSize and bodyText are about the body of a message. What is
// missing or cannot be decoded has no decoded size.
func bodySize(name, doc string, get func(*cell) *flow.HTTPMessage) Field {
	return numberField(name, doc, func(c *cell) (int64, bool) {
		m := get(c)
		if m == nil || m.Body.IsMissing() {
			return 0, false
		}
		return m.Body.Len(), true
	})
}

func decodedSize(name, doc string, get func(*cell) *flow.HTTPMessage) Field {
	f := numberField(name, doc, func(c *cell) (int64, bool) {
		m := get(c)
		if m == nil || m.Body.IsMissing() {
			return 0, false
		}
		if m.Headers.Get("Content-Encoding") == "" {
			return m.Body.Len(), true
		}
		data, err := m.Content(maxText)
		return int64(len(data)), err == nil
	})
	f.content = true
	return f
}

func bodyText(name, doc string, get func(*cell) *flow.HTTPMessage) Field {
	f := textField(name, doc, func(c *cell) string {
		m := get(c)
		if m == nil {
			return ""
		}
		text, _ := m.Text(maxText) // as far as it can be decoded
		return text
	})
	f.content = true
	return f
}

// maxText is how many bytes of a body are decoded.
const maxText = 16 << 20

// Fields returns all fields in the order of their documentation. Names that have
// been there stay.
func Fields() []Field {
	fields := [][]Field{recordFields, flowFields, connFields, requestFields, responseFields, messageFields}
	var all []Field
	for _, f := range fields {
		all = append(all, f...)
	}
	return all
}

var recordFields = []Field{
	placeField(numberField("index", "number of the flow in the input, from 0", func(c *cell) (int64, bool) { return c.Index, true })),
	placeField(numberField("offset", "byte offset of the flow in its (decompressed) file", func(c *cell) (int64, bool) { return c.Offset, true })),
	placeField(numberField("record_size", "bytes the flow takes in the file", func(c *cell) (int64, bool) { return c.Size, true })),
	placeField(textField("version", "format version it was written in", func(c *cell) string { return c.Version })),
}

var flowFields = []Field{
	flowField("id", "identity of the flow", flow.Flow.ID),
	flowField("type", "http, tcp, udp or dns", flow.Flow.Type),
	timeField("time", "start, RFC 3339 in UTC", func(c *cell) flow.Timestamp { return c.flow.TimestampStart() }),
	timeField("end", "end, RFC 3339 in UTC", func(c *cell) flow.Timestamp { return rowOf(c.flow).end }),
	timeField("created", "when the flow was made, RFC 3339 in UTC", func(c *cell) flow.Timestamp { return c.flow.TimestampCreated() }),
	secondsField("duration", "seconds from start to end", func(c *cell) (float64, bool) {
		r := rowOf(c.flow)
		return r.seconds, r.hasSeconds
	}),
	textField("error", "what went wrong", func(c *cell) string {
		if e := c.flow.Error(); e != nil {
			return e.Msg
		}
		return ""
	}),
	flowField("replay", "request or response, if that was replayed", flow.Flow.IsReplay),
	flowField("marked", "name of the mark", flow.Flow.Marked),
	flowField("comment", "comment", flow.Flow.Comment),
	boolField("edited", "true if the flow keeps a backup of what it was", func(f flow.Flow) bool { return f.BackupState() != nil }),
	boolField("intercepted", "true if the flow was waiting to be resumed", flow.Flow.Intercepted),
}

var connFields = []Field{
	flowField("client", "address of the client", func(f flow.Flow) string { return addressText(f.ClientConn().Peername) }),
	flowField("server", "address asked for", func(f flow.Flow) string { return addressText(f.ServerConn().Address) }),
	flowField("server_ip", "address connected to", func(f flow.Flow) string { return addressText(f.ServerConn().Peername) }),
	flowField("upstream", "address of the upstream proxy", func(f flow.Flow) string {
		if v := f.ServerConn().Via; v != nil {
			return addressText(&flow.Address{Host: v.Host, Port: v.Port})
		}
		return ""
	}),
	flowField("tls", "TLS version of the client connection", func(f flow.Flow) string { return f.ClientConn().TLSVersion }),
	flowField("alpn", "protocol negotiated with the client", func(f flow.Flow) string { return f.ClientConn().ALPN }),
	flowField("sni", "server name the client asked for", func(f flow.Flow) string { return f.ClientConn().SNI }),
	flowField("server_tls", "TLS version of the server connection", func(f flow.Flow) string { return f.ServerConn().TLSVersion }),
	flowField("server_alpn", "protocol negotiated with the server", func(f flow.Flow) string { return f.ServerConn().ALPN }),
	flowField("server_sni", "server name the server was asked for", func(f flow.Flow) string { return f.ServerConn().SNI }),
	flowField("mode", "proxy mode", func(f flow.Flow) string { return f.ClientConn().ProxyMode }),
}

var requestFields = []Field{
	requestField("method", "request method", func(r *flow.Request) string { return r.Method }),
	requestField("scheme", "http or https", func(r *flow.Request) string { return r.Scheme }),
	requestField("host", "host as the client called it", (*flow.Request).PrettyHost),
	numberField("port", "port connected to", func(c *cell) (int64, bool) {
		if _, r, _ := c.http(); r != nil {
			return int64(r.Port), true
		}
		return 0, false
	}),
	requestField("path", "request path with query", func(r *flow.Request) string { return r.Path }),
	requestField("query", "what follows the question mark in the path", func(r *flow.Request) string {
		_, query, _ := strings.Cut(r.Path, "?")
		return query
	}),
	textField("url", "URL as the client called it", func(c *cell) string {
		if f, _, _ := c.http(); f != nil {
			return f.PrettyURL()
		}
		return ""
	}),
	requestField("http_version", "version of the request", func(r *flow.Request) string { return r.HTTPVersion }),
	requestField("request_type", "Content-Type of the request", func(r *flow.Request) string { return r.Headers.Get("Content-Type") }),
	requestField("request_encoding", "Content-Encoding of the request", func(r *flow.Request) string { return r.Headers.Get("Content-Encoding") }),
	bodySize("request_size", "bytes of the request body as transferred", (*cell).request),
	decodedSize("request_decoded", "bytes of the request body without content coding", (*cell).request),
	timeField("request_end", "end of the request, RFC 3339 in UTC", func(c *cell) flow.Timestamp {
		if m := c.request(); m != nil {
			return m.TimestampEnd
		}
		return flow.Timestamp{}
	}),
	headerField("hnq:NAME", "header NAME of the request; values are joined by commas", func(c *cell) []*flow.HTTPMessage {
		return []*flow.HTTPMessage{c.request()}
	}),
	bodyText("request_text", "text of the request body, decoded, up to 16 MiB", (*cell).request),
}

var responseFields = []Field{
	numberField("status", "response status code", func(c *cell) (int64, bool) {
		if _, _, r := c.http(); r != nil {
			return int64(r.StatusCode), true
		}
		return 0, false
	}),
	responseField("reason", "response reason phrase", func(r *flow.Response) string { return latin1(r.ReasonPhrase()) }),
	responseField("response_version", "HTTP version of the response", func(r *flow.Response) string { return r.HTTPVersion }),
	responseField("content_type", "Content-Type of the response", func(r *flow.Response) string { return r.Headers.Get("Content-Type") }),
	responseField("content_encoding", "Content-Encoding of the response", func(r *flow.Response) string { return r.Headers.Get("Content-Encoding") }),
	numberField("size", "bytes of the response body as transferred, or of all messages", func(c *cell) (int64, bool) {
		r := rowOf(c.flow)
		return r.size, r.size >= 0
	}),
	bodySize("response_size", "bytes of the response body as transferred", (*cell).response),
	decodedSize("response_decoded", "bytes of the response body without content coding", (*cell).response),
	timeField("response_start", "start of the response, RFC 3339 in UTC", func(c *cell) flow.Timestamp {
		if m := c.response(); m != nil {
			return m.TimestampStart
		}
		return flow.Timestamp{}
	}),
	secondsField("ttfb", "seconds from the start of the request to that of the response", func(c *cell) (float64, bool) {
		_, q, s := c.http()
		if s == nil {
			return 0, false
		}
		return between(q.TimestampStart, s.TimestampStart)
	}),
	headerField("hns:NAME", "header NAME of the response; values are joined by commas", func(c *cell) []*flow.HTTPMessage {
		return []*flow.HTTPMessage{c.response()}
	}),
	headerField("hn:NAME", "header NAME of the request and the response", func(c *cell) []*flow.HTTPMessage {
		return []*flow.HTTPMessage{c.request(), c.response()}
	}),
	bodyText("response_text", "text of the response body, decoded, up to 16 MiB", (*cell).response),
}

var messageFields = []Field{
	messagesField("messages", "number of WebSocket, TCP or UDP messages", func(sent, received int) int { return sent + received }),
	messagesField("messages_sent", "number of messages of the client", func(sent, received int) int { return sent }),
	messagesField("messages_received", "number of messages of the server", func(sent, received int) int { return received }),
	numberField("close_code", "with which a WebSocket was closed", func(c *cell) (int64, bool) {
		f, _, _ := c.http()
		if f == nil || f.WebSocket() == nil || f.WebSocket().CloseCode == 0 {
			return 0, false
		}
		return int64(f.WebSocket().CloseCode), true
	}),
	dnsField("dns_name", "first name asked for", func(f *flow.DNS) string {
		if len(f.Request().Questions) == 0 {
			return ""
		}
		return dnsName(f.Request().Questions[0].Name)
	}),
	dnsField("dns_type", "type of the first DNS question", func(f *flow.DNS) string {
		if len(f.Request().Questions) == 0 {
			return ""
		}
		return flow.DNSTypeName(f.Request().Questions[0].Type)
	}),
	dnsField("dns_code", "result of a DNS query, such as NXDOMAIN", func(f *flow.DNS) string {
		if f.Response() == nil {
			return ""
		}
		return flow.DNSResponseCodeName(f.Response().ResponseCode)
	}),
	dnsField("dns_answers", "answers to a DNS query, joined by commas", func(f *flow.DNS) string {
		if f.Response() == nil {
			return ""
		}
		var texts []string
		for i := range f.Response().Answers {
			texts = append(texts, f.Response().Answers[i].Text())
		}
		return strings.Join(texts, ", ")
	}),
}
