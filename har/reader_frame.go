package har

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/flowtool/flowtool/internal/jsonscan"
)

// A place is where in the input a framer is.
type place uint8

const (
	betweenValues place = iota // at the top level
	inObject                   // before a key of the outer object or of the log
	afterKey                   // before its value
	inMember                   // in its value
	inEntries                  // between entries
	inEntry
	inDamage // in an entry that cannot be read, on the way to the line that begins the next
)

// An objectKind is what an object at the top level turned out to be.
type objectKind uint8

const (
	unknownObject objectKind = iota
	outerObject              // that which has the log
	logObject
)

// A framer finds the entries of a HAR without decoding them. Positions are those
// in the buffer at hand.
//
// Brackets and quotation marks say where an entry ends. If they do not match, its
// lines may help: most programs put every entry on a line of its own, or begin
// and end it with lines that are indented alike. So the framer goes back to
// where the damaged entry began and looks for the line that begins the next.
type framer struct {
	where   place
	pos     int // what comes next
	pin     int // from where on the buffer is needed; negative if that is pos
	value   valueScan
	begin   int64 // where the input begins, behind a byte order mark
	started bool  // there was something other than white space

	object objectKind
	outer  bool   // the log is in an outer object
	top    int    // where the object at the top level starts, while its kind is unknown
	found  bool   // the log had entries
	array  bool   // the entries are in an array
	lines  bool   // the entries are not in anything
	key    string // of the value
	kept   bool   // the value is kept

	count   int64  // entries found
	start   int    // of the entry
	startAt int64  // the same in the input
	first   bool   // what begins here is the first on its line
	before  string // if so, the white space before it
	lined   bool   // there was an entry that is the first on its line,
	indent  string // with this before it
	cause   *Error // what is wrong with it, found by the framer
	again   int64  // bytes that were looked at more than once
}

const (
	// maxIndent is the longest indentation that counts as one.
	maxIndent = 256
	// maxKey is how long a key of the log may be.
	maxKey = 64 << 10
	// maxMember is how large a member of the log may be to be kept.
	maxMember = 16 << 20
)

// needed returns from where on the buffer is needed.
func (f *framer) needed() int {
	if f.pin >= 0 {
		return f.pin
	}
	return f.pos
}

// shift says that n bytes were taken off the start of the buffer.
func (f *framer) shift(n int) {
	f.pos -= n
	f.pin -= n // what is negative stays so
	f.top -= n
	f.start -= n
}

// frame adds to b the entries in buf, up to where more input is needed or there
// is an error.
func (d *Reader) frame(b *Batch, buf []byte, atEnd bool) {
	more := false
	for d.err == nil && !more {
		switch d.f.where {
		case betweenValues:
			more = d.between(buf, atEnd)
		case inObject:
			more = d.inObject(buf)
		case afterKey:
			more = d.afterKey(buf)
		case inMember:
			more = d.inMember(buf)
		case inEntries:
			more = d.inEntries(buf)
		case inEntry:
			more = d.inEntry(b, buf, atEnd)
		case inDamage:
			more = d.inDamage(b, buf, atEnd)
		}
	}
}

// space skips white space, and commas if they are to be.
func (f *framer) space(buf []byte, commas bool) (c byte, ok bool) {
	from := f.pos
	for f.pos < len(buf) {
		c = buf[f.pos]
		if !jsonscan.IsSpace(c) && !(commas && c == ',') {
			return c, true
		}
		f.pos++
	}
	// The last line may go on.
	if n := bytes.LastIndexByte(buf[from:], '\n'); n >= 0 && len(buf)-from-n-1 <= maxIndent {
		f.pos = from + n
	}
	return 0, false
}

// setLine notes whether f.pos is the first position on its line behind white space,
// of which nothing is before from.
func (f *framer) setLine(buf []byte, from int) {
	line := buf[from:f.pos]
	n := bytes.LastIndexByte(line, '\n')
	line = line[n+1:]
	f.first = n >= 0 && len(line) <= maxIndent && bytes.IndexByte(line, ',') < 0
	if f.first && len(line) != len(f.before) {
		f.before = string(line)
	}
}

// between looks for the next value at the top level.
func (d *Reader) between(buf []byte, atEnd bool) (more bool) {
	f := &d.f
	if d.off == 0 && f.pos == 0 {
		if len(buf) < len(bom) && !atEnd {
			return true
		}
		if bytes.HasPrefix(buf, []byte(bom)) {
			f.pos = len(bom)
		}
		f.begin = int64(f.pos)
	}
	from := f.pos
	c, ok := f.space(buf, f.lines)
	if !ok {
		return true
	}
	f.setLine(buf, from)
	if d.off+int64(f.pos) == f.begin {
		f.first, f.before = true, ""
	}
	if f.lines {
		f.enter(f.pos)
		return false
	}
	f.array = c == '['
	switch c {
	case '{':
		f.object, f.outer = unknownObject, false
		f.top, f.pin = f.pos, f.pos
		f.where = inObject
	case '[':
		f.object, f.where = unknownObject, inEntries
	default:
		err := errTrailing
		if !f.started {
			err = fmt.Errorf("%w: it begins with %s", ErrNotHAR, quoted(buf[f.pos:f.pos+1]))
		}
		d.fail(f.pos, err)
	}
	f.pos++
	f.started = true
	return false
}

