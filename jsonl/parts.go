package jsonl

import (
	"slices"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
)

// Parts are what [AppendWithout] leaves out of an HTTP flow.
type Parts uint8

const (
	RequestHeaders    Parts = 1 << iota // request.headers, a list of pairs of bytes
	RequestContent                      // request.content, if it is bytes
	ResponseHeaders                     // response.headers
	ResponseContent                     // response.content
	WebSocketContents                   // the content, which is bytes, of each of websocket.messages
)

// AppendWithout appends the object of a flow as [AppendRecord] does, but without a
// line feed and with null for parts of it, for formats that have these elsewhere.
//
// If the flow lacks one of the parts, or is damaged, or not encoded as mitmproxy
// encodes it, so that it would not be known from the rest, ok is false, and dst is
// returned as it was.
func AppendWithout(dst, record []byte, parts Parts) (_ []byte, ok bool) {
	e := encoders.Get().(*encoder)
	defer e.release()
	e.without = parts
	e.dst = slices.Grow(dst, min(len(record)+len(record)/8, early))
	start, end := element(record, 0)
	if end < 0 || end+1 != len(record) || record[end] != '}' ||
		!e.value('}', record[start:end], flowShape, 1) || e.left != parts {
		return dst, false
	}
	return e.dst, true
}

// partDepth is how many maps are around a part: its message and the flow.
const partDepth = 2

// messageContent is the index of the content in the state of a WebSocket message.
const messageContent = 2

// absent appends null for a part. It returns false if the part is not what it has
// to be.
func (e *encoder) absent(tag byte, p []byte, part Parts) bool {
	e.left |= part
	switch part {
	case RequestContent, ResponseContent:
		e.dst = append(e.dst, "null"...)
		return tag == ','
	case RequestHeaders, ResponseHeaders:
		e.dst = append(e.dst, "null"...)
		return tag == ']' && tnetstring.Codec{}.Pairs(p, func(_, _ []byte) bool { return true })
	}
	return tag == ']' && e.messages(p)
}

// messages appends a list of WebSocket messages without their contents.
func (e *encoder) messages(p []byte) bool {
	e.dst = append(e.dst, '[')
	for pos := 0; pos < len(p); {
		start, end := element(p, pos)
		if end < 0 || p[end] != ']' {
			return false
		}
		if pos > 0 {
			e.dst = append(e.dst, ',')
		}
		if !e.message(p[start:end]) {
			return false
		}
		pos = end + 1
	}
	e.dst = append(e.dst, ']')
	return true
}

// message appends one of them.
func (e *encoder) message(p []byte) bool {
	e.dst = append(e.dst, '[')
	i := 0
	for pos := 0; pos < len(p); i++ {
		start, end := element(p, pos)
		if end < 0 {
			return false
		}
		if i > 0 {
			e.dst = append(e.dst, ',')
		}
		tag, payload := p[end], p[start:end]
		if i == messageContent {
			if tag != ',' {
				return false
			}
			tag, payload = byte('~'), nil
		}
		if !e.value(tag, payload, free, partDepth+3) {
			return false
		}
		pos = end + 1
	}
	e.dst = append(e.dst, ']')
	return i > messageContent
}
