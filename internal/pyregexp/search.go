package pyregexp

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// A needle is a string to be found in long texts. Some of its bytes can be classes.
type needle struct {
	text []byte // in lower case if fold
	fold bool   // ASCII letters match in both cases
	// classes has the bytes that match where the needle is not a fixed byte, and nil where it is.
	// It is nil if all bytes are fixed.
	classes []*[256]bool
	// partial says that all that the needle finds is right, but that texts beyond ASCII can have
	// matches that it does not find: variants of letters, or characters of a class.
	partial bool
	most    int // the length of the longest match, in bytes

	// rare and next are the indexes in text of the two bytes that are expected to be the rarest.
	// They are the same if only one byte is fixed.
	rare, next int
	lower, up  byte    // the rare byte, and its other case or the same
	fallback   []int32 // see newFallback
}

// newNeedle returns a needle for characters that follow each other, or nil if there is none. Every
// unit is a character or class.
func newNeedle(units []*node, kind Kind) *needle {
	n := &needle{}
	exact := map[int]bool{} // indexes of letters that match in one case only
	for _, u := range units {
		if u.op == opChar && u.set == nil && u.r < utf8.RuneSelf && isLetter(toLower[byte(u.r)]) {
			exact[len(n.text)] = true
		}
		if !n.add(u, kind) {
			return nil
		}
	}
	if n.fold {
		for i := range exact {
			n.setClass(i, only(rune(n.text[i])))
		}
	}
	if len(n.text) == 0 {
		return n
	}
	if n.rare = n.rarest(-1); n.rare < 0 {
		return nil
	}
	if n.next = n.rarest(n.rare); n.next < 0 {
		n.next = n.rare
	}
	n.lower, n.up = n.text[n.rare], n.text[n.rare]
	if n.fold && isLetter(n.lower) {
		n.up &^= 0x20
	}
	if n.classes == nil {
		n.fallback = newFallback(n.text)
	} else {
		n.classes = append(n.classes, make([]*[256]bool, len(n.text)-len(n.classes))...)
	}
	return n
}

// add appends a character or class, and reports whether it could.
func (n *needle) add(u *node, kind Kind) bool {
	set := u.chars()
	if len(set) == 0 {
		return false
	}
	last := set[len(set)-1].hi
	switch {
	case kind == Bytes:
		n.most++
	case utf8.ValidRune(last):
		n.most += utf8.RuneLen(last)
	default:
		n.most += utf8.UTFMax
	}
	if u.op == opChar && u.set == nil {
		if kind == Bytes {
			n.text = append(n.text, byte(u.r))
			return true
		}
		n.text = utf8.AppendRune(n.text, u.r)
		return utf8.ValidRune(u.r)
	}
	if kind == Text {
		n.partial = n.partial || set.overlaps(utf8.RuneSelf, maxRune)
		set = set.within(0, utf8.RuneSelf-1)
	}
	if set.size() == 2 && len(set) == 2 && set[0].lo|0x20 == set[1].lo && isLetter(byte(set[1].lo)) {
		n.fold = true
		n.text = append(n.text, byte(set[1].lo))
		return true
	}
	n.setClass(len(n.text), set)
	n.text = append(n.text, 0)
	return len(set) > 0
}

// setClass makes the byte at index i a class. The one before it has been appended.
func (n *needle) setClass(i int, set runeSet) {
	for len(n.classes) <= i {
		n.classes = append(n.classes, nil)
	}
	n.classes[i] = new([256]bool)
	for _, x := range set {
		for r := x.lo; r <= x.hi; r++ {
			n.classes[i][r] = true
		}
	}
}

// rarest returns the index of the rarest byte of the text, the one at index not apart, or -1.
func (n *needle) rarest(not int) int {
	best, bestCost := -1, 1<<20
	for i := range n.text {
		if i == not || n.isClass(i) {
			continue
		}
		if c := n.cost(i); c < bestCost {
			best, bestCost = i, c
		}
	}
	return best
}

// isClass reports whether the byte at index i is a class.
func (n *needle) isClass(i int) bool { return i < len(n.classes) && n.classes[i] != nil }

// cost says how common the byte at index i is, on a logarithmic scale.
func (n *needle) cost(i int) int {
	c := n.text[i]
	cost := int(byteFrequency[c])
	if n.fold && isLetter(c) {
		cost = max(cost, int(byteFrequency[c&^0x20])) + 20
	}
	return cost
}

