// Package oracle compares what flowtool reads and writes with what an
// installed mitmproxy reads. See CONTRIBUTING.md for how to run it.
package oracle

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/state"
)

// answer is a line of dump_states.py.
type answer struct {
	Flows []json.RawMessage
	Error *struct{ Class, Message string }
}

// stopsEarly are the dumps that mitmproxy does not read to the end: how many
// flows it reads, how many flowtool reads, and why. Only the flows that both
// read are compared.
var stopsEarly = map[string]struct {
	theirs, ours int
	reason       string
}{
	"diskfull.mitm":     {40, 40, "the file is cut off, and both say so"},
	"dumpfile-010.mitm": {0, 1, "format 0.10 is refused by mitmproxy (R26)"},
}

// TestRead compares the flows of all dumps.
func TestRead(t *testing.T) {
	python := flowtest.Oracle(t)
	files := flowtest.Dumps(t)
	answers := flowtest.RunOracle[answer](t, python, "dump_states.py", files)
	for i, file := range files {
		t.Run(name(file), func(t *testing.T) {
			theirs := parse(t, answers[i])
			ours, err := read(t, file)
			early, known := stopsEarly[filepath.Base(file)]
			switch {
			case known && (answers[i].Error == nil || len(theirs) != early.theirs || len(ours) != early.ours):
				t.Fatalf("mitmproxy reads %d flows (%v) and flowtool %d, want %d with an error and %d: %s",
					len(theirs), answers[i].Error, len(ours), early.theirs, early.ours, early.reason)
			case !known && answers[i].Error != nil:
				t.Fatalf("mitmproxy reads %d flows, then: %v; flowtool reads %d flows", len(theirs), *answers[i].Error, len(ours))
			case !known && err != nil:
				t.Fatal(err)
			case !known && len(theirs) != len(ours):
				t.Fatalf("mitmproxy reads %d flows, flowtool %d", len(theirs), len(ours))
			}
			e := excuses{data: flowtest.Read(t, file), versions: versions(t, file), ids: map[string]string{}}
			for n, want := range theirs {
				got := ours[n].GetState()
				e.apply(t, n, want, got)
				same(t, n, want, got)
			}
		})
	}
}

// TestWrite lets mitmproxy read what flowtool writes.
func TestWrite(t *testing.T) {
	python := flowtest.Oracle(t)
	var written []string
	var wrote [][]flow.Flow
	dir := t.TempDir()
	for _, file := range flowtest.Dumps(t) {
		flows, _ := read(t, file)
		out := filepath.Join(dir, strings.ReplaceAll(name(file), "/", "-"))
		if _, err := os.Stat(out); err == nil {
			t.Fatalf("two dumps are called %s", name(file))
		}
		write(t, out, flows)
		written, wrote = append(written, out), append(wrote, flows)
	}
	answers := flowtest.RunOracle[answer](t, python, "dump_states.py", written)
	for i, file := range written {
		t.Run(filepath.Base(file), func(t *testing.T) {
			if e := answers[i].Error; e != nil {
				t.Fatalf("mitmproxy reads %d flows of %d, then: %v", len(answers[i].Flows), len(wrote[i]), *e)
			}
			theirs := parse(t, answers[i])
			if len(theirs) != len(wrote[i]) {
				t.Fatalf("mitmproxy reads %d flows, want %d", len(theirs), len(wrote[i]))
			}
			for n, want := range theirs {
				same(t, n, want, wrote[i][n].GetState()) // nothing is migrated, so nothing may differ
			}
		})
	}
}

// TestOld lets an old mitmproxy, whose Python FLOWTOOL_ORACLE_OLD names, count
// the flows of the dumps that it can read by their versions.
func TestOld(t *testing.T) {
	python := os.Getenv("FLOWTOOL_ORACLE_OLD")
	if python == "" {
		t.Skip("FLOWTOOL_ORACLE_OLD does not name a Python with mitmproxy 8.1")
	}
	refused := map[string]string{
		"diskfull.mitm":     "the file is cut off",
		"dumpfile-010.mitm": "format 0.10 is refused (R26)",
		"upstream.mitm":     "8.1 cannot read its own recordings of upstream mode",
	}
	var files []string
	var counts []int
	for _, file := range flowtest.Dumps(t) {
		vs := versions(t, file)
		tooNew := func(v migrate.Version) bool { return v.Compare(migrate.Number(17)) > 0 }
		if refused[filepath.Base(file)] == "" && !slices.ContainsFunc(vs, tooNew) {
			files, counts = append(files, file), append(counts, len(vs))
		}
	}
	if len(files) == 0 {
		t.Fatal("no dump is old enough")
	}
	type count struct {
		Flows int
		Error *string
	}
	for i, c := range flowtest.RunOracle[count](t, python, "count_flows.py", files) {
		if c.Error != nil || c.Flows != counts[i] {
			t.Errorf("%s: %d flows, error %v; want %d flows", name(files[i]), c.Flows, c.Error, counts[i])
		}
	}
}

// name returns the name of a dump with that of its folder.
func name(file string) string {
	return filepath.Base(filepath.Dir(file)) + "/" + filepath.Base(file)
}

func read(t *testing.T, file string) ([]flow.Flow, error) {
	t.Helper()
	r := dumpfile.NewReader(bytes.NewReader(flowtest.Read(t, file)), nil)
	defer r.Close()
	var flows []flow.Flow
	for f, err := range r.Flows() {
		if err != nil {
			return flows, err
		}
		flows = append(flows, f)
	}
	return flows, nil
}

// versions returns the format versions of the records in a dump, up to where it
// is damaged.
func versions(t *testing.T, file string) (vs []migrate.Version) {
	t.Helper()
	for m, err := range dumpfile.NewReader(bytes.NewReader(flowtest.Read(t, file)), nil).States() {
		if err != nil {
			break
		}
		v, err := migrate.VersionOf(m)
		if err != nil {
			t.Fatal(err)
		}
		vs = append(vs, v)
	}
	return vs
}

func write(t *testing.T, file string, flows []flow.Flow) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := dumpfile.NewWriter(f)
	for _, fl := range flows {
		if err := w.WriteFlow(fl); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func parse(t *testing.T, a answer) []*state.Map {
	t.Helper()
	var out []*state.Map
	for i, raw := range a.Flows {
		v, err := flowtest.ParseValue(raw)
		if err != nil {
			t.Fatalf("flow %d: %v", i, err)
		}
		m, err := v.Map()
		if err != nil {
			t.Fatalf("flow %d: %v", i, err)
		}
		if v, err := migrate.VersionOf(m); err != nil || v != migrate.Newest {
			t.Fatalf("the oracle gives flows of format %s, want %s: its mitmproxy has to be 11 or later", v, migrate.Newest)
		}
		out = append(out, m)
	}
	return out
}

// same compares flow n. The order of keys does not count: it is in the committed
// vectors, and DNS messages have another one from release to release.
func same(t *testing.T, n int, theirs, ours *state.Map) {
	t.Helper()
	want, got := flowtest.Dump(theirs.Value(), true), flowtest.Dump(ours.Value(), true)
	if want != got {
		diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n"))
		t.Errorf("flow %d (-mitmproxy +flowtool):\n%s", n, diff)
	}
}
