package har

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/coding"
	"github.com/flowtool/flowtool/state"
)

// A body is what an entry has of a body.
type body struct {
	text     int   // node; none if it was left out
	base64   bool  // text is in base64
	size     int64 // without content codings; negative if unknown
	mimeType string
	side     string // "request" or "response"
	path     string
}

// requestBody returns the body of a request: empty if nothing was posted, missing
// if it is known that something was left out.
func (im *importer) requestBody(request int, q *flow.Request) flow.Body {
	size, ok := im.integer(im.get(request, "bodySize"))
	if !ok {
		size = -1
	}
	post := im.get(request, "postData")
	im.want(im.is(post, '{'), post, "/request/postData", "an object")
	b := body{size: size, side: "request", path: "/request/postData/text", mimeType: im.text(post, "mimeType")}
	if b.text = im.get(post, "_textB64"); b.text >= 0 {
		b.base64 = true
		return im.body(&b, &q.HTTPMessage)
	}
	if b.text = im.get(post, "text"); b.text >= 0 {
		b.base64 = im.isBase64(post)
		return im.body(&b, &q.HTTPMessage)
	}
	if params := im.get(post, "params"); params >= 0 {
		if data, ok := im.form(params, q, b.mimeType); ok {
			return flow.NewBody(data)
		}
	}
	if size > 0 || im.rawComment(request) == notCaptured {
		return flow.Body{}
	}
	return flow.NewBody(nil)
}

// keepSize adds a size to the metadata if it is not that of the body.
func (im *importer) keepSize(object int, key, path string, b flow.Body) {
	size, ok := im.integer(im.get(object, key))
	if ok && size >= 0 && (b.IsMissing() || size != b.Len()) && (size > 0 || !b.IsMissing()) {
		im.keep(path+key, state.Int(size))
	}
}

// rawComment returns the comment of an object.
func (im *importer) rawComment(object int) string {
	s, _ := im.scalar(im.get(object, "comment"))
	return string(s)
}

// responseBody returns the body of a response, missing if it was left out.
func (im *importer) responseBody(response, content int, s *flow.Response) flow.Body {
	size, ok := im.integer(im.get(content, "size"))
	if !ok {
		size = -1
	}
	b := body{
		text: im.get(content, "text"), base64: im.isBase64(content), size: size,
		mimeType: im.text(content, "mimeType"), side: "response", path: "/response/content/text",
	}
	if b.text >= 0 {
		return im.body(&b, &s.HTTPMessage)
	}
	if size == 0 && im.rawComment(content) == "" {
		return flow.NewBody(nil)
	}
	return flow.Body{}
}

// isBase64 tells whether the text of an object is in base64.
func (im *importer) isBase64(object int) bool {
	s, _ := im.scalar(im.get(object, "encoding"))
	return bytes.EqualFold(s, []byte("base64"))
}

// body returns the bytes of a body. What HAR shows is without content codings and
// in Unicode, so headers that say something else are changed; as they were, they
// are in the metadata.
func (im *importer) body(b *body, m *flow.HTTPMessage) flow.Body {
	text, ok := im.scalar(b.text)
	if !ok {
		im.want(false, b.text, b.path, "a string")
		return flow.Body{}
	}
	changed := im.keepLines(m)
	if b.base64 {
		data, ok := decodeBase64(text)
		if !ok {
			im.note(b.path, "not base64; the text is kept as metadata")
			im.keep(strings.ReplaceAll(b.path[1:], "/", "."), textValue(text))
			return flow.Body{}
		}
		im.undoCodings(b, m, data)
		changed(b.side)
		return flow.NewBody(data)
	}
	contentType := m.Headers.Get("Content-Type")
	if contentType == "" {
		contentType = b.mimeType
	}
	data, fits := encodeText(text, contentType, b.size)
	if !fits && m.Headers.Has("Content-Type") {
		m.Headers.Set("Content-Type", withUTF8(contentType))
	}
	im.undoCodings(b, m, data)
	changed(b.side)
	return flow.NewBody(data)
}

