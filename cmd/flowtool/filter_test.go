package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/filter"
	"github.com/flowtool/flowtool/internal/flowtest"
)

// undamaged returns dumps that can be read to their end: all captures, and the
// files of every format version among the vectors, by name.
func undamaged(t *testing.T) map[string][]byte {
	dumps := map[string][]byte{}
	for _, path := range captures(t) {
		if filepath.Base(path) != "diskfull.mitm" {
			dumps[filepath.Base(path)] = flowtest.Read(t, path)
		}
	}
	type vector struct {
		ID    string
		Input string
	}
	versions := map[string]bool{}
	for _, v := range flowtest.Vectors[vector](t, "migrate-vectors.jsonl.gz") {
		data, err := base64.StdEncoding.DecodeString(v.Input)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, status := runApp(t, &app{in: bytes.NewReader(data)}, "read", "-d", "0"); status == exitOK {
			dumps[v.ID] = data
			_, name, _ := strings.Cut(v.ID, "/v")
			version, _, _ := strings.Cut(name, "-")
			versions[version] = true
		}
	}
	if len(versions) < 20 {
		t.Errorf("the vectors have %d versions only", len(versions))
	}
	return dumps
}

// pack returns data in a container.
func pack(t *testing.T, data []byte, c dumpfile.Container) []byte {
	var out bytes.Buffer
	w, err := dumpfile.NewCompressor(&out, c, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestFilterAll checks that "~all" gives back the bytes of every dump, which may
// have been compressed.
func TestFilterAll(t *testing.T) {
	for name, data := range undamaged(t) {
		for _, c := range []dumpfile.Container{dumpfile.ContainerNone, dumpfile.ContainerGzip, dumpfile.ContainerZstd} {
			in := pack(t, data, c)
			path := filepath.Join(t.TempDir(), "in")
			if err := os.WriteFile(path, in, 0o666); err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{{path}, nil} {
				out, stderr, status := runApp(t, &app{in: bytes.NewReader(in)}, append([]string{"filter", "~all"}, args...)...)
				if out != string(data) || stderr != "" || status != exitOK {
					t.Errorf("%s in %v: %d bytes become %d, status %d, %s", name, c, len(data), len(out), status, stderr)
				}
			}
		}
	}
}

// TestFilterParts checks that a filter and its inversion share out the flows of
// a dump, in order and as they are.
func TestFilterParts(t *testing.T) {
	few := []string{"~s", "~time start+1s.."}
	many := append(few, "~b e", "~d shop | ~tcp", "~size >100", "~index 1,3,5-", `~u "(?=a)\\w+"`, "~meta .")
	for name, data := range undamaged(t) {
		exprs := many
		if !strings.HasSuffix(name, ".mitm") { // a vector
			exprs = few
		}
		path := filepath.Join(t.TempDir(), "in")
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		records := splitDump(t, data)
		for _, expr := range exprs {
			matching, stderr, status := runApp(t, nil, "filter", expr, path)
			others, _, _ := runApp(t, nil, "filter", "-v", expr, path)
			if stderr != "" || status != exitOK {
				t.Fatalf("%s: %s: status %d, %s", name, expr, status, stderr)
			}
			kept := 0
			for i, rec := range records {
				var a, b bool
				if matching, a = strings.CutPrefix(matching, string(rec)); a {
					kept++
				} else if others, b = strings.CutPrefix(others, string(rec)); !b {
					t.Fatalf("%s: %s: flow %d is missing", name, expr, i)
				}
			}
			if matching+others != "" {
				t.Errorf("%s: %s: there is more than the flows", name, expr)
			}
			if out, _, _ := runApp(t, nil, "filter", "-c", expr, path); out != fmt.Sprintf("%d\n", kept) {
				t.Errorf("%s: %s: %d flows match, and -c says %s", name, expr, kept, out)
			}
		}
	}
}

// TestFilterExamples tries every example of the table of operators: each must
// do without warnings.
func TestFilterExamples(t *testing.T) {
	path := flowtest.Path("filter", "corpus-a.mitm")
	for _, o := range filter.Operators() {
		if _, stderr, status := runApp(t, nil, "filter", "-c", o.Example, path); stderr != "" || status != exitOK {
			t.Errorf("%s: status %d, %s", o.Example, status, stderr)
		}
		if !strings.Contains(o.Example, o.String()) {
			t.Errorf("the example of %v does not use it", &o)
		}
	}
}

func TestFilterTerminal(t *testing.T) {
	path := flowtest.Path("har", "other.mitm")
	dump := string(flowtest.Read(t, path))
	file := filepath.Join(t.TempDir(), "out.mitm")
	for _, tt := range []struct {
		args []string
		want string // on the terminal; "" if that is refused
	}{
		{[]string{"~all"}, ""},
		{[]string{"-e", "~all"}, ""},
		{[]string{"-o", "-", "~all"}, dump},
		{[]string{"-c", "~all"}, "19\n"},
		{[]string{"--explain", "~all"}, "filter     ~all\nmeans      all flows\nmitmproxy  accepts it\ntree       FAll\nlooks at   nothing in a flow\n"},
	} {
		out, stderr, status := runApp(t, &app{outTTY: true, inTTY: true}, append(append([]string{"filter"}, tt.args...), path)...)
		if tt.want == "" {
			const want = "flowtool: a mitmproxy flow dump is not for terminals: list the flows with \"flowtool read\", name a file with -o, or insist with -o -\nusage: "
			if out != "" || !strings.HasPrefix(stderr, want) || status != exitTrouble {
				t.Errorf("%v: status %d, %q, %q", tt.args, status, out, stderr)
			}
		} else if out != tt.want || stderr != "" || status != exitOK {
			t.Errorf("%v: status %d, %q, %q", tt.args, status, out, stderr)
		}
	}
	if _, stderr, status := runApp(t, &app{outTTY: true}, "filter", "-o", file, "~all", path); status != exitOK {
		t.Errorf("into a file: status %d, %s", status, stderr)
	}
	if _, stderr, status := runApp(t, &app{outTTY: true}, "filter", "-i", "~all", file); status != exitOK {
		t.Errorf("in place: status %d, %s", status, stderr)
	}
	if _, stderr, status := runApp(t, &app{inTTY: true}, "filter", "~all"); status != exitTrouble ||
		!strings.HasPrefix(stderr, "flowtool: standard input is a terminal: name a file, or pipe a dump into flowtool\nusage: flowtool filter") {
		t.Errorf("from a terminal: status %d, %s", status, stderr)
	}
}

// TestFilterFirst checks that -n ends when it has what it wants, although the
// input goes on and nothing comes.
func TestFilterFirst(t *testing.T) {
	data := flowtest.Read(t, flowtest.Path("har", "other.mitm"))
	two := string(data[:len(splitDump(t, data)[0])+len(splitDump(t, data)[1])])
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"-n", "2", "~all"}, two},
		{[]string{"-c", "-n", "2", "~tcp"}, "2\n"},
		{[]string{"-e", "-n", "1", "-v", "~udp"}, string(splitDump(t, data)[0])},
	} {
		r, w := io.Pipe()
		go w.Write(data) // and never close it
		done := make(chan string)
		go func() {
			out, _, _ := runApp(t, &app{in: r}, append([]string{"filter"}, tt.args...)...)
			done <- out
		}()
		select {
		case out := <-done:
			if out != tt.want {
				t.Errorf("%v gives %d bytes, want %d", tt.args, len(out), len(tt.want))
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%v waits for more input", tt.args)
		}
		r.Close()
	}
}

