package oracle

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/har"
	"github.com/flowtool/flowtool/internal/flowtest"
)

// TestHAR lets mitmproxy read the HAR that flowtool makes of every dump.
func TestHAR(t *testing.T) {
	python := flowtest.Oracle(t)
	dir := t.TempDir()
	var files []string
	var wrote [][]*flow.HTTP
	refused := 0
	for _, file := range flowtest.Dumps(t) {
		var out bytes.Buffer
		w := har.NewWriter(&out, nil)
		var flows []*flow.HTTP
		all, _ := read(t, file)
		for _, f := range all {
			if h, ok := f.(*flow.HTTP); ok && harUnreadable(h) {
				refused++
				continue
			}
			if err := w.WriteFlow(f); errors.Is(err, har.ErrNotHTTP) {
				continue
			} else if err != nil {
				t.Fatal(err)
			}
			flows = append(flows, f.(*flow.HTTP))
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, strings.ReplaceAll(name(file), "/", "-")+".har")
		if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		files, wrote = append(files, path), append(wrote, flows)
	}
	total := 0
	for i, a := range flowtest.RunOracle[answer](t, python, "dump_states.py", files) {
		t.Run(filepath.Base(files[i]), func(t *testing.T) {
			if a.Error != nil {
				t.Fatalf("mitmproxy reads %d of %d entries, then: %v", len(a.Flows), len(wrote[i]), *a.Error)
			}
			theirs := parse(t, a)
			if len(theirs) != len(wrote[i]) {
				t.Fatalf("mitmproxy reads %d entries, want %d", len(theirs), len(wrote[i]))
			}
			for n, m := range theirs {
				f, err := flow.FromState(m)
				if err != nil {
					t.Fatal(err)
				}
				ours, theirs := harFacts(wrote[i][n]), harFacts(f.(*flow.HTTP))
				if r := wrote[i][n].Response(); r != nil && ours["body"] != theirs["body"] {
					// Text in a charset that the headers do not name comes back as UTF-8.
					ours["body"], _ = r.Text(0)
				}
				if diff := cmp.Diff(ours, theirs); diff != "" {
					t.Errorf("entry %d (-wrote +mitmproxy reads):\n%s", n, diff)
				}
				total++
			}
		})
	}
	if total < 600 || refused > total/20 {
		t.Errorf("%d entries were read, %d left out", total, refused)
	}
}

// harUnreadable tells whether mitmproxy refuses the entry of a flow, as it does
// its own: it has to apply every content coding that a header names, even to no
// content; a charset may be a codec of Python that does not encode text; and it
// knows IDNA 2003 only.
func harUnreadable(h *flow.HTTP) bool {
	q, r := h.Request(), h.Response()
	known := []string{"", "identity", "none", "gzip", "deflate", "deflateraw", "br", "zstd"}
	unknown := func(m *flow.HTTPMessage) bool {
		return !slices.Contains(known, strings.ToLower(m.Headers.Get("Content-Encoding")))
	}
	return unknown(&q.HTTPMessage) || r != nil && unknown(&r.HTTPMessage) ||
		strings.Contains(q.Headers.Get("Content-Type"), "charset=base64") || strings.Contains(q.PrettyURL(), "xn--strae-oqa")
}

// harFacts returns what mitmproxy's import of a HAR keeps of a flow.
func harFacts(h *flow.HTTP) map[string]any {
	q, r := h.Request(), h.Response()
	body := func(m *flow.HTTPMessage) string {
		b, err := m.Content(0)
		if err != nil && len(b) == 0 {
			b, _ = m.Body.Bytes() // as it was transferred
		}
		return string(b)
	}
	facts := map[string]any{
		"method":  strings.ToUpper(q.Method),
		"start":   h.TimestampStart().Time().Format("15:04:05.000000"),
		"headers": harHeaders(&q.Headers),
	}
	if r == nil || r.StatusCode == 0 {
		facts["status"] = 0 // there was no response, but mitmproxy makes one
		return facts
	}
	facts["status"], facts["response headers"] = r.StatusCode, harHeaders(&r.Headers)
	facts["body"] = body(&r.HTTPMessage)
	return facts
}

// harHeaders returns the headers that mitmproxy's import does not change.
func harHeaders(h *flow.Headers) []string {
	var lines []string
	for _, e := range h.All() {
		switch strings.ToLower(e.Name) {
		case "host", "content-length", "content-encoding", "content-type":
		default:
			lines = append(lines, asLatin1(e.Name)+": "+asLatin1(e.Value))
		}
	}
	return lines
}

// asLatin1 returns s with characters of Latin-1 for bytes that are not UTF-8.
func asLatin1(s string) string {
	var b strings.Builder
	for i, r := range s {
		if r == utf8.RuneError && s[i] != "\ufffd"[0] {
			r = rune(s[i])
		}
		b.WriteRune(r)
	}
	return b.String()
}
