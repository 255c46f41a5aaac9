package contentview

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestEscape(t *testing.T) {
	tests := []struct {
		name, in   string
		want, keep string // without and with keepSpacing
	}{
		{"empty", "", "", ""},
		{"ascii", `plain 'text' "here" \x1b \`, `plain 'text' "here" \x1b \`, `plain 'text' "here" \x1b \`},
		{"unicode", "é 日本語 привет 😀 \u00a0\u00ad", "é 日本語 привет 😀 \u00a0\u00ad", "é 日本語 привет 😀 \u00a0\u00ad"},
		{"joined emoji", "👩\u200d💻", "👩\u200d💻", "👩\u200d💻"},
		{"replacement character", "\ufffd", "\ufffd", "\ufffd"},
		{"escape sequence", "\x1b[31mred\x1b[0m", `\x1b[31mred\x1b[0m`, `\x1b[31mred\x1b[0m`},
		{"c0", "\x00\x07\x08\x0b\x0c\x1f\x7f", `\x00\x07\x08\x0b\x0c\x1f\x7f`, `\x00\x07\x08\x0b\x0c\x1f\x7f`},
		{"tab and line feed", "a\tb\nc", `a\tb\nc`, "a\tb\nc"},
		{"crlf", "a\r\nb\r\n", `a\r\nb\r\n`, "a\r\nb\r\n"},
		{"lone cr", "safe\revil", `safe\revil`, `safe\revil`},
		{"cr at the end", "a\r", `a\r`, `a\r`},
		{"two crs", "a\r\r\nb", `a\r\r\nb`, "a\\r\r\nb"},
		{"c1", "\u0080\u0085\u009b31m\u009f", `\u{0080}\u{0085}\u{009b}31m\u{009f}`, `\u{0080}\u{0085}\u{009b}31m\u{009f}`},
		{"line separators", "a\u2028b\u2029c", `a\u{2028}b\u{2029}c`, `a\u{2028}b\u{2029}c`},
		{"bidi", "\u061c\u200e\u200f\u202a\u202e\u2066\u2069", `\u{061c}\u{200e}\u{200f}\u{202a}\u{202e}\u{2066}\u{2069}`,
			`\u{061c}\u{200e}\u{200f}\u{202a}\u{202e}\u{2066}\u{2069}`},
		{"beside bidi", "\u061b\u200c\u200d\u2010\u2027\u202f\u2065\u206a", "\u061b\u200c\u200d\u2010\u2027\u202f\u2065\u206a",
			"\u061b\u200c\u200d\u2010\u2027\u202f\u2065\u206a"},
		{"raw bytes", "\x80a\xc3\xffb", `\x80a\xc3\xffb`, `\x80a\xc3\xffb`},
		{"cut character", "a\xe2\x82", `a\xe2\x82`, `a\xe2\x82`},
		{"overlong", "\xc0\x9b", `\xc0\x9b`, `\xc0\x9b`},
		{"surrogate", "\xed\xa0\x80", `\xed\xa0\x80`, `\xed\xa0\x80`},
		{"beyond unicode", "\xf4\x90\x80\x80", `\xf4\x90\x80\x80`, `\xf4\x90\x80\x80`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Escape(tt.in, false); got != tt.want {
				t.Errorf("Escape = %q, want %q", got, tt.want)
			}
			if got := Escape(tt.in, true); got != tt.keep {
				t.Errorf("Escape keeping spacing = %q, want %q", got, tt.keep)
			}
			if got := AppendEscaped([]byte("> "), []byte(tt.in), true); string(got) != "> "+tt.keep {
				t.Errorf("AppendEscaped = %q, want %q", got, "> "+tt.keep)
			}
		})
	}
}

func TestEscapeAllocs(t *testing.T) {
	safe := strings.Repeat("safe text, größer\t日本語\r\n", 20)
	if n := testing.AllocsPerRun(100, func() { Escape(safe, true) }); n != 0 {
		t.Errorf("Escape of safe text allocates %v times", n)
	}
	src, dst := []byte(safe+"\x1b\u202e\xff"), make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() { AppendEscaped(dst, src, true) }); n != 0 {
		t.Errorf("AppendEscaped allocates %v times", n)
	}
}

// actsOnTerminal is the definition that Escape must meet, written independently.
func actsOnTerminal(r rune) bool {
	return unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

func TestEscapeEveryRune(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		s := string(r)
		if changed := Escape(s, false) != s; changed != actsOnTerminal(r) {
			t.Errorf("%U: escaped = %t", r, changed)
		}
	}
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "plain", "\x1b[2J", "a\r\nb\rc", "\u009b\u202e\u2028", "\xff\xc3\xa9\xe2\x82", `\x1b`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, keep := range []bool{false, true} {
			got := Escape(s, keep)
			if !utf8.ValidString(got) {
				t.Fatalf("Escape(%q) = %q is not valid UTF-8", s, got)
			}
			rest := got
			if keep {
				rest = strings.NewReplacer("\r\n", "", "\n", "", "\t", "").Replace(got)
			}
			if i := strings.IndexFunc(rest, actsOnTerminal); i >= 0 {
				t.Fatalf("Escape(%q) = %q holds %q", s, got, rest[i:])
			}
			if again := Escape(got, keep); again != got {
				t.Fatalf("Escape(%q) = %q, twice %q", s, got, again)
			}
			if appended := AppendEscaped(nil, []byte(s), keep); !bytes.Equal(appended, []byte(got)) {
				t.Fatalf("AppendEscaped(%q) = %q, Escape = %q", s, appended, got)
			}
			if utf8.ValidString(s) && strings.IndexFunc(s, actsOnTerminal) < 0 && got != s {
				t.Fatalf("Escape changed safe %q to %q", s, got)
			}
		}
	})
}

func BenchmarkAppendEscaped(b *testing.B) {
	for _, bm := range []struct{ name, text string }{
		{"ascii", strings.Repeat("GET /index.html HTTP/1.1 ", 400)},
		{"unicode", strings.Repeat("größer 日本語 ", 400)},
		{"controls", strings.Repeat("\x1b[31mred\x1b[0m ", 400)},
	} {
		b.Run(bm.name, func(b *testing.B) {
			src := []byte(bm.text)
			dst := make([]byte, 0, 8*len(src))
			b.ReportAllocs()
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				dst = AppendEscaped(dst[:0], src, true)
			}
		})
	}
}

func BenchmarkRender(b *testing.B) {
	var sb strings.Builder
	sb.WriteString("[0")
	for i := range 2000 {
		fmt.Fprintf(&sb, `,{"id": %d, "name": "item", "tags": ["a", "b"]}`, i)
	}
	sb.WriteString("]")
	for _, bm := range []struct{ name, contentType, data string }{
		{"json", "application/json", sb.String()},
		{"form", "application/x-www-form-urlencoded", strings.Repeat("key=some+value%21&", 4000)},
		{"text", "text/plain", strings.Repeat("größer 日本語\n", 4000)},
		{"hex", "", strings.Repeat("\x00\xff", 30000)},
	} {
		b.Run(bm.name, func(b *testing.B) {
			data := []byte(bm.data)
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				Render(data, bm.contentType)
			}
		})
	}
}
