package filter

import (
	"github.com/flowtool/flowtool/internal/coding"
	"github.com/flowtool/flowtool/internal/pyregexp"
)

// A TimeoutError is the cause of a [MatchError] for a regular expression that
// took longer than Options.Timeout, or more memory than there is for it.
type TimeoutError = pyregexp.TimeoutError

// A BodyLimitError is the cause of the error for a body that is larger than
// Filter.MaxBody when it is decoded.
type BodyLimitError = coding.LimitError
