package flowdiff

import (
	"bytes"
	"io"
	"strconv"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/state"
)

// maxShown is how many bytes of one value are shown.
const maxShown = 1000

// value appends one side of a change.
func (p *printer) value(c *Change, v state.Value) error {
	switch v.Kind() {
	case state.KindText, state.KindBytes:
		return p.string(c, v)
	case state.KindFloat, state.KindInt:
		if n, err := v.Number(); err == nil && isTime(c.Path) {
			if t := flow.Seconds(n).Time(); !t.IsZero() {
				p.dst = t.In(p.opts.Location).AppendFormat(p.dst, "2006-01-02T15:04:05.000000Z07:00")
				return nil
			}
		}
	case state.KindMap:
		if done, err := p.part(c, v); done || err != nil {
			return err
		}
	}
	start := len(p.dst)
	var err error
	if p.dst, err = appendValue(p.dst, v, plainPair(c.Old, c.New)); err != nil {
		return err
	}
	p.cut(start)
	return nil
}

// string appends a text or byte string. Between text and bytes there is no
// difference to people, unless that is what changed.
func (p *printer) string(c *Change, v state.Value) error {
	r, err := v.Reader()
	if err != nil {
		return err
	}
	buf := make([]byte, min(v.Len(), maxShown))
	if _, err := io.ReadFull(r, buf); err != nil {
		return err
	}
	if bytes.HasPrefix(buf, []byte("-----BEGIN CERTIFICATE")) {
		return p.certificate(v)
	}
	if v.Kind() == state.KindBytes && isBinary(buf, "") {
		p.text("binary, ")
		p.size(v.Len())
		return nil
	}
	if v.Kind() == state.KindBytes && !plainPair(c.Old, c.New) {
		p.text("bytes ")
	}
	p.text(`"`)
	p.escaped(string(buf))
	if v.Len() > maxShown {
		p.text("…")
	}
	p.text(`"`)
	if v.Len() > maxShown {
		p.text(", ")
		p.size(v.Len())
	}
	return nil
}

func (p *printer) certificate(v state.Value) error {
	b, err := v.Bytes()
	if err != nil {
		return err
	}
	cert, err := flow.NewCertificate(b).Parse()
	if err != nil {
		p.text("certificate that cannot be parsed, ")
		p.size(v.Len())
		return nil
	}
	p.text("certificate ")
	p.escaped(cert.Subject.String())
	p.text(" serial ", cert.SerialNumber.Text(16))
	return nil
}

// part appends a part of a flow in a few words; done is false if v is none.
func (p *printer) part(c *Change, v state.Value) (done bool, err error) {
	m, err := v.Map()
	if err != nil {
		return false, err
	}
	switch inFlow(c.Path) {
	case "/backup":
		p.text("a backup")
		return true, nil
	case "/response":
		code, ok := m.Get("status_code")
		content, _ := m.Get("content")
		if ok && code.Kind() == state.KindInt {
			p.text("status ", code.String(), ", ")
			p.size(content.Len())
			return true, nil
		}
	}
	return false, nil
}

func (p *printer) size(n int64) {
	p.dst = strconv.AppendInt(p.dst, n, 10)
	if n == 1 {
		p.text(" byte")
	} else {
		p.text(" bytes")
	}
}

// cut shortens what was appended since start.
func (p *printer) cut(start int) {
	if len(p.dst)-start > maxShown {
		end := start + maxShown
		for end > start && p.dst[end]&0xc0 == 0x80 {
			end--
		}
		p.dst = append(p.dst[:end], "…"...)
	}
}
