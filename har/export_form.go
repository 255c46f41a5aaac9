package har

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"strings"
)

// A param is a field of a form, or a pair of a query.
type param struct {
	name, value           string
	fileName, contentType string // of a part of a multipart form
	isFile                bool   // the value is left out
}

// queryParams calls yield for the pairs of a query or URL-encoded form, decoded,
// until it returns false.
func queryParams(query string, yield func(*param) bool) {
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		if !yield(&param{name: unescapeForm(name), value: unescapeForm(value)}) {
			return
		}
	}
}

// pathQuery returns the query of a path.
func pathQuery(path string) string {
	path, _, _ = strings.Cut(path, "#")
	_, query, _ := strings.Cut(path, "?")
	return query
}

// unescapeForm undoes percent-encoding and turns plus signs into spaces.
// Malformed escapes stay as they are, which [net/url] refuses.
func unescapeForm(s string) string {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '+' {
			c = ' '
		} else if c == '%' && i+2 < len(s) {
			high, ok1 := unhex(s[i+1])
			low, ok2 := unhex(s[i+2])
			if ok1 && ok2 {
				c = high<<4 | low
				i += 2
			}
		}
		b = append(b, c)
	}
	return string(b)
}

func unhex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}

// formParams calls yield for the fields of a form, which content is if
// contentType says so, until it returns false. What can be read before something
// malformed counts.
func formParams(content []byte, contentType string, yield func(*param) bool) error {
	lower := strings.ToLower(contentType)
	switch {
	case strings.Contains(lower, "application/x-www-form-urlencoded"):
		queryParams(string(content), yield)
		return nil
	case strings.Contains(lower, "multipart/form-data"):
		return multipartParams(content, contentType, yield)
	}
	return nil
}

func multipartParams(content []byte, contentType string, yield func(*param) bool) error {
	_, attrs, err := mime.ParseMediaType(contentType)
	if err != nil {
		return err
	}
	if attrs["boundary"] == "" {
		return errors.New("no boundary")
	}
	r := multipart.NewReader(bytes.NewReader(content), attrs["boundary"])
	for {
		part, err := r.NextRawPart()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		p := param{contentType: part.Header.Get("Content-Type")}
		// An error about one attribute leaves those before it.
		_, attrs, _ := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
		p.name = attrs["name"]
		if p.fileName, p.isFile = attrs["filename"]; !p.isFile {
			value, err := io.ReadAll(part)
			if p.value = string(value); err != nil {
				yield(&p)
				return err
			}
		}
		if !yield(&p) {
			return nil
		}
	}
}
