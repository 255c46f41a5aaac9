package contentview

import (
	"encoding/json"
	"errors"
	"strings"
)

const jsonIndent = "    "

var (
	errNotJSON = errors.New("not valid JSON")
	errTooDeep = errors.New("indentation is far larger than the text")
)

func isJSONType(mediaType string) bool {
	switch mediaType {
	case "application/json", "application/json-rpc", "text/json":
		return true
	}
	return strings.HasSuffix(mediaType, "+json")
}

// looksLikeJSON reports whether text may be a JSON object or array.
func looksLikeJSON(text string) bool {
	text = strings.TrimLeft(text, " \t\r\n")
	return text != "" && (text[0] == '{' || text[0] == '[')
}

// indentJSON lays out a JSON text, changing white space and nothing else: numbers, escapes, the
// order of keys and duplicate keys stay as written.
//
// It is not [json.Indent] because that indents without bound: a megabyte of brackets becomes
// gigabytes of spaces. This one gives up with errTooDeep when the result exceeds 16 times
// the text.
func indentJSON(text string) (string, error) {
	if !json.Valid([]byte(text)) {
		return "", errNotJSON
	}
	limit := 64<<10 + 16*len(text)
	dst := make([]byte, 0, len(text)+len(text)/2)
	depth := 0
	newline := func() {
		dst = append(dst, '\n')
		for range depth {
			dst = append(dst, jsonIndent...)
		}
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case ' ', '\t', '\r', '\n':
		case '{', '[':
			dst = append(dst, c)
			next := i + 1
			for strings.IndexByte(" \t\r\n", text[next]) >= 0 {
				next++
			}
			if end := text[next]; end == c+2 { // in ASCII both closing brackets are two after theirs
				dst = append(dst, end)
				i = next
				break
			}
			depth++
			newline()
		case '}', ']':
			depth--
			newline()
			dst = append(dst, c)
		case ',':
			dst = append(dst, c)
			newline()
		case ':':
			dst = append(dst, ": "...)
		case '"':
			end := i + 1
			for text[end] != '"' {
				if text[end] == '\\' {
					end++
				}
				end++
			}
			dst = append(dst, text[i:end+1]...)
			i = end
		default:
			dst = append(dst, c)
		}
		if len(dst) > limit {
			return "", errTooDeep
		}
	}
	return string(dst), nil
}
