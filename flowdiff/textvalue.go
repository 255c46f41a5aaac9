package flowdiff

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/state"
)

const (
	// maxShown is how many bytes of one value, or of a line, are shown.
	maxShown = 1000
	// around is how many of them are before what differs, or behind it, where the
	// beginning of a value does not show the difference.
	around = 200
	// maxHex is how many bytes are shown as hexadecimal digits.
	maxHex = 64
)

// values appends both sides of a change, from where they differ if they are long.
func (p *printer) values(c *Change) error {
	v := valuePrinter{printer: p, c: c, differ: nowhere}
	switch {
	case c.isNumber(c.Old) && c.isNumber(c.New), c.Old.Kind() >= state.KindList && c.New.Kind() >= state.KindList:
		return p.exactly(c)
	case isString(c.Old) && isString(c.New):
		x, err1 := asBytes(c.Old)
		y, err2 := asBytes(c.New)
		if err := cmp.Or(err1, err2); err != nil {
			return err
		}
		var err error
		if v.differ, err = firstDifference(x, y); err != nil {
			return err
		}
		if v.differ == x.Len() && v.differ == y.Len() {
			v.differ = nowhere // one is text, the other bytes
		}
	}
	if err := v.value(c.Old); err != nil {
		return err
	}
	p.text(" -> ")
	if err := v.value(c.New); err != nil {
		return err
	}
	if v.partial {
		p.text(", first difference at ", strconv.FormatInt(v.differ, 10))
	}
	return nil
}

// exactly appends two numbers, or two lists or maps, where other words for them, such
// as the date that a number stands for, might be the same.
func (p *printer) exactly(c *Change) error {
	old, err := jsonText(c, c.Old)
	if err != nil {
		return err
	}
	now, err := jsonText(c, c.New)
	if err != nil {
		return err
	}
	differ := commonPrefix(old, now)
	p.text(cutText(string(old), differ), " -> ", cutText(string(now), differ))
	x, err1 := c.Old.Number()
	y, err2 := c.New.Number()
	if err1 == nil && err2 == nil && x == y && c.Old.Kind() != c.New.Kind() {
		p.text(", the same number")
	}
	return nil
}

func isString(v state.Value) bool {
	return v.Kind() == state.KindText || v.Kind() == state.KindBytes
}

// asBytes returns a text as a byte string.
func asBytes(v state.Value) (state.Value, error) {
	if v.Kind() == state.KindBytes {
		return v, nil
	}
	b, err := v.TextBytes()
	return state.Bytes(b), err
}

// isNumber tells whether one side of c is a number.
func (c *Change) isNumber(v state.Value) bool {
	return v.Kind() == state.KindInt || v.Kind() == state.KindFloat || c.isSpelled(v)
}

// isSpelled tells whether v is a number of JSON that no float stands for.
func (c *Change) isSpelled(v state.Value) bool { return c.inJSON && v.Kind() == state.KindBytes }

// A valuePrinter appends the values of a change.
type valuePrinter struct {
	*printer
	c *Change
	// differ is the offset from which on two strings are not the same, or nowhere.
	differ int64
	// partial tells that the difference is not plain to see.
	partial bool
}

const nowhere = -1

// value appends one side of a change.
func (p *valuePrinter) value(v state.Value) error {
	switch kind := v.Kind(); {
	case p.c.isSpelled(v):
	case kind == state.KindText || kind == state.KindBytes:
		return p.string(v)
	case kind == state.KindFloat || kind == state.KindInt:
		if n, err := v.Number(); err == nil && isTime(p.c.Path) {
			if t := flow.Seconds(n).Time(); !t.IsZero() {
				p.dst = t.In(p.opts.Location).AppendFormat(p.dst, "2006-01-02T15:04:05.000000Z07:00")
				return nil
			}
		}
	case kind == state.KindMap:
		if done, err := p.part(p.c, v); done || err != nil {
			return err
		}
	}
	text, err := jsonText(p.c, v)
	p.text(cutText(string(text), nowhere))
	return err
}

// jsonText returns one side of a change as JSON has it.
func jsonText(c *Change, v state.Value) ([]byte, error) {
	if v.Kind() == state.KindInt {
		return []byte(v.String()), nil // however large it is
	}
	if c.inJSON {
		return appendJSON(nil, v)
	}
	return appendValue(nil, v, plainPair(c.Old, c.New))
}

