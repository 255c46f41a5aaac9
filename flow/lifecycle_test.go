package flow_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/state"
)

// newHTTP returns a flow made from scratch.
func newHTTP(t testing.TB) *flow.HTTP {
	t.Helper()
	req, err := flow.NewRequest("GET", "https://example.com/a?b=c", flow.NewHeaders("Host", "example.com"), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp := flow.NewResponse(200, flow.NewHeaders("Content-Type", "text/plain"), []byte("hello"))
	return flow.NewHTTP(flow.NewClientConn(), flow.NewServerConn(&flow.Address{Host: "example.com", Port: 443}), req, resp)
}

// fresh returns a new flow of each type.
func fresh(t testing.TB) map[string]flow.Flow {
	client, server := flow.NewClientConn, func() *flow.ServerConn { return flow.NewServerConn(nil) }
	tcp := flow.NewTCP(client(), server())
	tcp.SetMessages([]flow.Message{{FromClient: true, Content: flow.NewBody([]byte("x")), Timestamp: flow.Now()}})
	return map[string]flow.Flow{
		"http": newHTTP(t),
		"tcp":  tcp,
		"udp":  flow.NewUDP(client(), server()),
		"dns":  flow.NewDNS(client(), server(), &flow.DNSMessage{Query: true}, nil),
	}
}

func TestNewFlowsAreValid(t *testing.T) {
	for name, f := range fresh(t) {
		g, err := flow.FromState(reread(t, f.State()))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if g.Type() != name || g.Live() || g.Intercepted() || g.Modified() {
			t.Errorf("%s: type %s, live %v, intercepted %v", name, g.Type(), g.Live(), g.Intercepted())
		}
		if d := diffStates(f.GetState(), g.GetState()); d != "" {
			t.Errorf("%s differs after reading (-want +got):\n%s", name, d)
		}
		if len(f.ID()) != 36 {
			t.Errorf("%s: id %q", name, f.ID())
		}
	}
}

func TestBackup(t *testing.T) {
	for name, f := range fresh(t) {
		t.Run(name, func(t *testing.T) {
			if f.Modified() || f.BackupState() != nil {
				t.Fatal("modified without a backup")
			}
			before := f.GetState()
			f.Backup()
			if f.Modified() {
				t.Error("modified right after Backup")
			}
			if v, _ := f.State().Get("backup"); !v.IsNull() {
				t.Error("an equal backup is part of the state")
			}
			id := f.ID()
			f.SetComment("changed")
			f.SetID("00000000-0000-4000-8000-000000000000")
			f.ClientConn().SNI = "sni.example"
			f.Backup() // keeps the first
			if !f.Modified() {
				t.Error("not modified after a change")
			}
			if v, _ := f.State().Get("backup"); v.IsNull() {
				t.Error("the backup is not part of the state")
			}
			if b, err := f.GetState().Map("backup"); err != nil {
				t.Error(err)
			} else if d := diffStates(before, b); d != "" {
				t.Errorf("backup differs (-want +got):\n%s", d)
			}
			f.SetComment("")
			f.ClientConn().SNI = ""
			f.SetID(id)
			if f.Modified() {
				t.Error("modified after all changes were undone")
			}
			if v, _ := f.State().Get("backup"); !v.IsNull() {
				t.Error("an equal backup is part of the state")
			}
			conn := f.ClientConn()
			conn.SNI = "again"
			if err := f.Revert(); err != nil {
				t.Fatal(err)
			}
			if conn.SNI != "" || f.ClientConn() != conn {
				t.Error("the part handed out before was not reverted")
			}
			if d := diffStates(before, f.GetState()); d != "" {
				t.Errorf("reverted flow differs (-want +got):\n%s", d)
			}
			if f.BackupState() != nil || f.Modified() {
				t.Error("the backup is still there")
			}
			if err := f.Revert(); err != nil {
				t.Errorf("Revert without a backup: %v", err)
			}
		})
	}
}

// TestBackupFromFile: mitmproxy 10 and later saves a backup whenever one was
// made, and never migrates it.
func TestBackupFromFile(t *testing.T) {
	var modified, old int
	eachState(t, func(t *testing.T, m *state.Map) {
		f, err := flow.View(m)
		if err != nil {
			t.Fatal(err)
		}
		b := f.BackupState()
		if b == nil {
			return
		}
		decodeAll(f)
		if f.Modified() {
			modified++
		}
		rawOf(t, f.State())
		want := reread(t, b)
		err = f.Revert()
		if v, _ := b.Int64("version"); v != flow.Version {
			old++
			if err == nil {
				t.Errorf("reverted to version %d", v)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if d := diffStates(want, f.GetState()); d != "" {
			t.Errorf("reverted flow differs (-want +got):\n%s", d)
		}
	})
	if old == 0 || modified <= old {
		t.Errorf("%d modified of which %d are old", modified, old)
	}
}

func TestRevertOldBackup(t *testing.T) {
	f := newHTTP(t)
	old := f.GetState()
	old.Set("version", state.Int(20))
	m := f.GetState()
	m.Set("backup", old.Value())
	g, err := flow.FromState(m)
	if err != nil {
		t.Fatal(err)
	}
	before := g.GetState()
	fe, _ := errors.AsType[*flow.FieldError](g.Revert())
	if fe == nil || fe.Path != "/version" {
		t.Errorf("Revert to version 20: %v", fe)
	}
	if d := diffStates(before, g.GetState()); d != "" {
		t.Errorf("the flow was changed (-want +got):\n%s", d)
	}
}

func TestCopy(t *testing.T) {
	for name, f := range fresh(t) {
		t.Run(name, func(t *testing.T) {
			f.SetLive(true)
			f.Intercept()
			f.SetMarked(":grapes:")
			f.Metadata().Set("a", state.NewList(state.Int(1)).Value())
			f.Backup()
			f.SetComment("changed")
			g := f.Copy()
			if g.ID() == f.ID() || len(g.ID()) != 36 {
				t.Errorf("id of the copy: %q", g.ID())
			}
			if g.Live() || !g.Intercepted() || g.Marked() != ":grapes:" || g.ClientConn().ID != f.ClientConn().ID {
				t.Error("not copied as it should be")
			}
			l, err := g.Metadata().List("a")
			if err != nil {
				t.Fatal(err)
			}
			l.Append(state.Int(2))
			g.ClientConn().SNI = "copy"
			if l, _ := f.Metadata().List("a"); l.Len() != 1 || f.ClientConn().SNI != "" {
				t.Error("the copy is not independent")
			}
			if !g.Modified() {
				t.Error("the backup was not copied")
			}
			id := g.ID()
			if err := g.Revert(); err != nil {
				t.Fatal(err)
			}
			if g.ID() != id || g.Comment() != "" {
				t.Errorf("reverted copy: id %q, want %q, comment %q", g.ID(), id, g.Comment())
			}
			if !f.Modified() {
				t.Error("reverting the copy changed the original")
			}
		})
	}
}

func TestCopyOfUnmodified(t *testing.T) {
	f := newHTTP(t)
	f.Backup()
	g := f.Copy()
	if g.Modified() {
		t.Error("a copy is modified by its id alone")
	}
	g.SetComment("x")
	if !g.Modified() {
		t.Error("the backup was not copied")
	}
}

func TestKill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newHTTP(t)
		if f.Killable() {
			t.Error("killable though not live")
		}
		if err := f.Kill(); !errors.Is(err, flow.ErrNotKillable) {
			t.Errorf("Kill: %v", err)
		}
		f.SetError(flow.NewError("something else"))
		f.SetLive(true)
		if !f.Killable() {
			t.Error("not killable with another error")
		}
		f.Intercept()
		woken := make(chan error)
		go func() { woken <- f.WaitForResume(t.Context()) }()
		synctest.Wait()
		time.Sleep(time.Minute)
		if err := f.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := <-woken; err != nil {
			t.Errorf("waiter: %v", err)
		}
		if f.Live() || f.Intercepted() || f.Killable() {
			t.Error("still live, intercepted or killable")
		}
		e := f.Error()
		if e == nil || e.Msg != flow.KilledMessage || !e.Timestamp.Time().Equal(time.Now()) {
			t.Errorf("error %v", e)
		}
		if err := f.Kill(); !errors.Is(err, flow.ErrNotKillable) {
			t.Errorf("second Kill: %v", err)
		}
		f.SetLive(true)
		if f.Killable() {
			t.Error("a killed flow is killable")
		}
		if d := diffStates(f.GetState(), reread(t, f.State())); d != "" {
			t.Errorf("killed flow differs after writing:\n%s", d)
		}
	})
}

