package har

import (
	"errors"
	"strings"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/coding"
)

// headers appends the headers of a message.
func (r *renderer) headers(h *flow.Headers, part string) {
	exact := true
	r.raw("[")
	for _, line := range h.All() {
		r.comma()
		r.raw(`{"name":`)
		ok1 := r.str(line.Name)
		r.raw(`,"value":`)
		ok2 := r.str(line.Value)
		r.raw("}")
		exact = exact && ok1 && ok2
	}
	r.raw("]")
	if exact {
		r.tie.shows(part)
		return
	}
	for _, line := range h.All() {
		r.tie.sum.add(appendValid(nil, line.Name))
		r.tie.sum.add(appendValid(nil, line.Value))
	}
	r.tie.summed(part)
}

// headersSize returns how many bytes the head of a message took, -1 if it was not
// that of HTTP/1. firstLine is the length of its first line.
func headersSize(m *flow.HTTPMessage, firstLine int) int64 {
	if !m.IsHTTP11() && !m.IsHTTP10() {
		return -1
	}
	size := firstLine + len("\r\n") + len("\r\n")
	for _, line := range m.Headers.All() {
		size += len(line.Name) + len(": ") + len(line.Value) + len("\r\n")
	}
	return int64(size)
}

// pair appends the beginning of an object with a name and a value.
func (r *renderer) pair(name, value string) {
	r.raw(`{"name":`)
	r.str(name)
	r.raw(`,"value":`)
	r.str(value)
}

// A content is the body of a message for people and other programs.
type content struct {
	size     int64  // of the body as it was transferred
	data     []byte // without content codings; nil if the body is missing
	text     []byte // what to show; nil if only base64 does
	verbatim bool   // data are what was transferred
	exact    bool   // text is data, as UTF-8
}

// content returns the body of a message, which is valid until the next call. name is
// for notes.
func (r *renderer) content(m *flow.HTTPMessage, name string) content {
	c := content{size: m.Body.Len()}
	if m.Body.IsMissing() {
		c.size = -1
		return c
	}
	data, err := m.Body.Bytes()
	if err != nil {
		r.note("%s body: %v", name, err)
		return c
	}
	c.data, c.verbatim = data, true
	if codings := m.Headers.Get("Content-Encoding"); codings != "" && len(data) > 0 {
		decoded, err := coding.DecodeInto(r.plain, codings, data, r.opts.MaxBody)
		if err != nil {
			r.note("%s body: %s", name, strings.TrimPrefix(err.Error(), "coding: "))
		}
		limited := errors.As(err, new(*coding.LimitError))
		if err == nil || len(decoded) > 0 && !limited {
			c.data = decoded
			c.verbatim = len(decoded) == len(data) && &decoded[0] == &data[0]
			switch {
			case c.verbatim:
			case len(decoded) < minLongBody:
				r.plain = decoded
			default:
				r.plain = nil // the entry is going to refer to it
			}
		}
	}
	var ok bool
	if c.text, c.exact, ok = readable(c.data, m.Headers.Get("Content-Type")); !ok {
		c.text = nil
	} else if c.text == nil {
		c.text = []byte{}
	}
	return c
}

// shows tells whether the visible fields have the body byte for byte, as text or
// in base64.
func (c *content) shows() bool {
	return len(c.data) > 0 && c.verbatim && (c.exact || c.text == nil)
}

// notCaptured is the comment about a body that the flow does not have.
const notCaptured = "body not captured"
