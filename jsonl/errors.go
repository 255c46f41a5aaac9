package jsonl

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/flowtool/flowtool/internal/jsonscan"
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
		fmt.Fprintf(&b, " (%s)", e.Path.Short())
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

func errSurrogate(b []byte) error {
	return fmt.Errorf("%s is half of a surrogate pair, which text cannot hold", b)
}

// errWant words that something else stands at b[i] than what has to be there.
func errWant(b []byte, i int, want string) *Error { return syntax(jsonscan.Want(b, i, want)) }

// syntax says of what is wrong with a token that it is in a line.
func syntax(e *jsonscan.Error) *Error {
	if end, ok := errors.AsType[*jsonscan.EndError](e.Err); ok {
		return fail(e.Pos, errEnd(end.Within))
	}
	return fail(e.Pos, e.Err)
}

// quoted returns b for a message, shortened.
func quoted(b []byte) string { return jsonscan.Quote(b) }
