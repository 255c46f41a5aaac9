package filter

import (
	"errors"
	"io"
	"math"
	"math/big"

	"github.com/flowtool/flowtool/internal/searchtext"
	"github.com/flowtool/flowtool/state"
)

// A flowType is the type of a flow.
type flowType uint8

const (
	typeUnknown flowType = iota // until somebody asks
	typeHTTP
	typeTCP
	typeUDP
	typeDNS
)

// typeOf returns the type with a name, typeUnknown if there is none.
func typeOf(name string) flowType {
	switch name {
	case "http":
		return typeHTTP
	case "tcp":
		return typeTCP
	case "udp":
		return typeUDP
	case "dns":
		return typeDNS
	}
	return typeUnknown
}

// subject is the flow that is being looked at, decoded as far as the filter
// asked. It is used again for one flow after the other, so that looking at a
// flow allocates next to nothing.
type subject struct {
	filter *Filter
	facts  Facts
	flow   state.Value
	err    error

	parts   [parts]subjectPart
	typ     flowType
	url     []byte // of the request, if haveURL
	haveURL bool
	joined  searchtext.Joined
	dns     searchtext.DNSText

	buf     []byte // for short texts
	raw     []byte // for bodies that are not in memory
	decoder searchtext.BodyDecoder
	list    []state.Value
	tuple   []state.Value
	entries [2]state.Value // of a DNS question or record

	// Headers that are being collected, and the function that does it.
	collected []header
	collect   func(name, value []byte) bool
}

// subjectPart is a part of the flow.
type subjectPart struct {
	vals    []state.Value // of the keys in the plan
	loaded  bool
	present bool
	// The headers of a message, once they were asked for.
	headers       []header
	headersLoaded bool
}

// set makes p a part that is there, with its values.
func (p *subjectPart) set(vals []state.Value) {
	p.loaded, p.present = true, true
	copy(p.vals, vals)
}

// What is kept for the next flow at most.
const (
	keepBytes    = 1 << 20
	keepElements = 512
)

func newSubject(f *Filter) *subject {
	s := &subject{filter: f}
	for p := range s.parts {
		s.parts[p].vals = make([]state.Value, len(f.plan[p]))
	}
	s.collect = func(name, value []byte) bool {
		s.collected = append(s.collected, header{name, value})
		return true
	}
	return s
}

// begin turns to another flow.
func (s *subject) begin(v *state.Value, facts *Facts) {
	s.flow, s.err = *v, nil
	if facts != nil {
		s.facts = *facts
	} else {
		s.facts = Facts{}
	}
	for p := range s.parts {
		s.parts[p].loaded, s.parts[p].headersLoaded = false, false
	}
	s.typ, s.haveURL = typeUnknown, false
}

// beginPicked is begin for a flow of which what [Filter.Keys] asks for is at hand.
func (s *subject) beginPicked(p *state.Picked, facts *Facts) {
	s.begin(&null, facts)
	s.parts[partFlow].set(p.Values)
	if p.Inner != nil {
		s.parts[s.filter.first].set(p.Inner)
	}
}

// end lets go of the flow, which the pool must not keep alive, and of memory
// that only an unusual flow needs.
func (s *subject) end() {
	s.flow, s.collected = state.Value{}, nil
	s.joined.Reset()
	clear(s.entries[:])
	s.list, s.tuple = emptied(s.list), emptied(s.tuple)
	for i := range s.parts {
		if p := &s.parts[i]; p.loaded {
			clear(p.vals)
			if p.headersLoaded {
				p.headers = emptied(p.headers)
			}
		}
	}
	for _, b := range [...]*[]byte{&s.buf, &s.url, &s.raw} {
		if cap(*b) > keepBytes {
			*b = nil
		}
	}
}

// emptied returns l without elements, or nil if it is too large to be kept.
func emptied[T any](l []T) []T {
	if cap(l) > keepElements {
		return nil
	}
	clear(l[:cap(l)])
	return l[:0]
}

