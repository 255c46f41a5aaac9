package migrate

import "github.com/flowtool/flowtool/state"

// up8 moves the mark of replayed messages to the flow and drops the form of the
// first line, which follows from authority.
//
// Before:
//
//	request    first_line_format, is_replay since 0.11.2, host bytes
//	response   is_replay in snapshots
//
// After:
//
//	is_replay  null, "request" or "response"
//	request    authority b""; host stays bytes, which is repaired in the end
//
// The form of a request in absolute form is lost, as it is in mitmproxy. A
// first_line_format that is not there is no reason to fail, other than for
// mitmproxy.
func up8(_ *upgrade, m *state.Map) error {
	replay := state.Null()
	err := httpMessages(m, func(msg *state.Map, request bool) error {
		name := "response"
		if request {
			name = "request"
			msg.Delete("first_line_format")
			msg.Set("authority", state.Bytes(nil))
		}
		replayed, err := truthyAt(msg, "is_replay")
		if replayed && replay.IsNull() {
			replay = state.Text(name)
		}
		msg.Delete("is_replay")
		return err
	})
	m.Set("is_replay", replay)
	return err
}
