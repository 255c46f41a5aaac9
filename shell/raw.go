package shell

import (
	"errors"
	"strconv"

	"github.com/flowtool/flowtool/flow"
)

// AppendRaw appends the request and the response of f as they look in HTTP/1,
// with two empty lines between them. If only one of them has its body, it is that
// one. The messages of a WebSocket follow, two empty lines behind, each in a line
// that begins with [OUTGOING] if the client sent it and [INCOMING] if it received
// it. The error is an [*Error]; dst is then returned as it was.
func AppendRaw(dst []byte, f *flow.HTTP, opts *Options) ([]byte, error) {
	o := opts.withDefaults()
	out, err := appendRequest(dst, f, &o)
	noRequest := errors.Is(err, ErrNotRecorded)
	if err != nil && !noRequest {
		return result(dst, nil, Raw, err)
	}
	start := len(out)
	if !noRequest {
		out = append(out, "\r\n\r\n"...)
	}
	out, err = appendResponse(out, f, &o)
	switch {
	case err == nil:
		out, err = appendMessages(out, f)
	case !noRequest && (errors.Is(err, ErrNotRecorded) || errors.Is(err, ErrNoResponse)):
		return out[:start], nil
	case noRequest && errors.Is(err, ErrNoResponse):
		err = &Error{Part: "body", Err: ErrNotRecorded} // of the request
	}
	return result(dst, out, Raw, err)
}

// AppendRawRequest appends the request of f as it looks in HTTP/1. The error is
// an [*Error]; dst is then returned as it was.
func AppendRawRequest(dst []byte, f *flow.HTTP, opts *Options) ([]byte, error) {
	o := opts.withDefaults()
	out, err := appendRequest(dst, f, &o)
	return result(dst, out, RawRequest, err)
}

// AppendRawResponse appends the response of f as it looks in HTTP/1. The error is
// an [*Error], which unwraps to [ErrNoResponse] if there is none; dst is then
// returned as it was.
func AppendRawResponse(dst []byte, f *flow.HTTP, opts *Options) ([]byte, error) {
	o := opts.withDefaults()
	out, err := appendResponse(dst, f, &o)
	return result(dst, out, RawResponse, err)
}

func appendRequest(dst []byte, f *flow.HTTP, opts *Options) ([]byte, error) {
	r := f.Request()
	m, err := newMessage(&r.HTTPMessage, opts)
	if err != nil {
		return dst, err
	}
	protocol := r.HTTPVersion
	if m.version.binary() {
		protocol = "HTTP/1.1"
		authority, err := m.takeAuthority(r)
		if err != nil {
			return dst, err
		}
		m.frame(len(m.body) > 0)
		m.joinCookies()
		if authority != "" && !r.IsConnect() {
			m.headers = prepended(flow.Header{Name: "Host", Value: authority}, &m.headers)
		}
	}
	out := append(dst, r.Method...)
	out = append(out, ' ')
	out = append(out, target(r)...)
	out = append(out, ' ')
	out = append(out, protocol...)
	out = append(out, "\r\n"...)
	return m.append(out, true)
}

func appendResponse(dst []byte, f *flow.HTTP, opts *Options) ([]byte, error) {
	r := f.Response()
	if r == nil {
		return dst, &Error{Part: "response", Err: ErrNoResponse}
	}
	m, err := newMessage(&r.HTTPMessage, opts)
	if err != nil {
		return dst, inResponse(err)
	}
	mayHaveBody := f.Request().Method != "HEAD" && r.StatusCode >= 200 && r.StatusCode != 204 && r.StatusCode != 304
	protocol := r.HTTPVersion
	if m.version.binary() {
		protocol = "HTTP/1.1"
		if err := m.dropPseudo(map[string]string{":status": strconv.Itoa(r.StatusCode)}); err != nil {
			return dst, inResponse(err)
		}
		if err := m.checkFields(); err != nil {
			return dst, inResponse(err)
		}
		m.frame(mayHaveBody)
	}
	out := append(dst, protocol...)
	out = append(out, ' ')
	out = strconv.AppendInt(out, int64(r.StatusCode), 10)
	out = append(out, ' ')
	out = append(out, r.ReasonPhrase()...)
	out = append(out, "\r\n"...)
	out, err = m.append(out, mayHaveBody)
	return out, inResponse(err)
}

// inResponse says of an error that it is about the response.
func inResponse(err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return &Error{Part: "response " + e.Part, Err: e.Err}
	}
	return err
}

// prepended returns h with a line before the others.
func prepended(first flow.Header, h *flow.Headers) flow.Headers {
	var out flow.Headers
	out.Add(first.Name, first.Value)
	for _, line := range h.All() {
		out.Add(line.Name, line.Value)
	}
	return out
}

// frame adds the headers that say how long the body is, which HTTP/2 and 3 do
// not need and HTTP/1 does.
func (m *message) frame(body bool) {
	if len(m.trailers) > 0 {
		m.headers.Del("Content-Length")
		m.headers.Add("transfer-encoding", "chunked")
		m.chunked = true
	} else if body && !m.headers.Has("Content-Length") {
		m.headers.Add("content-length", strconv.Itoa(len(m.body)))
	}
}

// append appends the headers and the body. Where there may be none, chunks do not
// have an end either.
func (m *message) append(dst []byte, mayHaveBody bool) ([]byte, error) {
	if len(m.trailers) > 0 && !m.chunked {
		return dst, fail("trailers", "need the header Transfer-Encoding: chunked in HTTP/1")
	}
	dst = appendLines(dst, m.headers.All())
	dst = append(dst, "\r\n"...)
	if !m.chunked || !mayHaveBody && len(m.body) == 0 {
		return append(dst, m.body...), nil
	}
	if len(m.body) > 0 {
		dst = strconv.AppendInt(dst, int64(len(m.body)), 16)
		dst = append(dst, "\r\n"...)
		dst = append(dst, m.body...)
		dst = append(dst, "\r\n"...)
	}
	dst = append(dst, "0\r\n"...)
	dst = appendLines(dst, m.trailers)
	return append(dst, "\r\n"...), nil
}

func appendLines(dst []byte, lines []flow.Header) []byte {
	for _, h := range lines {
		dst = append(dst, h.Name...)
		dst = append(dst, ": "...)
		dst = append(dst, h.Value...)
		dst = append(dst, "\r\n"...)
	}
	return dst
}

// appendMessages appends what went over a WebSocket, if there is one.
func appendMessages(dst []byte, f *flow.HTTP) ([]byte, error) {
	ws := f.WebSocket()
	if ws == nil {
		return dst, nil
	}
	dst = append(dst, "\r\n\r\n"...)
	for i := range ws.Messages {
		m := &ws.Messages[i]
		if i > 0 {
			dst = append(dst, '\n')
		}
		if m.FromClient {
			dst = append(dst, "[OUTGOING] "...)
		} else {
			dst = append(dst, "[INCOMING] "...)
		}
		content, err := m.Content.Bytes()
		if err != nil {
			return dst, &Error{Part: "message " + strconv.Itoa(i), Err: err}
		}
		dst = append(dst, content...)
	}
	return dst, nil
}
