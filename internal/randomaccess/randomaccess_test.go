package randomaccess_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/flowtool/flowtool/internal/randomaccess"
)

func TestOf(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("0123456789"), 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for name, r := range map[string]io.ReadSeeker{"file": f, "memory": bytes.NewReader([]byte("0123456789"))} {
		if _, err := r.Seek(3, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		at, pos, size, ok := randomaccess.Of(r)
		if !ok || pos != 3 || size != 10 {
			t.Fatalf("%s: %d, %d, %v", name, pos, size, ok)
		}
		b := make([]byte, 2)
		if _, err := at.ReadAt(b, 8); err != nil || string(b) != "89" {
			t.Errorf("%s: %q, %v", name, b, err)
		}
		if rest, err := io.ReadAll(r); err != nil || string(rest) != "3456789" {
			t.Errorf("%s: then %q, %v", name, rest, err)
		}
	}
}

func TestOfStreams(t *testing.T) {
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	defer out.Close()
	folder, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	for name, r := range map[string]io.Reader{"pipe": in, "folder": folder, "reader": io.MultiReader()} {
		if _, _, _, ok := randomaccess.Of(r); ok {
			t.Errorf("%s: can be read at any offset", name)
		}
	}
}
