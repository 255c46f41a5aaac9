package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/flowtool/flowtool/internal/flowtest"
)

var update = flag.Bool("update", false, "rewrite golden files and expectations in scripts")

// raceDetector tells that tests are built with -race, which takes memory and time
// of its own.
var raceDetector bool

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"flowtool": main,
		"peak":     peakMain,
	})
}

// TestScripts runs the whole command in processes of its own. The scripts are
// named by subcommand first.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                filepath.Join("testdata", "script"),
		UpdateScripts:      *update,
		RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("TZ", "UTC")
			env.Setenv("TESTDATA", filepath.ToSlash(flowtest.Path()))
			if raceDetector {
				env.Setenv("GORACE", "atexit_sleep_ms=0") // its default is a second
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"filemode":  filemode,
			"onlyfiles": onlyfiles,
			"exits":     exits,
			"json":      jsonAt,
			"lines":     lines,
			"join":      join,
			"head":      head,
			"subst":     subst,
			"flip":      flip,
			"gzip":      compressor(func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }),
			"zstd":      compressor(func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }),
			"zstdwindow": compressor(func(w io.Writer) (io.WriteCloser, error) {
				zw, err := zstd.NewWriter(w, zstd.WithWindowSize(64<<20))
				return flushing{zw}, err
			}),
			"dump": dumpCmd,
		},
	})
}

// filemode checks the permissions of a file, where the system has them.
func filemode(ts *testscript.TestScript, neg bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%o", info.Mode().Perm()); runtime.GOOS != "windows" && (got == args[0]) == neg {
		ts.Fatalf("%s has mode %s", args[1], got)
	}
}

// onlyfiles checks that the folder holds no other files than these.
func onlyfiles(ts *testscript.TestScript, neg bool, args []string) {
	entries, err := os.ReadDir(ts.MkAbs("."))
	ts.Check(err)
	for _, e := range entries {
		if !e.IsDir() && !slices.Contains(args, e.Name()) {
			ts.Fatalf("%s is left behind", e.Name())
		}
	}
}

// exits runs a command and checks its exit status: exits 3 flowtool read x.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		ee, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = ee.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// jsonAt compares a value in a JSON file with what it should be, in JSON:
// json stdout damage.offset 1136.
func jsonAt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: json FILE PATH VALUE")
	}
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &v))
	for step := range strings.SplitSeq(args[1], ".") {
		switch c := v.(type) {
		case map[string]any:
			elem, ok := c[step]
			if !ok {
				ts.Fatalf("%s: no %q", args[1], step)
			}
			v = elem
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(c) {
				ts.Fatalf("%s: no element %q of %d", args[1], step, len(c))
			}
			v = c[i]
		default:
			ts.Fatalf("%s: nothing below %v", args[1], v)
		}
	}
	got, err := json.Marshal(v)
	ts.Check(err)
	if string(got) != args[2] {
		ts.Fatalf("%s is %s, want %s", args[1], got, args[2])
	}
}

// lines checks how many lines a file has: lines stdout 3.
func lines(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: lines FILE NUMBER")
	}
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	if got := strings.Count(ts.ReadFile(args[0]), "\n"); got != want {
		ts.Fatalf("%s has %d lines, want %d", args[0], got, want)
	}
}

// join writes files one behind the other: join OUT IN...
func join(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: join OUT IN...")
	}
	var all []byte
	for _, name := range args[1:] {
		all = append(all, ts.ReadFile(name)...)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), all, 0o666))
}

// head keeps the first bytes of a file; a negative number drops the last:
// head N IN OUT.
func head(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: head N IN OUT")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	data := ts.ReadFile(args[1])
	if n < 0 {
		n += len(data)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(data[:n]), 0o666))
}

// flip changes a bit of the byte at an offset: flip OFFSET IN OUT.
func flip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: flip OFFSET IN OUT")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	data := []byte(ts.ReadFile(args[1]))
	data[n] ^= 1
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), data, 0o666))
}

