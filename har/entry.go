package har

import (
	"unicode/utf8"

	"github.com/flowtool/flowtool/internal/jsonstring"
)

// An Entry is a flow as an entry of a HAR, rendered by [Encoder.Encode] or copied,
// and written by [Writer.WriteEntry]. The zero Entry is ready; its memory is used
// again when it is rendered anew.
type Entry struct {
	data   []byte     // without the values of time and timings, and without the bodies
	cut    [2]int     // where in data these belong
	bodies []longBody // in the order in which they belong into data
	own    timings
	late   timings // if another entry has counted the connection
	conn   uint64  // the connection that own counts; 0 if it counts none
	notes  []string
	raw    []byte // the whole entry, if it is a copy
	page   string // that the copy names; "" if none
}

// A longBody is a long body, which is encoded when the entry is written, so that it does
// not take memory twice.
type longBody struct {
	at   int // where in the data of the entry it belongs
	text []byte
	form textForm
}

// A textForm says what bytes are written as in a string.
type textForm uint8

const (
	asText   textForm = iota // as they are, in UTF-8
	asLatin1                 // each byte as the character of Latin-1
	asBase64
)

// append appends text in this form.
func (f textForm) append(dst, text []byte) []byte {
	switch f {
	case asBase64:
		return jsonstring.AppendBase64(dst, text)
	case asLatin1:
		text = appendLatin1(make([]byte, 0, 2*len(text)), text)
	}
	dst, _ = jsonstring.Append(dst, text)
	return dst
}

// minLongBody is how large such a body is at least.
const minLongBody = 256 << 10

// Trim lets go of memory that only a large entry needs, and of what the entry refers
// to. It must be rendered anew before it is written again.
func (e *Entry) Trim() {
	if e.raw = nil; cap(e.data) > keepEntry {
		e.data = nil
	}
	e.forget()
}

// forget lets go of the bodies that the entry refers to.
func (e *Entry) forget() {
	clear(e.bodies)
	e.bodies = e.bodies[:0]
}

// keepEntry is how much memory an entry keeps: there may be a thousand.
const keepEntry = 16 << 10

// Notes returns what could not be written as it is and was replaced by
// something safe, in words. The entry's comment says the same, if the entry is no
// copy.
func (e *Entry) Notes() []string { return e.notes }

// pieces calls yield for the JSON of the entry, piece by piece; buf is memory for
// some of them. first tells whether the entry counts the time that its connection
// took, if it was made for this request.
func (e *Entry) pieces(buf *[]byte, first bool, yield func([]byte)) {
	if e.raw != nil {
		yield(e.raw)
		return
	}
	t := &e.own
	if !first {
		t = &e.late
	}
	at, bodies := 0, e.bodies
	upTo := func(end int) {
		for len(bodies) > 0 && bodies[0].at < end {
			yield(e.data[at:bodies[0].at])
			at = bodies[0].at
			bodies[0].pieces(buf, yield)
			bodies = bodies[1:]
		}
		yield(e.data[at:end])
		at = end
	}
	upTo(e.cut[0])
	*buf = appendMillis((*buf)[:0], t.total())
	yield(*buf)
	upTo(e.cut[1])
	*buf = t.append((*buf)[:0])
	yield(*buf)
	upTo(len(e.data))
}

// pieces is that of an entry for a body.
func (b *longBody) pieces(buf *[]byte, yield func([]byte)) {
	const size = 12 << 10 // so that no piece but the last one is padded in base64
	for text := b.text; len(text) > 0; {
		n := min(len(text), size)
		for b.form == asText && n < len(text) && !utf8.RuneStart(text[n]) {
			n--
		}
		*buf = b.form.append((*buf)[:0], text[:n])
		yield(*buf)
		text = text[n:]
	}
}
