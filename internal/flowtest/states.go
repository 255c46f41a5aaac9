package flowtest

import (
	"testing"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/state"
)

// States returns the records of an undamaged dump as they are stored, without
// the help of package dumpfile.
func States(t testing.TB, data []byte) []*state.Map {
	t.Helper()
	var out []*state.Map
	for off := 0; off < len(data); {
		v, err := state.Open(&state.Source{Codec: tnetstring.Codec{}, Data: data[off:], Off: int64(off)})
		if err != nil {
			t.Fatalf("record %d at %d: %v", len(out), off, err)
		}
		m, err := v.Map()
		if err != nil {
			t.Fatalf("record %d at %d: %v", len(out), off, err)
		}
		raw, _, _ := v.Raw(tnetstring.Encoding)
		off += len(raw)
		out = append(out, m)
	}
	return out
}
