package oracle

import (
	"bytes"
	"testing"

	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/state"
)

// excuses knows what flowtool does otherwise than mitmproxy when it migrates the
// flows of one dump. The tags are those of docs/format.md.
type excuses struct {
	data     []byte            // the dump
	versions []migrate.Version // of its records
	ids      map[string]string // generated ids: mitmproxy's to ours and ours to mitmproxy's
}

// apply makes theirs, flow n as mitmproxy reads it, like ours wherever there is
// a known reason for the difference, and only there.
func (e *excuses) apply(t *testing.T, n int, theirs, ours *state.Map) {
	t.Helper()
	version := e.versions[n]
	if version == migrate.Newest {
		return
	}
	if version.Compare(migrate.Number(5)) < 0 {
		for _, conn := range []string{"client_conn", "server_conn"} {
			e.generatedID(t, part(t, theirs, conn), part(t, ours, conn))
		}
	}
	if version.Compare(migrate.Number(19)) < 0 {
		transport(t, theirs, ours)
	}
	if version.Compare(migrate.Number(12)) < 0 {
		webSocket(t, theirs, ours)
	}
	backup(t, theirs, ours)
}

// generatedID: ids that were not in the file are random in mitmproxy and
// computed in flowtool, but stand for the same connections.
func (e *excuses) generatedID(t *testing.T, theirs, ours *state.Map) {
	t.Helper()
	want, got := text(t, theirs, "id"), text(t, ours, "id")
	if bytes.Contains(e.data, []byte(want)) || bytes.Contains(e.data, []byte(got)) {
		return
	}
	for _, pair := range [][2]string{{"theirs " + want, got}, {"ours " + got, want}} {
		if before, ok := e.ids[pair[0]]; ok && before != pair[1] {
			t.Errorf("%s stands for %s and for %s", pair[0], before, pair[1])
		}
		e.ids[pair[0]] = pair[1]
	}
	theirs.Set("id", state.Text(got))
}

// transport: UDP and DNS flows do not run over TCP (R22).
func transport(t *testing.T, theirs, ours *state.Map) {
	t.Helper()
	if typ := text(t, ours, "type"); typ != "udp" && typ != "dns" {
		return
	}
	for _, conn := range []string{"client_conn", "server_conn"} {
		want, got := part(t, theirs, conn), part(t, ours, conn)
		if text(t, want, "transport_protocol") == "tcp" && text(t, got, "transport_protocol") == "udp" {
			want.Set("transport_protocol", state.Text("udp"))
		}
	}
}

// webSocket: text messages hold bytes, not text (R19), and the end of a merged
// flow is that of the WebSocket connection (R21).
func webSocket(t *testing.T, theirs, ours *state.Map) {
	t.Helper()
	if v, _ := ours.Get("websocket"); v.IsNull() {
		return
	}
	want, got := part(t, theirs, "websocket"), part(t, ours, "websocket")
	messages, err := want.List("messages")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range messages.All() {
		message, err := v.List()
		if err != nil {
			t.Fatal(err)
		}
		if content := message.At(2); content.Kind() == state.KindText {
			s, err := content.Text()
			if err != nil {
				t.Fatal(err)
			}
			message.Set(2, state.Bytes([]byte(s)))
		}
	}
	if end, _ := want.Get("timestamp_end"); end.IsNull() {
		end, _ = got.Get("timestamp_end")
		want.Set("timestamp_end", end)
	}
}

// backup: mitmproxy leaves backups in the format they were written in (R23).
func backup(t *testing.T, theirs, ours *state.Map) {
	t.Helper()
	if v, _ := theirs.Get("backup"); v.IsNull() {
		return
	}
	old := part(t, theirs, "backup")
	if v, err := migrate.VersionOf(old); err != nil || v == migrate.Newest {
		return
	}
	migrated, err := migrate.NewStream(nil).Up(old)
	if err != nil {
		t.Fatalf("backup: %v", err)
	}
	theirs.Set("backup", migrated.Value())
}

func part(t *testing.T, m *state.Map, key string) *state.Map {
	t.Helper()
	p, err := m.Map(key)
	if err != nil {
		t.Fatalf("%v in %s", err, flowtest.Dump(m.Value(), false))
	}
	return p
}

func text(t *testing.T, m *state.Map, key string) string {
	t.Helper()
	s, err := m.Text(key)
	if err != nil {
		t.Fatalf("%v in %s", err, flowtest.Dump(m.Value(), false))
	}
	return s
}
