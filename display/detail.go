package display

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/flowtool/flowtool/contentview"
	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/state"
)

// details appends what the levels from Headers on show below the line, and an
// empty line.
func (p *Printer) details(dst []byte, f flow.Flow) []byte {
	dst = p.about(dst, f)
	switch f := f.(type) {
	case *flow.HTTP:
		dst = p.request(dst, f.Request())
		if r := f.Response(); r != nil {
			dst = p.response(dst, r)
		}
		if ws := f.WebSocket(); ws != nil {
			dst = p.webSocket(dst, ws)
		}
	case *flow.TCP:
		dst = p.messages(dst, f, f.Messages())
	case *flow.UDP:
		dst = p.messages(dst, f, f.Messages())
	case *flow.DNS:
		dst = p.dns(dst, "query", f.Request())
		if r := f.Response(); r != nil {
			dst = p.dns(dst, "answer", r)
		}
	}
	return append(dst, '\n')
}

const indent = "    "

// about appends the facts that are neither request nor response.
func (p *Printer) about(dst []byte, f flow.Flow) []byte {
	dst = p.fact(dst, "id", f.ID())
	dst = p.fact(dst, "client", p.connText(f.ClientConn().Peername.String(), &f.ClientConn().Conn))
	server := f.ServerConn()
	if server.Address != nil || server.Peername != nil {
		text := server.Address.String()
		if server.Address == nil {
			text = server.Peername.String()
		} else if server.Peername != nil && *server.Peername != *server.Address {
			text += " (" + server.Peername.String() + ")"
		}
		if via := server.Via; via != nil {
			text += fmt.Sprintf(" via %s://%s", via.Scheme, (&flow.Address{Host: via.Host, Port: via.Port}).String())
		}
		dst = p.fact(dst, "server", p.connText(text, &server.Conn))
	}
	if mode := f.ClientConn().ProxyMode; mode != "" && mode != "regular" {
		dst = p.fact(dst, "mode", mode)
	}
	if m := f.Marked(); m != "" {
		dst = p.fact(dst, "marked", m)
	}
	if c := f.Comment(); c != "" {
		dst = p.fact(dst, "comment", c)
	}
	for k, v := range f.Metadata().All() {
		name, err := k.Text()
		if err != nil {
			name = k.String()
		}
		dst = p.fact(dst, "meta", name+" = "+valueText(v, 3))
	}
	if e := f.Error(); e != nil {
		dst = append(dst, indent...)
		dst = p.begin(dst, redBold)
		dst = contentview.AppendEscaped(append(dst, "error    "...), []byte(e.Msg), false)
		dst = append(p.end(dst, redBold), '\n')
	}
	if b := f.BackupState(); b != nil && p.opts.Canonical {
		text, err := tnetstring.Canonical(b.Value())
		if err != nil {
			return p.fact(dst, "backup", err.Error())
		}
		dst = p.fact(dst, "backup", fmt.Sprintf("sha256 %x", sha256.Sum256(text)))
	}
	return dst
}

// connText describes a connection: who, and how it is protected.
func (p *Printer) connText(who string, c *flow.Conn) string {
	if c.TLSVersion != "" {
		who += "  " + c.TLSVersion
	}
	if c.ALPN != "" {
		who += "  " + c.ALPN
	}
	if c.Cipher != "" {
		who += "  " + c.Cipher
	}
	if c.SNI != "" {
		who += "  sni " + c.SNI
	}
	if c.Error != "" {
		who += "  error: " + c.Error
	}
	return who
}

func (p *Printer) fact(dst []byte, name, text string) []byte {
	dst = append(dst, indent...)
	dst = append(p.end(padRight(p.begin(dst, dim), name, 8), dim), ' ')
	return append(contentview.AppendEscaped(dst, []byte(text), false), '\n')
}

// valueText renders a value of the metadata; levels limits its nesting.
func valueText(v state.Value, levels int) string {
	elems, err := v.Elements(nil)
	if err != nil || levels == 0 {
		return v.String()
	}
	var b bytes.Buffer
	if v.Kind() == state.KindList {
		b.WriteByte('[')
		for i, e := range elems {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(valueText(e, levels-1))
		}
		b.WriteByte(']')
		return b.String()
	}
	b.WriteByte('{')
	for i := 0; i < len(elems); i += 2 {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(elems[i].String() + ": " + valueText(elems[i+1], levels-1))
	}
	b.WriteByte('}')
	return b.String()
}

