package contentview

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestRender(t *testing.T) {
	russian := strings.Repeat("привет ", 30)
	tests := []struct {
		name, contentType, data string
		want                    View
	}{
		{"empty", "", "", View{Name: Text}},
		{"empty json", "application/json", "", View{Name: Text}},
		{"empty form", "application/x-www-form-urlencoded", "", View{Name: Form}},
		{"empty image", "image/png", "", View{Name: Text}},
		{"text", "text/plain", "hello\n", View{Name: Text, Text: "hello\n"}},
		{"text keeps controls", "text/plain", "a\x1b[31mb\r\n", View{Name: Text, Text: "a\x1b[31mb\r\n"}},
		{"text in latin-1", "text/plain; charset=latin1", "caf\xe9", View{Name: Text, Text: "café"}},
		{"text with mark", "text/plain", "\xff\xfea\x00b\x00", View{Name: Text, Text: "ab"}},
		{"text of unknown charset", `text/plain; charset="x-foo"`, "abc",
			View{Name: Text, Note: `unknown charset "x-foo", read as utf-8`, Text: "abc"}},
		{"text of long unknown charset", `text/plain; charset=` + strings.Repeat("x", 99), "abc",
			View{Name: Text, Note: `unknown charset "` + strings.Repeat("x", 40) + `...", read as utf-8`, Text: "abc"}},
		{"text not valid", "text/plain; charset=utf-8", "ab\xffcdef",
			View{Name: Text, Note: "not valid utf-8", Text: "ab\xffcdef"}},

		{"json", "application/json", `{"a":1}`, View{Name: JSON, Text: "{\n    \"a\": 1\n}"}},
		{"json any case", "Application/JSON ; charset=utf-8", `[]`, View{Name: JSON, Text: "[]"}},
		{"json-rpc", "application/json-rpc", `1`, View{Name: JSON, Text: "1"}},
		{"json suffix", "image/vnd.x+json", ` "x" `, View{Name: JSON, Text: `"x"`}},
		{"text/json", "text/json", "null\n", View{Name: JSON, Text: "null"}},
		{"json with mark", "application/json", "\xef\xbb\xbf[1]", View{Name: JSON, Text: "[\n    1\n]"}},
		{"json in utf-16", "application/json", "\xfe\xff\x00[\x00]", View{Name: JSON, Text: "[]"}},
		{"json sniffed", "text/plain", "\n{}", View{Name: JSON, Text: "{}"}},
		{"json sniffed in form", "application/x-www-form-urlencoded", "[]", View{Name: JSON, Text: "[]"}},
		{"json sniffed without type", "", "[1]", View{Name: JSON, Text: "[\n    1\n]"}},
		{"json scalar not sniffed", "text/plain", "12", View{Name: Text, Text: "12"}},
		{"json not valid", "application/json", `{"a":1,}`, View{Name: Text, Text: `{"a":1,}`}},
		{"json lines", "application/x-ndjson", "{}\n{}\n", View{Name: Text, Text: "{}\n{}\n"}},
		{"json with bad utf-8", "application/json", "[\"\xff\"]",
			View{Name: JSON, Note: "not valid utf-8", Text: "[\n    \"\xff\"\n]"}},
		{"json too deep", "application/json", strings.Repeat("[", 9000) + strings.Repeat("]", 9000),
			View{Name: Text, Note: "nested too deeply to indent",
				Text: strings.Repeat("[", 9000) + strings.Repeat("]", 9000)}},
		{"json binary", "application/json", "\x00\x01\x02",
			View{Name: Hex, Note: "binary, 3 bytes", Text: hexDump([]byte("\x00\x01\x02"))}},

		{"form", "application/x-www-form-urlencoded; charset=utf-8", "a=1&b=2",
			View{Name: Form, Text: "a: 1\nb: 2"}},

		{"binary", "image/png", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
			View{Name: Hex, Note: "binary, 16 bytes", Text: "0000:   89 50 4e 47  0d 0a 1a 0a  00 00 00 0d  49 48 44 52   .PNG........IHDR"}},
		{"binary byte", "", "\x00", View{Name: Hex, Note: "binary, 1 byte", Text: hexDump([]byte{0})}},
		{"any script is text", "text/plain", russian, View{Name: Text, Text: russian}},
		{"any script cut short", "text/plain", russian[:100],
			View{Name: Text, Note: "not valid utf-8", Text: russian[:100]}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Render([]byte(tt.data), tt.contentType); got != tt.want {
				t.Errorf("got  %.300q\nwant %.300q", got, tt.want)
			}
		})
	}
}

func TestBinary(t *testing.T) {
	repeat := strings.Repeat
	for _, tt := range []struct {
		name, contentType, data string
		binary                  bool
	}{
		{"30 of 100 low", "", repeat("\x01", 30) + repeat("a", 70), false},
		{"31 of 100 low", "", repeat("\x01", 31) + repeat("a", 69), true},
		{"first 100 count", "", repeat("a", 100) + repeat("\x01", 900), false},
		{"white space", "", "\t\n\v\f\r", false},
		{"DEL", "", "\x7f", true},
		{"a NUL in text", "", repeat("a", 200) + "\x00", true},
		{"a NUL far behind", "", repeat("a", 10_000) + "\x00", false},
		{"zeros in valid utf-8", "", "é" + repeat("\x00", 50), true},
		{"30 of 100 high", "", repeat("\xff", 30) + repeat("a", 70), false},
		{"31 of 100 high", "", repeat("\xff", 31) + repeat("a", 69), true},
		{"invalid late in other script", "", repeat("привет", 20) + "\xff!", true},
		{"declared charset", "text/plain; charset=latin1", repeat("\xe9", 50), false},
		{"declared charset and control", "text/plain; charset=latin1", repeat("\xe9", 40) + "\x00", true},
		{"utf-16", "", "\xff\xfe" + repeat("\x3f\x04", 50), false},
		{"utf-16 broken", "", "\xff\xfe" + repeat("\x3f\x04", 50) + "\x01", true},
		{"declared utf-8", "text/plain; charset=utf-8", repeat("\xe9", 50), true},
		{"declared utf-8 html", "text/html", repeat("a", 80) + repeat("\xe9", 20), false},
	} {
		if got := Render([]byte(tt.data), tt.contentType).Name == Hex; got != tt.binary {
			t.Errorf("%s: binary = %t", tt.name, got)
		}
	}
}

