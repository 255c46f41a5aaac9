package pyregexp

import (
	"strconv"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/runenames"
)

// namedChars has the names that are listed one by one. To make it takes a tenth of a second,
// which only patterns with \N pay.
var namedChars = sync.OnceValue(func() map[string]rune {
	m := map[string]rune{}
	for r := rune(0); r <= maxRune; r++ {
		// Names in angle brackets are those of whole ranges.
		if name := runenames.Name(r); name != "" && name[0] != '<' {
			m[name] = r
		}
	}
	return m
})

// charByName returns the character with a name, as Python's unicodedata.lookup does: in any case,
// except for the names that follow a rule, which have to be in upper case.
func charByName(name string) (rune, bool) {
	if hex, ok := strings.CutPrefix(name, "CJK UNIFIED IDEOGRAPH-"); ok {
		return unifiedIdeograph(hex)
	}
	if syllable, ok := strings.CutPrefix(name, "HANGUL SYLLABLE "); ok {
		return hangulSyllable(syllable)
	}
	name = strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			r -= 'a' - 'A'
		}
		return r
	}, name)
	if digits, ok := strings.CutPrefix(name, "VS"); ok {
		if r, ok := variationSelector(digits); ok {
			return r, true
		}
	}
	if r, ok := aliases()[name]; ok {
		return r, true
	}
	r, ok := namedChars()[name]
	return r, ok
}

// unifiedIdeograph returns the ideograph with a number in hexadecimal.
func unifiedIdeograph(hex string) (rune, bool) {
	if len(hex) < 4 || len(hex) > 5 || hex != strings.ToUpper(hex) {
		return 0, false
	}
	v, err := strconv.ParseUint(hex, 16, 32)
	r := rune(v)
	if err != nil || !unicode.Is(unicode.Unified_Ideograph, r) || 0xF900 <= r && r <= 0xFAFF {
		return 0, false // the dozen among the compatibility ideographs has names of its own
	}
	return r, true
}

// variationSelector returns the variation selector with a number from 1 to 256.
func variationSelector(digits string) (rune, bool) {
	n, err := strconv.Atoi(digits)
	switch {
	case err != nil || digits[0] < '1' || digits[0] > '9':
		return 0, false
	case n <= 16:
		return 0xFE00 + rune(n-1), true
	case n <= 256:
		return 0xE0100 + rune(n-17), true
	}
	return 0, false
}

// The parts of the names of Hangul syllables, which Unicode numbers in the order of these lists.
var (
	hangulLeads  = strings.Split("G GG N D DD R M B BB S SS  J JJ C K T P H", " ")
	hangulVowels = strings.Split("A AE YA YAE EO E YEO YE O WA WAE OE YO U WEO WE WI YU EU YI I", " ")
	hangulTails  = strings.Split(" G GG GS N NJ NH D L LG LM LB LS LT LP LH M B BS S SS NG J C K T P H", " ")
)

// hangulSyllable returns the syllable with a name such as "GAG": a consonant, which can be silent
// and then has no name, a vowel and maybe another consonant.
func hangulSyllable(name string) (rune, bool) {
	lead, name := longestPart(hangulLeads, name)
	vowel, name := longestPart(hangulVowels, name)
	tail, name := longestPart(hangulTails, name)
	if vowel < 0 || name != "" {
		return 0, false
	}
	return 0xAC00 + rune((lead*len(hangulVowels)+vowel)*len(hangulTails)+tail), true
}

// longestPart returns the index of the longest of parts with which name begins, or -1, and the
// rest of name.
func longestPart(parts []string, name string) (index int, rest string) {
	index = -1
	for i, part := range parts {
		if strings.HasPrefix(name, part) && (index < 0 || len(part) > len(parts[index])) {
			index = i
		}
	}
	if index >= 0 {
		name = name[len(parts[index]):]
	}
	return index, name
}
