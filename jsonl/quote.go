package jsonl

import (
	"unicode/utf8"

	"github.com/flowtool/flowtool/internal/jsonscan"
)

// early is how much room is made for a record or string before anything is known
// about it.
const early = 64 << 10

// scanString finds the end of the string whose content begins at b[i], and checks
// that it is text.
func scanString(b []byte, i int) (jsonscan.String, *Error) {
	s, err := jsonscan.ScanString(b, i)
	if err != nil {
		return s, syntax(err)
	}
	if s.NotASCII && !utf8.Valid(b[i:s.End]) || s.Half {
		return s, notText(b[i:s.End], i)
	}
	return s, nil
}

// notText returns the first error of a string that is not text and begins at pos.
func notText(content []byte, pos int) *Error {
	half, at := jsonscan.Half(content)
	for i := 0; i < at; {
		r, n := utf8.DecodeRune(content[i:])
		if r == utf8.RuneError && n == 1 {
			return fail(pos+i, errNotUTF8)
		}
		i += n
	}
	return fail(pos+at, errSurrogate(half))
}
