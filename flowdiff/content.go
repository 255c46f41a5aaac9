package flowdiff

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"mime"
	"strings"
	"unicode/utf8"

	"github.com/flowtool/flowtool/contentview"
	"github.com/flowtool/flowtool/internal/coding"
	"github.com/flowtool/flowtool/internal/jsonscan"
	"github.com/flowtool/flowtool/state"
)

// content compares two byte strings, the bodies of messages.
func (d *differ) content(p at, a, b state.Value, ma, mb media) {
	if d.sameScalar(p, a, b) || d.err != nil || d.skip(p) {
		return
	}
	x, err1 := d.decoded(p.a, a, ma.encoding)
	y, err2 := d.decoded(p.b, b, mb.encoding)
	if d.err != nil {
		return
	}
	if err := cmp.Or(err1, err2); err != nil {
		note := "compared as transferred"
		if _, ok := errors.AsType[*coding.LimitError](err); ok {
			note += fmt.Sprint(": more than the limit on bodies, --max-body ", d.opts.MaxBody)
		}
		d.asWhole(func() { d.streams(p, a, b, note) }, p, partsOf(p))
		return
	}
	before := d.found
	d.data(p, x, y, ma.contentType, mb.contentType)
	// Another coding is reported where the headers are.
	if d.found == before && ma.encoding == mb.encoding {
		d.add(p, Change{Kind: Changed, Body: bodyOf(x, y), Note: "same content, coded or spelled differently"})
	}
}

// decoded returns a body without its content codings, or why they cannot be undone
// within the limit.
func (d *differ) decoded(p state.Path, v state.Value, encoding string) ([]byte, error) {
	if v.Len() > d.opts.MaxBody {
		return nil, &coding.LimitError{Limit: d.opts.MaxBody}
	}
	data, err := v.Bytes()
	if err != nil {
		d.failAt(p, err)
		return nil, err
	}
	return coding.Decode(encoding, data, d.opts.MaxBody)
}

// data compares two contents of which the codings are undone. It reports nothing
// if they mean the same.
func (d *differ) data(p at, a, b []byte, typeA, typeB string) {
	boundA, ok1 := boundary(typeA)
	boundB, ok2 := boundary(typeB)
	if bytes.Equal(a, b) {
		return
	}
	limit := ""
	if ok1 && ok2 {
		done := false
		if done, limit = d.multipart(p, a, b, boundA, boundB); done {
			return
		}
	}
	d.single(p, a, b, typeA, typeB, limit)
}

// single compares two contents that are not to be taken apart as multipart data. limit
// tells which limit keeps them from that.
func (d *differ) single(p at, a, b []byte, typeA, typeB, limit string) {
	if bytes.Equal(a, b) {
		return
	}
	note := ""
	if limit != "" {
		note = "compared as a whole: more than " + limit
	}
	compare := func() { d.add(p, Change{Kind: Changed, Body: bodyOf(a, b), Note: note}) }
	parts := hasParts(a, typeA) || hasParts(b, typeB)
	if !isBinary(a, typeA) && !isBinary(b, typeB) {
		x, _, err1 := coding.Text(a, typeA)
		y, _, err2 := coding.Text(b, typeB)
		if err1 == nil && err2 == nil && limit == "" {
			done := false
			if done, limit = d.structured(p, x, y, typeA, typeB); done {
				return
			}
		}
		if limit != "" {
			note = "compared by line: more than " + limit
		}
		compare = func() { d.text(p, a, b, x, y, note) }
		parts = parts || hasParts(x, "") || hasParts(y, "")
	}
	if parts {
		d.asWhole(compare, p, partsOf(p))
	} else {
		compare()
	}
}

// structured compares two texts as forms or JSON, if they are. limit tells which limit
// keeps it from that.
func (d *differ) structured(p at, a, b, typeA, typeB string) (done bool, limit string) {
	if isForm(typeA) && isForm(typeB) {
		if d.form(p, a, b) {
			return true, ""
		}
		return false, fmt.Sprint(maxPairs, " fields of a form")
	}
	return d.json(p, a, b)
}

// partsOf returns where the parts of a form have their names of files and their
// headers: in a place of their own, as any name may be that of a value in their data.
func partsOf(content at) at {
	of := func(p state.Path) state.Path { return state.Path(strings.Replace(string(p), "/content", "/parts", 1)) }
	return at{of(content.a), of(content.b)}
}

// hasParts tells whether a content is, or should be, a form or JSON.
func hasParts[T string | []byte](data T, contentType string) bool {
	if _, ok := boundary(contentType); ok || isForm(contentType) {
		return true
	}
	const byteOrderMark = "\ufeff"
	for i := range len(data) {
		if c := data[i]; !jsonscan.IsSpace(c) && strings.IndexByte(byteOrderMark, c) < 0 {
			return c == '{' || c == '['
		}
	}
	return false
}

