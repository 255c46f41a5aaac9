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

	"github.com/flowtool/flowtool/dumpfile"
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
		{"bodies.mitm", []string{"filter", "-j", "2", "~all", "-o", filepath.Join(dir, "out.mitm")}, false, 72},
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
			var stdin io.Reader
			if tt.pipe {
				f, err := os.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				stdin = f
			}
			checkPeak(t, stdin, tt.limit, args...)
		})
	}
}

// checkPeak runs a command, with a pipe as its input, and checks how much memory it
// takes, in megabytes.
func checkPeak(t *testing.T, stdin io.Reader, limit int, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "peak", args...)
	cmd.Stderr = io.Discard
	if stdin != nil {
		cmd.Stdin = io.MultiReader(stdin) // not the file itself
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
	if kb>>10 > limit {
		t.Errorf("took %d MB, more than %d", kb>>10, limit)
	}
}

// TestPeakMemoryDiff compares captures that are much larger than what that may
// take: of many flows, and of few with large bodies, also where one has to be kept
// for a second look.
func TestPeakMemoryDiff(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("writes large files, measures memory")
	}
	dir := t.TempDir()
	write := func(name string, write func(io.Writer) error) string {
		path := filepath.Join(dir, name)
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := write(f); err != nil {
			t.Fatal(err)
		}
		return path
	}
	many := func(comment string) func(io.Writer) error {
		return func(w io.Writer) error {
			d := dumpfile.NewWriter(w)
			f := bodyFlow(textLines(8 << 10))
			f.SetComment(comment)
			for i := range 20_000 {
				f.SetID(flowID(i))
				if err := d.WriteFlow(f); err != nil {
					return err
				}
			}
			return d.Close()
		}
	}
	a, b := write("a.mitm", many("")), write("b.mitm", many("another"))
	bodies := write("bodies.mitm", writeBodies)
	shuffledA, shuffledB, _ := shuffledCaptures(t, 1_000_000, false)
	for _, tt := range []struct {
		name  string
		args  []string
		pipe  string
		limit int
	}{
		{"many", []string{"--stat", "-o", "/dev/null", a, b}, "", 144},
		{"many, piped", []string{"--stat", "-o", "/dev/null", "-", b}, a, 144},
		{"shuffled", []string{"--stat", "-o", "/dev/null", shuffledA, shuffledB}, "", 160},
		{"same", []string{"-o", "/dev/null", a, a}, "", 80},
		{"bodies", []string{"-o", "/dev/null", bodies, bodies}, "", 96},
		{"bodies, piped", []string{"-o", "/dev/null", bodies, "-"}, bodies, 160},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stdin io.Reader
			if tt.pipe != "" {
				f, err := os.Open(tt.pipe)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				stdin = f
			}
			checkPeak(t, stdin, tt.limit, append([]string{"flowtool", "diff", "-j", "2"}, tt.args...)...)
		})
	}
}
