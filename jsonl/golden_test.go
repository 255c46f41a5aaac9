package jsonl_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/jsonl"
	"github.com/flowtool/flowtool/state"
)

// TestGolden: the lines of typical flows. -update rewrites them.
func TestGolden(t *testing.T) {
	type vector struct {
		ID    string
		Input []byte
	}
	vectors := map[string][]byte{}
	for _, v := range flowtest.Vectors[vector](t, "migrate-vectors.jsonl.gz") {
		vectors[v.ID] = v.Input
	}
	var got []byte
	for _, tt := range []struct {
		file string
		n    int // number of the flow
	}{
		{"real/http1-v21.mitm", 0},
		{"real/edited-v21.mitm", 0},
		{"real/edited-v21.mitm", 8},
		{"real/encodings-v21.mitm", 6},
		{"real/upstream-v21.mitm", 2},
		{"real/ws-v21.mitm", 6},
		{"real/dns-v21.mitm", 0},
		{"real/tcp-v21.mitm", 2},
		{"real/head-dns.mitm", 11},
		{"real/http1.mitm", 0},
		{"helper/v0.11-http-full", 0},
		{"helper/v0.17.1-http-err", 0},
		{"helper/v0.18.3-http-via", 0},
		{"helper/v1.0.2-http-full", 0},
		{"helper/v2.0.2-ws", 0},
		{"helper/v4.0.4-ws", 0},
		{"helper/v5.2-http-full", 0},
		{"helper/v7.0.4-ws", 0},
		{"helper/v9.0.1-udp", 0},
		{"helper/v10.4.2-dns", 0},
	} {
		data := vectors[tt.file]
		if data == nil {
			data = flowtest.Read(t, flowtest.Path(filepath.FromSlash(tt.file)))
		}
		got = append(got, roundTrip(t, flowtest.Records(t, data)[tt.n])...)
	}
	golden := filepath.Join("testdata", "golden.jsonl")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(strings.Split(string(flowtest.Read(t, golden)), "\n"), strings.Split(string(got), "\n")); d != "" {
		t.Errorf("(-%s +got):\n%s", golden, d)
	}
}

// TestThroughJQ: jq passes flows on unharmed. Release 1.6 makes integers of whole
// floats, which live captures do not have where it matters.
func TestThroughJQ(t *testing.T) {
	if _, err := exec.LookPath("jq"); err != nil {
		t.Skip("jq is not installed")
	}
	for _, dump := range flowtest.Glob(t, "real", "*.mitm") {
		var lines []byte
		want := flowtest.Records(t, flowtest.Read(t, dump))
		for _, r := range want {
			lines, _ = jsonl.AppendRecord(lines, r)
		}
		cmd := exec.Command("jq", "-c", ".")
		cmd.Stdin = bytes.NewReader(lines)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		r := jsonl.NewReader(bytes.NewReader(out), &jsonl.ReaderOptions{Name: filepath.Base(dump)})
		for i := range want {
			l, err := r.ReadLine()
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(want[i], []byte("4:zwei;")) {
				continue // there is 3.0 in its metadata
			}
			if got, err := l.Record(nil); err != nil || !bytes.Equal(got, want[i]) {
				t.Errorf("%s: flow %d comes back as another: %v\n%s", dump, i, err, l.Data)
			}
		}
	}
}

// TestEditWithJQ: strings that jq sets have the type of their place, and nothing
// else changes.
func TestEditWithJQ(t *testing.T) {
	if _, err := exec.LookPath("jq"); err != nil {
		t.Skip("jq is not installed")
	}
	record := flowtest.Records(t, flowtest.Read(t, flowtest.Path("real", "http1-v21.mitm")))[0]
	line := roundTrip(t, record)
	want, err := flowMap(record)
	if err != nil {
		t.Fatal(err)
	}
	request, _ := want.Map("request")
	request.Set("headers", state.NewList(state.NewList(state.Bytes([]byte("Host")), state.Bytes([]byte("é"))).Value()).Value())
	response, _ := want.Map("response")
	response.Set("content", state.Bytes([]byte("gone")))
	metadata, _ := want.Map("metadata")
	metadata.Set("ticket", state.Int(7))
	want.Set("comment", state.Text("seen"))
	cmd := exec.Command("jq", "-c", `(.response | objects).content = "gone" | .comment = "seen" | .metadata.ticket = 7 |
		.request.headers |= map(select(.[0] | ascii_downcase == "host") | .[1] = "é")`)
	cmd.Stdin = bytes.NewReader(line)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	got, err := jsonl.DecodeRecord(nil, out)
	if err != nil {
		t.Fatal(err)
	}
	if wantRecord, err := tnetstring.Encode(want.Value()); err != nil || !bytes.Equal(got, wantRecord) {
		t.Errorf("got %q, %v, want %q", got, err, wantRecord)
	}
}

// TestPythonReader runs the reader in docs/jsonl.md beside mitmproxy's own, on
// dumps of all versions.
func TestPythonReader(t *testing.T) {
	python := flowtest.Oracle(t)
	_, code, ok := strings.Cut(string(flowtest.Read(t, docsFile())), "\n```python\n")
	code, _, ok2 := strings.Cut(code, "\n```\n")
	if !ok || !ok2 {
		t.Fatal("docs/jsonl.md has no program in Python")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "jsonl.py"), []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	dumps := map[string][]byte{}
	for _, file := range flowtest.Dumps(t) {
		dumps[strings.TrimSuffix(filepath.Base(file), ".mitm")] = flowtest.Read(t, file)
	}
	type vector struct {
		ID    string
		Input []byte
	}
	for _, v := range flowtest.Vectors[vector](t, "migrate-vectors.jsonl.gz") {
		dumps[strings.ReplaceAll(v.ID, "/", "-")] = v.Input
	}
	for _, tt := range odd {
		dumps["odd-"+strings.ReplaceAll(tt.name, " ", "-")] = []byte(tt.record)
	}
	var bases []string
	total := 0
	for name, data := range dumps {
		var dump, lines []byte
		for _, r := range flowtest.Records(t, data) {
			dump = append(dump, r...)
			lines, _ = jsonl.AppendRecord(lines, r)
			total++
		}
		base := filepath.Join(dir, name)
		if err := os.WriteFile(base+".mitm", dump, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(base+".jsonl", lines, 0o600); err != nil {
			t.Fatal(err)
		}
		bases = append(bases, base)
	}
	type result struct {
		Name   string
		Flows  int
		Errors []string
	}
	for _, r := range flowtest.RunOracle[result](t, python, "jsonl_states.py", bases) {
		total -= r.Flows
		for _, e := range r.Errors {
			t.Errorf("%s: %s", filepath.Base(r.Name), e)
		}
	}
	if total != 0 {
		t.Errorf("%d flows are missing", total)
	}
}
