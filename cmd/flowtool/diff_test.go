package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

// backupFlows are one with a backup behind which the exchange went on and nothing
// was edited, and one without.
func backupFlows() []flow.Flow {
	f := diffFlow(0, "/backup", 200)
	resp := f.Response()
	f.SetResponse(nil)
	f.Backup()
	f.SetResponse(resp)
	f.ServerConn().TimestampStart = flow.Seconds(begun + 0.1)
	return []flow.Flow{f, diffFlow(1, "/", 200)}
}

// diffFlow returns a flow in which nothing differs from call to call.
func diffFlow(id int, path string, status int) *flow.HTTP {
	f := testHTTP("GET", "http://x.example"+path, nil, flow.NewResponse(status, flow.Headers{}, []byte(path)))
	r := f.Response()
	r.Reason = "OK"
	r.TimestampStart, r.TimestampEnd = flow.Seconds(begun+0.2), flow.Seconds(begun+0.3)
	f.ClientConn().ID, f.ServerConn().ID = "client", "server"
	f.SetTimestampCreated(flow.Seconds(begun))
	f.SetID(flowID(id))
	return f
}

func diffFlowsA() []flow.Flow {
	return []flow.Flow{
		diffFlow(0, "/same", 200), diffFlow(1, "/changed", 200), diffFlow(2, "/gone", 200),
		diffFlow(3, "/later", 200), diffFlow(4, "/earlier", 200),
	}
}

func diffFlowsB() []flow.Flow {
	changed := diffFlow(1, "/changed", 404)
	changed.SetComment("it was there")
	return []flow.Flow{
		diffFlow(0, "/same", 200), changed, diffFlow(4, "/earlier", 200),
		diffFlow(9, "/new", 200), diffFlow(3, "/later", 200),
	}
}

// oddFlows are one with keys that are not easy to write down in paths.
func oddFlows(value int64) func() []flow.Flow {
	return func() []flow.Flow {
		f := diffFlow(0, "/same", 200)
		f.Metadata().Set("a,b", state.Int(value))
		f.Metadata().Set(`say "x"`, state.Int(value))
		return []flow.Flow{f}
	}
}

// pairLine is what diff --json says of a pair.
type pairLine struct {
	Status string
	A, B   *struct {
		Index int
		Title string
	}
	Changes []struct{ Path string }
}

