package display

import (
	"strconv"
	"strings"

	"github.com/flowtool/flowtool/contentview"
	"github.com/flowtool/flowtool/flow"
)

// A Field is a column that can be asked for by name.
type Field struct {
	Name string
	Doc  string

	append func(dst []byte, c *cell) []byte
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

func requestField(get func(*flow.Request) string) func([]byte, *cell) []byte {
	return func(dst []byte, c *cell) []byte {
		if _, r, _ := c.http(); r != nil {
			return append(dst, get(r)...)
		}
		return dst
	}
}

func responseField(get func(*flow.Response) string) func([]byte, *cell) []byte {
	return func(dst []byte, c *cell) []byte {
		if _, _, r := c.http(); r != nil {
			return append(dst, get(r)...)
		}
		return dst
	}
}

func flowField(get func(flow.Flow) string) func([]byte, *cell) []byte {
	return func(dst []byte, c *cell) []byte { return append(dst, get(c.flow)...) }
}

func numberField(get func(*cell) (int64, bool)) func([]byte, *cell) []byte {
	return func(dst []byte, c *cell) []byte {
		if n, ok := get(c); ok {
			return strconv.AppendInt(dst, n, 10)
		}
		return dst
	}
}

// Fields returns all fields in the order of their documentation.
func Fields() []Field {
	bodySize := func(m *flow.HTTPMessage) (int64, bool) { return m.Body.Len(), !m.Body.IsMissing() }
	return []Field{
		{"index", "number of the flow in the input, from 0", numberField(func(c *cell) (int64, bool) { return c.Index, true })},
		{"offset", "byte offset of the flow in its (decompressed) file", numberField(func(c *cell) (int64, bool) { return c.Offset, true })},
		{"record_size", "bytes the flow takes in the file", numberField(func(c *cell) (int64, bool) { return c.Size, true })},
		{"version", "format version it was written in", func(dst []byte, c *cell) []byte { return append(dst, c.Version...) }},
		{"id", "identity of the flow", flowField(flow.Flow.ID)},
		{"type", "http, tcp, udp or dns", flowField(flow.Flow.Type)},
		{"time", "start, RFC 3339 in UTC", func(dst []byte, c *cell) []byte { return appendTime(dst, c.flow.TimestampStart()) }},
		{"created", "when the flow was made, RFC 3339 in UTC", func(dst []byte, c *cell) []byte { return appendTime(dst, c.flow.TimestampCreated()) }},
		{"duration", "seconds from start to end", appendSeconds},
		{"client", "address of the client", flowField(func(f flow.Flow) string { return addressText(f.ClientConn().Peername) })},
		{"server", "address asked for", flowField(func(f flow.Flow) string { return addressText(f.ServerConn().Address) })},
		{"server_ip", "address connected to", flowField(func(f flow.Flow) string { return addressText(f.ServerConn().Peername) })},
		{"tls", "TLS version of the client connection", flowField(func(f flow.Flow) string { return f.ClientConn().TLSVersion })},
		{"alpn", "protocol negotiated with the client", flowField(func(f flow.Flow) string { return f.ClientConn().ALPN })},
		{"sni", "server name the client asked for", flowField(func(f flow.Flow) string { return f.ClientConn().SNI })},
		{"mode", "proxy mode", flowField(func(f flow.Flow) string { return f.ClientConn().ProxyMode })},
		{"method", "request method", requestField(func(r *flow.Request) string { return r.Method })},
		{"scheme", "http or https", requestField(func(r *flow.Request) string { return r.Scheme })},
		{"host", "host as the client called it", requestField((*flow.Request).PrettyHost)},
		{"port", "port connected to", numberField(func(c *cell) (int64, bool) {
			if _, r, _ := c.http(); r != nil {
				return int64(r.Port), true
			}
			return 0, false
		})},
		{"path", "request path with query", requestField(func(r *flow.Request) string { return r.Path })},
		{"url", "URL as the client called it", func(dst []byte, c *cell) []byte {
			if f, _, _ := c.http(); f != nil {
				return append(dst, f.PrettyURL()...)
			}
			return dst
		}},
		{"http_version", "version of the request", requestField(func(r *flow.Request) string { return r.HTTPVersion })},
		{"request_type", "Content-Type of the request", requestField(func(r *flow.Request) string { return r.Headers.Get("Content-Type") })},
		{"request_size", "bytes of the request body as transferred", numberField(func(c *cell) (int64, bool) {
			if _, r, _ := c.http(); r != nil {
				return bodySize(&r.HTTPMessage)
			}
			return 0, false
		})},
		{"status", "response status code", numberField(func(c *cell) (int64, bool) {
			if _, _, r := c.http(); r != nil {
				return int64(r.StatusCode), true
			}
			return 0, false
		})},
		{"reason", "response reason phrase", responseField(func(r *flow.Response) string { return latin1(r.ReasonPhrase()) })},
		{"content_type", "Content-Type of the response", responseField(func(r *flow.Response) string { return r.Headers.Get("Content-Type") })},
		{"content_encoding", "Content-Encoding of the response", responseField(func(r *flow.Response) string { return r.Headers.Get("Content-Encoding") })},
		{"size", "bytes of the response body as transferred, or of all messages", numberField(func(c *cell) (int64, bool) {
			r := rowOf(c.flow)
			return r.size, r.size >= 0
		})},
		{"messages", "number of WebSocket, TCP or UDP messages", numberField(func(c *cell) (int64, bool) {
			n, ok := messageCount(c.flow)
			return int64(n), ok
		})},
		{"dns_name", "first name asked for", func(dst []byte, c *cell) []byte {
			if f, ok := c.flow.(*flow.DNS); ok && len(f.Request().Questions) > 0 {
				return append(dst, dnsName(f.Request().Questions[0].Name)...)
			}
			return dst
		}},
		{"dns_type", "type of the first DNS question", func(dst []byte, c *cell) []byte {
			if f, ok := c.flow.(*flow.DNS); ok && len(f.Request().Questions) > 0 {
				return append(dst, flow.DNSTypeName(f.Request().Questions[0].Type)...)
			}
			return dst
		}},
		{"error", "what went wrong", func(dst []byte, c *cell) []byte {
			if e := c.flow.Error(); e != nil {
				return append(dst, e.Msg...)
			}
			return dst
		}},
		{"replay", "request or response, if that was replayed", flowField(flow.Flow.IsReplay)},
		{"marked", "name of the mark", flowField(flow.Flow.Marked)},
		{"comment", "comment", flowField(flow.Flow.Comment)},
		{"edited", "true if the flow keeps a backup of what it was", func(dst []byte, c *cell) []byte {
			return strconv.AppendBool(dst, c.flow.BackupState() != nil)
		}},
	}
}

// rowOf returns the columns of the line of a flow.
func rowOf(f flow.Flow) row {
	switch f := f.(type) {
	case *flow.HTTP:
		return httpRow(f)
	case *flow.DNS:
		return dnsRow(f)
	case *flow.TCP:
		return streamRow(f, f.Messages())
	case *flow.UDP:
		return streamRow(f, f.Messages())
	}
	return row{size: -1}
}

func messageCount(f flow.Flow) (n int, ok bool) {
	switch f := f.(type) {
	case *flow.HTTP:
		if ws := f.WebSocket(); ws != nil {
			return len(ws.Messages), true
		}
	case *flow.TCP:
		return len(f.Messages()), true
	case *flow.UDP:
		return len(f.Messages()), true
	}
	return 0, false
}

func addressText(a *flow.Address) string {
	if a == nil {
		return ""
	}
	return a.String()
}

func appendSeconds(dst []byte, c *cell) []byte {
	if r := rowOf(c.flow); r.hasSeconds {
		return strconv.AppendFloat(dst, r.seconds, 'f', 6, 64)
	}
	return dst
}

// Columns renders chosen fields, separated by tabs.
type Columns struct{ fields []Field }

// An UnknownFieldError names a field that does not exist.
type UnknownFieldError struct{ Name string }

func (e *UnknownFieldError) Error() string {
	var names []string
	for _, f := range Fields() {
		names = append(names, f.Name)
	}
	return strconv.Quote(e.Name) + " is not a field; there are " + strings.Join(names, ", ")
}

// ParseColumns returns the columns for names, separated by commas. A name that
// is not known is an [UnknownFieldError].
func ParseColumns(names string) (*Columns, error) {
	var c Columns
	all := Fields()
next:
	for name := range strings.SplitSeq(names, ",") {
		name = strings.TrimSpace(name)
		for _, f := range all {
			if f.Name == name {
				c.fields = append(c.fields, f)
				continue next
			}
		}
		return nil, &UnknownFieldError{name}
	}
	return &c, nil
}

// Append appends a line with the fields of f. Tabs, line ends and control
// characters in values are escaped; nothing is cut.
func (c *Columns) Append(dst []byte, pos Position, f flow.Flow) []byte {
	cell := cell{pos, f}
	var tmp []byte
	for i := range c.fields {
		if i > 0 {
			dst = append(dst, '\t')
		}
		tmp = c.fields[i].append(tmp[:0], &cell)
		dst = contentview.AppendEscaped(dst, tmp, false)
	}
	return append(dst, '\n')
}
