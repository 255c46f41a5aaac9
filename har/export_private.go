package har

import (
	"strconv"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/jsonl"
	"github.com/flowtool/flowtool/state"
)

// A tie says which parts of the state an entry shows byte for byte, and has the
// sums of the others.
type tie struct {
	from  []string
	shown jsonl.Parts // the same
	sums  []partSum
	sum   summer
}

type partSum struct{ part, sum string }

func (t *tie) reset() { t.from, t.shown, t.sums = t.from[:0], 0, t.sums[:0] }

// shows notes that the visible fields have a part.
func (t *tie) shows(part string) {
	t.from = append(t.from, part)
	switch part {
	case partRequestHeaders:
		t.shown |= jsonl.RequestHeaders
	case partRequestContent:
		t.shown |= jsonl.RequestContent
	case partResponseHeaders:
		t.shown |= jsonl.ResponseHeaders
	case partResponseContent:
		t.shown |= jsonl.ResponseContent
	case partMessages:
		t.shown |= jsonl.WebSocketContents
	}
}

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
	tied := len(dst)
	dst = append(r.tie.append(dst), stateKey...)
	if dst, ok = jsonl.AppendWithout(dst, record, r.tie.shown); ok {
		return append(dst, '}'), nil
	}
	// The record is not encoded as mitmproxy encodes it. To keep it as it is,
	// nothing may be left out.
	if dst, err = jsonl.AppendRecord(append(dst[:tied], stateKey...), record); err != nil {
		return dst[:before], err
	}
	dst[len(dst)-1] = '}' // was a line feed
	return dst, nil
}
