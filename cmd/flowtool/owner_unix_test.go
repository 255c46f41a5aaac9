//go:build unix

package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/flowtool/flowtool/internal/flowtest"
)

// TestInterruptOpening checks that an interrupt ends the command although nobody
// writes to the named pipe that is its input.
func TestInterruptOpening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	a := &app{in: &bytes.Buffer{}, out: &stdout, errOut: &stderr, getenv: os.Getenv}
	if status := run(ctx, a, []string{"info", path}); status != exitInterrupted {
		t.Errorf("status %d, %q", status, stderr.String())
	}
	// Let the goroutine go that still waits.
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
}

// TestInPlaceOwner checks that a file that is replaced keeps its owner. Only the
// superuser can have files of others to begin with.
func TestInPlaceOwner(t *testing.T) {
	uid, gid := os.Getuid(), os.Getgid()
	if uid == 0 {
		uid, gid = 1234, 4321
	}
	path := filepath.Join(t.TempDir(), "a.mitm")
	if err := os.WriteFile(path, flowtest.Read(t, flowtest.Path("real", "append.mitm")), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, uid, gid); err != nil {
		t.Fatal(err)
	}
	if _, stderr, status := runApp(t, nil, "filter", "-i", "~index 1", path); status != 0 {
		t.Fatalf("status %d, %s", status, stderr)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if s := info.Sys().(*syscall.Stat_t); int(s.Uid) != uid || int(s.Gid) != gid || info.Mode().Perm() != 0o640 {
		t.Errorf("owner %d, group %d, mode %v", s.Uid, s.Gid, info.Mode())
	}
}
