package migrate_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/state"
)

// A vector is a file with what becomes of its flows. testdata/README.md describes
// the notation.
type vector struct {
	ID       string
	Input    []byte
	Upstream struct {
		Flows []json.RawMessage
		Error *struct{ Class, Message string }
	}
	Recommended *struct{ Flows []json.RawMessage }
	// RecommendedError stands for inputs that are left to the policy of the
	// reader; see policies.
	RecommendedError *string `json:"recommended_error"`
}

// policies tell by path and value what is expected of vectors with a
// RecommendedError. Versions that are too new are refused; all others are read.
var policies = map[string]struct {
	path []string
	want state.Value
}{
	"file/dumpfile-010":   {[]string{"server_conn", "address"}, state.NewList(state.Text("example.com"), state.Int(80)).Value()},
	"edge/20-tls-unknown": {[]string{"client_conn", "tls_version"}, state.Text("UNKNOWN")},
	"edge/20-osproxy":     {[]string{"client_conn", "proxy_mode"}, state.Text("local")},
}

const tooNew = "edge/bytes-version-key"

func vectors(t testing.TB) []vector {
	vs := flowtest.Vectors[vector](t, "migrate-vectors.jsonl.gz")
	if extra := os.Getenv("FLOWTOOL_EXTRA_VECTORS"); extra != "" {
		vs = append(vs, readVectors(t, extra)...)
	}
	return vs
}

