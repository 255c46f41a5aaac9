package jsonscan

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// An Error says what is wrong with a text, and at which byte of it.
type Error struct {
	Pos int
	Err error
}

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// An EndError says that the text ends too early. It unwraps to
// [io.ErrUnexpectedEOF].
type EndError struct{ Within string }

func (e *EndError) Error() string { return "the text ends within " + e.Within }

// Unwrap returns [io.ErrUnexpectedEOF].
func (e *EndError) Unwrap() error { return io.ErrUnexpectedEOF }

func errEnd(b []byte) *Error { return &Error{len(b), &EndError{"a string"}} }

func errControl(pos int, c byte) *Error {
	if c == '\n' || c == '\r' {
		return &Error{pos, errors.New("line break in a string; it is written as " + strings.Trim(strconv.Quote(string(c)), `"`))}
	}
	return &Error{pos, fmt.Errorf(`control character 0x%02x in a string; it is written as \u%04x`, c, c)}
}

func errEscape(pos int, b []byte) *Error {
	return &Error{pos, fmt.Errorf("%s is no escape that JSON knows", Quote(b))}
}

// Want returns the error that something else stands at b[i] than what has to be
// there.
func Want(b []byte, i int, want string) *Error {
	if i >= len(b) {
		return &Error{len(b), &EndError{"an object or array, where " + want + " is expected"}}
	}
	n := i + 1
	for n < len(b) && n < i+20 && isWord(b[i]) && isWord(b[n]) {
		n++
	}
	return &Error{i, fmt.Errorf("%s where %s is expected", Quote(b[i:n]), want)}
}

// Quote returns b for a message, shortened.
func Quote[T ~string | ~[]byte](b T) string { return strconv.Quote(Shorten(string(b), 40)) }

// Shorten cuts the middle out of a text of more than most bytes.
func Shorten(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most/2], "") + "…" + strings.ToValidUTF8(s[len(s)-most/4:], "")
}
