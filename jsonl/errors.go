package jsonl

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/flowtool/flowtool/state"
)

// An Error says what is wrong with a line, and where.
type Error struct {
	// Name is the name of the input, from [ReaderOptions].
	Name string
	// Line is the number of the line, counted from 1; 0 if the line does not
	// come from a [Reader].
	Line int64
	// Column is the position of the offending byte in the line, counted in
	// bytes from 1.
	Column int
	// Offset is its position in the (decompressed) input, or in the line if that
	// does not come from a Reader.
	Offset int64
	// Path is the place in the flow, if it lies below its top level.
	Path state.Path
	// Err is the cause. That a line ends too early unwraps to
	// [io.ErrUnexpectedEOF].
	Err error
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Name != "" {
		b.WriteString(e.Name + ": ")
	}
	if e.Line > 0 {
		fmt.Fprintf(&b, "line %d, ", e.Line)
	}
	fmt.Fprintf(&b, "column %d", e.Column)
	if e.Path != "" {
		fmt.Fprintf(&b, " (%s)", shortened(string(e.Path), 100))
	}
	b.WriteString(": " + e.Err.Error())
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Causes of errors that mean that a limit of [ReaderOptions] was exceeded.
var (
	ErrTooDeep = errors.New("nested too deeply")
	ErrTooMany = errors.New("too many elements")
	ErrTooLong = errors.New("line is too long")
)

// fail returns an error at a position in the line.
func fail(pos int, err error) *Error {
	return &Error{Column: pos + 1, Offset: int64(pos), Err: err}
}

// under puts a step before the path of err: a key or an index. It is used while
// returning, so that the path costs nothing where nothing is wrong.
func (e *Error) under(step any) *Error {
	var p state.Path
	switch s := step.(type) {
	case int:
		p = p.Index(s)
	case []byte:
		p = p.Key(string(s))
	}
	e.Path = p + e.Path
	return e
}

// locate turns err, an error about the line, into one about an input.
func locate(err error, name string, line, offset int64) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	e.Name, e.Line = name, line
	e.Offset += offset
	return e
}

// An endError says that a line ends too early.
type endError struct{ what string }

func (e *endError) Error() string { return "the line ends within " + e.what }
func (e *endError) Unwrap() error { return io.ErrUnexpectedEOF }

func errEnd(what string) error { return &endError{what} }

var errNotUTF8 = errors.New(`string is not UTF-8; bytes that are not are written as {"$base64": "…"}`)

func errControl(c byte) error {
	if c == '\n' || c == '\r' {
		return errors.New("line break in a string; it is written as " + strings.Trim(strconv.Quote(string(c)), `"`))
	}
	return fmt.Errorf(`control character 0x%02x in a string; it is written as \u%04x`, c, c)
}

func errEscape(b []byte) error {
	return fmt.Errorf("%s is no escape that JSON knows", quoted(b))
}

func errSurrogate(b []byte) error {
	return fmt.Errorf("%s is half of a surrogate pair, which text cannot hold", b)
}

// errWant words that something else stands at b[i] than what has to be there.
func errWant(b []byte, i int, want string) *Error {
	if i >= len(b) {
		return fail(len(b), &endError{"an object or array, where " + want + " is expected"})
	}
	n := i + 1
	for n < len(b) && n < i+20 && isWord(b[i]) && isWord(b[n]) {
		n++
	}
	return fail(i, fmt.Errorf("%s where %s is expected", quoted(b[i:n]), want))
}

func isWord(c byte) bool {
	return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c == '+' || c == '-' || c == '.'
}

// quoted returns b for a message, shortened.
func quoted(b []byte) string { return strconv.Quote(shortened(string(b), 40)) }

// shortened cuts the middle out of what is long.
func shortened(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most/2], "") + "…" + strings.ToValidUTF8(s[len(s)-most/4:], "")
}
