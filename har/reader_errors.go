package har

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/flowtool/flowtool/internal/jsonscan"
	"github.com/flowtool/flowtool/state"
)

// An Error says what is wrong with a HAR, and where.
type Error struct {
	// Name is the name of the input, from [ReaderOptions].
	Name string
	// Index is the number of the entry, counted from 0; -1 if the error is about
	// the file around the entries. After an error about an entry that is complete,
	// reading goes on behind it.
	Index int64
	// Offset is the position of the offending byte, or of the entry, in the
	// input, decompressed and in UTF-8.
	Offset int64
	// Path is the place in the entry, like /request/url.
	Path state.Path
	// Err is the cause. That the input ends too early unwraps to
	// [io.ErrUnexpectedEOF].
	Err error
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Name != "" {
		b.WriteString(e.Name + ": ")
	}
	if e.Index >= 0 {
		fmt.Fprintf(&b, "entry %d, ", e.Index)
	}
	fmt.Fprintf(&b, "offset %d", e.Offset)
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
	ErrTooLong  = errors.New("entry is too long")
	ErrTooDeep  = errors.New("nested too deeply")
	ErrTooLarge = errors.New("zlib data expand too much")
)

// ErrZlib is the cause of errors about damaged zlib data.
var ErrZlib = errors.New("zlib data are damaged")

// ErrNotHAR is the cause of the error about an input that is no HAR at all.
var ErrNotHAR = errors.New("not a HAR")

// An endError says that the input ends too early.
type endError struct{ where string }

func (e *endError) Error() string { return "the file ends within " + e.where }
func (e *endError) Unwrap() error { return io.ErrUnexpectedEOF }

var (
	errMissing  = errors.New("missing")
	errDamaged  = errors.New("not JSON: brackets or quotation marks do not match")
	errTrailing = errors.New("something else follows the HAR")
	errTooMany  = fmt.Errorf("too many elements: the limit is %d", maxElements)
)

func errTooDeep(limit int) error {
	return fmt.Errorf("%w: the limit is %d (MaxDepth)", ErrTooDeep, limit)
}

// quoted returns b for a message, shortened.
func quoted[T ~string | ~[]byte](b T) string { return jsonscan.Quote(b) }
