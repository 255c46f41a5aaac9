package pyregexp

import (
	"slices"
	"sync"
	"unicode"
)

// Letters that Python takes for variants of each other, but Go does not.
var pythonOrbits = [][]rune{
	{'I', 'i', 'İ', 'ı'},
	{0x0390, 0x1FD3},
	{0x03B0, 0x1FE3},
	{0xFB05, 0xFB06},
}

// variants returns r and the characters that match it when case is ignored, in ascending order.
func variants(r rune, ascii bool) []rune {
	if ascii {
		if 'a' <= r|0x20 && r|0x20 <= 'z' && r < 0x80 {
			return []rune{r &^ 0x20, r | 0x20}
		}
		return []rune{r}
	}
	for _, orbit := range pythonOrbits {
		if slices.Contains(orbit, r) {
			return orbit
		}
	}
	orbit := []rune{r}
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		orbit = append(orbit, next)
	}
	slices.Sort(orbit)
	return orbit
}

// cased returns the characters that have variants beyond ASCII rules, in ascending order.
var cased = sync.OnceValue(func() []rune {
	var out []rune
	for _, s := range fromTables(unicode.L, unicode.Nl, unicode.So, unicode.Mn) {
		for r := s.lo; r <= s.hi; r++ {
			if unicode.SimpleFold(r) != r {
				out = append(out, r)
			}
		}
	}
	for _, orbit := range pythonOrbits {
		out = append(out, orbit...)
	}
	slices.Sort(out)
	return slices.Compact(out)
})

// withVariants returns s and all variants of its characters.
func (s runeSet) withVariants(ascii bool) runeSet {
	spans := slices.Clone(s)
	if ascii {
		for r := rune('A'); r <= 'Z'; r++ {
			if up, lo := s.has(r), s.has(r|0x20); up != lo {
				spans = append(spans, only(r, r|0x20)...)
			}
		}
		return newSet(spans)
	}
	for _, r := range cased() {
		if s.has(r) {
			spans = append(spans, only(variants(r, false)...)...)
		}
	}
	return newSet(spans)
}

// lower returns r in lower case, as back-references compare characters when case is ignored.
// That is less than variants: K and the Kelvin sign are equal, s and the long s are not.
func lower(r rune, ascii bool) rune {
	if r < 0x80 {
		if 'A' <= r && r <= 'Z' {
			r |= 0x20
		}
		return r
	}
	if ascii {
		return r
	}
	return unicode.ToLower(r)
}