// isLetter reports whether c is an ASCII letter in lower case.
func isLetter(c byte) bool { return 'a' <= c && c <= 'z' }

// toLower maps bytes to what they are compared by when ASCII case is ignored.
var toLower = func() (t [256]byte) {
	for i := range t {
		t[i] = byte(i)
		if 'A' <= i && i <= 'Z' {
			t[i] |= 0x20
		}
	}
	return t
}()

const (
	// window is the length of the parts in which a text is searched for one byte and then for its
	// other case: short enough for the second time to be in the cache.
	window = 1 << 15
	// gaveUp is what index returns if it took too long.
	gaveUp = -2
)

// index returns where the needle is in s, at from or behind, or -1. If there are classes it can
// also be gaveUp.
//
// There are three ways to search, and each passes on to the next if there turns out to be too much
// to compare: from one rare byte to the next; eight places at a time, for two bytes; and a search
// that takes the same time on any text, but knows no classes.
func (n *needle) index(s []byte, from int) int {
	if len(n.text) == 0 {
		return from
	}
	end := len(s) - len(n.text) + n.rare + 1 // of the places where the rare byte can be
	tries := 0
	for begin := from + n.rare; begin < end; {
		part := s[begin:min(begin+window, end)]
		lower, up := indexByte(part, 0, n.lower), len(part)
		if n.up != n.lower {
			up = indexByte(part, 0, n.up)
		}
		for {
			i := min(lower, up)
			if i == len(part) {
				break
			}
			at := begin + i - n.rare
			if n.isAt(s[at:]) {
				return at
			}
			if tries++; tries > 16 && tries > (at-from)/64 {
				return n.pairIndex(s, at+1)
			}
			if i == lower {
				lower = indexByte(part, i+1, n.lower)
			} else {
				up = indexByte(part, i+1, n.up)
			}
		}
		begin += len(part)
	}
	return -1
}

// indexByte returns the index of c in s, at from or behind, or the length of s.
func indexByte(s []byte, from int, c byte) int {
	if i := bytes.IndexByte(s[from:], c); i >= 0 {
		return from + i
	}
	return len(s)
}

// isAt reports whether s begins with the needle.
func (n *needle) isAt(s []byte) bool {
	if len(s) < len(n.text) {
		return false
	}
	if len(n.text) == 0 {
		return true
	}
	if !n.fits(s[n.next], n.next) {
		return false
	}
	s = s[:len(n.text)]
	if n.classes == nil && !n.fold {
		return string(s) == string(n.text)
	}
	for i, c := range s {
		if !n.fits(c, i) {
			return false
		}
	}
	return true
}

// fits reports whether c can be the byte at index i.
func (n *needle) fits(c byte, i int) bool {
	if n.classes != nil && n.classes[i] != nil {
		return n.classes[i][c]
	}
	if n.fold {
		c = toLower[c]
	}
	return c == n.text[i]
}

// pairIndex is index by looking for two bytes of the needle at their distance.
func (n *needle) pairIndex(s []byte, from int) int {
	const step = 16
	first, second := n.broadcast(n.rare), n.broadcast(n.next)
	end := len(s) - len(n.text) + 1 // of the places to look at
	i, work := from, 0
	for ; end-i >= step; i += step {
		a, b := s[i+n.rare:][:step], s[i+n.next:][:step]
		// A byte of the two differences together is zero where both bytes of the needle are.
		x := zeroBytes(first.differ(a[:8]) | second.differ(b[:8]))
		y := zeroBytes(first.differ(a[8:]) | second.differ(b[8:]))
		if x|y == 0 {
			continue
		}
		if at := n.firstOf(s, i, x); at >= 0 {
			return at
		}
		if at := n.firstOf(s, i+8, y); at >= 0 {
			return at
		}
		if work += step + bits.OnesCount64(x|y)*len(n.text); work > 1024+i-from {
			if n.classes != nil {
				return gaveUp
			}
			return n.steadyIndex(s, i+step)
		}
	}
	for ; i < end; i++ {
		if n.isAt(s[i:]) {
			return i
		}
	}
	return -1
}

// A pattern8 is one byte eight times, for a comparison with eight bytes at once.
type pattern8 struct{ bytes, caseBits uint64 }

