package oracle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/state"
)

// releaseAnswer is a line of release_flows.py.
type releaseAnswer struct {
	Release, Format string
	Flows           []releaseFlow
	Saved           []byte
	Error           *struct{ Class, Message string }
}

// An original is a record of a dump, with the facts of the flow that it is.
type original struct {
	state *state.Map
	facts releaseFlow
}

// originals returns the records of a dump, up to where it is damaged.
func originals(t *testing.T, file string) (out []original) {
	t.Helper()
	flows, _ := read(t, file)
	for m, err := range dumpfile.NewReader(bytes.NewReader(flowtest.Read(t, file)), nil).States() {
		if err != nil {
			break
		}
		out = append(out, original{m, facts(t, flows[len(out)])})
	}
	return out
}

// refusedByOwn tells that the releases of version v cannot read m, although they
// wrote such flows: 8.0 to 9.0 fail to give an open connection its upstream proxy.
func refusedByOwn(v migrate.Version, m *state.Map) bool {
	open, _ := at(m, "server_conn", "state").Int64()
	return v.Compare(migrate.Number(15)) >= 0 && v.Compare(migrate.Number(18)) <= 0 &&
		open != 0 && !at(m, "server_conn", "via2").IsNull()
}

// releaseFile is a dump for a release, and the facts of its flows.
type releaseFile struct {
	name, path string
	want       []releaseFlow
	refused    bool // holds one flow that the release cannot read
}

// releaseFiles writes the dumps in version v.
func releaseFiles(t *testing.T, dumps map[string][]original, v migrate.Version) (files []releaseFile, skipped int) {
	t.Helper()
	dir := t.TempDir()
	add := func(f releaseFile, flows ...*state.Map) {
		f.path = filepath.Join(dir, fmt.Sprintf("%d.mitm", len(files)))
		writeStates(t, f.path, flows)
		files = append(files, f)
	}
	for _, name := range slices.Sorted(maps.Keys(dumps)) {
		var flows []*state.Map
		want := []releaseFlow{}
		s := migrate.NewStream(nil)
		for n, o := range dumps[name] {
			migrated, _, err := s.To(o.state, v)
			if err != nil {
				t.Fatalf("%s flow %d to %s: %v", name, n, v, err)
			}
			if len(migrated) == 0 {
				skipped++
			}
			for _, m := range migrated {
				if refusedByOwn(v, m) {
					add(releaseFile{name: fmt.Sprintf("%s flow %d", name, n), refused: true}, m)
					continue
				}
				flows, want = append(flows, m), append(want, o.facts.inVersion(v, m))
			}
		}
		add(releaseFile{name: name, want: want}, flows...)
	}
	return files, skipped
}

// TestReleases lets old releases read the flows of all dumps in the version that
// they wrote themselves, looks at the flows they make of them, and at what they
// write for these. FLOWTOOL_RELEASES names a folder made by .ci/releases.
func TestReleases(t *testing.T) {
	dir := os.Getenv("FLOWTOOL_RELEASES")
	if dir == "" {
		t.Skip("FLOWTOOL_RELEASES does not name a folder with old releases of mitmproxy")
	}
	pythons, err := filepath.Glob(filepath.Join(dir, "*", "python"))
	if err != nil || len(pythons) == 0 {
		t.Fatalf("FLOWTOOL_RELEASES: there is no release in %s, error %v", dir, err)
	}
	dumps := map[string][]original{}
	for _, file := range flowtest.Dumps(t) {
		if dumps[name(file)] != nil {
			t.Fatalf("two dumps are called %s", name(file))
		}
		dumps[name(file)] = originals(t, file)
	}
	for _, python := range pythons {
		var about releaseAnswer
		if err := json.Unmarshal(flowtest.Read(t, filepath.Join(filepath.Dir(python), "about")), &about); err != nil {
			t.Fatal(err)
		}
		v, err := migrate.ParseVersion(about.Format)
		if err != nil {
			t.Fatal(err)
		}
		files, skipped := releaseFiles(t, dumps, v)
		t.Run(about.Release, func(t *testing.T) {
			t.Parallel()
			flows := 0
			for i, a := range flowtest.RunOracle[releaseAnswer](t, python, "release_flows.py", paths(files)) {
				t.Run(files[i].name, func(t *testing.T) { compareRelease(t, files[i], a, v) })
				flows += len(a.Flows)
			}
			t.Logf("version %s, %d flows in %d files; %d have no place in it", v, flows, len(files), skipped)
			if flows == 0 {
				t.Error("no flow was read")
			}
		})
	}
}

