package flowdiff

import (
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/flowtool/flowtool/contentview"
)

// TextOptions say how reports are shown to people.
type TextOptions struct {
	// Color adds escape sequences for terminals.
	Color bool
	// Location is the time zone of times; nil means UTC.
	Location *time.Location
}

// AppendText appends r for people: a line that names the flow, then its changes,
// each on a line that begins with + (added), - (removed), ~ (changed) or > (moved),
// and the lines of texts that differ as in a unified diff. What was captured is
// escaped. Of a value or line that is long, about 1000 bytes are shown, those where it
// differs from the other one.
//
// Changes that are [Change.Progress] are put together in one line. The error is
// that of reading a value that is not in memory.
func (r *Report) AppendText(dst []byte, opts *TextOptions) ([]byte, error) {
	p := printer{dst: dst}
	if opts != nil {
		p.opts = *opts
	}
	if p.opts.Location == nil {
		p.opts.Location = time.UTC
	}
	p.head(r)
	var later []string
	for k := range r.Changes {
		c := &r.Changes[k]
		if c.Progress {
			later = append(later, string(c.Path))
			continue
		}
		if err := p.change(c); err != nil {
			return dst, err
		}
	}
	p.later(later)
	return p.dst, nil
}

// AppendStat appends one line: how many values were added, removed, changed and
// moved, and which flow it is.
func (r *Report) AppendStat(dst []byte) []byte {
	if word := r.word(); word != "" {
		dst = append(append(dst, word...), ": "...)
		return append(appendRef(dst, r), '\n')
	}
	var n [Moved + 1]int
	for _, c := range r.Changes {
		if !c.Progress {
			n[c.Kind]++
		}
	}
	for k, sign := range []byte{Added: '+', Removed: '-', Changed: '~', Moved: '>'} {
		if sign > 0 {
			dst = strconv.AppendInt(append(dst, sign), int64(n[k]), 10)
			dst = append(dst, ' ')
		}
	}
	return append(appendRef(dst, r), '\n')
}

// appendRef appends the numbers and the title of the flows of r.
func appendRef(dst []byte, r *Report) []byte {
	dst = append(dst, "flow "...)
	ref := r.ref()
	if r.A != nil && r.A.Index != ref.Index {
		dst = append(strconv.AppendInt(dst, r.A.Index, 10), " -> "...)
	}
	dst = append(strconv.AppendInt(dst, ref.Index, 10), ": "...)
	return contentview.AppendEscaped(dst, []byte(ref.Title), false)
}

// The styles of a printer, as parameters of SGR sequences.
const (
	styleHead    = "1"
	styleHunk    = "36"
	styleLater   = "2"
	styleAdded   = "32"
	styleRemoved = "31"
	styleChanged = "33"
	styleMoved   = "34"
)

var kindStyles = [...]struct {
	sign  byte
	style string
}{Added: {'+', styleAdded}, Removed: {'-', styleRemoved}, Changed: {'~', styleChanged}, Moved: {'>', styleMoved}}

// A printer appends the text of a report.
type printer struct {
	dst  []byte
	opts TextOptions
}

func (p *printer) begin(style string) {
	if p.opts.Color {
		p.dst = append(append(append(p.dst, "\x1b["...), style...), 'm')
	}
}

func (p *printer) end() {
	if p.opts.Color {
		p.dst = append(p.dst, "\x1b[0m"...)
	}
}

func (p *printer) text(s ...string) {
	for _, s := range s {
		p.dst = append(p.dst, s...)
	}
}

func (p *printer) escaped(s string) {
	p.dst = contentview.AppendEscaped(p.dst, []byte(s), false)
}

func (p *printer) head(r *Report) {
	p.begin(styleHead)
	if word := r.word(); word != "" {
		p.text(word, ": ")
	}
	p.dst = appendRef(p.dst, r)
	p.end()
	p.text("\n")
}

func (p *printer) later(paths []string) {
	if len(paths) == 0 {
		return
	}
	p.begin(styleLater)
	p.text("  after the backup:")
	for k, path := range paths {
		if k > 0 {
			p.text(",")
		}
		p.text(" ")
		p.escaped(path)
	}
	p.end()
	p.text("\n")
}