// subst replaces the first occurrence of some text by as many bytes:
// subst OLD NEW IN OUT.
func subst(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 || len(args[0]) != len(args[1]) {
		ts.Fatalf("usage: subst OLD NEW IN OUT")
	}
	data := ts.ReadFile(args[2])
	if !strings.Contains(data, args[0]) {
		ts.Fatalf("no %q in %s", args[0], args[2])
	}
	data = strings.Replace(data, args[0], args[1], 1)
	ts.Check(os.WriteFile(ts.MkAbs(args[3]), []byte(data), 0o666))
}

// compressor returns a command that compresses files into one member or frame:
// gzip OUT IN...
func compressor(open func(io.Writer) (io.WriteCloser, error)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) < 2 {
			ts.Fatalf("usage: gzip|zstd OUT IN...")
		}
		var out bytes.Buffer
		w, err := open(&out)
		ts.Check(err)
		for _, name := range args[1:] {
			_, err := io.WriteString(w, ts.ReadFile(name))
			ts.Check(err)
		}
		ts.Check(w.Close())
		ts.Check(os.WriteFile(ts.MkAbs(args[0]), out.Bytes(), 0o666))
	}
}

// flushing is a zstd encoder that cannot know how short the frame will be, so
// that it asks for the whole window.
type flushing struct{ *zstd.Encoder }

func (f flushing) Write(p []byte) (int, error) {
	n, err := f.Encoder.Write(p)
	return n, errors.Join(err, f.Flush())
}

// dumpCmd makes one of the inputs of the table in dumps_test.go: dump NAME OUT.
func dumpCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: dump NAME OUT")
	}
	build := dumps[args[0]]
	if build == nil {
		ts.Fatalf("no dump %q", args[0])
	}
	f, err := os.Create(ts.MkAbs(args[1]))
	ts.Check(err)
	defer f.Close()
	ts.Check(build(f))
	ts.Check(f.Close())
}

// runApp runs the command in this process, with no terminal around.
func runApp(t *testing.T, a *app, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, errOut bytes.Buffer
	if a == nil {
		a = &app{}
	}
	if a.in == nil {
		a.in = strings.NewReader("")
	}
	if a.out == nil {
		a.out = &out
	}
	if a.errOut == nil {
		a.errOut = &errOut
	}
	if a.getenv == nil {
		a.getenv = func(string) string { return "" }
	}
	if a.now == nil {
		a.now = time.Now
	}
	a.local = time.UTC
	status = run(t.Context(), a, args)
	return out.String(), errOut.String(), status
}

