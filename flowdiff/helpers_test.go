package flowdiff_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/flowdiff"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

// readFlows returns the flows of a dump below testdata.
func readFlows(t testing.TB, elem ...string) []flow.Flow {
	t.Helper()
	var flows []flow.Flow
	r := dumpfile.NewReader(bytes.NewReader(flowtest.Read(t, flowtest.Path(elem...))), nil)
	for f, err := range r.Flows() {
		if err != nil {
			t.Fatal(err)
		}
		flows = append(flows, f)
	}
	return flows
}

// describe returns changes one a line, in words that tests compare.
func describe(changes []flowdiff.Change) []string {
	var out []string
	for _, c := range changes {
		s := c.Kind.String() + " " + string(c.Path)
		if c.From != "" {
			s += " from " + string(c.From)
		}
		switch {
		case c.Body != nil && c.Body.Hunks != nil:
			s += ":"
			for _, h := range c.Body.Hunks {
				for _, l := range h.Lines {
					if l.Op != ' ' {
						s += fmt.Sprintf(" %c%q", l.Op, l.Text)
					}
				}
			}
		case c.Body != nil:
			s += fmt.Sprintf(": %d -> %d bytes, at %d", c.Body.Old.Size, c.Body.New.Size, c.Body.Offset)
		case c.Kind == flowdiff.Added:
			s += ": " + short(c.New)
		case c.Kind == flowdiff.Removed:
			s += ": " + short(c.Old)
		default:
			s += ": " + short(c.Old) + " -> " + short(c.New)
		}
		if c.Note != "" {
			s += " (" + c.Note + ")"
		}
		out = append(out, s)
	}
	return out
}

func short(v state.Value) string {
	if v.Kind() == state.KindMap {
		return "{…}"
	}
	return v.String()
}

func diff(t testing.TB, a, b *state.Map, opts *flowdiff.Options) []flowdiff.Change {
	t.Helper()
	changes, err := flowdiff.Diff(a, b, opts)
	if err != nil {
		t.Fatal(err)
	}
	return changes
}
