package filter

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/internal/flowtest"
)

// A vector is a line of testdata/filter/vectors-*.jsonl, computed by mitmproxy.
type vector struct {
	Expr  string
	Match []int
	Str   string
	Dump  string
	Tree  json.RawMessage
	Error bool
	Cat   string
}

// readVectors returns the vectors of a file.
func readVectors(t testing.TB, name string) []vector {
	t.Helper()
	var all []vector
	lines := bufio.NewScanner(bytes.NewReader(flowtest.Read(t, flowtest.Path("filter", name))))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var v vector
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatalf("%s: line %d: %v", name, len(all)+1, err)
		}
		all = append(all, v)
	}
	if len(all) == 0 {
		t.Fatalf("%s: no vectors", name)
	}
	return all
}

// showJSON returns the tree of a vector as show returns that of a node.
func showJSON(t *testing.T, data json.RawMessage) string {
	t.Helper()
	var parts []json.RawMessage
	var name string
	if err := json.Unmarshal(data, &parts); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(parts[0], &name); err != nil {
		t.Fatal(err)
	}
	var below []string
	for _, p := range parts[1:] {
		var arg string
		if json.Unmarshal(p, &arg) == nil {
			return fmt.Sprintf("%s%q", name, arg)
		}
		below = append(below, showJSON(t, p))
	}
	if below == nil {
		return name
	}
	return name + "(" + strings.Join(below, ", ") + ")"
}

func TestVectors(t *testing.T) {
	for _, file := range []struct {
		name string
		opts Options
	}{
		{"vectors-a.jsonl", Options{Mitmproxy: true}},
		{"vectors-a-casesensitive.jsonl", Options{Mitmproxy: true, CaseSensitive: true}},
	} {
		t.Run(file.name, func(t *testing.T) {
			failed := 0
			for i, v := range readVectors(t, file.name) {
				e, err := Parse(v.Expr, &file.opts)
				if v.Error || err != nil {
					if (err != nil) != v.Error {
						t.Errorf("line %d: %q: %v, want an error: %v", i+1, v.Expr, err, v.Error)
					}
					failed++
					continue
				}
				if got, want := show(e.Root), showJSON(t, v.Tree); got != want {
					t.Errorf("line %d: %q is %s, want %s", i+1, v.Expr, got, want)
				}
				if got := e.Dump(); got != v.Dump {
					t.Errorf("line %d: %q: dump %q, want %q", i+1, v.Expr, got, v.Dump)
				}
				if got := e.Description(); got != v.Str {
					t.Errorf("line %d: %q: description %q, want %q", i+1, v.Expr, got, v.Str)
				}
				checkProperties(t, v.Expr)
			}
			t.Logf("%d with an error", failed)
		})
	}
}