// text compares two contents by line.
func (d *differ) text(p at, a, b []byte, x, y, note string) {
	if x == y {
		return // in other charsets
	}
	body := bodyOf(a, b)
	linesA, ok1 := splitLines(x)
	linesB, ok2 := splitLines(y)
	if ok1 && ok2 {
		body.Hunks = hunks(linesA, linesB)
		body.FinalNewline = x != "" && y != "" && strings.HasSuffix(x, "\n") != strings.HasSuffix(y, "\n")
	} else {
		note = fmt.Sprintf("compared as a whole: more than %d lines", maxLines)
	}
	d.add(p, Change{Kind: Changed, Body: body, Note: note})
}

// streams compares two bodies as the bytes they are, without bringing them into
// memory.
func (d *differ) streams(p at, a, b state.Value, note string) {
	var body Body
	var err1, err2, err error
	body.Old, err1 = contentOf(a)
	body.New, err2 = contentOf(b)
	body.Offset, err = firstDifference(a, b)
	d.failAt(p.a, err1)
	d.failAt(p.b, errors.Join(err2, err))
	d.add(p, Change{Kind: Changed, Body: &body, Note: note})
}

// contentOf returns what is said of a byte string.
func contentOf(v state.Value) (c Content, err error) {
	r, err := v.Reader()
	if err != nil {
		return c, err
	}
	h := sha256.New()
	c.Size, err = io.Copy(h, r)
	if err == nil && c.Size < v.Len() {
		err = io.ErrUnexpectedEOF
	}
	h.Sum(c.SHA256[:0])
	return c, err
}

// sameContent tells whether two byte strings are the same, without bringing them
// into memory.
func sameContent(a, b state.Value) (bool, error) {
	if a.Len() != b.Len() {
		return false, nil
	}
	off, err := firstDifference(a, b)
	return err == nil && off == a.Len(), err
}

// firstDifference returns the offset of the first byte that differs, or the
// length of the shorter content.
func firstDifference(a, b state.Value) (off int64, err error) {
	if a.InMemory() && b.InMemory() {
		x, err1 := a.Bytes()
		y, err2 := b.Bytes()
		return int64(commonPrefix(x, y)), errors.Join(err1, err2)
	}
	x, err := a.Reader()
	if err != nil {
		return 0, err
	}
	y, err := b.Reader()
	if err != nil {
		return 0, err
	}
	const chunk = 64 << 10
	bufA, bufB := make([]byte, chunk), make([]byte, chunk)
	for {
		n, err1 := io.ReadFull(x, bufA)
		m, err2 := io.ReadFull(y, bufB)
		k := commonPrefix(bufA[:n], bufB[:m])
		off += int64(k)
		if k < chunk {
			return off, errors.Join(unexpected(err1), unexpected(err2))
		}
	}
}

// unexpected returns err unless it is the end of the input.
func unexpected(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil
	}
	return err
}

func commonPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	if bytes.Equal(a[:n], b[:n]) {
		return n
	}
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// bodyOf returns what is said of two contents compared as a whole.
func bodyOf(a, b []byte) *Body {
	return &Body{
		Old:    Content{int64(len(a)), sha256.Sum256(a)},
		New:    Content{int64(len(b)), sha256.Sum256(b)},
		Offset: int64(commonPrefix(a, b)),
	}
}

// isBinary tells whether people see a content as hexadecimal digits.
func isBinary(data []byte, contentType string) bool {
	const enough = 8 << 10
	data = data[:min(len(data), enough)]
	return !isPlain(data) && contentview.Render(data, contentType).Name == contentview.Hex
}

// isPlain tells whether a content is UTF-8 without control characters, which is
// text whatever the headers say.
func isPlain(data []byte) bool {
	for _, c := range data {
		if c < '\t' || '\r' < c && c < ' ' || c == 0x7f {
			return false
		}
	}
	return utf8.Valid(data)
}

// form compares two URL-encoded forms by field; it returns false if they have too many.
func (d *differ) form(p at, a, b string) bool {
	x, ok1 := parseQuery(a)
	y, ok2 := parseQuery(b)
	if ok1 && ok2 {
		d.pairsByName(p, x, y)
	}
	return ok1 && ok2
}

func isForm(contentType string) bool {
	t, _, err := mime.ParseMediaType(contentType)
	return err == nil && t == "application/x-www-form-urlencoded"
}

// boundary returns the boundary of multipart data.
func boundary(contentType string) (string, bool) {
	t, params, err := mime.ParseMediaType(contentType)
	return params["boundary"], err == nil && t == "multipart/form-data" && params["boundary"] != ""
}
