package display

import (
	"strings"
	"testing"
	"time"

	"github.com/flowtool/flowtool/flow"
)

// TestUnknownEnd: a last message without a time does not end a stream before it
// began.
func TestUnknownEnd(t *testing.T) {
	f := flow.NewTCP(flow.NewClientConn(), flow.NewServerConn(nil))
	f.ClientConn().TimestampStart = flow.Seconds(1700000000)
	f.SetMessages([]flow.Message{{Content: flow.NewBody([]byte("x")), Timestamp: flow.Seconds(0)}})
	line := string(NewPrinter(Options{Detail: Line, Location: time.UTC}).Append(nil, 0, f))
	if !strings.Contains(line, " 1b      - ") {
		t.Errorf("shows %q", line)
	}
}