// Arrows stand before what the client sent and before what it got.
const (
	sent     = "  > "
	received = "  < "
)

func (p *Printer) request(dst []byte, r *flow.Request) []byte {
	dst = p.begin(append(dst, sent...), bold)
	dst = contentview.AppendEscaped(dst, []byte(r.Method+" "+requestTarget(r)+" "+r.HTTPVersion), false)
	dst = append(p.end(dst, bold), '\n')
	return p.message(dst, sent, &r.HTTPMessage)
}

// requestTarget returns the target of the request line. That of HTTP/2 and 3,
// which have no such line, is put together from scheme, authority and path.
func requestTarget(r *flow.Request) string {
	switch {
	case r.IsConnect():
		return r.Authority
	case r.Authority != "":
		return r.Scheme + "://" + r.Authority + r.Path
	}
	return r.Path
}

func (p *Printer) response(dst []byte, r *flow.Response) []byte {
	s := statusStyle(r.StatusCode)
	dst = contentview.AppendEscaped(append(dst, received...), []byte(r.HTTPVersion), false)
	dst = p.begin(append(dst, ' '), s)
	dst = strconv.AppendInt(dst, int64(r.StatusCode), 10)
	if reason := r.ReasonPhrase(); reason != "" {
		dst = contentview.AppendEscaped(append(dst, ' '), []byte(latin1(reason)), false)
	}
	dst = append(p.end(dst, s), '\n')
	return p.message(dst, received, &r.HTTPMessage)
}

// latin1 decodes the reason phrase, which HTTP defines as ISO-8859-1.
func latin1(s string) string {
	for i := range len(s) {
		if s[i] >= 0x80 {
			r := make([]rune, len(s))
			for i := range len(s) {
				r[i] = rune(s[i])
			}
			return string(r)
		}
	}
	return s
}

func (p *Printer) message(dst []byte, arrow string, m *flow.HTTPMessage) []byte {
	dst = p.headers(dst, m.Headers.All())
	if p.opts.Detail >= Bodies {
		dst = p.body(dst, m)
	}
	if m.Trailers.Len() > 0 {
		// Not indented as bodies are, so that no body can look like it.
		dst = append(p.styled(append(dst, arrow...), magenta, "trailers"), '\n')
		dst = p.headers(dst, m.Trailers.All())
	}
	return dst
}

func (p *Printer) headers(dst []byte, h []flow.Header) []byte {
	for i := range h {
		dst = p.begin(append(dst, indent...), blue)
		dst = contentview.AppendEscaped(dst, []byte(h[i].Name), false)
		dst = append(p.end(dst, blue), ':')
		if h[i].Value != "" {
			dst = contentview.AppendEscaped(append(dst, ' '), []byte(h[i].Value), false)
		}
		dst = append(dst, '\n')
	}
	return dst
}

// body appends the body of an HTTP message, decoded.
func (p *Printer) body(dst []byte, m *flow.HTTPMessage) []byte {
	if m.Body.IsMissing() {
		return p.remark(dst, "body missing: streamed, cut short or removed")
	}
	if m.Body.Len() == 0 {
		return dst
	}
	return p.content(append(dst, '\n'), m.Body, m.Headers.Get("Content-Encoding"), m.Headers.Get("Content-Type"))
}

// load returns what is shown of a body, at most Options.MaxBody bytes with
// encoding undone, and a note on what was done to it and what is missing. whole tells
// that nothing is.
func (p *Printer) load(body flow.Body, encoding string) (data []byte, note string, whole bool) {
	most := p.opts.MaxBody
	data, err := body.Decoded(encoding, most)
	switch {
	case err == nil && encoding != "" && int64(len(data)) != body.Len():
		note = fmt.Sprintf("%s: %d bytes became %d", encoding, body.Len(), len(data))
	case err == nil:
	case errors.Is(err, state.ErrElided):
		return nil, fmt.Sprintf("body of %d bytes was not kept", body.Len()), false
	case data == nil:
		note = codingText(err) + "; shown as it is"
		if data, err = body.Decoded("", most); err != nil && data == nil {
			return nil, err.Error(), false
		}
	case errors.Is(err, io.ErrUnexpectedEOF):
		note = codingText(err)
	case strings.TrimSpace(encoding) != "":
		note = fmt.Sprintf("%s: more comes out than the %s that --max-body allows", encoding, sizeText(most))
	}
	if int64(len(data)) > most || note == "" && err != nil {
		data = data[:min(int64(len(data)), most)]
		note = fmt.Sprintf("the first %s of %s, as --max-body allows", sizeText(most), sizeText(body.Len()))
		return data, note, false
	}
	return data, note, err == nil
}

