package pyregexp

import (
	"sync"
	"unicode"
)

// The classes of Python. Those on text follow Unicode in the version of the Go release in use,
// those on bytes, and on text under the flag a, are ASCII.
var (
	asciiDigits = runeSet{{'0', '9'}}
	asciiWords  = runeSet{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}
	asciiSpaces = runeSet{{'\t', '\r'}, {' ', ' '}}

	// textSpaces has four separators, U+001C to U+001F, that Unicode does not count.
	textSpaces = runeSet{
		{'\t', '\r'}, {0x1C, ' '}, {0x85, 0x85}, {0xA0, 0xA0}, {0x1680, 0x1680}, {0x2000, 0x200A},
		{0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000},
	}

	textDigits = sync.OnceValue(func() runeSet { return fromTables(unicode.Nd) })

	// textWords is letters, numbers of every sort and the underscore; marks are not among them.
	textWords = sync.OnceValue(func() runeSet {
		return newSet(append(fromTables(unicode.L, unicode.N), span{'_', '_'}))
	})
)

// categoryOf returns the characters of \d, \D, \s, \S, \w or \W; letter is the letter of the escape.
func categoryOf(letter rune, kind Kind, m mode) runeSet {
	ascii := m.ascii(kind)
	var s runeSet
	switch letter {
	case 'd', 'D':
		s = asciiDigits
		if !ascii {
			s = textDigits()
		}
	case 's', 'S':
		s = asciiSpaces
		if !ascii {
			s = textSpaces
		}
	case 'w', 'W':
		s = asciiWords
		if !ascii {
			s = textWords()
		}
	}
	if letter <= 'Z' {
		s = s.not(kind)
	}
	return s
}

// isWord reports whether r is a character of \w.
func isWord(r rune, ascii bool) bool {
	if r < 0x80 {
		return r == '_' || '0' <= r && r <= '9' || 'a' <= r|0x20 && r|0x20 <= 'z'
	}
	return !ascii && (unicode.IsLetter(r) || unicode.IsNumber(r))
}

// fromTables returns the union of tables.
func fromTables(tables ...*unicode.RangeTable) runeSet {
	var spans []span
	add := func(lo, hi, stride rune) {
		if stride == 1 {
			spans = append(spans, span{lo, hi})
			return
		}
		for r := lo; r <= hi; r += stride {
			spans = append(spans, span{r, r})
		}
	}
	for _, t := range tables {
		for _, x := range t.R16 {
			add(rune(x.Lo), rune(x.Hi), rune(x.Stride))
		}
		for _, x := range t.R32 {
			add(rune(x.Lo), rune(x.Hi), rune(x.Stride))
		}
	}
	return newSet(spans)
}

// isIdentifier reports whether name can name a group: what Python calls an identifier.
func isIdentifier(name []rune) bool {
	for i, r := range name {
		if i == 0 && !startsIdentifier(r) || !continuesIdentifier(r) {
			return false
		}
	}
	return len(name) > 0
}

// startsIdentifier reports whether r has the property XID_Start or is an underscore.
func startsIdentifier(r rune) bool {
	switch r {
	case '_':
		return true
	case 0x0E33, 0x0EB3, 0xFF9E, 0xFF9F: // ID_Start, but not XID_Start
		return false
	}
	return isIDStart(r) && !isUnstable(r)
}

// continuesIdentifier reports whether r has the property XID_Continue.
func continuesIdentifier(r rune) bool {
	return (isIDStart(r) || unicode.In(r, unicode.Mn, unicode.Mc, unicode.Nd, unicode.Pc, unicode.Other_ID_Continue)) &&
		!isUnstable(r)
}

// isIDStart reports whether r has the property ID_Start. U+2E2F, a letter, is reserved for
// patterns.
func isIDStart(r rune) bool {
	return unicode.In(r, unicode.L, unicode.Nl, unicode.Other_ID_Start) && r != 0x2E2F
}

// isUnstable reports whether compatibility normalisation turns r into something that cannot be in
// an identifier, although r has the property ID_Start.
func isUnstable(r rune) bool {
	switch {
	case r == 0x037A, r == 0x309B, r == 0x309C, 0xFC5E <= r && r <= 0xFC63, r == 0xFDFA, r == 0xFDFB:
		return true
	}
	return 0xFE70 <= r && r <= 0xFE7E && r%2 == 0
}
