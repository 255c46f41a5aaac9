package flowdiff

import (
	"crypto/sha256"
	"encoding/binary"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/flowtool/flowtool/state"
)

// A node is a value prepared for comparing: with a sum, which is equal for equal
// values and, as far as sha256 goes, for no others, and with its elements.
type node struct {
	v    state.Value
	sum  [16]byte
	keys []string // of a map: what identifies its keys, see keyID
	kids []node   // elements of a list, values of a map
}

// maxNodes limits how many values of one tree are compared one by one. A list or
// map that exceeds it is compared as a whole.
const maxNodes = 1 << 18

// A builder makes the nodes of a valid tree.
type builder struct {
	left int   // nodes that may still be kept
	err  error // the first error of reading what is not in memory
}

func buildNode(v state.Value) (node, error) {
	b := builder{left: maxNodes}
	n := b.node(v)
	return n, b.err
}

func (b *builder) node(v state.Value) node {
	n := node{v: v}
	h := sha256.New()
	h.Write([]byte{byte(v.Kind())})
	switch v.Kind() {
	case state.KindList:
		b.list(&n, h)
	case state.KindMap:
		b.entries(&n, h)
	default:
		b.fail(writeScalar(h, v))
	}
	copy(n.sum[:], h.Sum(nil))
	return n
}

func (b *builder) list(n *node, h io.Writer) {
	l, err := n.v.List()
	if err != nil {
		b.fail(err)
		return
	}
	keep := b.take(l.Len())
	for _, e := range l.All() {
		kid := b.node(e)
		h.Write(kid.sum[:])
		if keep {
			n.kids = append(n.kids, kid)
		}
	}
}

func (b *builder) entries(n *node, h io.Writer) {
	m, err := n.v.Map()
	if err != nil {
		b.fail(err)
		return
	}
	keep := b.take(m.Len())
	ids := make(keyIDs, m.Len())
	sums := make([]string, 0, m.Len())
	for k, e := range m.All() {
		id, kid := ids.of(k), b.node(e)
		key := sha256.Sum256([]byte(id))
		sums = append(sums, string(key[:])+string(kid.sum[:]))
		if keep {
			n.keys, n.kids = append(n.keys, id), append(n.kids, kid)
		}
	}
	slices.Sort(sums) // the order of a map means nothing
	for _, s := range sums {
		io.WriteString(h, s)
	}
}

// take tells whether n more nodes may be kept.
func (b *builder) take(n int) bool {
	if n > b.left {
		return false
	}
	b.left -= n
	return true
}

func (b *builder) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// whole tells whether n has elements that were not kept.
func (n *node) whole() bool {
	return n.v.Kind() >= state.KindList && len(n.kids) == 0 && !n.v.IsEmpty()
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

// keyID returns the kind and the value of a scalar that is in memory and valid.
func keyID(k state.Value) string {
	var s strings.Builder
	s.WriteByte(byte(k.Kind()))
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
	switch v.Kind() {
	case state.KindBool:
		t, err := v.Bool()
		if err != nil {
			return err
		}
		text := "false"
		if t {
			text = "true"
		}
		_, err = io.WriteString(w, text)
		return err
	case state.KindInt:
		i, err := v.BigInt()
		if err != nil {
			return err
		}
		_, err = io.WriteString(w, i.String())
		return err
	case state.KindFloat:
		f, err := v.Float64()
		if err != nil {
			return err
		}
		if f != f {
			f = math.NaN() // all are equal
		}
		return binary.Write(w, binary.BigEndian, math.Float64bits(f))
	case state.KindBytes, state.KindText:
		r, err := v.Reader()
		if err != nil {
			return err
		}
		_, err = io.Copy(w, r)
		return err
	}
	return nil
}