// codingText returns what went wrong with a content coding, without the name of
// the package that says so.
func codingText(err error) string { return strings.TrimPrefix(err.Error(), "coding: ") }

func sizeText(n int64) string { return string(AppendSize(nil, n)) }

// content appends a body or message: remarks on how it is shown, then its text.
func (p *Printer) content(dst []byte, body flow.Body, encoding, contentType string) []byte {
	data, note, whole := p.load(body, encoding)
	dst, all := p.view(dst, data, contentType, note)
	if p.opts.Canonical && !(whole && all) {
		dst = p.sum(dst, body)
	}
	return dst
}

// sum appends size and hash of a body or message.
func (p *Printer) sum(dst []byte, body flow.Body) []byte {
	h := sha256.New()
	r, err := body.Reader()
	if err == nil {
		_, err = io.Copy(h, r)
	}
	if err != nil {
		return p.remark(dst, err.Error())
	}
	return p.remark(dst, fmt.Sprintf("%d bytes, sha256 %x", body.Len(), h.Sum(nil)))
}

// view appends data as the text that people read; all tells that no line is missing.
func (p *Printer) view(dst, data []byte, contentType, note string) (_ []byte, all bool) {
	var view contentview.View
	if len(data) > 0 {
		view = contentview.Render(data, contentType)
	}
	for _, n := range []string{note, view.Note} {
		if n != "" {
			dst = p.remark(dst, n)
		}
	}
	text := strings.TrimRight(view.Text, "\r\n")
	most := -1
	if p.opts.Detail < Full {
		most = p.opts.Lines
	}
	for n := 0; text != ""; n++ {
		if n == most {
			left := strings.Count(text, "\n") + 1
			return p.remark(dst, fmt.Sprintf("%d more lines; -d 4 shows them", left)), false
		}
		var line string
		line, text, _ = strings.Cut(text, "\n")
		if line = strings.TrimSuffix(line, "\r"); line != "" {
			dst = contentview.AppendEscaped(append(dst, indent...), []byte(line), true)
		}
		dst = append(dst, '\n')
	}
	return dst, true
}

// remark appends a line about what follows, or about what is missing.
func (p *Printer) remark(dst []byte, text string) []byte {
	dst = append(p.begin(append(dst, indent...), dim), '[')
	dst = contentview.AppendEscaped(dst, []byte(text), false)
	return append(p.end(append(dst, ']'), dim), '\n')
}

func (p *Printer) webSocket(dst []byte, ws *flow.WebSocket) []byte {
	for i := range ws.Messages {
		m := &ws.Messages[i]
		kind := "binary"
		if m.IsText() {
			kind = "text"
		}
		if m.Injected {
			kind += ", injected"
		}
		if m.Dropped {
			kind += ", dropped"
		}
		dst = p.messageLine(dst, m.FromClient, kind, m.Timestamp, m.Content)
	}
	if ws.ClosedByClient == nil && ws.CloseCode == 0 {
		return dst
	}
	dst = append(dst, "  closed by "...)
	if ws.ClosedByClient != nil && *ws.ClosedByClient {
		dst = append(dst, "client"...)
	} else {
		dst = append(dst, "server"...)
	}
	if ws.CloseCode != 0 {
		dst = strconv.AppendInt(append(dst, ": "...), int64(ws.CloseCode), 10)
		if name := closeName(ws.CloseCode); name != "" {
			dst = append(append(dst, ' '), name...)
		}
	}
	if ws.CloseReason != "" {
		dst = contentview.AppendEscaped(append(dst, ", "...), []byte(ws.CloseReason), false)
	}
	return append(dst, '\n')
}

