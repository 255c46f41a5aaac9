package migrate

import "github.com/flowtool/flowtool/state"

// Revert returns the state that the flow m had when its backup was made, nil if m
// has none. m is a state of any version, and is not changed.
//
// Usually a backup is of the format version of its flow. Then it is returned as it
// is, and its bytes are those that the flow would have had. Where mitmproxy left an
// older backup in a migrated flow, that is brought to the version of the flow. A
// newer one, which flows below version 4 may have, goes down to the version of the
// flow if that loses nothing, and is returned in its own version otherwise.
//
// The error is a [VersionError] or a [StepError] about the backup.
func Revert(m *state.Map) (*state.Map, error) {
	to, err := VersionOf(m)
	if err != nil {
		return nil, err
	}
	_, v := backupOf(m)
	if v.Kind() != state.KindMap {
		return nil, nil
	}
	b, err := state.Clone(v).Map()
	if err != nil {
		return nil, err
	}
	if key, inner := backupOf(b); !inner.IsNull() {
		b.SetKey(key, state.Null())
	}
	from, err := VersionOf(b)
	if err != nil || from == to {
		return b, err
	}
	states, losses, err := NewStream(nil).To(b, to)
	switch older := from.Compare(to) < 0; {
	case older && err != nil:
		return nil, err
	case err != nil, len(states) != 1, !older && len(losses) > 0:
		return b, nil
	}
	return states[0], nil
}

// DropBackup takes the backup off the flow m, a state of any version, and tells
// whether there was one. Versions that always have the key keep it, with null.
func DropBackup(m *state.Map) bool {
	key, v := backupOf(m)
	if v.IsNull() {
		return false
	}
	if version, err := VersionOf(m); err == nil && version.Compare(Number(19)) >= 0 {
		m.SetKey(key, state.Null())
	} else {
		m.DeleteKey(key)
	}
	return true
}

// backupOf returns the backup of a flow, null if there is none, and its key, which
// may be bytes in old versions.
func backupOf(m *state.Map) (key, v state.Value) {
	for _, key := range []state.Value{state.Text("backup"), backupKey} {
		if v, ok := m.GetKey(key); ok && !v.IsNull() {
			return key, v
		}
	}
	return state.Null(), state.Null()
}
