package flow

import (
	"strconv"

	"github.com/flowtool/flowtool/internal/coding"
	"github.com/flowtool/flowtool/state"
)

// An HTTP is an HTTP request with its response, and with the messages of a
// WebSocket if the connection became one.
type HTTP struct {
	common
	request   *Request
	response  *Response
	websocket *WebSocket
	// The parts that may be null remember that they were asked for.
	responseLoaded, websocketLoaded bool

	viewer *Viewer // has memory for the messages; may be nil
}

// An HTTPMessage is what requests and responses have in common.
type HTTPMessage struct {
	HTTPVersion    string // "HTTP/1.1", "HTTP/2.0", "HTTP/3"
	Headers        Headers
	Body           Body    // as transferred, see Content
	Trailers       Headers // empty if there are none
	TimestampStart Timestamp
	TimestampEnd   Timestamp
}

// A Request is an HTTP request as it was sent to the server.
type Request struct {
	HTTPMessage
	Host      string // where mitmproxy connected to
	Port      int
	Method    string
	Scheme    string // "http" or "https"
	Authority string // of HTTP/2 and 3, CONNECT, and absolute-form requests
	Path      string // with query
}

// A Response is an HTTP response.
type Response struct {
	HTTPMessage
	StatusCode int
	Reason     string // empty in HTTP/2 and 3; see ReasonPhrase
}

// messageFields returns the fields that requests and responses begin with.
func httpMessageFields[T any](message func(*T) *HTTPMessage) table[T] {
	return table[T]{
		bytesField("http_version", bytesRule.def(state.Bytes([]byte("HTTP/1.1"))),
			func(p *T) *string { return &message(p).HTTPVersion }),
		headersField("headers", headersRule, func(p *T) *Headers { return &message(p).Headers }),
		bodyField("content", bytesRule.orNull(), func(p *T) *Body { return &message(p).Body }),
		headersField("trailers", headersRule.orNull(), func(p *T) *Headers { return &message(p).Trailers }),
		timeField("timestamp_start", numberRule.defFunc(connTime),
			func(p *T) *Timestamp { return &message(p).TimestampStart }),
		timeField("timestamp_end", numberRule.orNull(),
			func(p *T) *Timestamp { return &message(p).TimestampEnd }),
	}
}

var requestFields = append(
	httpMessageFields(func(p *Request) *HTTPMessage { return &p.HTTPMessage }),
	textField("host", textRule, func(p *Request) *string { return &p.Host }),
	intField("port", plainIntRule, func(p *Request) *int { return &p.Port }),
	bytesField("method", bytesRule, func(p *Request) *string { return &p.Method }),
	bytesField("scheme", bytesRule, func(p *Request) *string { return &p.Scheme }),
	bytesField("authority", bytesRule.def(state.Bytes(nil)), func(p *Request) *string { return &p.Authority }),
	bytesField("path", bytesRule, func(p *Request) *string { return &p.Path }),
)

var responseFields = append(
	httpMessageFields(func(p *Response) *HTTPMessage { return &p.HTTPMessage }),
	intField("status_code", plainIntRule, func(p *Response) *int { return &p.StatusCode }),
	bytesField("reason", bytesRule.def(state.Bytes(nil)), func(p *Response) *string { return &p.Reason }),
)

var httpType = newFlowType("http",
	schemaField{name: "request", rule: mapOf(requestFields.schema())},
	schemaField{name: "response", rule: falsyNull(mapOf(responseFields.schema()))},
	schemaField{name: "websocket", rule: falsyNull(mapOf(webSocketFields.schema()))},
)

// NewHTTP returns an HTTP flow with a new id, created now. What it is given
// becomes part of it; response may be nil.
func NewHTTP(client *ClientConn, server *ServerConn, request *Request, response *Response) *HTTP {
	s := newScratch()
	defer s.free()
	f := new(HTTP)
	f.init(&httpType, f, newState(&httpType, client, server,
		state.E("request", requestFields.storeMap(request, state.Null(), s)),
		state.E("response", state.Null()),
		state.E("websocket", state.Null())))
	f.client, f.server, f.request = client, server, request
	f.SetResponse(response)
	return f
}

// Request returns the request; it is never nil.
func (f *HTTP) Request() *Request {
	if f.request == nil {
		f.request = f.viewer.newRequest()
		loadPart(&f.common, "request", requestFields, f.request)
	}
	return f.request
}

