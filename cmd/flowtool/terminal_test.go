package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/width"

	"github.com/flowtool/flowtool/internal/flowtest"
)

// writeDump makes one of dumps in a temporary folder.
func writeDump(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := dumps[name](f); err != nil {
		t.Fatal(err)
	}
	return path
}

// columns is how wide text is on a terminal.
func columns(s string) int {
	n := 0
	for _, r := range sgr.ReplaceAllString(s, "") {
		switch {
		case r == 0x301: // combining
		case width.LookupRune(r).Kind() == width.EastAsianWide, width.LookupRune(r).Kind() == width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}

var date = regexp.MustCompile(`(?m)^( *\d+ )\d{4}-\d\d-\d\d `)

var contentType = regexp.MustCompile(` \[[a-z]+/[^\]]*\]`)

// abridges tells whether line is full with parts replaced by an ellipsis.
func abridges(line, full string) bool {
	parts := strings.Split(line, "…")
	if !strings.HasPrefix(full, parts[0]) {
		return false
	}
	for _, part := range parts {
		i := strings.Index(full, part)
		if i < 0 {
			return false
		}
		full = full[i+len(part):]
	}
	return full == "" || len(parts) > 1
}

func TestTerminalWidth(t *testing.T) {
	for _, path := range []string{flowtest.Path("har", "corpus.mitm"), flowtest.Path("real", "edited.mitm"), writeDump(t, "widetext")} {
		for _, w := range []int{20, 61, 62, 80, 81, 132} {
			full, _, _ := runApp(t, nil, "read", path)
			if w < 110 {
				full = date.ReplaceAllString(full, "$1") // only the time of day is shown
			}
			for _, color := range []string{"always", "never"} {
				out, _, _ := runApp(t, &app{outTTY: true, width: w}, "read", "--color", color, path)
				lines, fullLines := strings.Split(out, "\n"), strings.Split(full, "\n")
				if len(lines) != len(fullLines) {
					t.Fatalf("%d lines, want %d", len(lines), len(fullLines))
				}
				for i, line := range lines {
					plain := sgr.ReplaceAllString(line, "")
					if n := columns(line); n > w {
						t.Errorf("width %d, line %d takes %d: %q", w, i, n, line)
					}
					if !abridges(plain, fullLines[i]) && !abridges(plain, contentType.ReplaceAllString(fullLines[i], "")) {
						t.Errorf("width %d: %q does not abridge %q", w, plain, fullLines[i])
					}
					if _, note, ok := strings.Cut(fullLines[i], "  error: "); ok && w >= 132 && !strings.Contains(plain, "error: "+note[:8]) {
						t.Errorf("width %d hides the error of %q: %q", w, fullLines[i], plain)
					}
					if n := strings.Count(line, "\x1b[0m"); 2*n != strings.Count(line, "\x1b[") {
						t.Errorf("width %d: a style stays on: %q", w, line)
					}
				}
			}
		}
	}
}

func TestTerminalWidthWide(t *testing.T) {
	path := writeDump(t, "widetext")
	for _, tt := range []struct {
		width int
		want  string
	}{
		{45, "   0 22:13:20 GET     200      2b  300ms 🍇 …"},
		{52, "   0 22:13:20 GET     200      2b  300ms 🍇 http://…"},
		{53, "   0 22:13:20 GET     200      2b  300ms 🍇 http://…"},
		{54, "   0 22:13:20 GET     200      2b  300ms 🍇 http://東…"},
		{200, "   0 2023-11-14 22:13:20 GET     200      2b  300ms 🍇 http://東京.example/日本語/パス  # e\u0301e\u0301e\u0301 コメント"},
	} {
		out, _, _ := runApp(t, &app{outTTY: true, width: tt.width}, "read", "--color", "never", path)
		if out != tt.want+"\n" {
			t.Errorf("width %d: got %q, want %q", tt.width, out, tt.want)
		}
	}
}

// TestTerminalDetail: only lines are cut, details and columns are not.
func TestTerminalDetail(t *testing.T) {
	path := flowtest.Path("har", "corpus.mitm")
	for _, args := range [][]string{{"-d", "3"}, {"--fields", "url,id"}} {
		args = append([]string{"read", "--color", "never", path}, args...)
		want, _, _ := runApp(t, nil, args...)
		got, _, _ := runApp(t, &app{outTTY: true, width: 40}, args...)
		if got != want {
			t.Errorf("%v is cut on a terminal", args)
		}
	}
}

func TestTerminalColor(t *testing.T) {
	env := func(vars ...string) func(string) string {
		return func(name string) string {
			for i := 0; i < len(vars); i += 2 {
				if vars[i] == name {
					return vars[i+1]
				}
			}
			return ""
		}
	}
	for _, tt := range []struct {
		name  string
		app   app
		flags []string
		want  bool
	}{
		{"terminal", app{outTTY: true}, nil, true},
		{"pipe", app{}, nil, false},
		{"only standard error is a terminal", app{errTTY: true}, nil, false},
		{"dumb terminal", app{outTTY: true, getenv: env("TERM", "dumb")}, nil, false},
		{"NO_COLOR", app{outTTY: true, getenv: env("NO_COLOR", "1")}, nil, false},
		{"empty NO_COLOR", app{outTTY: true, getenv: env("NO_COLOR", "")}, nil, true},
		{"CLICOLOR_FORCE", app{getenv: env("CLICOLOR_FORCE", "1")}, nil, true},
		{"never", app{outTTY: true}, []string{"--color", "never"}, false},
		{"always", app{getenv: env("NO_COLOR", "1")}, []string{"--color", "always"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"read", flowtest.Path("har", "corpus.mitm")}, tt.flags...)
			out, _, _ := runApp(t, &tt.app, args...)
			if got := strings.Contains(out, "\x1b["); got != tt.want {
				t.Errorf("colours: %v, want %v", got, tt.want)
			}
		})
	}
}

