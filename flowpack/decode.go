package flowpack

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"sync"
	"unicode/utf8"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/state"
)

// Decode returns the state of a flow in MessagePack. The state does not refer
// to packed. It is decoded from the record that [DecodeRecord] returns, as far
// as somebody looks, so that writing it to a dump is a copy. An error is a
// [*SyntaxError].
func Decode(packed []byte) (*state.Map, error) {
	record, err := DecodeRecord(nil, packed)
	if err != nil {
		return nil, err
	}
	return stateOf(record, codec)
}

// stateOf returns the state of a record.
func stateOf(record []byte, c tnetstring.Codec) (*state.Map, error) {
	v, err := c.OpenRecord(record)
	if err != nil {
		return nil, err
	}
	return v.Map()
}

// DecodeRecord appends to dst the record of a dump that a flow in MessagePack
// stands for, without making a state of it. An error is a [*SyntaxError]; dst is
// then returned as it was.
func DecodeRecord(dst, packed []byte) ([]byte, error) {
	d := newDecoder(packed, codec)
	defer d.release()
	out, err := d.flow(dst)
	if err == nil && d.src.pos < len(packed) {
		err = d.fail(errors.New("more than one flow"))
	}
	if err != nil {
		return dst, err
	}
	return out, nil
}

// A decoder turns flows in MessagePack into the encoding of dumps. It first
// notes every value with its size, then writes each to where it belongs.
type decoder struct {
	codec  tnetstring.Codec // for its limits
	src    source
	pack   *msgpack.Decoder // reads src
	nodes  []node           // of the current flow, containers before what is in them
	extra  []byte           // texts of numbers
	record []byte           // attached to the current flow, nil if there is none
}

var decoders = sync.Pool{New: func() any {
	d := new(decoder)
	d.pack = msgpack.NewDecoder(&d.src)
	return d
}}

// newDecoder returns a decoder of the flows in data.
func newDecoder(data []byte, c tnetstring.Codec) *decoder {
	d := decoders.Get().(*decoder)
	d.src, d.codec = source{data: data}, c
	return d
}

func (d *decoder) release() {
	d.src, d.record = source{}, nil
	if cap(d.nodes) > keepBuffer/32 {
		d.nodes = nil
	}
	if cap(d.extra) > keepBuffer {
		d.extra = nil
	}
	decoders.Put(d)
}

// fail returns an error about what stands at the current position.
func (d *decoder) fail(err error) *SyntaxError { return failAt(d.src.pos, err) }

func failAt(pos int, err error) *SyntaxError {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = errEnd
	}
	return &SyntaxError{Offset: int64(pos), Err: err}
}

// flow appends the record of the flow that comes next.
func (d *decoder) flow(dst []byte) ([]byte, error) {
	d.nodes, d.extra, d.record = d.nodes[:0], d.extra[:0], nil
	start := d.src.pos
	code, ok := d.code()
	if !ok {
		return dst, d.fail(errEnd)
	}
	if !isMap(code) {
		return dst, d.fail(&state.TypeError{Want: "map", Got: kindOf(code)})
	}
	if err := d.value(1); err != nil {
		return dst, err
	}
	if d.record != nil {
		v, err := d.codec.OpenRecord(d.record)
		if err == nil {
			err = state.Validate(v)
		}
		if err != nil {
			return dst, failAt(start, fmt.Errorf("the attached record is none: %w", err))
		}
		return append(dst, d.record...), nil
	}
	n := len(dst)
	out := slices.Grow(dst, d.nodes[0].whole())
	out = out[:n+d.nodes[0].whole()]
	d.write(out[n:], 0)
	return out, nil
}

// code returns the first byte of the value that comes next; ok is false at the
// end.
func (d *decoder) code() (code byte, ok bool) {
	if d.src.left() == 0 {
		return 0, false
	}
	return d.src.data[d.src.pos], true
}

func isMap(code byte) bool {
	return msgpcode.IsFixedMap(code) || code == msgpcode.Map16 || code == msgpcode.Map32
}

