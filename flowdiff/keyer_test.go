package flowdiff_test

import (
	"testing"

	"github.com/flowtool/flowtool/display"
	"github.com/flowtool/flowtool/flowdiff"
)

// Clones of a Keyer make the same entries, and others do not.
func TestKeyerClone(t *testing.T) {
	columns, err := display.ParseColumns("method,url")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*display.Columns{nil, columns} {
		k := flowdiff.NewKeyer(c)
		clone, other := k.Clone(), flowdiff.NewKeyer(c)
		for i, f := range readFlows(t, "real", "http1.mitm") {
			e := k.Entry(f, int64(i), 0)
			if clone.Entry(f, int64(i), 0) != e {
				t.Errorf("flow %d: the clone has another entry", i)
			}
			if other.Entry(f, int64(i), 0) == e {
				t.Errorf("flow %d: another keyer has the same entry", i)
			}
		}
	}
}
