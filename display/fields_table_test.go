package display

import (
	"encoding/csv"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/contentview"
	"github.com/flowtool/flowtool/flow"
)

func newTable(t testing.TB, names string, opts *TableOptions) *Table {
	t.Helper()
	c, err := ParseColumns(names)
	if err != nil {
		t.Fatal(err)
	}
	return NewTable(c, opts)
}

func TestTable(t *testing.T) {
	f := everything()
	f.Request().TimestampStart = flow.Seconds(1700000002) // behind the end
	for _, tt := range []struct{ comment, csv, tsv, formulas string }{
		{"plain", "plain", "plain", "plain"},
		{"", "", "", ""},
		{"a,b", `"a,b"`, "a,b", `"a,b"`},
		{`say "hi"`, `"say ""hi"""`, `say "hi"`, `"say ""hi"""`},
		{`"`, `""""`, `'"`, `""""`},
		{`"a" b`, `"""a"" b"`, `'"a" b`, `"""a"" b"`},
		{`"=1`, `"""=1"`, `'"=1`, `"""=1"`},
		{`a\tb`, `a\tb`, `a\\tb`, `a\tb`},
		{`\`, `\`, `\\`, `\`},
		{"\\\t\\", "\"\\\t\\\"", `\\\t\\`, "\"\\\t\\\""},
		{`\xe9` + "\xe9", `\xe9\xe9`, `\\xe9\xe9`, `\xe9\xe9`},
		{"two\nlines\r\nand\rmore", "\"two\nlines\r\nand\\rmore\"", `two\nlines\r\nand\rmore`, "\"two\nlines\r\nand\\rmore\""},
		{"a\tb", "\"a\tb\"", `a\tb`, "\"a\tb\""},
		{" blanks ", `" blanks "`, " blanks ", `" blanks "`},
		{"é ☕", "é ☕", "é ☕", "é ☕"},
		{"caf\xe9\x00\x1b[2J\u202e", `caf\xe9\x00\x1b[2J\u{202e}`, `caf\xe9\x00\x1b[2J\u{202e}`, `caf\xe9\x00\x1b[2J\u{202e}`},
		{`=cmd|' /C calc'!A0`, `'=cmd|' /C calc'!A0`, `'=cmd|' /C calc'!A0`, `=cmd|' /C calc'!A0`},
		{`=HYPERLINK("http://a","b")`, `"'=HYPERLINK(""http://a"",""b"")"`, `'=HYPERLINK("http://a","b")`, `"=HYPERLINK(""http://a"",""b"")"`},
		{"+1", "'+1", "'+1", "+1"},
		{"-1", "'-1", "'-1", "-1"},
		{"@SUM(A1)", "'@SUM(A1)", "'@SUM(A1)", "@SUM(A1)"},
		{"\t=1", "\"'\t=1\"", `'\t=1`, "\"\t=1\""},
		{"\r=1", `"'\r=1"`, `'\r=1`, `"\r=1"`},
		{"\n", "\"'\n\"", `'\n`, "\"\n\""},
		{" =1", `"' =1"`, "' =1", `" =1"`},
		{"＝1", "'＝1", "'＝1", "＝1"},
		{"a=1", "a=1", "a=1", "a=1"},
	} {
		f.SetComment(tt.comment)
		for _, c := range []struct {
			opts *TableOptions
			want string
		}{
			{nil, "7," + tt.csv + ",-0.500000\r\n"},
			{&TableOptions{Format: TSV}, "7\t" + tt.tsv + "\t-0.500000\n"},
			{&TableOptions{Formulas: true}, "7," + tt.formulas + ",-0.500000\r\n"},
		} {
			table := newTable(t, "index,comment,duration", c.opts)
			if got := string(table.AppendRow(nil, Position{Index: 7}, f)); got != c.want {
				t.Errorf("%q with %+v: got %q, want %q", tt.comment, c.opts, got, c.want)
			}
		}
	}
}

func TestTableHeader(t *testing.T) {
	for _, tt := range []struct {
		names, want string
		opts        *TableOptions
	}{
		{"index, request.text,hnq:Host", "index,request_text,hnq:Host\r\n", nil},
		{"index,hns:a b", "index\thns:a b\n", &TableOptions{Format: TSV}},
		{`hns:a"b`, "\"hns:a\"\"b\"\r\n", nil},
		{`hns:a\b`, "hns:a\\\\b\n", &TableOptions{Format: TSV}},
	} {
		if got := string(newTable(t, tt.names, tt.opts).AppendHeader(nil)); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.names, got, tt.want)
		}
	}
}

// TestTSVWithFormulas: without apostrophes a cell is still one cell.
func TestTSVWithFormulas(t *testing.T) {
	f := everything()
	for comment, want := range map[string]string{`"a`: "\"a\n", "=1\t\\": `=1\t\\` + "\n"} {
		f.SetComment(comment)
		if got := string(newTable(t, "comment", &TableOptions{Format: TSV, Formulas: true}).AppendRow(nil, Position{}, f)); got != want {
			t.Errorf("%q: got %q, want %q", comment, got, want)
		}
	}
}

// TestOneEmptyCell: a row without anything in its only cell is not a blank line,
// which readers of CSV skip.
func TestOneEmptyCell(t *testing.T) {
	f := everything()
	f.SetComment("")
	if got := string(newTable(t, "comment", nil).AppendRow(nil, Position{}, f)); got != "\"\"\r\n" {
		t.Errorf("got %q", got)
	}
}

// FuzzTable: other programs read the cells that were written, of which none is a
// formula.
func FuzzTable(f *testing.F) {
	for _, s := range []string{"", "a", "=1", "\"", "a\"\r\n\"b", "\r", "\n", "\xff", " ", ",", "\u202e", "'=1", "＠", `\t`, "\t", `\\"`} {
		f.Add(s, "x")
		f.Add("", s)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		fl := everything()
		fl.SetComment(a)
		fl.SetMarked(b)
		table := newTable(t, "comment,marked,status,comment", nil)
		text := table.AppendRow(table.AppendHeader(nil), Position{}, fl)
		rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
		if err != nil {
			t.Fatalf("%v: %q", err, text)
		}
		cell := func(s string) string {
			// The reader drops the CR before an LF.
			s = strings.ReplaceAll(contentview.Escape(s, true), "\r\n", "\n")
			return s
		}
		want := [][]string{{"comment", "marked", "status", "comment"}, {cell(a), cell(b), "404", cell(a)}}
		if len(rows) == 2 {
			for i, c := range rows[1] {
				if c != "" && i < len(want[1]) && c != want[1][i] && c == "'"+want[1][i] {
					rows[1][i] = c[1:]
				} else if c != "" && strings.ContainsAny(c[:1], "=+-@\t\r\n") {
					t.Errorf("cell %q is a formula", c)
				}
			}
		}
		if d := cmp.Diff(want, rows); d != "" {
			t.Errorf("(-want +got):\n%s\n%q", d, text)
		}

		table = newTable(t, "comment,marked,status", &TableOptions{Format: TSV})
		line := string(table.AppendRow(nil, Position{}, fl))
		if strings.Count(line, "\t") != 2 || strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "\n") {
			t.Errorf("not a line of three cells: %q", line)
		}
		for i, c := range strings.Split(strings.TrimSuffix(line, "\n"), "\t") {
			if c != "" && strings.ContainsAny(c[:1], "=+-@\"\t\r\n") {
				t.Errorf("cell %q is not only text", c)
			}
			if want := []string{a, b, "404"}[i]; utf8.ValidString(want) && unescape(t, c) != want && unescape(t, c) != "'"+want {
				t.Errorf("%q becomes %q", want, c)
			}
		}
	})
}

