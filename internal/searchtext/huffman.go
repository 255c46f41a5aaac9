package searchtext

import "sync"

// Tables for decoding DEFLATE (RFC 1951). A huffmanTable is indexed with the next bits of the
// stream, of which the first is the lowest. Codes longer than rootBits continue in a second table
// behind the first. An entry is, from the lowest bit:
//
//	bits 0-7    how many bits of the stream it takes, without extra ones
//	bits 8-11   how many extra bits follow it, or index a second table
//	bits 12-15  what it is
//	bits 16-31  a literal, the base of a length or distance, or where a second table begins
type huffmanTable struct {
	root    uint // the first table has 1<<root entries
	entries []uint32
}

// What an entry is. A base has none of these bits, so that the common cases need one test each.
const (
	isLiteral  = 1 << 15
	isTable    = 1 << 14
	isEnd      = 1 << 13
	isInvalid  = 1 << 12 // the code may not occur, because it has no meaning or nobody has it
	isSpecial  = isTable | isEnd | isInvalid
	extraShift = 8
	valueShift = 16
)

const (
	litlenRoot   = 11
	distanceRoot = 8
	codeRoot     = 7 // the longest code of a code length
	maxCode      = 15
	numLitlen    = 288
	numDistance  = 32
	endOfBlock   = 256
)

// symbols are the entries of all symbols, without their lengths.
type symbols struct {
	litlen   [numLitlen]uint32
	distance [numDistance]uint32
	code     [19]uint32
	// The codes of fixed blocks, which give codes to symbols that have no meaning.
	fixedLitlen, fixedDistance huffmanTable
}

var inflateSymbols = sync.OnceValue(func() *symbols {
	s := new(symbols)
	for i := range s.litlen {
		s.litlen[i] = isInvalid
	}
	for i := range uint32(endOfBlock) {
		s.litlen[i] = isLiteral | i<<valueShift
	}
	s.litlen[endOfBlock] = isEnd
	// From 8 on there are four lengths for each number of extra bits.
	base := uint32(3)
	for i := range uint32(28) {
		extra := uint32(0)
		if i >= 8 {
			extra = i/4 - 1
		}
		s.litlen[endOfBlock+1+i] = extra<<extraShift | base<<valueShift
		base += 1 << extra
	}
	s.litlen[285] = 258 << valueShift
	base = 1
	for i := range uint32(30) {
		extra := uint32(0)
		if i >= 4 {
			extra = i/2 - 1
		}
		s.distance[i] = extra<<extraShift | base<<valueShift
		base += 1 << extra
	}
	s.distance[30], s.distance[31] = isInvalid, isInvalid
	for i := range s.code {
		s.code[i] = uint32(i) << valueShift
	}

	var lens [numLitlen]uint8
	for i := range lens {
		switch {
		case i < 144:
			lens[i] = 8
		case i < 256:
			lens[i] = 9
		case i < 280:
			lens[i] = 7
		default:
			lens[i] = 8
		}
	}
	ok := s.fixedLitlen.build(lens[:], s.litlen[:], 9, false)
	for i := range numDistance {
		lens[i] = 5
	}
	if !ok || !s.fixedDistance.build(lens[:numDistance], s.distance[:], 5, false) {
		panic("searchtext: the codes of fixed blocks are invalid")
	}
	return s
})

// build makes the table of a code from the lengths of its symbols, 0 for those that have none. Like
// zlib it refuses a code with too many bit strings, and one with too few unless sparse is set and
// it has one bit. A code without any symbol is fine as long as it is not used.
func (t *huffmanTable) build(lens []uint8, symbols []uint32, root int, sparse bool) bool {
	var count [maxCode + 1]int
	for _, l := range lens {
		count[l]++
	}
	longest := maxCode
	for longest > 0 && count[longest] == 0 {
		longest--
	}
	if longest == 0 {
		t.root = 1
		t.entries = append(t.entries[:0], isInvalid|1, isInvalid|1)
		return true
	}
	left := 1
	for l := 1; l <= maxCode; l++ {
		if left = left<<1 - count[l]; left < 0 {
			return false
		}
	}
	if left > 0 && (!sparse || longest != 1) {
		return false
	}

	// The symbols that have codes, by length and then by number, which is the order of the codes.
	var start [maxCode + 2]int
	for l := 1; l <= maxCode; l++ {
		start[l+1] = start[l] + count[l]
	}
	var sorted [numLitlen]uint16
	for symbol, l := range lens {
		if l > 0 {
			sorted[start[l]] = uint16(symbol)
			start[l]++
		}
	}

	root = min(root, longest)
	t.root = uint(root)
	size := 1 << root
	t.entries = t.extend(0, size)
	if left > 0 {
		t.entries[0], t.entries[1] = isInvalid|1, isInvalid|1
	}
	code := 0 // with its first bit lowest
	prefix, second, secondBits := -1, 0, 0
	for _, symbol := range sorted[:start[longest]] {
		l := int(lens[symbol])
		if l <= root {
			e := symbols[symbol] | uint32(l)
			for i := code; i < size; i += 1 << l {
				t.entries[i] = e
			}
		} else {
			if code&(size-1) != prefix {
				prefix = code & (size - 1)
				// As many bits as the codes with this prefix need.
				secondBits = l - root
				for left := 1 << secondBits; secondBits+root < longest; secondBits++ {
					if left -= count[secondBits+root]; left <= 0 {
						break
					}
					left <<= 1
				}
				second = len(t.entries)
				t.entries = t.extend(second, 1<<secondBits)
				t.entries[prefix] = isTable | uint32(root) | uint32(secondBits)<<extraShift | uint32(second)<<valueShift
			}
			e := symbols[symbol] | uint32(l-root)
			for i := code >> root; i < 1<<secondBits; i += 1 << (l - root) {
				t.entries[second+i] = e
			}
		}
		count[l]--
		// The next code, as if counting from the highest bit.
		bit := 1 << (l - 1)
		for code&bit != 0 {
			bit >>= 1
		}
		if bit == 0 {
			break // it was the last
		}
		code = code&(bit-1) | bit
	}
	return true
}

// extend returns the first n entries with room for size more.
func (t *huffmanTable) extend(n, size int) []uint32 {
	if n+size <= cap(t.entries) {
		return t.entries[:n+size]
	}
	return append(t.entries[:n], make([]uint32, size)...)
}
