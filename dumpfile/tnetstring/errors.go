package tnetstring

import (
	"errors"
	"fmt"
	"io"
)

// Causes of a [SyntaxError].
var (
	ErrPrefix        = errors.New("no valid length before the colon")
	ErrPrefixTooLong = errors.New("length has more than 12 digits")
	ErrTruncated     = fmt.Errorf("element is cut off: %w", io.ErrUnexpectedEOF)
	ErrTag           = errors.New("unknown type tag")
	ErrNull          = errors.New("null has a payload")
	ErrBool          = errors.New("boolean is neither true nor false")
	ErrInt           = errors.New("malformed integer")
	ErrFloat         = errors.New("malformed float")
	ErrUTF8          = errors.New("text is not UTF-8")
	ErrTooDeep       = errors.New("nested too deeply")
	ErrTooMany       = errors.New("too many elements")
	ErrContainerKey  = errors.New("map key is a list or a map")

	// Found in the strict profile only.
	ErrKeyKind      = errors.New("map key is neither text nor bytes")
	ErrDuplicateKey = errors.New("map key occurs twice")
)

// A SyntaxError says that bytes are not a valid element.
type SyntaxError struct {
	Offset int // of the offending byte, relative to what was being decoded
	Err    error
}

func (e *SyntaxError) Error() string { return e.Err.Error() }

// Unwrap returns the cause, one of the Err variables of this package or an
// error that wraps one.
func (e *SyntaxError) Unwrap() error { return e.Err }

// Pos returns the offset.
func (e *SyntaxError) Pos() int { return e.Offset }

func syntax(off int, err error) error { return &SyntaxError{off, err} }
