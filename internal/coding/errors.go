package coding

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// errTooLarge is how a codec says that its limit is reached; [Decode] turns it into [*LimitError].
var errTooLarge = errors.New("output exceeds the limit")

// UnknownError reports a Content-Encoding that [Decode] cannot undo.
type UnknownError struct {
	Name string // the coding, trimmed and in lower case
}

func (e *UnknownError) Error() string {
	return "coding: unknown content encoding " + quote(e.Name)
}

// LimitError reports data that decode to more bytes than the limit allows.
type LimitError struct {
	Encoding string // the coding that was being undone
	Limit    int64  // in bytes
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("coding: %s: output exceeds the limit of %d bytes", e.Encoding, e.Limit)
}

// DecodeError reports data that are damaged, or not in the coding they claim to be in.
type DecodeError struct {
	Encoding string // the coding that was being undone
	Err      error  // io.ErrUnexpectedEOF if the data end too early
}

func (e *DecodeError) Error() string {
	if e.Err == io.ErrUnexpectedEOF {
		return "coding: " + e.Encoding + ": data end too early"
	}
	// The decoders prefix some of their errors with a name of their own.
	text := e.Err.Error()
	for _, prefix := range []string{"gzip: ", "zlib: ", "flate: ", "brotli: ", "invalid input: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return "coding: " + e.Encoding + ": " + text
}

// Unwrap returns the cause.
func (e *DecodeError) Unwrap() error { return e.Err }

// CharsetError reports a character set that [Text] does not know, or bytes that are not
// valid in it.
type CharsetError struct {
	Charset string // as declared if unknown, else the canonical name
	Unknown bool
}

func (e *CharsetError) Error() string {
	if e.Unknown {
		return "coding: unknown charset " + quote(e.Charset)
	}
	return "coding: text is not valid " + e.Charset
}

// quote quotes a name from the wire and shortens it.
func quote(s string) string {
	const limit = 40
	if len(s) > limit {
		return fmt.Sprintf("%q...", s[:limit])
	}
	return fmt.Sprintf("%q", s)
}