func TestIndentJSON(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"scalar", " 1 ", "1"},
		{"empty object", "{ \n }", "{}"},
		{"empty array", "[\t]", "[]"},
		{"nested empty", `[[],{},[ ]]`, "[\n    [],\n    {},\n    []\n]"},
		{"order and duplicates", `{"b":1,"a":2,"b":3}`, "{\n    \"b\": 1,\n    \"a\": 2,\n    \"b\": 3\n}"},
		{"number text", `[1.0,1e5,1E+400,-0,12345678901234567890123]`,
			"[\n    1.0,\n    1e5,\n    1E+400,\n    -0,\n    12345678901234567890123\n]"},
		{"escapes", `["\u00e9\"\\","é",",:[]{} \\"]`, "[\n    \"\\u00e9\\\"\\\\\",\n    \"é\",\n    \",:[]{} \\\\\"\n]"},
		{"already indented", "{\n\t\"a\" : [ true , null ]\r\n}", "{\n    \"a\": [\n        true,\n        null\n    ]\n}"},
	} {
		if got, err := indentJSON(tt.in); err != nil || got != tt.want {
			t.Errorf("%s: %s, %v; want %s", tt.name, got, err, tt.want)
		}
	}
	for _, in := range []string{"", "{", "[1,]", "{a:1}", "NaN", "[1]x", "'a'"} {
		if got, err := indentJSON(in); err != errNotJSON {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
}

func TestFormLines(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"empty", "", ""},
		{"separators only", "&&", ""},
		{"order and duplicates", "b=1&a=2&b=3", "b: 1\na: 2\nb: 3"},
		{"no value", "a&b=&=c&=", "a:\nb:\n: c\n:"},
		{"first equals sign", "a=b=c", "a: b=c"},
		{"semicolon", "a=1;b=2", "a: 1;b=2"},
		{"plus", "a+b=c+d", "a b: c d"},
		{"percent", "%61%20b=%c3%A9%26%3D%2B", "a b: é&=+"},
		{"malformed percent", "a=%&b=%4&c=%zz&d=%4g%41", "a: %\nb: %4\nc: %zz\nd: %4gA"},
		{"not utf-8", "a=%ff", `a: \xff`},
		{"line break", "a=1%0Ab:+2&c%0d%0a=%1b", `a: 1\nb: 2` + "\n" + `c\r\n: \x1b`},
		{"trailing line break", "a=1\r\n", `a: 1\r\n`},
	} {
		if got := formLines(tt.in); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestHexDump(t *testing.T) {
	if got, want := hexDump([]byte("abcd")), "0000:   61 62 63 64                                          abcd"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	got := hexDump([]byte("\x00\x1f !~\x7f\x80\xff0123456789"))
	want := "0000:   00 1f 20 21  7e 7f 80 ff  30 31 32 33  34 35 36 37   .. !~...01234567\n" +
		"0010:   38 39                                                89"
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for _, tt := range []struct {
		size  int
		first string
		last  string
	}{
		{0, "", ""},
		{16, "0000", "0000"},
		{1 << 16, "0000", "fff0"},
		{1<<16 + 1, "000000", "010000"},
		{1<<24 + 1, "00000000", "01000000"},
	} {
		lines := strings.Split(hexDump(make([]byte, tt.size)), "\n")
		first, _, _ := strings.Cut(lines[0], ":")
		last, _, _ := strings.Cut(lines[len(lines)-1], ":")
		if first != tt.first || last != tt.last {
			t.Errorf("%d bytes: offsets %q to %q, want %q to %q", tt.size, first, last, tt.first, tt.last)
		}
	}
}

// Rendering must stay in proportion to the body, whatever is in it.
func FuzzRender(f *testing.F) {
	f.Add([]byte(`{"a":[1,{}],"a":"\"x"}`), "application/json")
	f.Add([]byte(strings.Repeat("[", 500)+strings.Repeat("]", 500)), "")
	f.Add([]byte("a=%41&b=+%zz"), "application/x-www-form-urlencoded")
	f.Add([]byte("\x89PNG\r\n\x1a\n"), "image/png")
	f.Add([]byte("caf\xe9"), "text/plain; charset=latin1")
	f.Fuzz(func(t *testing.T, data []byte, contentType string) {
		v := Render(data, contentType)
		// The largest step of indentJSON beyond its limit is one line's indentation, at most 40 kB.
		if limit := 104<<10 + 16*len(data); len(v.Text) > limit {
			t.Fatalf("%d bytes of text for %d bytes", len(v.Text), len(data))
		}
		if v.Name == JSON {
			if again := Render([]byte(v.Text), "application/json"); again.Name != JSON || again.Text != v.Text {
				t.Fatalf("%q becomes %q", v.Text, again.Text)
			}
		}
		if v := Render(data, "application/json"); v.Name == JSON && utf8.Valid(data) &&
			strip(v.Text) != strip(strings.TrimPrefix(string(data), "\ufeff")) {
			t.Fatalf("%q is not %q", v.Text, data)
		}
	})
}

// strip removes white space, wherever it is.
func strip(s string) string {
	return strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "").Replace(s)
}