func (p *printer) change(c *Change) error {
	k := kindStyles[c.Kind]
	p.begin(k.style)
	p.text("  ", string(k.sign), " ")
	p.escaped(string(c.Path))
	p.end()
	p.text(": ")
	if c.From != "" {
		p.text("(from ")
		p.escaped(string(c.From))
		p.text(") ")
	}
	if err := p.what(c); err != nil {
		return err
	}
	if c.Note != "" {
		p.text(" (", c.Note, ")")
	}
	p.text("\n")
	if c.Body != nil {
		p.hunks(c.Body)
	}
	return nil
}

// what appends what was changed into what.
func (p *printer) what(c *Change) error {
	if delta, ok := c.Delta(); ok && delta != 0 {
		p.delta(delta)
		return nil
	}
	switch {
	case c.Body != nil:
		p.body(c.Body)
	case c.Kind == Moved:
		p.text("moved, position ", c.Old.String(), " -> ", c.New.String())
	case c.Kind == Added:
		return (&valuePrinter{printer: p, c: c, differ: nowhere}).value(c.New)
	case c.Kind == Removed:
		return (&valuePrinter{printer: p, c: c, differ: nowhere}).value(c.Old)
	default:
		return p.values(c)
	}
	return nil
}

// delta appends a difference of times to the microsecond, which is what they have.
func (p *printer) delta(seconds float64) {
	if math.IsInf(seconds, 0) || math.IsNaN(seconds) {
		p.text("another time")
		return
	}
	if seconds > 0 {
		p.text("+")
	}
	p.dst = strconv.AppendFloat(p.dst, seconds, 'f', 6, 64)
	p.text("s")
}

func (p *printer) body(b *Body) {
	if b.Hunks != nil {
		p.text("text, ")
	}
	p.size(b.Old.Size)
	if b.Old == b.New {
		return
	}
	p.text(" -> ")
	p.size(b.New.Size)
	if b.Hunks == nil {
		p.text(", first difference at ", strconv.FormatInt(b.Offset, 10))
		p.text(", sha256 ", shortSum(b.Old), " -> ", shortSum(b.New))
	}
}

// shortSum returns enough of a hash to tell contents apart.
func shortSum(c Content) string { return hex.EncodeToString(c.SHA256[:6]) }

func (p *printer) hunks(b *Body) {
	for _, h := range b.Hunks {
		p.begin(styleHunk)
		p.text("    @@ -")
		p.span(h.OldStart, h.OldLines)
		p.text(" +")
		p.span(h.NewStart, h.NewLines)
		p.text(" @@")
		p.end()
		p.text("\n")
		for lines := h.Lines; len(lines) > 0; {
			removed := linesOf(lines, '-')
			added := linesOf(lines[len(removed):], '+')
			n := len(removed) + len(added)
			if n == 0 {
				n = 1
				p.line(lines[0], "", b.FinalNewline)
			}
			for k, l := range removed {
				p.line(l, textAt(added, k), b.FinalNewline)
			}
			for k, l := range added {
				p.line(l, textAt(removed, k), b.FinalNewline)
			}
			lines = lines[n:]
		}
	}
}

// linesOf returns the lines with a sign that lines begin with.
func linesOf(lines []Line, op byte) []Line {
	n := 0
	for n < len(lines) && lines[n].Op == op {
		n++
	}
	return lines[:n]
}

// textAt returns the text of line k, "" if there is none.
func textAt(lines []Line, k int) string {
	if k < len(lines) {
		return lines[k].Text
	}
	return ""
}

// line appends a line, from where it differs from other, the one in its place, if it is
// long. With end set, it is told if it has no line feed.
func (p *printer) line(l Line, other string, end bool) {
	differ := nowhere
	if other != "" && len(l.Text) > maxShown {
		differ = commonPrefix([]byte(l.Text), []byte(other))
	}
	text := strings.TrimSuffix(l.Text, "\n")
	switch l.Op {
	case '-':
		p.begin(styleRemoved)
	case '+':
		p.begin(styleAdded)
	default:
		// A carriage return at the end is shown only where it may matter.
		text = strings.TrimSuffix(text, "\r")
	}
	p.text("    ", string(l.Op))
	p.escaped(cutText(text, differ))
	if l.Op != ' ' {
		p.end()
	}
	p.text("\n")
	if end && !strings.HasSuffix(l.Text, "\n") {
		p.text("    \\ no line feed at the end\n")
	}
}

func (p *printer) span(start, n int) {
	p.dst = strconv.AppendInt(p.dst, int64(start), 10)
	if n != 1 {
		p.dst = strconv.AppendInt(append(p.dst, ','), int64(n), 10)
	}
}
