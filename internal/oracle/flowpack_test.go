package oracle

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/flowpack"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

// oddFlows are records with what MessagePack has no form for, or that no release
// writes.
var oddFlows = []string{
	"50:1:a;1:1#1:b;4:1.50^1:c;3:1E5^1:d;3:nan^1:e;4:-inf^}",
	"60:1:a;20:18446744073709551615#1:b;24:-99999999999999999999999#}",
	"10:01:a;01:1#}",
	"18:+1:a; 1 :1#1:b;0:~}",
	"16:1:a;1:1#1:a;1:1#}",
	"48:1:m;26:1:1#1:x;3:2.5^1:y;1:k,1:z;}3:fin;5:false!}",
	"15:8:flowpack;1:1#}",
	"00:}",
}

// TestFlowpack runs the reader in docs/flowpack.md, which is Python with zstandard
// and msgpack, on flowpacks of dumps of all versions, and compares what it reads
// with what mitmproxy reads from the dumps.
func TestFlowpack(t *testing.T) {
	python := flowtest.Oracle(t)
	text := string(flowtest.Read(t, filepath.Join(filepath.Dir(flowtest.Path()), "docs", "flowpack.md")))
	_, code, ok := strings.Cut(text, "\n```python\n")
	code, _, ok2 := strings.Cut(code, "\n```\n")
	if !ok || !ok2 {
		t.Fatal("docs/flowpack.md has no program in Python")
	}
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "flowpack.py"), []byte(code))
	dumps := map[string][]byte{"odd": []byte(strings.Join(oddFlows, "")), "empty": nil}
	for _, file := range flowtest.Dumps(t) {
		dumps[strings.ReplaceAll(strings.TrimSuffix(name(file), ".mitm"), "/", "-")] = flowtest.Read(t, file)
	}
	type vector struct {
		ID    string
		Input []byte
	}
	for _, v := range flowtest.Vectors[vector](t, "migrate-vectors.jsonl.gz") {
		dumps[strings.ReplaceAll(v.ID, "/", "-")] = v.Input
	}
	var bases []string
	total := 0
	for name, data := range dumps {
		var dump []byte
		var packed bytes.Buffer
		w := flowpack.NewWriter(&packed, &flowpack.WriterOptions{ChunkSize: 20_000})
		for len(data) > 0 {
			v, err := state.Open(&state.Source{Codec: tnetstring.Codec{}, Data: data})
			if err != nil {
				break
			}
			record, _, _ := v.Raw(tnetstring.Encoding)
			data = data[len(record):]
			if err := w.WriteRecord(record); err == nil {
				dump = append(dump, record...)
				total++
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		base := filepath.Join(dir, name)
		writeFile(t, base+".mitm", dump)
		writeFile(t, base+".flowpack", packed.Bytes())
		bases = append(bases, base)
	}
	type result struct {
		Name          string
		Flows, Chunks int
		Errors        []string
	}
	chunks := 0
	for _, r := range flowtest.RunOracle[result](t, python, "flowpack_states.py", bases) {
		total -= r.Flows
		chunks += r.Chunks
		for _, e := range r.Errors {
			t.Errorf("%s: %s", filepath.Base(r.Name), e)
		}
	}
	if total != 0 {
		t.Errorf("%d flows are missing", total)
	}
	if chunks < len(bases) {
		t.Errorf("only %d chunks in %d files", chunks, len(bases))
	}
}

func writeFile(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
