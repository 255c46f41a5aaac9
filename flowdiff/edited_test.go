package flowdiff_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/flowdiff"
	"github.com/flowtool/flowtool/state"
)

// edits are those that a script made in real captures: everything that differs
// between the backups and the flows, but for what the exchange itself did later.
// The number is that of the flow.
var edits = map[string]map[int][]string{
	"edited": {
		0: {
			`added /request/query/added: b"yes & no"`,
			`added /request/headers/x-edited-by: b"script ✎"`,
			`changed /comment: "" -> "request was edited before it was sent"`,
		},
		1: {
			`changed /request/method: b"GET" -> b"POST"`,
			`added /request/headers/content-length: b"22"`,
			`added /request/headers/content-type: b"application/json"`,
			`changed /request/content: +"{\"injected\": \"needle\"}"`,
		},
		2: {
			`changed /response/status_code: 418 -> 299`,
			`changed /response/reason: b"I'm a teapot" -> b"Edited"`,
			`changed /response/headers/content-type: b"text/plain" -> b"text/plain; charset=utf-8"`,
			`changed /response/headers/content-length: b"15" -> b"34"`,
			`added /response/headers/x-edited: b"1"`,
			`changed /response/content: -"short and stout" +"<html>replaced body, 東京</html>"`,
		},
		10: {
			`changed /response/status_code: 200 -> 299`,
			`changed /response/reason: b"OK" -> b"Edited"`,
			`changed /response/headers/content-type: b"text/html" -> b"text/html; charset=utf-8"`,
			`changed /response/headers/content-length: b"15" -> b"34"`,
			`added /response/headers/x-edited: b"1"`,
			`changed /response/content: -"<html>/x</html>" +"<html>replaced body, 東京</html>"`,
		},
		11: {
			`removed /response/content: b"<html>/x</html>"`,
		},
		14: {
			`changed /request/host: "quirks.example" -> "rewritten.example"`,
			`changed /request/headers/host: b"quirks.example" -> b"rewritten.example"`,
			`added /response/cookies/stolen: b"stolen=1"`,
			`changed /marked: "" -> ":warning:"`,
			`changed /comment: "" -> "both sides changed"`,
			`added /metadata/reviewed: "alice"`,
		},
		17: {
			`changed /response/status_code: 200 -> 299`,
			`changed /response/reason: b"" -> b"Edited"`,
			`added /response/headers/content-length: b"38"`,
			`added /response/headers/x-edited: b"1"`,
			`changed /response/content: -"<!doctype html>…" +"<html>replaced body, 東京</html>"`,
		},
		18: {
			`changed /request/authority: b"www.shop.example" -> b"rewritten.example"`,
			`changed /request/host: "www.shop.example" -> "rewritten.example"`,
			`changed /response/cookies/stolen from /response/cookies/sid: b"sid=6bbb652e5704b8881d64441c948c03b5; Pa"… -> b"stolen=1"`,
			`changed /marked: "" -> ":warning:"`,
			`changed /comment: "" -> "both sides changed"`,
			`added /metadata/reviewed: "alice"`,
		},
		19: {
			`added /request/query/added: b"yes & no"`,
			`added /request/headers/x-edited-by: b"script ✎"`,
			`changed /marked: "" -> ":default:"`,
			`changed /comment: "" -> "request was edited before it was sent"`,
			`added /metadata/ticket: "BUG-6"`,
		},
	},
	"tcp": {
		1: {
			`changed /messages/4/content: -"password secret\r\n" +"password ******\r\n"`,
			`changed /marked: "" -> ":lock:"`,
		},
	},
	"head-tcp": {
		1: {
			`changed /messages/5/content: -"password secret\r\n" +"password ******\r\n"`,
			`changed /marked: "" -> ":lock:"`,
		},
		6: {
			`changed /messages/5/content: -"password secret\r\n" +"password ******\r\n"`,
			`changed /marked: "" -> ":lock:"`,
		},
		11: {
			`changed /messages/5/content: -"password secret\r\n" +"password ******\r\n"`,
			`changed /marked: "" -> ":lock:"`,
		},
	},
	"head-replay": {
		0: {`added /is_replay: "response"`},
		1: {`added /is_replay: "response"`},
		2: {`added /is_replay: "response"`},
	},
}

