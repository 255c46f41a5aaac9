package migrate

import (
	"bytes"

	"github.com/flowtool/flowtool/state"
)

// up0_13 renames what versions up to 0.13 called otherwise.
//
// Before:
//
//	request      form_in httpversion [1, 1]
//	response     httpversion [1, 1] code content; null if there is none
//	server_conn  state
//
// After:
//
//	request      first_line_format http_version "HTTP/1.1"
//	response     http_version status_code body
//	server_conn  via null
//
// mitmproxy fails on flows without response.
func up0_13(_ *upgrade, m *state.Map) error {
	err := httpMessages(m, func(msg *state.Map, request bool) error {
		if err := joinVersion(msg); err != nil {
			return err
		}
		if request {
			return rename(msg, "form_in", "first_line_format")
		}
		if err := rename(msg, "code", "status_code"); err != nil {
			return err
		}
		return rename(msg, "content", "body")
	})
	if err != nil {
		return err
	}
	s, err := m.Map("server_conn")
	if err != nil {
		return err
	}
	s.Delete("state")
	s.Set("via", state.Null())
	return nil
}

// joinVersion replaces the list httpversion by the bytes http_version.
func joinVersion(msg *state.Map) error {
	l, err := msg.List("httpversion")
	if err != nil {
		return err
	}
	text := []byte("HTTP/")
	for i, e := range l.All() {
		n, err := e.BigInt()
		if err != nil {
			return state.At(state.At(err, i), "httpversion")
		}
		if i > 0 {
			text = append(text, '.')
		}
		text = n.Append(text, 10)
	}
	msg.Set("httpversion", state.Bytes(text))
	return rename(msg, "httpversion", "http_version")
}

// down0_13 gives fields their earlier names.
func down0_13(d *downgrade, m *state.Map) error {
	err := httpMessages(m, func(msg *state.Map, request bool) error {
		name := "response"
		if request {
			name = "request"
		}
		if err := d.splitVersion(msg, name); err != nil {
			return err
		}
		if request {
			return rename(msg, "first_line_format", "form_in")
		}
		if err := rename(msg, "status_code", "code"); err != nil {
			return err
		}
		return rename(msg, "body", "content")
	})
	if err != nil {
		return err
	}
	s, err := m.Map("server_conn")
	if err != nil {
		return err
	}
	d.remove(s, "via", state.Null(), "upstream proxy", "server_conn", "via")
	s.Set("state", state.NewList().Value())
	return nil
}

// splitVersion replaces the bytes http_version of a message by the list
// httpversion. What is no version becomes 1.1.
func (d *downgrade) splitVersion(msg *state.Map, name string) error {
	was, ok := msg.Get("http_version")
	if !ok {
		return state.At(state.ErrMissing, "http_version")
	}
	text, err := byteString(was)
	if err != nil {
		return state.At(err, "http_version")
	}
	b, err := text.Bytes()
	if err != nil {
		return state.At(err, "http_version")
	}
	version := state.NewList(state.Int(1), state.Int(1))
	if number, ok := bytes.CutPrefix(b, []byte("HTTP/")); ok {
		major, minor, ok := bytes.Cut(number, []byte("."))
		if !ok {
			minor = []byte("0")
		}
		if a, b := digits(string(major)), digits(string(minor)); !a.IsNull() && !b.IsNull() {
			version = state.NewList(a, b)
		}
	}
	msg.Set("http_version", version.Value())
	if err := rename(msg, "http_version", "httpversion"); err != nil {
		return err
	}
	back := state.NewMap(state.E("httpversion", version.Value()))
	if err := joinVersion(back); err != nil {
		return err
	}
	if again, _ := back.Get("http_version"); !state.Equal(again, text) {
		d.derive("spelling of the HTTP version", name, "http_version")
	}
	return nil
}
