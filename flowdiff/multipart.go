package flowdiff

import (
	"bytes"
	"crypto/sha256"
	"io"
	"mime/multipart"
)

// A part is a field of multipart form data.
type part struct {
	filename, contentType string
	data                  []byte
}

// maxParts limits the fields of multipart form data that are compared by name.
const maxParts = 10000

// multipart compares two bodies of form data by field; it returns false if they
// are not well formed.
func (d *differ) multipart(p at, a, b []byte, boundaryA, boundaryB string) bool {
	x, namesA, ok1 := parseMultipart(a, boundaryA, nil)
	y, names, ok2 := parseMultipart(b, boundaryB, namesA)
	if !ok1 || !ok2 {
		return false
	}
	for _, name := range names {
		several := len(x[name]) > 1 || len(y[name]) > 1
		for _, m := range matchLists(partKeys(x[name]), partKeys(y[name]), oneClass, oneClass) {
			q := p.key(name)
			if several {
				q = q.index(max(m.i, 0), max(m.j, 0))
			}
			switch {
			case m.moved:
				d.addMoved(q, m.i, m.j)
			case m.equal:
			case m.i < 0:
				d.add(q, Change{Kind: Added, New: bytesValue(string(y[name][m.j].data))})
			case m.j < 0:
				d.add(q, Change{Kind: Removed, Old: bytesValue(string(x[name][m.i].data))})
			default:
				d.part(q, x[name][m.i], y[name][m.j])
			}
		}
	}
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

// parseMultipart returns the parts of every name, and appends the names that are
// new to names.
func parseMultipart(data []byte, boundary string, names []string) (map[string][]part, []string, bool) {
	known := make(map[string]bool, len(names))
	for _, n := range names {
		known[n] = true
	}
	out := map[string][]part{}
	r := multipart.NewReader(bytes.NewReader(data), boundary)
	for n := 0; ; n++ {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return out, names, true
		}
		if err != nil || n == maxParts || p.FormName() == "" {
			return nil, nil, false
		}
		content, err := io.ReadAll(p)
		if err != nil {
			return nil, nil, false
		}
		name := p.FormName()
		if !known[name] {
			known[name] = true
			names = append(names, name)
		}
		out[name] = append(out[name], part{p.FileName(), p.Header.Get("Content-Type"), content})
	}
}

func partKeys(parts []part) []string {
	out := make([]string, len(parts))
	for i, p := range parts {
		s := sha256.Sum256(p.data)
		out[i] = p.filename + "\x00" + p.contentType + "\x00" + string(s[:])
	}
	return out
}
