package har

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/state"
)

// Record appends to dst the record of a dump for the flow of the entry, format
// version 21. An error is an [*Error], and dst is then returned as it was. Only a
// method and a URL are needed, all else may be missing or of a wrong type. What
// could not be made use of is told in the metadata, under har.notes.
func (e *RawEntry) Record(dst []byte) ([]byte, error) {
	if e.err != nil {
		return dst, e.err
	}
	im := importers.Get().(*importer)
	defer im.release()
	im.entry = e
	if err := im.parse(e.Data, e.opts.MaxDepth); err != nil {
		return dst, e.wrap(err.path, err.pos, err.err)
	}
	if !im.is(0, '{') {
		return dst, im.fail(0, "", fmt.Errorf("an entry is an object, not %s", quoted(im.raw(0))))
	}
	if i := im.get(0, privateKey); i >= 0 {
		if out, ok, err := im.restore(dst, i); ok || err != nil {
			return out, err
		}
	}
	record, err := im.visible()
	if err != nil {
		return dst, err
	}
	return append(dst, record...), nil
}

// State returns the state of the flow of the entry. It is read from the record
// that [RawEntry.Record] returns, as far as somebody looks, and does not refer to
// Data. Errors are those of Record.
func (e *RawEntry) State() (*state.Map, error) {
	record, err := e.Record(nil)
	if err != nil {
		return nil, err
	}
	return openRecord(record)
}

func openRecord(record []byte) (*state.Map, error) {
	v, err := state.Open(&state.Source{Codec: tnetstring.Codec{}, Data: record})
	if err != nil {
		return nil, err
	}
	return v.Map()
}

// An importer makes the flow of an entry.
type importer struct {
	document
	entry *RawEntry
	meta  []state.Entry // for the metadata of the flow
	notes []state.Value // of the same
	lines headers       // of all messages

	record   recordWriter
	restorer restorer
}

var importers = sync.Pool{New: func() any { return new(importer) }}

// keepNodes is the number of nodes up to which memory is kept for the next entry.
const keepNodes = 64 << 10

func (im *importer) release() {
	doc := im.document
	doc.data = nil
	if cap(doc.nodes) > keepNodes {
		doc.nodes = nil
	}
	if cap(doc.plain) > keepRecord {
		doc.plain = nil
	}
	doc.private.Reset()
	clear(im.lines)
	clear(im.restorer.pairs)
	clear(im.restorer.entries)
	if cap(im.restorer.entries) > keepNodes {
		im.restorer.entries = nil
	}
	clear(im.meta)
	*im = importer{
		document: doc,
		meta:     im.meta[:0],
		lines:    im.lines[:0],
		record:   im.record,
		restorer: restorer{sum: im.restorer.sum, pairs: im.restorer.pairs, entries: im.restorer.entries},
	}
	im.record.release()
	importers.Put(im)
}

// note notes that something was not made use of.
func (im *importer) note(path, format string, args ...any) {
	if len(im.notes) == maxElements {
		return // a dump has no place for more
	}
	im.notes = append(im.notes, textValue(path+": "+fmt.Sprintf(format, args...)))
}

// want notes that node i is there, and not null, but not what it should be.
func (im *importer) want(ok bool, i int, path, what string) {
	if !ok && !im.isNull(i) {
		im.note(path, "%s where %s is expected", quoted(im.raw(i)), what)
	}
}

// keep adds a value to the metadata.
func (im *importer) keep(key string, v state.Value) {
	im.meta = append(im.meta, state.E("har."+key, v))
}

// text returns the text of a member of an object, "" if there is none. path is
// that of the member, from the entry.
func (im *importer) text(object int, path string) string {
	i := im.get(object, path[strings.LastIndexByte(path, '/')+1:])
	s, ok := im.scalar(i)
	im.want(ok, i, path, "a string")
	return string(s)
}

// fail returns an error about node i or, if that is none, about the entry.
func (im *importer) fail(i int, path state.Path, err error) error {
	pos := 0
	if i >= 0 {
		pos = im.nodes[i].start
	}
	return im.entry.wrap(path, pos, err)
}

