package flowpack

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"unicode/utf8"
	"unsafe"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/state"
)

// Extension types of MessagePack in a flow.
const (
	extInt    = 1 // an integer as its text in the dump
	extFloat  = 2 // a float as its text in the dump
	extRecord = 3 // empty; as the first key of a flow: its value is the record
)

// headerKey is the first key of a header, which that of no flow is.
const headerKey = "flowpack"

// Append appends a state in MessagePack to dst. If the state was read from a
// dump and not changed, [Decode] gives the bytes it was read from; otherwise
// those that mitmproxy would write.
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
	return e.flow(dst, record, v)
}

// AppendRecord is [Append] for the bytes of a record, which need not be
// decoded. Offsets of errors count from the start of the record. There is no
// limit on the elements of a list or map, as there is when a flow is read.
func AppendRecord(dst, record []byte) ([]byte, error) {
	e := encoders.Get().(*encoder)
	defer e.release()
	return e.flow(dst, record, state.Null())
}

// An encoder turns the encoding of a flow in a dump into MessagePack, without
// making values of it. It knows the usual encoding only, see encoder.odd.
type encoder struct {
	dst    []byte
	pack   *msgpack.Encoder // writes to dst
	record []byte           // of what was changed, used again
	whole  []byte           // the record to attach, if any
	frames []frame          // entries of the maps around the current value
}

// A frame is where the payloads of a key and its value are in that of a map.
// Behind each stands its tag.
type frame struct{ keyStart, keyEnd, start, end int }

var encoders = sync.Pool{New: func() any {
	e := new(encoder)
	e.pack = msgpack.NewEncoder(e)
	return e
}}

// keepBuffer is the size up to which memory is kept for the next flow.
const keepBuffer = 1 << 20

func (e *encoder) release() {
	e.dst, e.whole = nil, nil
	e.record, e.frames = e.record[:0], e.frames[:0]
	if cap(e.record) > keepBuffer {
		e.record = nil
	}
	if cap(e.frames) > keepBuffer/32 {
		e.frames = nil
	}
	encoders.Put(e)
}

// Write implements io.Writer for the MessagePack encoder.
func (e *encoder) Write(p []byte) (int, error) {
	e.dst = append(e.dst, p...)
	return len(p), nil
}

// WriteByte implements io.ByteWriter.
func (e *encoder) WriteByte(c byte) error {
	e.dst = append(e.dst, c)
	return nil
}

// flow appends the flow of a record. v is the same as a value, for errors; null
// if it has not been made.
func (e *encoder) flow(dst, record []byte, v state.Value) ([]byte, error) {
	e.dst = slices.Grow(dst, len(record))
	if head, end := tnetstring.Frame(record); end > 0 && end == len(record) && e.top(record[head:end]) {
		return e.dst, nil
	}
	return e.odd(dst, record, v)
}

// top appends a flow, given as payload and tag.
func (e *encoder) top(p []byte) bool {
	tag := p[len(p)-1]
	return tag == '}' && e.mapping(p[:len(p)-1], 1)
}

// odd appends the flow of a record that is not encoded as mitmproxy encodes it,
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
	e.dst, e.frames, e.whole = dst, e.frames[:0], record
	head, end := tnetstring.Frame(usual)
	if end == 0 || !e.top(usual[head:end]) {
		return dst, fmt.Errorf("a record of %d bytes is too large for MessagePack", len(record))
	}
	return e.dst, nil
}

// value appends the value with a tag and payload, in depth containers if it is
// one itself. It returns false if there is something odd or damaged in it.
// Errors of the MessagePack encoder are those of Write, which has none.
func (e *encoder) value(tag byte, p []byte, depth int) bool {
	switch tag {
	case ',':
		if uint64(len(p)) > math.MaxUint32 {
			return false
		}
		_ = e.pack.EncodeBytes(p)
		return true
	case ';':
		return e.text(p)
	case '~':
		_ = e.pack.EncodeNil()
		return len(p) == 0
	case '!':
		_ = e.pack.EncodeBool(len(p) == 4)
		return string(p) == "true" || string(p) == "false"
	case '#':
		if i, ok := codec.Int(p); ok {
			_ = e.pack.EncodeInt(i)
		} else if i, u, ok := wideInt(p); !ok {
			return isNumber(state.KindInt, p) && e.extension(extInt, p)
		} else if u > 0 {
			_ = e.pack.EncodeUint(u)
		} else {
			_ = e.pack.EncodeInt(i)
		}
		return true
	case '^':
		if f, ok := usualFloat(p); ok {
			_ = e.pack.EncodeFloat64(f)
			return true
		}
		return isNumber(state.KindFloat, p) && e.extension(extFloat, p)
	case ']':
		return depth <= tnetstring.DefaultMaxDepth && e.list(p, depth)
	case '}':
		return depth <= tnetstring.DefaultMaxDepth && e.mapping(p, depth)
	}
	return false
}