func kindOf(code byte) string {
	switch {
	case isMap(code):
		return "map"
	case isArray(code):
		return "list"
	case msgpcode.IsString(code):
		return "text"
	case msgpcode.IsBin(code):
		return "bytes"
	case msgpcode.IsExt(code):
		return "extension"
	case code == msgpcode.Nil:
		return "null"
	case code == msgpcode.True || code == msgpcode.False:
		return "bool"
	case code == msgpcode.Float || code == msgpcode.Double:
		return "float"
	}
	return "int"
}

func isArray(code byte) bool {
	return msgpcode.IsFixedArray(code) || code == msgpcode.Array16 || code == msgpcode.Array32
}

// value notes the next value, which is in depth containers if it is one itself.
func (d *decoder) value(depth int) *SyntaxError {
	start := d.src.pos
	code, ok := d.code()
	if !ok {
		return failAt(start, errEnd)
	}
	switch {
	case msgpcode.IsString(code):
		return d.text()
	case msgpcode.IsBin(code):
		return d.run(',')
	case isMap(code):
		return d.mapping(depth)
	case isArray(code):
		return d.list(depth)
	case code == msgpcode.Nil:
		d.leaf('~', 0, 0, false)
		return d.scalar(d.pack.DecodeNil())
	case code == msgpcode.True || code == msgpcode.False:
		b, err := d.pack.DecodeBool()
		return d.number('!', strconv.AppendBool(d.extra, b), err)
	case code == msgpcode.Float || code == msgpcode.Double:
		f, err := d.pack.DecodeFloat64()
		return d.number('^', state.AppendFloat(d.extra, f), err)
	case code == msgpcode.Uint64:
		u, err := d.pack.DecodeUint64()
		return d.number('#', strconv.AppendUint(d.extra, u, 10), err)
	case msgpcode.IsFixedNum(code) || code >= msgpcode.Uint8 && code <= msgpcode.Int64:
		i, err := d.pack.DecodeInt64()
		return d.number('#', strconv.AppendInt(d.extra, i, 10), err)
	case msgpcode.IsExt(code):
		return d.extension()
	}
	return failAt(start, fmt.Errorf("0x%02x is no value that MessagePack has", code))
}

// leaf notes a value that is no container.
func (d *decoder) leaf(tag byte, start, size int, extra bool) {
	d.nodes = append(d.nodes, node{start: start, size: size, next: int32(len(d.nodes) + 1), head: headSize(size), tag: tag, extra: extra})
}

// scalar returns the error of a value that was decoded.
func (d *decoder) scalar(err error) *SyntaxError {
	if err != nil {
		return d.fail(err)
	}
	return nil
}

// number notes a value with the text that was appended to d.extra.
func (d *decoder) number(tag byte, extra []byte, err error) *SyntaxError {
	start := len(d.extra)
	d.extra = extra
	d.leaf(tag, start, len(extra)-start, true)
	return d.scalar(err)
}

// run notes a byte string or text and skips it.
func (d *decoder) run(tag byte) *SyntaxError {
	n, err := d.pack.DecodeBytesLen()
	if err != nil {
		return d.fail(err)
	}
	return d.payload(tag, n)
}

func (d *decoder) payload(tag byte, n int) *SyntaxError {
	if n < 0 || n > d.src.left() {
		return failAt(len(d.src.data), errEnd)
	}
	start := d.src.pos
	d.leaf(tag, start, n, false)
	d.src.pos += n
	return nil
}

func (d *decoder) text() *SyntaxError {
	if err := d.run(';'); err != nil {
		return err
	}
	n := &d.nodes[len(d.nodes)-1]
	if !utf8.Valid(d.src.data[n.start : n.start+n.size]) {
		return failAt(n.start, tnetstring.ErrUTF8)
	}
	return nil
}

// extension notes a number with a text of its own.
func (d *decoder) extension() *SyntaxError {
	start := d.src.pos
	id, n, err := d.pack.DecodeExtHeader()
	if err != nil {
		return d.fail(err)
	}
	var tag byte
	var kind state.Kind
	switch id {
	case extInt:
		tag, kind = '#', state.KindInt
	case extFloat:
		tag, kind = '^', state.KindFloat
	case extRecord:
		return failAt(start, errors.New("a record is attached here, which it can be at the start of a flow only"))
	default:
		return failAt(start, fmt.Errorf("unknown extension type %d", id))
	}
	if err := d.payload(tag, n); err != nil {
		return err
	}
	last := &d.nodes[len(d.nodes)-1]
	if _, err := codec.Scalar(kind, d.src.data[last.start:last.start+last.size]); err != nil {
		return failAt(last.start, err)
	}
	return nil
}