func TestTerminalInput(t *testing.T) {
	for _, args := range [][]string{{"read"}, {"read", "-"}, {"info"}, {"read", flowtest.Path("har", "other.mitm"), "-"}} {
		out, stderr, status := runApp(t, &app{inTTY: true}, args...)
		want := "flowtool: standard input is a terminal: name a file, or pipe a dump into flowtool\nusage: flowtool " + args[0]
		if out != "" || !strings.HasPrefix(stderr, want) || status != exitTrouble {
			t.Errorf("%v: status %d, %q, %q", args, status, out, stderr)
		}
	}
	if _, stderr, status := runApp(t, &app{inTTY: true}, "read", flowtest.Path("har", "other.mitm")); status != exitOK {
		t.Errorf("a file: status %d, %s", status, stderr)
	}
}

// ticking is a clock that goes on by step whenever it is looked at.
func ticking(step time.Duration) func() time.Time {
	now := time.Unix(begun, 0)
	return func() time.Time {
		now = now.Add(step)
		return now
	}
}

func TestProgress(t *testing.T) {
	data := bytes.Repeat(flowtest.Read(t, flowtest.Path("har", "corpus.mitm")), 20)
	path := filepath.Join(t.TempDir(), "big.mitm")
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	const clear = "\r\x1b[K"
	known := regexp.MustCompile(`^\r[\d.]+[bkm], \d+ flows, \d+ MB/s, \d+%, [\dmsh.]+ left\x1b\[K`)
	unknown := regexp.MustCompile(`^\r[\d.]+[bkm], \d+ flows, \d+ MB/s\x1b\[K`)
	for _, tt := range []struct {
		name string
		app  app
		args []string
		want *regexp.Regexp
	}{
		{"read", app{errTTY: true, now: ticking(400 * time.Millisecond)}, []string{"read", path}, known},
		{"read without output", app{errTTY: true, now: ticking(400 * time.Millisecond)}, []string{"read", "-d", "0", path}, known},
		{"info", app{errTTY: true, now: ticking(400 * time.Millisecond)}, []string{"info", path}, known},
		{"two files", app{errTTY: true, now: ticking(400 * time.Millisecond)}, []string{"info", path, path}, known},
		{"pipe", app{errTTY: true, in: io.MultiReader(bytes.NewReader(data)), now: ticking(400 * time.Millisecond)}, []string{"info"}, unknown},
		{"fast", app{errTTY: true, now: ticking(time.Millisecond)}, []string{"info", path}, nil},
		{"no terminal", app{now: ticking(400 * time.Millisecond)}, []string{"info", path}, nil},
		{"output is a terminal", app{outTTY: true, now: ticking(400 * time.Millisecond)}, []string{"info", path}, nil},
		{"quiet", app{errTTY: true, now: ticking(400 * time.Millisecond)}, []string{"info", "-q", path}, nil},
		{"never", app{errTTY: true, now: ticking(400 * time.Millisecond)}, []string{"info", "--progress", "never", path}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, stderr, status := runApp(t, &tt.app, tt.args...)
			if status != exitOK || strings.Contains(out, "MB/s") {
				t.Errorf("status %d, output %q", status, out)
			}
			if tt.want == nil {
				if stderr != "" {
					t.Errorf("shows %q", stderr)
				}
				return
			}
			if !tt.want.MatchString(stderr) || !strings.HasSuffix(stderr, clear) {
				t.Errorf("shows %q", stderr)
			}
		})
	}
}

// TestProgressAndErrors: an error is on a line of its own.
func TestProgressAndErrors(t *testing.T) {
	path := flowtest.Path("real", "diskfull.mitm")
	_, stderr, _ := runApp(t, &app{errTTY: true, now: ticking(time.Second)}, "read", "-d", "0", path, path)
	if strings.Count(stderr, "\x1b[Kflowtool: ") != 2 || strings.Count(stderr, "\n") != 2 {
		t.Errorf("shows %q", stderr)
	}
}

// TestPeakHeap reads a body of 64 MB through a pipe.
func TestPeakHeap(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("writes a large file, measures memory")
	}
	path := writeDump(t, "body64M.mitm")
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	runtime.GC()
	runtime.GC()
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	heap := func() uint64 {
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
	before := heap() // cobra never lets go of commands
	peak := before
	// Every read of the input is a chance to look.
	in := readerFunc(func(p []byte) (int, error) {
		peak = max(peak, heap())
		return f.Read(p)
	})
	out, stderr, status := runApp(t, &app{in: in}, "read")
	if status != exitOK || !strings.Contains(out, " 64.0m ") {
		t.Errorf("status %d, %s%s", status, out, stderr)
	}
	t.Logf("%d kB", (peak-before)>>10)
	if peak-before > 32<<20 {
		t.Errorf("took %d MB of heap", (peak-before)>>20)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
