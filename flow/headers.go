package flow

import (
	"iter"
	"slices"
	"strings"

	"github.com/flowtool/flowtool/state"
)

// A Header is one line of a header block. Name and Value hold the exact bytes;
// they need not be UTF-8.
type Header struct{ Name, Value string }

// Headers are the lines of a header block in order, with the case and the
// repetitions they had. Names are compared without regard to case. The zero
// Headers is an empty block.
//
// A block that comes from a state is decoded when it is edited or listed; Get
// and its like look through it as it is. Do not copy Headers that may be edited
// later: use Clone.
type Headers struct {
	lines []Header
	raw   state.Value // what lines are to be decoded from; null once they are
	err   error       // why some of it could not be decoded
}

// NewHeaders returns headers from names and values in turn.
func NewHeaders(namesAndValues ...string) Headers {
	if len(namesAndValues)%2 != 0 {
		panic("flow: NewHeaders takes names and values in turn")
	}
	var h Headers
	for i := 0; i < len(namesAndValues); i += 2 {
		h.Add(namesAndValues[i], namesAndValues[i+1])
	}
	return h
}

// All returns the lines in order. They may be edited in place; to add or remove
// lines use the other methods.
func (h *Headers) All() []Header {
	if !h.raw.IsNull() {
		s := newScratch()
		h.lines = loadHeaders(&h.raw, s)
		h.raw, h.err = state.Null(), s.err
		s.free()
	}
	return h.lines
}

// Len returns the number of lines.
func (h *Headers) Len() int { return len(h.All()) }

// Get returns the values of all headers with the name, joined by ", ", or "" if
// there is none. Cookies and Set-Cookie cannot be joined that way: use Values.
func (h *Headers) Get(name string) string {
	value, more := "", []string(nil)
	n := 0
	for v := range h.Values(name) {
		switch n++; n {
		case 1:
			value = v
		case 2:
			more = append(more, value, v)
		default:
			more = append(more, v)
		}
	}
	if n > 1 {
		return strings.Join(more, ", ")
	}
	return value
}

// Has tells whether there is a header with the name.
func (h *Headers) Has(name string) bool {
	for range h.Values(name) {
		return true
	}
	return false
}

// Values returns an iterator over the values of all headers with the name.
func (h *Headers) Values(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if !h.raw.IsNull() {
			// Usually there is one or none, so that it would not pay to decode
			// the others.
			var few [4]string
			found := few[:0]
			ok := h.raw.Pairs(func(n, v []byte) bool {
				if len(n) == len(name) && equalFold(n, name) {
					found = append(found, string(v))
				}
				return true
			})
			if ok {
				for _, v := range found {
					if !yield(v) {
						return
					}
				}
				return
			}
		}
		for _, e := range h.All() {
			if equalFold(e.Name, name) && !yield(e.Value) {
				return
			}
		}
	}
}

// Set gives the first header with the name the value and removes the others. If
// there is none, it is added at the end. A header that is there keeps the case
// of its name.
func (h *Headers) Set(name, value string) {
	named := func(e Header) bool { return equalFold(e.Name, name) }
	i := slices.IndexFunc(h.All(), named)
	if i < 0 {
		h.Add(name, value)
		return
	}
	h.lines[i].Value = value
	kept := slices.DeleteFunc(h.lines[i+1:], named)
	h.lines = h.lines[:i+1+len(kept)]
}

// Add adds a header at the end.
func (h *Headers) Add(name, value string) { h.lines = append(h.All(), Header{name, value}) }

// Del removes all headers with the name and tells whether there were any.
func (h *Headers) Del(name string) bool {
	n := h.Len()
	h.lines = slices.DeleteFunc(h.lines, func(e Header) bool { return equalFold(e.Name, name) })
	return len(h.lines) < n
}

// Clone returns an independent copy of h.
func (h *Headers) Clone() Headers { return Headers{slices.Clone(h.lines), h.raw, h.err} }

// equalFold compares header names; only ASCII letters have a case there.
func equalFold[T, U string | []byte](a T, b U) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if a[i] != b[i] && lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// String returns the header block as HTTP/1 has it, without the empty line.
func (h *Headers) String() string {
	var b strings.Builder
	for _, e := range h.All() {
		b.WriteString(e.Name + ": " + e.Value + "\r\n")
	}
	return b.String()
}

var headerFields = table[Header]{
	bytesField("", bytesRule, func(p *Header) *string { return &p.Name }),
	bytesField("", bytesRule, func(p *Header) *string { return &p.Value }),
}

var headersRule = listOf(tupleOf("list of name and value", 2, headerFields.rules()...))

func headersField[T any](name string, r rule, at func(*T) *Headers) field[T] {
	return field[T]{
		name: name, rule: r, kinds: listKinds,
		load: func(p *T, v *state.Value, s *scratch) {
			h := at(p)
			h.lines, h.raw, h.err = nil, state.Null(), nil
			if v.Kind() == state.KindList {
				h.raw = *v
			}
		},
		store: func(p *T, old state.Value, s *scratch) state.Value {
			if at(p).Len() == 0 && r.null {
				return state.Null()
			}
			return storeElems(at(p).Len(), old, func(i int, old state.Value) (state.Value, bool) {
				h := at(p).lines[i]
				mark := s.mark()
				defer s.release(mark)
				pair, ok := headerPair(&old, s)
				if ok && h.Name == string(raw(&pair[0])) && h.Value == string(raw(&pair[1])) {
					return old, true
				}
				return headerFields.storeTuple(&h, old, s), false
			})
		},
		same: func(p *T, v *state.Value, s *scratch) bool {
			h := at(p)
			if !h.raw.IsNull() {
				return state.Equal(h.raw, *v)
			}
			mark := s.mark()
			defer s.release(mark)
			lines, n := headerLines(v, s)
			if n != len(h.lines) {
				return false
			}
			for i := range h.lines {
				if h.lines[i].Name != string(raw(&lines[2*i])) || h.lines[i].Value != string(raw(&lines[2*i+1])) {
					return false
				}
			}
			return true
		},
	}
}

// loadHeaders decodes a list of headers. All names and values share one string.
// What is no pair is left out.
func loadHeaders(v *state.Value, s *scratch) []Header {
	s.begin()
	usual := v.Pairs(func(name, value []byte) bool {
		s.add(name)
		s.add(value)
		return true
	})
	if !usual {
		s.begin()
		mark := s.mark()
		defer s.release(mark)
		lines, n := headerLines(v, s)
		for i := range 2 * n {
			s.add(raw(&lines[i]))
		}
	}
	h, all := make([]Header, len(s.ends)/2), s.joined()
	for i := range h {
		h[i] = Header{all.next(), all.next()}
	}
	return h
}

// headerLines returns names and values in turn, and how many headers there are.
// What is no pair is left out. The result is valid until s is released.
func headerLines(v *state.Value, s *scratch) (lines []state.Value, n int) {
	if v.Kind() != state.KindList {
		return nil, 0
	}
	elems, _ := s.push(v)
	start := s.mark()
	for i := range elems {
		before := s.mark()
		if _, ok := headerPair(&elems[i], s); ok {
			n++
		} else {
			s.wrong(i, "pair of name and value", &elems[i])
			s.release(before)
		}
	}
	return s.buf[start : start+2*n], n
}

func headerPair(v *state.Value, s *scratch) ([]state.Value, bool) {
	if v.Kind() != state.KindList {
		return nil, false
	}
	pair, _ := s.push(v)
	return pair, len(pair) == 2 && stringKinds.has(pair[0].Kind()) && stringKinds.has(pair[1].Kind())
}
