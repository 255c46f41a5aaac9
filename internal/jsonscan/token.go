package jsonscan

import "fmt"

// Space returns the position of the next byte from i on that is not white space.
func Space(b []byte, i int) int {
	if i < len(b) && b[i] > ' ' {
		return i // mostly there is none
	}
	return skipSpace(b, i)
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && IsSpace(b[i]) {
		i++
	}
	return i
}

// IsSpace tells whether c is white space in JSON.
func IsSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// Word tells whether a word, such as null, stands at b[i], and no longer one.
func Word(b []byte, i int, word string) bool {
	end := i + len(word)
	return end <= len(b) && string(b[i:end]) == word && (end == len(b) || !isWord(b[end]))
}

// isWord tells whether c may be part of a word or number, or of what somebody took
// for one.
func isWord(c byte) bool {
	return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c == '+' || c == '-' || c == '.'
}

func isDigit(c byte) bool { return c-'0' <= 9 }

// Number finds the end of the number that begins at b[i], with a digit or a minus
// sign. whole tells that it has neither a fraction nor an exponent.
func Number(b []byte, i int) (end int, whole bool, err *Error) {
	start := i
	if b[i] == '-' {
		i++
	}
	first := i
	for i < len(b) && isDigit(b[i]) {
		i++
	}
	bad := i == first || i-first > 1 && b[first] == '0'
	whole = true
	if i < len(b) && b[i] == '.' {
		whole = false
		i++
		frac := i
		for i < len(b) && isDigit(b[i]) {
			i++
		}
		bad = bad || i == frac
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		whole = false
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		exp := i
		for i < len(b) && isDigit(b[i]) {
			i++
		}
		bad = bad || i == exp
	}
	if bad || i < len(b) && isWord(b[i]) {
		for i < len(b) && isWord(b[i]) {
			i++
		}
		return start, whole, &Error{start, fmt.Errorf("%s is no number in JSON", Quote(b[start:i]))}
	}
	return i, whole, nil
}
