package searchtext

import "encoding/binary"

const (
	// fastInput is how many bytes of input the fast loop wants for an iteration: for loading
	// bits twice.
	fastInput = 16
	// fastOutput is how many bytes of output it wants: for literals and then a match, which may
	// be overshot by a word.
	fastOutput = 3 + 258 + 8
)

// fast decodes as many symbols as it can without looking whether there are enough bits and room.
func (d *inflater) fast(litlen, distance *huffmanTable) (end bool, err error) {
	in, out := d.in, d.out
	pos, at := d.pos, d.end
	bits, n := d.bits, d.n
	lits, dists := litlen.entries, distance.entries
	litMask, distMask := uint64(1)<<litlen.root-1, uint64(1)<<distance.root-1

	for len(in)-pos >= fastInput && len(out)-at >= fastOutput {
		// Load as many whole bytes as fit, and the bits of the next one too, which will be
		// loaded again.
		bits |= binary.LittleEndian.Uint64(in[pos:]) << (n & 63)
		pos += int(63-n) >> 3
		n |= 56

		// Up to three literals with short codes. A loop would take a tenth longer.
		e := lits[bits&litMask]
		if e&isLiteral != 0 {
			bits >>= e & 63
			n -= uint(e & 0xff)
			out[at] = byte(e >> valueShift)
			at++
			e = lits[bits&litMask]
			if e&isLiteral != 0 {
				bits >>= e & 63
				n -= uint(e & 0xff)
				out[at] = byte(e >> valueShift)
				at++
				e = lits[bits&litMask]
				if e&isLiteral != 0 {
					bits >>= e & 63
					n -= uint(e & 0xff)
					out[at] = byte(e >> valueShift)
					at++
					continue
				}
			}
		}
		if e&isSpecial != 0 {
			if e&isTable != 0 {
				bits >>= e & 63
				n -= uint(e & 0xff)
				e = lits[uint64(e>>valueShift)+bits&(1<<(e>>extraShift&15)-1)]
				if e&isLiteral != 0 {
					bits >>= e & 63
					n -= uint(e & 0xff)
					out[at] = byte(e >> valueShift)
					at++
					continue
				}
			}
			if e&isInvalid != 0 {
				err = errCorrupt
				break
			}
			if e&isEnd != 0 {
				bits >>= e & 63
				n -= uint(e & 0xff)
				end = true
				break
			}
		}
		bits >>= e & 63
		n -= uint(e & 0xff)
		extra := uint(e >> extraShift & 15)
		length := int(e>>valueShift) + int(bits&(1<<extra-1))
		bits >>= extra
		n -= extra

		bits |= binary.LittleEndian.Uint64(in[pos:]) << (n & 63)
		pos += int(63-n) >> 3
		n |= 56

		e = dists[bits&distMask]
		if e&isTable != 0 {
			bits >>= e & 63
			n -= uint(e & 0xff)
			e = dists[uint64(e>>valueShift)+bits&(1<<(e>>extraShift&15)-1)]
		}
		if e&isInvalid != 0 {
			err = errCorrupt
			break
		}
		bits >>= e & 63
		n -= uint(e & 0xff)
		extra = uint(e >> extraShift & 15)
		back := int(e>>valueShift) + int(bits&(1<<extra-1))
		bits >>= extra
		n -= extra
		if back > at {
			err = errCorrupt
			break
		}
		copyMatch(out, at, back, length)
		at += length
	}

	d.pos, d.end, d.bits, d.n = pos, at, bits, n
	return end, err
}

// copyMatch copies length bytes from back bytes before at to at. It may overshoot by a word.
func copyMatch(out []byte, at, back, length int) {
	from := at - back
	switch {
	case back >= length && length > 32:
		copy(out[at:at+length], out[from:])
	case back >= 8:
		for i := 0; i < length; i += 8 {
			binary.LittleEndian.PutUint64(out[at+i:], binary.LittleEndian.Uint64(out[from+i:]))
		}
	case back == 1:
		word := uint64(out[from]) * 0x0101010101010101
		for i := 0; i < length; i += 8 {
			binary.LittleEndian.PutUint64(out[at+i:], word)
		}
	default:
		for i := range length {
			out[at+i] = out[from+i]
		}
	}
}