// appendJSON appends a value of a JSON text, with all digits of its numbers.
func appendJSON(dst []byte, v state.Value) ([]byte, error) {
	switch v.Kind() {
	case state.KindInt:
		return append(dst, v.String()...), nil
	case state.KindBytes: // see jsonNumber
		b, err := v.Bytes()
		return append(dst, b...), err
	case state.KindList:
		l, err := v.List()
		if err != nil {
			return dst, err
		}
		dst = append(dst, '[')
		for i, e := range l.All() {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = appendJSON(dst, e); err != nil {
				return dst, err
			}
		}
		return append(dst, ']'), nil
	case state.KindMap:
		m, err := v.Map()
		if err != nil {
			return dst, err
		}
		dst = append(dst, '{')
		for i := range m.Len() {
			if i > 0 {
				dst = append(dst, ',')
			}
			e := m.Entry(i)
			if dst, err = appendJSON(dst, e.Key); err != nil {
				return dst, err
			}
			if dst, err = appendJSON(append(dst, ':'), e.Value); err != nil {
				return dst, err
			}
		}
		return append(dst, '}'), nil
	}
	return appendValue(dst, v, false)
}

// string appends a text or byte string. Between text and bytes there is no
// difference to people, unless that is what changed.
func (p *valuePrinter) string(v state.Value) error {
	start, err := readPart(v, 0)
	if err != nil {
		return err
	}
	if strings.HasPrefix(start, "-----BEGIN CERTIFICATE") {
		return p.certificate(v)
	}
	if v.Kind() == state.KindBytes && isBinary([]byte(start), "") {
		return p.binary(v, start)
	}
	if v.Kind() == state.KindBytes && !plainPair(p.c.Old, p.c.New) {
		p.text("bytes ")
	}
	from := shownFrom(p.differ, v.Len())
	part := start
	if from > 0 {
		p.partial = true
		if part, err = readPart(v, from); err != nil {
			return err
		}
	}
	p.text(`"`)
	p.escaped(ellipses(part, from > 0, from+int64(len(part)) < v.Len()))
	p.text(`"`)
	if v.Len() > maxShown {
		p.text(", ")
		p.size(v.Len())
	}
	return nil
}

// binary appends a byte string that is no text.
func (p *valuePrinter) binary(v state.Value, start string) error {
	if v.Len() <= maxHex {
		p.text("hex ", hex.EncodeToString([]byte(start)))
		return nil
	}
	p.text("binary, ")
	p.size(v.Len())
	if p.differ == nowhere {
		return nil
	}
	p.partial = true
	c, err := contentOf(v)
	p.text(", sha256 ", shortSum(c))
	return err
}

// readPart returns what is shown of a string from an offset on.
func readPart(v state.Value, from int64) (string, error) {
	r, err := v.Reader()
	if err != nil {
		return "", err
	}
	if _, err := io.CopyN(io.Discard, r, min(from, v.Len())); err != nil {
		return "", err
	}
	buf := make([]byte, min(max(v.Len()-from, 0), maxShown))
	_, err = io.ReadFull(r, buf)
	return string(buf), err
}

// shownFrom returns where what is shown of a text of some size begins, if it differs
// from another at an offset.
func shownFrom(differ, size int64) int64 {
	if size <= maxShown || differ <= maxShown-around {
		return 0
	}
	return differ - around
}

// cutText returns what is shown of a text that differs from another at an offset, or
// nowhere.
func cutText(s string, differ int) string {
	from := min(int(shownFrom(int64(differ), int64(len(s)))), len(s))
	to := min(from+maxShown, len(s))
	return ellipses(s[from:to], from > 0, to < len(s))
}

// ellipses adds ellipses to a part of a text, in place of what is left of a character
// that was cut.
func ellipses(s string, before, behind bool) string {
	if before {
		n := 0
		for n < min(utf8.UTFMax, len(s)) && !utf8.RuneStart(s[n]) {
			n++
		}
		s = "…" + s[n:]
	}
	if behind {
		for n := 1; n < min(utf8.UTFMax, len(s)); n++ {
			if last := s[len(s)-n:]; utf8.RuneStart(last[0]) {
				if !utf8.FullRuneInString(last) {
					s = s[:len(s)-n]
				}
				break
			}
		}
		s += "…"
	}
	return s
}

func (p *valuePrinter) certificate(v state.Value) error {
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
	if p.differ != nowhere {
		sum := sha256.Sum256(cert.Raw)
		p.text(" sha256 ", hex.EncodeToString(sum[:6]))
	}
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
