package filter

import (
	"bytes"
	"errors"
	"io"

	"github.com/flowtool/flowtool/state"
)

// sides says whose bodies and messages are looked at.
type sides uint8

const (
	fromClient sides = 1 << iota
	fromServer
)

func (s sides) has(client bool) bool {
	if client {
		return s&fromClient != 0
	}
	return s&fromServer != 0
}

// contentFields are where bodies and messages are.
type contentFields struct {
	parts     []part // the HTTP or DNS messages to look at
	typ       field
	content   [parts]field // of requests and responses
	headers   [parts]field
	webSocket field // messages
	stream    field // messages of TCP and UDP
	dns       [parts][4]field
}

// dnsSections are the parts of a DNS message, in the order in which they are
// searched.
var dnsSections = [4]string{"questions", "answers", "authorities", "additionals"}

func (c *compiler) contentFields(want sides) contentFields {
	f := contentFields{parts: want.parts(), typ: c.typeField()}
	for _, p := range f.parts {
		f.content[p] = c.field(p, "content")
	}
	f.webSocket = c.field(partWebSocket, "messages")
	f.stream = c.field(partFlow, "messages")
	return f
}

// parts returns the HTTP messages of the sides.
func (s sides) parts() (list []part) {
	if s.has(true) {
		list = append(list, partRequest)
	}
	if s.has(false) {
		list = append(list, partResponse)
	}
	return list
}

// searchContent makes matchers that search bodies and messages, each on its own.
func searchContent(want sides) func(*compiler, *Op) matcher {
	return func(c *compiler, op *Op) matcher {
		c.body = true
		f, found := c.contentFields(want), search(op, op.Regexp)
		for _, p := range f.parts {
			f.headers[p] = c.field(p, "headers")
			for i, key := range dnsSections {
				f.dns[p][i] = c.field(p, key)
			}
		}
		return func(s *subject) bool {
			switch {
			case s.is(f.typ, typeHTTP):
				for _, p := range f.parts {
					if s.searchBody(op, f.content[p], f.headers[p]) {
						return true
					}
				}
				return s.searchMessages(op, want, f.webSocket, 1, 2)
			case s.is(f.typ, typeDNS):
				for _, p := range f.parts {
					if s.has(p) && found(s, s.dnsText(f.dns[p])) {
						return true
					}
				}
				return false
			case s.err == nil:
				return s.searchMessages(op, want, f.stream, 0, 1)
			}
			return false
		}
	}
}

// searchBody searches the decoded body of an HTTP message. A missing body
// matches nothing, not even what an empty one does.
func (s *subject) searchBody(op *Op, content, headers field) bool {
	v := s.value(content)
	if v.IsNull() {
		return false
	}
	coding := s.joinedHeader(headers, "content-encoding")
	if len(coding) == 0 || bytes.EqualFold(coding, []byte("identity")) {
		ok, err := s.searchBytes(op, v)
		if err != nil {
			return s.failAt(content, err)
		}
		return ok
	}
	raw, err := s.fetch(v)
	if err != nil {
		return s.failAt(content, err)
	}
	limit := s.filter.MaxBody
	if limit <= 0 {
		limit = DefaultMaxBody
	}
	body, err := s.decoder.Decode(coding, raw, limit)
	if err != nil {
		return s.failAt(content, op.failed(err)) // the limit: there is no other error
	}
	ok, err := matchBytes(op, body)
	if err != nil {
		return s.failAt(content, err)
	}
	return ok
}

// window is how much of a long byte string is searched at a time. It fits in
// the cache of a processor.
const window = 256 << 10

