package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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

// TestReadmeIsComplete looks for all commands and all of info --json.
func TestReadmeIsComplete(t *testing.T) {
	readme := string(flowtest.Read(t, filepath.Join(filepath.Dir(flowtest.Path()), "README.md")))
	names := jsonNames(reflect.TypeFor[infoReport]())
	for _, c := range newRootCmd(osApp()).Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	for _, name := range names {
		if !strings.Contains(readme, "`"+name+"`") {
			t.Errorf("README.md does not mention `%s`", name)
		}
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
