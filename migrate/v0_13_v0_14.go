package migrate

import (
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
