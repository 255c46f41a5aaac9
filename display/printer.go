package display

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flowtool/flowtool/contentview"
	"github.com/flowtool/flowtool/flow"
)

// Detail levels, as in mitmdump's flow_detail.
const (
	Nothing = iota // nothing at all
	Line           // one line
	Headers        // and connections, headers and trailers
	Bodies         // and bodies and messages, cut after Options.Lines lines
	Full           // the same, not cut
)

// Options say how flows are shown.
type Options struct {
	// Detail is how much is shown: Nothing to Full.
	Detail int
	// Color adds escape sequences for terminals.
	Color bool
	// Location is the time zone of times; nil means UTC.
	Location *time.Location
	// Canonical makes a text that is compared with others: it leaves out the numbers
	// of flows, so that one flow more does not change the lines of those behind it, and
	// has the size and a hash of what is not shown to its end, and a hash of the backup.
	Canonical bool
	// Width is the number of columns after which the line of a flow is cut; 0
	// means that it is not.
	Width int
	// Lines is the number of lines of a body or message that Bodies shows; 0
	// means 512.
	Lines int
	// MaxBody limits how many bytes of a body or message are shown, after its
	// Content-Encoding is undone; 0 means 16 MiB.
	MaxBody int64
}

// Printer renders flows. It is not safe for concurrent use.
type Printer struct {
	opts  Options
	clock clock
	tmp   []byte

	// Where the URL and the content type of the line at hand are.
	urlStart, urlEnd, typeStart, typeEnd int
}

// NewPrinter returns a Printer.
func NewPrinter(opts Options) *Printer {
	if opts.Location == nil {
		opts.Location = time.UTC
	}
	if opts.Lines <= 0 {
		opts.Lines = 512
	}
	if opts.MaxBody <= 0 {
		opts.MaxBody = 16 << 20
	}
	c := clock{loc: opts.Location, format: clockFormat}
	if opts.Width > 0 && opts.Width < narrow {
		c.format = narrowFormat
	}
	return &Printer{opts: opts, clock: c}
}

// Append appends f at the level of detail of p. index is the number shown.
func (p *Printer) Append(dst []byte, index int64, f flow.Flow) []byte {
	switch {
	case p.opts.Detail <= Nothing:
		return dst
	case p.opts.Detail == Line:
		return p.line(dst, index, f)
	}
	return p.details(p.line(dst, index, f), f)
}

// narrow is the width below which the lines on a terminal have no date, to
// leave room for the URL.
const narrow = 110

// row is what the columns of a line are filled with.
type row struct {
	kind, status           string
	kindStyle, statusStyle style
	size                   int64 // -1 if it is not known
	end                    flow.Timestamp
	seconds                float64 // from the start of the flow to end
	hasSeconds             bool
}

// kindWidth is the width of the column for methods and protocols; OPTIONS and
// CONNECT fill it.
const kindWidth = 7

// line appends the line of a flow. Its columns are number, time, method or
// protocol, status, size and duration.
func (p *Printer) line(dst []byte, index int64, f flow.Flow) []byte {
	start := len(dst)
	r := rowOf(f)
	dst = p.begin(dst, dim)
	if !p.opts.Canonical {
		p.tmp = strconv.AppendInt(p.tmp[:0], index, 10)
		dst = append(padLeft(dst, p.tmp, 4), ' ')
	}
	dst = append(p.end(p.clock.append(dst, f.TimestampStart()), dim), ' ')

	dst = p.begin(dst, r.kindStyle)
	mark := len(dst)
	dst = contentview.AppendEscaped(dst, []byte(r.kind), false)
	for len(dst)-mark < kindWidth {
		dst = append(dst, ' ')
	}
	dst = append(p.end(dst, r.kindStyle), ' ')
	dst = p.begin(dst, r.statusStyle)
	dst = append(p.end(padRight(dst, r.status, 4), r.statusStyle), ' ')

	p.tmp = append(p.tmp[:0], '-')
	if r.size >= 0 {
		p.tmp = AppendSize(p.tmp[:0], r.size)
	}
	dst = append(padLeft(dst, p.tmp, 6), ' ')
	p.tmp = append(p.tmp[:0], '-')
	if r.hasSeconds {
		p.tmp = AppendDuration(p.tmp[:0], r.seconds)
	}
	dst = append(padLeft(dst, p.tmp, 6), ' ')

	if m := f.Marked(); m != "" {
		dst = append(contentview.AppendEscaped(dst, []byte(flow.MarkerGlyph(m)), false), ' ')
	}
	p.urlStart, p.urlEnd, p.typeStart, p.typeEnd = start, start, start, start
	switch f := f.(type) {
	case *flow.HTTP:
		dst = p.httpSubject(dst, f)
	case *flow.DNS:
		dst = p.dnsSubject(dst, f)
	case *flow.TCP:
		dst = p.streamSubject(dst, f, f.Messages())
	case *flow.UDP:
		dst = p.streamSubject(dst, f, f.Messages())
	}
	dst = p.notes(dst, f)
	if p.opts.Width > 0 {
		dst = p.fit(dst, start)
	}
	return append(dst, '\n')
}

