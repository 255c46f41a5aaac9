package har_test

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/flowtool/flowtool/har"
	"github.com/flowtool/flowtool/internal/flowtest"
)

// schema returns the schema of HAR 1.2, with its formats checked.
var schema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	data, err := os.ReadFile(filepath.Join("testdata", "har-1.2.schema.json"))
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("har", doc); err != nil {
		return nil, err
	}
	return c.Compile("har")
})

// valid checks that data are a HAR 1.2.
func valid(t testing.TB, data []byte) {
	t.Helper()
	s, err := schema()
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("not JSON: %v\n%.2000s", err, data)
	}
	if err := s.Validate(v); err != nil {
		t.Fatalf("%v\n%.4000s", err, data)
	}
}

// TestSchema: what is written from any dump is HAR 1.2, whatever the options.
func TestSchema(t *testing.T) {
	for _, opts := range []*har.WriterOptions{nil, {Plain: true, Creator: "\xff\"", Indent: " "}} {
		for _, file := range flowtest.Dumps(t) {
			var out bytes.Buffer
			w := har.NewWriter(&out, opts)
			for _, f := range httpFlows(t, flowtest.Read(t, file)) {
				if err := w.WriteFlow(f); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			valid(t, out.Bytes())
		}
	}
}

// TestSchemaRefuses: the schema finds what is wrong with mitmproxy's own export.
func TestSchemaRefuses(t *testing.T) {
	s, err := schema()
	if err != nil {
		t.Fatal(err)
	}
	entry := func(change string) string {
		parts := map[string]string{
			"time": "0", "content": `{"size":0,"mimeType":""}`, "serverIPAddress": `"::1"`, "postData": `{"mimeType":"","text":"","params":[]}`,
			"url": `"http://h/"`, "wait": "0", "value": `"x"`, "started": `"2026-01-02T03:04:05.678Z"`, "more": `"_x":1`,
		}
		if key, value, ok := bytes.Cut([]byte(change), []byte("=")); ok {
			parts[string(key)] = string(value)
		}
		return `{"log":{"version":"1.2","creator":{"name":"","version":""},"pages":[],"entries":[{"startedDateTime":` + parts["started"] +
			`,"time":` + parts["time"] + `,"request":{"method":"GET","url":` + parts["url"] + `,"httpVersion":"","cookies":[],"headers":[],` +
			`"queryString":[],"headersSize":-1,"bodySize":-1,"postData":` + parts["postData"] + `},"response":{"status":0,"statusText":"",` +
			`"httpVersion":"","cookies":[{"name":"","value":` + parts["value"] + `}],"headers":[],"content":` + parts["content"] +
			`,"redirectURL":"","headersSize":-1,"bodySize":-1},"cache":{},"timings":{"send":0,"wait":` + parts["wait"] +
			`,"receive":0},"serverIPAddress":` + parts["serverIPAddress"] + `,` + parts["more"] + `}]}}`
	}
	valid(t, []byte(entry("")))
	for _, change := range []string{
		`content={}`, `postData={"mimeType":"","text":null,"params":[]}`, `value=null`, `serverIPAddress="fe80::1%eth0"`,
		`wait=-1`, `wait=-0.5`, `time=-1`, `url="http://bücher.example/"`, `url="http://::1/"`, `url="http://h/#top"`, `url="/path"`,
		`started="2026-01-02 03:04"`, `more="x":1`,
	} {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(entry(change))))
		if err != nil {
			t.Fatalf("%s: %v", change, err)
		}
		if s.Validate(v) == nil {
			t.Errorf("%s is accepted", change)
		}
	}
}