// visible makes the record that the standard fields, and those of browsers, tell.
// It is valid until the next call.
func (im *importer) visible() ([]byte, error) {
	request := im.get(0, "request")
	if request < 0 {
		return nil, im.fail(none, "/request", errMissing)
	}
	if !im.is(request, '{') {
		return nil, im.fail(request, "/request", errors.New("not an object"))
	}
	method, err := im.needed(request, "method")
	if err != nil {
		return nil, err
	}
	rawURL, err := im.needed(request, "url")
	if err != nil {
		return nil, err
	}
	url, err := parseURL(rawURL)
	if err != nil {
		return nil, im.fail(im.get(request, "url"), "/request/url", err)
	}
	if url.scheme == "" {
		im.note("/request/url", "%s has no scheme", quoted(rawURL))
	}
	if strings.ContainsFunc(url.host, func(r rune) bool { return r <= ' ' || r == 0x7f || unicode.IsSpace(r) }) {
		im.note("/request/url", "the host %s has blanks or control characters", quoted(url.host))
	}
	response := im.get(0, "response")
	im.want(im.is(response, '{'), response, "/response", "an object")
	times := im.times()

	f := newFlow{
		created: stamp(times.start).Unix(),
		comment: valid(im.text(0, "/comment")),
		request: im.request(request, response, method, &url),
	}
	f.request.start, f.request.end = stamp(times.start), times.requestEnd
	s, failure := im.response(response, f.request.version)
	if s != nil {
		s.start, s.end = stamp(times.responseStart), times.responseEnd
	}
	f.response = s
	f.id, f.clientID = im.entry.flowIDs(im.rawText("startedDateTime"), method, rawURL)
	if own := im.rawText("_id"); isUUID(own) {
		f.id = own
	}
	f.server = im.server(&url, f.id, &times)
	if failure != "" {
		f.failure = &flow.Error{Msg: valid(failure), Timestamp: stamp(times.end)}
	}
	f.webSocket = im.webSocket(&url, s)
	im.extras(request, response, &f)
	if raw := valid(rawURL); !url.tells(raw, &f.request) {
		im.keep("request.url", state.Text(raw))
	}
	if len(im.notes) > 0 {
		im.keep("notes", state.NewList(im.notes...).Value())
	}
	f.metadata = im.meta
	record, err := im.record.flow(&f)
	if err != nil {
		return nil, im.fail(none, "", err)
	}
	return record, nil
}

// needed returns a member of the request without which there is no flow.
func (im *importer) needed(request int, key string) (string, error) {
	i := im.get(request, key)
	if i < 0 {
		return "", im.fail(none, state.Path("/request").Key(key), errMissing)
	}
	s, ok := im.scalar(i)
	if !ok || len(s) == 0 {
		return "", im.fail(i, state.Path("/request").Key(key), fmt.Errorf("%s is not a %s", quoted(im.raw(i)), key))
	}
	return string(s), nil
}

// rawText returns the text of a member of the entry, without looking whether it
// is of the right type.
func (im *importer) rawText(key string) string {
	s, _ := im.scalar(im.get(0, key))
	return string(s)
}

// request returns the request of a flow, without times.
func (im *importer) request(request, response int, method string, url *endpoint) (q newRequest) {
	q.method, q.scheme, q.host, q.port, q.path = method, url.scheme, url.host, url.port, url.path
	q.version = im.version(request, response)
	q.headers, q.authority = im.headers(im.get(request, "headers"), "/request/headers")
	if q.isConnect() {
		q.scheme, q.path = "", ""
		if q.authority == "" {
			q.authority = url.authority()
		}
	} else if query := im.get(request, "queryString"); query >= 0 && !strings.Contains(q.path, "?") {
		if s := im.pairs(query, "/request/queryString"); s != "" {
			q.path += "?" + s
		}
	}
	if cookies := im.get(request, "cookies"); cookies >= 0 && !q.headers.has("Cookie") {
		if s := im.requestCookies(cookies); s != "" {
			q.headers.add(headerName("Cookie", q.version), s)
		}
	}
	im.requestBody(request, &q.newMessage)
	return q
}

