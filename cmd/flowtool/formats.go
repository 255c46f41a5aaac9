package main

import (
	"fmt"
	"strings"

	"github.com/flowtool/flowtool/display"
	"github.com/flowtool/flowtool/formats"
	"github.com/flowtool/flowtool/migrate"
)

// formatsHelp is the page "flowtool help formats".
func formatsHelp() string {
	var b strings.Builder
	b.WriteString(`flowtool finds out what a file is from its content; names do not matter, and
--from overrules it. What it writes is --to, else what the name of the output asks
for, else what the input is.

`)
	for _, f := range formats.All() {
		use := "read and written"
		switch {
		case !f.CanWrite():
			use = "read"
		case !f.CanRead():
			use = "written"
		}
		fmt.Fprintf(&b, "  %-13s %-29s %s\n", f.Name, strings.Join(f.Exts, " "), use)
		fmt.Fprintf(&b, "  %-13s %s\n", "", f.Doc)
	}
	b.WriteString(`
Each of them may be in gzip or zstd, also in several members or frames in a row;
output whose name ends in .gz or .zst is compressed.

Inputs that were written one behind the other are read as one, also if the
versions of their flows differ. Everything is shown as format version 21 would
have it, and written in the version that it has; migrate and --format-version
change that. The steps from version to version are in docs/format.md.

Format versions and the mitmproxy releases that write and read them:

`)
	fmt.Fprintf(&b, "  %-8s %-26s %s\n", "version", "written by", "read by")
	for _, v := range migrate.Versions() {
		fmt.Fprintf(&b, "  %-8s %-26s %s\n", v, v.WrittenBy(), v.ReadBy())
	}
	return strings.TrimRight(b.String(), "\n")
}

// fieldsHelp is the page "flowtool help fields".
func fieldsHelp() string {
	var b strings.Builder
	b.WriteString("The columns that \"flowtool read --fields\" can show:\n\n")
	for _, f := range display.Fields() {
		fmt.Fprintf(&b, "  %-17s %s\n", f.Name, f.Doc)
	}
	b.WriteString(`
A field that a flow does not have is empty. Tabs, line ends and control
characters in a value are escaped. Nothing is cut, but texts of bodies end
where the list says so.

The formats csv and tsv have the same columns. In tsv, a backslash is written
\\, so that it is never mistaken for an escape. In csv it stands for itself,
as everywhere in CSV: \x00 may be a control character or these four letters.
Tabs and line ends stay in their cell in csv, but for a CR without LF. Text
that a spreadsheet would take for a formula or, in tsv, for the start of a
quoted cell has an apostrophe before it, unless --formulas is given.`)
	return b.String()
}