// keepLines returns a function that notes which lines about the body were changed
// since.
func (im *importer) keepLines(m *flow.HTTPMessage) func(side string) {
	var before []flow.Header
	for _, line := range m.Headers.All() {
		if strings.EqualFold(line.Name, "Content-Encoding") || strings.EqualFold(line.Name, "Content-Length") ||
			strings.EqualFold(line.Name, "Content-Type") {
			before = append(before, line)
		}
	}
	return func(side string) {
		var changed []state.Value
		for _, old := range before {
			if m.Headers.Get(old.Name) != old.Value {
				changed = append(changed, state.NewList(textValue(old.Name), textValue(old.Value)).Value())
			}
		}
		if len(changed) > 0 {
			im.keep(side+".originalHeaders", state.NewList(changed...).Value())
		}
	}
}

// undoCodings makes the headers of a message fit a body without content codings,
// unless data still have them, or they are unknown.
func (im *importer) undoCodings(b *body, m *flow.HTTPMessage, data []byte) {
	codings := m.Headers.Get("Content-Encoding")
	if codings == "" || len(data) == 0 || isCoded(codings, data, b.size) {
		return
	}
	m.Headers.Del("Content-Encoding")
	if m.Headers.Has("Content-Length") {
		m.Headers.Set("Content-Length", strconv.Itoa(len(data)))
	}
}

// isCoded tells whether data are as they were transferred. Most programs show them
// without their codings, of which size is the length.
func isCoded(codings string, data []byte, size int64) bool {
	rest, err := coding.Decode(codings, nil, 1) // looks at the names only
	if _, unknown := errors.AsType[*coding.UnknownError](err); unknown || rest != nil {
		return true
	}
	for _, magic := range []string{"\x1f\x8b", "\x28\xb5\x2f\xfd"} {
		if bytes.HasPrefix(data, []byte(magic)) {
			return true
		}
	}
	if size == int64(len(data)) {
		return false
	}
	decoded, err := coding.Decode(codings, data, 0)
	_, large := errors.AsType[*coding.LimitError](err)
	return large || err == nil && len(decoded) > 0
}

// decodeBase64 decodes base64 in either alphabet, with or without padding, in
// lines or not.
func decodeBase64(text []byte) (data []byte, ok bool) {
	data, err := base64.StdEncoding.AppendDecode(nil, text)
	if err == nil {
		return data, true
	}
	clean := make([]byte, 0, len(text))
	for _, c := range text {
		switch c {
		case ' ', '\t', '\r', '\n', '=':
			continue
		case '-':
			c = '+'
		case '_':
			c = '/'
		}
		clean = append(clean, c)
	}
	data, err = base64.RawStdEncoding.AppendDecode(data[:0], clean)
	return data, err == nil
}

// encodeText returns the bytes whose text is text. size is their number, negative
// if it is unknown. fits is false if the charset that contentType names does not
// have all characters; the result is UTF-8 then.
func encodeText(text []byte, contentType string, size int64) (data []byte, fits bool) {
	lower := strings.ToLower(contentType)
	charset := "utf-8"
	switch declared := strings.Contains(lower, "charset"); {
	case declared:
		_, name, err := coding.Text(nil, contentType)
		if err == nil {
			charset = name
		}
	case isPlain(text):
		return text, true
	case declaresInside(lower):
		if head := text[:min(len(text), 64<<10)]; namesCharset(head) {
			_, charset, _ = coding.Text(head, contentType)
		}
		fallthrough
	default:
		// A browser takes what declares nothing for windows-1252. The size tells.
		if charset == "utf-8" && !isUTF8Type(lower) && size >= 0 && size != int64(len(text)) && size == int64(utf8.RuneCount(text)) {
			if data, err := charmap.Windows1252.NewEncoder().Bytes(text); err == nil {
				return data, true
			}
		}
	}
	if charset == "utf-8" || !utf8.Valid(text) {
		return text, true // bytes that are not text stand for themselves
	}
	enc := encodingNamed(charset)
	if enc == nil {
		return text, true
	}
	data, err := enc.NewEncoder().Bytes(text)
	if err != nil {
		return text, false
	}
	return data, true
}