// response returns the response of a flow, without times, and what went wrong.
// Both may be missing.
func (im *importer) response(response int, version string) (s *newResponse, failure string) {
	for _, object := range []int{response, 0} {
		if i := im.get(object, "_error"); i >= 0 && failure == "" {
			message, _ := im.scalar(i)
			failure = string(message)
		}
	}
	if !im.is(response, '{') {
		return nil, failure
	}
	i := im.get(response, "status")
	status, ok := im.integer(i)
	if ok = ok && int64(int32(status)) == status; !ok {
		status = 0
	}
	im.want(ok, i, "/response/status", "an integer")
	content := im.get(response, "content")
	im.want(im.is(content, '{'), content, "/response/content", "an object")
	s = &newResponse{status: int(status)}
	s.headers, _ = im.headers(im.get(response, "headers"), "/response/headers")
	if status == 0 && len(s.headers) == 0 && im.get(content, "text") < 0 && (ok || failure != "") {
		if failure == "" && !im.has(response, "_error") {
			failure = noResponse
		}
		return nil, failure
	}
	if s.version = storedVersion(im.text(response, "/response/httpVersion")); s.version == "" {
		s.version = version
	}
	s.reason = im.text(response, "/response/statusText")
	if b, ok := latin1(s.reason); ok {
		s.reason = b
	}
	if cookies := im.get(response, "cookies"); cookies >= 0 && !s.headers.has("Set-Cookie") {
		for line := range im.responseCookies(cookies) {
			s.headers.add(headerName("Set-Cookie", s.version), line)
		}
	}
	im.responseBody(response, content, &s.newMessage)
	return s, failure
}

// noResponse is the error of a flow whose entry has the status 0 and does not say
// more.
const noResponse = "no response"

// has tells whether an object has a member, which may be null.
func (im *importer) has(object int, key string) bool { return im.last(object, key) >= 0 }

// version returns the HTTP version of the request or, if it does not say, of the
// response.
func (im *importer) version(request, response int) string {
	for _, message := range []int{request, response} {
		i := im.get(message, "httpVersion")
		s, _ := im.scalar(i)
		if v := storedVersion(string(s)); v != "" {
			return v
		}
	}
	return "HTTP/1.1"
}

// storedVersion returns an HTTP version as flows have it, "" if s tells none.
func storedVersion(s string) string {
	name := strings.ToLower(strings.TrimSpace(s))
	switch name {
	case "", "unknown", "none":
		return ""
	case "h2", "h2c", "http/2", "http/2.0", "http/2+quic", "spdy":
		return "HTTP/2.0"
	case "h3", "http/3", "http/3.0", "quic":
		return "HTTP/3"
	}
	switch {
	case strings.HasPrefix(name, "h3-"), strings.HasPrefix(name, "http/3"):
		return "HTTP/3"
	case strings.HasPrefix(name, "http/") && isASCII(s):
		return strings.ToUpper(name)
	}
	return ""
}

// headerName returns the name of a header as messages of a version spell it.
func headerName(name, version string) string {
	if version == "HTTP/2.0" || version == "HTTP/3" {
		return strings.ToLower(name)
	}
	return name
}

// latin1 returns s in Latin-1, if it can be.
func latin1(s string) (string, bool) {
	if isASCII(s) {
		return s, true
	}
	var b strings.Builder
	for _, r := range s {
		if r > 0xff {
			return s, false
		}
		b.WriteByte(byte(r))
	}
	return b.String(), utf8.ValidString(s)
}

// server returns the connection to the server.
func (im *importer) server(url *endpoint, id string, c *flowTimes) *flow.ServerConn {
	s := &flow.ServerConn{
		Conn: flow.Conn{
			TransportProtocol: "tcp",
			TLS:               url.scheme == "https",
			TimestampStart:    c.serverStart,
		},
		TimestampTCPSetup: c.tcpSetup,
	}
	if s.TLS {
		s.TimestampTLSSetup = c.tlsSetup
	}
	if url.host != "" {
		s.Address = &flow.Address{Host: url.host, Port: url.port}
	}
	port := im.get(0, "_serverPort")
	n, ok := im.integer(port)
	im.want(ok, port, "/_serverPort", "an integer")
	if raw := im.text(0, "/serverIPAddress"); raw != "" {
		ip, p, ok := ipAddress(raw)
		switch {
		case !ok:
			im.note("/serverIPAddress", "%s is no IP address", quoted(raw))
		case n > 0 && n <= 65535:
			s.Peername = &flow.Address{Host: ip, Port: int(n)}
		case p > 0:
			s.Peername = &flow.Address{Host: ip, Port: p}
		default:
			s.Peername = &flow.Address{Host: ip, Port: url.port}
		}
	}
	// Firefox has the port as the name of the connection.
	name := im.text(0, "/_connectionId")
	if name == "" || name == "0" {
		name = im.text(0, "/connection")
	}
	if name == "" || name == "0" || name == strconv.Itoa(url.port) {
		name = "flow " + id
	}
	s.ID = im.entry.serverID(name, url.host, url.port)
	return s
}
