package jsonl_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/jsonl"
)

var update = flag.Bool("update", false, "rewrite golden files and what docs/jsonl.md says about fields and the output of recipes")

func docsFile() string {
	return filepath.Join(filepath.Dir(flowtest.Path()), "docs", "jsonl.md")
}

// writeLines writes the lines of dumps to files in dir, called as the dumps but
// without "-v21" and with the extension .jsonl.
func writeLines(t testing.TB, dir string, dumps ...string) {
	t.Helper()
	for _, dump := range dumps {
		var lines []byte
		for _, r := range flowtest.Records(t, flowtest.Read(t, dump)) {
			var err error
			if lines, err = jsonl.AppendRecord(lines, r); err != nil {
				t.Fatal(err)
			}
		}
		name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(dump), ".mitm"), "-v21") + ".jsonl"
		if err := os.WriteFile(filepath.Join(dir, name), lines, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRecipes runs the blocks of docs/jsonl.md that are marked shell: commands
// behind a dollar sign, with what they print below. With -update, that is
// rewritten.
func TestRecipes(t *testing.T) {
	for _, tool := range []string{"jq", "sh", "sort", "base64"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(tool + " is not installed")
		}
	}
	dir := t.TempDir()
	writeLines(t, dir, flowtest.Glob(t, "real", "*-v21.mitm")...)
	writeLines(t, dir, flowtest.Path("har", "corpus.mitm"))
	text := string(flowtest.Read(t, docsFile()))
	n := 0
	blocks := regexp.MustCompile("(?ms)^```shell\n(.*?)^```$").ReplaceAllStringFunc(text, func(block string) string {
		var out strings.Builder
		out.WriteString("```shell\n")
		inner := strings.TrimSuffix(strings.TrimPrefix(block, "```shell\n"), "```")
		for _, command := range strings.Split("\n"+inner, "\n$ ")[1:] {
			// A command goes on behind a line that ends with a backslash, or with a
			// quotation mark left open.
			lines := strings.SplitAfter(command, "\n")
			end := 1
			for end < len(lines) && (strings.HasSuffix(lines[end-1], "\\\n") || strings.Count(strings.Join(lines[:end], ""), "'")%2 == 1) {
				end++
			}
			script := strings.Join(lines[:end], "")
			n++
			cmd := exec.Command("sh", "-c", script)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TZ=UTC")
			got, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%s: %v\n%s", script, err, got)
			}
			if d := cmp.Diff(strings.TrimRight(strings.Join(lines[end:], ""), "\n"), strings.TrimRight(string(got), "\n")); d != "" && !*update {
				t.Errorf("%s(-docs +jq):\n%s", script, d)
			}
			out.WriteString("$ " + strings.TrimRight(script, "\n") + "\n" + string(got))
		}
		return out.String() + "```"
	})
	if n < 10 {
		t.Errorf("only %d recipes", n)
	}
	if *update && blocks != text {
		if err := os.WriteFile(docsFile(), []byte(blocks), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
