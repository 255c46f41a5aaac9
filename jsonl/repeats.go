package jsonl

import (
	"bytes"
	"hash/maphash"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
)

// repeats remembers what lists were written or read as that are the same in many flows:
// certificates, which are half of what a flow takes that has a small body, and
// ciphers. The zero repeats is empty.
type repeats struct{ slots []repeat }

// A repeat is a list and what it was written as.
type repeat struct {
	shape   *shape
	depth   int // in how many containers it was
	payload []byte
	json    []byte
}

const (
	maxRepeats = 64
	// Lists of less are written as fast as they are found, those of more would take
	// too much memory.
	minRepeat, maxRepeat = 256, 8 << 10
)

var repeatSeed = maphash.MakeSeed()

// slot returns where a list is remembered. It goes by what comes first, which is the
// certificate of the server.
func (r *repeats) slot(payload []byte) *repeat {
	if r.slots == nil {
		r.slots = make([]repeat, maxRepeats)
	}
	return &r.slots[maphash.Bytes(repeatSeed, payload[:minRepeat])%maxRepeats]
}

// repeated appends a list that may have been written before.
func (e *encoder) repeated(p []byte, s *shape, depth int) bool {
	known := e.repeats.slot(p)
	if known.shape == s && known.depth == depth && bytes.Equal(known.payload, p) {
		e.dst = append(e.dst, known.json...)
		return true
	}
	start := len(e.dst)
	if !e.list(p, s, depth) {
		return false
	}
	if json := e.dst[start:]; len(json) <= 2*maxRepeat {
		known.shape, known.depth = s, depth
		known.payload = append(known.payload[:0], p...)
		known.json = append(known.json[:0], json...)
	}
	return true
}

// repeated reads an array that may have been read before.
func (d *decoder) repeated(i int, s *shape, depth int) (int, *Error) {
	start := d.line[i:min(i+minRepeat, len(d.line))]                 // decides where it is remembered
	if len(start) < minRepeat || bytes.IndexByte(start, ']') >= 0 || // a short one
		d.maxDepth != tnetstring.DefaultMaxDepth || d.maxElements != tnetstring.DefaultMaxElements {
		return d.array(i, s, depth)
	}
	known := d.repeats.slot(start)
	if n := len(known.json); n > 0 && known.shape == s && known.depth == depth && bytes.HasPrefix(d.line[i:], known.json) {
		payload := len(d.extra)
		d.extra = append(d.extra, known.payload...)
		d.extraLeaf(']', payload)
		return i + n, nil
	}
	at := len(d.nodes)
	end, err := d.array(i, s, depth)
	if err != nil {
		return end, err
	}
	if size := d.nodes[at].size; size >= minRepeat && size <= maxRepeat && end-i <= 2*maxRepeat {
		element := make([]byte, encodedSize(size))
		if d.write(element, at) == nil {
			known.shape, known.depth = s, depth
			known.payload = append(known.payload[:0], element[len(element)-1-size:len(element)-1]...)
			known.json = append(known.json[:0], d.line[i:end]...)
		}
	}
	return end, nil
}
