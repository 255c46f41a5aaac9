package shell

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/flowtool/flowtool/flow"
)

// A message is a request or response as it is to be sent: a copy whose headers
// may be edited.
type message struct {
	version  version
	headers  flow.Headers
	trailers []flow.Header
	body     []byte
	chunked  bool // Transfer-Encoding says so
}

// version is a version of HTTP.
type version int

const (
	otherVersion version = iota
	http10
	http11
	http2
	http3
)

func versionOf(m *flow.HTTPMessage) version {
	switch {
	case m.IsHTTP10():
		return http10
	case m.IsHTTP11():
		return http11
	case m.IsHTTP2(), m.HTTPVersion == "HTTP/2":
		return http2
	case m.IsHTTP3():
		return http3
	}
	return otherVersion
}

// binary tells whether v has no text form.
func (v version) binary() bool { return v == http2 || v == http3 }

// newMessage prepares m. A missing body is an error.
func newMessage(m *flow.HTTPMessage, opts *Options) (*message, error) {
	msg := &message{version: versionOf(m), headers: m.Headers.Clone(), trailers: m.Trailers.All()}
	msg.chunked = strings.Contains(strings.ToLower(m.Headers.Get("Transfer-Encoding")), "chunked")
	var err error
	switch {
	case m.Body.IsMissing():
		return nil, &Error{Part: "body", Err: ErrNotRecorded}
	case opts.Decode && m.Body.Len() > 0:
		return msg, msg.decode(m, opts.MaxBody)
	default:
		msg.body, err = m.Body.Bytes()
	}
	return msg, err
}

// decode takes the body of from without its content coding, if it has one that
// can be undone.
func (m *message) decode(from *flow.HTTPMessage, limit int64) error {
	body, err := from.Content(limit)
	if err == nil {
		m.headers.Del("Content-Encoding")
		m.body = body
	} else if _, tooLong := errors.AsType[*flow.BodyLimitError](err); tooLong {
		return err
	} else if m.body, err = from.Body.Bytes(); err != nil {
		return err
	}
	if !m.headers.Has("Transfer-Encoding") {
		m.headers.Set("content-length", strconv.Itoa(len(m.body)))
	}
	return nil
}

// checkFields checks what a message of HTTP/2 or 3 may not have in its headers,
// so that it need not be translated.
func (m *message) checkFields() error {
	if !m.version.binary() {
		return nil
	}
	for _, h := range m.headers.All() {
		switch name := strings.ToLower(h.Name); name {
		case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade":
			return fail(header(h.Name), "does not exist in HTTP/2 and HTTP/3")
		case "te":
			if !strings.EqualFold(strings.TrimSpace(h.Value), "trailers") {
				return fail(header(h.Name), "can only be trailers in HTTP/2 and HTTP/3")
			}
		}
	}
	return nil
}

// dropPseudo removes pseudo headers that stand among the headers, if they say what
// says has under their name.
func (m *message) dropPseudo(says map[string]string) error {
	for _, h := range m.headers.All() {
		if !strings.HasPrefix(h.Name, ":") {
			continue
		}
		if value, ok := says[h.Name]; !ok || value != h.Value {
			return fail(header(h.Name), "is a pseudo header that contradicts the request line")
		}
	}
	lines := slices.DeleteFunc(slices.Clone(m.headers.All()), func(h flow.Header) bool { return strings.HasPrefix(h.Name, ":") })
	m.headers = flow.Headers{}
	for _, h := range lines {
		m.headers.Add(h.Name, h.Value)
	}
	return nil
}

// checkLength checks that every Content-Length is that of the body.
func (m *message) checkLength() error {
	for value := range m.headers.Values("Content-Length") {
		n, err := strconv.ParseUint(value, 10, 63)
		if err != nil || n != uint64(len(m.body)) {
			return fail(header("Content-Length"), "is %.40q, but the body has %d bytes", value, len(m.body))
		}
	}
	return nil
}

// joinCookies makes one Cookie header of several, which HTTP/1 demands and
// HTTP/2 does not.
func (m *message) joinCookies() {
	values := slices.Collect(m.headers.Values("Cookie"))
	if len(values) > 1 {
		m.headers.Set("cookie", strings.Join(values, "; "))
	}
}
