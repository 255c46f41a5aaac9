package jsonl

import (
	"bytes"
	"encoding/base64"
	"fmt"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/state"
)

// original appends the record in $raw to dst, unless the rest of the line, whose
// record is rest, says something else: then somebody changed it, and it counts.
func (d *decoder) original(dst, rest []byte, c tnetstring.Codec) ([]byte, error) {
	text := d.plain(d.rawAt, d.raw)
	raw, err := base64.StdEncoding.Strict().AppendDecode(nil, text)
	if err != nil || base64.StdEncoding.EncodedLen(len(raw)) != len(text) {
		return dst, fail(d.rawAt, errBase64).under([]byte(tagRaw))
	}
	wrong := func(err error) ([]byte, error) {
		return dst, fail(d.rawAt, fmt.Errorf("no record of a flow: %w", err)).under([]byte(tagRaw))
	}
	v, err := c.OpenRecord(raw)
	if err != nil {
		return wrong(err)
	}
	if err := state.Validate(v); err != nil {
		return wrong(err)
	}
	if string(rest) == "0:}" {
		return append(dst, raw...), nil // there is nothing else
	}
	r, err := c.OpenRecord(rest)
	if err != nil {
		return wrong(err)
	}
	was, err := tnetstring.Canonical(v)
	if err != nil {
		return wrong(err)
	}
	is, err := tnetstring.Canonical(r)
	if err != nil {
		return wrong(err)
	}
	if bytes.Equal(was, is) {
		return append(dst, raw...), nil
	}
	return append(dst, rest...), nil
}
