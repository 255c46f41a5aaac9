package jsonl

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/internal/flowtest"
)

// sections are the tables of format 21 in docs/format.md, with the shapes that
// belong to them.
func sections() []section {
	get := func(s *shape, path ...string) *shape {
		for _, name := range path {
			i := s.field([]byte(name), 0)
			if i < 0 {
				panic("no field " + name)
			}
			if s = s.fields[i].shape; s.elems != nil && len(s.fields) == 0 {
				s = s.elems
			}
		}
		return s
	}
	return []section{
		{"Flow (all types)", get(flowShape)},
		{"HTTP request", get(flowShape, "request")},
		{"HTTP response", get(flowShape, "response")},
		{"WebSocket", get(flowShape, "websocket")},
		{"Client connection", get(flowShape, "client_conn")},
		{"Server connection", get(flowShape, "server_conn")},
		{"Error", get(flowShape, "error")},
		{"DNS message", get(flowShape, "response")},
		{"DNS question", get(flowShape, "request", "questions")},
		{"DNS record", get(flowShape, "request", "answers")},
	}
}

type section struct {
	heading string
	shape   *shape
}

// A fieldDoc is a line of a table in docs/format.md.
type fieldDoc struct{ name, typ, null string }

// formatTables reads the tables of docs/format.md that describe format 21.
func formatTables(t *testing.T) map[string][]fieldDoc {
	t.Helper()
	_, text, ok := strings.Cut(string(flowtest.Read(t, "../docs/format.md")), "\n## Format 21\n")
	if !ok {
		t.Fatal("docs/format.md has no section on format 21")
	}
	text, _, _ = strings.Cut(text, "\n## ")
	tables := map[string][]fieldDoc{}
	heading := ""
	for line := range strings.Lines(text) {
		if h, ok := strings.CutPrefix(line, "### "); ok {
			heading = strings.TrimSpace(h)
		}
		cells := strings.Split(line, "|")
		if len(cells) > 4 && strings.HasPrefix(cells[1], " `") {
			tables[heading] = append(tables[heading], fieldDoc{
				strings.Trim(cells[1], " `"), strings.TrimSpace(cells[2]), strings.TrimSpace(cells[3])})
		}
	}
	return tables
}

// inLines says how a value of a type in docs/format.md is written, and which
// shape that takes: b for bytes, f for a float, [] around the elements of a
// list.
var inLines = map[string]struct{ json, shape string }{
	"int":                       {"integer", ""},
	"str":                       {"text", ""},
	"bool":                      {"bool", ""},
	"bytes":                     {"bytes", "b"},
	"float":                     {"float", "f"},
	"float or int":              {"number", ""},
	"certificate":               {"certificate", "b"},
	"address":                   {"address", ""},
	"list `[str, int]`":         {"address", ""},
	"list `[str, [str, int]]`":  {"`[text, address]`", ""},
	"list of `[bytes, bytes]`":  {"array of `[bytes, bytes]`", "[[b]]"},
	"list of bytes":             {"array of bytes", "[b]"},
	"list of str":               {"array of text", ""},
	"list of certificates":      {"array of certificates", "[b]"},
	"list of messages":          {"array of messages", "[(,,b)]"},
	"list of DNS questions":     {"array of objects", "[{name,type,class_}]"},
	"list of DNS records":       {"array of objects", "[{name,type,class_,ttl,data:b}]"},
	"dict":                      {"object", "?"},
	"dict, of type error":       {"object", "{msg,timestamp:f}"},
	"dict, of type metadata":    {"object", ""},
	"dict, of type backup":      {"object, a flow", "flow"},
	"dict, of type client_conn": {"object", "?"},
	"dict, of type server_conn": {"object", "?"},
}