// minURL is how many columns of a URL are shown however narrow the terminal.
const minURL = 24

// fit cuts the line that begins at start to the width of the terminal: first
// the content type, then the URL, because the notes behind them tell of errors.
func (p *Printer) fit(dst []byte, start int) []byte {
	if columns(dst[start:]) > p.opts.Width && p.typeEnd > p.typeStart {
		dst = slices.Delete(dst, p.typeStart, p.typeEnd)
	}
	url := dst[p.urlStart:p.urlEnd]
	if over := columns(dst[start:]) - p.opts.Width; over > 0 && len(url) > 0 {
		keep := max(columns(url)-over, minURL)
		short := cut(bytes.Clone(url), 0, keep)
		dst = slices.Replace(dst, p.urlStart, p.urlEnd, short...)
	}
	return cut(dst, start, p.opts.Width)
}

func httpRow(f *flow.HTTP) row {
	req, resp := f.Request(), f.Response()
	r := row{kind: strings.ToUpper(req.Method), kindStyle: methodStyle(req.Method), size: -1, status: "-"}
	ws := f.WebSocket()
	switch {
	case resp != nil:
		r.status, r.statusStyle = strconv.Itoa(resp.StatusCode), statusStyle(resp.StatusCode)
		if !resp.Body.IsMissing() {
			r.size = resp.Body.Len()
		}
		r.end = resp.TimestampEnd
	case f.Error() != nil:
		r.status, r.statusStyle = "ERR", red
		r.end = f.Error().Timestamp
	}
	if ws != nil {
		r.kind, r.kindStyle = "WS", cyan
		r.size = 0
		for i := range ws.Messages {
			r.size += ws.Messages[i].Content.Len()
		}
		r.end = ws.TimestampEnd
	}
	r.seconds, r.hasSeconds = between(req.TimestampStart, r.end)
	return r
}

// between returns the time from one moment to another. 0 stands for a moment that
// is not known: migrations write it, and mitmproxy reads it as now.
func between(from, to flow.Timestamp) (seconds float64, ok bool) {
	return to.Unix() - from.Unix(), !from.IsNull() && !to.IsNull() && from.Unix() != 0 && to.Unix() != 0
}

func (p *Printer) httpSubject(dst []byte, f *flow.HTTP) []byte {
	url := f.PrettyURL()
	dst = p.begin(dst, bold)
	p.urlStart = len(dst)
	dst = contentview.AppendEscaped(dst, []byte(url), false)
	p.urlEnd = len(dst)
	dst = p.end(dst, bold)
	if resp := f.Response(); resp != nil && f.WebSocket() == nil {
		if t := mediaType(resp.Headers.Get("Content-Type")); t != "" {
			p.typeStart = len(dst)
			dst = append(p.begin(append(dst, ' '), dim), '[')
			dst = contentview.AppendEscaped(dst, []byte(t), false)
			dst = p.end(append(dst, ']'), dim)
			p.typeEnd = len(dst)
		}
	}
	if ws := f.WebSocket(); ws != nil {
		var out, in int
		for i := range ws.Messages {
			if ws.Messages[i].FromClient {
				out++
			} else {
				in++
			}
		}
		dst = appendCounts(dst, out, in)
		switch {
		case ws.CloseCode != 0:
			dst = append(dst, ", closed "...)
			dst = strconv.AppendInt(dst, int64(ws.CloseCode), 10)
		case ws.ClosedByClient == nil:
			dst = append(dst, ", open"...)
		}
	}
	return dst
}

// appendCounts appends the numbers of messages sent and received.
func appendCounts(dst []byte, out, in int) []byte {
	dst = append(dst, " ↑"...)
	dst = strconv.AppendInt(dst, int64(out), 10)
	dst = append(dst, " ↓"...)
	return strconv.AppendInt(dst, int64(in), 10)
}

// mediaType returns the type of a Content-Type without parameters.
func mediaType(contentType string) string {
	t, _, _ := strings.Cut(contentType, ";")
	return strings.TrimSpace(t)
}

