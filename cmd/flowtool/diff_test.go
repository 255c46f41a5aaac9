package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/flowtest"
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
