package display_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/display"
	"github.com/flowtool/flowtool/flow"
)

// TestCanonical: flows that differ in what is not shown have texts that differ, and
// the texts say how large that is.
func TestCanonical(t *testing.T) {
	lines := strings.Repeat("line\n", 600)
	binary := strings.Repeat("\x00\x01\x02\x03", 4096)
	exchange := func(body string) *flow.HTTP {
		req, err := flow.NewRequest("GET", "http://a.example/", flow.Headers{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.TimestampStart = flow.Seconds(1)
		f := flow.NewHTTP(flow.NewClientConn(), flow.NewServerConn(nil), req, flow.NewResponse(200, flow.Headers{}, []byte(body)))
		f.SetID("8d9a0c3e-1d56-4b2f-9d0e-7f0f6f3b2a11")
		f.ClientConn().ID, f.ServerConn().ID = "c", "s"
		f.Response().TimestampStart, f.Response().TimestampEnd = flow.Seconds(2), flow.Seconds(3)
		f.SetTimestampCreated(flow.Seconds(1))
		return f
	}
	edited := func(comment string) flow.Flow {
		f := exchange("body")
		f.SetComment(comment)
		f.Backup()
		f.SetComment("edited")
		return f
	}
	stream := func(content string) flow.Flow {
		f := flow.NewTCP(flow.NewClientConn(), flow.NewServerConn(nil))
		f.SetID("8d9a0c3e-1d56-4b2f-9d0e-7f0f6f3b2a11")
		f.ClientConn().TimestampStart = flow.Seconds(1)
		f.SetMessages([]flow.Message{{Content: flow.NewBody([]byte(content)), Timestamp: flow.Seconds(1)}})
		return f
	}
	for _, tt := range []struct {
		name    string
		a, b    flow.Flow
		maxBody int64
		says    string // "" if nothing is hidden
	}{
		{"late line", exchange(lines + "a"), exchange(lines + "b"), 0, "[3001 bytes, sha256 "},
		{"last byte", exchange(binary + "a"), exchange(binary + "b"), 0, "[16385 bytes, sha256 "},
		{"beyond --max-body", exchange("body a"), exchange("body b"), 5, "[6 bytes, sha256 "},
		{"message", stream(lines + "a"), stream(lines + "b"), 0, "[3001 bytes, sha256 "},
		{"backup", edited("a"), edited("b"), 0, "    backup   sha256 "},
		{"whole text", exchange("a"), exchange("b"), 0, ""},
		{"whole binary", exchange("\x00a"), exchange("\x00b"), 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			show := func(f flow.Flow, canonical bool) []byte {
				opts := display.Options{Detail: display.Bodies, Canonical: canonical, MaxBody: tt.maxBody}
				return display.NewPrinter(opts).Append(nil, 0, f)
			}
			a, b := show(tt.a, true), show(tt.b, true)
			if bytes.Equal(a, b) {
				t.Errorf("the same text for both:\n%s", a)
			}
			if got := bytes.Contains(a, []byte("sha256")); got != (tt.says != "") || !bytes.Contains(a, []byte(tt.says)) {
				t.Errorf("no %q:\n%s", tt.says, a)
			}
			if !bytes.Equal(a, show(tt.a, true)) {
				t.Error("the same flow has two texts")
			}
			if a := show(tt.a, false); bytes.Contains(a, []byte("sha256")) {
				t.Errorf("people are shown a hash:\n%s", a)
			}
		})
	}
}
