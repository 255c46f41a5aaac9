package jsonl

import (
	"fmt"
	"slices"
	"sync"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/internal/jsonscan"
	"github.com/flowtool/flowtool/state"
)

// Decode returns the state of a flow from its line, with or without a line
// break at its end. The state does not refer to line. It is decoded from the
// record that [DecodeRecord] returns, as far as somebody looks, so that writing
// it to a dump is a copy. An error is an [*Error].
func Decode(line []byte) (*state.Map, error) { return (&limits{}).decode(line) }

// DecodeRecord appends to dst the record of a dump that a line stands for,
// without making a state of it. An error is an [*Error]; dst is then returned
// as it was.
func DecodeRecord(dst, line []byte) ([]byte, error) { return (&limits{}).record(dst, line) }

// limits are those of [ReaderOptions].
type limits struct{ depth, elements int }

func (l *limits) codec() tnetstring.Codec {
	return tnetstring.Codec{MaxDepth: l.depth, MaxElements: l.elements}
}

func (l *limits) decode(line []byte) (*state.Map, error) {
	record, err := l.record(nil, line)
	if err != nil {
		return nil, err
	}
	v, err := l.codec().OpenRecord(record)
	if err != nil {
		return nil, err
	}
	return v.Map()
}

func (l *limits) record(dst, line []byte) ([]byte, error) {
	d := decoders.Get().(*decoder)
	defer d.release()
	d.begin(line, l)
	if err := d.flow(); err != nil {
		return dst, err
	}
	out, err := d.encode(dst)
	if err != nil {
		return dst, err
	}
	if d.raw.End > 0 {
		return d.original(dst, out[len(dst):], l.codec())
	}
	return out, nil
}

// A decoder turns a line into a record in two steps: it notes the values of the
// line and the sizes of their encodings, then writes each where it belongs. That
// way the record is made in place, although its lengths stand before what they
// are about and its maps are back to front.
type decoder struct {
	line  []byte
	nodes []node
	extra []byte // payloads that do not stand in the line
	keys  [][]byte
	host  int // node of request.host in the flow around, 0 if there is none
	raw   jsonscan.String
	rawAt int // where the content of $raw begins

	maxDepth, maxElements int

	parts [partCount]partNode // that the line has
	given given               // in the place of parts that are null

	repeats repeats // of what is kept for the next lines
}

// A node is a value of the line, or a key. The nodes of a container follow it.
type node struct {
	tag   byte // of the encoding
	form  form
	next  int32 // node behind this one and what is in it
	start int   // of what the payload is made from
	end   int
	size  int // of the payload
}

// A form says how a payload is made.
type form uint8

const (
	formLine    form = iota // a part of the line
	formEscaped             // a part of the line with escapes
	formBase64              // a part of the line
	formExtra               // a part of decoder.extra
	formGiven               // one of the bodies in decoder.given
	formPairs               // one of the header blocks there
	formMessage             // the content of one of the WebSocket messages there
	formNodes               // a list or map
)

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// begin makes d ready for a line.
func (d *decoder) begin(line []byte, l *limits) {
	d.line = line
	d.maxDepth, d.maxElements = tnetstring.DefaultMaxDepth, tnetstring.DefaultMaxElements
	if l.depth > 0 {
		d.maxDepth = l.depth
	}
	if l.elements > 0 {
		d.maxElements = l.elements
	}
}

// clear makes d forget the line, and keeps memory for others.
func (d *decoder) clear() {
	clear(d.keys[:cap(d.keys)])
	*d = decoder{nodes: d.nodes[:0], extra: d.extra[:0], keys: d.keys[:0], repeats: d.repeats}
	if cap(d.nodes) > keepBuffer/32 {
		d.nodes = nil
	}
	if cap(d.extra) > keepBuffer {
		d.extra = nil
	}
	if cap(d.keys) > keepBuffer/32 {
		d.keys = nil
	}
}

func (d *decoder) release() {
	d.clear()
	decoders.Put(d)
}

// flow reads the line.
func (d *decoder) flow() error {
	i := d.space(0)
	if i >= len(d.line) {
		return fail(i, errEnd("white space, where a flow is expected"))
	}
	if d.line[i] != '{' {
		err := errWant(d.line, i, "a flow, an object,")
		if d.line[i] == '[' {
			err.Err = fmt.Errorf("%w (jq -c '.[]' makes lines of an array)", err.Err)
		}
		return err
	}
	if d.space(i+1) == len(d.line) {
		return fail(i+1, &endError{"an object: a flow is one line (jq -c writes such)"})
	}
	i, err := d.value(i, flowShape, 1)
	if err != nil {
		return err
	}
	if i = d.space(i); i < len(d.line) {
		return errWant(d.line, i, "the end of the line")
	}
	return d.isMap()
}

// isMap refuses a line that stands for something else than a map.
func (d *decoder) isMap() error {
	if d.nodes[0].tag != '}' {
		return fail(0, fmt.Errorf("a flow is a map, not %s", kindName(d.nodes[0].tag)))
	}
	return nil
}

func kindName(tag byte) string {
	k, _ := tnetstring.KindOf(tag)
	return k.String()
}

// leaf adds a node for a value that is none of the containers.
func (d *decoder) leaf(tag byte, f form, start, end, size int) {
	at := len(d.nodes)
	if at == cap(d.nodes) {
		d.nodes = slices.Grow(d.nodes, 256)
	}
	d.nodes = d.nodes[:at+1]
	// Field by field: a node that is made elsewhere and copied here takes longer.
	n := &d.nodes[at]
	n.tag, n.form, n.next = tag, f, int32(at+1)
	n.start, n.end, n.size = start, end, size
}

// open adds a node for a container that begins at i.
func (d *decoder) open(i int, tag byte, depth int) (int, *Error) {
	if depth > d.maxDepth {
		return 0, fail(i, fmt.Errorf("%w: the limit is %d levels", ErrTooDeep, d.maxDepth))
	}
	d.leaf(tag, formNodes, i, i, 0)
	return len(d.nodes) - 1, nil
}

// add counts node number at, which was just completed, as part of container c.
func (d *decoder) add(c, at int) { d.nodes[c].size += encodedSize(d.nodes[at].size) }

// encodedSize returns the size of an element from that of its payload.
func encodedSize(payload int) int {
	n := payload + 3
	for payload >= 10 {
		payload /= 10
		n++
	}
	return n
}

// full refuses element number n of the container that begins before i.
func (d *decoder) full(i, n int) *Error {
	return fail(i, fmt.Errorf("%w: the limit is %d in an array or object", ErrTooMany, d.maxElements))
}
