package flowdiff_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/flowdiff"
	"github.com/flowtool/flowtool/jsonl"
	"github.com/flowtool/flowtool/state"
)

// The line of a patch has what AppendPatch and jsonl make, and says whose it is.
func TestReportAppendPatch(t *testing.T) {
	flows := readFlows(t, "real", "edited.mitm")
	a, b := flows[0], flows[1]
	refA, refB := flowdiff.NewRef(0, a), flowdiff.NewRef(1, b)
	changes, err := flowdiff.Diff(a.State(), b.State(), nil)
	if err != nil {
		t.Fatal(err)
	}
	patch, err := flowdiff.AppendPatch(nil, a.State(), b.State())
	if err != nil {
		t.Fatal(err)
	}
	line, err := jsonl.Append(nil, b.State())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name        string
		report      flowdiff.Report
		a, b        *state.Map
		status      string
		patch, flow string
	}{
		{"both", flowdiff.Report{A: refA, B: refB, Changes: changes}, a.State(), b.State(), "different", string(patch), ""},
		{"same", flowdiff.Report{A: refA, B: refA}, a.State(), a.State(), "equal", "[]", ""},
		{"only a", flowdiff.Report{A: refA}, a.State(), nil, "only_a", "", ""},
		{"only b", flowdiff.Report{B: refB}, nil, b.State(), "only_b", "", string(line)},
	} {
		got, err := tt.report.AppendPatch([]byte("before"), tt.a, tt.b)
		if err != nil {
			t.Fatal(err)
		}
		text, ok := strings.CutPrefix(string(got), "before")
		var v struct {
			Status      string
			A, B        *struct{ ID string }
			Patch, Flow json.RawMessage
		}
		if err := json.Unmarshal([]byte(text), &v); err != nil || !ok || strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, "\n") {
			t.Fatalf("%s: %v: %s", tt.name, err, got)
		}
		if v.Status != tt.status || (v.A != nil) != (tt.report.A != nil) || (v.B != nil) != (tt.report.B != nil) {
			t.Errorf("%s: %s", tt.name, text)
		}
		if string(v.Patch) != strings.TrimSpace(tt.patch) || string(v.Flow) != strings.TrimSpace(tt.flow) {
			t.Errorf("%s: patch %s, flow %s", tt.name, v.Patch, v.Flow)
		}
	}
}

// A flow that is as its backup is unmodified, and not equal to something.
func TestUnmodified(t *testing.T) {
	ref := flowdiff.NewRef(3, exampleFlow("GET", "http://shop.example/", ""))
	r := flowdiff.Report{A: ref, B: ref, Backup: true}
	text, err := r.AppendText(nil, nil)
	if want := "unmodified: flow 3: GET http://shop.example/\n"; string(text) != want || err != nil {
		t.Errorf("got %q, %v", text, err)
	}
	if got, want := string(r.AppendStat(nil)), "unmodified: flow 3: GET http://shop.example/\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
