package flow

import (
	"slices"
	"sync"

	"github.com/flowtool/flowtool/state"
)

// A scratch is a stack of elements that are being decoded.
type scratch struct {
	buf  []state.Value
	used int      // how much of buf may hold values
	keys []string // to pick
	// For the strings of a list, which are put together before they are copied.
	text []byte
	ends []int
	// err is the first malformed encoding, or value of a wrong type, that was
	// met.
	err error
}

var scratches = sync.Pool{New: func() any { return &scratch{buf: make([]state.Value, 0, 128)} }}

func newScratch() *scratch { return scratches.Get().(*scratch) }

// free makes s available again. Memory that was needed for one large flow is not
// kept.
func (s *scratch) free() {
	if cap(s.buf) <= 4096 && cap(s.text) <= 64<<10 {
		clear(s.buf[:s.used]) // let go of the record
		s.buf, s.used, s.err = s.buf[:0], 0, nil
		scratches.Put(s)
	}
}

// wrong notes that a value, step of what is being decoded, is not what is wanted.
func (s *scratch) wrong(step any, want string, v *state.Value) {
	if s.err != nil {
		return
	}
	s.err = &state.TypeError{Want: want, Got: v.Kind().String()}
	if step != nil {
		s.err = state.At(s.err, step)
	}
}

func (s *scratch) mark() int        { return len(s.buf) }
func (s *scratch) release(mark int) { s.buf = s.buf[:mark] }

// push returns the elements of the list or map v; they are valid until
// release. Nothing else has elements.
func (s *scratch) push(v *state.Value) ([]state.Value, error) {
	mark := len(s.buf)
	if v.Kind() < state.KindList {
		return nil, nil
	}
	buf, err := v.Elements(s.buf)
	if err != nil {
		s.buf = s.buf[:mark]
		if s.err == nil {
			s.err = err
		}
		return nil, err
	}
	s.buf, s.used = buf, max(s.used, len(buf))
	return buf[mark:len(buf):len(buf)], nil
}

// pick returns the values of s.keys in the map v, like push.
func (s *scratch) pick(v *state.Value) ([]state.Value, error) {
	mark := len(s.buf)
	s.buf = slices.Grow(s.buf, len(s.keys))[:mark+len(s.keys)]
	s.used = max(s.used, len(s.buf))
	vals := s.buf[mark:len(s.buf):len(s.buf)]
	if err := v.Pick(s.keys, vals); err != nil {
		s.buf = s.buf[:mark]
		if s.err == nil {
			s.err = err
		}
		return nil, err
	}
	return vals, nil
}

// Strings of a list share one allocation: begin, add each, and then take them
// with a joined.

func (s *scratch) begin()       { s.text, s.ends = s.text[:0], s.ends[:0] }
func (s *scratch) add(b []byte) { s.text = append(s.text, b...); s.ends = append(s.ends, len(s.text)) }

// joined hands out the strings that were added, in order.
func (s *scratch) joined() joined { return joined{str: string(s.text), ends: s.ends} }

type joined struct {
	str  string
	ends []int
	pos  int
}

func (j *joined) next() string {
	end := j.ends[0]
	str := j.str[j.pos:end]
	j.pos, j.ends = end, j.ends[1:]
	return str
}

// intern returns b as a string, without allocating it for what nearly every
// flow holds.
func intern(b []byte) string {
	switch string(b) {
	case "":
		return ""
	case "GET":
		return "GET"
	case "POST":
		return "POST"
	case "PUT":
		return "PUT"
	case "HEAD":
		return "HEAD"
	case "DELETE":
		return "DELETE"
	case "OPTIONS":
		return "OPTIONS"
	case "PATCH":
		return "PATCH"
	case "CONNECT":
		return "CONNECT"
	case "http":
		return "http"
	case "https":
		return "https"
	case "HTTP/1.0":
		return "HTTP/1.0"
	case "HTTP/1.1":
		return "HTTP/1.1"
	case "HTTP/2.0":
		return "HTTP/2.0"
	case "HTTP/3":
		return "HTTP/3"
	case "OK":
		return "OK"
	case "Not Found":
		return "Not Found"
	case "No Content":
		return "No Content"
	case "Found":
		return "Found"
	case "Not Modified":
		return "Not Modified"
	case "/":
		return "/"
	case "tcp":
		return "tcp"
	case "udp":
		return "udp"
	case "regular":
		return "regular"
	case "h2":
		return "h2"
	case "http/1.1":
		return "http/1.1"
	case "TLSv1.2":
		return "TLSv1.2"
	case "TLSv1.3":
		return "TLSv1.3"
	case "QUICv1":
		return "QUICv1"
	case "TLS_AES_256_GCM_SHA384":
		return "TLS_AES_256_GCM_SHA384"
	case "TLS_AES_128_GCM_SHA256":
		return "TLS_AES_128_GCM_SHA256"
	case "TLS_CHACHA20_POLY1305_SHA256":
		return "TLS_CHACHA20_POLY1305_SHA256"
	case "127.0.0.1":
		return "127.0.0.1"
	case "::1":
		return "::1"
	}
	return string(b)
}