func TestIntercept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newHTTP(t)
		if err := f.WaitForResume(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.Resume()             // nothing to resume
		for round := range 3 { // interception can be repeated
			f.Intercept()
			f.Intercept()
			if v, _ := f.State().Bool("intercepted"); !v || !f.Intercepted() {
				t.Fatal("not intercepted")
			}
			var wg sync.WaitGroup
			for range 10 {
				wg.Go(func() {
					start := time.Now()
					if err := f.WaitForResume(t.Context()); err != nil {
						t.Error(err)
					}
					if waited := time.Since(start); waited != time.Hour {
						t.Errorf("round %d: waited %v", round, waited)
					}
				})
			}
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if err := f.WaitForResume(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("WaitForResume: %v", err)
				}
			})
			time.Sleep(time.Hour)
			f.Resume()
			f.Resume()
			wg.Wait()
			if v, _ := f.State().Bool("intercepted"); v || f.Intercepted() {
				t.Fatal("still intercepted")
			}
		}
	})
}

func TestRevertWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newHTTP(t)
		f.Backup()
		f.Intercept()
		done := make(chan error)
		go func() { done <- f.WaitForResume(t.Context()) }()
		synctest.Wait()
		if err := f.Revert(); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestLifecycleRace is for the race detector.
func TestLifecycleRace(t *testing.T) {
	f := newHTTP(t)
	f.SetLive(true)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 200 {
				switch i % 4 {
				case 0:
					f.Intercept()
				case 1:
					f.Resume()
				case 2:
					ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
					f.WaitForResume(ctx)
					cancel()
				case 3:
					f.Intercepted()
					if f.Killable() {
						f.Kill()
					}
					f.SetLive(true)
					f.Live()
					f.Error()
				}
			}
		})
	}
	wg.Wait()
}

func TestTimestampStart(t *testing.T) {
	for name, f := range fresh(t) {
		f.ClientConn().TimestampStart = flow.Seconds(5)
		want := 5.0
		if h, ok := f.(*flow.HTTP); ok {
			h.Request().TimestampStart = flow.Seconds(7)
			want = 7
		}
		if got := f.TimestampStart().Unix(); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}
