package har

import (
	"errors"
	"fmt"
	"slices"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/internal/jsonscan"
	"github.com/flowtool/flowtool/jsonl"
	"github.com/flowtool/flowtool/state"
)

// A document is the JSON of an entry as a tree. Values are decoded where somebody
// looks at them.
type document struct {
	data  []byte
	nodes []node
	open  []int  // the containers around the current value
	plain []byte // strings without their escapes

	private   jsonl.Partial // the state in the private field,
	privateAt int           // which is this node; none if there is none that can be read
}

// A node is a value, or the key of a member, behind which stands its value. The
// nodes of a container follow it.
type node struct {
	kind       byte // '{', '[', '"', '0' for numbers, 't', 'f', 'n'
	escaped    bool // it is a string with escapes
	start, end int  // in the data
	next       int  // the node behind this one and what is in it
}

// none stands for a value that is not there.
const none = -1

// A syntaxError says that an entry is not JSON.
type syntaxError struct {
	pos  int
	path state.Path
	err  error
}

// parse reads data, one value. It accepts what JSON does not forbid for good: keys
// that occur twice, of which the last counts, bytes that are not UTF-8, and halves
// of surrogate pairs, which stand for bytes.
func (d *document) parse(data []byte, maxDepth int) *syntaxError {
	err := d.read(data, maxDepth)
	if err != nil {
		// NaN and infinities, which Python and others write, are no numbers.
		if plain, ok := withoutNaN(data); ok {
			return d.read(plain, maxDepth)
		}
	}
	return err
}

func (d *document) read(data []byte, maxDepth int) *syntaxError {
	d.data, d.nodes, d.open, d.plain = data, d.nodes[:0], d.open[:0], d.plain[:0]
	d.privateAt = none
	i, within := jsonscan.Space(data, 0), true
	var err *jsonscan.Error
	for within {
		if d.inObject() {
			if i, err = d.key(i); err != nil {
				return d.syntaxError(err, d.path())
			}
			if i, err = d.colon(i); err != nil {
				return d.syntaxError(err, d.valuePath())
			}
		}
		if i, within, err = d.readValue(i, maxDepth); err != nil {
			return d.syntaxError(err, d.valuePath())
		}
		for !within && len(d.open) > 0 {
			if i, within, err = d.after(i); err != nil {
				return d.syntaxError(err, d.path())
			}
		}
	}
	if i = jsonscan.Space(data, i); i < len(data) {
		return &syntaxError{i, "", errors.New("more than one value")}
	}
	return nil
}

// add adds a node that nothing is in.
func (d *document) add(kind byte, escaped bool, start, end int) {
	at := len(d.nodes)
	if at == cap(d.nodes) {
		d.nodes = slices.Grow(d.nodes, 256)
	}
	d.nodes = d.nodes[:at+1]
	// Field by field: a node that is made elsewhere and copied here takes longer.
	n := &d.nodes[at]
	n.kind, n.escaped, n.start, n.end, n.next = kind, escaped, start, end, at+1
}

// readValue reads the value at i, or the start of one: within tells that at next
// begins what is in it.
func (d *document) readValue(i, maxDepth int) (next int, within bool, err *jsonscan.Error) {
	data := d.data
	if i >= len(data) {
		return i, false, jsonscan.Want(data, i, "a value")
	}
	kind := data[i]
	switch {
	case kind == '"':
		next, err = d.text(i)
		return next, false, err
	case kind == '{' && d.inPrivate():
		d.privateAt = none
		if size, err := d.private.Read(data[i:]); err == nil {
			d.privateAt = len(d.nodes)
			d.add(kind, false, i, i+size)
			return i + size, false, nil
		}
		return d.container(i, maxDepth)
	case kind == '{', kind == '[':
		return d.container(i, maxDepth)
	case kind == '-', kind >= '0' && kind <= '9':
		kind = '0'
		next, _, err = jsonscan.Number(data, i)
	case jsonscan.Word(data, i, "null"), jsonscan.Word(data, i, "true"):
		next = i + 4
	case jsonscan.Word(data, i, "false"):
		next = i + 5
	default:
		err = jsonscan.Want(data, i, "a value")
	}
	if err == nil {
		d.add(kind, false, i, next)
	}
	return next, false, err
}

// text reads the string at i.
func (d *document) text(i int) (next int, err *jsonscan.Error) {
	s, err := jsonscan.ScanString(d.data, i+1)
	if err != nil {
		return i, err
	}
	d.add('"', s.Escaped, i, s.End+1)
	return s.End + 1, nil
}