// broadcast returns the byte at index i of the needle eight times.
func (n *needle) broadcast(i int) pattern8 {
	const ones = 0x0101010101010101
	p := pattern8{bytes: uint64(n.text[i]) * ones}
	if n.fold && isLetter(n.text[i]) {
		p.caseBits = 0x20 * ones
	}
	return p
}

// differ returns eight bytes of which those are zero where s has the byte, in any case.
func (p pattern8) differ(s []byte) uint64 {
	return (binary.LittleEndian.Uint64(s) | p.caseBits) ^ p.bytes
}

// zeroBytes returns the top bits of the zero bytes of x, and maybe of some bytes above them.
func zeroBytes(x uint64) uint64 {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	return (x - ones) &^ x & tops
}

// firstOf returns where the needle is, of the places from i on whose bits are set, or -1.
func (n *needle) firstOf(s []byte, i int, places uint64) int {
	for ; places != 0; places &= places - 1 {
		if at := i + bits.TrailingZeros64(places)/8; n.isAt(s[at:]) {
			return at
		}
	}
	return -1
}

// newFallback returns, for each prefix of text, the length of the longest shorter prefix that is
// also its end: what is left of a match of the prefix if the next byte is another one.
func newFallback(text []byte) []int32 {
	f := make([]int32, len(text))
	k := int32(0)
	for i := 1; i < len(text); i++ {
		for k > 0 && text[i] != text[k] {
			k = f[k-1]
		}
		if text[i] == text[k] {
			k++
		}
		f[i] = k
	}
	return f
}

// steadyIndex is index by the method of Knuth, Morris and Pratt, which looks at every byte once.
func (n *needle) steadyIndex(s []byte, from int) int {
	k := 0
	for i := from; i < len(s); i++ {
		c := s[i]
		if n.fold {
			c = toLower[c]
		}
		for k > 0 && n.text[k] != c {
			k = int(n.fallback[k-1])
		}
		if n.text[k] == c {
			if k++; k == len(n.text) {
				return i - k + 1
			}
		}
	}
	return -1
}

// byteFrequency says how common bytes are in what is searched: headers, HTML, JSON, scripts,
// styles, and some binary data. The scale is logarithmic: 255 is the most common byte, and 0 is
// about 150 times rarer.
var byteFrequency = [256]byte{
	60, 6, 4, 4, 3, 3, 2, 3, 3, 33, 185, 2, 2, 7, 1, 2,
	2, 1, 1, 2, 2, 1, 2, 3, 4, 1, 2, 1, 2, 1, 2, 3,
	255, 53, 200, 68, 8, 18, 36, 47, 72, 71, 32, 36, 137, 137, 138, 136, //  !"#$%&'()*+,-./
	151, 163, 137, 128, 119, 130, 108, 119, 115, 114, 195, 147, 143, 114, 144, 16, // 0123456789:;<=>?
	11, 101, 80, 90, 70, 91, 66, 70, 74, 87, 39, 45, 69, 80, 74, 60, // @ABCDEFGHIJKLMNO
	65, 60, 69, 83, 100, 69, 54, 52, 57, 52, 48, 43, 37, 89, 42, 109, // PQRSTUVWXYZ[\]^_
	5, 195, 128, 164, 162, 220, 135, 133, 158, 189, 50, 90, 184, 152, 183, 180, // `abcdefghijklmno
	164, 59, 185, 188, 212, 144, 124, 106, 169, 124, 53, 126, 16, 130, 73, 3, // pqrstuvwxyz{|}~
	5, 2, 3, 2, 2, 3, 2, 3, 2, 2, 2, 4, 2, 2, 2, 2,
	2, 2, 1, 3, 2, 2, 2, 2, 0, 2, 1, 2, 1, 5, 3, 6,
	2, 1, 2, 3, 1, 1, 2, 4, 3, 36, 2, 2, 5, 2, 3, 6,
	2, 6, 2, 1, 2, 3, 2, 2, 2, 0, 5, 1, 3, 2, 2, 5,
	2, 3, 3, 41, 1, 2, 3, 2, 1, 3, 3, 2, 1, 1, 2, 1,
	0, 2, 3, 1, 3, 2, 3, 1, 4, 2, 1, 2, 2, 1, 3, 2,
	2, 3, 4, 2, 6, 0, 4, 2, 1, 2, 2, 3, 1, 2, 2, 3,
	3, 3, 2, 1, 2, 2, 2, 3, 2, 2, 2, 2, 1, 3, 3, 2,
}
