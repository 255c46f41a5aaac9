package har_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/har"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// importVector is a HAR and what mitmproxy makes of it.
type importVector struct {
	Name  string           `json:"name"`
	HAR   string           `json:"har"`
	Bytes []byte           `json:"har_b64"` // instead of HAR
	Flows []map[string]any `json:"flows"`
	Error string           `json:"error"`
}

// An importDeviation is a difference to mitmproxy's import that is meant. docs/har.md
// has the reasons.
type importDeviation struct {
	name  string
	paths []string // of the state; "*" stands for a number, a name at the end for all below
}

var importDeviations = []importDeviation{
	{"unknown client", []string{"client_conn.peername", "client_conn.sockname", "client_conn.timestamp_end"}},
	{"server of the URL", []string{"server_conn.address", "server_conn.peername", "server_conn.tls"}},
	{"absolute times", []string{"request.timestamp_end", "response.timestamp_start", "response.timestamp_end"}},
	{"headers as captured", []string{"request.headers", "response.headers"}},
	{"exact versions", []string{"request.http_version", "response.http_version"}},
	{"reason", []string{"response.reason"}},
	{"metadata", []string{"metadata"}},
	{"URL", []string{"request.host", "request.port", "request.scheme", "request.path"}},
	{"pseudo headers", []string{"request.authority"}},
	{"bodies", []string{"request.content", "response.content"}},
	{"status 0", []string{"error", "response"}},
	{"comment", []string{"comment"}},
	{"WebSocket", []string{"websocket"}},
}

// TestImportVectors compares with mitmproxy's import. The differences are those of
// the golden file, each by the name of its deviation.
func TestImportVectors(t *testing.T) {
	var got strings.Builder
	everywhere := map[string]bool{} // the differences of the first vector, the plainest of them
	for n, v := range flowtest.Vectors[importVector](t, "har-import-vectors.jsonl.gz") {
		data := v.Bytes
		if data == nil {
			data = []byte(v.HAR)
		}
		fmt.Fprintf(&got, "# %s\n", v.Name)
		var flows []map[string]string
		for m, err := range har.NewReader(bytes.NewReader(data), nil).States() {
			if err != nil {
				fmt.Fprintf(&got, "error: %v\n", err)
				continue
			}
			if _, err := flow.FromState(m); err != nil {
				t.Errorf("%s: %v", v.Name, err)
			}
			flat := map[string]string{}
			flatten(flat, "", m.Value())
			flows = append(flows, flat)
		}
		if v.Error != "" {
			fmt.Fprintf(&got, "mitmproxy: %s\n", v.Error)
		}
		for i := range max(len(flows), len(v.Flows)) {
			theirs := map[string]string{}
			if i < len(v.Flows) {
				flattenTyped(theirs, "", v.Flows[i])
			}
			if i >= len(flows) {
				t.Errorf("%s: mitmproxy reads %d flows, we read %d", v.Name, len(v.Flows), len(flows))
				break
			}
			if len(theirs) == 0 {
				fmt.Fprintf(&got, "only we read flow %d: %s %s, status %s, metadata %v\n", i, flows[i]["request.method"],
					flows[i]["request.path"], flows[i]["response.status_code"], metadataOf(flows[i]))
				continue
			}
			for _, line := range differences(t, v.Name, flows[i], theirs) {
				if n == 0 {
					everywhere[line] = true
				} else if everywhere[line] {
					continue
				}
				got.WriteString(line)
			}
		}
	}
	golden := filepath.Join("testdata", "import-vectors.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want := string(flowtest.Read(t, golden))
	if want != got.String() {
		t.Errorf("results differ from %s; run with -update and look at the changes", golden)
	}
}

// differences returns a line for every leaf of two states that differs, with the
// deviation that it belongs to. Ids are random in mitmproxy.
func differences(t *testing.T, name string, ours, theirs map[string]string) (lines []string) {
	paths := maps.Clone(ours)
	maps.Copy(paths, theirs)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		a, b := theirs[path], ours[path]
		if a == b || path == "id" || strings.HasSuffix(path, "_conn.id") {
			continue
		}
		d := deviationOf(path)
		if d == "" {
			t.Errorf("%s: %s: mitmproxy has %s, we have %s", name, path, orNothing(a), orNothing(b))
		}
		lines = append(lines, fmt.Sprintf("%s: %s: %s -> %s\n", d, path, orNothing(a), orNothing(b)))
	}
	return lines
}

// metadataOf returns the leaves of the metadata.
func metadataOf(flow map[string]string) (out []string) {
	for _, path := range slices.Sorted(maps.Keys(flow)) {
		if key, ok := strings.CutPrefix(path, "metadata."); ok {
			out = append(out, key+"="+flow[path])
		}
	}
	return out
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

// TestImportDocs: docs/har.md explains every deviation and every loss by its name.
func TestImportDocs(t *testing.T) {
	docs := string(flowtest.Read(t, flowtest.Path("..", "docs", "har.md")))
	for _, d := range importDeviations {
		if !strings.Contains(docs, "**"+d.name+"**") {
			t.Errorf("docs/har.md does not explain the deviation %q", d.name)
		}
	}
	for _, l := range losses {
		first, rest := strings.ToUpper(l.name[:1])+l.name[1:], l.name
		if !strings.Contains(docs, "**"+first) && !strings.Contains(docs, "**"+rest) {
			t.Errorf("docs/har.md does not explain the loss %q", l.name)
		}
	}
}

func deviationOf(path string) string {
	for _, d := range importDeviations {
		for _, p := range d.paths {
			if path == p || strings.HasPrefix(path, p+".") {
				return d.name
			}
		}
	}
	return ""
}

// flatten adds the leaves of v, by their paths.
func flatten(out map[string]string, path string, v state.Value) {
	join := func(step string) string { return strings.TrimPrefix(path+"."+step, ".") }
	switch v.Kind() {
	case state.KindMap:
		m, _ := v.Map()
		for k, e := range m.All() {
			key, _ := k.Text()
			flatten(out, join(key), e)
		}
	case state.KindList:
		l, _ := v.List()
		for i, e := range l.All() {
			flatten(out, join(fmt.Sprint(i)), e)
		}
	case state.KindBytes:
		b, _ := v.Bytes()
		out[path] = fmt.Sprintf("%q", b)
	case state.KindText:
		s, _ := v.Text()
		out[path] = s
		if s == "" {
			delete(out, path)
		}
	case state.KindFloat:
		f, _ := v.Float64()
		out[path] = state.FormatFloat(f)
	case state.KindInt:
		i, _ := v.BigInt()
		out[path] = i.String()
	case state.KindBool:
		b, _ := v.Bool()
		out[path] = fmt.Sprint(b)
	case state.KindNull:
		out[path] = "null"
	}
}

// flattenTyped is flatten for the notation of the vectors.
func flattenTyped(out map[string]string, path string, v any) {
	join := func(step string) string { return strings.TrimPrefix(path+"."+step, ".") }
	switch v := v.(type) {
	case map[string]any:
		if f, ok := v["float"].(string); ok {
			out[path] = f
			return
		}
		if b, ok := v["b64"].(string); ok {
			data, _ := base64.StdEncoding.DecodeString(b)
			out[path] = fmt.Sprintf("%q", data)
			return
		}
		for k, e := range v {
			flattenTyped(out, join(k), e)
		}
	case []any:
		for i, e := range v {
			flattenTyped(out, join(fmt.Sprint(i)), e)
		}
	case string:
		if v != "" {
			out[path] = v
		}
	case json.Number, float64, bool:
		out[path] = fmt.Sprint(v)
	case nil:
		out[path] = "null"
	}
}