// fail notes that the flow cannot be judged, and returns false.
func (s *subject) fail(err error) bool {
	if s.err == nil {
		s.err = err
	}
	return false
}

// failAt notes an error about a field.
func (s *subject) failAt(f field, err error) bool {
	err = state.At(err, s.filter.plan[f.part][f.slot])
	if f.part != partFlow {
		err = state.At(err, partKeys[f.part])
	}
	return s.fail(err)
}

// required are the parts that every flow has that can have them.
var required = [parts]bool{partRequest: true, partClient: true, partServer: true}

// has tells whether a part is there. Null is not, nor what Python takes for
// false, which is how mitmproxy reads it. Anything else has to be a map.
func (s *subject) has(p part) bool {
	f := field{part: partFlow, slot: s.filter.slots[p]}
	v := s.value(f)
	switch {
	case v.IsNull() || v.IsEmpty() || v.Kind() < state.KindBytes && !v.Truthy():
		if required[p] {
			s.failAt(f, state.ErrMissing)
		}
		return false
	case v.Kind() != state.KindMap:
		return s.failAt(f, &state.TypeError{Want: state.KindMap.String(), Got: v.Kind().String()})
	}
	return true
}

// open decodes a part and tells whether it is there.
func (s *subject) open(p part) bool {
	at := &s.parts[p]
	if at.loaded {
		return at.present
	}
	at.loaded = true
	if p == partFlow {
		at.present = true
		if err := s.flow.Pick(s.filter.plan[p], at.vals); err != nil {
			s.fail(err)
		}
		return true
	}
	if at.present = s.has(p); at.present {
		v := s.value(field{part: partFlow, slot: s.filter.slots[p]})
		if err := v.Pick(s.filter.plan[p], at.vals); err != nil {
			s.fail(state.At(err, partKeys[p]))
		}
	}
	return at.present
}

// value returns the value of a field, null if it or its part is not there.
func (s *subject) value(f field) *state.Value {
	if !s.open(f.part) {
		return &null
	}
	return &s.parts[f.part].vals[f.slot]
}

// null stands for what is not there.
var null state.Value

// text returns a byte string or text, nil if it is null.
func (s *subject) text(f field) []byte {
	v := s.value(f)
	if v.IsNull() {
		s.absent(f)
		return nil
	}
	b, err := v.StringBytes()
	if err != nil {
		s.failAt(f, err)
	}
	return b
}

// absent returns false, and fails if the field must be there.
func (s *subject) absent(f field) bool {
	if f.must {
		return s.failAt(f, state.ErrMissing)
	}
	return false
}

// Values of a type that is not quite that of the format are taken for what
// package flow, which does as mitmproxy or repairs them, makes of them.

// stringOf returns the content of a byte string or text.
func stringOf(v *state.Value) ([]byte, error) {
	if v.IsNull() {
		return nil, nil
	}
	return v.StringBytes()
}

// integerOf returns an integer, which may be of any size.
func integerOf(v *state.Value) (n int64, large *big.Int, err error) {
	switch v.Kind() {
	case state.KindBool:
		b, err := v.Bool()
		if b {
			n = 1
		}
		return n, nil, err
	case state.KindFloat:
		f, err := v.Float64()
		switch {
		case err != nil:
			return 0, nil, err
		case math.IsNaN(f) || math.IsInf(f, 0):
			return 0, nil, &state.TypeError{Want: "int", Got: "float " + state.FormatFloat(f)}
		}
		if large, _ = big.NewFloat(f).Int(nil); large.IsInt64() {
			return large.Int64(), nil, nil
		}
		return 0, large, nil
	}
	n, err = v.Int64()
	if _, ok := err.(*state.RangeError); ok {
		large, err = v.BigInt()
	}
	return n, large, err
}

// boolOf returns a boolean.
func boolOf(v *state.Value) (bool, error) {
	if v.Kind() == state.KindInt {
		if n, err := v.Int64(); err == nil && n&^1 == 0 {
			return n == 1, nil
		}
	}
	return v.Bool()
}

