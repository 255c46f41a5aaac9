package flow_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

// dumps are the files of format 21.
func dumps(t testing.TB) []string {
	var files []string
	for _, pattern := range []string{"real/*-v21.mitm", "real/head-*.mitm", "har/*.mitm", "filter/*.mitm"} {
		files = append(files, flowtest.Glob(t, pattern)...)
	}
	return files
}

// eachState calls f with every state of every dump of format 21.
func eachState(t *testing.T, f func(t *testing.T, m *state.Map)) {
	t.Helper()
	eachStateOf(t, dumps(t), f)
}

func eachStateOf(t *testing.T, files []string, f func(t *testing.T, m *state.Map)) {
	t.Helper()
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".mitm"), func(t *testing.T) {
			for i, m := range flowtest.States(t, flowtest.Read(t, file)) {
				f(t, m)
				if t.Failed() {
					t.Fatalf("flow %d", i)
				}
			}
		})
	}
}

// decodeAll asks for every part.
func decodeAll(f flow.Flow) {
	f.ClientConn()
	f.ServerConn()
	f.Error()
	f.Metadata()
	switch f := f.(type) {
	case *flow.HTTP:
		f.Request()
		f.Response()
		f.WebSocket()
	case *flow.TCP:
		f.Messages()
	case *flow.UDP:
		f.Messages()
	case *flow.DNS:
		f.Request()
		f.Response()
	}
}

func rawOf(t *testing.T, m *state.Map) []byte {
	t.Helper()
	raw, ok, err := m.Value().Raw(tnetstring.Encoding)
	if !ok || err != nil {
		t.Fatalf("the state is not clean: %v, %v", ok, err)
	}
	return raw
}

func encode(t testing.TB, m *state.Map) []byte {
	t.Helper()
	b, err := tnetstring.Append(nil, m.Value())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// reread returns an independent state with the content of m.
func reread(t testing.TB, m *state.Map) *state.Map {
	t.Helper()
	return flowtest.States(t, encode(t, m))[0]
}

func diffStates(want, got *state.Map) string {
	return cmp.Diff(flowtest.Dump(want.Value(), false), flowtest.Dump(got.Value(), false))
}

func TestViewRoundTrip(t *testing.T) {
	eachState(t, func(t *testing.T, m *state.Map) {
		want := rawOf(t, m)
		f, err := flow.View(m)
		if err != nil {
			t.Fatal(err)
		}
		decodeAll(f)
		if got := rawOf(t, f.State()); !bytes.Equal(got, want) {
			t.Error("State has other bytes")
		}
		if d := diffStates(reread(t, m), f.GetState()); d != "" {
			t.Errorf("GetState differs (-want +got):\n%s", d)
		}
		if !bytes.Equal(encode(t, f.GetState()), want) {
			t.Error("GetState encodes to other bytes")
		}
	})
}

func TestFromStateRoundTrip(t *testing.T) {
	eachState(t, func(t *testing.T, m *state.Map) {
		want := rawOf(t, m)
		notes, err := flow.Repair(m)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range notes {
			t.Errorf("repaired: %s", n)
		}
		f, err := flow.FromState(m)
		if err != nil {
			t.Fatal(err)
		}
		decodeAll(f)
		if got := rawOf(t, f.State()); !bytes.Equal(got, want) {
			t.Error("State has other bytes")
		}
	})
}

// TestRebuild writes every part of every flow into an empty state, so that
// nothing is left of the old one but what the parts hold.
func TestRebuild(t *testing.T) {
	eachStateOf(t, flowtest.Glob(t, "real/*-v21.mitm"), func(t *testing.T, m *state.Map) {
		want := encode(t, m)
		f, err := flow.FromState(m)
		if err != nil {
			t.Fatal(err)
		}
		var g flow.Flow
		switch f := f.(type) {
		case *flow.HTTP:
			h := flow.NewHTTP(f.ClientConn(), f.ServerConn(), f.Request(), f.Response())
			h.SetWebSocket(f.WebSocket())
			g = h
		case *flow.TCP:
			h := flow.NewTCP(f.ClientConn(), f.ServerConn())
			h.SetMessages(f.Messages())
			g = h
		case *flow.UDP:
			h := flow.NewUDP(f.ClientConn(), f.ServerConn())
			h.SetMessages(f.Messages())
			g = h
		case *flow.DNS:
			g = flow.NewDNS(f.ClientConn(), f.ServerConn(), f.Request(), f.Response())
		}
		g.SetError(f.Error())
		g.SetID(f.ID())
		g.SetComment(f.Comment())
		g.SetMarked(f.Marked())
		g.SetIsReplay(f.IsReplay())
		g.SetTimestampCreated(f.TimestampCreated())
		if f.Intercepted() {
			g.Intercept()
		}
		for k, v := range f.Metadata().All() {
			g.Metadata().SetKey(k, v)
		}
		if b := f.BackupState(); b != nil {
			g.State().Set("backup", b.Value())
		}
		if d := diffStates(flowtest.States(t, want)[0], g.State()); d != "" {
			shortAddresses(m)
			shortAddresses(g.State())
			if d = diffStates(m, g.State()); d != "" {
				t.Errorf("rebuilt flow differs (-want +got):\n%s", d)
			}
		}
	})
}

// shortAddresses removes zeros from IPv6 addresses, which a new address does not
// get.
func shortAddresses(m *state.Map) {
	for _, conn := range []string{"client_conn", "server_conn"} {
		c, _ := m.Map(conn)
		for _, key := range []string{"peername", "sockname"} {
			if l, err := c.List(key); err == nil && l.Len() == 4 {
				l.Truncate(2)
			}
		}
	}
}

type encodeVector struct {
	ID    string
	State json.RawMessage
	Out   string
}

func TestEncodeVectors(t *testing.T) {
	for _, vec := range flowtest.Vectors[encodeVector](t, "flow-encode-vectors.jsonl.gz") {
		t.Run(vec.ID, func(t *testing.T) {
			want, err := base64.StdEncoding.DecodeString(vec.Out)
			if err != nil {
				t.Fatal(err)
			}
			v, err := flowtest.ParseValue(vec.State)
			if err != nil {
				t.Fatal(err)
			}
			m, err := v.Map()
			if err != nil {
				t.Fatal(err)
			}
			f, err := flow.FromState(m)
			if err != nil {
				t.Fatal(err)
			}
			decodeAll(f)
			if !bytes.Equal(encode(t, f.State()), want) {
				t.Error("State encodes to other bytes")
			}
			if !bytes.Equal(encode(t, f.GetState()), want) {
				t.Error("GetState encodes to other bytes")
			}
			// The same from the bytes.
			m = flowtest.States(t, want)[0]
			if f, err = flow.FromState(m); err != nil {
				t.Fatal(err)
			}
			decodeAll(f)
			if !bytes.Equal(encode(t, f.State()), want) {
				t.Error("State encodes to other bytes after reading")
			}
		})
	}
}
