package har

import (
	"bytes"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strings"
	"time"
)

// headerLines returns the names and values of the lines of a header block: objects
// with name and value, arrays of both, or one object with a member for every
// name.
func (im *importer) headerLines(i int, path string) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		for key, v := range im.members(i) {
			if im.is(v, '[') {
				for _, e := range im.elements(v) {
					if !yield(key, im.headerValue(e, path)) {
						return
					}
				}
			} else if !yield(key, im.headerValue(v, path)) {
				return
			}
		}
		for n, e := range im.elements(i) {
			name, value := none, none
			switch im.nodes[e].kind {
			case '{':
				name, value = im.get(e, "name"), im.get(e, "value")
			case '[':
				for at, x := range im.elements(e) {
					switch at {
					case 0:
						name = x
					case 1:
						value = x
					}
				}
			}
			key, ok := im.scalar(name)
			if !ok {
				im.note(fmt.Sprintf("%s/%d", path, n), "%s has no name", quoted(im.raw(e)))
				continue
			}
			if !yield(key, im.headerValue(value, path)) {
				return
			}
		}
		im.want(im.is(i, '{') || im.is(i, '['), i, path, "an array")
	}
}

// headerValue returns the value of a header, "" for null.
func (im *importer) headerValue(i int, path string) []byte {
	value, ok := im.scalar(i)
	im.want(ok, i, path, "a string")
	return value
}

// headers returns a header block without pseudo headers, of which it returns the
// authority.
func (im *importer) headers(i int, path string) (h headers, authority string) {
	from := len(im.lines)
	for name, value := range im.headerLines(i, path) {
		if len(name) > 0 && name[0] == ':' {
			switch strings.ToLower(string(name)) {
			case ":authority":
				authority = string(value)
				continue
			case ":method", ":path", ":scheme", ":status":
				continue // method, url and status say the same
			}
		}
		im.lines = append(im.lines, header{name, value})
	}
	return im.lines[from:len(im.lines):len(im.lines)], authority
}

// headers are the lines of a header block.
type headers []header

type header struct{ name, value []byte }

// is tells whether the name of a header is name, in any case.
func (h *header) is(name string) bool {
	return len(h.name) == len(name) && bytes.EqualFold(h.name, []byte(name))
}

func (h headers) has(name string) bool {
	return slices.ContainsFunc(h, func(l header) bool { return l.is(name) })
}

// get returns the values of all headers with a name, joined by commas.
func (h headers) get(name string) string {
	value, more := "", false
	for _, l := range h {
		if l.is(name) {
			if more {
				value += ", "
			}
			value += string(l.value)
			more = true
		}
	}
	return value
}

func (h *headers) add(name, value string) { *h = append(*h, header{[]byte(name), []byte(value)}) }

// replace gives the first header with a name another value, and removes it if
// that is empty. Others with the name are removed. It returns those that were.
func (h *headers) replace(name, value string) (old headers) {
	var lines headers
	for _, l := range *h {
		if !l.is(name) {
			lines = append(lines, l)
			continue
		}
		if len(old) == 0 && value != "" {
			lines = append(lines, header{l.name, []byte(value)})
		}
		old = append(old, l)
	}
	*h = lines
	return old
}

// pairs returns the names and values of an array, as of queryString or params, in
// the encoding of forms.
func (im *importer) pairs(i int, path string) string {
	var b strings.Builder
	for name, value := range im.headerLines(i, path) {
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(string(name)))
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(string(value)))
	}
	return b.String()
}

// requestCookies returns the value of the Cookie header for an array of cookies.
func (im *importer) requestCookies(i int) string {
	var b strings.Builder
	for name, value := range im.headerLines(i, "/request/cookies") {
		if b.Len() > 0 {
			b.WriteString("; ")
		}
		b.Write(name)
		b.WriteByte('=')
		b.Write(value)
	}
	return b.String()
}

// responseCookies returns the values of the Set-Cookie headers for an array of
// cookies.
func (im *importer) responseCookies(i int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for n, c := range im.elements(i) {
			name, ok := im.scalar(im.get(c, "name"))
			if !ok {
				im.note(fmt.Sprintf("/response/cookies/%d", n), "%s has no name", quoted(im.raw(c)))
				continue
			}
			value, _ := im.scalar(im.get(c, "value"))
			line := string(name) + "=" + string(value)
			for _, a := range [...]struct{ key, attribute string }{
				{"path", "Path"}, {"domain", "Domain"}, {"expires", "Expires"}, {"sameSite", "SameSite"},
			} {
				value, _ := im.scalar(im.get(c, a.key))
				if len(value) == 0 {
					continue
				}
				if a.key == "expires" {
					if t, _, ok := parseTime(string(value), time.UTC); ok {
						value = t.UTC().AppendFormat(nil, "Mon, 02 Jan 2006 15:04:05 GMT")
					}
				}
				line += "; " + a.attribute + "=" + string(value)
			}
			if im.is(im.get(c, "httpOnly"), 't') {
				line += "; HttpOnly"
			}
			if im.is(im.get(c, "secure"), 't') {
				line += "; Secure"
			}
			if !yield(line) {
				return
			}
		}
	}
}