func readVectors(t testing.TB, name string) (vs []vector) {
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	br := bufio.NewReader(f)
	for {
		line, err := br.ReadBytes('\n')
		if len(line) > 1 {
			var v vector
			if err := json.Unmarshal(line, &v); err != nil {
				t.Fatalf("%s line %d: %v", name, len(vs)+1, err)
			}
			vs = append(vs, v)
		}
		if err == io.EOF {
			return vs
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestVectors(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.ID, func(t *testing.T) {
			s := migrate.NewStream(nil)
			var got []*state.Map
			old := false
			var failed error
			for _, m := range flowtest.States(t, v.Input) {
				if v, _ := migrate.VersionOf(m); v != migrate.Newest {
					old = true
				}
				m, err := s.Up(m)
				if err != nil {
					failed = err
					break
				}
				got = append(got, m)
			}
			switch {
			case v.ID == tooNew:
				if _, ok := errors.AsType[*migrate.VersionError](failed); !ok {
					t.Fatalf("got error %v, want a VersionError", failed)
				}
			case v.RecommendedError != nil && failed == nil:
				checkPolicy(t, v, got)
			case v.Recommended != nil && failed == nil:
				checkFlows(t, v.Recommended.Flows, got, old)
			case v.Recommended != nil || v.RecommendedError != nil || failed != nil && v.Upstream.Error == nil:
				t.Fatal(failed)
			case failed == nil && v.Upstream.Error != nil && old:
				t.Fatalf("migrated, want an error like %q", v.Upstream.Error.Message)
			default:
				// What is wrong in the newest version is for others to find.
				checkFlows(t, v.Upstream.Flows, got[:min(len(got), len(v.Upstream.Flows))], old)
			}
		})
	}
}

func checkPolicy(t *testing.T, v vector, got []*state.Map) {
	p, ok := policies[v.ID]
	if !ok {
		t.Fatal("no policy")
	}
	for _, m := range got {
		have := m.Value()
		for _, key := range p.path {
			sub, err := have.Map()
			if err != nil {
				t.Fatal(err)
			}
			have, _ = sub.Get(key)
		}
		if !state.Equal(have, p.want) {
			t.Errorf("%s is %s, want %s", strings.Join(p.path, "/"), have, p.want)
		}
		if v, err := migrate.VersionOf(m); err != nil || v != migrate.Newest {
			t.Errorf("version is %s, %v", v, err)
		}
	}
}

// checkFlows compares flows, and if ordered the order of their keys.
func checkFlows(t *testing.T, want []json.RawMessage, got []*state.Map, ordered bool) {
	if len(got) != len(want) {
		t.Fatalf("got %d flows, want %d", len(got), len(want))
	}
	ids := bijection{map[string]string{}, map[string]string{}}
	for i, raw := range want {
		w, err := flowtest.ParseValue(raw)
		if err != nil {
			t.Fatal(err)
		}
		w = ids.resolve(t, w, got[i].Value())
		if diff := cmp.Diff(flowtest.Dump(w, true), flowtest.Dump(got[i].Value(), true)); diff != "" {
			t.Errorf("flow %d (-want +got):\n%s", i, diff)
		}
		if !ordered {
			continue
		}
		if diff := cmp.Diff(keyOrder(w, ""), keyOrder(got[i].Value(), "")); diff != "" {
			t.Errorf("flow %d, order of keys (-want +got):\n%s", i, diff)
		}
	}
}

// A bijection pairs the placeholders of a vector with the ids that stand for them.
type bijection struct{ ids, placeholders map[string]string }

// resolve returns want with the ids in got in place of the placeholders.
func (b bijection) resolve(t *testing.T, want, got state.Value) state.Value {
	switch want.Kind() {
	case state.KindText:
		p, _ := want.Text()
		id, err := got.Text()
		if !strings.HasPrefix(p, "placeholder:") || err != nil {
			return want
		}
		if u, err := uuid.Parse(id); err != nil || u.Version() != 4 || u.String() != id {
			t.Errorf("%q is not in the form of a random UUID", id)
		}
		if other, ok := b.ids[p]; ok && other != id {
			t.Errorf("%s stands for %s and %s", p, other, id)
		}
		if other, ok := b.placeholders[id]; ok && other != p {
			t.Errorf("%s stands for %s and %s", id, other, p)
		}
		b.ids[p], b.placeholders[id] = id, p
		return state.Text(id)
	case state.KindList:
		w, _ := want.List()
		if g, err := got.List(); err == nil {
			for i := range min(w.Len(), g.Len()) {
				w.Set(i, b.resolve(t, w.At(i), g.At(i)))
			}
		}
	case state.KindMap:
		w, _ := want.Map()
		if g, err := got.Map(); err == nil {
			for k, e := range w.All() {
				if v, ok := g.GetKey(k); ok {
					w.SetKey(k, b.resolve(t, e, v))
				}
			}
		}
	}
	return want
}

// keyOrder lists the keys of all maps in v in order, apart from metadata and
// backup, whose order mitmproxy does not fix.
func keyOrder(v state.Value, path string) (keys []string) {
	m, err := v.Map()
	if err != nil {
		return nil
	}
	for k, e := range m.All() {
		name, _ := k.Text()
		keys = append(keys, path+"/"+name)
		if name != "metadata" && name != "backup" {
			keys = append(keys, keyOrder(e, path+"/"+name)...)
		}
	}
	return keys
}

// Dumps of format 17, with what mitmproxy made of them.
func TestRealDumps(t *testing.T) {
	for _, c := range []struct {
		name string
		// exact is set where mitmproxy does as this package does, byte for byte.
		// Elsewhere there are backups, which it does not migrate, metadata, which it
		// turns around, or DNS flows, which it believes to run over TCP.
		exact bool
	}{
		{"append", true},
		{"dns", false},
		{"edited", false},
		{"encodings", true},
		{"errors", true},
		{"h2", true},
		{"http1", true},
		{"inflight", true},
		{"killed", true},
		{"replay-server", true},
		{"replay-src", true},
		{"reverse", true},
		{"socks", true},
		{"streamed", true},
		{"tcp", false},
		{"tcp-tls", true},
		{"upstream", true},
		{"ws", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			old := flowtest.States(t, flowtest.Read(t, flowtest.Path("real", c.name+".mitm")))
			want := flowtest.States(t, flowtest.Read(t, flowtest.Path("real", c.name+"-v21.mitm")))
			if len(old) != len(want) || len(old) == 0 {
				t.Fatalf("%d flows and %d", len(old), len(want))
			}
			s := migrate.NewStream(nil)
			for i, m := range old {
				got, err := s.Up(m)
				if err != nil {
					t.Fatal(err)
				}
				if !c.exact {
					alike(t, got, want[i])
				}
				if bytes.Equal(encode(t, got), encode(t, want[i])) {
					continue
				}
				diff := cmp.Diff(flowtest.Dump(want[i].Value(), !c.exact), flowtest.Dump(got.Value(), !c.exact))
				if diff != "" || c.exact {
					t.Errorf("flow %d (-want +got):\n%s", i, diff)
				}
			}
		})
	}
}

// alike removes the differences between flows that TestRealDumps lists, after
// looking whether they are as they should be.
func alike(t *testing.T, got, want *state.Map) {
	t.Helper()
	wb, _ := want.Delete("backup")
	gb, _ := got.Delete("backup")
	if wb.IsNull() != gb.IsNull() {
		t.Errorf("backup is %s, want %s", gb, wb)
	}
	if b, err := gb.Map(); err == nil {
		if v, err := migrate.VersionOf(b); v != migrate.Newest || err != nil {
			t.Errorf("backup has version %s, %v", v, err)
		}
	}
	if typ, _ := got.Text("type"); typ != "dns" {
		return
	}
	for _, key := range []string{"client_conn", "server_conn"} {
		c, err := got.Map(key)
		if err != nil {
			t.Fatal(err)
		}
		if p, _ := c.Text("transport_protocol"); p != "udp" {
			t.Errorf("%s: transport protocol %q", key, p)
		}
		c.Set("transport_protocol", state.Text("tcp"))
	}
}

func encode(t testing.TB, m *state.Map) []byte {
	t.Helper()
	b, err := tnetstring.Encode(m.Value())
	if err != nil {
		t.Fatal(err)
	}
	return b
}
