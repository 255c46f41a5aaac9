package coding

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"
)

// How far into a body [Text] looks for a declaration of its own charset.
const (
	maxMetaScan = 64 << 10
	maxDeclScan = 1 << 10
)

var (
	metaCharset = regexp.MustCompile(`(?i)<meta\b[^>]*\bcharset\s*=\s*["']?\s*([^"'\s/>;]+)`)
	xmlEncoding = regexp.MustCompile(`^\s*<\?xml\b[^>]*\bencoding\s*=\s*["']([^"'>]+)["']`)
	cssCharset  = regexp.MustCompile(`^@(?i:charset) "([^"]+)";`)
)

// Text decodes data, a body without content codings, to UTF-8. It returns the canonical name
// of the charset as well. contentType is the value of the Content-Type header and may be empty.
//
// The charset is the first of these that is present:
//
//   - a byte order mark: UTF-8 (the mark is removed), UTF-16 or UTF-32 (it stays as U+FEFF);
//   - the parameter charset of contentType, its name in any case, its value with or
//     without quotes;
//   - the declaration inside HTML (meta), XML (encoding) or CSS (@charset), else UTF-8 for
//     JSON, HTML, XML, JavaScript and CSS;
//   - UTF-8 if data are valid UTF-8 but for a last character cut short, else Latin-1.
//
// Names are matched as labels of the WHATWG Encoding Standard, so "iso-8859-1" and "us-ascii"
// mean windows-1252; only the fallback is real Latin-1, which cannot fail. Text knows all
// encodings of that standard but x-user-defined, and UTF-32.
//
// The text is usable even if err, a [*CharsetError], is not nil. With an unknown charset it is
// the fallback of the last rule. Bytes that are not valid in the charset stay as they are in
// UTF-8, so that the result is not valid UTF-8 either and nothing is lost, and become U+FFFD in
// others.
func Text(data []byte, contentType string) (text, charset string, err error) {
	if e, size := detectBOM(data); e != nil {
		text, ok := e.decode(data[size:])
		return text, e.name, invalidUnless(ok, e.name)
	}
	label, utf8Default := charsetLabel(data, contentType)
	if label != "" {
		if e := lookupCharset(label); e != nil {
			text, ok := e.decode(data)
			return text, e.name, invalidUnless(ok, e.name)
		}
		err = &CharsetError{Charset: label, Unknown: true}
	}
	switch valid := utf8.Valid(data); {
	case valid, utf8Default && err == nil, isCutUTF8(data):
		if !valid && err == nil {
			err = invalidUnless(false, "utf-8")
		}
		return string(data), "utf-8", err
	default:
		return decodeLatin1(data), "iso-8859-1", err
	}
}

// IsFallback reports whether [Text] takes data for Latin-1 without error, because nothing says
// that they are anything else. Each byte is a character then.
func IsFallback(data []byte, contentType string) bool {
	if e, _ := detectBOM(data); e != nil {
		return false
	}
	label, utf8Default := charsetLabel(data, contentType)
	return label == "" && !utf8Default && !utf8.Valid(data) && !isCutUTF8(data)
}

func invalidUnless(ok bool, charset string) error {
	if ok {
		return nil
	}
	return &CharsetError{Charset: charset}
}

// charsetLabel returns the charset that contentType or data declare, or "". utf8Default
// reports that the media type means UTF-8 when nothing is declared.
func charsetLabel(data []byte, contentType string) (label string, utf8Default bool) {
	mediaType, params, _ := strings.Cut(contentType, ";")
	if label = charsetParam(params); label != "" {
		return label, false
	}
	mediaType = strings.ToLower(mediaType)
	isHTML, isXML := strings.Contains(mediaType, "html"), strings.Contains(mediaType, "xml")
	isCSS := strings.Contains(mediaType, "text/css")
	switch {
	case strings.Contains(mediaType, "json"):
		return "", true
	case !isHTML && !isXML && !isCSS:
		return "", strings.Contains(mediaType, "javascript") || strings.Contains(mediaType, "ecmascript")
	}
	if isHTML {
		label = submatch(metaCharset, data, maxMetaScan)
	}
	if isXML && label == "" {
		label = submatch(xmlEncoding, data, maxDeclScan)
	}
	if isCSS {
		label = submatch(cssCharset, data, maxDeclScan)
	}
	// A declaration that could be read as ASCII is not in UTF-16, whatever it says.
	if e := lookupCharset(label); e != nil && strings.HasPrefix(e.name, "utf-") {
		label = ""
	}
	return label, true
}

// submatch returns the first group of the first match in the first limit bytes of data.
func submatch(re *regexp.Regexp, data []byte, limit int) string {
	if m := re.FindSubmatch(data[:min(len(data), limit)]); m != nil {
		return string(bytes.TrimSpace(m[1]))
	}
	return ""
}

// charsetParam returns the charset parameter among params, without quotes. The last one wins,
// as in mitmproxy.
func charsetParam(params string) string {
	var label string
	for param := range strings.SplitSeq(params, ";") {
		name, value, ok := strings.Cut(param, "=")
		if ok && strings.EqualFold(strings.TrimSpace(name), "charset") {
			label = strings.TrimSpace(strings.Trim(strings.TrimSpace(value), `"'`))
		}
	}
	return label
}

// isCutUTF8 reports whether data are UTF-8 that ends inside a character. It wants a whole
// character beyond ASCII before that, because "caf\xe9" is Latin-1 and not UTF-8 cut short.
func isCutUTF8(data []byte) bool {
	i := len(data) - 1
	for i >= 0 && i > len(data)-utf8.UTFMax && !utf8.RuneStart(data[i]) {
		i--
	}
	if i < 0 || utf8.FullRune(data[i:]) || !utf8.Valid(data[:i]) {
		return false
	}
	for _, b := range data[:i] {
		if b >= utf8.RuneSelf {
			return true
		}
	}
	return false
}
