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
// repetitions they had. Names are compared without regard to case.
type Headers []Header

// Get returns the values of all headers with the name, joined by ", ", or "" if
// there is none. Cookies and Set-Cookie cannot be joined that way: use Values.
func (h Headers) Get(name string) string {
	first := h.index(name)
	if first < 0 {
		return ""
	}
	value := h[first].Value
	for _, e := range h[first+1:] {
		if equalFold(e.Name, name) {
			value += ", " + e.Value
		}
	}
	return value
}

// Has tells whether there is a header with the name.
func (h Headers) Has(name string) bool { return h.index(name) >= 0 }

// Values returns an iterator over the values of all headers with the name.
func (h Headers) Values(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, e := range h {
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
	i := h.index(name)
	if i < 0 {
		h.Add(name, value)
		return
	}
	(*h)[i].Value = value
	tail := (*h)[i+1:]
	kept := slices.DeleteFunc(tail, func(e Header) bool { return equalFold(e.Name, name) })
	*h = (*h)[:i+1+len(kept)]
}

// Add adds a header at the end.
func (h *Headers) Add(name, value string) { *h = append(*h, Header{name, value}) }

// Del removes all headers with the name and tells whether there were any.
func (h *Headers) Del(name string) bool {
	n := len(*h)
	*h = slices.DeleteFunc(*h, func(e Header) bool { return equalFold(e.Name, name) })
	return len(*h) < n
}

// Clone returns a copy of h; nil stays nil.
func (h Headers) Clone() Headers { return slices.Clone(h) }

func (h Headers) index(name string) int {
	return slices.IndexFunc(h, func(e Header) bool { return equalFold(e.Name, name) })
}

// equalFold compares header names; only ASCII letters have a case there.
func equalFold(a, b string) bool {
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
func (h Headers) String() string {
	var b strings.Builder
	for _, e := range h {
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
		name: name, rule: r,
		load: func(p *T, v *state.Value, s *scratch) { *at(p) = loadHeaders(v, s) },
		store: func(p *T, old state.Value, s *scratch) state.Value {
			if *at(p) == nil && r.null {
				return state.Null()
			}
			return storeElems(len(*at(p)), old, func(i int, old state.Value) (state.Value, bool) {
				h := (*at(p))[i]
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
			h := *at(p)
			if r.null && (h == nil) != (v.Kind() != state.KindList) {
				return false
			}
			mark := s.mark()
			defer s.release(mark)
			lines, n := headerLines(v, s)
			if n != len(h) {
				return false
			}
			for i := range h {
				if h[i].Name != string(raw(&lines[2*i])) || h[i].Value != string(raw(&lines[2*i+1])) {
					return false
				}
			}
			return true
		},
	}
}

// loadHeaders decodes a list of headers. All names and values share one string.
// What is no pair is left out.
func loadHeaders(v *state.Value, s *scratch) Headers {
	if v.Kind() != state.KindList {
		return nil
	}
	mark := s.mark()
	defer s.release(mark)
	lines, _ := s.push(v)
	s.begin()
	for i := range lines {
		before := s.mark()
		if pair, ok := headerPair(&lines[i], s); ok {
			s.add(raw(&pair[0]))
			s.add(raw(&pair[1]))
		}
		s.release(before)
	}
	h, all := make(Headers, len(s.ends)/2), s.joined()
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
	return pair, len(pair) == 2
}
