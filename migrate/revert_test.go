package migrate_test

import (
	"bytes"
	"testing"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/state"
)

// eachState calls f for the states of captures with backups, in several versions.
func eachState(t *testing.T, f func(t *testing.T, m *state.Map)) {
	for _, name := range []string{"edited", "edited-v21", "tcp", "head-tcp", "head-replay"} {
		data := flowtest.Read(t, flowtest.Path("real", name+".mitm"))
		for _, to := range []migrate.Version{{}, migrate.Tuple(0, 17), migrate.Tuple(3, 0), migrate.Number(7), migrate.Number(18), migrate.Number(19), migrate.Number(20)} {
			label := name + " as it is"
			if to != (migrate.Version{}) {
				label = name + " in version " + to.String()
			}
			t.Run(label, func(t *testing.T) {
				s := migrate.NewStream(nil)
				for m, err := range dumpfile.NewReader(bytes.NewReader(data), nil).States() {
					if err != nil {
						t.Fatal(err)
					}
					if to == (migrate.Version{}) {
						f(t, m)
						continue
					}
					states, _, err := s.To(m, to)
					if err != nil {
						t.Fatal(err)
					}
					for _, m := range states {
						f(t, m)
					}
				}
			})
		}
	}
}

// text is the encoding of m.
func text(t *testing.T, m *state.Map) string { return string(encode(t, m)) }

// decode returns a copy of m as a reader would have it.
func decode(t *testing.T, m *state.Map) *state.Map {
	t.Helper()
	rec, err := dumpfile.NewReader(bytes.NewReader(encode(t, m)), nil).ReadRecord()
	if err != nil {
		t.Fatal(err)
	}
	m, err = rec.State()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func anyBackup(m *state.Map) (state.Value, bool) {
	for _, key := range []state.Value{state.Text("backup"), state.Bytes([]byte("backup"))} {
		if v, ok := m.GetKey(key); ok && !v.IsNull() {
			return v, true
		}
	}
	return state.Value{}, false
}

// A reverted flow has no backup, the version of the flow, and is the same flow that
// the newest version reverts to.
func TestRevert(t *testing.T) {
	reverted := 0
	eachState(t, func(t *testing.T, m *state.Map) {
		before := text(t, m)
		m = decode(t, m)
		got, err := migrate.Revert(m)
		if err != nil {
			t.Fatal(err)
		}
		if after := text(t, m); after != before {
			t.Fatal("the flow was changed")
		}
		backup, ok := anyBackup(m)
		if !ok {
			if got != nil {
				t.Fatal("a flow without a backup was reverted")
			}
			return
		}
		reverted++
		if _, ok := anyBackup(got); ok {
			t.Error("there is a backup still")
		}
		want, err1 := migrate.VersionOf(m)
		have, err2 := migrate.VersionOf(got)
		if err1 != nil || err2 != nil || have != want && want.Compare(migrate.Number(4)) >= 0 {
			t.Errorf("version %v became %v: %v, %v", want, have, err1, err2)
		}
		b, err := backup.Map()
		if err != nil {
			t.Fatal(err)
		}
		if v, err := migrate.VersionOf(b); err == nil && v == want {
			// The very bytes, with null for a backup of a backup.
			if g, w := text(t, got), text(t, b); g != w {
				t.Errorf("got %q, want %q", g, w)
			}
		}
		// By way of the newest version, where that does not lose the backup.
		up, err := migrate.NewStream(nil).Up(decode(t, m))
		if err != nil {
			t.Fatal(err)
		}
		if want.Compare(migrate.Tuple(0, 18)) < 0 && migrate.Backup(up).IsNull() {
			return // a way that these versions do not have
		}
		newest, err := migrate.Backup(up).Map()
		if err != nil {
			t.Fatal(err)
		}
		got, err = migrate.NewStream(nil).Up(got)
		if err != nil {
			t.Fatal(err)
		}
		newest.Set("backup", state.Null())
		if !state.Equal(newest.Value(), got.Value()) {
			t.Errorf("got %v, want %v", got.Value(), newest.Value())
		}
	})
	if reverted < 100 {
		t.Errorf("only %d flows were reverted", reverted)
	}
}

// Without its backup a flow has the bytes that it would have if nobody had made one.
func TestDropBackup(t *testing.T) {
	dropped := 0
	eachState(t, func(t *testing.T, m *state.Map) {
		_, had := anyBackup(m)
		m = decode(t, m)
		before := text(t, m)
		if got := migrate.DropBackup(m); got != had {
			t.Fatalf("there was a backup: %v, want %v", got, had)
		}
		if !had && text(t, m) != before {
			t.Fatal("a flow without a backup was changed")
		}
		if _, has := anyBackup(m); has {
			t.Error("there is a backup still")
		}
		if !had {
			return
		}
		dropped++
		v, err := migrate.VersionOf(m)
		if err != nil {
			t.Fatal(err)
		}
		if always := v.Compare(migrate.Number(19)) >= 0; m.Has("backup") != always {
			t.Errorf("version %v: key %v", v, !always)
		}
		if v == migrate.Newest {
			if f, err := flow.FromState(decode(t, m)); err != nil || f.BackupState() != nil {
				t.Errorf("no flow: %v", err)
			}
		}
	})
	if dropped < 100 {
		t.Errorf("only %d backups were dropped", dropped)
	}
}

// What was edited by this library reverts to the bytes before the edit.
func TestRevertLifecycle(t *testing.T) {
	for f, err := range dumpfile.NewReader(bytes.NewReader(flowtest.Read(t, flowtest.Path("real", "h2-v21.mitm"))), nil).Flows() {
		if err != nil {
			t.Fatal(err)
		}
		before := text(t, f.State())
		f.Backup()
		f.SetComment("edited")
		f.SetMarked(":warning:")
		m, err := migrate.Revert(decode(t, f.GetState()))
		if err != nil {
			t.Fatal(err)
		}
		if text(t, m) != before {
			t.Errorf("flow %s has other bytes", f.ID())
		}
	}
}

func TestRevertErrors(t *testing.T) {
	backup := func(entries ...state.Entry) *state.Map {
		return state.NewMap(state.E("backup", state.NewMap(entries...).Value()),
			state.E("type", state.Text("http")), state.E("version", state.Int(21)))
	}
	for name, m := range map[string]*state.Map{
		"no version":              state.NewMap(state.E("type", state.Text("http"))),
		"backup without version":  backup(state.E("type", state.Text("http"))),
		"backup of too new":       backup(state.E("version", state.Int(22))),
		"old backup, but no flow": backup(state.E("version", state.Int(17)), state.E("type", state.Text("http"))),
	} {
		if got, err := migrate.Revert(m); err == nil {
			t.Errorf("%s: %v", name, got.Value())
		}
	}
	m := state.NewMap(state.E("backup", state.Text("a word")), state.E("version", state.Int(21)))
	if got, err := migrate.Revert(m); got != nil || err != nil {
		t.Errorf("what is no flow is no backup: %v, %v", got, err)
	}
}
