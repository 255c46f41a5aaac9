package display

import (
	"bytes"
	"strings"

	"github.com/flowtool/flowtool/contentview"
	"github.com/flowtool/flowtool/flow"
)

// A TableFormat is how a [Table] separates its cells.
type TableFormat int

const (
	// CSV is RFC 4180: commas between cells, CR LF behind rows, and quotes around
	// cells that need them.
	CSV TableFormat = iota
	// TSV has tabs between cells and LF behind rows. There are no quotes: tabs and
	// line ends in a cell are written \t, \n and \r, and a backslash \\.
	TSV
)

// A Table writes columns for spreadsheets and other programs: a header, and a row
// for each flow.
//
// Cells are UTF-8. Bytes that are not, and characters that act on a terminal,
// are escaped as everywhere in this package; in CSV, tabs and line ends stay in
// their cell, but for a CR that no LF follows. A backslash is doubled in TSV only,
// because no reader of CSV expects that: there, an escape may also be text that looks
// like one.
//
// A cell of text that begins with =, +, -, @, a tab or a line end gets an
// apostrophe before it, because a spreadsheet would take it for a formula, which
// can run programs and send data. The same goes for such a sign behind white space
// and for the full-width ones. In TSV the same goes for a cell that begins with a
// quote, behind which a spreadsheet would look for another one in the cells that
// follow. Numbers stay as they are.
//
// The methods may be called by several goroutines at once, for different flows.
type Table struct {
	columns *Columns
	opts    TableOptions
}

// TableOptions are the options of a [Table]. A nil pointer and zero fields mean
// the defaults.
type TableOptions struct {
	Format TableFormat
	// Formulas leaves cells without the apostrophe, for programs that take none for
	// a formula and, in TSV, know no quotes.
	Formulas bool
}

// NewTable returns a table of columns.
func NewTable(columns *Columns, opts *TableOptions) *Table {
	t := &Table{columns: columns}
	if opts != nil {
		t.opts = *opts
	}
	return t
}

// AppendHeader appends the row with the names of the columns.
func (t *Table) AppendHeader(dst []byte) []byte {
	for i, f := range t.columns.fields {
		dst = t.separate(dst, i)
		mark := len(dst)
		dst = t.finish(append(dst, f.Name...), mark, false)
	}
	return t.end(dst)
}

// AppendRow appends the row of f, which was read at pos.
func (t *Table) AppendRow(dst []byte, pos Position, f flow.Flow) []byte {
	cell := cell{pos, f}
	for i := range t.columns.fields {
		dst = t.separate(dst, i)
		mark := len(dst)
		field := &t.columns.fields[i]
		dst = t.finish(field.append(dst, &cell), mark, field.number)
	}
	return t.end(dst)
}

// separate appends what is before the cell with number i.
func (t *Table) separate(dst []byte, i int) []byte {
	switch {
	case i == 0:
		return dst
	case t.opts.Format == TSV:
		return append(dst, '\t')
	}
	return append(dst, ',')
}

// end appends the end of a row.
func (t *Table) end(dst []byte) []byte {
	if t.opts.Format == TSV {
		return append(dst, '\n')
	}
	return append(dst, '\r', '\n')
}

// finish replaces the value that begins at mark by the cell for it.
func (t *Table) finish(dst []byte, mark int, number bool) []byte {
	value := dst[mark:]
	defused := !number && !t.opts.Formulas && t.isActive(value)
	if isPlainCell(value) && !defused {
		if len(value) == 0 && t.opts.Format == CSV && len(t.columns.fields) == 1 {
			dst = append(dst, `""`...) // a line of nothing would be no row
		}
		return dst
	}
	value = bytes.Clone(value)
	dst = dst[:mark]
	csv := t.opts.Format == CSV
	quoted := csv && needsQuotes(value)
	if quoted {
		dst = append(dst, '"')
	}
	if defused {
		dst = append(dst, '\'')
	}
	doubled := byte('\\') // the character that stands for itself twice
	if csv {
		doubled = '"'
	}
	for {
		i := bytes.IndexByte(value, doubled)
		if i < 0 {
			break
		}
		dst = contentview.AppendEscaped(dst, value[:i], csv)
		dst = append(dst, doubled, doubled)
		value = value[i+1:]
	}
	dst = contentview.AppendEscaped(dst, value, csv)
	if quoted {
		dst = append(dst, '"')
	}
	return dst
}

// isActive tells whether a spreadsheet might do something with value other than
// show it.
func (t *Table) isActive(value []byte) bool {
	return isFormula(value) || t.opts.Format == TSV && bytes.HasPrefix(value, []byte{'"'})
}

// isPlainCell tells whether value is written as it is in every format.
func isPlainCell(value []byte) bool {
	for _, c := range value {
		if c < ' ' || c > '~' || c == '"' || c == ',' || c == '\\' {
			return false
		}
	}
	return len(value) == 0 || value[0] != ' ' && value[len(value)-1] != ' '
}

// needsQuotes tells whether value needs quotes in CSV. Blanks at its ends are
// dropped by some readers.
func needsQuotes(value []byte) bool {
	return bytes.ContainsAny(value, ",\"\t\r\n") || bytes.HasPrefix(value, []byte{' '}) || bytes.HasSuffix(value, []byte{' '})
}

// isFormula tells whether a spreadsheet might take value for a formula.
func isFormula(value []byte) bool {
	rest := bytes.TrimLeft(value, "\t\r\n \u00a0\u3000\ufeff")
	if len(rest) < len(value) && strings.IndexByte("\t\r\n", value[0]) >= 0 {
		return true
	}
	for _, sign := range []string{"=", "+", "-", "@", "＝", "＋", "－", "＠"} {
		if bytes.HasPrefix(rest, []byte(sign)) {
			return true
		}
	}
	return false
}
