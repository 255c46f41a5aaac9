package flowdiff

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/textproto"
	"slices"
	"strings"

	"github.com/flowtool/flowtool/state"
)

// A formPart is a field of multipart form data.
type formPart struct {
	name     string
	filename string // if isFile is set
	isFile   bool
	header   textproto.MIMEHeader
	rest     string // of the disposition: without the names of field and file
	data     []byte
}

// maxParts limits the fields of multipart form data that are compared by name.
const maxParts = 10000

const disposition = "Content-Disposition"

// multipart compares two bodies of form data by field, if they are well formed. limit
// tells which limit keeps it from that.
func (d *differ) multipart(p at, a, b []byte, boundaryA, boundaryB string) (done bool, limit string) {
	partsA, ok1 := parseMultipart(a, boundaryA)
	partsB, ok2 := parseMultipart(b, boundaryB)
	if !ok1 || !ok2 {
		return false, ""
	}
	if len(partsA) > maxParts || len(partsB) > maxParts {
		return false, fmt.Sprint(maxParts, " parts of a form")
	}
	x, y := partFields(p, partsA), partFields(p, partsB)
	matches := matchFields(x, y)
	d.fields(x, y, matches, func(p at, m match) {
		if !m.equal {
			d.part(p, &partsA[m.i], &partsB[m.j])
		}
	})
	d.order(x, y, matches)
	if x, y := aroundParts(a, boundaryA), aroundParts(b, boundaryB); !state.Equal(x, y) {
		d.add(p, Change{Kind: Changed, Old: x, New: y, Note: "what is before and behind the parts"})
	}
	return true, ""
}

// part compares two fields of the same name.
func (d *differ) part(p at, a, b *formPart) {
	if d.skip(p) {
		return
	}
	compare := func() { d.partHeaders(partsOf(p), a, b) }
	if d.opts.Only.Match(p.a) || d.opts.Only.Match(p.b) {
		d.asWhole(compare, p) // who asks for a field asks for its headers
	} else {
		compare()
	}
	before := d.found
	d.single(p, a.data, b.data, a.header.Get("Content-Type"), b.header.Get("Content-Type"), "")
	if d.found == before && !bytes.Equal(a.data, b.data) {
		d.add(p, Change{Kind: Changed, Body: bodyOf(a.data, b.data), Note: "same content, spelled differently"})
	}
}

// partHeaders compares the headers of two fields, and the names of their files.
func (d *differ) partHeaders(p at, a, b *formPart) {
	if a.isFile != b.isFile || a.filename != b.filename {
		d.fieldChange(p.key("filename"), a.file(), b.file())
	}
	for _, name := range slices.Sorted(maps.Keys(a.header)) {
		x, y := a.header[name], b.header[name]
		if !slices.Equal(x, y) && (name != disposition || a.rest != b.rest) {
			d.fieldChange(p.key("headers").key(strings.ToLower(name)), linesValue(x), linesValue(y))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.header)) {
		if len(a.header[name]) == 0 {
			d.fieldChange(p.key("headers").key(strings.ToLower(name)), state.Null(), linesValue(b.header[name]))
		}
	}
}

// file returns the name of the file, null if there is none.
func (c *formPart) file() state.Value {
	if !c.isFile {
		return state.Null()
	}
	return bytesValue(c.filename)
}

// parseMultipart returns the parts of form data, of too many the first ones and one
// more than maxParts; ok is false if it is malformed.
func parseMultipart(data []byte, boundary string) (parts []formPart, ok bool) {
	r := multipart.NewReader(bytes.NewReader(data), boundary)
	for {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return parts, true
		}
		if err != nil || p.FormName() == "" {
			return nil, false
		}
		content, err := io.ReadAll(p)
		if err != nil {
			return nil, false
		}
		c := formPart{name: p.FormName(), header: p.Header, data: content}
		kind, params, err := mime.ParseMediaType(p.Header.Get(disposition))
		if err != nil {
			return nil, false
		}
		// Not Part.FileName, which leaves out folders.
		c.filename, c.isFile = params["filename"]
		delete(params, "name")
		delete(params, "filename")
		c.rest = kind
		for _, name := range slices.Sorted(maps.Keys(params)) {
			c.rest += ";" + name + "=" + params[name]
		}
		if parts = append(parts, c); len(parts) > maxParts {
			return parts, true
		}
	}
}

func partFields(p at, parts []formPart) *fieldList {
	l := newFieldList(len(parts))
	for i := range parts {
		c := &parts[i]
		l.add(field{p.key(c.name), c.key(), string(c.data)})
	}
	return l
}

// key is the same for parts that are equal.
func (c *formPart) key() string {
	h := sha256.New()
	write := func(s string) {
		io.WriteString(h, s)
		h.Write([]byte{'\n'}) // which no header has
	}
	for _, name := range slices.Sorted(maps.Keys(c.header)) {
		if name == disposition {
			write(c.rest)
			continue
		}
		write(name + ":")
		for _, value := range c.header[name] {
			write(value)
		}
	}
	if c.isFile {
		write("filename")
		write(c.filename)
	}
	write("")
	h.Write(c.data)
	return string(h.Sum(nil))
}

// aroundParts returns what is before the first and behind the last delimiter of
// well-formed multipart data.
func aroundParts(data []byte, boundary string) state.Value {
	first := []byte("--" + boundary)
	before := 0 // how long what is before is
	for !isDelimiter(data[before:], first) {
		n := bytes.IndexByte(data[before:], '\n')
		if n < 0 {
			return state.Null()
		}
		before += n + 1
	}
	line, _, _ := bytes.Cut(data[before:], []byte("\n"))
	last := []byte("\n--" + boundary + "--")
	if bytes.HasSuffix(line, []byte("\r")) {
		last = append([]byte("\r"), last...)
	}
	if n := bytes.Index(data[before:], last); n >= 0 {
		_, line, _ = bytes.Cut(data[before+n:], []byte("\n"))
	} else {
		line = data[before:] // there are no parts
	}
	_, behind, _ := bytes.Cut(line, []byte("\n"))
	return state.NewList(state.Bytes(data[:before]), state.Bytes(behind)).Value()
}

// isDelimiter tells whether data begins with a line of nothing but a delimiter.
func isDelimiter(data, delimiter []byte) bool {
	rest, ok := bytes.CutPrefix(data, delimiter)
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	line = bytes.TrimSpace(line)
	return ok && (len(line) == 0 || string(line) == "--")
}
