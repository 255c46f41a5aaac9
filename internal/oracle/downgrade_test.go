package oracle

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/state"
)

// refusals are the records of old versions that mitmproxy cannot read, although
// its own releases wrote such. The tags are those of docs/format.md.
var refusals = []struct {
	reason  string
	refused func(v migrate.Version, m *state.Map) bool
}{
	{"flows of 2.0 (R7)", func(v migrate.Version, m *state.Map) bool {
		return v == migrate.Tuple(2, 0)
	}},
	{"TCP flows below 12 (R5, R6)", func(v migrate.Version, m *state.Map) bool {
		return v.Compare(migrate.Number(12)) < 0 && str(m, "type") == "tcp"
	}},
	{"servers without local address below 5 (R9)", func(v migrate.Version, m *state.Map) bool {
		return v.Compare(migrate.Number(5)) < 0 && at(m, "server_conn", "source_address").IsNull()
	}},
	{"upstream proxies of 0.14 to 0.17 (R4)", func(v migrate.Version, m *state.Map) bool {
		return v.Compare(migrate.Tuple(0, 18)) < 0 && !at(m, "server_conn", "via").IsNull()
	}},
	{"flows without response below 0.16 (R1, R2)", func(v migrate.Version, m *state.Map) bool {
		return v.Compare(migrate.Tuple(0, 16)) < 0 && at(m, "response").IsNull()
	}},
	{"flows without start of the request (R13)", func(v migrate.Version, m *state.Map) bool {
		return at(m, "request").Kind() == state.KindMap && str(m, "type") == "http" &&
			at(m, "request", "timestamp_start").IsNull()
	}},
	{"connections of 6.0 without TLS flag (R11)", func(v migrate.Version, m *state.Map) bool {
		return v.Compare(migrate.Number(10)) >= 0 &&
			(at(m, "client_conn", "tls").IsNull() || at(m, "server_conn", "tls").IsNull())
	}},
	{"hosts that IDNA 2003 refuses below 9 (R24)", func(v migrate.Version, m *state.Map) bool {
		host := at(m, "request", "host")
		if v.Compare(migrate.Number(9)) >= 0 || host.Kind() != state.KindBytes {
			return false
		}
		up, err := migrate.NewStream(nil).Up(m.Clone())
		if err != nil {
			return false
		}
		// Others are decoded.
		text := str(up, "request", "host")
		return strings.Contains(text, "xn--") || strings.ContainsFunc(str(m, "request", "host"), notASCII)
	}},
}

func notASCII(r rune) bool { return r > 0x7f }

func refusal(v migrate.Version, m *state.Map) string {
	for _, r := range refusals {
		if r.refused(v, m) {
			return r.reason
		}
	}
	return ""
}

// at returns what is behind the keys, text or bytes.
func at(m *state.Map, keys ...string) state.Value {
	v := m.Value()
	for _, k := range keys {
		sub, err := v.Map()
		if err != nil {
			return state.Null()
		}
		var ok bool
		if v, ok = sub.Get(k); !ok {
			v, _ = sub.GetKey(state.Bytes([]byte(k)))
		}
	}
	return v
}

func str(m *state.Map, keys ...string) string {
	v := at(m, keys...)
	if s, err := v.Text(); err == nil {
		return s
	}
	b, _ := v.Bytes()
	return string(b)
}

// downgraded returns what becomes of the flows of a dump in version v.
func downgraded(t *testing.T, file string, v migrate.Version) (out []*state.Map) {
	t.Helper()
	s := migrate.NewStream(nil)
	for m, err := range dumpfile.NewReader(bytes.NewReader(flowtest.Read(t, file)), nil).States() {
		if err != nil {
			break // of a damaged dump what comes before
		}
		flows, losses, err := s.To(m, v)
		if err != nil {
			t.Fatalf("%s to %s: %v", name(file), v, err)
		}
		if len(flows) == 0 && (len(losses) != 1 || !losses[0].Skipped) {
			t.Fatalf("%s to %s: nothing left, losses %v", name(file), v, losses)
		}
		out = append(out, flows...)
	}
	return out
}

// targets are the versions that flows can be migrated to.
func targets() []migrate.Version {
	return slices.DeleteFunc(migrate.Versions(), func(v migrate.Version) bool {
		return migrate.CheckTarget(v) != nil || v == migrate.Newest
	})
}

// TestDowngrade lets mitmproxy read the flows of all dumps in all old versions.
func TestDowngrade(t *testing.T) {
	python := flowtest.Oracle(t)
	dumps := flowtest.Dumps(t)
	for _, v := range targets() {
		t.Run(v.String(), func(t *testing.T) {
			dir := t.TempDir()
			var files []string
			var wrote [][]*state.Map
			add := func(flows []*state.Map) {
				file := filepath.Join(dir, fmt.Sprintf("%d.mitm", len(files)))
				writeStates(t, file, flows)
				files, wrote = append(files, file), append(wrote, flows)
			}
			names := map[int]string{}
			refused := map[string]*state.Map{} // an example of each
			flows := 0
			for _, dump := range dumps {
				var good []*state.Map
				for _, m := range downgraded(t, dump, v) {
					if reason := refusal(v, m); reason != "" {
						refused[reason] = m
					} else {
						good = append(good, m)
					}
				}
				if len(good) > 0 {
					names[len(files)] = name(dump)
					flows += len(good)
					add(good)
				}
			}
			reasons := slices.Sorted(maps.Keys(refused))
			for _, r := range reasons {
				add([]*state.Map{refused[r]})
			}
			if len(files) == 0 {
				t.Fatal("no flows")
			}
			for i, a := range flowtest.RunOracle[answer](t, python, "dump_states.py", files) {
				if names[i] == "" {
					if reason := reasons[i-len(names)]; a.Error == nil {
						t.Errorf("mitmproxy reads %s", reason)
					}
					continue
				}
				t.Run(names[i], func(t *testing.T) {
					if a.Error != nil {
						t.Fatalf("mitmproxy reads %d flows of %d, then: %v", len(a.Flows), len(wrote[i]), *a.Error)
					}
					readAgain(t, files[i], parse(t, a), v)
				})
			}
			t.Logf("%d flows, refused by mitmproxy: %s", flows, strings.Join(reasons, ", "))
		})
	}
}

