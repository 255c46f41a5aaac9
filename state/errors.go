package state

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// A Path names a place in a tree, "/request/headers/3" for the fourth element
// of the list under the key "headers" of the map under the key "request". As
// in JSON pointers, "~1" stands for a slash within a key and "~0" for a tilde.
// The empty path is the root.
type Path string

var pathEscaper = strings.NewReplacer("~", "~0", "/", "~1")

// Short returns the path for a message, without the middle of one that is very long:
// one into nested lists, say.
func (p Path) Short() string {
	const most = 100
	if len(p) <= most {
		return string(p)
	}
	return strings.ToValidUTF8(string(p[:most/2]), "") + "…" + strings.ToValidUTF8(string(p[len(p)-most/4:]), "")
}

// Key returns the path of the text key in the map at p.
func (p Path) Key(key string) Path {
	if strings.ContainsAny(key, "~/") {
		key = pathEscaper.Replace(key)
	}
	return p + "/" + Path(key)
}

// Index returns the path of element i of the list at p.
func (p Path) Index(i int) Path { return p + "/" + Path(strconv.Itoa(i)) }

// ErrMissing is the cause of a [PathError] for a key that is not there.
var ErrMissing = errors.New("missing")

// A TypeError says that a value is of another kind than was asked for.
type TypeError struct {
	Want string // what was asked for, in words
	Got  string // what is there
}

func (e *TypeError) Error() string { return "is " + e.Got + ", want " + e.Want }

// A RangeError says that an integer needs more than 64 bits.
type RangeError struct{ Int *big.Int }

func (e *RangeError) Error() string { return "integer does not fit in 64 bits" }

// NoOffset is the offset of a [PathError] about a value that was not read from
// a record.
const NoOffset = -1

// A PathError says where in a tree something is wrong.
type PathError struct {
	Path Path
	// Offset is the absolute offset in the input of the offending bytes, or
	// NoOffset.
	Offset int64
	Err    error
}

func (e *PathError) Error() string {
	if e.Path == "" {
		return e.Err.Error()
	}
	return string(e.Path) + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *PathError) Unwrap() error { return e.Err }

// At returns err with a step put before its path; steps are map keys (string),
// list indexes (int) or a [Value] used as a key. It is used while returning
// from a tree, so that nothing is paid where nothing is wrong.
func At(err error, step any) error {
	if err == nil {
		return nil
	}
	var prefix Path
	switch s := step.(type) {
	case string:
		prefix = prefix.Key(s)
	case int:
		prefix = prefix.Index(s)
	case Value:
		if t, e := s.Text(); e == nil {
			prefix = prefix.Key(t)
		} else {
			prefix = prefix.Key(s.String())
		}
	default:
		panic(fmt.Sprintf("state: a path has no step of type %T", step))
	}
	if pe, ok := err.(*PathError); ok {
		return &PathError{prefix + pe.Path, pe.Offset, pe.Err}
	}
	return &PathError{prefix, NoOffset, err}
}

// located wraps an error of a codec that happened in b, a part of src.
func located(src *Source, b []byte, err error) error {
	if _, ok := err.(*PathError); ok {
		return err
	}
	off := src.offset(b)
	if p, ok := err.(interface{ Pos() int }); ok {
		off += int64(p.Pos())
	}
	return &PathError{Offset: off, Err: err}
}
