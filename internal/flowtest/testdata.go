package flowtest

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Path returns the path of a file below the testdata folder at the root of the
// project, from wherever the test runs.
func Path(elem ...string) string {
	_, self, _, ok := runtime.Caller(0)
	if !ok {
		panic("flowtest: no caller information")
	}
	root := filepath.Dir(filepath.Dir(filepath.Dir(self)))
	return filepath.Join(append([]string{root, "testdata"}, elem...)...)
}

// Glob returns the files below testdata that match pattern. No file at all
// fails the test: a pattern that matches nothing proves nothing.
func Glob(t testing.TB, pattern ...string) []string {
	t.Helper()
	files, err := filepath.Glob(Path(pattern...))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("no file matches %v", pattern)
	}
	return files
}

// Read returns the content of a file.
func Read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TempFile returns a file with data, opened at its beginning, which is closed and removed
// when the test ends.
func TempFile(t testing.TB, data []byte) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "in.mitm")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// Vectors decodes a gzip-compressed file of JSON lines below testdata/vectors,
// one T a line. An empty file fails the test.
func Vectors[T any](t testing.TB, name string) []T {
	t.Helper()
	f, err := os.Open(Path("vectors", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zr, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var out []T
	br := bufio.NewReader(zr)
	for {
		line, err := br.ReadBytes('\n')
		if len(line) > 1 {
			var v T
			if err := json.Unmarshal(line, &v); err != nil {
				t.Fatalf("%s line %d: %v", name, len(out)+1, err)
			}
			out = append(out, v)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(out) == 0 {
		t.Fatalf("%s holds no vectors", name)
	}
	return out
}
