package coding

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	const (
		utf8Err    = "coding: text is not valid utf-8"
		unknownErr = `coding: unknown charset "x-foo"`
	)
	tests := []struct {
		name, contentType, data string
		text, charset           string
		err                     string
	}{
		{"empty", "", "", "", "utf-8", ""},
		{"ascii", "text/plain", "abc", "abc", "utf-8", ""},
		{"no type", "", "caf\u00e9", "caf\u00e9", "utf-8", ""},
		{"fallback utf-8", "text/plain", "\u043f\u0440\u0438\u0432\u0435\u0442", "\u043f\u0440\u0438\u0432\u0435\u0442", "utf-8", ""},
		{"fallback latin-1", "text/plain", "caf\xe9 \x93", "caf\u00e9 \u0093", "iso-8859-1", ""},
		{"fallback latin-1 at the end", "text/plain", "caf\xe9", "caf\u00e9", "iso-8859-1", ""},
		{"cut utf-8", "text/plain", "\u00fcber caf\xc3", "\u00fcber caf\xc3", "utf-8", utf8Err},
		{"cut four bytes", "text/plain", "\u00fc \xf0\x9f\x98", "\u00fc \xf0\x9f\x98", "utf-8", utf8Err},
		{"only continuation bytes", "text/plain", "\x80\x80\x80\x80", "\u0080\u0080\u0080\u0080", "iso-8859-1", ""},

		{"bom utf-8", "", "\xef\xbb\xbfabc", "abc", "utf-8", ""},
		{"bom utf-16le", "", "\xff\xfea\x00\xe9\x00", "\ufeffa\u00e9", "utf-16le", ""},
		{"bom utf-16be", "", "\xfe\xff\x00a\x00\xe9", "\ufeffa\u00e9", "utf-16be", ""},
		{"bom utf-32le", "", "\xff\xfe\x00\x00a\x00\x00\x00", "\ufeffa", "utf-32le", ""},
		{"bom utf-32be", "", "\x00\x00\xfe\xff\x00\x01\xf6\x00", "\ufeff\U0001f600", "utf-32be", ""},
		{"bom wins", "text/plain; charset=utf-8", "\xfe\xff\x00a", "\ufeffa", "utf-16be", ""},
		{"bom wins over unknown", "text/plain; charset=x-foo", "\xef\xbb\xbfabc", "abc", "utf-8", ""},
		{"surrogate pair", "", "\xfe\xff\xd8\x3d\xde\x00", "\ufeff\U0001f600", "utf-16be", ""},
		{"lone high surrogate", "", "\xfe\xff\xd8\x3d\x00a", "\ufeff\ufffda", "utf-16be", "coding: text is not valid utf-16be"},
		{"lone low surrogate", "", "\xfe\xff\xde\x00\x00a", "\ufeff\ufffda", "utf-16be", "coding: text is not valid utf-16be"},
		{"odd utf-16", "", "\xfe\xff\x00a\x00", "\ufeffa\ufffd", "utf-16be", "coding: text is not valid utf-16be"},
		{"bad utf-32", "", "\x00\x00\xfe\xff\x00\x11\x00\x00\x00", "\ufeff\ufffd\ufffd", "utf-32be", "coding: text is not valid utf-32be"},

		{"param", "text/plain; charset=iso-8859-1", "\xe9\x93", "\u00e9\u201c", "windows-1252", ""},
		{"param any case", "text/plain;CharSet=Windows-1252", "\x80", "\u20ac", "windows-1252", ""},
		{"param double quotes", `text/plain; charset="latin1"`, "\xe9", "\u00e9", "windows-1252", ""},
		{"param single quotes", `text/plain; charset='us-ascii'`, "\xe9", "\u00e9", "windows-1252", ""},
		{"param spaces", `text/plain; x=y ; charset = " UTF-8 " ; z`, "\u00e9", "\u00e9", "utf-8", ""},
		{"param last wins", "text/plain; charset=utf-16; charset=latin1", "\xe9", "\u00e9", "windows-1252", ""},
		{"param empty", "text/plain; charset=", "\xe9!", "\u00e9!", "iso-8859-1", ""},
		{"param without type", "; charset=latin1", "\xc3\xa9", "\u00c3\u00a9", "windows-1252", ""},
		{"param utf-16", "text/plain; charset=utf-16", "a\x00", "a", "utf-16le", ""},
		{"param utf-16be", "text/plain; charset=UTF-16BE", "\x00a", "a", "utf-16be", ""},
		{"param odd spelling", "text/plain; charset=UTF_8-", "\u00e9", "\u00e9", "utf-8", ""},
		{"param invalid utf-8", "text/plain; charset=utf-8", "a\xe9b\xffc", "a\xe9b\xffc", "utf-8", utf8Err},
		{"param unknown", "text/plain; charset=x-foo", "\u00e9", "\u00e9", "utf-8", unknownErr},
		{"param unknown latin-1", "text/plain; charset=x-foo", "\xe9!", "\u00e9!", "iso-8859-1", unknownErr},
		{"param unknown json", "application/json; charset=x-foo", "\xe9!", "\u00e9!", "iso-8859-1", unknownErr},
		{"param wins over meta", "text/html; charset=utf-8", "<meta charset=latin1>\u00e9", "<meta charset=latin1>\u00e9", "utf-8", ""},

		{"json", "Application/JSON", "\"\u00e9\"", "\"\u00e9\"", "utf-8", ""},
		{"json invalid", "application/problem+json", "\"\xe9\"", "\"\xe9\"", "utf-8", utf8Err},
		{"javascript", "text/javascript", "\xe9!", "\xe9!", "utf-8", utf8Err},
		{"ecmascript", "application/ecmascript", "\xe9!", "\xe9!", "utf-8", utf8Err},
		{"html", "text/html", "\xe9!", "\xe9!", "utf-8", utf8Err},
		{"meta", "text/html", "<meta charset=latin1>\xe9", "<meta charset=latin1>\u00e9", "windows-1252", ""},
		{"meta http-equiv", "text/html", `<META HTTP-EQUIV="x" content="text/html; charset=ISO-8859-1"/>` + "\xe9",
			`<META HTTP-EQUIV="x" content="text/html; charset=ISO-8859-1"/>` + "\u00e9", "windows-1252", ""},
		{"meta unknown", "text/html", `<meta charset="x-foo">` + "\u00e9", `<meta charset="x-foo">` + "\u00e9", "utf-8", unknownErr},
		{"meta cannot be utf-16", "text/html", `<meta charset="utf-16">`, `<meta charset="utf-16">`, "utf-8", ""},
		{"meta too late", "text/html", strings.Repeat(" ", maxMetaScan) + "<meta charset=latin1>",
			strings.Repeat(" ", maxMetaScan) + "<meta charset=latin1>", "utf-8", ""},
		{"meta in plain text", "text/plain", "<meta charset=latin1>\u00e9", "<meta charset=latin1>\u00e9", "utf-8", ""},
		{"xml", "application/xml", "\xe9!", "\xe9!", "utf-8", utf8Err},
		{"xml encoding", "text/xml", "<?xml version='1.0' encoding='latin1'?>\xe9",
			"<?xml version='1.0' encoding='latin1'?>\u00e9", "windows-1252", ""},
		{"xml utf-16 without mark", "text/xml", `<?xml version="1.0" encoding="utf-16"?>`,
			`<?xml version="1.0" encoding="utf-16"?>`, "utf-8", ""},
		{"xhtml", "application/xhtml+xml", `<?xml version="1.0" encoding="latin1"?>` + "\xe9",
			`<?xml version="1.0" encoding="latin1"?>` + "\u00e9", "windows-1252", ""},
		{"css", "text/css", "@CHARSET \"latin1\";\xe9", "@CHARSET \"latin1\";\u00e9", "windows-1252", ""},
		{"css default", "text/css", " @charset \"latin1\";\u00e9", " @charset \"latin1\";\u00e9", "utf-8", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text, charset, err := Text([]byte(tt.data), tt.contentType)
			if text != tt.text || charset != tt.charset {
				t.Errorf("Text = %q in %s, want %q in %s", text, charset, tt.text, tt.charset)
			}
			if got := errText(err); got != tt.err {
				t.Errorf("err = %q, want %q", got, tt.err)
			}
			if err != nil {
				if _, ok := errors.AsType[*CharsetError](err); !ok {
					t.Errorf("err is a %T", err)
				}
			}
		})
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestLookupCharset(t *testing.T) {
	for _, tt := range []struct{ want, labels string }{
		{"utf-8", "utf-8 UTF8 utf_8 unicode-1-1-utf-8 utf-8-sig"},
		{"utf-16le", "utf-16 utf-16le ucs-2 iso-10646-ucs-2 unicode csunicode"},
		{"utf-16be", "utf-16be unicodefffe"},
		{"utf-32le", "utf-32 UTF-32LE"},
		{"utf-32be", "utf_32_be"},
		{"windows-1252", "windows-1252 cp1252 x-cp1252 iso-8859-1 iso8859-1 ISO_8859-1:1987 latin1 latin-1 l1 ascii us-ascii"},
		{"", "x-foo utf-7 rot13 gzip none identity - é"},
	} {
		for label := range strings.FieldsSeq(tt.labels) {
			var got string
			if c := lookupCharset(label); c != nil {
				got = c.name
			}
			if got != tt.want {
				t.Errorf("lookupCharset(%q) = %q, want %q", label, got, tt.want)
			}
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add([]byte("caf\xe9"), "text/plain")
	f.Add([]byte("\xff\xfea\x00\x3d\xd8"), "")
	f.Add([]byte("\x00\x00\xfe\xff\x00\x11\x00\x00"), "")
	f.Add([]byte("<meta charset=latin1>\xe9"), "text/html")
	f.Add([]byte("\u00fc \xf0\x9f\x98"), `text/plain; charset="utf-16"`)
	f.Fuzz(func(t *testing.T, data []byte, contentType string) {
		text, charset, err := Text(data, contentType)
		if charset == "" {
			t.Fatal("no charset")
		}
		if IsFallback(data, contentType) != (charset == "iso-8859-1" && err == nil) {
			t.Fatalf("IsFallback is %v, Text says %s, %v", IsFallback(data, contentType), charset, err)
		}
		// Only UTF-8 that is not valid gives text that is not valid, and keeps every byte.
		if !utf8.ValidString(text) && (charset != "utf-8" || err == nil || !strings.HasSuffix(string(data), text)) {
			t.Fatalf("Text = %q in %s, %v", text, charset, err)
		}
		if charset == "utf-8" && err == nil && !strings.HasSuffix(string(data), text) {
			t.Fatalf("Text changed UTF-8: %q", text)
		}
	})
}
