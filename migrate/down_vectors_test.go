package migrate_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/state"
)

// A downVector is a flow of version 21 with what becomes of it in older versions:
// records, or null if the version has no such flow. The first line tells the id of
// new WebSocket flows instead.
type downVector struct {
	ID          string
	Input       []byte
	To          map[string][]json.RawMessage
	WebSocketID string `json:"new_websocket_flow_id"`
}

func downVectors(t testing.TB) (vs []downVector, id string) {
	vs = flowtest.Vectors[downVector](t, "downgrade-vectors.jsonl.gz")
	if len(vs) < 2 || vs[0].WebSocketID == "" {
		t.Fatal("the first line is not what it should be")
	}
	return vs[1:], vs[0].WebSocketID
}

func TestDownVectors(t *testing.T) {
	vs, id := downVectors(t)
	opts := &migrate.Options{NewID: func(string) string { return id }}
	for _, v := range vs {
		t.Run(v.ID, func(t *testing.T) {
			if len(v.To) == 0 {
				t.Fatal("no targets")
			}
			for name, want := range v.To {
				to, err := migrate.ParseVersion(name)
				if err != nil {
					t.Fatal(err)
				}
				m := flowtest.States(t, v.Input)[0]
				got, losses, err := migrate.NewStream(opts).To(m, to)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				skipped := slices.ContainsFunc(losses, func(l migrate.Loss) bool { return l.Skipped })
				if skipped != (want == nil) || len(got) != len(want) {
					t.Errorf("%s: %d flows, losses %v; want %d flows", name, len(got), losses, len(want))
					continue
				}
				for i, raw := range want {
					w, err := flowtest.ParseValue(raw)
					if err != nil {
						t.Fatal(err)
					}
					// The vectors leave the order of keys open.
					if diff := cmp.Diff(flowtest.Dump(w, true), flowtest.Dump(got[i].Value(), true)); diff != "" {
						t.Errorf("%s, flow %d (-want +got):\n%s", name, i, diff)
					}
				}
			}
		})
	}
}

// Dumps of format 17 come back from what mitmproxy made of them in format 21, but
// for whether connections were open. The order of keys is that of release 8.1.1.
func TestDownRealDumps(t *testing.T) {
	for _, name := range flowtest.Glob(t, "real", "*-v21.mitm") {
		if strings.HasSuffix(name, "diskfull-v21.mitm") {
			continue // the original is cut off
		}
		old := flowtest.States(t, flowtest.Read(t, strings.Replace(name, "-v21", "", 1)))
		for i, m := range flowtest.States(t, flowtest.Read(t, name)) {
			got, losses, err := migrate.NewStream(nil).To(m, migrate.Number(17))
			if err != nil || len(got) != 1 {
				t.Fatalf("%s: %d flows, %v", name, len(got), err)
			}
			for _, l := range losses {
				if l.What != "transport protocol" { // TCP, says mitmproxy of DNS
					t.Errorf("%s, flow %d: %s", name, i, l)
				}
			}
			want := old[i]
			closed(t, want)
			// mitmproxy turns them around.
			for _, key := range []string{"metadata", "backup"} {
				w, ok := want.Get(key)
				g, _ := got[0].Get(key)
				if b, err := w.Map(); err == nil && key == "backup" {
					closed(t, b)
					b, err := g.Map()
					if err != nil {
						t.Fatal(err)
					}
					closed(t, b)
				}
				if !state.Equal(w, g) {
					t.Errorf("%s, flow %d: %s is %s", name, i, key, flowtest.Dump(g, true))
				}
				if ok {
					want.Set(key, state.Null())
					got[0].Set(key, state.Null())
				}
			}
			if diff := cmp.Diff(flowtest.Dump(want.Value(), false), flowtest.Dump(got[0].Value(), false)); diff != "" {
				t.Errorf("%s, flow %d (-want +got):\n%s", name, i, diff)
			}
		}
	}
}

// closed makes the connections of m closed.
func closed(t *testing.T, m *state.Map) {
	t.Helper()
	for _, key := range []string{"client_conn", "server_conn"} {
		c, err := m.Map(key)
		if err != nil {
			t.Fatal(err)
		}
		c.Set("state", state.Int(0))
	}
}
