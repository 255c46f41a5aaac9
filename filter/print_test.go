package filter

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPrint(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"foo", "~u foo"},
		{"~q", "~q"},
		{"foo bar", "~u foo & ~u bar"},
		{"foo bar | baz", "~u foo & (~u bar | ~u baz)"},
		{"a & b | c", "(~u a & ~u b) | ~u c"},
		{"(a & b) & c", "(~u a & ~u b) & ~u c"},
		{"!!a", "!!~u a"},
		{"!(a | ~q )", "!(~u a | ~q )"},
		{"!(~q)", "!~q"},
		{"(~q|!~s)|(a |!~c 2)&x", "(~q | !~s ) | ((~u a | !~c 2) & ~u x)"},
		{"((a (b ~q)))", "~u a & (~u b & ~q )"},
		{"~c 0200", "~c 200"},
		{"~q|~e", "~q | ~e"},
		{"~b 'a b'", `~b "a b"`},
		{"~b 'a'", `~b a`},
		{`~b a\.b`, `~b a\.b`},
		{`~b "a\\.b"`, `~b a\.b`},
		{`~b "a\\.b c"`, `~b "a\\.b c"`},
		{`~b '"'`, `~b '"'`},
		{`~b "'"`, `~b "'"`},
		{`~b "\"'"`, `~b "\"'"`},
		{`~b "\n\r\t\f\0"`, `~b "\n\r\t\f\0"`},
		{`~b "\0\3\03"`, `~b "\0\303"`},
		{`~b "\0\33"`, `~b "\0\33"`},
		{`~b ""`, `~b ""`},
		{`&`, `~u "&"`},
		{`a| b`, `~u "a|" & ~u b`},
		{`!`, `~u "!"`},
		{`~b !a`, `~b "!a"`},
		{"~b '\t'", `~b "    "`},
		{"~b \v", "~b \"\v\""},
		{`~b '\\('`, `~b "\\("`},
		{"~b '~q'", `~b "~q"`},
		{"~b é", `~b é`},
		{"~status > 400 , 200-299", "~status >400,200..299"},
		{"~size 1 .. 2&~q", "~size 1..2 & ~q"},
		{"~id 'a&B'", `~id "a&b"`},
		{"~id 'a>'", `~id "a>"`},
		{"~hn 'A b'", ""},
		{"~hn 'A=B c'", `~hn "a=B c"`},
		{"~edited|(~edited x)", "~edited | (~edited & ~u x)"},
		{"(x ~edited)|x", "(~u x & ~edited ) | ~u x"},
	} {
		e, err := Parse(test.text, nil)
		if err != nil {
			if test.want != "" {
				t.Errorf("%q: %v", test.text, err)
			}
			continue
		}
		if got := e.String(); got != test.want {
			t.Errorf("%q is printed as %s, want %s", test.text, got, test.want)
		}
		checkProperties(t, test.text)
	}
}

func TestUnquote(t *testing.T) {
	for _, test := range []struct{ content, want string }{
		{``, ``},
		{`a`, `a`},
		{`\t\n\f\r`, "\t\n\f\r"},
		{`\03\13\73`, `031373`},
		{`\83`, `83`},
		{`\0`, "\x00"},
		{`\063`, "\x0063"},
		{`\0\3`, "\x003"},
		{`\1`, `1`},
		{`\x42\xa2\xF2\x02`, "B\u00a2\u00f2\x02"},
		{`\x41\x5c\x4\x`, `x41x5cx4x`},
		{`\u44\uA4\u04`, "D\u00a4\x04"},
		{`\u0041`, `u0041`},
		{`\u004`, "u004"},
		{`\u044`, "\x044"},
		{`\X42\U44`, `X42U44`},
		{`\d\\d\\\d`, `d\d\d`},
		{`\"\'`, `"'`},
		{`\é`, `é`},
		{"\\\r", "\r"},
		{`\ a`, ` a`},
		{`\b\a\v`, `bav`},
	} {
		if got := unquote(test.content); got != test.want {
			t.Errorf("%s: %q, want %q", test.content, got, test.want)
		}
	}
}

// TestRequote quotes all texts of up to four characters that matter.
func TestRequote(t *testing.T) {
	const alphabet = "\\\x00\t\n\r\f\"'03x2u4a \x1béABCDEF~()&|!"
	var try func(s string, n int)
	try = func(s string, n int) {
		quoted := requote(s)
		l := lexer{text: quoted}
		if got, ok := l.quoted(); got != s || !ok || !l.done() {
			t.Fatalf("%q is quoted as %s, which is %q", s, quoted, got)
		}
		if n > 0 {
			for _, c := range alphabet {
				try(s+string(c), n-1)
			}
		}
	}
	try("", 3)
	for _, s := range []string{"\xff\\\xff", strings.Repeat("\\", 99), "\x003\x0033\x00"} {
		try(s, 1)
	}
}

func TestUnquotedOffset(t *testing.T) {
	const content = `aé\t\\\x42\é\03x`
	value := unquote(content)
	last := -1
	for i := range value {
		at := unquotedOffset(content, i)
		if at <= last && i > 0 || at >= len(content) {
			// Digits of one escape share it.
			if value[i] != '3' {
				t.Errorf("byte %d of %q is at %d, after %d", i, value, at, last)
			}
		}
		if !utf8.RuneStart(content[at]) && content[at-1] != '\\' {
			t.Errorf("byte %d of %q is inside a character", i, value)
		}
		last = at
	}
	if got := unquotedOffset(content, len(value)); got != len(content) {
		t.Errorf("the end is at %d, want %d", got, len(content))
	}
}
