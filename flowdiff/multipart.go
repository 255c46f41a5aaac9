package flowdiff

import (
	"bytes"
	"crypto/sha256"
	"io"
	"mime/multipart"
)

// A part is a field of multipart form data.
type part struct {
	name, filename, contentType string
	data                        []byte
}

// maxParts limits the fields of multipart form data that are compared by name.
const maxParts = 10000

// multipart compares two bodies of form data by field; it returns false if they
// are not well formed.
func (d *differ) multipart(p at, a, b []byte, boundaryA, boundaryB string) bool {
	partsA, ok1 := parseMultipart(a, boundaryA)
	partsB, ok2 := parseMultipart(b, boundaryB)
	if !ok1 || !ok2 {
		return false
	}
	x, y := partFields(p, partsA), partFields(p, partsB)
	matches := matchFields(x, y)
	d.fields(x, y, matches, func(p at, m match) {
		if !m.equal {
			d.part(p, partsA[m.i], partsB[m.j])
		}
	})
	d.order(x, y, matches)
	return true
}

// part compares two fields of the same name.
func (d *differ) part(p at, a, b part) {
	if a.filename != b.filename {
		d.addChanged(p.key("filename"), bytesValue(a.filename), bytesValue(b.filename))
	}
	if a.contentType != b.contentType {
		d.addChanged(p.key("content-type"), bytesValue(a.contentType), bytesValue(b.contentType))
	}
	before := d.found
	d.data(p, a.data, b.data, a.contentType, b.contentType)
	if d.found == before && !bytes.Equal(a.data, b.data) {
		d.add(p, Change{Kind: Changed, Body: bodyOf(a.data, b.data), Note: "same content, spelled differently"})
	}
}

// parseMultipart returns the parts of form data; ok is false if it is malformed, or
// has too many.
func parseMultipart(data []byte, boundary string) (parts []part, ok bool) {
	r := multipart.NewReader(bytes.NewReader(data), boundary)
	for {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return parts, true
		}
		if err != nil || len(parts) == maxParts || p.FormName() == "" {
			return nil, false
		}
		content, err := io.ReadAll(p)
		if err != nil {
			return nil, false
		}
		parts = append(parts, part{p.FormName(), p.FileName(), p.Header.Get("Content-Type"), content})
	}
}

func partFields(p at, parts []part) *fieldList {
	l := newFieldList(len(parts))
	for _, c := range parts {
		sum := sha256.Sum256(c.data)
		l.add(field{p.key(c.name), c.filename + "\x00" + c.contentType + "\x00" + string(sum[:]), string(c.data)})
	}
	return l
}