// Every edit of the captures is reported once, and nothing else is.
func TestEdited(t *testing.T) {
	for name, want := range edits {
		files := []string{name}
		if !strings.HasPrefix(name, "head-") {
			files = append(files, name+"-v21") // the same flows, with old backups in new flows
		}
		for _, file := range files {
			t.Run(file, func(t *testing.T) {
				got := map[int][]string{}
				for i, f := range readFlows(t, "real", file+".mitm") {
					if f.BackupState() != nil {
						got[i] = describe(flowdiff.Edits(backupDiff(t, f)))
					}
				}
				if file := got[17]; len(file) == 5 { // a body of 2 kB in one line
					head, rest, _ := strings.Cut(file[4], "<html lang=de>")
					_, tail, _ := strings.Cut(rest, `" +`)
					file[4] = head + `…" +` + tail
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("-want +got\n%s", d)
				}
			})
		}
	}
}

// A patch goes from a backup to the flow, and says nothing of backups.
func TestBackupPatch(t *testing.T) {
	for name := range edits {
		for i, f := range readFlows(t, "real", name+".mitm") {
			if f.BackupState() == nil {
				continue
			}
			a, b := flowdiff.WithoutBackup(f.BackupState()), flowdiff.WithoutBackup(f.State())
			checkPatch(t, a, b)
			patch, err := flowdiff.AppendPatch(nil, a, b)
			if err != nil || strings.Contains(string(patch), `"path":"/backup`) {
				t.Errorf("%s %d: %v\n%s", name, i, err, patch)
			}
			if f.BackupState() == nil {
				t.Errorf("%s %d: the backup is gone", name, i)
			}
		}
	}
}

// What the exchange did after the backup was made is no edit, but it is there.
func TestProgress(t *testing.T) {
	for _, tt := range []struct {
		file string
		flow int
		want []string
	}{
		{"edited", 0, []string{
			"/response", "/server_conn/peername", "/server_conn/sockname", "/server_conn/id",
			"/server_conn/timestamp_start", "/server_conn/address", "/server_conn/timestamp_tcp_setup",
		}},
		{"edited", 2, nil},
		{"tcp", 1, []string{"/messages/5", "/messages/6", "/messages/7"}},
		{"head-tcp", 1, []string{"/messages/6", "/messages/7", "/messages/8", "/server_conn/timestamp_end"}},
		{"head-replay", 0, []string{
			"/request/timestamp_start", "/request/timestamp_end", "/response/timestamp_start", "/response/timestamp_end",
		}},
	} {
		var got []string
		for _, c := range backupDiff(t, readFlows(t, "real", tt.file+".mitm")[tt.flow]) {
			if c.Progress {
				got = append(got, string(c.Path))
			}
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s %d: -want +got\n%s", tt.file, tt.flow, d)
		}
	}
}

// What is an edit does not depend on what is shown.
func TestProgressIgnoring(t *testing.T) {
	for _, tt := range []struct{ file, ignore string }{
		{"head-replay", "/is_replay"},
		{"edited", "/request/host"},
		{"edited", "/request/port"},
		{"edited", "/server_conn"},
	} {
		ignore, err := flowdiff.ParsePaths(tt.ignore)
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range readFlows(t, "real", tt.file+".mitm") {
			if f.BackupState() == nil {
				continue
			}
			all := map[state.Path]bool{}
			for _, c := range backupDiff(t, f) {
				all[c.Path] = c.Progress
			}
			shown := diff(t, f.BackupState(), f.GetState(), &flowdiff.Options{Backup: true, Ignore: ignore})
			for _, c := range shown {
				if c.Progress != all[c.Path] {
					t.Errorf("%s %d without %s: %s is progress: %t", tt.file, i, tt.ignore, c.Path, c.Progress)
				}
			}
		}
	}
}