var (
	// logKeys tell the log from an entry, and entryKeys the other way round.
	logKeys   = []string{"entries", "version", "creator", "browser", "pages"}
	entryKeys = []string{"request", "response", "startedDateTime", "time", "timings", "cache", "serverIPAddress",
		"connection", "pageref"}
)

// inObject reads a key of the log, or of the outer object.
func (d *Reader) inObject(buf []byte) (more bool) {
	f := &d.f
	c, ok := f.space(buf, true)
	switch {
	case !ok:
		return true
	case c == '}':
		d.endObject()
		return false
	case c != '"':
		d.fail(f.pos, errDamaged)
		return false
	}
	var scan valueScan
	end, done := scan.scan(buf, f.pos)
	if !done {
		if end-f.pos > maxKey {
			d.fail(f.pos, fmt.Errorf("key is longer than %d bytes", maxKey))
		}
		return true
	}
	f.key = plainKey(buf[f.pos+1 : end])
	f.pos, f.where = end, afterKey
	return false
}

// plainKey returns the key whose content begins s, without its escapes.
func plainKey(s []byte) string {
	key, err := jsonscan.ScanString(s, 0)
	if err != nil || !key.Escaped {
		return string(s[:len(s)-1])
	}
	plain := make([]byte, len(s))
	return string(plain[:jsonscan.Unescape(plain, s[:key.End])])
}

// afterKey decides what to do with the value of a key.
func (d *Reader) afterKey(buf []byte) (more bool) {
	f := &d.f
	for f.pos < len(buf) && (jsonscan.IsSpace(buf[f.pos]) || buf[f.pos] == ':') {
		f.pos++
	}
	if f.pos == len(buf) {
		return true
	}
	f.where = inObject
	value := buf[f.pos]
	switch {
	case f.object == unknownObject && slices.Contains(entryKeys, f.key):
		f.lines = true
		f.enter(f.top)
		return false
	case (f.object != logObject || !f.outer) && f.key == "log": // whatever keys came before
		f.object, f.outer, f.found, f.pin = logObject, true, false, -1
		if value != '{' {
			d.fail(f.pos, fmt.Errorf("%w: log is not an object", ErrNotHAR))
			return false
		}
		f.pos++
		return false
	case f.object == unknownObject && slices.Contains(logKeys, f.key):
		f.object, f.found, f.pin = logObject, false, -1
	}
	if f.object == logObject && f.key == "entries" {
		if value != '[' {
			d.fail(f.pos, fmt.Errorf("%w: entries is not an array", ErrNotHAR))
			return false
		}
		f.pos++
		f.found, f.array, f.where = true, true, inEntries
		return false
	}
	if f.kept = f.object == logObject && isKept(f.key); f.kept {
		f.pin = f.pos
	}
	f.value.reset(d.opts.MaxDepth)
	f.where = inMember
	return false
}

// endObject leaves the log or the outer object.
func (d *Reader) endObject() {
	f := &d.f
	switch {
	case f.object == unknownObject: // as an entry, it is reported
		f.enter(f.top)
		return
	case f.object == logObject && !f.found:
		d.fail(f.pos, fmt.Errorf("%w: the log has no entries", ErrNotHAR))
	case f.object == logObject && f.outer:
		f.object = outerObject
	default:
		f.where = betweenValues
	}
	f.pos++
}

// inMember skips or keeps the value of a member.
func (d *Reader) inMember(buf []byte) (more bool) {
	f := &d.f
	var done bool
	f.pos, done = f.value.scan(buf, f.pos)
	switch size := f.pos - f.pin; {
	case f.pin < 0:
	case f.kept && size > maxMember:
		f.kept, f.pin = false, -1
	case size > d.opts.MaxEntry: // too much for an entry, so this is none
		f.object, f.pin = outerObject, -1
	}
	if !done {
		return true
	}
	if f.kept {
		d.log.set(f.key, buf[f.pin:f.pos])
		f.pin = -1
	}
	f.where = inObject
	return false
}

// inEntries looks for the next entry.
func (d *Reader) inEntries(buf []byte) (more bool) {
	f := &d.f
	f.pin = -1
	from := f.pos
	c, ok := f.space(buf, true)
	switch {
	case !ok:
		return true
	case c == ']':
		f.pos++
		f.where = inObject
		if f.object == unknownObject {
			f.where = betweenValues
		}
	default:
		f.setLine(buf, from)
		f.enter(f.pos)
	}
	return false
}

// enter begins an entry at a position.
func (f *framer) enter(at int) {
	if f.first {
		f.lined, f.indent = true, f.before
	}
	f.where, f.pos, f.pin, f.start = inEntry, at, at, at
	f.startAt = -1
	f.cause = nil
}
