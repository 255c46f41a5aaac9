package flow

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/flowtool/flowtool/state"
)

// newState returns the state of a new flow. Connections that are nil are an
// error of the caller.
func newState(t *flowType, client *ClientConn, server *ServerConn, own ...state.Entry) *state.Map {
	s := newScratch()
	defer s.free()
	entries := []state.Entry{
		state.E("version", state.Int(Version)),
		state.E("type", state.Text(t.name)),
		state.E("id", state.Text(uuid.NewString())),
		state.E("error", state.Null()),
		state.E("client_conn", clientFields.storeMap(client, state.Null(), s)),
		state.E("server_conn", serverFields.storeMap(server, state.Null(), s)),
		state.E("intercepted", state.Bool(false)),
		state.E("is_replay", state.Null()),
		state.E("marked", state.Text("")),
		state.E("metadata", state.NewMap().Value()),
		state.E("comment", state.Text("")),
		state.E("timestamp_created", Now().value()),
		state.E("backup", state.Null()),
	}
	return state.NewMap(append(entries, own...)...)
}

// NewRequest returns an HTTP/1.1 request made now. rawURL must be an absolute
// URL with the scheme http or https.
func NewRequest(method, rawURL string, headers Headers, body []byte) (*Request, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("flow: %w", err)
	}
	scheme := strings.ToLower(u.Scheme)
	if scheme != "http" && scheme != "https" {
		return nil, fmt.Errorf("flow: URL %.100q does not begin with http:// or https://", rawURL)
	}
	if u.Hostname() == "" {
		return nil, fmt.Errorf("flow: URL %.100q has no host", rawURL)
	}
	port := defaultPort(scheme)
	if p := u.Port(); p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil {
			return nil, errors.New("flow: port " + p + " is out of range")
		}
		port = int(n)
	}
	now := Now()
	return &Request{
		HTTPMessage: HTTPMessage{
			HTTPVersion:    "HTTP/1.1",
			Headers:        headers,
			Body:           NewBody(body),
			TimestampStart: now,
			TimestampEnd:   now,
		},
		Host:   u.Hostname(),
		Port:   port,
		Method: method,
		Scheme: scheme,
		Path:   u.RequestURI(),
	}, nil
}

// NewResponse returns an HTTP/1.1 response made now, with the usual reason.
func NewResponse(code int, headers Headers, body []byte) *Response {
	now := Now()
	return &Response{
		HTTPMessage: HTTPMessage{
			HTTPVersion:    "HTTP/1.1",
			Headers:        headers,
			Body:           NewBody(body),
			TimestampStart: now,
			TimestampEnd:   now,
		},
		StatusCode: code,
		Reason:     StatusText(code),
	}
}