// text appends p, unless it is not UTF-8.
func (e *encoder) text(p []byte) bool {
	if !utf8.Valid(p) || uint64(len(p)) > math.MaxUint32 {
		return false
	}
	// The encoder copies the string before anybody can change p.
	_ = e.pack.EncodeString(unsafe.String(unsafe.SliceData(p), len(p)))
	return true
}

func (e *encoder) extension(id int8, p []byte) bool {
	_ = e.pack.EncodeExtHeader(id, len(p))
	e.dst = append(e.dst, p...)
	return true
}

// list appends a list. All elements are found before the first is written.
func (e *encoder) list(p []byte, depth int) bool {
	base := len(e.frames)
	for pos := 0; pos < len(p); {
		head, end := tnetstring.Frame(p[pos:])
		if end == 0 {
			return false
		}
		e.frames = append(e.frames, frame{start: pos + head, end: pos + end - 1})
		pos += end
	}
	_ = e.pack.EncodeArrayLen(len(e.frames) - base)
	for i := base; i < len(e.frames); i++ {
		f := e.frames[i]
		if !e.value(p[f.end], p[f.start:f.end], depth+1) {
			return false
		}
	}
	e.frames = e.frames[:base]
	return true
}

// mapping appends a map. Entries are stored back to front, so all of them are
// found before the first is written.
func (e *encoder) mapping(p []byte, depth int) bool {
	base := len(e.frames)
	for pos := 0; pos < len(p); {
		head, end := tnetstring.Frame(p[pos:])
		if end == 0 {
			return false
		}
		f := frame{keyStart: pos + head, keyEnd: pos + end - 1}
		pos += end
		if head, end = tnetstring.Frame(p[pos:]); end == 0 {
			return false
		}
		f.start, f.end = pos+head, pos+end-1
		pos += end
		e.frames = append(e.frames, f)
	}
	if !e.open(p, len(e.frames)-base, depth) {
		return false
	}
	if !e.unique(p, base) {
		return false
	}
	for i := len(e.frames) - 1; i >= base; i-- {
		f := e.frames[i]
		tag := p[f.keyEnd]
		if tag == ']' || tag == '}' || !e.value(tag, p[f.keyStart:f.keyEnd], depth) ||
			!e.value(p[f.end], p[f.start:f.end], depth+1) {
			return false
		}
	}
	e.frames = e.frames[:base]
	return true
}

// open appends the beginning of a map of n entries, the first of which is the
// last frame. That of a flow says if its record is attached, which it must be if
// the flow would be taken for a header.
func (e *encoder) open(p []byte, n, depth int) bool {
	if depth > 1 || e.whole == nil {
		if depth == 1 && n > 0 {
			if f := e.frames[len(e.frames)-1]; string(p[f.keyStart:f.keyEnd]) == headerKey {
				return false
			}
		}
		_ = e.pack.EncodeMapLen(n)
		return true
	}
	if uint64(len(e.whole)) > math.MaxUint32 {
		return false
	}
	_ = e.pack.EncodeMapLen(n + 1)
	_ = e.pack.EncodeExtHeader(extRecord, 0)
	_ = e.pack.EncodeBytes(e.whole)
	return true
}

// unique tells whether no key occurs twice among the frames from base on.
// Malformed keys are like no other.
func (e *encoder) unique(p []byte, base int) bool {
	var set keySet
	frames := e.frames[base:]
	for i, f := range frames {
		tag, key := p[f.keyEnd], p[f.keyStart:f.keyEnd]
		if set.seen == nil && tag == ';' {
			bit := keyBit(key)
			if set.maybe&bit == 0 {
				set.maybe |= bit
				continue
			}
			if i < fewKeys {
				for _, g := range frames[:i] {
					if p[g.keyEnd] == ';' && string(p[g.keyStart:g.keyEnd]) == string(key) {
						return false
					}
				}
				continue
			}
		}
		if set.seen == nil {
			set.seen = make(map[string]bool, len(frames))
			for _, g := range frames[:i] {
				if id, ok := tnetstring.KeyID(p[g.keyEnd], p[g.keyStart:g.keyEnd]); ok {
					set.seen[id] = true
				}
			}
		}
		if id, ok := tnetstring.KeyID(tag, key); ok {
			if set.seen[id] {
				return false
			}
			set.seen[id] = true
		}
	}
	return true
}

// fewKeys is the number of keys up to which comparing is quicker than hashing.
const fewKeys = 32
