package flowdiff_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/flowdiff"
	"github.com/flowtool/flowtool/state"
)

func TestPaths(t *testing.T) {
	for _, tt := range []struct {
		pattern, path string
		want          bool
	}{
		{"/request", "/request", true},
		{"/request", "/request/method", true},
		{"/request/", "/request/method", true},
		{"/request", "/requests", false},
		{"/request/method", "/request", false},
		{"/", "/request/method", true},
		{"/**", "/request/method", true},
		{"/**/id", "/client_conn/id", true},
		{"/**/id", "/id", true},
		{"/**/id/**/x", "/a/id/b/id/x/c", true},
		{"/*/id", "/id", false},
		{"/r?quest/m[a-f]thod", "/request/method", true},

		// The case of letters matters but in the names of headers.
		{"/request/headers/Content-Type", "/request/headers/content-type", true},
		{"/response/trailers/X-SUM/1", "/response/trailers/x-sum/1", true},
		{"/backup/request/headers/Content-*", "/backup/request/headers/content-type", true},
		{"/**/X-Request-Id", "/backup/response/headers/x-request-id", true},
		{"/**/[A-X]-Request-Id", "/response/headers/x-request-id", true},
		{"/Request/headers/accept", "/request/headers/accept", false},
		{"/request/query/Page", "/request/query/page", false},
		{"/**/Page", "/metadata/headers/page", false},
		{"/**/A", "/response/content/headers/a", false},

		// Characters that mean something elsewhere.
		{`/request/query/a,b"c'd e`, `/request/query/a,b"c'd e`, true},
		{"/response/content/a~1b/~0", "/response/content/a~1b/~0", true},
		{"/response/content/a~1*", "/response/content/a~1b", true},
		{"/response/content/a*", "/response/content/a~1b", true},
		{"/response/content/?~0", "/response/content/x~0", true},
		{"/response/content/a[1]", "/response/content/a[1]", true},
		{`/response/content/a\*`, "/response/content/a*", true},
		{`/response/content/a\*`, "/response/content/ab", false},
		{"/response/content//x", "/response/content//x", true},
	} {
		p := paths(t, tt.pattern)
		if got := p.Match(state.Path(tt.path)); got != tt.want {
			t.Errorf("%s matches %s: %t", tt.pattern, tt.path, got)
		}
	}
	var none flowdiff.Paths
	if none.Match("/request") {
		t.Error("the zero Paths matches something")
	}
}

func TestPathErrors(t *testing.T) {
	for _, tt := range []struct{ good, bad string }{ // good comes before what is wrong
		{"", ""},
		{"", "request"},
		{"", "*/x"},
		{"/a/", "["},
		{"/a/*/", "[b/c]"},
		{"/a/~1/", `b\`},
		{"/", "[]a"},
	} {
		_, err := flowdiff.ParsePaths("/good", tt.good+tt.bad)
		e, ok := errors.AsType[*flowdiff.PatternError](err)
		if !ok || e.Offset != len(tt.good) || e.Pattern != tt.good+tt.bad || strings.Contains(e.Error(), "flowdiff") {
			t.Errorf("%s%s: %v", tt.good, tt.bad, err)
		}
	}
}

// FuzzPaths checks that every path is matched by itself, with a backslash before
// what is special, and by the paths above it.
func FuzzPaths(f *testing.F) {
	for _, s := range []string{"a", "a/b", "*", "[x", `a\`, "~/,", "A b\"'", "\xff\x00", "?"} {
		f.Add(s, "", "headers")
		f.Add("request", "headers", s)
		f.Add("content", s, s)
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		path := state.Path("").Key(a).Key(b).Key(c)
		if strings.HasPrefix(string(path), "/request/headers/") || strings.HasPrefix(string(path), "/request/trailers/") {
			path = state.Path(strings.ToLower(string(path)))
		}
		for _, whole := range []state.Path{path, state.Path("").Key(a).Key(b), state.Path("").Key(a)} {
			for _, tail := range []string{"", "/**"} {
				p, err := flowdiff.ParsePaths(special.Replace(string(whole)) + tail)
				if err != nil {
					t.Fatal(err)
				}
				if !p.Match(path) {
					t.Errorf("%q is not matched by %q", path, string(whole)+tail)
				}
			}
		}
	})
}

// TestUnknown: every field of a flow is known, and what is misspelt is not.
func TestUnknown(t *testing.T) {
	ws := readFlows(t, "real", "ws.mitm")[0]
	for _, f := range append(readFlows(t, "real", "tcp.mitm"), readFlows(t, "real", "dns.mitm")[0], ws) {
		for k := range f.GetState().All() {
			name, err := k.Text()
			if err != nil {
				t.Fatal(err)
			}
			p := paths(t, "/"+name, "/backup/"+name+"/*")
			if got := p.Unknown(); got != "" {
				t.Errorf("%s is unknown", got)
			}
		}
	}
	for _, tt := range []struct{ pattern, want string }{
		{"/", ""}, {"/**/x", ""}, {"/r*/x", ""}, {"/[r]eqest", ""}, {"/backup", ""}, {"/backup/backup/id", ""},
		{"/reqest", "/reqest"}, {"/Request/path", "/Request/path"}, {"/headers/", "/headers"}, {"/backup/reqest/x", "/backup/reqest/x"},
	} {
		p := paths(t, "/id", tt.pattern)
		if got := p.Unknown(); got != tt.want {
			t.Errorf("%s: %q", tt.pattern, got)
		}
	}
}
