package har_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/har"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/jsonl"
)

// TestTools imports a HAR in the form of every tool; the golden files have the
// flows as JSON Lines.
func TestTools(t *testing.T) {
	for _, name := range flowtest.Glob(t, "har", "tools", "*.har") {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".har"), func(t *testing.T) {
			var got []byte
			for m, err := range har.NewReader(bytes.NewReader(flowtest.Read(t, name)), nil).States() {
				if err != nil {
					t.Fatal(err)
				}
				if got, err = jsonl.Append(got, m); err != nil {
					t.Fatal(err)
				}
				if _, err := flow.FromState(m); err != nil {
					t.Error(err)
				}
			}
			golden := strings.TrimSuffix(name, ".har") + ".jsonl"
			if *update {
				if err := os.WriteFile(golden, got, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			if want := flowtest.Read(t, golden); !bytes.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}
