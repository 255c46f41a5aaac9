package searchtext

import (
	"encoding/binary"
	"errors"
)

// How inflating ends early. None of these errors leaves the package.
var (
	errTruncated = errors.New("data end too early")
	errCorrupt   = errors.New("data are corrupt")
	errLimit     = errors.New("output exceeds the limit")
)

// An inflater undoes DEFLATE (RFC 1951) like zlib, down to the bit at which a stream that is cut
// short or damaged stops: it decodes what the bits that are there determine, and takes no bit into
// account that it need not have. Package flate is not as exact. It wants all bits of the longest
// code that could follow before it decodes a shorter one, looks at some values before zlib has all
// bits that it checks together, and accepts blocks that cannot end.
//
// All input is in memory, and so is all output, which therefore is its own window.
type inflater struct {
	in   []byte
	pos  int    // of the next byte to load
	bits uint64 // what is loaded and not used, from the lowest bit
	n    uint   // how many bits are; above them there are zeros or the bits that follow

	out   []byte // its length is what may be used
	end   int    // of the output so far
	limit int    // of end

	litlen, distance, code huffmanTable
}

// inflate decodes a stream into the memory of buf, if that suffices, and returns the output and, if
// the stream is complete, what follows it. With errTruncated, the output is what could be decoded.
func (d *inflater) inflate(buf, in []byte, limit int) (out, rest []byte, err error) {
	d.in, d.pos, d.bits, d.n = in, 0, 0, 0
	d.out, d.end, d.limit = buf[:min(cap(buf), limit)], 0, limit
	for last := false; !last && err == nil; {
		last, err = d.block()
	}
	d.alignToByte()
	out, rest = d.out[:d.end], in[d.pos:]
	d.in, d.out = nil, nil
	return out, rest, err
}

// block decodes a block.
func (d *inflater) block() (last bool, err error) {
	if !d.need(3) {
		return false, errTruncated
	}
	header := d.take(3)
	switch last = header&1 != 0; header >> 1 {
	case 0:
		err = d.stored()
	case 1:
		s := inflateSymbols()
		err = d.compressed(&s.fixedLitlen, &s.fixedDistance)
	case 2:
		if err = d.codes(); err == nil {
			err = d.compressed(&d.litlen, &d.distance)
		}
	default:
		err = errCorrupt
	}
	return last, err
}

// need loads bits until there are count, which is at most 32, and fails at the end of the input.
func (d *inflater) need(count uint) bool {
	for d.n < count {
		if d.pos == len(d.in) {
			return false
		}
		d.bits |= uint64(d.in[d.pos]) << d.n
		d.pos++
		d.n += 8
	}
	return true
}

// take uses bits that are loaded.
func (d *inflater) take(count uint) uint {
	v := uint(d.bits & (1<<count - 1))
	d.bits >>= count
	d.n -= count
	return v
}

// alignToByte skips the rest of a byte that was used in part, and unloads others.
func (d *inflater) alignToByte() {
	d.pos -= int(d.n / 8)
	d.bits, d.n = 0, 0
}

// stored copies a block that is not compressed.
func (d *inflater) stored() error {
	d.alignToByte()
	if len(d.in)-d.pos < 4 {
		return errTruncated
	}
	size, check := binary.LittleEndian.Uint16(d.in[d.pos:]), binary.LittleEndian.Uint16(d.in[d.pos+2:])
	if size != ^check {
		return errCorrupt
	}
	d.pos += 4
	data := d.in[d.pos:]
	data = data[:min(len(data), int(size))]
	if !d.room(len(data)) {
		return errLimit
	}
	d.end += copy(d.out[d.end:], data)
	d.pos += len(data)
	if len(data) < int(size) {
		return errTruncated
	}
	return nil
}

// room makes room for count more bytes of output, and fails if that exceeds the limit.
func (d *inflater) room(count int) bool {
	if count <= len(d.out)-d.end {
		return true
	}
	if count > d.limit-d.end {
		return false
	}
	const smallest = 4 << 10
	size := d.limit
	if len(d.out) < d.limit/2 {
		size = min(max(2*len(d.out), d.end+count, smallest), d.limit)
	}
	out := make([]byte, size)
	copy(out, d.out[:d.end])
	d.out = out
	return true
}

