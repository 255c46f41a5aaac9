// Package internal checks the rules that bind all packages of the project.
package internal

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/flowtool/flowtool"

// mayImport says for every package which packages of this module its code may
// import, "*" meaning all. A new package needs a new row. Tests may import what they like, as
// long as the compiler agrees.
var mayImport = map[string][]string{
	"state":                 nil, // the standard library only
	"dumpfile/tnetstring":   {"state"},
	"migrate":               {"state"},
	"internal/coding":       nil,
	"contentview":           {"internal/coding"},
	"flow":                  {"state", "internal/coding"},
	"internal/pyregexp":     nil,
	"internal/searchtext":   {"state", "internal/coding"},
	"filter":                {"flow", "migrate", "state", "internal/coding", "internal/pyregexp", "internal/searchtext"},
	"dumpfile":              {"flow", "migrate", "state", "dumpfile/tnetstring", "internal/coding", "internal/randomaccess", "internal/sequence"},
	"internal/jsonscan":     nil,
	"internal/jsonstring":   nil,
	"internal/sequence":     nil,
	"internal/randomaccess": nil,
	"jsonl":                 {"state", "dumpfile/tnetstring", "internal/jsonscan", "internal/jsonstring", "internal/sequence"},
	"har":                   {"flow", "state", "dumpfile/tnetstring", "jsonl", "internal/coding", "internal/jsonscan", "internal/jsonstring", "internal/sequence"},
	"pipeline":              {"dumpfile", "dumpfile/tnetstring", "migrate", "flow", "state"},
	"flowpack":              {"dumpfile", "flow", "migrate", "state", "dumpfile/tnetstring", "internal/randomaccess", "internal/searchtext", "internal/sequence"},
	"formats":               {"display", "dumpfile", "filter", "flowpack", "har", "jsonl", "migrate", "pipeline", "shell"},
	"summary":               {"flow", "migrate"},
	"display":               {"flow", "contentview", "dumpfile/tnetstring", "state"},
	"flowdiff":              {"contentview", "display", "dumpfile/tnetstring", "flow", "jsonl", "state", "internal/coding", "internal/jsonscan"},
	"shell":                 {"flow", "contentview"},
	"cmd/flowtool":          {"*"},

	// Only tests import it.
	"internal/flowtest": {"state", "dumpfile/tnetstring"},
}

func TestImports(t *testing.T) {
	found := imports(t)
	for pkg, list := range found {
		allowed, ok := mayImport[pkg]
		if !ok {
			t.Errorf("package %s has no row in mayImport", pkg)
			continue
		}
		for _, imp := range list {
			if p, ours := strings.CutPrefix(imp, module+"/"); ours {
				if p == "internal/flowtest" {
					t.Errorf("%s imports %s, which is for tests", pkg, p)
				} else if !slices.Contains(allowed, p) && !slices.Contains(allowed, "*") {
					t.Errorf("%s must not import %s", pkg, p)
				}
				continue
			}
			if first, _, _ := strings.Cut(imp, "/"); pkg == "state" && strings.Contains(first, ".") {
				t.Errorf("%s is for the standard library only, but imports %s", pkg, imp)
			}
			if imp == "testing" && pkg != "internal/flowtest" {
				t.Errorf("%s imports testing in code that is no test", pkg)
			}
		}
	}
	for pkg := range mayImport {
		if _, ok := found[pkg]; !ok {
			t.Errorf("mayImport has a row for %s, which does not exist", pkg)
		}
	}
}

// imports returns what the code of every package imports, on all systems and
// without its tests. Packages of tests alone are not listed.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := fs.WalkDir(os.DirFS(".."), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if base := d.Name(); base == "testdata" || base == "vendor" || len(base) > 1 && strings.ContainsRune("._", rune(base[0])) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", name), nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pkg := path.Dir(name)
		list := found[pkg]
		for _, spec := range file.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if !slices.Contains(list, imp) {
				list = append(list, imp)
			}
		}
		found[pkg] = list
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
