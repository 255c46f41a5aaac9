package har

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

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
func (im *importer) requestBody(request int, q *newMessage) {
	size, ok := im.integer(im.get(request, "bodySize"))
	if !ok {
		size = -1
	}
	post := im.get(request, "postData")
	im.want(im.is(post, '{'), post, "/request/postData", "an object")
	b := body{size: size, side: "request", path: "/request/postData/text", mimeType: im.text(post, "/request/postData/mimeType")}
	switch b.text = im.get(post, "_textB64"); {
	case b.text >= 0:
		b.base64 = true
	default:
		b.text = im.get(post, "text")
		b.base64 = im.isBase64(post)
	}
	if b.text >= 0 {
		im.body(&b, q)
		return
	}
	if params := im.get(post, "params"); params >= 0 {
		if q.body = im.form(params, q, b.mimeType); q.body != nil {
			return
		}
	}
	if size <= 0 && im.rawComment(request) != notCaptured {
		q.body = []byte{}
	}
}

// keepSize adds a size to the metadata if it is not that of the body.
func (im *importer) keepSize(object int, key, path string, body []byte) {
	size, ok := im.integer(im.get(object, key))
	if ok && size >= 0 && size != int64(len(body)) {
		im.keep(path+key, state.Int(size))
	}
}

// rawComment returns the comment of an object.
func (im *importer) rawComment(object int) string {
	s, _ := im.scalar(im.get(object, "comment"))
	return string(s)
}

// responseBody returns the body of a response, missing if it was left out.
func (im *importer) responseBody(response, content int, s *newMessage) {
	size, ok := im.integer(im.get(content, "size"))
	if !ok {
		size = -1
	}
	b := body{
		text: im.get(content, "text"), base64: im.isBase64(content), size: size,
		mimeType: im.text(content, "/response/content/mimeType"), side: "response", path: "/response/content/text",
	}
	if b.text >= 0 {
		im.body(&b, s)
	} else if size == 0 && im.rawComment(content) == "" {
		s.body = []byte{}
	}
}

// isBase64 tells whether the text of an object is in base64.
func (im *importer) isBase64(object int) bool {
	s, _ := im.scalar(im.get(object, "encoding"))
	return bytes.EqualFold(s, []byte("base64"))
}

// body sets the bytes of a body. What HAR shows is without content codings and
// in Unicode, so headers that say something else are changed; as they were, they
// are in the metadata.
func (im *importer) body(b *body, m *newMessage) {
	text, ok := im.scalar(b.text)
	if !ok {
		im.want(false, b.text, b.path, "a string")
		return
	}
	var data []byte
	if b.base64 {
		if data, ok = im.document.base64(text); !ok {
			im.note(b.path, "not base64; the text is kept as metadata")
			im.keep(strings.ReplaceAll(b.path[1:], "/", "."), textValue(text))
			return
		}
	} else {
		contentType := m.headers.get("Content-Type")
		declared := contentType != ""
		if !declared {
			contentType = b.mimeType
		}
		fits := true
		if data, fits = encodeText(text, contentType, b.size); !fits && declared {
			im.change(b.side, m, "Content-Type", withUTF8(contentType))
		}
	}
	codings := m.headers.get("Content-Encoding")
	if codings != "" && len(data) > 0 && !isCoded(codings, data, b.size) {
		im.change(b.side, m, "Content-Encoding", "")
		if m.headers.has("Content-Length") {
			im.change(b.side, m, "Content-Length", strconv.Itoa(len(data)))
		}
	}
	if m.body = data; data == nil {
		m.body = []byte{}
	}
}

// change gives a header another value, or removes it if that is empty, and adds
// the lines that it was to the metadata.
func (im *importer) change(side string, m *newMessage, name, value string) {
	if m.headers.get(name) == value {
		return
	}
	key := side + ".originalHeaders"
	at := slices.IndexFunc(im.meta, func(e state.Entry) bool { return e.Key.IsKey("har." + key) })
	if at < 0 {
		at = len(im.meta)
		im.keep(key, state.NewList().Value())
	}
	lines, err := im.meta[at].Value.List()
	if err != nil {
		panic("har: the original headers are no list")
	}
	for _, old := range m.headers.replace(name, value) {
		lines.Append(state.NewList(textValue(old.name), textValue(old.value)).Value())
	}
}

// isCoded tells whether data are as they were transferred. Most programs show them
// without their codings, of which size is the length.
func isCoded(codings string, data []byte, size int64) bool {
	_, err := coding.Decode(codings, nil, 1) // looks at the names only
	if _, unknown := errors.AsType[*coding.UnknownError](err); unknown || strings.EqualFold(codings, "identity") {
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

// base64 decodes base64 in either alphabet, with or without padding, in lines or
// not. The result is valid until the next entry is read.
func (d *document) base64(text []byte) (data []byte, ok bool) {
	from := len(d.plain)
	all, err := base64.StdEncoding.AppendDecode(d.plain, text)
	if err == nil {
		d.plain = all
		return all[from:len(all):len(all)], true
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
	data, err = base64.RawStdEncoding.AppendDecode([]byte{}, clean)
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

// form returns the body that the parameters of a form make, nil if it cannot be
// made without inventing something.
func (im *importer) form(params int, q *newMessage, mimeType string) []byte {
	const path = "/request/postData/params"
	if contentType := q.headers.get("Content-Type"); contentType != "" {
		mimeType = contentType
	}
	kind, attributes, err := mime.ParseMediaType(mimeType)
	boundary := attributes["boundary"]
	switch {
	case !im.is(params, '['):
		im.want(false, params, path, "an array")
		return nil
	case im.nodes[params].next == params+1:
		return nil // empty
	case err == nil && kind == "multipart/form-data":
		if boundary == "" {
			im.note(path, "a multipart form without boundary")
			break
		}
		if data, ok := im.multipart(params, boundary); ok {
			return data
		}
		im.note(path, "the content of a file is missing")
	case mimeType == "" || err == nil && kind == "application/x-www-form-urlencoded":
		return []byte(im.pairs(params, path))
	default:
		im.note(path, "%s has no parameters", quoted(mimeType))
	}
	im.keep("request.postData.params", im.value(params, 0))
	return nil
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
