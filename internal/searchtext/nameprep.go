package searchtext

import (
	"slices"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// nameprep prepares a label for comparison (RFC 3491): it folds case, normalizes, and fails if that
// leaves something that is prohibited. Code points without a meaning in Unicode 3.2 are allowed.
func nameprep(label []rune) ([]rune, bool) {
	mapped := make([]rune, 0, len(label))
	for _, r := range label {
		if utf8.RuneLen(r) < 0 { // a surrogate out of punycode
			return nil, false
		}
		if !unicode.Is(mappedToNothing, r) {
			mapped = appendFolded(mapped, r)
		}
		if len(mapped) > 4*maxLabel { // too long for a label, because no more than four compose
			return nil, false
		}
	}
	label = nfkc(mapped)
	for _, r := range label {
		if unicode.Is(prohibited, r) {
			return nil, false
		}
	}
	return label, mayMixDirections(label)
}

// mayMixDirections checks what RFC 3454, 6, says about bidirectional text: in a label with
// right-to-left characters one is first, one is last, and none is left-to-right.
func mayMixDirections(label []rune) bool {
	rtl := func(r rune) bool { return unicode.Is(rightToLeft, r) }
	ltr := func(r rune) bool { return unicode.Is(leftToRight, r) }
	return !slices.ContainsFunc(label, rtl) ||
		!slices.ContainsFunc(label, ltr) && rtl(label[0]) && rtl(label[len(label)-1])
}

// A caseFold is what a code point is folded to.
type caseFold struct {
	from rune
	to   string
}

// appendFolded appends what table B.2 of RFC 3454 maps r to. The table is not needed: its entries
// are foldings that are repeated after a normalization if that changes the result. For code points
// that are younger than the table Python takes the lower case that it knows of, and so does
// unicode.ToLower; both know all that Unicode 15 has.
func appendFolded(dst []rune, r rune) []rune {
	if r < utf8.RuneSelf {
		return append(dst, unicode.ToLower(r))
	}
	var buf [4]rune
	once := appendOnceFolded(buf[:0], r)
	if len(once) == 1 && once[0] == r && norm.NFKC.IsNormalString(string(r)) {
		return append(dst, r)
	}
	normal := nfkc(once)
	var twice []rune
	for _, r := range normal {
		twice = appendOnceFolded(twice, r)
	}
	if twice = nfkc(twice); !slices.Equal(twice, normal) {
		return append(dst, twice...)
	}
	return append(dst, once...)
}

// appendOnceFolded appends what table B.3 maps r to.
func appendOnceFolded(dst []rune, r rune) []rune {
	i, ok := slices.BinarySearchFunc(caseFolds, r, func(f caseFold, r rune) int { return int(f.from - r) })
	if !ok {
		return append(dst, unicode.ToLower(r))
	}
	return append(dst, []rune(caseFolds[i].to)...)
}

// nfkc returns the normalization form KC of s in Unicode 3.2 as Python makes it: what had no
// meaning then is not decomposed, but takes part in everything else.
//
// Package norm cannot do that as a whole, nor would it be right for labels with more than 30
// combining characters in a row, among which it puts others. It serves as the table of
// decompositions, classes and compositions.
func nfkc(s []rune) []rune {
	if norm.NFKC.IsNormalString(string(s)) {
		return s
	}
	out := make([]rune, 0, len(s))
	for _, r := range s {
		out = appendDecomposed(out, r)
	}
	if isASCII(out) {
		return out
	}
	return compose(out)
}

func appendDecomposed(dst []rune, r rune) []rune {
	if r < utf8.RuneSelf || unicode.Is(unassigned32, r) {
		return append(dst, r)
	}
	// Corrigendum 4 to Unicode 3.2: five decompositions were wrong.
	switch r {
	case 0x2f868:
		r = 0x2136a
	case 0x2f874:
		r = 0x5f33
	case 0x2f91f:
		r = 0x43ab
	case 0x2f95f:
		r = 0x7aae
	case 0x2f9bf:
		r = 0x4d57
	}
	return append(dst, []rune(norm.NFKD.String(string(r)))...)
}

// compose puts decomposed text in canonical order and composes it, in place.
func compose(s []rune) []rune {
	class := make([]uint8, len(s))
	for i, r := range s {
		class[i] = norm.NFC.PropertiesString(string(r)).CCC()
		for j := i; j > 0 && class[j] != 0 && class[j-1] > class[j]; j-- {
			s[j], s[j-1] = s[j-1], s[j]
			class[j], class[j-1] = class[j-1], class[j]
		}
	}
	out := s[:0]
	starter, last := -1, uint8(0) // in out; the class of what follows it there
	for i, r := range s {
		c := class[i]
		if starter >= 0 && (starter == len(out)-1 || last != 0 && last < c) {
			if p, ok := composePair(out[starter], r); ok {
				out[starter] = p
				continue
			}
		}
		if c == 0 {
			starter = len(out)
		}
		last = c
		out = append(out, r)
	}
	return out
}

func composePair(a, b rune) (rune, bool) {
	if b < utf8.RuneSelf {
		return 0, false
	}
	s := norm.NFC.String(string([]rune{a, b}))
	r, size := utf8.DecodeRuneInString(s)
	return r, size == len(s)
}