// closeName returns what a close code of RFC 6455 and its registry means.
func closeName(code int) string {
	switch code {
	case 1000:
		return "normal closure"
	case 1001:
		return "going away"
	case 1002:
		return "protocol error"
	case 1003:
		return "unsupported data"
	case 1005:
		return "no status received"
	case 1006:
		return "abnormal closure"
	case 1007:
		return "invalid payload data"
	case 1008:
		return "policy violation"
	case 1009:
		return "message too big"
	case 1010:
		return "mandatory extension"
	case 1011:
		return "internal error"
	case 1012:
		return "service restart"
	case 1013:
		return "try again later"
	case 1014:
		return "bad gateway"
	case 1015:
		return "TLS handshake failed"
	}
	return ""
}

func (p *Printer) messages(dst []byte, f flow.Flow, messages []flow.Message) []byte {
	kind := f.Type()
	if f.ClientConn().TLSVersion == "QUICv1" {
		kind = quicKind(f)
	}
	for i := range messages {
		m := &messages[i]
		dst = p.messageLine(dst, m.FromClient, kind, m.Timestamp, m.Content)
	}
	return dst
}

// quicKind names what a flow over QUIC is, with its stream numbers.
func quicKind(f flow.Flow) string {
	if f.Type() == "udp" {
		return "quic datagram"
	}
	id := func(key string) string {
		v, ok := f.MetadataValue(key)
		if !ok || v.IsNull() {
			return "-"
		}
		return v.String()
	}
	return fmt.Sprintf("quic stream %s/%s", id("quic_stream_id_client"), id("quic_stream_id_server"))
}

// messageLine appends a message of a WebSocket, TCP or UDP flow: one line, and
// from Bodies on its content.
func (p *Printer) messageLine(dst []byte, fromClient bool, kind string, at flow.Timestamp, body flow.Body) []byte {
	arrow := received
	if fromClient {
		arrow = sent
	}
	dst = p.begin(append(dst, arrow...), bold)
	dst = append(p.end(append(dst, kind...), bold), ", "...)
	dst = AppendSize(dst, body.Len())
	dst = append(p.begin(append(dst, "  "...), dim), "at "...)
	dst = append(p.end(p.clock.appendMillis(dst, at), dim), '\n')
	if p.opts.Detail < Bodies {
		return dst
	}
	return p.content(dst, body, "", "")
}

func (p *Printer) dns(dst []byte, what string, m *flow.DNSMessage) []byte {
	arrow := sent
	if !m.Query {
		arrow = received
	}
	dst = p.begin(append(dst, arrow...), bold)
	dst = append(dst, what...)
	dst = append(p.end(dst, bold), ' ')
	dst = append(dst, flow.DNSOpCodeName(m.OpCode)...)
	dst = append(append(dst, ' '), flow.DNSResponseCodeName(m.ResponseCode)...)
	dst = strconv.AppendInt(append(dst, "  id "...), int64(m.ID), 10)
	for _, flag := range []struct {
		set  bool
		name string
	}{
		{m.AuthoritativeAnswer, "authoritative"}, {m.Truncation, "truncated"},
		{m.RecursionDesired, "recursion desired"}, {m.RecursionAvailable, "recursion available"},
	} {
		if flag.set {
			dst = append(append(dst, ", "...), flag.name...)
		}
	}
	dst = append(dst, '\n')
	for _, q := range m.Questions {
		dst = p.fact(dst, "question", dnsSubject(q.Type, q.Class, q.Name))
	}
	for _, section := range []struct {
		name    string
		records []flow.DNSRecord
	}{{"answer", m.Answers}, {"auth", m.Authorities}, {"extra", m.Additionals}} {
		for i := range section.records {
			r := &section.records[i]
			if r.Type == dnsOPT { // its class and TTL are no such thing
				dst = p.fact(dst, section.name, "OPT "+r.Text())
				continue
			}
			dst = p.fact(dst, section.name, fmt.Sprintf("%s %ds %s", dnsSubject(r.Type, r.Class, r.Name), r.TTL, r.Text()))
		}
	}
	return dst
}

const (
	dnsOPT      = 41 // type of the pseudo record of EDNS
	dnsInternet = 1  // class of nearly everything
)

// dnsSubject returns type, class unless it is the usual one, and name.
func dnsSubject(typ, class int, name string) string {
	s := flow.DNSTypeName(typ)
	if class != dnsInternet {
		s += " " + flow.DNSClassName(class)
	}
	return s + " " + dnsName(name)
}
