package main

import (
	"fmt"
	"strings"

	"github.com/flowtool/flowtool/display"
	"github.com/flowtool/flowtool/migrate"
)

// formatsHelp is the page "flowtool help formats".
func formatsHelp() string {
	var b strings.Builder
	b.WriteString(`flowtool finds out what a file is from its content; names do not matter.

  mitm    mitmproxy's flow dump, of every format version from 0.10 to 21
  jsonl   JSON Lines, a flow a line; convert reads and writes it, and
          read --json shows it (docs/jsonl.md)
  gzip    one of them in gzip, also several members in a row
  zstd    one of them in zstd, also several frames in a row

Dumps that were written one behind the other are read as one, also if their
versions differ. Everything is shown as format version 21 would have it; the
steps from version to version are in docs/format.md.

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
characters in a value are escaped; nothing is cut.`)
	return b.String()
}
