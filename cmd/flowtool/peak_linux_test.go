package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// peakMain is a command that runs another one and prints how much memory that
// took at most, in kilobytes. It is a process of its own because Linux counts
// the memory of the process that starts another one as that of the other.
func peakMain() {
	cmd := exec.Command(os.Args[1], os.Args[2:]...)
	cmd.Stdin, cmd.Stderr = os.Stdin, os.Stderr
	_ = cmd.Run()
	fmt.Println(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
}

// TestPeakMemory runs the command on inputs that are large or want to be, and
// looks at its memory. The command is the test binary, which takes some 20 MB
// to begin with.
func TestPeakMemory(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("writes large files, measures memory")
	}
	dir := t.TempDir()
	for _, tt := range []struct {
		dump  string
		args  []string
		pipe  bool
		limit int // in megabytes
	}{
		{"bomb.gz", []string{"read"}, false, 64},
		{"bomb.gz", []string{"info"}, true, 64},
		{"bomb.gz", []string{"read", "-d", "4"}, true, 64},
		{"bomb.zst", []string{"read"}, false, 64},
		{"bomb.zst", []string{"info"}, true, 64},
		{"nested", []string{"read", "-d", "4"}, false, 64},
		{"nested", []string{"info"}, true, 64},
		{"body64M.mitm", []string{"read"}, false, 48},
		{"body64M.mitm", []string{"read"}, true, 48},
		{"body64M.mitm", []string{"info"}, true, 48},
		{"body64M.mitm", []string{"read", "-d", "3"}, false, 110},
		// 300 MB
		{"bodies.mitm", []string{"read", "-d", "4", "-j", "2"}, false, 240},
		{"bodies.mitm", []string{"read", "-d", "4", "-j", "2"}, true, 240},
	} {
		path := filepath.Join(dir, tt.dump)
		if _, err := os.Stat(path); err != nil {
			f, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := dumps[tt.dump](f); err != nil {
				t.Fatal(err)
			}
			f.Close()
		}
		name := strings.Join(append(tt.args, tt.dump), " ")
		args := append([]string{"flowtool"}, tt.args...)
		if !tt.pipe {
			args = append(args, path)
		} else {
			name += " as a pipe"
		}
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), "peak", args...)
			cmd.Stderr = io.Discard
			if tt.pipe {
				f, err := os.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				cmd.Stdin = io.MultiReader(f) // not the file itself
			}
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			kb, err := strconv.Atoi(strings.TrimSpace(string(out)))
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d MB", kb>>10)
			if kb>>10 > tt.limit {
				t.Errorf("took %d MB, more than %d", kb>>10, tt.limit)
			}
		})
	}
}
