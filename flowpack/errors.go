package flowpack

import (
	"fmt"
	"io"
	"strings"

	"github.com/flowtool/flowtool/state"
)

// A Part is a part of a flowpack.
type Part uint8

// The parts of a flowpack.
const (
	PartChunk  Part = iota
	PartMarker      // the first bytes
	PartHeader
	PartSummary
	PartTable // the seek table
	PartEnd   // something behind all others, or where the end is missing
)

func (p Part) String() string {
	return [...]string{"chunk", "marker", "header", "summary", "seek table", "end"}[p]
}

// An Error says what is wrong with a flowpack, and where. Reading can go on
// behind it, unless it unwraps to a [*VersionError].
type Error struct {
	// Name is the name of the input, from [ReaderOptions].
	Name string
	// Part is what is damaged. Flows are lost in chunks only.
	Part Part
	// Chunk is the number of the chunk at fault, counted from 0; that of the
	// next one if Part is another.
	Chunk int
	// Offset is where the part starts in the input.
	Offset int64
	// Lost is the number of bytes that were skipped in search of the next part,
	// which may be more than one chunk; 0 if nothing had to be searched.
	Lost int64
	// Flow is the number of the first flow that is missing, counted from 0; -1
	// if it is not known, because there is no summary.
	Flow int64
	// Err is the cause. That the input is cut off unwraps to
	// [io.ErrUnexpectedEOF]; a flow that is malformed is a [*SyntaxError].
	Err error
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Name != "" {
		b.WriteString(e.Name + ": ")
	}
	if e.Part == PartChunk {
		fmt.Fprintf(&b, "chunk %d at offset %d", e.Chunk, e.Offset)
		if e.Flow >= 0 {
			fmt.Fprintf(&b, ", flow %d", e.Flow)
		}
	} else {
		fmt.Fprintf(&b, "%s at offset %d, after %d chunks", e.Part, e.Offset, e.Chunk)
	}
	fmt.Fprintf(&b, ": %v", e.Err)
	if e.Lost > 0 {
		fmt.Fprintf(&b, " (%d bytes skipped)", e.Lost)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// A SyntaxError says what is wrong with a flow in MessagePack, and where.
type SyntaxError struct {
	// Offset is the position of the offending byte in the MessagePack of the
	// flow, or in the decompressed chunk if that was read.
	Offset int64
	// Path is the place in the flow, if it lies below its top level.
	Path state.Path
	// Err is the cause. That there is too little data unwraps to
	// [io.ErrUnexpectedEOF].
	Err error
}

func (e *SyntaxError) Error() string {
	if e.Path != "" {
		return fmt.Sprintf("byte %d (%s): %v", e.Offset, e.Path.Short(), e.Err)
	}
	return fmt.Sprintf("byte %d: %v", e.Offset, e.Err)
}

// Unwrap returns the cause.
func (e *SyntaxError) Unwrap() error { return e.Err }

// under puts a step before the path of e. It is used while returning, so that
// the path costs nothing where nothing is wrong.
func (e *SyntaxError) under(step state.Path) *SyntaxError {
	e.Path = step + e.Path
	return e
}

var errEnd = fmt.Errorf("the data ends within a flow: %w", io.ErrUnexpectedEOF)

// A LimitError says that a limit of [ReaderOptions] was exceeded.
type LimitError struct {
	Limit string // name of the option
	Max   int64
	What  string // what exceeded it
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("%s exceeds the limit of %d (%s)", e.What, e.Max, e.Limit)
}

// A VersionError says that a flowpack is of a version of the format that this
// package does not read.
type VersionError struct{ Version int }

func (e *VersionError) Error() string {
	if e.Version > FormatVersion {
		return fmt.Sprintf("flowpack version %d is newer than %d, the newest this build reads", e.Version, FormatVersion)
	}
	return fmt.Sprintf("there is no flowpack version %d", e.Version)
}