// TestGolden compares what is shown of captures with golden files.
func TestGolden(t *testing.T) {
	type golden struct {
		name string
		args []string
	}
	var tests []golden
	add := func(name, file string, args ...string) {
		tests = append(tests, golden{name, append(args, flowtest.Path(strings.Split(file, "/")...))})
	}
	for d := range 5 {
		for _, name := range []string{"corpus", "other"} {
			add(fmt.Sprintf("read-%s-d%d", name, d), "har/"+name+".mitm", "read", "-d", strconv.Itoa(d))
		}
	}
	for _, name := range []string{"errors", "dns", "tcp-tls", "upstream", "head-dns", "head-replay"} {
		add("read-"+name+"-d2", "real/"+name+".mitm", "read", "-d", "2")
	}
	for _, name := range []string{"edited", "encodings"} {
		add("read-"+name+"-d3", "real/"+name+".mitm", "read", "-d", "3")
	}
	for _, name := range []string{"http1", "h2", "ws", "streamed", "inflight", "diskfull"} {
		add("read-"+name+"-d1", "real/"+name+".mitm", "read")
	}
	for _, name := range []string{"http1", "edited", "ws", "dns", "tcp", "diskfull"} {
		add("info-"+name, "real/"+name+".mitm", "info")
		add("info-"+name+"-json", "real/"+name+".mitm", "info", "--json")
	}
	for _, name := range []string{"http1", "ws"} {
		add("info-"+name+"-filter", "real/"+name+".mitm", "info", "-f", "~size >1k")
		add("info-"+name+"-filter-json", "real/"+name+".mitm", "info", "--json", "-f", "~size >1k")
	}
	for _, name := range []string{"edited", "head-replay"} {
		add("diff-"+name, "real/"+name+".mitm", "diff")
		add("diff-"+name+"-json", "real/"+name+".mitm", "diff", "--json")
	}
	add("diff-replay", "real/replay-server.mitm", "diff", "--ignore-defaults", flowtest.Path("real", "replay-src.mitm"))
	add("diff-edited-color", "real/edited.mitm", "diff", "--color", "always", "-f", "~index 0-2")
	add("read-corpus-filter", "har/corpus.mitm", "read", "-f", "~m POST | ~e | ~websocket")
	add("read-corpus-color", "har/corpus.mitm", "read", "-d", "3", "--color", "always", "--index", "0-2,12,15,30,39,43-44,50")
	add("read-other-color", "har/other.mitm", "read", "--color", "always")
	tests = append(tests,
		golden{"help", []string{"help"}},
		golden{"help-read", []string{"help", "read"}},
		golden{"help-convert", []string{"help", "convert"}},
		golden{"help-migrate", []string{"help", "migrate"}},
		golden{"help-diff", []string{"help", "diff"}},
		golden{"help-revert", []string{"help", "revert"}},
		golden{"help-info", []string{"info", "--help"}},
		golden{"help-filter", []string{"help", "filter"}},
		golden{"help-filters", []string{"help", "filters"}},
		golden{"help-formats", []string{"help", "formats"}},
		golden{"help-fields", []string{"help", "fields"}},
		golden{"help-exit-status", []string{"help", "exit-status"}},
	)
	for name, expr := range map[string]string{
		"mitmproxy": `~d shop & !(~m ^GET$ | ~c 404 )`,
		"extended":  `(~status 4xx,5xx ~hn server=nginx)|~size>1M`,
		"engines":   `~b password "(?=.)\\w+" ~h ^server:\s+nginx ~u "(a|b)"`,
		"warnings":  `~b "\d+\.\d" or get(a|b) ~c 4xx`,
		"span":      `~time end-1h.. ~index 0-9`,
	} {
		tests = append(tests, golden{"explain-" + name, []string{"filter", "--explain", expr}})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, _, _ := runApp(t, nil, tt.args...)
			out = strings.ReplaceAll(out, flowtest.Path(), "testdata") // in reports
			checkGolden(t, tt.name+".txt", out)
			checkPrintable(t, out, strings.HasSuffix(tt.name, "-color"))
		})
	}
}

func checkGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s differs (-want +got; go test -update rewrites it):\n%s", path, diff)
	}
}

var sgr = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// checkPrintable fails if out holds anything that acts on a terminal, other
// than tabs, line ends and, if they are expected, colours.
func checkPrintable(t *testing.T, out string, color bool) {
	t.Helper()
	if color {
		out = sgr.ReplaceAllString(out, "")
	}
	for n, line := range strings.Split(out, "\n") {
		for _, r := range line {
			if r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r == '\u2028' || r == '\ufffd' {
				t.Errorf("line %d holds %q: %q", n+1, r, line)
				break
			}
		}
	}
}

// captures returns all dumps below testdata.
func captures(t *testing.T) []string {
	var out []string
	for _, dir := range []string{"real", "har", "filter"} {
		out = append(out, flowtest.Glob(t, dir, "*.mitm")...)
	}
	return out
}

// TestWorkers compares what one worker makes of a capture with what many make
// of it, and what comes out of a file with what comes out of a pipe.
func TestWorkers(t *testing.T) {
	for _, path := range captures(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			for _, args := range [][]string{
				{"read", "-d", "4"},
				{"read", "--fields", "index,offset,record_size,id,url,size,duration,error"},
				{"read", "--index", "1-3,7-", "-n", "5"},
				{"read", "-f", "~b e & !~c 404", "-n", "5"},
				{"filter", "~b e | ~tcp"},
				{"filter", "-v", "~s ~hn server=nginx"},
				{"filter", "-n", "3", "~all"},
				{"filter", "-c", "~index 1-3,7- & !~size 0"},
				{"info", "--json"},
				{"info", "--json", "-f", "~dur >1ms"},
			} {
				one, oneErr, oneStatus := runApp(t, nil, append(args, "-j", "1", path)...)
				many, manyErr, manyStatus := runApp(t, nil, append(args, "-j", "9", path)...)
				if one != many || oneErr != manyErr || oneStatus != manyStatus {
					t.Errorf("%v: workers make a difference:\n%s", args, cmp.Diff(one+oneErr, many+manyErr))
				}
				if args[0] == "info" {
					continue // it tells the input's name and size
				}
				data := flowtest.Read(t, path)
				pipe, _, pipeStatus := runApp(t, &app{in: io.MultiReader(bytes.NewReader(data))}, args...)
				if one != pipe || pipeStatus != oneStatus {
					t.Errorf("%v: a pipe makes a difference:\n%s", args, cmp.Diff(one, pipe))
				}
			}
		})
	}
}

