package migrate

import (
	"bytes"

	"github.com/flowtool/flowtool/state"
)

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

// down8 moves the mark of a replayed request to the request, and makes up the form
// of its first line. A host with other characters than those of ASCII is encoded.
func down8(d *downgrade, m *state.Map) error {
	replay, _ := m.Delete("is_replay")
	marked := false
	if typeOf(m) == "http" {
		req, err := m.Map("request")
		if err != nil {
			return err
		}
		marked = state.Equal(replay, state.Text("request"))
		req.Set("is_replay", state.Bool(marked))
		if err := d.downRequest(req); err != nil {
			return state.At(err, "request")
		}
	}
	if !marked && !replay.IsNull() {
		d.lose("replay mark", "is_replay")
	}
	return nil
}

func (d *downgrade) downRequest(req *state.Map) error {
	method, err := req.Bytes("method")
	if err != nil {
		return err
	}
	authority, err := req.Bytes("authority")
	if err != nil {
		return err
	}
	form := "relative"
	if bytes.EqualFold(method, []byte("CONNECT")) {
		form = "authority"
	} else if len(authority) > 0 {
		form = "absolute"
	}
	req.Set("first_line_format", state.Text(form))
	d.remove(req, "authority", state.Bytes(nil), "authority", "request", "authority")

	if v, _ := req.Get("host"); v.Kind() == state.KindBytes {
		return nil
	}
	host, err := req.Text("host")
	if err != nil {
		return err
	}
	b := encodeHost(host)
	req.Set("host", state.Bytes(b))
	if decodeHost(b) != host {
		d.derive("spelling of the host", "request", "host")
	}
	return nil
}
