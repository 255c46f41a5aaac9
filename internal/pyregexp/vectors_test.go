package pyregexp

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/internal/flowtest"
)

// A vector is a line of testdata/filter/regex-cases.jsonl.
type vector struct {
	Pattern string `json:"pattern"`
	Flags   string `json:"flags"`
	Kind    string `json:"kind"` // "bytes" or "str"
	Subject []byte `json:"subject_b64"`
	Python  string `json:"python"` // "match", "no" or "error"
}

func vectors(t testing.TB) []vector {
	t.Helper()
	f, err := os.Open(flowtest.Path("filter", "regex-cases.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []vector
	for sc := bufio.NewScanner(f); sc.Scan(); {
		var v vector
		if err := json.Unmarshal(sc.Bytes(), &v); err != nil {
			t.Fatalf("line %d: %v", len(out)+1, err)
		}
		out = append(out, v)
	}
	if len(out) == 0 {
		t.Fatal("there are no vectors")
	}
	return out
}

func (v vector) options() Options {
	o := Options{Kind: Text, Flags: parseFlags(v.Flags)}
	if v.Kind == "bytes" {
		o.Kind = Bytes
	}
	return o
}

func parseFlags(s string) Flags {
	var f Flags
	for i, letter := range "ims" {
		if strings.ContainsRune(s, letter) {
			f |= 1 << i
		}
	}
	return f
}

func TestVectors(t *testing.T) {
	for i, v := range vectors(t) {
		r, err := Compile(v.Pattern, v.options())
		if err != nil {
			if _, ok := errors.AsType[*SyntaxError](err); !ok || v.Python != "error" {
				t.Errorf("line %d: %q: %v, want %s", i+1, v.Pattern, err, v.Python)
			}
			continue
		}
		if v.Python == "error" {
			t.Errorf("line %d: %q compiles, want an error", i+1, v.Pattern)
			continue
		}
		ok, err := r.Match(v.Subject)
		if err != nil || ok != (v.Python == "match") {
			t.Errorf("line %d: %q on %q: %v, %v, want %s (%s)", i+1, v.Pattern, v.Subject, ok, err, v.Python, r.Explain())
		}
	}
}
