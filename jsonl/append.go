package jsonl

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"unicode/utf8"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/internal/jsonstring"
	"github.com/flowtool/flowtool/state"
)

// Append appends the line of a state, with its line feed, to dst. If the state
// was read from a dump and not changed, [Decode] of the line gives the bytes
// it was read from; otherwise it gives those that mitmproxy would write.
//
// It fails where [tnetstring.Append] does and on malformed values, with a
// [state.PathError]; dst is then returned as it was.
func Append(dst []byte, m *state.Map) ([]byte, error) {
	v := m.Value()
	record, ok, err := v.Raw(tnetstring.Encoding)
	if err != nil {
		return dst, err
	}
	e := encoders.Get().(*encoder)
	defer e.release()
	if !ok {
		if e.record, err = tnetstring.Append(e.record[:0], v); err != nil {
			return dst, err
		}
		record = e.record
	}
	return e.line(dst, record, v)
}

// AppendRecord is [Append] for the bytes of a record, which need not be decoded.
// Offsets of errors count from the start of the record. There is no limit on the
// elements of a list or map, as there is when a line is read.
func AppendRecord(dst, record []byte) ([]byte, error) {
	e := encoders.Get().(*encoder)
	defer e.release()
	return e.line(dst, record, state.Null())
}

// An encoder turns the encoding of a flow in a dump into a line, without making
// values of it. It knows the usual encoding only, see encoder.odd.
type encoder struct {
	dst    []byte
	record []byte  // of what was changed, used again
	frames []frame // entries of the maps around the current value
	keys   [][]byte
	old    bool // the flow around has a format version before oldHost

	without Parts // what is null instead of what it is
	left    Parts // what of that was found

	repeats repeats // of what is kept for the next lines
}

// A frame is where the payloads of a key and its value are in that of a map.
// Behind each stands its tag.
type frame struct{ keyStart, keyEnd, start, end int }

var encoders = sync.Pool{New: func() any { return new(encoder) }}

// keepBuffer is the size up to which memory is kept for the next line.
const keepBuffer = 1 << 20

func (e *encoder) release() {
	clear(e.keys[:cap(e.keys)])
	*e = encoder{record: e.record[:0], frames: e.frames[:0], keys: e.keys[:0], repeats: e.repeats}
	if cap(e.record) > keepBuffer {
		e.record = nil
	}
	if cap(e.frames) > keepBuffer/32 {
		e.frames = nil
	}
	if cap(e.keys) > keepBuffer/32 {
		e.keys = nil
	}
	encoders.Put(e)
}

// line appends the line of a record. v is the same as a value, for errors; null
// if it has not been made.
func (e *encoder) line(dst, record []byte, v state.Value) ([]byte, error) {
	e.dst = slices.Grow(dst, min(len(record)+len(record)/8, early)+64)
	start, end := element(record, 0)
	if end >= 0 && end+1 == len(record) && record[end] == '}' && e.value('}', record[start:end], flowShape, 1) {
		return append(e.dst, '\n'), nil
	}
	return e.odd(dst, record, v)
}

// odd appends the line of a record that is not encoded as mitmproxy encodes it,
// or that is damaged. Nothing but a tool made for it writes such records.
func (e *encoder) odd(dst, record []byte, v state.Value) ([]byte, error) {
	if v.IsNull() {
		var err error
		if v, err = codec.OpenRecord(record); err != nil {
			return dst, err
		}
	}
	usual, err := tnetstring.Canonical(v)
	if err != nil {
		return dst, err
	}
	e.dst, e.frames, e.keys = dst, e.frames[:0], e.keys[:0]
	start, end := element(usual, 0)
	if end < 0 || !e.value('}', usual[start:end], flowShape, 1) {
		panic(fmt.Sprintf("jsonl: what tnetstring.Append wrote is not as expected: %.100q", usual))
	}
	// The object ends with }, which moves behind one more member.
	e.dst = e.dst[:len(e.dst)-1]
	if len(usual) > len("0:}") {
		e.dst = append(e.dst, ',')
	}
	e.dst = append(e.dst, `"`+tagRaw+`":"`...)
	return append(jsonstring.AppendBase64(e.dst, record), "\"}\n"...), nil
}

