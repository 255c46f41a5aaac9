package dumpfile

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/flowtool/flowtool/state"
)

// An Error says what is wrong with an input, and where.
type Error struct {
	// Name is the name of the input, from [ReaderOptions].
	Name string
	// Flow is the number of the record at fault, counted from 0, which is also
	// the number of complete records before it.
	Flow int64
	// Offset is where that record starts. In a compressed input, offsets count
	// the bytes after decompression.
	Offset int64
	// At is the offset of the offending bytes, as exactly as it is known; at
	// least Offset.
	At int64
	// Unit and Part tell where the record comes from if that is not a dump: line
	// 7. Offset is that of the part then.
	Unit string
	Part int64
	// Path is the place within the record, if it lies below its top level.
	Path state.Path
	// Err is the cause.
	Err error
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Name != "" {
		b.WriteString(e.Name + ": ")
	}
	if e.Unit != "" {
		fmt.Fprintf(&b, "%s %d at offset %d", e.Unit, e.Part, e.Offset)
	} else {
		fmt.Fprintf(&b, "flow %d at offset %d", e.Flow, e.Offset)
	}
	if e.Path != "" {
		fmt.Fprintf(&b, " (%s)", e.Path.Short())
	}
	b.WriteString(": " + e.Err.Error())
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ErrNotFlow is the cause of an [Error] for a record that is not a map.
var ErrNotFlow = errors.New("record is not a flow")

// A TruncatedError says that the input ends within a record. It unwraps to
// [io.ErrUnexpectedEOF].
type TruncatedError struct {
	Have int64 // bytes of the record that are there
	Want int64 // announced size of the record; 0 if that is cut off as well
}

func (e *TruncatedError) Error() string {
	if e.Want == 0 {
		return "cut off within its length"
	}
	return fmt.Sprintf("cut off: %d of %d bytes are there", e.Have, e.Want)
}

// Unwrap returns [io.ErrUnexpectedEOF].
func (e *TruncatedError) Unwrap() error { return io.ErrUnexpectedEOF }

// A LimitError says that a limit of [ReaderOptions] was exceeded.
type LimitError struct {
	Limit string // name of the option
	Max   int64
	What  string // what exceeded it
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("%s exceeds the limit of %d (%s)", e.What, e.Max, e.Limit)
}

// A FormatError says that the input is not a dump.
type FormatError struct {
	Name string // of the input
	// Format is what the input is, as far as it is known.
	Format Format
	// Seems describes the input for people, "a PNG image".
	Seems string
}

func (e *FormatError) Error() string {
	s := "not a flow dump"
	if e.Seems != "" {
		s += ": it seems to be " + e.Seems
	}
	if e.Name != "" {
		s = e.Name + ": " + s
	}
	return s
}
