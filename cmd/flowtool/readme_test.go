package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/filter"
	"github.com/flowtool/flowtool/internal/flowtest"
)

// TestDocuments runs the examples of README.md and docs: every block marked
// console holds commands of a shell at the root of the project and what they
// print, with times in UTC; every block marked go is a program that ends with
// what it prints. Below a command, a line of "…" stands for any lines. With
// -update, output without such a line is rewritten.
func TestDocuments(t *testing.T) {
	root := filepath.Dir(flowtest.Path())
	docs, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range append(docs, filepath.Join(root, "README.md")) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text := string(flowtest.Read(t, file))
			blocks := parseBlocks(strings.ReplaceAll(text, "\r\n", "\n"))
			for i := range blocks {
				b := &blocks[i]
				switch b.lang {
				case "console":
					found++
					b.transcript(t, root)
				case "go":
					found++
					b.program(t, root)
				}
			}
			if *update {
				if err := os.WriteFile(file, []byte(joinBlocks(blocks)), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	if found == 0 {
		t.Fatal("there are no examples")
	}
}

// A block is a fenced block of Markdown, or the text between two.
type block struct {
	lang  string // "" for text
	fence string // the opening line
	text  string
	line  int
}

func parseBlocks(text string) (blocks []block) {
	var b block
	for n, line := range strings.SplitAfter(text, "\n") {
		switch {
		case b.fence == "" && strings.HasPrefix(line, "```"):
			blocks = append(blocks, b)
			b = block{lang: strings.TrimSpace(line[3:]), fence: line, line: n + 1}
		case b.fence != "" && strings.TrimSpace(line) == "```":
			blocks = append(blocks, b)
			b = block{}
		default:
			b.text += line
		}
	}
	return append(blocks, b)
}

func joinBlocks(blocks []block) string {
	var out strings.Builder
	for _, b := range blocks {
		out.WriteString(b.fence + b.text)
		if b.fence != "" {
			out.WriteString("```\n")
		}
	}
	return out.String()
}

// transcript runs the commands of a block and compares what they print, to
// standard output and standard error, with what stands below each.
func (b *block) transcript(t *testing.T, root string) {
	if runtime.GOOS == "windows" {
		return // no such shell
	}
	parts := strings.Split("\n"+b.text, "\n$ ")
	if parts[0] != "" {
		t.Errorf("line %d: the block does not begin with a command", b.line)
		return
	}
	status := 0 // of the command before, for echo $?
	var text strings.Builder
	for i, part := range parts[1:] {
		command, want, _ := strings.Cut(part, "\n")
		if want != "" && i < len(parts)-2 {
			want += "\n"
		}
		cmd := exec.Command("sh", "-c", fmt.Sprintf("(exit %d)\n%s", status, command))
		cmd.Dir = root
		cmd.Env = append(os.Environ(), "TZ=UTC", "NO_COLOR=", "CLICOLOR_FORCE=")
		out, err := cmd.CombinedOutput()
		if status = cmd.ProcessState.ExitCode(); status < 0 {
			t.Errorf("line %d: %s: %v", b.line, command, err)
		}
		got := string(out)
		if strings.Contains("\n"+want, "\n…\n") {
			if !matches(want, got) {
				t.Errorf("line %d: %s\nwant:\n%s\ngot:\n%s", b.line, command, want, got)
			}
			got = want
		} else if got != want && !*update {
			t.Errorf("line %d: %s (-document +output):\n%s", b.line, command, cmp.Diff(want, got))
		}
		text.WriteString("$ " + command + "\n" + got)
	}
	if *update {
		b.text = text.String()
	}
}

// matches tells whether got is want, in which lines of "…" stand for any lines.
func matches(want, got string) bool {
	pieces := strings.Split("\n"+want, "\n…\n")
	for i, p := range pieces {
		pieces[i] = strings.TrimPrefix(p, "\n")
	}
	rest, ok := strings.CutPrefix(got, pieces[0])
	if !ok {
		return false
	}
	for i, p := range pieces[1:] {
		if i == len(pieces)-2 {
			return strings.HasSuffix(rest, p)
		}
		if _, rest, ok = strings.Cut(rest, p); !ok {
			return false
		}
	}
	return true
}

// program runs a block and compares what it prints with the comment at its end.
func (b *block) program(t *testing.T, root string) {
	code, comment, ok := strings.Cut(b.text, "\n\t// Output:\n")
	if !ok {
		t.Errorf("line %d: no \"// Output:\" at the end of the program", b.line)
		return
	}
	var want strings.Builder
	for line := range strings.Lines(strings.TrimSuffix(comment, "}\n")) {
		want.WriteString(strings.TrimPrefix(strings.TrimPrefix(strings.TrimLeft(line, "\t"), "//"), " "))
	}
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(code+"\n}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "run", file)
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("line %d: %v\n%s", b.line, err, &stderr)
		return
	}
	if diff := cmp.Diff(want.String(), string(out)); diff != "" {
		t.Errorf("line %d (-document +output):\n%s", b.line, diff)
	}
}

// TestDocumentsAreComplete looks for all commands and all of info --json.
func TestDocumentsAreComplete(t *testing.T) {
	var commands []string
	for _, c := range newRootCmd(osApp()).Commands() {
		if c.IsAvailableCommand() {
			commands = append(commands, c.Name())
		}
	}
	root := filepath.Dir(flowtest.Path())
	for file, names := range map[string][]string{
		"README.md":         commands,
		"docs/info-json.md": jsonNames(reflect.TypeFor[infoReport]()),
	} {
		text := string(flowtest.Read(t, filepath.Join(root, file)))
		for _, name := range names {
			if !strings.Contains(text, "`"+name+"`") {
				t.Errorf("%s does not mention `%s`", file, name)
			}
		}
	}
	readme := string(flowtest.Read(t, filepath.Join(root, "README.md")))
	if n := strings.Count(readme, "\n"); n > 200 {
		t.Errorf("README.md has %d lines", n)
	}
}

// TestLinks checks that the files that documents link to are there, and the
// headings in them.
func TestLinks(t *testing.T) {
	root := filepath.Dir(flowtest.Path())
	docs, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`\]\(([^):]*)\)`)
	for _, file := range append(docs, filepath.Join(root, "README.md")) {
		for _, m := range link.FindAllStringSubmatch(string(flowtest.Read(t, file)), -1) {
			path, heading, _ := strings.Cut(m[1], "#")
			target := filepath.Join(filepath.Dir(file), path)
			if path == "" {
				target = file
			}
			if info, err := os.Stat(target); err != nil {
				t.Errorf("%s: %v", file, err)
			} else if !info.IsDir() && heading != "" && !slices.Contains(headings(string(flowtest.Read(t, target))), heading) {
				t.Errorf("%s: no heading for %s", file, m[1])
			}
		}
	}
}

// headings returns what links to the headings of a document are made of.
func headings(text string) (all []string) {
	for line := range strings.Lines(text) {
		if title := strings.TrimLeft(line, "#"); title != line {
			var b strings.Builder
			for _, r := range strings.ToLower(strings.TrimSpace(title)) {
				switch {
				case r == ' ':
					b.WriteByte('-')
				case r == '-' || unicode.IsLetter(r) || unicode.IsDigit(r):
					b.WriteRune(r)
				}
			}
			all = append(all, b.String())
		}
	}
	return all
}

// TestFilterDocument checks docs/filter.md: that its tables of operators are
// complete, which -update sees to, and that the expressions in it are what it
// says they are.
func TestFilterDocument(t *testing.T) {
	file := filepath.Join(filepath.Dir(flowtest.Path()), "docs", "filter.md")
	text := strings.ReplaceAll(string(flowtest.Read(t, file)), "\r\n", "\n")
	for _, ours := range []bool{false, true} {
		begin, end := "<!-- operators: mitmproxy -->\n", "<!-- end -->\n"
		if ours {
			begin = "<!-- operators: flowtool -->\n"
		}
		before, rest, found := strings.Cut(text, begin)
		table, after, ended := strings.Cut(rest, end)
		if !found || !ended {
			t.Fatalf("no %q and %q", begin, end)
		}
		want := operatorTable(ours)
		if *update {
			text = before + begin + want + end + after
		} else if table != want {
			t.Errorf("the table of operators differs (-document +table; go test -update rewrites it):\n%s", cmp.Diff(table, want))
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	checkFilterBlocks(t, text)
	checkFilterTables(t, text)
	readme := string(flowtest.Read(t, filepath.Join(filepath.Dir(flowtest.Path()), "README.md")))
	for _, m := range regexp.MustCompile("`~([a-z]+)").FindAllStringSubmatch(readme, -1) {
		if filter.Lookup(m[1]) == nil {
			t.Errorf("README.md mentions ~%s", m[1])
		}
	}
}

// operatorTable returns the table of operators, of mitmproxy's or of our own.
func operatorTable(ours bool) string {
	var b strings.Builder
	b.WriteString("| operator | true for | example |\n|---|---|---|\n")
	for _, o := range filter.Operators() {
		if o.Ours == ours {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", cell("`"+strings.TrimSpace(o.String()+" "+o.ArgName)+"`"), cell(o.Summary), cell("`"+o.Example+"`"))
		}
	}
	return b.String()
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// checkFilterBlocks checks that every line of a block marked filter is an
// expression that needs no warning. A comment may follow it.
func checkFilterBlocks(t *testing.T, text string) {
	n := 0
	for _, b := range parseBlocks(text) {
		if b.lang != "filter" {
			continue
		}
		for line := range strings.Lines(b.text) {
			text, _, _ := strings.Cut(strings.TrimSpace(line), "  # ")
			n++
			if e, err := filter.Parse(strings.TrimSpace(text), nil); err != nil {
				t.Error(err)
			} else if w := e.Warnings(); len(w) > 0 {
				t.Errorf("%s: %s", text, w[0].Msg)
			}
		}
	}
	if n == 0 {
		t.Error("no blocks marked filter")
	}
}

var code = regexp.MustCompile("`([^`]+)`")

// checkFilterTables checks the tables of expressions, which are known by their
// headings.
func checkFilterTables(t *testing.T, text string) {
	heading, rows := "", map[string]int{}
	parse := func(text string, mitmproxy bool) *filter.Expr {
		e, err := filter.Parse(text, &filter.Options{Mitmproxy: mitmproxy})
		if err != nil {
			t.Error(err)
			return nil
		}
		return e
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			heading = ""
			continue
		}
		if heading == "" {
			heading = line
		}
		var cells []string // the code in each
		for c := range strings.SplitSeq(strings.ReplaceAll(strings.Trim(line, "|"), `\|`, "\x00"), "|") {
			s := ""
			if m := code.FindStringSubmatch(strings.ReplaceAll(c, "\x00", "|")); m != nil {
				s = m[1]
			}
			cells = append(cells, s)
		}
		if cells[0] == "" {
			continue
		}
		rows[heading]++
		switch heading {
		case "| You write | It means |", "| You write | It means | You want |":
			if e := parse(cells[0], true); e != nil && e.String() != cells[1] {
				t.Errorf("%s means %s and not %s", cells[0], e, cells[1])
			}
			if len(cells) == 3 && cells[2] != "" {
				if e := parse(cells[2], false); e != nil && len(e.Warnings()) > 0 {
					t.Errorf("%s: %s", cells[2], e.Warnings()[0].Msg)
				}
			}
		case "| You write | Regular expression | It finds |":
			if e := parse(cells[0], true); e != nil && e.Root.(*filter.Op).Text != cells[1] {
				t.Errorf("%s has the regular expression %s and not %s", cells[0], e.Root.(*filter.Op).Text, cells[1])
			}
		case "| flowtool accepts | mitmproxy wants |":
			ours, theirs := parse(cells[0], false), parse(cells[1], true)
			if ours != nil && theirs != nil && (!ours.Extended || !filter.Equal(ours.Root, theirs.Root)) {
				t.Errorf("%s is not ours for %s", cells[0], cells[1])
			}
		default:
			delete(rows, heading)
		}
	}
	if len(rows) != 4 {
		t.Errorf("there are %d tables of expressions: %v", len(rows), rows)
	}
}

// jsonNames returns the names of the members that the JSON of a type has.
func jsonNames(typ reflect.Type) (names []string) {
	switch typ.Kind() {
	case reflect.Pointer, reflect.Slice:
		return jsonNames(typ.Elem())
	case reflect.Struct:
		for f := range typ.Fields() {
			if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && f.IsExported() {
				names = append(names, name)
				names = append(names, jsonNames(f.Type)...)
			}
		}
	}
	return names
}
