package jsonl

import (
	"iter"
	"math/bits"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/state"
)

// A Partial makes a record of an object that [AppendWithout] wrote, in two steps,
// because what was left out may stand behind the object. The zero Partial is ready
// for use and can be used for one object after the other; it is not safe for
// concurrent use.
type Partial struct{ d decoder }

// Values are parts of a flow that its object lacks.
type Values struct {
	Parts Parts // those that are given

	RequestHeaders, ResponseHeaders [][2][]byte // names and values
	RequestContent, ResponseContent []byte
	WebSocketContents               [][]byte // one for each message
}

// A Message is what is known of a WebSocket message without its content.
type Message struct {
	Opcode     int64
	FromClient bool
}

// Read reads the object that data begins with and returns its size. It takes what
// [DecodeRecord] takes, by its rules and limits; an error is an [*Error]. Data must
// not be changed as long as the object is in use.
func (p *Partial) Read(data []byte) (size int, err error) {
	p.d.clear()
	p.d.begin(data, &limits{})
	size, wrong := p.d.value(0, flowShape, 1)
	if wrong != nil {
		return 0, wrong
	}
	if err := p.d.isMap(); err != nil {
		return 0, err
	}
	return size, nil
}

// Reset makes p forget the object.
func (p *Partial) Reset() { p.d.clear() }

// Type returns the type of the flow, such as "http", "" if it has none.
func (p *Partial) Type() string {
	at := p.find("type")
	if at == 0 || p.d.nodes[at].tag != ';' {
		return ""
	}
	text, _ := p.d.payload(at)
	return string(text)
}

// Version returns the format version of the flow. ok is false if it is no integer.
func (p *Partial) Version() (n int64, ok bool) {
	at := p.find("version")
	if at == 0 || p.d.nodes[at].tag != '#' {
		return 0, false
	}
	digits, err := p.d.payload(at)
	if err != nil {
		return 0, false
	}
	return codec.Int(digits)
}

// An Entry is what is known of an entry of a map without its value.
type Entry struct {
	Key  []byte
	Kind state.Kind // of the value
}

// AppendEntries appends to dst the entries, those with a key that is text, of the flow
// or, if key is not empty, of the map that it has under key. There are none if that
// is no map. They are valid until the next object is read.
func (p *Partial) AppendEntries(dst []Entry, key string) []Entry {
	d, at := &p.d, 0
	if key != "" {
		if at = p.find(key); at == 0 {
			return dst
		}
	}
	if d.nodes[at].tag != '}' {
		return dst
	}
	for k := at + 1; k < int(d.nodes[at].next); k = int(d.nodes[k+1].next) {
		n := &d.nodes[k]
		if n.tag != ';' {
			continue
		}
		kind, _ := tnetstring.KindOf(d.nodes[k+1].tag)
		if n.form == formLine { // nearly always
			dst = append(dst, Entry{d.line[n.start:n.end], kind})
		} else if key, err := d.payload(k); err == nil {
			dst = append(dst, Entry{key, kind})
		}
	}
	return dst
}

// find returns the node of the value that the flow has under a key, 0 if it has none.
func (p *Partial) find(key string) int {
	d := &p.d
	if d.nodes[0].tag != '}' {
		return 0
	}
	for k := 1; k < int(d.nodes[0].next); k = int(d.nodes[k+1].next) {
		if n := &d.nodes[k]; n.size != len(key) || n.tag != ';' {
			continue
		}
		if found, err := d.payload(k); err == nil && string(found) == key {
			return k + 1
		}
	}
	return 0
}

// Messages returns the WebSocket messages of the flow, up to one that is not as it
// has to be.
func (p *Partial) Messages() iter.Seq[Message] {
	return func(yield func(Message) bool) {
		d := &p.d
		for at := range d.messages() {
			opcode, fromClient := &d.nodes[at+1], &d.nodes[at+2]
			if opcode.tag != '#' || opcode.form != formLine || fromClient.tag != '!' {
				return
			}
			n, ok := codec.Int(d.line[opcode.start:opcode.end])
			if !ok || !yield(Message{n, d.line[fromClient.start] == 't'}) {
				return
			}
		}
	}
}

