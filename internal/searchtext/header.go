package searchtext

import "strconv"

// AppendField appends a header field as it stands in the header block that operators ~h, ~hq and
// ~hs search: bytes(headers) in mitmproxy. The block is all fields in their order, every line with
// its end, and empty without fields.
func AppendField(dst, name, value []byte) []byte {
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...)
}

// Joined is the value of a header with any number of fields: their values, joined with a comma and
// a space, as mitmproxy's headers[name] has them. The zero value has no fields.
type Joined struct {
	value []byte
	buf   []byte // is value if there are several fields
	n     int
}

// Add adds the value of a field. The only one is aliased, until the next Add.
func (j *Joined) Add(value []byte) {
	switch j.n {
	case 0:
		j.value = value
	case 1:
		j.buf = append(j.buf[:0], j.value...)
		fallthrough
	default:
		j.buf = append(j.buf, ", "...)
		j.buf = append(j.buf, value...)
		j.value = j.buf
	}
	j.n++
}

// Value returns the joined value, nil without fields. It is valid until the next Add or Reset.
func (j *Joined) Value() []byte { return j.value }

// Present tells whether there is any field. Its value may be empty.
func (j *Joined) Present() bool { return j.n > 0 }

// Reset removes all fields and keeps the memory.
func (j *Joined) Reset() { j.value, j.n = nil, 0 }

// AppendAddress appends an address as operators ~src and ~dst search it: the first two elements
// of what is stored, with a colon between them. IPv6 addresses have no brackets. An address that is
// null or an empty list is not searched at all.
func AppendAddress(dst, host []byte, port int64) []byte {
	dst = append(dst, host...)
	dst = append(dst, ':')
	return strconv.AppendInt(dst, port, 10)
}