// readAgain compares the flows of a file of version v as mitmproxy reads them with
// how flowtool does.
func readAgain(t *testing.T, file string, theirs []*state.Map, v migrate.Version) {
	t.Helper()
	ours, err := read(t, file)
	if err != nil {
		t.Fatal(err)
	}
	if len(theirs) != len(ours) {
		t.Fatalf("mitmproxy reads %d flows, flowtool %d", len(theirs), len(ours))
	}
	e := excuses{data: flowtest.Read(t, file), ids: map[string]string{}}
	for range ours {
		e.versions = append(e.versions, v)
	}
	for n, want := range theirs {
		got := ours[n].GetState()
		if backup, _ := got.Get("backup"); v.Compare(migrate.Tuple(0, 18)) < 0 && backup.IsNull() {
			want.Set("backup", backup) // nobody can read it, see migrate
		}
		e.apply(t, n, want, got)
		same(t, n, want, got)
	}
}

func writeStates(t *testing.T, file string, flows []*state.Map) {
	t.Helper()
	var out []byte
	for _, m := range flows {
		var err error
		if out, err = tnetstring.Append(out, m.Value()); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(file, out, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDowngradeOld lets an old mitmproxy, whose Python FLOWTOOL_ORACLE_OLD names,
// read the flows of all dumps in its version, and write them again.
func TestDowngradeOld(t *testing.T) {
	python := os.Getenv("FLOWTOOL_ORACLE_OLD")
	if python == "" {
		t.Skip("FLOWTOOL_ORACLE_OLD does not name a Python with an old mitmproxy")
	}
	type saved struct {
		Format int
		Flows  int
		Saved  string
		Error  *struct{ Class, Message string }
	}
	probe := flowtest.RunOracle[saved](t, python, "resave.py", []string{flowtest.Path("real", "http1.mitm")})
	v := migrate.Number(probe[0].Format)
	dir := t.TempDir()
	var files, names []string
	var wrote [][]*state.Map
	for _, dump := range flowtest.Dumps(t) {
		if filepath.Base(dump) == "upstream.mitm" && slices.Contains([]int{15, 17, 18}, probe[0].Format) {
			continue // 8.0 to 9.0 cannot read their own recordings of upstream mode
		}
		if flows := downgraded(t, dump, v); len(flows) > 0 {
			file := filepath.Join(dir, fmt.Sprintf("%d.mitm", len(files)))
			writeStates(t, file, flows)
			files, names, wrote = append(files, file), append(names, name(dump)), append(wrote, flows)
		}
	}
	if len(files) == 0 {
		t.Fatal("no flows")
	}
	count := 0
	for i, a := range flowtest.RunOracle[saved](t, python, "resave.py", files) {
		t.Run(names[i], func(t *testing.T) {
			if a.Error != nil {
				t.Fatalf("mitmproxy reads and writes %d flows of %d, then: %v", a.Flows, len(wrote[i]), *a.Error)
			}
			data, err := base64.StdEncoding.DecodeString(a.Saved)
			if err != nil {
				t.Fatal(err)
			}
			theirs := flowtest.States(t, data)
			if len(theirs) != len(wrote[i]) {
				t.Fatalf("mitmproxy writes %d flows, want %d", len(theirs), len(wrote[i]))
			}
			for n, m := range wrote[i] {
				turn(theirs[n])
				if probe[0].Format >= 14 && probe[0].Format <= 18 {
					unread(t, m)
				}
				want, got := flowtest.Dump(m.Value(), false), flowtest.Dump(theirs[n].Value(), false)
				if want != got {
					diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n"))
					t.Errorf("flow %d (-flowtool +mitmproxy):\n%s", n, diff)
				}
			}
			count += a.Flows
		})
	}
	t.Logf("%d flows of version %s", count, v)
}

// unread makes m what 7.0 to 9.0 make of flows that older releases wrote, or that
// were constructed: they do not look at some fields, and make floats of integers.
func unread(t *testing.T, m *state.Map) {
	t.Helper()
	client, server := part(t, m, "client_conn"), part(t, m, "server_conn")
	client.Set("tls_extensions", state.NewList().Value())
	server.Set("via", state.Null())
	if addr, _ := client.Get("address"); addr.IsEmpty() {
		client.Set("address", state.Null())
	}
	if created, ok := m.Get("timestamp_created"); ok {
		if f, err := created.Number(); err == nil {
			m.Set("timestamp_created", state.Float(f))
		}
	}
}

// turn turns the maps around that mitmproxy turns around whenever it reads and
// writes a flow (Q5).
func turn(m *state.Map) {
	for _, key := range []string{"metadata", "backup"} {
		if v, ok := m.Get(key); ok {
			m.Set(key, turned(v))
		}
	}
}

func turned(v state.Value) state.Value {
	if l, err := v.List(); err == nil {
		for i, e := range l.All() {
			l.Set(i, turned(e))
		}
		return v
	}
	m, err := v.Map()
	if err != nil {
		return v
	}
	out := state.NewMap()
	for i := range m.Len() {
		e := m.Entry(m.Len() - 1 - i)
		out.SetKey(e.Key, turned(e.Value))
	}
	return out.Value()
}