// Response returns the response, nil if there was none.
func (f *HTTP) Response() *Response {
	if !f.responseLoaded {
		f.response, f.responseLoaded = loadInto(&f.common, "response", responseFields, f.viewer.newResponse), true
	}
	return f.response
}

// SetResponse replaces the response; nil removes it.
func (f *HTTP) SetResponse(r *Response) { f.response, f.responseLoaded = r, true }

// WebSocket returns what went over the WebSocket, nil if the connection did not
// become one.
func (f *HTTP) WebSocket() *WebSocket {
	if !f.websocketLoaded {
		f.websocket, f.websocketLoaded = loadNew(&f.common, "websocket", webSocketFields), true
	}
	return f.websocket
}

// SetWebSocket replaces the WebSocket; nil removes it.
func (f *HTTP) SetWebSocket(w *WebSocket) { f.websocket, f.websocketLoaded = w, true }

// Damage implements [Flow].
func (f *HTTP) Damage() error {
	if f.damage != nil {
		return f.damage
	}
	if f.request != nil {
		f.note("request", f.request.damage())
	}
	if f.response != nil {
		f.note("response", f.response.damage())
	}
	return f.damage
}

func (m *HTTPMessage) damage() error {
	if m.Headers.err != nil {
		return state.At(m.Headers.err, "headers")
	}
	return state.At(m.Trailers.err, "trailers")
}

// TimestampStart returns when the request began.
func (f *HTTP) TimestampStart() Timestamp { return f.Request().TimestampStart }

func (f *HTTP) sync(s *scratch) {
	syncPart(f.m, "request", requestFields, f.request, s)
	if f.responseLoaded {
		syncOptional(f.m, "response", responseFields, f.response, s)
	}
	if f.websocketLoaded {
		syncOptional(f.m, "websocket", webSocketFields, f.websocket, s)
	}
}

func (f *HTTP) reload(s *scratch) {
	if f.request != nil {
		reloadPart(f.m, "request", requestFields, f.request, s)
	}
	if f.responseLoaded {
		f.response = reloadPart(f.m, "response", responseFields, f.response, s)
	}
	if f.websocketLoaded {
		f.websocket = reloadPart(f.m, "websocket", webSocketFields, f.websocket, s)
	}
}

// IsHTTP10 tells whether the version is exactly HTTP/1.0.
func (m *HTTPMessage) IsHTTP10() bool { return m.HTTPVersion == "HTTP/1.0" }

// IsHTTP11 tells whether the version is exactly HTTP/1.1.
func (m *HTTPMessage) IsHTTP11() bool { return m.HTTPVersion == "HTTP/1.1" }

// IsHTTP2 tells whether the version is HTTP/2, spelled "HTTP/2.0" as mitmproxy
// does.
func (m *HTTPMessage) IsHTTP2() bool { return m.HTTPVersion == "HTTP/2.0" }

// IsHTTP3 tells whether the version is exactly HTTP/3.
func (m *HTTPMessage) IsHTTP3() bool { return m.HTTPVersion == "HTTP/3" }

// Content returns the body with its Content-Encoding undone, at most limit bytes
// of it; see [Body.Decoded].
func (m *HTTPMessage) Content(limit int64) ([]byte, error) {
	return m.Body.Decoded(m.Headers.Get("Content-Encoding"), limit)
}

// Text returns the body as text: with its Content-Encoding undone and decoded
// from the charset that the Content-Type or the content itself declares. The
// text is usable, if not complete, even if there is an error about the charset
// or about data that end too early.
func (m *HTTPMessage) Text(limit int64) (string, error) {
	data, err := m.Content(limit)
	if err != nil && data == nil {
		return "", err
	}
	text, _, err2 := coding.Text(data, m.Headers.Get("Content-Type"))
	if err == nil {
		err = err2
	}
	return text, err
}

// SetContent replaces the body by content that is not encoded: Content-Encoding
// is removed, and Content-Length is set unless there is a Transfer-Encoding.
func (m *HTTPMessage) SetContent(content []byte) {
	m.Body = NewBody(content)
	m.Headers.Del("Content-Encoding")
	if !m.Headers.Has("Transfer-Encoding") {
		m.Headers.Set("Content-Length", strconv.Itoa(len(content)))
	}
}
