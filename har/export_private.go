package har

import (
	"bytes"
	"errors"
	"slices"
	"strconv"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/jsonl"
	"github.com/flowtool/flowtool/state"
)

// A tie says which parts of the state an entry shows byte for byte, and has the
// sums of the others.
type tie struct {
	from []string
	sums []partSum
	sum  summer
}

type partSum struct{ part, sum string }

func (t *tie) reset() { t.from, t.sums = t.from[:0], t.sums[:0] }

// shows notes that the visible fields have a part.
func (t *tie) shows(part string) { t.from = append(t.from, part) }

// summed ends the sum of a part that the visible fields do not have exactly.
func (t *tie) summed(part string) {
	if sum := t.sum.take(); sum != "" {
		t.sums = append(t.sums, partSum{part, sum})
	}
}

// append appends the members of the private field that are about the visible
// ones.
func (t *tie) append(dst []byte) []byte {
	for i, part := range t.from {
		sep := `,"`
		if i == 0 {
			sep = `,"from":["`
		}
		dst = append(append(append(dst, sep...), part...), '"')
	}
	if len(t.from) > 0 {
		dst = append(dst, ']')
	}
	for i, s := range t.sums {
		sep := `,"`
		if i == 0 {
			sep = `,"sums":{"`
		}
		dst = append(append(append(dst, sep...), s.part...), `":"`...)
		dst = append(append(dst, s.sum...), '"')
	}
	if len(t.sums) > 0 {
		dst = append(dst, '}')
	}
	return dst
}

// appendPrivate appends the private field of a flow with the state m.
func (r *renderer) appendPrivate(dst []byte, m *state.Map) ([]byte, error) {
	record, ok, err := m.Value().Raw(tnetstring.Encoding)
	if err == nil && !ok {
		record, err = tnetstring.Append(r.record[:0], m.Value())
		r.record = record
	}
	if err != nil {
		return dst, err
	}
	before := len(dst)
	dst = append(dst, `,"`+privateKey+`":{"v":`...)
	dst = strconv.AppendInt(dst, privateVersion, 10)
	const stateKey = `,"state":`
	if r.cut.prune(record, r.tie.from) {
		tied := len(dst)
		dst = append(r.tie.append(dst), stateKey...)
		start := len(dst)
		if dst, err = jsonl.AppendRecord(dst, r.cut.out); err == nil && !hasRaw(dst[start:]) {
			dst[len(dst)-1] = '}' // was a line feed
			return dst, nil
		}
		dst = dst[:tied]
	}
	// The record is not encoded as mitmproxy encodes it. To keep it as it is,
	// nothing may be left out.
	if dst, err = jsonl.AppendRecord(append(dst, stateKey...), record); err != nil {
		return dst[:before], err
	}
	dst[len(dst)-1] = '}'
	return dst, nil
}

// hasRaw tells whether a line has its record attached, because that is encoded
// oddly somewhere. It would be the last member, a string.
func hasRaw(line []byte) bool {
	return bytes.HasSuffix(line, []byte("\"}\n")) && bytes.Contains(line, []byte(`,"$raw":"`))
}

// A pruner makes a record in which what the visible fields have is null.
type pruner struct {
	out   []byte
	inner []byte // of a message or WebSocket on its way into out
	list  []byte // of the messages of a WebSocket
	elem  []byte // of one of them
}

// null is the encoding of null.
const null = "0:~"

var errOdd = errors.New("har: record is not encoded as usual")

// prune puts the record into out. It returns false if the record is not encoded
// as mitmproxy encodes it as far as this matters, or has something else where from
// says that the visible fields have something.
func (c *pruner) prune(record []byte, from []string) bool {
	shown := func(part, key string) string {
		if slices.Contains(from, part) {
			return key
		}
		return ""
	}
	head, end := tnetstring.Frame(record)
	if head == 0 || end != len(record) || record[end-1] != '}' {
		return false
	}
	var left int
	c.out = append(c.out[:0], record[:head]...) // longer than the prefix will be
	err := entries(record[head:end-1], func(key, elem []byte, start int) error {
		var err error
		switch string(key) {
		case "request":
			elem, err = c.message(elem, shown(partRequestHeaders, "headers"), shown(partRequestContent, "content"), &left)
		case "response":
			elem, err = c.message(elem, shown(partResponseHeaders, "headers"), shown(partResponseContent, "content"), &left)
		case "websocket":
			if shown(partMessages, "messages") != "" {
				elem, err = c.webSocket(elem, &left)
			}
		}
		c.out = append(append(c.out, record[head+start:head+start+keySize(key)]...), elem...)
		return err
	})
	if err != nil || left != len(from) {
		return false
	}
	c.out = prefixed(c.out, head, '}')
	return true
}