// TestDiffLarge compares captures of 20,000 flows that were shuffled, of which some
// were removed, some added and some changed, with what was done to them.
func TestDiffLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("writes large captures")
	}
	const n = 20_000
	dir := t.TempDir()
	rnd := rand.New(rand.NewPCG(6, 6))
	path := func(i int) string {
		if i >= n {
			return fmt.Sprintf("/new/item?n=%d", i)
		}
		return fmt.Sprintf("/%c/item?n=%d", 'a'+i%26, i)
	}
	write := func(name string, flows func(write func(id, i, status int))) string {
		file := filepath.Join(dir, name)
		f, err := os.Create(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		w := dumpfile.NewWriter(f)
		flows(func(id, i, status int) {
			if err := w.WriteFlow(diffFlow(id, path(i), status)); err != nil {
				t.Fatal(err)
			}
		})
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return file
	}
	a := write("a.mitm", func(write func(id, i, status int)) {
		for i := range n {
			write(i, i, 200)
		}
	})
	for _, tt := range []struct {
		name string
		ids  int // added to ids
		args []string
	}{
		{"ids", 0, nil},
		{"requests", 1_000_000, []string{"--ignore", "/id"}},
		{"url", 1_000_000, []string{"--ignore", "/id", "--key", "url"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			order := rnd.Perm(n)
			want := map[string]int{}
			wantAt := make([]string, 0, n) // of each flow of b
			b := write(tt.name+".mitm", func(write func(id, i, status int)) {
				for _, i := range order {
					switch i % 100 {
					case 7: // removed
						want["only_a"]++
						continue
					case 8:
						want["different"]++
						wantAt = append(wantAt, fmt.Sprintf("different %d", i))
						write(tt.ids+i, i, 404)
					default:
						want["equal"]++
						wantAt = append(wantAt, fmt.Sprintf("equal %d", i))
						write(tt.ids+i, i, 200)
					}
					if i%100 == 9 { // and one more
						want["only_b"]++
						wantAt = append(wantAt, fmt.Sprintf("only_b %d", n+i))
						write(tt.ids+n+i, n+i, 200)
					}
				}
			})
			args := append([]string{"diff", "--json"}, append(tt.args, a, b)...)
			out, stderr, status := runApp(t, nil, args...)
			if status != exitNo || stderr != "" {
				t.Fatalf("status %d, %s", status, stderr)
			}
			got := map[string]int{}
			gotAt := make([]string, 0, n)
			for line := range strings.Lines(out) {
				var p pairLine
				if err := json.Unmarshal([]byte(line), &p); err != nil {
					t.Fatal(err)
				}
				got[p.Status]++
				switch {
				case p.B == nil:
					if p.A.Index%100 != 7 {
						t.Fatalf("flow %d is not only in a", p.A.Index)
					}
					continue
				case p.B.Index != len(gotAt):
					t.Fatalf("flow %d of b where %d should be", p.B.Index, len(gotAt))
				case p.A != nil:
					gotAt = append(gotAt, fmt.Sprintf("%s %d", p.Status, p.A.Index))
				default:
					gotAt = append(gotAt, p.Status+" "+p.B.Title[strings.LastIndexByte(p.B.Title, '=')+1:])
				}
				if p.Status == "different" && (len(p.Changes) != 1 || p.Changes[0].Path != "/response/status_code") {
					t.Fatalf("%d: changes %v", p.B.Index, p.Changes)
				}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
			if d := cmp.Diff(wantAt, gotAt); d != "" {
				t.Errorf("-want +got\n%.2000s", d)
			}
			if tt.ids > 0 {
				return
			}
			out, _, _ = runApp(t, nil, append([]string{"diff", "--stat"}, args[2:]...)...)
			total := fmt.Sprintf("\n%d equal, %d changed, %d only in a, %d only in b\n",
				want["equal"], want["different"], want["only_a"], want["only_b"])
			if !strings.HasSuffix(out, total) {
				t.Errorf("got %q, want %q", out[max(0, len(out)-100):], total)
			}
		})
	}
}

// shuffledCaptures writes two captures of 100,000 small flows each, a and b: b has
// those of a in another order, where of each 1000 one is removed, one changed and one
// added, and with another number added to their ids. With alike set, all flows but
// those added ask for the same URL, and only what they send and get tells them apart.
// It returns the files and what diff --stat says of them.
func shuffledCaptures(t *testing.T, ids int, alike bool) (a, b, want string) {
	t.Helper()
	const n = 100_000
	dir := t.TempDir()
	path := func(i int) string {
		if i >= n {
			return fmt.Sprintf("/news?n=%06d", i)
		}
		return fmt.Sprintf("/item?n=%06d", i)
	}
	first, url := diffFlow(0, path(0), 200), path
	if alike {
		first.Request().Path = "/graphql"
		first.Request().Body = flow.NewBody([]byte(path(0)))
		url = func(i int) string {
			if i >= n {
				return "/another"
			}
			return "/graphql"
		}
	}
	// All records have the same length, which makes them quick to write.
	var record strings.Builder
	if err := writeNamed(func() []flow.Flow { return []flow.Flow{first} })(&record); err != nil {
		t.Fatal(err)
	}
	create := func(name string) (file string, w *bufio.Writer) {
		file = filepath.Join(dir, name)
		out, err := os.Create(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { out.Close() })
		return file, bufio.NewWriter(out)
	}
	write := func(w *bufio.Writer, id, i, status int) {
		edit := strings.NewReplacer(flowID(0), flowID(id), path(0), path(i), url(0), url(i), "3:200#", fmt.Sprintf("3:%d#", status))
		if _, err := edit.WriteString(w, record.String()); err != nil {
			t.Fatal(err)
		}
	}
	a, toA := create("a.mitm")
	for i := range n {
		write(toA, i, i, 200)
	}
	b, toB := create("b.mitm")
	var text strings.Builder
	at := 0 // in b
	counts := map[int]int{}
	for _, i := range rand.New(rand.NewPCG(6, 6)).Perm(n) {
		counts[i%1000]++
		status := 200
		switch i % 1000 {
		case 7:
			continue
		case 8:
			status = 404
			fmt.Fprintf(&text, "+0 -0 ~1 >0 flow %d -> %d: GET http://x.example%s\n", i, at, url(i))
		}
		write(toB, ids+i, i, status)
		at++
		switch i % 1000 {
		case 6:
			fmt.Fprintf(&text, "only in a: flow %d: GET http://x.example%s\n", i+1, url(i+1))
		case 9:
			write(toB, ids+n+i, n+i, 200)
			fmt.Fprintf(&text, "only in b: flow %d: GET http://x.example%s\n", at, url(n+i))
			at++
		}
	}
	fmt.Fprintf(&text, "%d equal, %d changed, %d only in a, %d only in b\n", n-counts[7]-counts[8], counts[8], counts[7], counts[9])
	for _, w := range []*bufio.Writer{toA, toB} {
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	return a, b, text.String()
}

// TestDiffShuffled compares large captures with a known answer: by ids, by what is
// asked for, and by what is sent and got.
func TestDiffShuffled(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("compares large captures")
	}
	for _, tt := range []struct {
		name  string
		ids   int
		alike bool
	}{{"ids", 0, false}, {"requests", 1_000_000, false}, {"contents", 1_000_000, true}} {
		t.Run(tt.name, func(t *testing.T) {
			a, b, want := shuffledCaptures(t, tt.ids, tt.alike)
			out, stderr, status := runApp(t, nil, "diff", "--stat", "--ignore", "/id", a, b)
			if status != exitNo || stderr != "" {
				t.Fatalf("status %d, %s", status, stderr)
			}
			if d := cmp.Diff(strings.Split(want, "\n"), strings.Split(out, "\n")); d != "" {
				t.Errorf("-want +got\n%.2000s", d)
			}
		})
	}
}

// TestDiffLargeText: texts that are too large to be kept for a whole batch are
// written bit by bit, with the same result.
func TestDiffLargeText(t *testing.T) {
	if testing.Short() {
		t.Skip("compares large bodies")
	}
	line := strings.Repeat(" line", 20) + "\n"
	capture := func(word string) []byte {
		var flows []flow.Flow
		for i := range 5 {
			f := diffFlow(i, "/large", 200)
			f.Response().Body = flow.NewBody([]byte(strings.Repeat(word+line, 20_000)))
			flows = append(flows, f, diffFlow(100+len(word)*10+i, "/"+word, 200))
		}
		var b strings.Builder
		if err := writeNamed(func() []flow.Flow { return flows })(&b); err != nil {
			t.Fatal(err)
		}
		return []byte(b.String())
	}
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.mitm"), filepath.Join(dir, "b.mitm")
	for name, data := range map[string][]byte{a: capture("old"), b: capture("newer")} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, form := range []string{"--json", "--utc", "--patch"} {
		one, _, _ := runApp(t, nil, "diff", form, "-j", "1", a, b)
		many, _, status := runApp(t, nil, "diff", form, "-j", "5", a, b)
		if one != many || status != exitNo || len(one) < 5*20_000*len(line) {
			t.Errorf("%s: %d and %d bytes, status %d", form, len(one), len(many), status)
		}
	}
}

// TestDiffWorkers: captures compared with others in every combination of kinds give
// the same whatever does the work, and mirrored counts the other way round.
func TestDiffWorkers(t *testing.T) {
	files := []string{"h2-v21", "edited", "ws", "replay-src", "tcp"}
	for _, x := range files {
		t.Run(x, func(t *testing.T) {
			t.Parallel()
			for _, y := range files {
				a, b := flowtest.Path("real", x+".mitm"), flowtest.Path("real", y+".mitm")
				one, stderr, status := runApp(t, nil, "diff", "--json", "-j", "1", a, b)
				many, _, _ := runApp(t, nil, "diff", "--json", "-j", "7", a, b)
				if one != many || stderr != "" || status != map[bool]int{true: exitOK, false: exitNo}[x == y] {
					t.Errorf("%s: workers make a difference, or status %d: %s", y, status, stderr)
				}
				pipe, _, _ := runApp(t, &app{in: io.MultiReader(strings.NewReader(string(flowtest.Read(t, a))))}, "diff", "--json", "-", b)
				if pipe != one {
					t.Errorf("%s: a pipe makes a difference: %s", y, cmp.Diff(one, pipe))
				}
				_, _, quiet := runApp(t, nil, "diff", "-q", a, b)
				if quiet != status {
					t.Errorf("%s: status %d, with -q %d", y, status, quiet)
				}
			}
		})
	}
}

// TestDiffPatchOnly: what the report of a pair leaves out, such as null where the
// other has nothing, is in its patch.
func TestDiffPatchOnly(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.jsonl"), filepath.Join(dir, "b.jsonl")
	if _, stderr, status := runApp(t, nil, "convert", flowtest.Path("real", "append.mitm"), "--format-version", "21", "-o", a); status != exitOK {
		t.Fatal(stderr)
	}
	line := string(flowtest.Read(t, a))
	if strings.Count(line, `"error":null,`) < 3 {
		t.Fatalf("no null to leave out: %.500s", line)
	}
	if err := os.WriteFile(b, []byte(strings.Replace(line, `"error":null,`, "", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	out, stderr, status := runApp(t, nil, "diff", a, b)
	if want := "3 equal, 0 changed, 0 only in a, 0 only in b\n"; out != want || status != exitOK {
		t.Errorf("status %d, %q, %s", status, out, stderr)
	}
	out, stderr, status = runApp(t, nil, "diff", "--patch", a, b)
	const patch = `,"patch":[{"op":"remove","path":"/error"}]}` + "\n"
	if !strings.HasPrefix(out, `{"status":"equal",`) || !strings.HasSuffix(out, patch) || strings.Count(out, "\n") != 1 || status != exitOK {
		t.Errorf("status %d, %s, %s", status, out, stderr)
	}
	out, stderr, status = runApp(t, nil, "diff", "--patch", a, a)
	if out != "" || status != exitOK {
		t.Errorf("status %d, %s, %s", status, out, stderr)
	}
}

// onceFirst calls a function before the first reading or writing.
type onceFirst struct {
	io.Reader
	io.Writer
	once func()
}

func (o *onceFirst) first() {
	if o.once != nil {
		o.once()
		o.once = nil
	}
}

func (o *onceFirst) Read(p []byte) (int, error) { o.first(); return o.Reader.Read(p) }

func (o *onceFirst) Write(p []byte) (int, error) { o.first(); return o.Writer.Write(p) }

// TestDiffWritten: a file that is written to between the two times that it is read
// is no longer what was compared.
func TestDiffWritten(t *testing.T) {
	for name, change := range map[string]func(*os.File) error{
		"grown":   func(f *os.File) error { _, err := f.WriteString("more"); return err },
		"touched": func(f *os.File) error { return os.Chtimes(f.Name(), time.Time{}, time.Unix(begun, 0)) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write := func(name string) (file string, once func()) {
				file = filepath.Join(dir, name+".mitm")
				f, err := os.Create(file)
				if err != nil {
					t.Fatal(err)
				}
				if err := dumps["diff-"+name](f); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { f.Close() })
				return file, func() {
					if err := change(f); err != nil {
						t.Error(err)
					}
				}
			}
			check := func(a *app, file string, args ...string) {
				t.Helper()
				_, stderr, status := runApp(t, a, append([]string{"diff"}, args...)...)
				want := "flowtool: " + file + " changed while it was compared: save a copy, and compare that\n"
				if status != exitTrouble || !strings.HasSuffix(stderr, want) {
					t.Errorf("status %d, %s", status, stderr)
				}
			}
			a, changeA := write("a")
			piped := func(once func()) *app {
				return &app{in: &onceFirst{Reader: bytes.NewReader(flowtest.Read(t, a)), once: once}}
			}
			if _, stderr, status := runApp(t, piped(nil), "diff", a, "-"); status != exitOK {
				t.Fatal(stderr)
			}
			check(piped(changeA), a, a, "-")
			b, changeB := write("b")
			check(&app{out: &onceFirst{Writer: io.Discard, once: changeB}}, b, a, b)
		})
	}
}

// TestSpoolError: what goes wrong with a temporary file says where that is, and how
// to have it elsewhere.
func TestSpoolError(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	s, err := newSpool("standard input")
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	s.file.Close() // so that writing fails, as on a full disk
	err = s.write(make([]byte, 1<<20))
	if err == nil || !strings.HasPrefix(err.Error(), "standard input: keeping its flows in a temporary file in "+os.TempDir()+": ") {
		t.Errorf("%v", err)
	}
	if err := s.rewind(); err == nil || statusOf(err) != exitTrouble {
		t.Errorf("%v", err)
	}
}
