package flow_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/state"
)

// edited returns the paths at which a state was edited: those of the values that
// lost the bytes they were read from, without the lists and maps that lost them
// only because of an element. It also checks that these paths are where the
// state differs from old.
func edited(t *testing.T, old, now state.Value) []string {
	t.Helper()
	var paths []string
	var walk func(p state.Path, a, b state.Value)
	walk = func(p state.Path, a, b state.Value) {
		if raw, ok, err := b.Raw(tnetstring.Encoding); ok {
			want, _, _ := a.Raw(tnetstring.Encoding)
			if err != nil || !bytes.Equal(raw, want) {
				t.Errorf("%s was moved: %q, want %q", p, raw, want)
			}
			return
		}
		n := len(paths)
		switch {
		case a.Kind() == state.KindMap && b.Kind() == state.KindMap:
			x, _ := a.Map()
			y, _ := b.Map()
			if x.Len() != y.Len() {
				break
			}
			for i := range y.Len() {
				k, _ := y.Entry(i).Key.Text()
				walk(p.Key(k), x.Entry(i).Value, y.Entry(i).Value)
			}
		case a.Kind() == state.KindList && b.Kind() == state.KindList:
			x, _ := a.List()
			y, _ := b.List()
			if x.Len() != y.Len() {
				break
			}
			for i, e := range y.All() {
				walk(p.Index(i), x.At(i), e)
			}
		}
		if n == len(paths) {
			paths = append(paths, string(p))
		}
	}
	walk("", old, now)
	return paths
}

func TestEdits(t *testing.T) {
	type edit struct {
		name string
		do   func(f flow.Flow) (applies bool)
		want string // paths, separated by spaces
	}
	http := func(do func(f *flow.HTTP) bool) func(flow.Flow) bool {
		return func(f flow.Flow) bool {
			h, ok := f.(*flow.HTTP)
			return ok && do(h)
		}
	}
	edits := []edit{
		{"comment", func(f flow.Flow) bool { f.SetComment("new comment"); return true }, "/comment"},
		{"marked", func(f flow.Flow) bool { f.SetMarked("new mark"); return true }, "/marked"},
		{"id", func(f flow.Flow) bool { f.SetID("new id"); return true }, "/id"},
		{"created", func(f flow.Flow) bool { f.SetTimestampCreated(flow.Seconds(1)); return true }, "/timestamp_created"},
		{"replay", func(f flow.Flow) bool {
			if f.IsReplay() == "request" {
				f.SetIsReplay("")
			} else {
				f.SetIsReplay("request")
			}
			return true
		}, "/is_replay"},
		{"intercepted", func(f flow.Flow) bool {
			if f.Intercepted() {
				f.Resume()
			} else {
				f.Intercept()
			}
			return true
		}, "/intercepted"},
		{"metadata", func(f flow.Flow) bool {
			f.Metadata().Set("new key", state.Int(1))
			return true
		}, "/metadata"},
		{"error", func(f flow.Flow) bool { had := f.Error() != nil; f.SetError(flow.NewError("new error")); return !had }, "/error"},
		{"error message", func(f flow.Flow) bool {
			if f.Error() == nil {
				return false
			}
			f.Error().Msg = "new message"
			return true
		}, "/error/msg"},
		{"sni", func(f flow.Flow) bool { f.ServerConn().SNI = "new.sni"; return true }, "/server_conn/sni"},
		{"alpn", func(f flow.Flow) bool { f.ClientConn().ALPN = "new"; return true }, "/client_conn/alpn"},
		{"two of a conn", func(f flow.Flow) bool {
			f.ClientConn().TLS = !f.ClientConn().TLS
			f.ClientConn().ProxyMode = "new"
			return true
		}, "/client_conn/tls /client_conn/proxy_mode"},
		{"offer", func(f flow.Flow) bool {
			f.ClientConn().ALPNOffers = append(f.ClientConn().ALPNOffers, "new")
			return true
		}, "/client_conn/alpn_offers"},
		{"first offer", func(f flow.Flow) bool {
			if len(f.ClientConn().ALPNOffers) == 0 {
				return false
			}
			f.ClientConn().ALPNOffers[0] = "new"
			return true
		}, "/client_conn/alpn_offers/0"},
		{"certificate", func(f flow.Flow) bool {
			if len(f.ServerConn().CertificateList) < 2 {
				return false
			}
			f.ServerConn().CertificateList[0] = flow.NewCertificate([]byte("new"))
			return true
		}, "/server_conn/certificate_list/0"},
		{"path", http(func(f *flow.HTTP) bool { f.Request().Path = "/new"; return true }), "/request/path"},
		{"body", http(func(f *flow.HTTP) bool { f.Request().Body = flow.NewBody([]byte("new")); return true }), "/request/content"},
		{"end", http(func(f *flow.HTTP) bool { f.Request().TimestampEnd = flow.Seconds(3); return true }), "/request/timestamp_end"},
		{"header value", http(func(f *flow.HTTP) bool {
			if f.Request().Headers.Len() < 2 {
				return false
			}
			f.Request().Headers.All()[1].Value = "new value"
			return true
		}), "/request/headers/1/1"},
		{"response", http(func(f *flow.HTTP) bool { had := f.Response() != nil; f.SetResponse(nil); return had }), "/response"},
		{"status", http(func(f *flow.HTTP) bool {
			if f.Response() == nil {
				return false
			}
			f.Response().StatusCode = 12345
			return true
		}), "/response/status_code"},
		{"websocket message", http(func(f *flow.HTTP) bool {
			w := f.WebSocket()
			if w == nil || len(w.Messages) < 2 {
				return false
			}
			w.Messages[1].Dropped = !w.Messages[1].Dropped
			return true
		}), "/websocket/messages/1/4"},
		{"one message less", http(func(f *flow.HTTP) bool {
			w := f.WebSocket()
			if w == nil || len(w.Messages) < 2 {
				return false
			}
			w.Messages = w.Messages[:len(w.Messages)-1]
			return true
		}), "/websocket/messages"},
		{"tcp message", func(f flow.Flow) bool {
			g, ok := f.(*flow.TCP)
			if !ok || len(g.Messages()) == 0 {
				return false
			}
			g.Messages()[0].Content = flow.NewBody([]byte("new"))
			return true
		}, "/messages/0/1"},
		{"dns answer", func(f flow.Flow) bool {
			g, ok := f.(*flow.DNS)
			if !ok || g.Response() == nil || len(g.Response().Answers) == 0 {
				return false
			}
			g.Response().Answers[0].TTL = 12345
			return true
		}, "/response/answers/0/ttl"},
	}
	done := make(map[string]int)
	eachState(t, func(t *testing.T, m *state.Map) {
		for _, e := range edits {
			if done[e.name] >= 40 {
				continue
			}
			old, m := reread(t, m), reread(t, m)
			f, err := flow.View(m)
			if err != nil {
				t.Fatal(err)
			}
			decodeAll(f)
			if !e.do(f) {
				continue
			}
			done[e.name]++
			got := edited(t, old.Value(), f.State().Value())
			if d := cmp.Diff(strings.Fields(e.want), got); d != "" {
				t.Errorf("%s (-want +got):\n%s", e.name, d)
			}
			// What was edited is read back.
			g, err := flow.FromState(reread(t, f.State()))
			if err != nil {
				t.Errorf("%s: %v", e.name, err)
				continue
			}
			if d := diffStates(f.GetState(), g.GetState()); d != "" {
				t.Errorf("%s differs after reading (-want +got):\n%s", e.name, d)
			}
		}
	})
	for _, e := range edits {
		if done[e.name] == 0 {
			t.Errorf("no flow for %q", e.name)
		}
	}
}

