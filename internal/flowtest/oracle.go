package flowtest

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Oracle returns the Python interpreter with mitmproxy that the environment
// variable FLOWTOOL_ORACLE names. Without one the test is skipped, or fails if
// FLOWTOOL_REQUIRE_ORACLE is set.
func Oracle(t testing.TB) string {
	t.Helper()
	python := os.Getenv("FLOWTOOL_ORACLE")
	if python == "" {
		const what = "FLOWTOOL_ORACLE does not name a Python with mitmproxy"
		if os.Getenv("FLOWTOOL_REQUIRE_ORACLE") != "" {
			t.Fatal(what)
		}
		t.Skip(what)
	}
	return python
}

// RunOracle runs a script below testdata/oracle that prints one JSON line for
// each of files, and returns the lines decoded, in the order of files.
func RunOracle[T any](t testing.TB, python, script string, files []string) []T {
	t.Helper()
	cmd := exec.Command(python, append([]string{Path("oracle", script)}, files...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, &stderr)
	}
	var lines []T
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var v T
		if err := dec.Decode(&v); err != nil {
			t.Fatalf("%s: line %d: %v", script, len(lines)+1, err)
		}
		lines = append(lines, v)
	}
	if len(lines) != len(files) {
		t.Fatalf("%s: %d lines for %d files\n%s", script, len(lines), len(files), &stderr)
	}
	return lines
}

// Dumps returns all dumps of testdata, and what else is below the folder that
// the environment variable FLOWTOOL_CORPUS names, if it does. No two have the
// same content.
func Dumps(t testing.TB) []string {
	t.Helper()
	var files []string
	for _, folder := range []string{"real", "har", "filter"} {
		files = append(files, Glob(t, folder, "*.mitm")...)
	}
	corpus := os.Getenv("FLOWTOOL_CORPUS")
	if corpus == "" {
		return files
	}
	seen := map[string]bool{}
	for _, name := range files {
		seen[string(Read(t, name))] = true
	}
	before := len(files)
	err := filepath.WalkDir(corpus, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".mitm") {
			return err
		}
		if data := string(Read(t, name)); !seen[data] {
			seen[data] = true
			files = append(files, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == before {
		t.Fatalf("FLOWTOOL_CORPUS: nothing new below %s", corpus)
	}
	return files
}
