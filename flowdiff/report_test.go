package flowdiff_test

import (
	"testing"

	"github.com/flowtool/flowtool/flowdiff"
)

// TestElsewhere: a flow of which no edit is reported need not be unmodified.
func TestElsewhere(t *testing.T) {
	ref := &flowdiff.Ref{Index: 3, ID: "x", Type: "tcp", Title: "a.example:1"}
	r := flowdiff.Report{A: ref, B: ref, Backup: true, Elsewhere: true}
	if got := r.Status(); got != flowdiff.StatusEqual {
		t.Errorf("status %s", got)
	}
	text, err := r.AppendText(nil, nil)
	if want := "edited elsewhere: flow 3: a.example:1\n"; string(text) != want || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	if got, want := string(r.AppendStat(nil)), "edited elsewhere: flow 3: a.example:1\n"; got != want {
		t.Errorf("%q", got)
	}
	line, err := r.AppendJSON(nil)
	const flow = `{"index":3,"id":"x","type":"tcp","title":"a.example:1"}`
	if want := `{"status":"equal","a":` + flow + `,"b":` + flow + `,"changes":[],"elsewhere":true}` + "\n"; string(line) != want || err != nil {
		t.Errorf("%s, %v", line, err)
	}
}
