package pyregexp

import (
	"cmp"
	"slices"
	"sort"
)

// Characters are runes: 0 to 255 in patterns on bytes, and 0 to U+10FFFF in patterns on text,
// there including the surrogates, of which U+DC80 to U+DCFF stand for the bytes 80 to FF where
// they are not part of valid UTF-8.
const (
	maxByte    = 0xFF
	maxRune    = 0x10FFFF
	escapeBase = 0xDC00 // plus a byte that is not UTF-8
	escapeMin  = escapeBase + 0x80
	escapeMax  = escapeBase + 0xFF
)

// A span is the characters from lo to hi, both included.
type span struct{ lo, hi rune }

// A runeSet is a set of characters: spans in ascending order that neither overlap nor touch.
// It is never changed once it is built.
type runeSet []span

// newSet returns the union of the spans, which may be in any order. It takes them over.
func newSet(spans []span) runeSet {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.lo, b.lo) })
	out := spans[:0]
	for _, s := range spans {
		if n := len(out); n > 0 && s.lo <= out[n-1].hi+1 {
			out[n-1].hi = max(out[n-1].hi, s.hi)
		} else {
			out = append(out, s)
		}
	}
	return runeSet(out)
}

// only returns the set of the characters given.
func only(chars ...rune) runeSet {
	spans := make([]span, len(chars))
	for i, r := range chars {
		spans[i] = span{r, r}
	}
	return newSet(spans)
}

// not returns the characters of kind that are not in s.
func (s runeSet) not(kind Kind) runeSet {
	out := make(runeSet, 0, len(s)+1)
	next := rune(0)
	for _, x := range s {
		if x.lo > next {
			out = append(out, span{next, x.lo - 1})
		}
		next = x.hi + 1
	}
	if most := kind.maxChar(); next <= most {
		out = append(out, span{next, most})
	}
	return out
}

// has reports whether r is in s.
func (s runeSet) has(r rune) bool {
	i := sort.Search(len(s), func(i int) bool { return s[i].hi >= r })
	return i < len(s) && s[i].lo <= r
}

// overlaps reports whether any of the characters lo to hi is in s.
func (s runeSet) overlaps(lo, hi rune) bool {
	i := sort.Search(len(s), func(i int) bool { return s[i].hi >= lo })
	return i < len(s) && s[i].lo <= hi
}

// within returns the part of s from lo to hi.
func (s runeSet) within(lo, hi rune) runeSet {
	var out runeSet
	for _, x := range s {
		if x.hi >= lo && x.lo <= hi {
			out = append(out, span{max(x.lo, lo), min(x.hi, hi)})
		}
	}
	return out
}

// size returns the number of characters in s.
func (s runeSet) size() int {
	n := 0
	for _, x := range s {
		n += int(x.hi-x.lo) + 1
	}
	return n
}
