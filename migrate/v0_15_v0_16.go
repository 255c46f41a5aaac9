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

// down0_15 gives the fields of messages their earlier names. A server always has an
// address below 0.16, and no release writes a client certificate: they read the
// wrong attribute and fail.
func down0_15(d *downgrade, m *state.Map) error {
	err := httpMessages(m, func(msg *state.Map, request bool) error {
		if !request {
			if err := rename(msg, "reason", "msg"); err != nil {
				return err
			}
			return rename(msg, "content", "body")
		}
		msg.Delete("stickycookie")
		msg.Delete("stickyauth")
		form, ok := msg.Get("first_line_format")
		if !ok {
			return state.At(state.ErrMissing, "first_line_format")
		}
		msg.Set("form_out", form)
		return nil
	})
	if err != nil {
		return err
	}
	return d.connections(m, func(c *state.Map, at place) error {
		if at.client() {
			d.remove(c, "clientcert", state.Null(), "client certificate", at.key("certificate_list")...)
			setNull(c, "clientcert")
			return nil
		}
		if v, _ := c.Get("address"); v.IsNull() {
			c.Set("address", unknownAddress())
			d.derive("missing address of the server", at.key("address")...)
			return wrapAddress(c, "address")
		}
		return nil
	})
}