// What a script did is told from what happened by itself, where there is a trace.
func TestProgressOrEdit(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(exchange)
		path string
		want bool // it is progress
	}{
		{"killed", func(x exchange) { x.f.SetError(flow.NewError(flow.KilledMessage)) }, "/error", false},
		{"failed", func(x exchange) { x.f.SetError(flow.NewError("server is down")) }, "/error", true},
		{"response without server", func(x exchange) { x.f.SetResponse(x.resp) }, "/response", false},
		{"response of a server", func(x exchange) {
			x.f.SetResponse(x.resp)
			x.f.ServerConn().TimestampStart = flow.Seconds(3)
		}, "/response", true},
		{"recorded response", func(x exchange) { x.f.SetResponse(x.resp); x.f.SetIsReplay("response") }, "/response", true},
		{"paused", func(x exchange) { x.f.Intercept() }, "/intercepted", false},
		{"request with another header", func(x exchange) { x.req.Headers.Add("X", "1") }, "/request/headers/x", false},
		{"metadata", func(x exchange) { x.f.Metadata().Set("timestamp_end", state.Int(1)) }, "/metadata/timestamp_end", false},
		{"server chosen", func(x exchange) { x.f.ServerConn().Address = &flow.Address{Host: "a.example", Port: 80} }, "/server_conn/address", true},
		{"TLS set up", func(x exchange) { x.f.ClientConn().TLSVersion = "TLSv1.3" }, "/client_conn/tls_version", true},
	} {
		x := newExchange(t)
		resp := x.f.Response()
		x.f.SetResponse(nil)
		x.resp = resp
		x.f.Backup()
		tt.edit(x)
		found := false
		for _, c := range backupDiff(t, x.f) {
			if string(c.Path) == tt.path {
				found = true
				if c.Progress != tt.want {
					t.Errorf("%s: progress is %t", tt.name, c.Progress)
				}
			}
		}
		if !found {
			t.Errorf("%s: no change at %s", tt.name, tt.path)
		}
	}
}

// Where the connection to the server was there before the request, as with HTTPS, it
// does not tell where a response comes from.
func TestResponseOverOldConnection(t *testing.T) {
	for _, tt := range []struct {
		name, alpn string
		edit       func(exchange)
		progress   bool
	}{
		{"made up", "", func(x exchange) {}, false},
		{"made up, with HTTP/2 spoken", "h2", func(x exchange) {}, false},
		{"made up with a date, with HTTP/2 spoken", "h2", func(x exchange) { x.resp.Headers.Add("Date", "Sun, 22 Nov 2026 05:18:27 GMT") }, false},
		{"HTTP/2", "h2", func(x exchange) { x.resp.HTTPVersion = "HTTP/2.0" }, true},
		{"HTTP/3", "h3", func(x exchange) { x.resp.HTTPVersion = "HTTP/3" }, true},
		{"with a date", "http/1.1", func(x exchange) { x.resp.Headers.Add("date", "Sun, 22 Nov 2026 05:18:27 GMT") }, true},
		{"with the name of a server", "", func(x exchange) { x.resp.Headers.Add("Server", "nginx") }, true},
		{"over another connection", "", func(x exchange) { x.f.ServerConn().ID = "another" }, true},
		{"recorded", "", func(x exchange) { x.f.SetIsReplay("response") }, true},
		{"made up, over another connection with HTTP/2 spoken", "h2", func(x exchange) { x.f.ServerConn().ID = "another" }, false},
	} {
		x := newExchange(t)
		resp := x.resp
		x.f.SetResponse(nil)
		x.f.ServerConn().ALPN = tt.alpn
		x.f.ServerConn().TimestampStart = flow.Seconds(3)
		x.f.Backup()
		x.f.SetResponse(resp)
		x.resp = x.f.Response()
		tt.edit(x)
		found := false
		for _, c := range backupDiff(t, x.f) {
			if c.Path == "/response" {
				found = true
				if c.Progress != tt.progress {
					t.Errorf("%s: progress is %t", tt.name, c.Progress)
				}
			}
		}
		if !found {
			t.Errorf("%s: no change at /response", tt.name)
		}
	}
}

