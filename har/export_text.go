package har

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"

	"github.com/flowtool/flowtool/internal/coding"
)

// readable returns the text of a body without content codings. ok is false if
// there is no text that tells every byte of content. verbatim means that the
// text is content itself, in UTF-8.
func readable(content []byte, contentType string) (text []byte, verbatim, ok bool) {
	lower := strings.ToLower(contentType)
	declared := strings.Contains(lower, "charset")
	isUTF8 := utf8.Valid(content)
	switch {
	case !declared && isUTF8 && (!declaresInside(lower) || !mayDeclare(content) || isPlain(content)):
		return content, true, true
	case !declared && !isUTF8 && !declaresInside(lower) && !hasUTF16BOM(content):
		return nil, false, false
	case declared && isUTF8 && strings.Contains(lower, "utf-8"):
		return content, true, true
	case isUTF8 && bytes.HasPrefix(content, []byte("\ufeff")):
		return content, true, true // the mark is part of the text
	}
	s, charset, err := coding.Text(content, contentType)
	if err != nil {
		return nil, false, false
	}
	if charset == "utf-8" {
		return content, true, true
	}
	// Several byte strings may have the same text.
	text = []byte(s)
	if isUTF8 && bytes.Equal(text, content) {
		return content, true, true
	}
	enc := encodingNamed(charset)
	if enc == nil {
		return nil, false, false
	}
	back, err := enc.NewEncoder().Bytes(text)
	return text, false, err == nil && bytes.Equal(back, content)
}

// declaresInside tells whether content of a media type may name its own charset.
func declaresInside(mediaType string) bool {
	return strings.Contains(mediaType, "html") || strings.Contains(mediaType, "xml") || strings.Contains(mediaType, "text/css")
}

// mayDeclare tells whether content seems to name its charset, as HTML, XML and CSS
// do. Mixed case within the word is not worth the time that looking for it takes.
func mayDeclare(content []byte) bool {
	for _, word := range []string{"harset", "HARSET", "ncoding", "NCODING"} {
		if bytes.Contains(content[:min(len(content), 64<<10)], []byte(word)) {
			return true
		}
	}
	return false
}

// isPlain tells whether content is the same text in all charsets that it could
// name itself: ASCII without the escape character that switches between
// alphabets.
func isPlain(content []byte) bool {
	for _, c := range content {
		if c >= utf8.RuneSelf || c == 0x1b {
			return false
		}
	}
	return true
}

// isMostlyBinary tells whether what content begins with, which is UTF-8, has so
// many control characters that mitmproxy takes it for binary.
func isMostlyBinary(content []byte) bool {
	const enough = 100
	n := min(len(content), enough)
	for n < len(content) && n < enough+utf8.UTFMax-1 && !utf8.RuneStart(content[n]) {
		n++
	}
	low, high := 0, 0
	for _, c := range content[:n] {
		switch {
		case c < '\t' || c >= 14 && c < ' ':
			low++
		case c >= 0x7f:
			high++
		}
	}
	return n > 0 && float64(n-low-high)/float64(n) <= 0.7 && float64(n-low)/float64(n) <= 0.95
}

func hasUTF16BOM(content []byte) bool {
	return bytes.HasPrefix(content, []byte("\xfe\xff")) || bytes.HasPrefix(content, []byte("\xff\xfe")) ||
		bytes.HasPrefix(content, []byte("\x00\x00\xfe\xff"))
}

// encodingNamed returns the encoding of a charset as [coding.Text] names it, nil
// for its fallback, which every content can be.
func encodingNamed(charset string) encoding.Encoding {
	switch charset {
	case "iso-8859-1":
		return nil
	case "utf-16le":
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	case "utf-16be":
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	case "utf-32le":
		return utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM)
	case "utf-32be":
		return utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM)
	}
	enc, err := htmlindex.Get(charset)
	if err != nil {
		return nil
	}
	return enc
}

// appendValid appends s as UTF-8: each byte that is not, as the character of
// Latin-1 that it would be.
func appendValid(dst []byte, s string) []byte {
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			r = rune(s[0])
		}
		dst = utf8.AppendRune(dst, r)
		s = s[n:]
	}
	return dst
}

// appendLatin1 appends s, which is Latin-1, as UTF-8.
func appendLatin1[T string | []byte](dst []byte, s T) []byte {
	for i := range len(s) {
		dst = utf8.AppendRune(dst, rune(s[i]))
	}
	return dst
}
