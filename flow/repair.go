package flow

import (
	"github.com/flowtool/flowtool/state"
)

// A Note says what [Repair] changed.
type Note struct {
	Path state.Path
	Text string // "missing, set to null"
}

func (n Note) String() string { return string(n.Path) + ": " + n.Text }

// Repair makes a state acceptable for [FromState] as far as that can be done
// without guessing, and returns a note for everything it changed:
//
//   - keys that are missing get a value that says nothing (null, "", an empty
//     list, a new id), times that are missing the start of the flow;
//   - unknown keys are dropped;
//   - text and bytes are taken for each other, text as UTF-8;
//   - the empty values that mitmproxy reads as null become null;
//   - messages that end before the time get the time null, which means unknown;
//   - marks of the form true and false, and the TLS version QUIC, get the names
//     they have now.
//
// What is fine already is not touched, and keeps its bytes. What cannot be
// repaired, such as a missing client_conn or a transport protocol that does not
// exist, is left for FromState to refuse. The error is one of those that
// FromState returns as well: the version or the type is not known, or something
// is malformed.
//
// A backup of the same version and type is repaired like the flow itself.
func Repair(m *state.Map) ([]Note, error) {
	var notes []Note
	if err := checkVersion(m); err != nil {
		return nil, err
	}
	if v, ok := m.GetKey(bytesVersion); ok && !m.Has("version") {
		m.Set("version", v)
		m.DeleteKey(bytesVersion)
		notes = append(notes, Note{"/version", "bytes taken for text in the key"})
	}
	t, err := typeOf(m)
	if err != nil {
		return notes, err
	}
	c := newChecker(m, t, true)
	c.run()
	notes = append(notes, c.notes...)
	if c.err != nil && c.err.Err != nil {
		return notes, c.err
	}
	return notes, nil
}
