package flow

import (
	"errors"
	"fmt"

	"github.com/flowtool/flowtool/state"
)

// A FieldError says which field of a state is not as the format demands.
type FieldError struct {
	Path state.Path // "/request/headers/3"; "" is the flow as a whole
	Want string     // what the format demands, in words
	Got  string     // what is there, shortened; "nothing" if it is missing
	Err  error      // the cause if the bytes are malformed, with their offset
}

func (e *FieldError) Error() string {
	text := fmt.Sprintf("want %s, got %s", e.Want, e.Got)
	if e.Err != nil {
		text = e.Err.Error()
	}
	if e.Path == "" {
		return text // the place is told by whoever wraps the error
	}
	return fmt.Sprintf("flow: %s: %s", e.Path, text)
}

// Unwrap returns the cause, if there is one.
func (e *FieldError) Unwrap() error { return e.Err }

// An UnknownTypeError says that a state is not of a type this package knows.
type UnknownTypeError struct {
	Type string // the value under "type", shortened; "nothing" if it is missing
}

func (e *UnknownTypeError) Error() string { return "unknown flow type: " + e.Type }

// ErrNotKillable is returned by [Flow.Kill] for a flow that is not live or was
// killed before.
var ErrNotKillable = errors.New("flow: not killable")
