package jsonl

import (
	"encoding/base64"
	"slices"
	"strconv"

	"github.com/flowtool/flowtool/internal/jsonscan"
	"github.com/flowtool/flowtool/state"
)

// encode appends the record that the nodes make.
func (d *decoder) encode(dst []byte) ([]byte, error) {
	start := len(dst)
	size := encodedSize(d.nodes[0].size)
	out := slices.Grow(dst, size)[:start+size]
	if err := d.write(out[start:], 0); err != nil {
		return dst, err
	}
	return out, nil
}

// write writes node at, with what is in it, to out, which has its size.
func (d *decoder) write(out []byte, at int) *Error {
	n := &d.nodes[at]
	pos := writePrefix(out, n.size)
	out[len(out)-1] = n.tag
	payload := out[pos : len(out)-1]
	switch n.form {
	case formNodes:
	case formLine:
		copy(payload, d.line[n.start:n.end])
		return nil
	default:
		return d.fill(payload, at)
	}
	if n.tag == ']' {
		for c := at + 1; c < int(n.next); c = int(d.nodes[c].next) {
			size := encodedSize(d.nodes[c].size)
			if err := d.write(payload[:size:size], c); err != nil {
				return err
			}
			payload = payload[size:]
		}
		return nil
	}
	// The first entry comes last.
	for k := at + 1; k < int(n.next); k = int(d.nodes[k+1].next) {
		ksize, vsize := encodedSize(d.nodes[k].size), encodedSize(d.nodes[k+1].size)
		entry := payload[len(payload)-ksize-vsize:]
		if err := d.write(entry[:ksize:ksize], k); err != nil {
			return err
		}
		if err := d.write(entry[ksize:], k+1); err != nil {
			return err
		}
		payload = payload[:len(payload)-ksize-vsize]
	}
	return nil
}

// writePrefix writes the length of an element and returns how long that is.
func writePrefix(out []byte, size int) int {
	switch {
	case size < 10:
		out[0], out[1] = '0'+byte(size), ':'
		return 2
	case size < 100:
		out[0], out[1], out[2] = '0'+byte(size/10), '0'+byte(size%10), ':'
		return 3
	}
	n := len(strconv.AppendInt(out[:0], int64(size), 10))
	out[n] = ':'
	return n + 1
}

// fill writes the payload of a node that is no container.
func (d *decoder) fill(payload []byte, at int) *Error {
	n := &d.nodes[at]
	switch n.form {
	case formLine:
		copy(payload, d.line[n.start:n.end])
	case formExtra:
		copy(payload, d.extra[n.start:n.end])
	case formGiven:
		copy(payload, d.given.contents[n.start])
	case formMessage:
		copy(payload, d.given.messages[n.start])
	case formPairs:
		writePairs(payload, d.given.headers[n.start])
	case formEscaped:
		jsonscan.Unescape(payload, d.line[n.start:n.end])
	case formBase64:
		// Line breaks, which the decoder skips, cannot stand in a string.
		got, err := base64.StdEncoding.Strict().Decode(payload, d.line[n.start:n.end])
		if err != nil || got != len(payload) {
			return d.at(at, errBase64)
		}
	}
	return nil
}

// payload returns the payload of a node that is no container.
func (d *decoder) payload(at int) ([]byte, *Error) {
	n := &d.nodes[at]
	switch n.form {
	case formLine:
		return d.line[n.start:n.end], nil
	case formExtra:
		return d.extra[n.start:n.end], nil
	}
	p := make([]byte, n.size)
	return p, d.fill(p, at)
}

// at returns an error about a node, whose path it finds out.
func (d *decoder) at(at int, err error) *Error {
	e := fail(d.nodes[at].start, err)
	e.Path = d.path(0, at)
	return e
}

// path returns the path from node c to node at, which is in it.
func (d *decoder) path(c, at int) (p state.Path) {
	for c != at {
		container := &d.nodes[c]
		if container.form != formNodes {
			return p
		}
		child, i, key := c+1, 0, -1
		for ; child < int(container.next); i++ {
			if container.tag == '}' {
				key = child
				child++
			}
			if at < int(d.nodes[child].next) {
				break
			}
			child = int(d.nodes[child].next)
		}
		if key == at || child >= int(container.next) {
			return p
		}
		if key < 0 {
			p = p.Index(i)
		} else if k, err := d.payload(key); err == nil {
			p = p.Key(string(k))
		}
		c = child
	}
	return p
}
