// Package contentview turns bodies into text that a person reads.
//
// [Render] picks a view by media type and content: indented JSON, the pairs of a form, plain
// text, or a hex dump. It takes a body whose content codings are already undone.
//
// # Terminals
//
// Captured text can hold terminal escape sequences, and the text of a [View] may still contain
// them. Pass everything that came from the wire through [Escape] or [AppendEscaped]
// before it reaches a terminal.
//
// # Memory
//
// A view of n bytes of JSON is at most some 16n bytes, a hex dump about 5n.
// Cut large bodies before rendering them for display.
package contentview

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/flowtool/flowtool/internal/coding"
)

// The values of [View.Name].
const (
	JSON = "json" // indented by four spaces
	Form = "form" // one "key: value" line for each pair
	Text = "text" // the body as it is, in UTF-8
	Hex  = "hex"  // 16 bytes to a line
)

// View is a body made readable.
type View struct {
	Name string // which view this is: one of JSON, Form, Text, Hex
	Note string // what the reader should know about Text, such as "binary, 512 bytes"; often empty
	Text string // without a final newline, unless the view is Text and the body ends in one
}

// Render returns the view that fits data best. contentType is the value of the Content-Type
// header, and may be empty. The views are tried in this order:
//
//   - JSON if the media type is a JSON type or the body is a JSON object or array,
//     provided the body is valid JSON;
//   - Hex if the body is binary;
//   - Form if the media type is application/x-www-form-urlencoded;
//   - Text otherwise.
//
// A body is binary if it has a NUL near its start, or if more than 30 % of its first 100 bytes
// are control characters other than white space. Bytes beyond ASCII count as well, unless the body is valid UTF-8, in which any
// script is text, or text in the charset it declares.
func Render(data []byte, contentType string) View {
	text, charset, err := coding.Text(data, contentType)
	text = strings.TrimPrefix(text, "\ufeff")
	note := textNote(err, charset)
	mediaType := parseMediaType(contentType)

	if isJSONType(mediaType) || looksLikeJSON(text) {
		if indented, err := indentJSON(text); err == nil {
			return View{Name: JSON, Note: note, Text: indented}
		} else if errors.Is(err, errTooDeep) {
			note = joinNotes(note, "nested too deeply to indent")
		}
	}
	switch {
	case isBinary(data, text, charset, err):
		return View{Name: Hex, Note: binaryNote(len(data)), Text: hexDump(data)}
	case mediaType == "application/x-www-form-urlencoded":
		return View{Name: Form, Note: note, Text: formLines(text)}
	}
	return View{Name: Text, Note: note, Text: text}
}

// parseMediaType returns type/subtype in lower case.
func parseMediaType(contentType string) string {
	mediaType, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(mediaType))
}

func textNote(err error, charset string) string {
	failed, ok := errors.AsType[*coding.CharsetError](err)
	switch {
	case !ok:
		return ""
	case failed.Unknown:
		return fmt.Sprintf("unknown charset %q, read as %s", shorten(failed.Charset), charset)
	default:
		return "not valid " + charset
	}
}

func binaryNote(size int) string {
	if size == 1 {
		return "binary, 1 byte"
	}
	return fmt.Sprintf("binary, %d bytes", size)
}

func joinNotes(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

func shorten(s string) string {
	const limit = 40
	if len(s) > limit {
		return s[:limit] + "..."
	}
	return s
}

// binarySample is how much of a body decides whether it is binary.
const binarySample = 100

// nulSample is how much of it is searched for a NUL.
const nulSample = 8 << 10

// isBinary applies the rule that [Render] documents. text, charset and err are what
// [coding.Text] made of data.
func isBinary(data []byte, text, charset string, err error) bool {
	switch {
	case len(data) == 0:
		return false
	case utf8.Valid(trimCutRune(data)):
		return hasNUL(data) || tooMany(data, false)
	case err == nil && charset != "utf-8" && charset != "iso-8859-1":
		// The body has a byte order mark or declares a charset in which it is valid. As
		// every byte is valid in some charsets, text must not hold a single control character.
		for _, b := range []byte(text[:min(len(text), binarySample)]) {
			if isLow(b) {
				return tooMany(data, true)
			}
		}
		return false
	}
	return hasNUL(data) || tooMany(data, true)
}

// hasNUL looks for the byte that no text has, as git and grep do.
func hasNUL(data []byte) bool {
	return bytes.IndexByte(data[:min(len(data), nulSample)], 0) >= 0
}

// tooMany reports whether more than 30 % of the first bytes of data are no text. high says whether
// bytes beyond ASCII are among them.
func tooMany(data []byte, high bool) bool {
	sample := data[:min(len(data), binarySample)]
	count := 0
	for _, b := range sample {
		if isLow(b) || high && b >= utf8.RuneSelf {
			count++
		}
	}
	return count*10 > len(sample)*3
}

func isLow(b byte) bool {
	return b < '\t' || '\r' < b && b < ' ' || b == 0x7f
}

// trimCutRune removes an incomplete character from the end of data, as a body that was cut at
// some limit may have one.
func trimCutRune(data []byte) []byte {
	for i := len(data) - 1; i >= max(0, len(data)-utf8.UTFMax+1); i-- {
		if utf8.RuneStart(data[i]) {
			if !utf8.FullRune(data[i:]) {
				return data[:i]
			}
			break
		}
	}
	return data
}