// unescape returns the text that a cell of TSV stands for.
func unescape(t *testing.T, cell string) string {
	t.Helper()
	var b strings.Builder
	for rest := cell; ; {
		before, after, found := strings.Cut(rest, `\`)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		n := map[byte]int{'x': 3, 'u': len("u{0000}")}[(after + " ")[0]]
		n = max(n, 1)
		if len(after) < n {
			t.Fatalf("an escape without its end: %q", cell)
		}
		switch c := after[0]; c {
		case '\\':
			b.WriteByte(c)
		case 't', 'n', 'r':
			b.WriteByte(map[byte]byte{'t': '\t', 'n': '\n', 'r': '\r'}[c])
		case 'x', 'u':
			r, err := strconv.ParseUint(strings.Trim(after[1:n], "{}"), 16, 16)
			if err != nil {
				t.Fatalf("%v: %q", err, cell)
			}
			b.WriteRune(rune(r))
		default:
			t.Fatalf("an unknown escape: %q", cell)
		}
		rest = after[n:]
	}
}

func BenchmarkTable(b *testing.B) {
	f := everything()
	f.SetComment("two\nlines, \"quoted\"")
	for name, opts := range map[string]*TableOptions{"csv": nil, "tsv": {Format: TSV}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			table := newTable(b, DefaultColumns, opts)
			var buf []byte
			for b.Loop() {
				buf = table.AppendRow(buf[:0], Position{}, f)
			}
			b.SetBytes(int64(len(buf)))
		})
	}
}