// element finds the payload of the element at p[pos]; its tag stands at p[end].
// end is negative if the element is not there or not encoded as usual.
func element(p []byte, pos int) (start, end int) {
	if len(p)-pos < 3 {
		return 0, -1
	}
	size, i := int64(p[pos]-'0'), pos+1
	if size > 9 {
		return 0, -1
	}
	if p[i] != ':' {
		if size == 0 {
			return 0, -1
		}
		for i < len(p) && i-pos < tnetstring.MaxPrefix && isDigit(p[i]) {
			size = size*10 + int64(p[i]-'0')
			i++
		}
		if i >= len(p) || p[i] != ':' {
			return 0, -1
		}
	}
	i++
	if size >= int64(len(p)-i) {
		return 0, -1
	}
	return i, i + int(size)
}

// value appends the value with a tag and payload, in depth containers if it is
// one itself. It returns false if there is something odd or damaged in it.
func (e *encoder) value(tag byte, p []byte, s *shape, depth int) bool {
	switch tag {
	case ',':
		if s.bytes || s.host && e.old {
			return e.text(p) || e.base64(p)
		}
		return e.tagged(tagBytes, p) || e.base64(p)
	case ';':
		if s.bytes || s.host && e.old {
			return e.tagged(tagText, p)
		}
		return e.text(p)
	case '~':
		e.dst = append(e.dst, "null"...)
		return len(p) == 0
	case '!':
		e.dst = append(e.dst, p...)
		return string(p) == "true" || string(p) == "false"
	case '#':
		if !s.float && safeInt(p) {
			e.dst = append(e.dst, p...)
			return true
		}
		_, err := codec.Scalar(state.KindInt, p)
		return err == nil && e.tagged(tagInt, p)
	case '^':
		bare := plainFloat(p)
		if !bare {
			var ok bool
			if bare, ok = canonicalFloat(p); !ok {
				return false
			}
		}
		if bare {
			e.dst = append(e.dst, p...)
			return true
		}
		return e.tagged(tagFloat, p)
	case ']':
		if depth > tnetstring.DefaultMaxDepth {
			return false
		}
		if s.repeats && len(p) >= minRepeat && len(p) <= maxRepeat {
			return e.repeated(p, s, depth)
		}
		return e.list(p, s, depth)
	case '}':
		return depth <= tnetstring.DefaultMaxDepth && e.mapping(p, s, depth)
	}
	return false
}

// text appends p as a string. If p is not UTF-8, it returns false and appends
// nothing.
func (e *encoder) text(p []byte) bool {
	mark := len(e.dst)
	dst, ok := jsonstring.Append(append(e.dst, '"'), p)
	if e.dst = append(dst, '"'); !ok {
		e.dst = dst[:mark]
	}
	return ok
}

// tagged is text for a string in an object that says what it stands for.
func (e *encoder) tagged(tag string, p []byte) bool {
	mark := len(e.dst)
	e.dst = append(append(append(e.dst, `{"`...), tag...), `":`...)
	if !e.text(p) {
		e.dst = e.dst[:mark]
		return false
	}
	e.dst = append(e.dst, '}')
	return true
}

func (e *encoder) base64(p []byte) bool {
	e.dst = append(e.dst, `{"`+tagBase64+`":"`...)
	e.dst = append(jsonstring.AppendBase64(e.dst, p), `"}`...)
	return true
}

func (e *encoder) list(p []byte, s *shape, depth int) bool {
	e.dst = append(e.dst, '[')
	for pos, i := 0, 0; pos < len(p); i++ {
		start, end := element(p, pos)
		if end < 0 {
			return false
		}
		if i > 0 {
			e.dst = append(e.dst, ',')
		}
		if !e.value(p[end], p[start:end], s.elem(i), depth+1) {
			return false
		}
		pos = end + 1
	}
	e.dst = append(e.dst, ']')
	return true
}