// isUTF8Type tells whether content of a media type is UTF-8 unless it says
// otherwise.
func isUTF8Type(mediaType string) bool {
	return strings.Contains(mediaType, "json") || strings.Contains(mediaType, "javascript") || strings.Contains(mediaType, "ecmascript")
}

// namesCharset tells whether text may be a document that names its own charset:
// looking for the name itself takes longer.
func namesCharset(text []byte) bool {
	for i, c := range text {
		if c |= 0x20; c == 'c' && hasFold(text[i:], "charset") || c == 'e' && hasFold(text[i:], "encoding") {
			return true
		}
	}
	return false
}

// hasFold tells whether b begins with a prefix in ASCII, in any case.
func hasFold(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && bytes.EqualFold(b[:len(prefix)], []byte(prefix))
}

// withUTF8 returns a content type with the charset utf-8.
func withUTF8(contentType string) string {
	kind, params, _ := strings.Cut(contentType, ";")
	out := strings.TrimSpace(kind)
	for p := range strings.SplitSeq(params, ";") {
		name, _, _ := strings.Cut(p, "=")
		if p = strings.TrimSpace(p); p != "" && !strings.EqualFold(strings.TrimSpace(name), "charset") {
			out += "; " + p
		}
	}
	return out + "; charset=utf-8"
}

// form returns the body that the parameters of a form make. ok is false if it
// cannot be made without inventing something.
func (im *importer) form(params int, q *flow.Request, mimeType string) (data []byte, ok bool) {
	const path = "/request/postData/params"
	if contentType := q.Headers.Get("Content-Type"); contentType != "" {
		mimeType = contentType
	}
	kind, attributes, err := mime.ParseMediaType(mimeType)
	boundary := attributes["boundary"]
	switch {
	case !im.is(params, '['):
		im.want(false, params, path, "an array")
		return nil, false
	case len(im.nodes) > params && im.nodes[params].next == params+1:
		return nil, false // empty
	case err == nil && kind == "multipart/form-data":
		if boundary == "" {
			im.note(path, "a multipart form without boundary")
			break
		}
		if data, ok := im.multipart(params, boundary); ok {
			return data, true
		}
		im.note(path, "the content of a file is missing")
	default:
		return []byte(im.pairs(params, path)), true
	}
	im.keep("request.postData.params", im.value(params, 0))
	return nil, false
}

// multipart returns a body of the type multipart/form-data.
func (im *importer) multipart(params int, boundary string) (data []byte, ok bool) {
	var b bytes.Buffer
	quote := strings.NewReplacer(`"`, "%22", "\r", "%0D", "\n", "%0A")
	for _, p := range im.elements(params) {
		name, _ := im.scalar(im.get(p, "name"))
		value, ok := im.scalar(im.get(p, "value"))
		file := im.get(p, "fileName")
		if !ok && file >= 0 {
			return nil, false
		}
		fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; name=\"%s\"", boundary, quote.Replace(string(name)))
		if s, ok := im.scalar(file); ok {
			fmt.Fprintf(&b, "; filename=\"%s\"", quote.Replace(string(s)))
		}
		if s, _ := im.scalar(im.get(p, "contentType")); len(s) > 0 {
			fmt.Fprintf(&b, "\r\nContent-Type: %s", s)
		}
		fmt.Fprintf(&b, "\r\n\r\n%s\r\n", value)
	}
	fmt.Fprintf(&b, "--%s--\r\n", boundary)
	return b.Bytes(), true
}
