package filter

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/flowtool/flowtool/internal/searchtext"
)

// requestFields are what hosts and URLs are made of.
type requestFields struct {
	typ                                                          field
	host, port, method, scheme, authority, path, version, header field
}

func (c *compiler) hostFields() requestFields {
	return requestFields{
		typ:       c.typeField(),
		host:      c.must(partRequest, "host"),
		authority: c.field(partRequest, "authority"),
		version:   c.field(partRequest, "http_version"),
		header:    c.field(partRequest, "headers"),
	}
}

func (c *compiler) urlFields() requestFields {
	f := c.hostFields()
	f.port = c.must(partRequest, "port")
	f.method = c.must(partRequest, "method")
	f.scheme = c.must(partRequest, "scheme")
	f.path = c.must(partRequest, "path")
	return f
}

func searchHost(c *compiler, op *Op) matcher {
	f, found := c.hostFields(), search(op, op.Regexp)
	return func(s *subject) bool {
		if !s.is(f.typ, typeHTTP) {
			return false
		}
		r := searchtext.Request{Host: s.text(f.host)}
		if found(s, r.Host) {
			return true
		}
		r.Authority, r.HTTPVersion = s.text(f.authority), s.text(f.version)
		s.addHostHeader(&r, &f)
		pretty := r.PrettyHost()
		return !bytes.Equal(pretty, r.Host) && found(s, pretty)
	}
}

func searchURL(c *compiler, op *Op) matcher {
	f, found := c.urlFields(), search(op, op.Regexp)
	questions := c.field(partRequest, "questions")
	return func(s *subject) bool {
		switch {
		case s.is(f.typ, typeHTTP):
			return found(s, s.requestURL(&f))
		case s.is(f.typ, typeDNS):
			name, ok := s.firstQuestion(questions)
			return ok && found(s, name)
		}
		return false
	}
}

// requestURL returns the pretty URL of an HTTP flow.
func (s *subject) requestURL(f *requestFields) []byte {
	if s.haveURL {
		return s.url
	}
	port, _ := s.integer(f.port)
	r := searchtext.Request{
		Method:      s.text(f.method),
		Scheme:      s.text(f.scheme),
		Authority:   s.text(f.authority),
		Path:        s.text(f.path),
		HTTPVersion: s.text(f.version),
		Host:        s.text(f.host),
		Port:        port,
	}
	s.addHostHeader(&r, f)
	s.url, s.haveURL = r.AppendPrettyURL(s.url[:0]), true
	return s.url
}

// addHostHeader adds the Host header to r, if that is what counts.
func (s *subject) addHostHeader(r *searchtext.Request, f *requestFields) {
	if len(r.CalledAuthority()) == 0 {
		r.HostHeader = s.joinedHeader(f.header, "host")
	}
}

func searchMethod(c *compiler, op *Op) matcher {
	typ, f, found := c.typeField(), c.must(partRequest, "method"), search(op, op.Regexp)
	return func(s *subject) bool { return s.is(typ, typeHTTP) && found(s, s.text(f)) }
}

// matchCode: both numbers may have any size.
func matchCode(c *compiler, op *Op) matcher {
	typ, f := c.typeField(), c.must(partResponse, "status_code")
	code, err := strconv.ParseInt(op.Text, 10, 64)
	fits := err == nil
	return func(s *subject) bool {
		if !s.is(typ, typeHTTP) || !s.has(partResponse) {
			return false
		}
		v := s.value(f)
		if v.IsNull() {
			return s.absent(f)
		}
		n, large, err := integerOf(v)
		switch {
		case err != nil:
			return s.failAt(f, err)
		case large != nil:
			return !fits && large.String() == op.Text
		}
		return fits && n == code
	}
}

func matchStatus(c *compiler, op *Op) matcher {
	typ, f, list := c.typeField(), c.must(partResponse, "status_code"), op.Arg.(*Numbers)
	return func(s *subject) bool {
		if !s.is(typ, typeHTTP) || !s.has(partResponse) {
			return false
		}
		n, ok := s.integer(f)
		return ok && list.Contains(n)
	}
}