// searchBytes searches a byte string, piece by piece if it is long and in the
// input, and if the pattern allows that.
func (s *subject) searchBytes(op *Op, v *state.Value) (bool, error) {
	n, literal := op.Regexp.Literal()
	if v.InMemory() || !literal || v.Len() <= window || n > window/2 {
		b, err := s.fetch(v)
		if err != nil {
			return false, err
		}
		return matchBytes(op, b)
	}
	r, err := v.Reader()
	if err != nil {
		return false, err
	}
	if cap(s.raw) < window {
		s.raw = make([]byte, window)
	}
	buf, have := s.raw[:window], 0
	for left := v.Len(); left > 0; {
		got, err := io.ReadFull(r, buf[have:min(int64(window), int64(have)+left)])
		if err != nil {
			return false, noEOF(err)
		}
		left -= int64(got)
		have += got
		if ok, err := matchBytes(op, buf[:have]); ok || err != nil {
			return ok, err
		}
		// What is cut by the end of the window is found in the next one.
		have = copy(buf, buf[have-min(have, n-1):have])
	}
	return false, nil
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func matchBytes(op *Op, b []byte) (bool, error) {
	ok, err := op.Regexp.Match(b)
	if err != nil {
		err = op.failed(err)
	}
	return ok, err
}

// searchMessages searches the messages of a list, each of which is a list with
// its sender and its content at the given places.
func (s *subject) searchMessages(op *Op, want sides, f field, sender, content int) (found bool) {
	s.messages(f, sender, content, func(client bool, v *state.Value) (bool, error) {
		if !want.has(client) || v.IsNull() {
			return true, nil
		}
		var err error
		found, err = s.searchBytes(op, v)
		return !found, err
	})
	return found
}

// messages calls visit with the sender and the content of messages, until it
// returns false.
func (s *subject) messages(f field, sender, content int, visit func(client bool, v *state.Value) (bool, error)) {
	list, err := s.elements(s.value(f), &s.list)
	if err != nil {
		s.failAt(f, err)
		return
	}
	for i := range list {
		m, err := s.elements(&list[i], &s.tuple)
		if err == nil && len(m) <= content {
			err = errors.New("too few elements")
		}
		more, client := false, false
		if err == nil {
			if client, err = boolOf(&m[sender]); err != nil {
				err = state.At(err, sender)
			}
		}
		if err == nil {
			if more, err = visit(client, &m[content]); err != nil {
				err = state.At(err, content)
			}
		}
		if err != nil {
			s.failAt(f, state.At(err, i))
			return
		}
		if !more {
			return
		}
	}
}

// dnsText returns the text of a DNS message.
func (s *subject) dnsText(sections [4]field) []byte {
	s.dns.Reset(s.buf)
	for i, f := range sections {
		list, err := s.elements(s.value(f), &s.list)
		for j := range list {
			if err == nil {
				err = s.dnsEntry(i == 0, &list[j])
			}
			if err != nil {
				err = state.At(err, j)
				break
			}
		}
		if err != nil {
			s.failAt(f, err)
			break
		}
	}
	s.buf = s.dns.Bytes()
	return s.buf
}

var (
	questionKeys = []string{"name"}
	recordKeys   = []string{"type", "data"}
)

// dnsEntry adds a question or a record to the text of a DNS message.
func (s *subject) dnsEntry(question bool, v *state.Value) error {
	if question {
		name, err := s.questionName(v)
		s.dns.Question(name)
		return err
	}
	if err := s.pick(v, recordKeys); err != nil {
		return err
	}
	typ, _, err := integerOf(&s.entries[0])
	if err != nil {
		return state.At(err, recordKeys[0])
	}
	data, err := stringOf(&s.entries[1])
	if err != nil {
		return state.At(err, recordKeys[1])
	}
	s.dns.Record(typ, data)
	return nil
}

// pick sets the entries of s to those of v, all of which must be there.
func (s *subject) pick(v *state.Value, keys []string) error {
	if err := v.Pick(keys, s.entries[:]); err != nil {
		return err
	}
	for i, key := range keys {
		if s.entries[i].IsNull() {
			return state.At(state.ErrMissing, key)
		}
	}
	return nil
}

// questionName returns the name in a DNS question.
func (s *subject) questionName(v *state.Value) ([]byte, error) {
	if err := s.pick(v, questionKeys); err != nil {
		return nil, err
	}
	name, err := stringOf(&s.entries[0])
	if err != nil {
		return nil, state.At(err, questionKeys[0])
	}
	return name, nil
}

// firstQuestion returns the name of the first question of a DNS query.
func (s *subject) firstQuestion(f field) (name []byte, ok bool) {
	list, err := s.elements(s.value(f), &s.list)
	if err == nil && len(list) > 0 {
		name, err = s.questionName(&list[0])
		err = state.At(err, 0)
	}
	if err != nil {
		return nil, s.failAt(f, err)
	}
	return name, len(list) > 0
}

// matchSize makes matchers for the number of bytes in bodies and messages. A
// body that is missing has no size, unless something else has.
func matchSize(want sides) func(*compiler, *Op) matcher {
	return func(c *compiler, op *Op) matcher {
		f, sizes := c.contentFields(want), op.Arg.(*Numbers)
		return func(s *subject) bool {
			var total int64
			known := false
			add := func(v *state.Value) error {
				switch v.Kind() {
				case state.KindNull:
				case state.KindBytes, state.KindText:
					total, known = total+v.Len(), true
				default:
					return &state.TypeError{Want: state.KindBytes.String(), Got: v.Kind().String()}
				}
				return nil
			}
			count := func(client bool, v *state.Value) (bool, error) {
				if !want.has(client) {
					return true, nil
				}
				return true, add(v)
			}
			switch {
			case s.is(f.typ, typeHTTP):
				for _, p := range f.parts {
					if err := add(s.value(f.content[p])); err != nil {
						return s.failAt(f.content[p], err)
					}
				}
				if s.has(partWebSocket) {
					known = true
					s.messages(f.webSocket, 1, 2, count)
				}
			case s.is(f.typ, typeTCP) || s.is(f.typ, typeUDP):
				known = true
				s.messages(f.stream, 0, 1, count)
			}
			return known && sizes.Contains(total)
		}
	}
}
