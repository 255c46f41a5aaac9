package har

import (
	"bytes"
	"encoding/json"
	"errors"
)

// ErrIncomplete is the error of copying an entry that is not all that HAR 1.2
// demands.
var ErrIncomplete = errors.New("har: entry is not complete")

// Copy makes e a copy of an entry of another HAR, its JSON, which must not change
// before e has been written. The error is [ErrIncomplete] if a reader that goes by
// HAR 1.2 may refuse it; then it can be read and encoded.
func (e *Entry) Copy(raw []byte) error {
	var found completeEntry
	if json.Unmarshal(raw, &found) != nil || !found.complete() {
		return ErrIncomplete
	}
	e.forget()
	e.raw, e.notes, e.conn = raw, e.notes[:0], 0
	return nil
}

// WithoutPage returns an entry of another HAR, its JSON, without the name of its page,
// for a file in which that page is not or another one has the name. ok is false if
// it has none; then the result is raw itself.
func WithoutPage(raw []byte) (_ []byte, ok bool) {
	if !bytes.Contains(raw, []byte(`"pageref"`)) {
		return raw, false
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return raw, false
	}
	out := []byte("{")
	for from := d.InputOffset(); ; from = d.InputOffset() {
		if !d.More() {
			if _, err := d.Token(); err != nil || !ok {
				return raw, false
			}
			return append(out, raw[from:]...), true
		}
		key, err := d.Token()
		if err == nil {
			err = d.Decode(new(json.RawMessage))
		}
		if err != nil {
			return raw, false
		}
		if key == "pageref" {
			ok = true
			continue
		}
		member := raw[from:d.InputOffset()]
		if len(out) == 1 { // what stood before it may be gone
			member = bytes.TrimLeft(member, ", \t\r\n")
		}
		out = append(out, member...)
	}
}

// completeEntry has what HAR 1.2 demands of an entry.
type completeEntry struct {
	StartedDateTime *string
	Time            *float64
	Request         *struct {
		Method, URL, HTTPVersion *string
		Cookies, Headers         []namedValue
		QueryString              []namedValue
		HeadersSize, BodySize    *int64
	}
	Response *struct {
		Status                *int64
		StatusText            *string
		HTTPVersion           *string
		Cookies, Headers      []namedValue
		RedirectURL           *string
		HeadersSize, BodySize *int64
		Content               *struct {
			Size     *int64
			MimeType *string
		}
	}
	Cache   *struct{}
	Timings *struct{ Send, Wait, Receive *float64 }
}

type namedValue struct{ Name, Value *string }

func (e *completeEntry) complete() bool {
	q, s, t := e.Request, e.Response, e.Timings
	if e.StartedDateTime == nil || e.Time == nil || e.Cache == nil || q == nil || s == nil || t == nil || s.Content == nil {
		return false
	}
	for _, list := range [][]namedValue{q.Cookies, q.Headers, q.QueryString, s.Cookies, s.Headers} {
		if list == nil {
			return false
		}
		for _, v := range list {
			if v.Name == nil || v.Value == nil {
				return false
			}
		}
	}
	for _, text := range []*string{q.Method, q.URL, q.HTTPVersion, s.StatusText, s.HTTPVersion, s.RedirectURL, s.Content.MimeType} {
		if text == nil {
			return false
		}
	}
	for _, n := range []*int64{q.HeadersSize, q.BodySize, s.Status, s.HeadersSize, s.BodySize, s.Content.Size} {
		if n == nil {
			return false
		}
	}
	return t.Send != nil && t.Wait != nil && t.Receive != nil
}
