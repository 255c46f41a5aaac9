package flowdiff

import (
	"encoding/binary"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/flowtool/flowtool/state"
)

// A node is a value prepared for comparing: with its sum and its elements.
type node struct {
	v    state.Value // an empty list or map instead of those in JSON, see value
	sum  sum
	id   string // of a value in a map: what identifies its key, see keyID
	kids []node // elements of a list, values of a map
}

// The lists and maps of JSON become values only where they are reported.
var (
	emptyList = state.NewList().Value()
	emptyMap  = state.NewMap().Value()
)

// maxNodes limits how many values of one tree are compared one by one. A list or
// map that exceeds it is compared as a whole.
const maxNodes = 1 << 18

// A builder makes the nodes of a valid tree.
type builder struct {
	left int // nodes that may still be kept
	sums summer
	err  error // the first error of reading what is not in memory
}

func buildNode(v state.Value) (node, error) {
	b := builder{left: maxNodes}
	n := b.node(v)
	return n, b.err
}

func (b *builder) node(v state.Value) node {
	n := node{v: v}
	var err error
	switch v.Kind() {
	case state.KindList:
		err = b.list(&n)
	case state.KindMap:
		err = b.entries(&n)
	default:
		n.sum, err = b.sums.scalar(v)
	}
	if b.err == nil {
		b.err = err
	}
	return n
}

func (b *builder) list(n *node) error {
	l, err := n.v.List()
	if err != nil {
		return err
	}
	first := len(b.sums.elems)
	keep := b.take(l.Len())
	for _, e := range l.All() {
		kid := b.node(e)
		b.sums.elems = append(b.sums.elems, kid.sum)
		if keep {
			n.kids = append(n.kids, kid)
		}
	}
	n.sum = b.sums.list(first)
	return nil
}

func (b *builder) entries(n *node) error {
	m, err := n.v.Map()
	if err != nil {
		return err
	}
	first := len(b.sums.entries)
	keep := b.take(m.Len())
	ids := make(keyIDs, m.Len())
	for k, e := range m.All() {
		kid := b.node(e)
		kid.id = ids.of(k)
		b.sums.entry(kid.id, kid.sum)
		if keep {
			n.kids = append(n.kids, kid)
		}
	}
	n.sum, _ = b.sums.mapping(first)
	return nil
}

// take tells whether n more nodes may be kept.
func (b *builder) take(n int) bool {
	if n > b.left {
		return false
	}
	b.left -= n
	return true
}

// whole tells whether n has elements that were not kept.
func (n *node) whole() bool {
	return n.v.Kind() >= state.KindList && len(n.kids) == 0 && !n.v.IsEmpty()
}

// value returns the value that n stands for. Nothing else has the list or map that
// is made of one in JSON.
func (n *node) value() state.Value {
	if n.v.Kind() < state.KindList || !n.v.IsEmpty() {
		return n.v
	}
	if n.v.Kind() == state.KindList {
		elems := make([]state.Value, len(n.kids))
		for i := range n.kids {
			elems[i] = n.kids[i].value()
		}
		return state.NewList(elems...).Value()
	}
	entries := make([]state.Entry, len(n.kids))
	for i := range n.kids {
		entries[i] = state.E(keyText(n.kids[i].id), n.kids[i].value())
	}
	return state.NewMap(entries...).Value()
}

// keys returns what identifies the keys of a map, in the order of its kids.
func (n *node) keys() []string {
	keys := make([]string, len(n.kids))
	for i := range n.kids {
		keys[i] = n.kids[i].id
	}
	return keys
}

// keyIDs identifies the keys of one map.
type keyIDs map[string]int

// of returns what identifies a key: its kind and its value, and its number if it
// is one of several NaNs, which are all different keys.
func (ids keyIDs) of(k state.Value) string {
	id := keyID(k)
	n := ids[id]
	ids[id]++
	if n > 0 {
		id += strconv.Itoa(n)
	}
	return id
}

// textMark begins the id of a key that is text. It is the byte before the key in
// JSON, of which the id is a part then; for other keys that byte is their kind.
const textMark = `"`

// keyID returns the kind and the value of a scalar that is in memory and valid.
func keyID(k state.Value) string {
	var s strings.Builder
	if k.Kind() == state.KindText {
		s.WriteString(textMark)
	} else {
		s.WriteByte(byte(k.Kind()))
	}
	_ = writeScalar(&s, k)
	return s.String()
}

// keyText returns the text of the key with an id, for paths.
func keyText(id string) string {
	switch state.Kind(id[0]) {
	case state.KindNull:
		return "null"
	case state.KindFloat:
		return state.FormatFloat(math.Float64frombits(binary.BigEndian.Uint64([]byte(id[1:]))))
	}
	return id[1:]
}

// writeScalar writes what makes a scalar differ from others of its kind.
func writeScalar(w io.Writer, v state.Value) error {
	if v.Kind() == state.KindBytes || v.Kind() == state.KindText {
		r, err := v.Reader()
		if err != nil {
			return err
		}
		_, err = io.Copy(w, r)
		return err
	}
	b, err := appendScalar(nil, v)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

// appendScalar appends what [writeScalar] writes of a scalar that is neither bytes
// nor text.
func appendScalar(dst []byte, v state.Value) ([]byte, error) {
	switch v.Kind() {
	case state.KindBool:
		t, err := v.Bool()
		return strconv.AppendBool(dst, t), err
	case state.KindInt:
		if i, err := v.Int64(); err == nil {
			return strconv.AppendInt(dst, i, 10), nil
		}
		i, err := v.BigInt()
		if err != nil {
			return dst, err
		}
		return i.Append(dst, 10), nil
	case state.KindFloat:
		f, err := v.Float64()
		if f != f {
			f = math.NaN() // all are equal
		}
		return binary.BigEndian.AppendUint64(dst, math.Float64bits(f)), err
	}
	return dst, nil
}