// TestLevelsTell checks that what mitmdump shows at a level is there: every
// header, every body and message of the flows in the constructed dumps.
func TestLevelsTell(t *testing.T) {
	// spaces and line breaks are laid out anew
	squash := func(s string) string { return strings.Join(strings.Fields(s), "") }
	for _, tt := range []struct {
		file   string
		detail string
		want   []string
	}{
		{"corpus.mitm", "2", []string{
			"POST /login HTTP/1.1", "HTTP/1.1 302 Found", "Set-Cookie: sid=abc123; Path=/; HttpOnly",
			"X-Empty:", "x-dup: 1", "X-Dup: 2", "X-Resp: done", "grpc-status: 0",
			"HTTP/1.1 200 Très bien", "HTTP/2.0 200 OK", "HTTP/3 200 OK", "HTTP/1.0",
			"GET https://h2.example/c HTTP/2.0", "OPTIONS * HTTP/1.1", "CONNECT blocked.example:443",
			"connection refused", "client disconnect", "[2001:db8::c]:50000", "closed by client: 1000",
			"abnormal closure", "> text, dropped, 7b", "> binary, injected, 3b",
		}},
		{"corpus.mitm", "3", []string{
			"Hello, world!", "naïve ☕", `"nested"`, "déjà vu", "привет", "twice", "wide", "中文", "user: al ice",
			"body missing", "trailers", "wörld", "bye", "line 511", "8 more lines; -d 4 shows them",
			"deflated text deflated text", "zstandard zstandard", "<p>one</p>", "89 50 4e 47",
		}},
		{"corpus.mitm", "4", []string{"line 518", "line 519"}},
		{"other.mitm", "2", []string{
			"A example.com 300s 93.184.216.34", "1.2.3.4", "NXDOMAIN", "CNAME x.example", `no such \x07host`,
			"quic stream 0/4", "quic datagram", "timeout", "192.0.2.53:53", "127.0.0.1:51000",
		}},
		{"other.mitm", "3", []string{"EHLO me", "250 ok", "ping", "pong", "16 03 01 00"}},
	} {
		out, _, _ := runApp(t, nil, "read", "-d", tt.detail, flowtest.Path("har", tt.file))
		flat := squash(out)
		for _, want := range tt.want {
			if !strings.Contains(flat, squash(want)) {
				t.Errorf("%s at -d %s: %q is not shown", tt.file, tt.detail, want)
			}
		}
	}
}

// spawn returns the command in a process of its own.
func spawn(t *testing.T, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), "flowtool", args...)
	cmd.Env = append(os.Environ(), "TZ=UTC")
	return cmd
}

// TestClosedOutput closes the output early, as head does.
func TestClosedOutput(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no such pipes")
	}
	big := filepath.Join(t.TempDir(), "big.mitm")
	data := flowtest.Read(t, flowtest.Path("har", "corpus.mitm"))
	if err := os.WriteFile(big, bytes.Repeat(data, 20), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"read", "-d", "4", big}, {"read", "--fields", "url", big, big, big}, {"filter", "~s", big, big}} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		var stderr bytes.Buffer
		cmd := spawn(t, args...)
		cmd.Stdout, cmd.Stderr = w, &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		w.Close()
		io.ReadFull(r, make([]byte, 100))
		r.Close()
		_ = cmd.Wait() // ended by a signal, like cat
		if stderr.Len() > 0 {
			t.Errorf("%v: %s", args, &stderr)
		}
	}
}

