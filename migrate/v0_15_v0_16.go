package migrate

import "github.com/flowtool/flowtool/state"

// up0_15 gives the fields of messages their later names.
//
// Before:
//
//	request   form_out, perhaps body
//	response  body msg; null if there is none
//
// After:
//
//	request   content
//	response  content reason
//
// mitmproxy fails on flows without response.
func up0_15(_ *upgrade, m *state.Map) error {
	return httpMessages(m, func(msg *state.Map, request bool) error {
		msg.Rename("body", "content")
		if request {
			msg.Delete("form_out")
		} else {
			msg.Rename("msg", "reason")
		}
		return nil
	})
}
