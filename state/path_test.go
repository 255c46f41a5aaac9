package state_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/flowtool/flowtool/state"
)

func TestPathShort(t *testing.T) {
	short := state.Path("/request/headers/0")
	if got := short.Short(); got != string(short) {
		t.Errorf("got %s", got)
	}
	long := state.Path("/metadata" + strings.Repeat("/é", 1000) + "/last")
	got := long.Short()
	if len(got) > 100 || !utf8.ValidString(got) || !strings.HasPrefix(got, "/metadata/é") || !strings.HasSuffix(got, "/é/last") || strings.Count(got, "…") != 1 {
		t.Errorf("got %q", got)
	}
}