func streamRow(f flow.Flow, messages []flow.Message) row {
	r := row{kind: strings.ToUpper(f.Type()), kindStyle: cyan, status: "-"}
	if f.Error() != nil {
		r.status, r.statusStyle = "ERR", red
	}
	for i := range messages {
		r.size += messages[i].Content.Len()
	}
	r.end = f.ServerConn().TimestampEnd
	if r.end.IsNull() {
		r.end = f.ClientConn().TimestampEnd
	}
	if n := len(messages); n > 0 && r.end.IsNull() {
		r.end = messages[n-1].Timestamp
	}
	r.seconds, r.hasSeconds = between(f.TimestampStart(), r.end)
	return r
}

func (p *Printer) streamSubject(dst []byte, f flow.Flow, messages []flow.Message) []byte {
	dst = p.endpoints(dst, f)
	var out, in int
	for i := range messages {
		if messages[i].FromClient {
			out++
		} else {
			in++
		}
	}
	return appendCounts(dst, out, in)
}

// endpoints appends who talks to whom.
func (p *Printer) endpoints(dst []byte, f flow.Flow) []byte {
	dst = contentview.AppendEscaped(dst, []byte(f.ClientConn().Peername.String()), false)
	dst = append(dst, " → "...)
	dst = p.begin(dst, bold)
	server := f.ServerConn()
	addr := server.Address
	if addr == nil {
		addr = server.Peername
	}
	return p.end(contentview.AppendEscaped(dst, []byte(addr.String()), false), bold)
}

func dnsRow(f *flow.DNS) row {
	r := row{kind: "DNS", kindStyle: cyan, status: "-", size: -1}
	if resp := f.Response(); resp != nil {
		r.end = resp.Timestamp
		r.seconds, r.hasSeconds = between(f.Request().Timestamp, r.end)
	} else if f.Error() != nil {
		r.status, r.statusStyle = "ERR", red
	}
	return r
}

func (p *Printer) dnsSubject(dst []byte, f *flow.DNS) []byte {
	req := f.Request()
	if req.OpCode != 0 {
		dst = append(append(dst, flow.DNSOpCodeName(req.OpCode)...), ' ')
	}
	if len(req.Questions) == 0 {
		dst = append(dst, "no question"...)
	}
	for i, q := range req.Questions {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(append(dst, flow.DNSTypeName(q.Type)...), ' ')
		dst = p.begin(dst, bold)
		dst = p.end(contentview.AppendEscaped(dst, []byte(dnsName(q.Name)), false), bold)
	}
	resp := f.Response()
	if resp == nil {
		return dst
	}
	dst = append(dst, " → "...)
	if resp.ResponseCode != 0 || len(resp.Answers) == 0 {
		s := plain
		if resp.ResponseCode != 0 {
			s = red
		}
		return p.styled(dst, s, flow.DNSResponseCodeName(resp.ResponseCode))
	}
	for i := range resp.Answers {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = contentview.AppendEscaped(dst, []byte(resp.Answers[i].Text()), false)
	}
	return dst
}

// dnsName returns a name to show; the root is a dot.
func dnsName(name string) string {
	if name == "" {
		return "."
	}
	return name
}

// notes appends what is unusual about a flow.
func (p *Printer) notes(dst []byte, f flow.Flow) []byte {
	if side := f.IsReplay(); side != "" {
		dst = p.note(dst, yellow, side+" replayed")
	}
	if f.BackupState() != nil {
		dst = p.note(dst, yellow, "edited")
	}
	if f.Intercepted() {
		dst = p.note(dst, yellow, "intercepted")
	}
	if f, ok := f.(*flow.HTTP); ok {
		if _, pushed := f.MetadataValue("h2-pushed-stream"); pushed {
			dst = p.note(dst, plain, "pushed")
		}
		if r := f.Response(); r != nil && r.Body.IsMissing() {
			dst = p.note(dst, plain, "body missing")
		} else if f.Request().Body.IsMissing() {
			dst = p.note(dst, plain, "request body missing")
		}
	}
	if c := f.Comment(); c != "" {
		dst = p.note(dst, plain, "# "+c)
	}
	if e := f.Error(); e != nil {
		dst = p.note(dst, redBold, "error: "+e.Msg)
	}
	return dst
}

func (p *Printer) note(dst []byte, s style, text string) []byte {
	dst = append(dst, "  "...)
	dst = p.begin(dst, s)
	return p.end(contentview.AppendEscaped(dst, []byte(text), false), s)
}
