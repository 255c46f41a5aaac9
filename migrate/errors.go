package migrate

import (
	"fmt"

	"github.com/flowtool/flowtool/state"
)

// A VersionError says that the version of a state is missing, malformed or not
// one that this package reads.
type VersionError struct {
	Have Version // the zero Version if what was found is none
	// Text is what was found if that is no Version: nothing of the kind, or,
	// when Have is larger than all versions, a number too large for one. It is
	// "" if nothing was found.
	Text string
	Err  error // why it could not be decoded, or is no target; or nil
}

func (e *VersionError) Error() string {
	switch {
	case e.Err == errOneWay:
		return e.Err.Error()
	case e.Have == Version{} && e.Text == "":
		return "format version is missing"
	case e.Text != "" && e.Have == Version{}:
		return e.Text + " is not a format version"
	case e.Text != "":
		return fmt.Sprintf("format version %s is newer than %s, the newest this build reads", e.Text, Newest)
	case e.Have.Compare(Newest) > 0:
		return fmt.Sprintf("format version %s is newer than %s, the newest this build reads", e.Have, Newest)
	case e.Have.pair && e.Have.major >= 0 && e.Have.minor >= 0 && e.Have.Compare(Oldest) < 0:
		return fmt.Sprintf("format version %s is older than %s, the oldest this build reads", e.Have, Oldest)
	}
	return fmt.Sprintf("format version %s is not one that mitmproxy ever wrote", e.Have)
}

// Unwrap returns the cause, which may be nil.
func (e *VersionError) Unwrap() error { return e.Err }

// A StepError says that a state lacks something that its version requires. Err
// is a [state.PathError] that tells where.
type StepError struct {
	// From and To are the versions of the step that failed. If the state as a
	// whole turned out to be wrong, before or after the steps, they are the
	// version of the state and that it should have got.
	From, To Version
	Err      error
}

func (e *StepError) Error() string {
	return fmt.Sprintf("migrating format version %s to %s: %v", e.From, e.To, e.Err)
}

// Unwrap returns the cause.
func (e *StepError) Unwrap() error { return e.Err }

func stepError(from, to Version, err error) error {
	if _, ok := err.(*state.PathError); !ok {
		err = &state.PathError{Offset: state.NoOffset, Err: err}
	}
	return &StepError{from, to, err}
}

func typeError(want string, got state.Value) error {
	return &state.TypeError{Want: want, Got: got.Kind().String()}
}