// container begins the array or object at i.
func (d *document) container(i, maxDepth int) (next int, within bool, err *jsonscan.Error) {
	if len(d.open) == maxDepth {
		return i, false, &jsonscan.Error{Pos: i, Err: errTooDeep(maxDepth)}
	}
	kind := d.data[i]
	d.open = append(d.open, len(d.nodes))
	d.add(kind, false, i, i)
	i = jsonscan.Space(d.data, i+1)
	if i < len(d.data) && d.data[i] == kind+2 {
		return i + 1, false, d.close(i + 1)
	}
	return i, true, nil
}

// inObject tells whether the innermost container is an object.
func (d *document) inObject() bool {
	return len(d.open) > 0 && d.nodes[d.open[len(d.open)-1]].kind == '{'
}

// key reads the key at i.
func (d *document) key(i int) (next int, err *jsonscan.Error) {
	if i >= len(d.data) || d.data[i] != '"' {
		return i, jsonscan.Want(d.data, i, "a key, which is a string,")
	}
	return d.text(i)
}

// colon reads what stands behind a key. It returns where the value begins.
func (d *document) colon(i int) (next int, err *jsonscan.Error) {
	if i = jsonscan.Space(d.data, i); i >= len(d.data) || d.data[i] != ':' {
		return i, jsonscan.Want(d.data, i, "a colon")
	}
	return jsonscan.Space(d.data, i+1), nil
}

// after reads what stands behind a value in a container: a comma, behind which at
// next begins another member or element, or the end of the container.
func (d *document) after(i int) (next int, within bool, err *jsonscan.Error) {
	kind := d.nodes[d.open[len(d.open)-1]].kind
	i = jsonscan.Space(d.data, i)
	switch {
	case i < len(d.data) && d.data[i] == ',':
		return jsonscan.Space(d.data, i+1), true, nil
	case i < len(d.data) && d.data[i] == kind+2: // the closing bracket, in ASCII
		return i + 1, false, d.close(i + 1)
	}
	return i, false, jsonscan.Want(d.data, i, "a comma or "+string(rune(kind+2)))
}

// close ends the innermost container.
func (d *document) close(end int) *jsonscan.Error {
	top := len(d.open) - 1
	at := d.open[top]
	c := &d.nodes[at]
	c.end, c.next = end, len(d.nodes)
	if c.next-at > maxElements && d.isFull(at) {
		return &jsonscan.Error{Pos: c.start, Err: errTooMany}
	}
	d.open = d.open[:top]
	return nil
}

// maxElements is how many elements an array, or members an object, may have: as many
// as a list or map in a dump.
const maxElements = tnetstring.DefaultMaxElements

// isFull tells whether a container has more elements or members than it may.
func (d *document) isFull(at int) bool {
	keys := 0
	if d.nodes[at].kind == '{' {
		keys = 1 // before every value
	}
	n := 0
	for i := at + 1; i < d.nodes[at].next; i = d.nodes[i+keys].next {
		n++
	}
	return n > maxElements
}

// inPrivate tells whether the next value is the state in a private field, which is
// read as a whole, by package jsonl. If that fails, it is read like any other value.
func (d *document) inPrivate() bool {
	if len(d.open) != 2 || d.nodes[0].kind != '{' || !d.inObject() {
		return false
	}
	field, key := d.open[1]-1, len(d.nodes)-1
	return string(d.raw(field)) == `"`+privateKey+`"` && string(d.raw(key)) == `"state"`
}

func (d *document) syntaxError(e *jsonscan.Error, path state.Path) *syntaxError {
	err := e.Err
	if !errors.Is(err, ErrTooDeep) && err != errTooMany {
		err = fmt.Errorf("not JSON: %w", err)
	}
	return &syntaxError{e.Pos, path, err}
}

// path returns the path of the innermost container.
func (d *document) path() (p state.Path) {
	for i := range len(d.open) - 1 {
		p = d.step(p, d.open[i], d.open[i+1])
	}
	return p
}

// valuePath returns the path of the value that comes next.
func (d *document) valuePath() (p state.Path) {
	if len(d.open) == 0 {
		return ""
	}
	return d.step(d.path(), d.open[len(d.open)-1], len(d.nodes))
}

// step adds to the path of a container the step to node at, which is in it.
func (d *document) step(p state.Path, container, at int) state.Path {
	if d.nodes[container].kind == '{' {
		return p.Key(valid(d.string(at - 1)))
	}
	n := 0
	for i := container + 1; i < at; i = d.nodes[i].next {
		n++
	}
	return p.Index(n)
}