// AppendRecord appends the record of the flow, with the parts of v in the place of
// null, once after Read. If one of them is not null in the object, or if the object
// has its record attached ($raw), ok is false and dst is returned as it was.
func (p *Partial) AppendRecord(dst []byte, v *Values) (_ []byte, ok bool) {
	d := &p.d
	if d.raw.End > 0 {
		return dst, false
	}
	d.given = given{
		headers:  [2][][2][]byte{v.RequestHeaders, v.ResponseHeaders},
		contents: [2][]byte{v.RequestContent, v.ResponseContent},
		messages: v.WebSocketContents,
	}
	for i, part := range [...]Parts{RequestHeaders, ResponseHeaders} {
		if v.Parts&part != 0 && !d.give(part, ']', formPairs, i, pairsSize(d.given.headers[i])) {
			return dst, false
		}
	}
	for i, part := range [...]Parts{RequestContent, ResponseContent} {
		if v.Parts&part != 0 && !d.give(part, ',', formGiven, i, len(d.given.contents[i])) {
			return dst, false
		}
	}
	if v.Parts&WebSocketContents != 0 && !d.giveMessages() {
		return dst, false
	}
	out, err := d.encode(dst)
	return out, err == nil
}

// given are the values of parts of the request and of the response.
type given struct {
	headers  [2][][2][]byte
	contents [2][]byte
	messages [][]byte // contents of WebSocket messages
}

// A partNode is where among the nodes a part is, and the map that it is in.
type partNode struct{ container, node int }

// partCount is the number of parts.
const partCount = 5

// index returns the number of a part.
func (p Parts) index() int { return bits.TrailingZeros8(uint8(p)) }

// give gives a part that is null a value of a size: number i of those of its form.
func (d *decoder) give(part Parts, tag byte, f form, i, size int) bool {
	at := d.parts[part.index()]
	if at.node == 0 || d.nodes[at.node].tag != '~' {
		return false
	}
	d.grow(0, d.grow(at.container, d.fillIn(at.node, tag, f, i, size)))
	return true
}

// fillIn makes node at, which is null, one of another form. It returns by how much
// that grows.
func (d *decoder) fillIn(at int, tag byte, f form, i, size int) (more int) {
	n := &d.nodes[at]
	n.tag, n.form, n.start, n.size = tag, f, i, size
	return encodedSize(size) - encodedSize(0)
}

// grow makes container at larger by what its payload grows. It returns by how much
// its element grows.
func (d *decoder) grow(at, payload int) (more int) {
	n := &d.nodes[at]
	before := encodedSize(n.size)
	n.size += payload
	return encodedSize(n.size) - before
}

// messages returns the nodes of the WebSocket messages whose content is null, up to
// one that is something else. Behind such a node are opcode, direction and content.
func (d *decoder) messages() iter.Seq[int] {
	return func(yield func(int) bool) {
		list := d.parts[WebSocketContents.index()].node
		if list == 0 || d.nodes[list].tag != ']' {
			return
		}
		for m := list + 1; m < int(d.nodes[list].next); m = int(d.nodes[m].next) {
			content := m + 1 + messageContent
			if d.nodes[m].tag != ']' || content >= int(d.nodes[m].next) || int(d.nodes[m+1].next) != m+2 || int(d.nodes[m+2].next) != m+3 ||
				d.nodes[content].tag != '~' || !yield(m) {
				return
			}
		}
	}
}

// giveMessages gives the WebSocket messages their contents.
func (d *decoder) giveMessages() bool {
	at := d.parts[WebSocketContents.index()]
	if at.node == 0 || d.nodes[at.node].tag != ']' {
		return false
	}
	n, more, last := 0, 0, at.node+1
	for m := range d.messages() {
		if n == len(d.given.messages) {
			return false
		}
		more += d.grow(m, d.fillIn(m+1+messageContent, ',', formMessage, n, len(d.given.messages[n])))
		n, last = n+1, int(d.nodes[m].next)
	}
	d.grow(0, d.grow(at.container, d.grow(at.node, more)))
	return n == len(d.given.messages) && last == int(d.nodes[at.node].next)
}

func pairSize(pair *[2][]byte) int { return encodedSize(len(pair[0])) + encodedSize(len(pair[1])) }

// pairsSize returns the size of the payload of a list of pairs.
func pairsSize(pairs [][2][]byte) (size int) {
	for i := range pairs {
		size += encodedSize(pairSize(&pairs[i]))
	}
	return size
}

// writePairs writes the payload of a list of pairs.
func writePairs(out []byte, pairs [][2][]byte) {
	for i := range pairs {
		pair := &pairs[i]
		out = out[writePrefix(out, pairSize(pair)):]
		for _, b := range pair {
			n := writePrefix(out, len(b))
			n += copy(out[n:], b)
			out[n] = ','
			out = out[n+1:]
		}
		out[0] = ']'
		out = out[1:]
	}
}