// message returns the message elem with null for the values of two keys, unless
// they are "". It counts in left what it leaves out.
func (c *pruner) message(elem []byte, headers, content string, left *int) ([]byte, error) {
	if headers == "" && content == "" {
		return elem, nil
	}
	head, end := tnetstring.Frame(elem)
	if elem[end-1] != '}' {
		return nil, errOdd
	}
	c.inner = append(c.inner[:0], elem[:head]...)
	err := entries(elem[head:end-1], func(key, value []byte, start int) error {
		tag := value[len(value)-1]
		switch {
		case len(key) == 0:
		case string(key) == headers && tag == ']':
			if !arePairs(value) {
				return errOdd
			}
			value = []byte(null)
			*left++
		case string(key) == content && tag == ',':
			value = []byte(null)
			*left++
		}
		c.inner = append(append(c.inner, elem[head+start:head+start+keySize(key)]...), value...)
		return nil
	})
	c.inner = prefixed(c.inner, head, '}')
	return c.inner, err
}

// webSocket returns the WebSocket elem without the content of its messages.
func (c *pruner) webSocket(elem []byte, left *int) ([]byte, error) {
	head, end := tnetstring.Frame(elem)
	if elem[end-1] != '}' {
		return nil, errOdd
	}
	c.inner = append(c.inner[:0], elem[:head]...)
	err := entries(elem[head:end-1], func(key, value []byte, start int) (err error) {
		if string(key) == "messages" && value[len(value)-1] == ']' {
			*left++
			if value, err = c.messages(value); err != nil {
				return err
			}
		}
		c.inner = append(append(c.inner, elem[head+start:head+start+keySize(key)]...), value...)
		return nil
	})
	c.inner = prefixed(c.inner, head, '}')
	return c.inner, err
}

// messages returns the list elem of messages without their content.
func (c *pruner) messages(elem []byte) ([]byte, error) {
	head, end := tnetstring.Frame(elem)
	c.list = append(c.list[:0], elem[:head]...)
	for list := elem[head : end-1]; len(list) > 0; {
		msgHead, msgEnd := tnetstring.Frame(list)
		if msgHead == 0 || list[msgEnd-1] != ']' {
			return nil, errOdd
		}
		c.elem = append(c.elem[:0], list[:msgHead]...)
		i := 0
		for msg := list[msgHead : msgEnd-1]; len(msg) > 0; i++ {
			head, end := tnetstring.Frame(msg)
			if head == 0 || i == messageContent && msg[end-1] != ',' {
				return nil, errOdd
			}
			if i == messageContent {
				c.elem = append(c.elem, null...)
			} else {
				c.elem = append(c.elem, msg[:end]...)
			}
			msg = msg[end:]
		}
		if i <= messageContent {
			return nil, errOdd
		}
		c.elem = prefixed(c.elem, msgHead, ']')
		c.list = append(c.list, c.elem...)
		list = list[msgEnd:]
	}
	c.list = prefixed(c.list, head, ']')
	return c.list, nil
}

// messageContent is the index of the content in the state of a WebSocket
// message.
const messageContent = 2

// entries calls visit for the entries of a map with the payload p, in the order
// of the encoding: with the key if it is text, the element of the value, and
// where the entry starts in p.
func entries(p []byte, visit func(key, value []byte, start int) error) error {
	for start := 0; start < len(p); {
		keyHead, keyEnd := tnetstring.Frame(p[start:])
		if keyHead == 0 || p[start+keyEnd-1] != ';' {
			return errOdd
		}
		at := start + keyEnd
		head, end := tnetstring.Frame(p[at:])
		if head == 0 {
			return errOdd
		}
		if err := visit(p[start+keyHead:at-1], p[at:at+end], start); err != nil {
			return err
		}
		start = at + end
	}
	return nil
}

// keySize returns the size of the element of a key.
func keySize(key []byte) int { return elementSize(len(key)) }

// arePairs tells whether a list consists of pairs of byte strings.
func arePairs(elem []byte) bool {
	head, end := tnetstring.Frame(elem)
	return tnetstring.Codec{}.Pairs(elem[head:end-1], func(_, _ []byte) bool { return true })
}

// prefixed makes an element of out, which begins with head bytes of any content
// and goes on with the payload. The prefix must not be longer than head.
func prefixed(out []byte, head int, tag byte) []byte {
	var buf [16]byte
	prefix := append(strconv.AppendInt(buf[:0], int64(len(out)-head), 10), ':')
	if d := head - len(prefix); d > 0 {
		out = slices.Delete(out, 0, d)
	}
	copy(out, prefix)
	return append(out, tag)
}

// elementSize returns the size of an element from that of its payload.
func elementSize(payload int) int {
	n := payload + 3
	for payload >= 10 {
		payload /= 10
		n++
	}
	return n
}