// A message that somebody injected or kept from being sent is no progress, wherever
// it is.
func TestMessageMadeUp(t *testing.T) {
	x := newExchange(t)
	x.f.SetWebSocket(&flow.WebSocket{})
	x.f.Backup()
	for _, m := range []flow.WebSocketMessage{{}, {Injected: true}, {Dropped: true}, {FromClient: true}} {
		m.Content = flow.NewBody([]byte("x"))
		x.f.WebSocket().Messages = append(x.f.WebSocket().Messages, m)
	}
	var got []string
	for _, c := range flowdiff.Edits(backupDiff(t, x.f)) {
		got = append(got, string(c.Path))
	}
	if d := cmp.Diff([]string{"/websocket/messages/1", "/websocket/messages/2"}, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}

	// Likewise if the backup was made before there was a WebSocket.
	for _, injected := range []bool{false, true} {
		x := newExchange(t)
		x.f.Backup()
		x.f.SetWebSocket(&flow.WebSocket{Messages: []flow.WebSocketMessage{{}, {Injected: injected}}})
		if edits := flowdiff.Edits(backupDiff(t, x.f)); (len(edits) > 0) != injected {
			t.Errorf("injected %t: %q", injected, describe(edits))
		}
	}
}

// Where a server that was not connected to is, is an edit, unless the request was
// edited to go there.
func TestServerEdited(t *testing.T) {
	address := func(host string) *flow.Address { return &flow.Address{Host: host, Port: 80} }
	for _, tt := range []struct {
		name  string
		edit  func(exchange)
		edits []string
	}{
		{"address", func(x exchange) { x.f.ServerConn().Address = address("b.example") }, []string{"/server_conn/address/0"}},
		{"address of another kind", func(x exchange) {
			x.f.ServerConn().Address = &flow.Address{Host: "::1", Port: 80, ScopeID: 2}
		}, []string{"/server_conn/address/0", "/server_conn/address/2", "/server_conn/address/3"}},
		{"no address", func(x exchange) { x.f.ServerConn().Address = nil }, []string{"/server_conn/address"}},
		{"address, connected", func(x exchange) {
			x.f.ServerConn().Address = address("b.example")
			x.f.ServerConn().TimestampStart = flow.Seconds(3)
		}, []string{"/server_conn/address/0"}},
		{"SNI", func(x exchange) { x.f.ServerConn().SNI = "b.example" }, []string{"/server_conn/sni"}},
		{"upstream proxy", func(x exchange) { x.f.ServerConn().Via.Host = "p2.example" }, []string{"/server_conn/via/1/0"}},
		{"request", func(x exchange) {
			x.req.Host = "b.example"
			x.f.ServerConn().Address = address("b.example")
			x.f.ServerConn().SNI = "b.example"
			x.f.ServerConn().TimestampStart = flow.Seconds(3)
			x.f.ServerConn().ID = "another"
		}, []string{"/request/host"}},
		{"request, and another address", func(x exchange) {
			x.req.Host = "b.example"
			x.f.ServerConn().Address = address("c.example")
			x.f.ServerConn().TimestampStart = flow.Seconds(3)
		}, []string{"/request/host", "/server_conn/address/0"}},
	} {
		x := newExchange(t)
		x.f.ServerConn().Address = address("a.example")
		x.f.ServerConn().SNI = "a.example"
		x.f.ServerConn().Via = &flow.Via{Scheme: "http", Host: "p1.example", Port: 3128}
		x.f.Backup()
		tt.edit(x)
		var got []string
		for _, c := range flowdiff.Edits(backupDiff(t, x.f)) {
			got = append(got, string(c.Path))
		}
		if d := cmp.Diff(tt.edits, got); d != "" {
			t.Errorf("%s: -want +got\n%s", tt.name, d)
		}
	}
}

func backupDiff(t testing.TB, f flow.Flow) []flowdiff.Change {
	t.Helper()
	return diff(t, f.BackupState(), f.State(), &flowdiff.Options{Backup: true})
}