// codeOrder is the order in which the lengths of the codes of code lengths are stored.
var codeOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// codes reads the codes of a block that has its own.
func (d *inflater) codes() error {
	if !d.need(14) {
		return errTruncated
	}
	numLitlen := int(d.take(5)) + 257
	numDistance := int(d.take(5)) + 1
	numCode := int(d.take(4)) + 4
	if numLitlen > 286 || numDistance > 30 {
		return errCorrupt
	}
	var lens [286 + 30]uint8
	for _, symbol := range codeOrder[:numCode] {
		if !d.need(3) {
			return errTruncated
		}
		lens[symbol] = uint8(d.take(3))
	}
	s := inflateSymbols()
	if !d.code.build(lens[:len(codeOrder)], s.code[:], codeRoot, false) {
		return errCorrupt
	}
	clear(lens[:len(codeOrder)])

	total := numLitlen + numDistance
	for i := 0; i < total; {
		d.need(maxCode) // or all there are
		e := d.code.entries[d.bits&(1<<d.code.root-1)]
		size := uint(e & 0xff)
		if size > d.n {
			return errTruncated
		}
		// The code without symbols gives all symbols the length 0 here; the block then has no end.
		symbol := e >> valueShift
		if symbol < 16 {
			d.take(size)
			lens[i] = uint8(symbol)
			i++
			continue
		}
		extra, repeat := uint(2), 3
		switch symbol {
		case 17:
			extra = 3
		case 18:
			extra, repeat = 7, 11
		}
		if size+extra > d.n {
			return errTruncated
		}
		d.take(size)
		repeat += int(d.take(extra))
		length := uint8(0)
		if symbol == 16 {
			if i == 0 {
				return errCorrupt
			}
			length = lens[i-1]
		}
		if repeat > total-i {
			return errCorrupt
		}
		for range repeat {
			lens[i] = length
			i++
		}
	}
	if lens[endOfBlock] == 0 ||
		!d.litlen.build(lens[:numLitlen], s.litlen[:], litlenRoot, true) ||
		!d.distance.build(lens[numLitlen:total], s.distance[:], distanceRoot, true) {
		return errCorrupt
	}
	return nil
}

// compressed decodes the symbols of a block.
func (d *inflater) compressed(litlen, distance *huffmanTable) error {
	for {
		if len(d.in)-d.pos >= fastInput && d.enough(fastOutput) {
			if end, err := d.fast(litlen, distance); end || err != nil {
				return err
			}
		}
		if end, err := d.slow(litlen, distance); end || err != nil {
			return err
		}
	}
}

// enough tells whether there is room for count more bytes, and makes it unless that exceeds the
// limit.
func (d *inflater) enough(count int) bool {
	return count <= len(d.out)-d.end || count <= d.limit-d.end && d.room(count)
}

// slow decodes a literal or a match, and looks at every bit whether it is there.
func (d *inflater) slow(litlen, distance *huffmanTable) (end bool, err error) {
	for d.n <= 56 && d.pos < len(d.in) {
		d.bits |= uint64(d.in[d.pos]) << d.n
		d.pos++
		d.n += 8
	}
	// A copy of the state: no symbol is used before all of it is there.
	bits, n := d.bits, d.n
	e, used := litlen.lookup(bits)
	if used > n {
		return false, errTruncated
	}
	bits, n = bits>>used, n-used
	switch {
	case e&isLiteral != 0:
		if !d.room(1) {
			return false, errLimit
		}
		d.out[d.end] = byte(e >> valueShift)
		d.end++
		d.bits, d.n = bits, n
		return false, nil
	case e&isEnd != 0:
		d.bits, d.n = bits, n
		return true, nil
	case e&isInvalid != 0:
		return false, errCorrupt
	}
	extra := uint(e >> extraShift & 15)
	if extra > n {
		return false, errTruncated
	}
	length := int(e>>valueShift) + int(bits&(1<<extra-1))
	bits, n = bits>>extra, n-extra

	e, used = distance.lookup(bits)
	if used > n {
		return false, errTruncated
	}
	bits, n = bits>>used, n-used
	if e&isInvalid != 0 {
		return false, errCorrupt
	}
	extra = uint(e >> extraShift & 15)
	if extra > n {
		return false, errTruncated
	}
	back := int(e>>valueShift) + int(bits&(1<<extra-1))
	d.bits, d.n = bits>>extra, n-extra
	if back > d.end {
		return false, errCorrupt
	}
	if !d.room(length) {
		return false, errLimit
	}
	for range length {
		d.out[d.end] = d.out[d.end-back]
		d.end++
	}
	return false, nil
}

// lookup returns the entry of the code that bits begin with, and its length.
func (t *huffmanTable) lookup(bits uint64) (e uint32, used uint) {
	e = t.entries[bits&(1<<t.root-1)]
	used = uint(e & 0xff)
	if e&isTable != 0 {
		e = t.entries[uint64(e>>valueShift)+bits>>used&(1<<(e>>extraShift&15)-1)]
		used += uint(e & 0xff)
	}
	return e, used
}