// assets are what the content type of an asset contains. Their case matters, as
// it does in mitmproxy.
var assets = [][]byte{
	[]byte("text/javascript"), []byte("application/x-javascript"), []byte("application/javascript"),
	[]byte("text/css"), []byte("image/"), []byte("font/"), []byte("application/font"),
}

func isAsset(c *compiler, _ *Op) matcher {
	typ, f := c.typeField(), c.field(partResponse, "headers")
	return func(s *subject) bool {
		if !s.is(typ, typeHTTP) {
			return false
		}
		for _, h := range s.headers(f) {
			if !h.is("content-type") {
				continue
			}
			for _, a := range assets {
				if bytes.Contains(h.value, a) {
					return true
				}
			}
		}
		return false
	}
}

// A messageBuilder makes a function that looks at a request or a response.
type messageBuilder func(c *compiler, op *Op, p part) matcher

// onMessages makes matchers that are true if one of the messages of an HTTP flow
// has what build looks for.
func onMessages(build messageBuilder, which ...part) func(*compiler, *Op) matcher {
	return func(c *compiler, op *Op) matcher {
		typ := c.typeField()
		var list []matcher
		for _, p := range which {
			list = append(list, build(c, op, c.part(p)))
		}
		return func(s *subject) bool {
			if !s.is(typ, typeHTTP) {
				return false
			}
			for i, p := range which {
				if s.has(p) && list[i](s) {
					return true
				}
			}
			return false
		}
	}
}

func searchHeaderBlock(c *compiler, op *Op, p part) matcher {
	f, found := c.field(p, "headers"), search(op, op.Regexp)
	return func(s *subject) bool {
		s.buf = s.buf[:0]
		for _, h := range s.headers(f) {
			s.buf = searchtext.AppendField(s.buf, h.name, h.value)
		}
		return found(s, s.buf)
	}
}

// searchHeader searches the value of every header with a name, each on its own.
func searchHeader(name string) messageBuilder {
	return func(c *compiler, op *Op, p part) matcher {
		f, found := c.field(p, "headers"), search(op, op.Regexp)
		return func(s *subject) bool {
			for _, h := range s.headers(f) {
				if h.is(name) && found(s, h.value) {
					return true
				}
			}
			return false
		}
	}
}

func matchNamedHeader(c *compiler, op *Op, p part) matcher {
	f, want := c.field(p, "headers"), op.Arg.(*Header)
	found := func(*subject, []byte) bool { return true }
	if want.HasRegex {
		found = search(op, want.Regexp)
	}
	return func(s *subject) bool {
		for _, h := range s.headers(f) {
			if h.is(want.Name) && found(s, h.value) {
				return true
			}
		}
		return false
	}
}

func matchHTTPVersion(c *compiler, op *Op, p part) matcher {
	f, list := c.field(p, "http_version"), op.Arg.(*Versions)
	return func(s *subject) bool {
		major, minor, ok := httpVersion(s.text(f))
		return ok && list.Contains(major, minor)
	}
}

// httpVersion returns the number of an HTTP version. Flows that were imported
// from browsers have names such as http/2.0, h2 and h3.
func httpVersion(name []byte) (major, minor int, ok bool) {
	switch string(name) {
	case "h2", "h2c":
		return 2, 0, true
	case "h3":
		return 3, 0, true
	}
	return parseVersion(string(name), "http/")
}

// parseVersion reads a version such as HTTP/1.1 or HTTP/3. The prefix is in lower
// case.
func parseVersion(s, prefix string) (major, minor int, ok bool) {
	n := len(prefix)
	if len(s) < n || lower(s[:n]) != prefix {
		return 0, 0, false
	}
	a, b, dotted := strings.Cut(s[n:], ".")
	if digits(a) != len(a) || digits(b) != len(b) {
		return 0, 0, false
	}
	major, err := strconv.Atoi(a)
	if err == nil && dotted {
		minor, err = strconv.Atoi(b)
	}
	return major, minor, err == nil
}
