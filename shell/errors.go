package shell

import (
	"errors"
	"fmt"
)

var (
	// ErrNotHTTP is the cause if the flow is no HTTP flow.
	ErrNotHTTP = errors.New("is no HTTP flow")
	// ErrNoResponse is the cause if a response is asked for that the flow does
	// not have.
	ErrNoResponse = errors.New("does not exist")
	// ErrNotRecorded is the cause if a body is missing.
	ErrNotRecorded = errors.New("was not recorded")
)

// An Error says why a flow cannot be given in a format.
type Error struct {
	Format Format
	// Part is the part of the flow that is the reason, such as "method", "path",
	// "version", "host", "body", "trailers" or "header" with a name, and "response"
	// before it if it is of that.
	Part string
	// Err is the reason.
	Err error
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %s %v", e.Format, e.Part, e.Err) }

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }

// fail returns an error without its format, which Append adds.
func fail(part, reason string, args ...any) error {
	return &Error{Part: part, Err: fmt.Errorf(reason, args...)}
}

// header names a header in an error.
func header(name string) string {
	const most = 60
	if len(name) > most {
		name = name[:most] + "…"
	}
	return fmt.Sprintf("header %q", name)
}