// count checks the number of elements that a list or map announces.
func (d *decoder) count(n, depth, each int, err error) *SyntaxError {
	if err == nil {
		err = d.codec.CheckDepth(depth)
	}
	if err == nil {
		err = d.codec.CheckCount(n)
	}
	if err == nil && (n < 0 || n > d.src.left()/each) {
		return failAt(len(d.src.data), errEnd)
	}
	if err != nil {
		return d.fail(err)
	}
	return nil
}

func (d *decoder) list(depth int) *SyntaxError {
	count, err := d.pack.DecodeArrayLen()
	if err := d.count(count, depth, 1, err); err != nil {
		return err
	}
	at := len(d.nodes)
	d.nodes = append(d.nodes, node{tag: ']'})
	size := 0
	for i := range count {
		elem := len(d.nodes)
		if err := d.value(depth + 1); err != nil {
			return err.under(state.Path("").Index(i))
		}
		size += d.nodes[elem].whole()
	}
	return d.close(at, size)
}

// close completes a container.
func (d *decoder) close(at, size int) *SyntaxError {
	if int64(size) >= maxRecord || len(d.nodes) > math.MaxInt32 {
		return d.fail(errors.New("the flow is too large for a dump"))
	}
	n := &d.nodes[at]
	n.next, n.size, n.head = int32(len(d.nodes)), size, headSize(size)
	return nil
}

// maxRecord is more than the payload of a record may have, so that a length
// has the digits for it.
const maxRecord = min(1_000_000_000_000, math.MaxInt/2)

func (d *decoder) mapping(depth int) *SyntaxError {
	count, err := d.pack.DecodeMapLen()
	if err := d.count(count, depth, 2, err); err != nil {
		return err
	}
	if depth == 1 && count > 0 {
		attached, err := d.attached()
		if err != nil {
			return err
		}
		if attached {
			count--
		}
	}
	at := len(d.nodes)
	d.nodes = append(d.nodes, node{tag: '}'})
	size := 0
	for range count {
		key := len(d.nodes)
		start := d.src.pos
		if code, ok := d.code(); ok && (isMap(code) || isArray(code)) {
			return failAt(start, tnetstring.ErrContainerKey)
		}
		if err := d.value(depth); err != nil {
			return err
		}
		val := len(d.nodes)
		if err := d.value(depth + 1); err != nil {
			return err.under(d.key(key))
		}
		size += d.nodes[key].whole() + d.nodes[val].whole()
	}
	return d.close(at, size)
}

// key returns the step of a path that the key at a node makes.
func (d *decoder) key(at int) state.Path {
	n := &d.nodes[at]
	return state.Path("").Key(string(d.bytes(n)))
}

// bytes returns the payload of a node that is no container.
func (d *decoder) bytes(n *node) []byte {
	if n.extra {
		return d.extra[n.start : n.start+n.size]
	}
	return d.src.data[n.start : n.start+n.size]
}

// attached reads the record that is attached to a flow, if one is.
func (d *decoder) attached() (bool, *SyntaxError) {
	start := d.src.pos
	if code, ok := d.code(); !ok || !msgpcode.IsExt(code) {
		return false, nil
	}
	id, n, err := d.pack.DecodeExtHeader()
	if err != nil {
		return false, d.fail(err)
	}
	if id != extRecord || n != 0 {
		d.src.pos = start
		return false, nil
	}
	if code, ok := d.code(); !ok {
		return false, d.fail(errEnd)
	} else if !msgpcode.IsBin(code) {
		return false, d.fail(&state.TypeError{Want: "bytes", Got: kindOf(code)})
	}
	if err := d.run(','); err != nil {
		return false, err
	}
	last := d.nodes[len(d.nodes)-1]
	d.nodes = d.nodes[:0]
	d.record = d.src.data[last.start : last.start+last.size]
	return true, nil
}
