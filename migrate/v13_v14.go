package migrate

import (
	"math/big"

	"github.com/flowtool/flowtool/state"
)

// up13 adds comment, "", and gives responses that addons made the times they lack.
//
// Before:
//
//	response  timestamp_start and timestamp_end may be null
//
// After:
//
//	comment   ""
//	response  timestamp_start as request.timestamp_end, timestamp_end a second
//	          later
//
// See fillTimes for times that the request lacks.
func up13(_ *upgrade, m *state.Map) error {
	m.Set("comment", state.Text(""))
	return fillTimes(m)
}

// fillTimes sets the start of the request and of the response, which must not be
// null but were up to 2.0 in flows not recorded live. The request starts with its
// client connection then; the response starts when the request ends, or else
// starts. mitmproxy fails where this needs more than the end of the request.
func fillTimes(m *state.Map) error {
	v, _ := m.Get("request")
	if v.Kind() != state.KindMap {
		return nil
	}
	req, err := v.Map()
	if err != nil {
		return state.At(err, "request")
	}
	start, ok := req.Get("timestamp_start")
	if !ok {
		return state.At(state.At(state.ErrMissing, "timestamp_start"), "request")
	}
	if start.IsNull() {
		c, err := m.Map("client_conn")
		if err != nil {
			return err
		}
		if start, _ = c.Get("timestamp_start"); start.IsNull() {
			start = state.Int(0)
		}
		req.Set("timestamp_start", start)
	}

	v, _ = m.Get("response")
	if v.Kind() != state.KindMap {
		return nil
	}
	resp, err := v.Map()
	if err != nil {
		return state.At(err, "response")
	}
	if v, ok := resp.Get("timestamp_start"); !ok || !v.IsNull() {
		return nil
	}
	base, _ := req.Get("timestamp_end")
	if base.IsNull() {
		base = start
	}
	end, err := plusOne(base)
	if err != nil {
		return state.At(state.At(err, "timestamp_start"), "response")
	}
	resp.Set("timestamp_start", base)
	resp.Set("timestamp_end", end)
	return nil
}

// plusOne adds a second to a time.
func plusOne(v state.Value) (state.Value, error) {
	switch v.Kind() {
	case state.KindFloat:
		f, err := v.Float64()
		return state.Float(f + 1), err
	case state.KindInt:
		n, err := v.Int64()
		return state.BigInt(new(big.Int).Add(big.NewInt(n), big.NewInt(1))), err
	case state.KindBool:
		b, err := v.Bool()
		if b {
			return state.Int(2), err
		}
		return state.Int(1), err
	}
	return v, typeError("number", v)
}

// down13 removes comment.
func down13(d *downgrade, m *state.Map) error {
	d.remove(m, "comment", state.Text(""), "comment", "comment")
	return nil
}
