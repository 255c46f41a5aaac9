package har

// An Entry is a flow as an entry of a HAR, rendered by [Encoder.Encode] or copied,
// and written by [Writer.WriteEntry]. The zero Entry is ready; its memory is used
// again when it is rendered anew.
type Entry struct {
	data  []byte // without the values of time and timings
	cut   [2]int // where in data these belong
	own   timings
	late  timings // if another entry has counted the connection
	conn  uint64  // the connection that own counts; 0 if it counts none
	notes []string
	raw   []byte // the whole entry, if it is a copy
}

// Trim lets go of memory that only a large entry needs. The entry must be rendered
// anew before it is written again.
func (e *Entry) Trim() {
	if e.raw = nil; cap(e.data) > keepEntry {
		e.data = nil
	}
}

// keepEntry is how much memory an entry keeps: there may be a thousand.
const keepEntry = 16 << 10

// Notes returns what could not be written as it is and was replaced by
// something safe, in words. The entry's comment says the same.
func (e *Entry) Notes() []string { return e.notes }

// pieces calls yield for the JSON of the entry, piece by piece; buf is memory for
// some of them. first tells whether the entry counts the time that its connection
// took, if it was made for this request.
func (e *Entry) pieces(buf []byte, first bool, yield func([]byte)) {
	if e.raw != nil {
		yield(e.raw)
		return
	}
	t := &e.own
	if !first {
		t = &e.late
	}
	yield(e.data[:e.cut[0]])
	yield(appendMillis(buf[:0], t.total()))
	yield(e.data[e.cut[0]:e.cut[1]])
	yield(t.append(buf[:0]))
	yield(e.data[e.cut[1]:])
}
