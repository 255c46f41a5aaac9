package flowdiff

import (
	"testing"

	"github.com/flowtool/flowtool/contentview"
)

// FuzzIsBinary: what is plain is never shown as hexadecimal digits.
func FuzzIsBinary(f *testing.F) {
	for _, data := range []string{"", "text\r\n", "é漢😀", "\x00", "\x1b[0m", "\x7f\x7f", "\xff\xfet\x00", "\ufefftext", "{\"a\":1}", "{\"a\"", "\xe9t\xe9", "\x0b\x0c"} {
		for _, contentType := range []string{"", "image/png", "application/json; charset=utf-16", "text/plain; charset=windows-1251", "text/plain; charset=?"} {
			f.Add([]byte(data), contentType)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, contentType string) {
		if isPlain(data) && contentview.Render(data, contentType).Name == contentview.Hex {
			t.Errorf("%q, %q is not plain", data, contentType)
		}
	})
}