// integer returns an integer; null is not ok. What does not fit is as large as
// possible, which is more than a list of numbers can name.
func (s *subject) integer(f field) (n int64, ok bool) {
	v := s.value(f)
	if v.IsNull() {
		return 0, s.absent(f)
	}
	n, large, err := integerOf(v)
	switch {
	case err != nil:
		return 0, s.failAt(f, err)
	case large != nil && large.Sign() < 0:
		n = math.MinInt64
	case large != nil:
		n = math.MaxInt64
	}
	return n, true
}

// moment returns a time; null is not ok, nor is 0, which migrations write and
// mitmproxy reads as now, so that it stands for a time that is not known.
func (s *subject) moment(f field) (t float64, ok bool) {
	v := s.value(f)
	if v.IsNull() {
		return 0, false
	}
	t, err := momentOf(v)
	if err != nil {
		return 0, s.failAt(f, err)
	}
	return t, t != 0
}

func momentOf(v *state.Value) (float64, error) {
	if v.Kind() == state.KindBool {
		n, _, err := integerOf(v)
		return float64(n), err
	}
	return v.Number()
}

// elements returns the elements of a list in one of the buffers of s.
func (s *subject) elements(v *state.Value, buf *[]state.Value) ([]state.Value, error) {
	if v.IsNull() {
		return nil, nil
	}
	if v.Kind() != state.KindList {
		return nil, &state.TypeError{Want: state.KindList.String(), Got: v.Kind().String()}
	}
	elems, err := v.Elements((*buf)[:0])
	*buf = elems[:0]
	return elems, err
}

// headers returns the fields of a list of headers.
func (s *subject) headers(f field) []header {
	p := &s.parts[f.part]
	if p.headersLoaded {
		return p.headers
	}
	p.headersLoaded, p.headers = true, p.headers[:0]
	v := s.value(f)
	if v.IsNull() {
		return nil
	}
	s.collected = p.headers
	if v.Pairs(s.collect) {
		p.headers = s.collected
		return p.headers
	}
	lines, err := s.elements(v, &s.list)
	if err != nil {
		s.failAt(f, err)
		return nil
	}
	for i := range lines {
		h, err := s.header(&lines[i])
		if err != nil {
			s.failAt(f, state.At(err, i))
			return nil
		}
		p.headers = append(p.headers, h)
	}
	return p.headers
}

// header decodes a pair of name and value.
func (s *subject) header(v *state.Value) (h header, err error) {
	pair, err := s.elements(v, &s.tuple)
	if err == nil && len(pair) != 2 {
		err = errors.New("not a pair of name and value")
	}
	if err != nil {
		return h, err
	}
	if h.name, err = pair[0].StringBytes(); err != nil {
		return h, state.At(err, 0)
	}
	if h.value, err = pair[1].StringBytes(); err != nil {
		return h, state.At(err, 1)
	}
	return h, nil
}

// joinedHeader returns the values of all headers with a name, which is in lower
// case, joined as mitmproxy does; nil if there is none.
func (s *subject) joinedHeader(f field, name string) []byte {
	s.joined.Reset()
	for _, h := range s.headers(f) {
		if h.is(name) {
			s.joined.Add(h.value)
		}
	}
	return s.joined.Value()
}

// header is a field of a header block.
type header struct{ name, value []byte }

// is compares the name of h with one in lower case.
func (h *header) is(name string) bool {
	if len(h.name) != len(name) {
		return false
	}
	for i := range name {
		c := h.name[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != name[i] {
			return false
		}
	}
	return true
}

// fetch returns a byte string, in memory that is valid until the next call if it
// has to be read from the input.
func (s *subject) fetch(v *state.Value) ([]byte, error) {
	if v.InMemory() {
		return stringOf(v)
	}
	r, err := v.Reader()
	if err != nil {
		return nil, err
	}
	n := int(v.Len())
	if cap(s.raw) < n {
		s.raw = make([]byte, n)
	}
	s.raw = s.raw[:n]
	if _, err := io.ReadFull(r, s.raw); err != nil {
		return nil, noEOF(err)
	}
	return s.raw, nil
}
