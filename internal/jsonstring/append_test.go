package jsonstring_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/flowtool/flowtool/internal/jsonstring"
)

func TestAppend(t *testing.T) {
	for in, want := range map[string]string{
		"":                               "",
		"plain":                          "plain",
		"\"\\/":                          `\"\\/`,
		"\x00\b\f\n\r\t\x1b\x7f":         `\u0000\b\f\n\r\t\u001b\u007f`,
		"é漢😀":                            "é漢😀",
		"\u0085\u2028\u2029\u202e\ufeff": `\u0085\u2028\u2029\u202e` + "\ufeff",
	} {
		if got, ok := jsonstring.AppendString([]byte("x"), in); !ok || string(got) != "x"+want {
			t.Errorf("%q: %q, %v, want %q", in, got, ok, "x"+want)
		}
	}
}

// FuzzAppend: a JSON reader finds the text again, and what is no text leaves no
// trace.
func FuzzAppend(f *testing.F) {
	for _, s := range []string{"", "a\xff", strings.Repeat("éa\n", 20), "\xed\xa0\x80", strings.Repeat("x", 63) + "\""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, s []byte) {
		got, ok := jsonstring.Append([]byte(`"`), s)
		if ok != utf8.Valid(s) {
			t.Fatalf("%q: %v", s, ok)
		}
		if !ok {
			if string(got) != `"` {
				t.Fatalf("%q leaves %q", s, got)
			}
			return
		}
		var back string
		if err := json.Unmarshal(append(got, '"'), &back); err != nil || back != string(s) {
			t.Fatalf("%q comes back as %q: %v", s, back, err)
		}
	})
}

// FuzzAppendBase64: it is what package base64 gives.
func FuzzAppendBase64(f *testing.F) {
	for n := range 20 {
		f.Add([]byte(strings.Repeat("\x00\xffab\xfe", 4))[:n])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got := jsonstring.AppendBase64([]byte("x"), data)
		if want := base64.StdEncoding.AppendEncode([]byte("x"), data); string(got) != string(want) {
			t.Fatalf("%q: %q, want %q", data, got, want)
		}
	})
}