// String describes a shape as inLines does.
func (s *shape) String() string {
	var b strings.Builder
	if s.flow {
		return "flow"
	}
	if s.bytes {
		b.WriteString("b")
	}
	if s.float {
		b.WriteString("f")
	}
	if s.elems != nil {
		fmt.Fprintf(&b, "[%s]", s.elems)
	}
	if s.tuple != nil {
		var elems []string
		for _, e := range s.tuple {
			elems = append(elems, e.String())
		}
		fmt.Fprintf(&b, "(%s)", strings.Join(elems, ","))
	}
	if s.fields != nil {
		var names []string
		for _, f := range s.fields {
			if d := f.shape.String(); d != "" {
				names = append(names, f.name+":"+d)
			} else {
				names = append(names, f.name)
			}
		}
		fmt.Fprintf(&b, "{%s}", strings.Join(names, ","))
	}
	return b.String()
}

// TestFields compares the shapes with docs/format.md, which package flow is
// compared with, and both with docs/jsonl.md. With -update, the tables there are
// rewritten.
func TestFields(t *testing.T) {
	const begin, end = "-run TestFields -update -->\n", "<!-- End of the tables. -->\n"
	format := formatTables(t)
	doc := string(flowtest.Read(t, "../docs/jsonl.md"))
	var out strings.Builder
	for _, s := range sections() {
		fmt.Fprintf(&out, "\n**%s**\n\n| key | value | null |\n|---|---|---|\n", s.heading)
		if len(format[s.heading]) == 0 {
			t.Errorf("docs/format.md has no table on %s", s.heading)
		}
		for i, f := range format[s.heading] {
			at := s.shape.field([]byte(f.name), 0)
			if at < 0 {
				t.Errorf("%s: %s has no field", s.heading, f.name)
				continue
			}
			if at != i && !strings.HasPrefix(s.heading, "DNS m") && f.name != "address" && f.name != "mitmcert" {
				t.Errorf("%s: %s is field %d, but comes as %d", s.heading, f.name, at, i)
			}
			typ := f.typ
			if long := "dict, of type " + f.name; f.typ == "dict" && inLines[long].json != "" {
				typ = long
			}
			want, ok := inLines[typ]
			if !ok {
				t.Errorf("%s: %s has type %s, which has no row", s.heading, f.name, f.typ)
			}
			got := s.shape.fields[at].shape
			switch {
			case f.name == "host" && got.host, want.shape == "?" && len(got.fields) > 10:
			case f.name == "via" && len(got.fields) > 0 && got.elems == nil && got.tuple == nil:
				// The map is for old versions and does not apply to a list.
			case got.String() != want.shape:
				t.Errorf("%s: %s is %q, want %q", s.heading, f.name, got, want.shape)
			}
			fmt.Fprintf(&out, "| `%s` | %s | %s |\n", f.name, want.json, f.null)
		}
	}
	out.WriteString("\n")
	i, j := strings.Index(doc, begin), strings.Index(doc, end)
	if i < 0 || j < i {
		t.Fatal("docs/jsonl.md has no place for the tables")
	}
	i += len(begin)
	if d := cmp.Diff(doc[i:j], out.String()); d != "" {
		if !*updateFields() {
			t.Errorf("docs/jsonl.md (-docs +fields):\n%s", d)
		} else if err := os.WriteFile("../docs/jsonl.md", []byte(doc[:i]+out.String()+doc[j:]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOldFields: docs/jsonl.md names every key that format 21 does not have.
func TestOldFields(t *testing.T) {
	format := formatTables(t)
	_, text, _ := strings.Cut(string(flowtest.Read(t, "../docs/jsonl.md")), "\n## Older versions\n")
	text, _, _ = strings.Cut(text, "\n## ")
	known := map[*shape]map[string]bool{}
	for _, s := range sections() {
		if known[s.shape] == nil {
			known[s.shape] = map[string]bool{}
		}
		for _, f := range format[s.heading] {
			known[s.shape][f.name] = true
		}
	}
	request, response := sections()[1].shape, sections()[2].shape
	for _, f := range format["DNS message"] {
		known[request][f.name], known[response][f.name] = true, true
	}
	for _, name := range []string{"request", "response", "websocket"} {
		known[flowShape][name] = true
	}
	for s, names := range known {
		for _, f := range s.fields {
			if !names[f.name] && !strings.Contains(text, "`"+f.name+"`") {
				t.Errorf("docs/jsonl.md does not name %s", f.name)
			}
		}
	}
}
