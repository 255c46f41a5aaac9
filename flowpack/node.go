package flowpack

import "io"

// A source is what a [msgpack.Decoder] reads.
type source struct {
	data []byte
	pos  int
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	if s.pos == len(s.data) {
		return 0, io.EOF
	}
	n := copy(p, s.data[s.pos:])
	s.pos += n
	return n, nil
}

// ReadByte implements io.ByteScanner.
func (s *source) ReadByte() (byte, error) {
	if s.pos == len(s.data) {
		return 0, io.EOF
	}
	s.pos++
	return s.data[s.pos-1], nil
}

// UnreadByte implements io.ByteScanner.
func (s *source) UnreadByte() error {
	s.pos--
	return nil
}

// left returns the number of bytes that have not been read.
func (s *source) left() int { return len(s.data) - s.pos }

// A node is a value.
type node struct {
	start int   // of its payload in the source or in extra
	size  int   // of the payload in the dump
	next  int32 // the node behind it and all that is in it
	head  uint8 // size of the prefix in the dump
	tag   byte
	extra bool // where the payload is
}

// whole returns the size of the element in the dump.
func (n *node) whole() int { return int(n.head) + n.size + 1 }

// headSize returns the size of the prefix of an element with a payload of n
// bytes.
func headSize(n int) uint8 {
	size := uint8(len("0:"))
	for n > 9 {
		size++
		n /= 10
	}
	return size
}

// write writes node at, with what is in it, to out, which has its size.
func (d *decoder) write(out []byte, at int) {
	n := &d.nodes[at]
	writePrefix(out[:n.head], n.size)
	out[len(out)-1] = n.tag
	payload := out[n.head : len(out)-1]
	switch n.tag {
	case ']':
		for c := at + 1; c < int(n.next); c = int(d.nodes[c].next) {
			size := d.nodes[c].whole()
			d.write(payload[:size:size], c)
			payload = payload[size:]
		}
	case '}':
		// The first entry comes last.
		for k := at + 1; k < int(n.next); k = int(d.nodes[k+1].next) {
			key, val := d.nodes[k].whole(), d.nodes[k+1].whole()
			entry := payload[len(payload)-key-val:]
			d.write(entry[:key:key], k)
			d.write(entry[key:], k+1)
			payload = payload[:len(payload)-key-val]
		}
	default:
		copy(payload, d.bytes(n))
	}
}

// writePrefix writes the length of an element to out, which has its size.
func writePrefix(out []byte, size int) {
	i := len(out) - 1
	out[i] = ':'
	for size > 9 {
		i--
		out[i] = '0' + byte(size%10)
		size /= 10
	}
	out[i-1] = '0' + byte(size)
}