// closedWriter is a pipe that nobody reads from any more.
type closedWriter struct{}

func (closedWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// TestOutputError checks what is made of errors of writing.
func TestOutputError(t *testing.T) {
	path := flowtest.Path("har", "corpus.mitm")
	for _, args := range [][]string{{"read"}, {"info"}, {"filter", "~all"}, {"filter", "~m POST"}, {"filter", "-c", "~q"}, {"filter", "--explain", "~q"}, {"diff"}, {"diff", "--backups"}, {"revert", "-q"}} {
		args = append(args, path, path)
		_, stderr, status := runApp(t, &app{out: closedWriter{}}, args...)
		if stderr != "" || status != exitOK {
			t.Errorf("%s into a closed pipe: status %d, %q", args, status, stderr)
		}
		full := writerFunc(func([]byte) (int, error) { return 0, errors.New("disk full") })
		_, stderr, status = runApp(t, &app{out: full}, args...)
		if want := "flowtool: writing: disk full\n"; stderr != want || status != exitTrouble {
			t.Errorf("%s onto a full disk: status %d, %q, want %q", args, status, stderr, want)
		}
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// TestFirstFlows checks that -n and --index end when they have what they want,
// although the input goes on and nothing comes.
func TestFirstFlows(t *testing.T) {
	data := flowtest.Read(t, flowtest.Path("har", "other.mitm"))
	for _, args := range [][]string{{"read", "-n", "2"}, {"read", "--index", "0-1"}, {"read", "-f", "~tcp", "-n", "2"}} {
		r, w := io.Pipe()
		go w.Write(data) // and never close it
		done := make(chan string)
		go func() {
			out, _, _ := runApp(t, &app{in: r}, args...)
			done <- out
		}()
		select {
		case out := <-done:
			if n := strings.Count(out, "\n"); n != 2 {
				t.Errorf("%v gives %d lines, want 2", args, n)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%v waits for more input", args)
		}
		r.Close()
	}
}

// TestFlowsAsTheyCome checks that a flow is shown when it is there, not when
// the next one comes.
func TestFlowsAsTheyCome(t *testing.T) {
	data := flowtest.Read(t, flowtest.Path("har", "other.mitm"))
	records := splitDump(t, data)
	in, feed := io.Pipe()
	shown := make(chan string)
	out := writerFunc(func(p []byte) (int, error) {
		shown <- string(p)
		return len(p), nil
	})
	done := make(chan int)
	go func() {
		_, _, status := runApp(t, &app{in: in, out: out}, "read")
		done <- status
	}()
	for i, rec := range records[:3] {
		if _, err := feed.Write(rec); err != nil {
			t.Fatal(err)
		}
		select {
		case text := <-shown:
			if want := fmt.Sprintf("%4d ", i); !strings.HasPrefix(text, want) || strings.Count(text, "\n") != 1 {
				t.Errorf("flow %d shows %q", i, text)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("flow %d is not shown", i)
		}
	}
	feed.Close()
	if status := <-done; status != exitOK {
		t.Errorf("status %d", status)
	}
}

// TestInterrupt checks that an interrupt ends the command although its input
// does not.
func TestInterrupt(t *testing.T) {
	for _, args := range [][]string{{"read"}, {"info"}, {"filter", "~all"}, {"filter", "-c", "~all"}, {"diff"}, {"diff", "-", flowtest.Path("har", "corpus.mitm")}, {"revert"}} {
		ctx, cancel := context.WithCancel(t.Context())
		in, feed := io.Pipe()
		defer feed.Close()
		var stdout, stderr bytes.Buffer
		a := &app{in: in, out: &stdout, errOut: &stderr, now: time.Now, local: time.UTC,
			getenv: func(string) string { return "" }}
		done := make(chan int)
		go func() { done <- run(ctx, a, args) }()
		cancel()
		select {
		case status := <-done:
			if status != exitInterrupted || stderr.Len() > 0 {
				t.Errorf("%s: status %d, %q", args, status, &stderr)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s goes on", args)
		}
	}
}
