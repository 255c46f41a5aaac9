package flow

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDocs compares the tables of docs/format.md with those of this package.
func TestDocs(t *testing.T) {
	data, err := os.ReadFile("../docs/format.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(data), "\n## Format 21\n")
	if !ok {
		t.Fatal("docs/format.md has no section on format 21")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	docs := make(map[string][]string)
	heading := ""
	for line := range strings.Lines(section) {
		if h, ok := strings.CutPrefix(line, "### "); ok {
			heading = strings.TrimSpace(h)
			continue
		}
		cells := strings.Split(strings.ReplaceAll(line, `\|`, "/"), "|")
		if len(cells) < 5 || !strings.HasPrefix(strings.TrimSpace(cells[1]), "`") {
			continue
		}
		key := strings.Trim(strings.TrimSpace(cells[1]), "`")
		typ, _, _ := strings.Cut(strings.TrimSpace(cells[2]), " of")
		typ, _, _ = strings.Cut(typ, " `")
		docs[heading] = append(docs[heading], key+": "+typ+", null "+strings.TrimSpace(cells[3]))
	}
	tables := map[string]schema{
		"Flow (all types)":  commonSchema,
		"HTTP request":      requestFields.schema(),
		"HTTP response":     responseFields.schema(),
		"WebSocket":         webSocketFields.schema(),
		"Client connection": clientFields.schema(),
		"Server connection": serverFields.schema(),
		"Error":             errorFields.schema(),
		"DNS message":       dnsFields.schema(),
		"DNS question":      questionFields.schema(),
		"DNS record":        recordFields.schema(),
	}
	for heading, fields := range tables {
		var want []string
		for _, f := range fields {
			null := "no"
			if f.rule.null {
				null = "yes"
			}
			want = append(want, f.name+": "+docType(f)+", null "+null)
		}
		if d := cmp.Diff(want, docs[heading]); d != "" {
			t.Errorf("%s (-tables +docs/format.md):\n%s", heading, d)
		}
	}
}

// docType returns the word that the document uses for the type of a field.
func docType(f schemaField) string {
	switch f.name {
	case "version":
		return "int"
	case "mitmcert":
		return "certificate"
	}
	want := strings.TrimSuffix(f.rule.want, " or null")
	switch {
	case want == "text" || strings.HasPrefix(want, "one of"):
		return "str"
	case want == "map":
		return "dict"
	case strings.HasPrefix(want, "list"):
		return "list"
	}
	return want
}
