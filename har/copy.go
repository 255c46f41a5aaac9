package har

import (
	"bytes"
	"errors"
	"unicode/utf8"

	"github.com/flowtool/flowtool/internal/jsonscan"
)

// ErrIncomplete is the error of copying an entry that is not all that HAR 1.2
// demands.
var ErrIncomplete = errors.New("har: entry is not complete")

// Copy makes e a copy of an entry of another HAR, its JSON, which must not change
// before e has been written. The error is [ErrIncomplete] if a reader that goes by
// HAR 1.2 may refuse it; then it can be read and encoded.
//
// If the entry names a page, leaveOut is asked about it, unless it is nil: what it
// returns is why the name is to be left out, which becomes a note, or "".
func (e *Entry) Copy(raw []byte, leaveOut func(page string) string) error {
	im := importers.Get().(*importer)
	defer im.release()
	if !utf8.Valid(raw) || hasHalf(raw) || im.read(raw, DefaultMaxDepth) != nil || !completeEntry(&im.document, 0) {
		return ErrIncomplete
	}
	e.forget()
	e.notes, e.conn, e.page = e.notes[:0], 0, ""
	for key, value := range im.members(0) {
		if string(key) != "pageref" {
			continue
		}
		e.page = string(im.string(value))
		if leaveOut == nil {
			break
		}
		if note := leaveOut(e.page); note != "" {
			raw, e.page = im.without(value-1), ""
			e.notes = append(e.notes, note)
		}
		break
	}
	e.raw = raw
	return nil
}

// without returns the JSON of the document without the member whose key is node k.
func (d *document) without(k int) []byte {
	before, after := d.nodes[k].start, jsonscan.Space(d.data, d.nodes[k+1].end)
	for before > 0 && jsonscan.IsSpace(d.data[before-1]) {
		before--
	}
	switch first := d.data[before-1] != ','; {
	case !first:
		before--
		after = d.nodes[k+1].end
	case d.data[after] == ',':
		after = jsonscan.Space(d.data, after+1)
	}
	return append(bytes.Clone(d.data[:before]), d.data[after:]...)
}

// hasHalf tells whether a string in JSON escapes half of a surrogate pair, which
// many readers refuse.
func hasHalf(data []byte) bool {
	if !bytes.Contains(data, []byte(`\ud`)) && !bytes.Contains(data, []byte(`\uD`)) {
		return false
	}
	for i := 0; i < len(data); i++ {
		if data[i] != '"' {
			continue
		}
		s, err := jsonscan.ScanString(data, i+1)
		if err != nil || s.Half {
			return true
		}
		i = s.End
	}
	return false
}