// mapping appends a map. Entries are stored back to front, so all of them are
// found before the first is written.
func (e *encoder) mapping(p []byte, s *shape, depth int) bool {
	base := len(e.frames)
	texts, bytes := 0, 0
	for pos := 0; pos < len(p); {
		var f frame
		if f.keyStart, f.keyEnd = element(p, pos); f.keyEnd < 0 {
			return false
		}
		if f.start, f.end = element(p, f.keyEnd+1); f.end < 0 {
			return false
		}
		pos = f.end + 1
		e.frames = append(e.frames, f)
		switch p[f.keyEnd] {
		case ';':
			texts++
		case ',':
			if utf8.Valid(p[f.keyStart:f.keyEnd]) {
				bytes++
			}
		}
	}
	n := len(e.frames) - base
	ok := false
	switch {
	case n == 0:
		e.dst = append(e.dst, "{}"...)
		return true
	case texts == n && !s.keys:
		ok = e.object(p, base, s, depth)
	case bytes == n:
		if !s.keys {
			e.dst = append(e.dst, `{"`+tagKeys+`":"bytes",`...)
			ok = e.members(p, base, allBytes, depth)
		} else {
			ok = e.object(p, base, s, depth)
		}
	default:
		ok = e.pairs(p, base, depth)
	}
	e.frames = e.frames[:base]
	return ok
}

func (e *encoder) object(p []byte, base int, s *shape, depth int) bool {
	e.dst = append(e.dst, '{')
	if !s.flow {
		return e.members(p, base, s, depth)
	}
	outer := e.old
	e.old = false
	for _, f := range e.frames[base:] {
		if string(p[f.keyStart:f.keyEnd]) == "version" {
			e.old = oldVersion(p[f.end], p[f.start:f.end])
			break
		}
	}
	ok := e.members(p, base, s, depth)
	e.old = outer
	return ok
}

// oldVersion tells whether the value is a format version before oldHost.
func oldVersion(tag byte, payload []byte) bool {
	if tag == '#' {
		n, err := strconv.Atoi(string(payload))
		return err == nil && n < oldHost
	}
	return tag == ']' // those of releases before 3.0
}

// members appends the entries found from frame base on, and a closing brace.
func (e *encoder) members(p []byte, base int, s *shape, depth int) bool {
	set := keySet{start: len(e.keys)}
	hint := 0
	for i := len(e.frames) - 1; i >= base; i-- {
		f := e.frames[i]
		key, elem, part := p[f.keyStart:f.keyEnd], free, Parts(0)
		if s.keys {
			elem = s
		}
		if at := s.field(key, hint); at >= 0 {
			if !set.addField(at) {
				return false
			}
			e.dst = append(e.dst, s.fields[at].json...)
			elem, part, hint = s.fields[at].shape, s.fields[at].part, at+1
		} else {
			if !set.add(&e.keys, key) || !e.key(key) {
				return false
			}
		}
		if part&e.without != 0 && depth == partDepth {
			if !e.absent(p[f.end], p[f.start:f.end], part) {
				return false
			}
		} else if !e.value(p[f.end], p[f.start:f.end], elem, depth+1) {
			return false
		}
		if i > base {
			e.dst = append(e.dst, ',')
		}
	}
	e.keys = e.keys[:set.start]
	e.dst = append(e.dst, '}')
	return true
}

// key appends a key and a colon. One that begins with a dollar sign gets
// another, because all others mean something.
func (e *encoder) key(key []byte) bool {
	e.dst = append(e.dst, '"')
	if len(key) > 0 && key[0] == '$' {
		e.dst = append(e.dst, '$')
	}
	var ok bool
	e.dst, ok = jsonstring.Append(e.dst, key)
	e.dst = append(e.dst, `":`...)
	return ok
}

// pairs appends a map with keys that an object cannot have.
func (e *encoder) pairs(p []byte, base int, depth int) bool {
	var set keySet
	e.dst = append(e.dst, `{"`+tagMap+`":[`...)
	for i := len(e.frames) - 1; i >= base; i-- {
		f := e.frames[i]
		tag, key := p[f.keyEnd], p[f.keyStart:f.keyEnd]
		if id, ok := tnetstring.KeyID(tag, key); ok && !set.addID(id) || tag == ']' || tag == '}' {
			return false
		}
		e.dst = append(e.dst, '[')
		if !e.value(tag, key, free, depth+1) {
			return false
		}
		e.dst = append(e.dst, ',')
		if !e.value(p[f.end], p[f.start:f.end], free, depth+1) {
			return false
		}
		e.dst = append(e.dst, ']')
		if i > base {
			e.dst = append(e.dst, ',')
		}
	}
	e.dst = append(e.dst, "]}"...)
	return true
}