// TestSharedBody moves a body between flows and within one.
func TestSharedBody(t *testing.T) {
	a, b := newHTTP(t), newHTTP(t)
	a.Request().Body = flow.NewBody([]byte("from a"))
	b.Request().Body = a.Request().Body
	b.Response().Body = a.Request().Body
	for _, key := range []string{"request", "response"} {
		part, err := b.State().Map(key)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := part.Bytes("content"); err != nil || string(got) != "from a" {
			t.Errorf("%s: %q, %v", key, got, err)
		}
	}
}

func TestSetStateKeepsParts(t *testing.T) {
	f := newHTTP(t)
	req, resp, client := f.Request(), f.Response(), f.ClientConn()
	m := f.GetState()
	r, _ := m.Map("request")
	r.Set("path", state.Bytes([]byte("/new")))
	m.Set("error", state.NewMap(state.E("msg", state.Text("oops")), state.E("timestamp", state.Int(7))).Value())
	c, _ := m.Map("client_conn")
	c.Set("sni", state.Text("new.sni"))
	if err := f.SetState(m); err != nil {
		t.Fatal(err)
	}
	if f.Request() != req || req.Path != "/new" || f.ClientConn() != client || client.SNI != "new.sni" || f.Response() != resp {
		t.Error("parts were not updated in place")
	}
	if e := f.Error(); e == nil || e.Msg != "oops" || e.Timestamp != flow.Seconds(7) {
		t.Errorf("error: %v", e)
	}
	m = f.GetState()
	m.Set("response", state.Null())
	m.Delete("backup")
	f.Backup()
	if err := f.SetState(m); err != nil {
		t.Fatal(err)
	}
	if f.Response() != nil || f.BackupState() != nil {
		t.Error("response or backup is still there")
	}
	if resp.StatusCode != 200 {
		t.Error("the response that is no longer part of the flow was changed")
	}
	// A state of another type changes nothing.
	before := f.GetState()
	fe, ok := f.SetState(fresh(t)["tcp"].GetState()).(*flow.FieldError)
	if !ok || fe.Path != "/type" {
		t.Errorf("SetState with another type: %v", fe)
	}
	if d := diffStates(before, f.GetState()); d != "" {
		t.Errorf("changed (-want +got):\n%s", d)
	}
}
