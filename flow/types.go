package flow

import (
	"slices"

	"github.com/flowtool/flowtool/state"
)

// flowType is a row of the table of types.
type flowType struct {
	name string
	keys schema // all keys of a flow
}

func newFlowType(name string, keys ...schemaField) flowType {
	return flowType{name, append(slices.Clip(commonSchema), keys...)}
}

var flowTypes = [...]*flowType{&httpType, &tcpType, &udpType, &dnsType}

// Types returns the names of the types of flows.
func Types() []string {
	var names []string
	for _, t := range flowTypes {
		names = append(names, t.name)
	}
	return names
}

// view returns the flow of type t over m.
func (t *flowType) view(m *state.Map) Flow {
	switch t {
	case &httpType:
		f := new(HTTP)
		f.init(t, f, m)
		return f
	case &tcpType:
		f := new(TCP)
		f.init(t, f, m)
		return f
	case &udpType:
		f := new(UDP)
		f.init(t, f, m)
		return f
	case &dnsType:
		f := new(DNS)
		f.init(t, f, m)
		return f
	}
	panic("flow: type without a view: " + t.name)
}

// opened makes sure that m is decoded.
func opened(m *state.Map) error {
	_, err := m.Value().Map()
	if err != nil {
		return &FieldError{Want: "map", Got: "malformed map", Err: err}
	}
	return nil
}

func typeOf(m *state.Map) (*flowType, error) {
	if err := opened(m); err != nil {
		return nil, err
	}
	v, ok := m.Get("type")
	if !ok {
		return nil, &UnknownTypeError{"nothing"}
	}
	if v.Kind() == state.KindText {
		b, err := v.TextBytes()
		if err != nil {
			return nil, &FieldError{Path: "/type", Want: "text", Got: "malformed text", Err: err}
		}
		for _, t := range flowTypes {
			if string(b) == t.name {
				return t, nil
			}
		}
	}
	return nil, &UnknownTypeError{describe(v)}
}

// View returns the flow over the state m, which becomes part of it. It looks at
// the type only: what is wrong with the rest reads as zero values.
func View(m *state.Map) (Flow, error) {
	t, err := typeOf(m)
	if err != nil {
		return nil, err
	}
	return t.view(m), nil
}

// A Viewer gives views of flows, one after the other, in the same memory: each
// flow, and all parts of it, must not be used after the next call of View. It is
// for programs that look at many flows for a moment. The zero Viewer is ready.
type Viewer struct {
	http     HTTP
	request  Request
	response Response
}

// View is [View] in the memory of v.
func (v *Viewer) View(m *state.Map) (Flow, error) {
	t, err := typeOf(m)
	if err != nil {
		return nil, err
	}
	if t != &httpType {
		return t.view(m), nil
	}
	v.http = HTTP{viewer: v}
	v.http.init(t, &v.http, m)
	return &v.http, nil
}

// newRequest returns memory for the request of a flow from v, if v is not nil.
func (v *Viewer) newRequest() *Request {
	if v == nil {
		return new(Request)
	}
	return &v.request
}

func (v *Viewer) newResponse() *Response {
	if v == nil {
		return new(Response)
	}
	return &v.response
}

// FromState returns the flow over the state m, which becomes part of it, if it
// is valid; the package documentation says what that means. If it is not, the
// error is a [*FieldError] or [*UnknownTypeError] and m is not changed.
func FromState(m *state.Map) (Flow, error) {
	if err := checkVersion(m); err != nil {
		return nil, err
	}
	t, err := typeOf(m)
	if err != nil {
		return nil, err
	}
	if err := t.validate(m); err != nil {
		return nil, err
	}
	return t.view(m), nil
}

// bytesVersion is a key under which mitmproxy looks for the version first, as it
// did in the files of Python 2.
var bytesVersion = state.Bytes([]byte("version"))

// checkVersion is the first check, because the version decides what else to
// expect.
func checkVersion(m *state.Map) error {
	if err := opened(m); err != nil {
		return err
	}
	v, ok := m.Get("version")
	if old, found := m.GetKey(bytesVersion); found {
		v, ok = old, true
	}
	if i, err := v.Int64(); err == nil && i == Version {
		return nil
	}
	e := &FieldError{Path: "/version", Want: versionRule.want, Got: "nothing"}
	if ok {
		e.Got = describe(v)
	}
	return e
}

// validate checks m strictly, and then applies the conversions that mitmproxy
// applies.
func (t *flowType) validate(m *state.Map) error {
	c := newChecker(m, t, false)
	if c.run(); c.err != nil {
		return c.err
	}
	return nil
}