// TestFilterAsTheyCome checks that a flow of a recording that goes on is written
// when it is there, not when the next one comes.
func TestFilterAsTheyCome(t *testing.T) {
	records := splitDump(t, flowtest.Read(t, flowtest.Path("har", "other.mitm")))
	in, feed := io.Pipe()
	written := make(chan string)
	out := writerFunc(func(p []byte) (int, error) {
		written <- string(p)
		return len(p), nil
	})
	done := make(chan int)
	go func() {
		_, _, status := runApp(t, &app{in: in, out: out}, "filter", "~tcp")
		done <- status
	}()
	for i, rec := range records[:3] {
		if _, err := feed.Write(rec); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-written:
			if got != string(rec) {
				t.Errorf("flow %d becomes %q", i, got)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("flow %d is not written", i)
		}
	}
	feed.Close()
	if status := <-done; status != exitOK {
		t.Errorf("status %d", status)
	}
}

// TestFilterRewound checks that what is read twice begins both times where
// standard input stood.
func TestFilterRewound(t *testing.T) {
	first := flowtest.Read(t, flowtest.Path("har", "other.mitm"))
	second := flowtest.Read(t, flowtest.Path("har", "corpus.mitm"))
	for _, c := range []dumpfile.Container{dumpfile.ContainerNone, dumpfile.ContainerGzip, dumpfile.ContainerZstd} {
		path := filepath.Join(t.TempDir(), "in")
		if err := os.WriteFile(path, append(first[:len(first):len(first)], pack(t, second, c)...), 0o666); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.Seek(int64(len(first)), io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if out, stderr, _ := runApp(t, &app{in: f}, "filter", "-c", "~time start..end"); out != "62\n" {
			t.Errorf("%v: %s%s", c, out, stderr)
		}
	}
}

// TestFilterProgress checks that there is progress, also of work in place, and
// that -q ends it.
func TestFilterProgress(t *testing.T) {
	path := filepath.Join(t.TempDir(), "big.mitm")
	data := bytes.Repeat(flowtest.Read(t, flowtest.Path("har", "corpus.mitm")), 20)
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	bar := regexp.MustCompile(`^\r[\d.]+[bkm], \d+ flows, \d+ MB/s, \d+%, [\dmsh.]+ left\x1b\[K(.|\r)*\r\x1b\[K$`)
	for _, tt := range []struct {
		args []string
		want bool
	}{
		{[]string{"-c", "~b nothing"}, true},
		{[]string{"-i", "!~b nothing"}, true},
		{[]string{"-c", "-q", "~b nothing"}, false},
		{[]string{"-c", "--progress", "never", "~b nothing"}, false},
	} {
		a := &app{errTTY: true, now: ticking(400 * time.Millisecond)}
		_, stderr, status := runApp(t, a, append(append([]string{"filter"}, tt.args...), path)...)
		if status != exitOK || bar.MatchString(stderr) != tt.want || !tt.want && stderr != "" {
			t.Errorf("%v: status %d, shows %q", tt.args, status, stderr)
		}
	}
}

// TestPointAt checks what is shown of an expression in messages.
func TestPointAt(t *testing.T) {
	long := strings.Repeat("é", 60)
	for _, tt := range []struct {
		text, mark string
		want       string
	}{
		{"~s & ~hosts x", "~hosts", "~s & ~hosts x\n       ^^^^^^"},
		{"~s &\n  ~hosts\n x", "~hosts", "  ~hosts\n    ^^^^^^"},
		{"a\tb\x1b ~hosts", "~hosts", `a\tb\x1b ~hosts` + "\n           ^^^^^^"},
		{"東京 ~hosts", "~hosts", "東京 ~hosts\n       ^^^^^^"},
		{long + " ~hosts " + long, "~hosts", "…" + long[:58] + " ~hosts " + long[:38] + "…\n" + strings.Repeat(" ", 33) + "^^^^^^"},
	} {
		got := pointAt(tt.text, strings.Index(tt.text, tt.mark), len(tt.mark))
		if want := "\n  " + tt.want; got != want {
			t.Errorf("%q:%s\nwant:%s", tt.text, got, want)
		}
	}
	if got, want := pointAt("~hs", 3, 0), "\n  ~hs\n     ^"; got != want {
		t.Errorf("at the end:%s", got)
	}
}

// TestFilterLarge: a flow that is large is copied whole from every kind of input,
// also by a filter that does not look at its body.
func TestFilterLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("packs a large file")
	}
	path := writeDump(t, "body64M.mitm")
	data := flowtest.Read(t, path)
	dir := t.TempDir()
	for _, tt := range []struct {
		name      string
		container dumpfile.Container
	}{{"plain", dumpfile.ContainerNone}, {"gzip", dumpfile.ContainerGzip}, {"zstd", dumpfile.ContainerZstd}} {
		t.Run(tt.name, func(t *testing.T) {
			in := pack(t, data, tt.container)
			file := filepath.Join(dir, tt.name)
			if err := os.WriteFile(file, in, 0o600); err != nil {
				t.Fatal(err)
			}
			for _, a := range []*app{nil, {in: bytes.NewReader(in)}} {
				args := []string{"filter", "--max-ratio", "1000000", "~http"}
				if a == nil {
					args = append(args, file)
				}
				out, stderr, status := runApp(t, a, args...)
				if status != exitOK || out != string(data) {
					t.Errorf("status %d, %d bytes, want %d, %s", status, len(out), len(data), stderr)
				}
			}
		})
	}
}