func paths(files []releaseFile) (out []string) {
	for _, f := range files {
		out = append(out, f.path)
	}
	return out
}

// compareRelease compares what a release says of a file of its version.
func compareRelease(t *testing.T, file releaseFile, a releaseAnswer, v migrate.Version) {
	t.Helper()
	if file.refused {
		if a.Error == nil {
			t.Error("mitmproxy reads this flow")
		}
		return
	}
	if a.Error != nil {
		t.Fatalf("mitmproxy reads %d flows of %d, then: %v", len(a.Flows), len(file.want), *a.Error)
	}
	if diff := cmp.Diff(file.want, a.Flows); diff != "" {
		t.Errorf("(-flowtool +mitmproxy):\n%s", diff)
	}
	ours, theirs := flowtest.States(t, flowtest.Read(t, file.path)), flowtest.States(t, a.Saved)
	if len(theirs) != len(ours) {
		t.Fatalf("mitmproxy writes %d flows, want %d", len(theirs), len(ours))
	}
	for n, m := range ours {
		asSaved(t, v, m)
		sameVersion(t, theirs[n], m)
		same(t, n, theirs[n], m)
	}
}

// sameVersion checks the version of a flow that was saved. A release may write its
// third number too, which means nothing.
func sameVersion(t *testing.T, theirs, ours *state.Map) {
	t.Helper()
	for _, key := range []state.Value{state.Text("version"), key("version")} {
		want, ok := ours.GetKey(key)
		if !ok {
			continue
		}
		w, _ := migrate.VersionOf(ours)
		if got, err := migrate.VersionOf(theirs); err != nil || got != w {
			t.Errorf("mitmproxy writes version %s (%v), want %s", got, err, w)
		}
		theirs.SetKey(key, want)
	}
	// WebSocket flows of 2.0 have a flow inside.
	if handshake, err := at(ours, "handshake_flow").Map(); err == nil {
		sameVersion(t, part(t, theirs, "handshake_flow"), handshake)
	}
}

// asSaved makes m, a flow of version v, what the releases of that version write
// when they have read it.
func asSaved(t *testing.T, v migrate.Version, m *state.Map) {
	t.Helper()
	if v.Compare(migrate.Number(14)) >= 0 && v.Compare(migrate.Number(18)) <= 0 {
		unread(t, m)
	}
	if v == migrate.Tuple(0, 16) {
		// It parses the certificate of a server, and forgets it.
		for server, err := at(m, "server_conn").Map(); err == nil; server, err = at(server, "via").Map() {
			server.SetKey(key("cert"), state.Null())
		}
	}
	if v.Compare(migrate.Tuple(0, 16)) >= 0 {
		return
	}
	m.DeleteKey(key("backup")) // see inVersion
	for _, side := range []string{"request", "response"} {
		message, err := at(m, side).Map()
		if err != nil {
			continue
		}
		for _, name := range []string{"timestamp_start", "timestamp_end"} {
			if f, err := at(message, name).Number(); err == nil {
				message.SetKey(key(name), state.Float(f))
			}
		}
		if method := str(message, "method"); method != "" && v.Compare(migrate.Tuple(0, 14)) >= 0 {
			message.SetKey(key("method"), state.Bytes([]byte(strings.ToUpper(method))))
		}
	}
}

// key is a key of a flow below 0.18.
func key(name string) state.Value { return state.Bytes([]byte(name)) }
