package jsonscan_test

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/flowtool/flowtool/internal/jsonscan"
)

func TestString(t *testing.T) {
	for _, tt := range []struct {
		in, want               string
		escaped, half, noASCII bool
	}{
		{in: ``},
		{in: `plain`, want: "plain"},
		{in: `seven77`, want: "seven77"},
		{in: `more than eight bytes`, want: "more than eight bytes"},
		{in: `\"\\\/\b\f\n\r\t`, want: "\"\\/\b\f\n\r\t", escaped: true},
		{in: `0123456\n9abcdef\"`, want: "0123456\n9abcdef\"", escaped: true},
		{in: `\u0041\u00e9\u6f22\uFFFD`, want: "Aé漢\ufffd", escaped: true},
		{in: `\ud83d\ude00`, want: "😀", escaped: true},
		{in: `é漢😀`, want: "é漢😀", noASCII: true},
		{in: "\xff", want: "\xff", noASCII: true},
		{in: `\udc80\udcff`, want: "\x80\xff", escaped: true, half: true},
		{in: `\ud83d\u0041`, want: "\ufffdA", escaped: true, half: true},
		{in: `\ud83d\ud83d\ude00`, want: "\ufffd😀", escaped: true, half: true},
		{in: `\ude00\ud83d`, want: "\ufffd\ufffd", escaped: true, half: true},
		{in: `\ud83d\n`, want: "\ufffd\n", escaped: true, half: true},
	} {
		for _, behind := range []string{"", "y", `,"and more than eight bytes"`} {
			b := []byte(`x"` + tt.in + `"` + behind)
			s, err := jsonscan.ScanString(b, 2)
			if err != nil {
				t.Errorf("%s: %v", tt.in, err)
				continue
			}
			if s.End != 2+len(tt.in) || s.Size != len(tt.want) || s.Escaped != tt.escaped || s.Half != tt.half || tt.noASCII && !s.NotASCII {
				t.Errorf("%s: %+v", b, s)
			}
			got := make([]byte, s.Size)
			if n := jsonscan.Unescape(got, b[2:s.End]); n != s.Size || string(got) != tt.want {
				t.Errorf("%s: %q, size %d, want %q", tt.in, got, n, tt.want)
			}
		}
	}
}

// TestErrors has texts with something wrong behind before.
func TestErrors(t *testing.T) {
	str := func(b []byte, i int) error { return wrong(jsonscan.ScanString(b, i)) }
	number := func(b []byte, i int) error { _, _, err := jsonscan.Number(b, i); return wrong(0, err) }
	want := func(b []byte, i int) error { return wrong(0, jsonscan.Want(b, i, "a comma")) }
	for _, tt := range []struct {
		scan         func(b []byte, i int) error
		start        int
		before, rest string
		want         string
		end          bool
	}{
		{str, 0, `abc`, ``, "the text ends within a string", true},
		{str, 0, `abc\`, ``, "the text ends within a string", true},
		{str, 0, `0123456789`, "\x00\"", `control character 0x00 in a string; it is written as \u0000`, false},
		{str, 0, `0`, "\n\"", `line break in a string; it is written as \n`, false},
		{str, 0, `0`, `\x"`, `"\\x" is no escape`, false},
		{str, 0, `0\n`, `\u12"`, `no escape`, false},
		{str, 0, ``, `\u12g4"`, `"\\u12g4" is no escape`, false},
		{number, 1, `:`, `-`, `"-" is no number`, false},
		{number, 1, `:`, `01`, `"01" is no number`, false},
		{number, 1, `:`, `1.`, `"1." is no number`, false},
		{number, 1, `:`, `1.e5,`, `"1.e5" is no number`, false},
		{number, 1, `:`, `1e+]`, `"1e+" is no number`, false},
		{number, 1, `:`, `12x]`, `"12x" is no number`, false},
		{want, 3, `{1 `, `2}`, `"2" where a comma is expected`, false},
		{want, 1, `{`, `word and more`, `"word" where a comma is expected`, false},
		{want, 1, `{`, ``, `an object or array, where a comma is expected`, true},
	} {
		err := tt.scan([]byte(tt.before+tt.rest), tt.start)
		e, ok := errors.AsType[*jsonscan.Error](err)
		if !ok || e.Pos != len(tt.before) || !strings.Contains(e.Error(), tt.want) || errors.Is(err, io.ErrUnexpectedEOF) != tt.end {
			t.Errorf("%s, %s: error %+v, want one at %d: %s", tt.before, tt.rest, e, len(tt.before), tt.want)
		}
	}
}

func wrong[T any](_ T, err *jsonscan.Error) error {
	if err == nil {
		return nil
	}
	return err
}

func TestHalf(t *testing.T) {
	for in, want := range map[string]string{
		`a\ud83d\ude00\n\ud83dx`: `\ud83d`,
		`\udc80`:                 `\udc80`,
		`\u0041\ude00`:           `\ude00`,
	} {
		half, pos := jsonscan.Half([]byte(in))
		if string(half) != want || !strings.HasPrefix(in[pos:], want) {
			t.Errorf("%s: %s at %d", in, half, pos)
		}
	}
}

func TestNumber(t *testing.T) {
	for in, want := range map[string]struct {
		number string
		whole  bool
	}{
		"0":          {"0", true},
		"-0,":        {"-0", true},
		"120]":       {"120", true},
		"1.50 ":      {"1.50", false},
		"-1e5}":      {"-1e5", false},
		"1E-05\n":    {"1E-05", false},
		"0.1e+9,1":   {"0.1e+9", false},
		"9999999999": {"9999999999", true},
	} {
		end, whole, err := jsonscan.Number([]byte(in), 0)
		if err != nil || in[:end] != want.number || whole != want.whole {
			t.Errorf("%s: %s, %v, %v", in, in[:end], whole, err)
		}
	}
}

func TestWord(t *testing.T) {
	for in, want := range map[string]bool{"null": true, "null,": true, "null ": true, "nul": false, "nulll": false, "null0": false} {
		if got := jsonscan.Word([]byte(in), 0, "null"); got != want {
			t.Errorf("%s: %v", in, got)
		}
	}
}

func TestSpace(t *testing.T) {
	for in, want := range map[string]int{"": 0, " ": 1, "x": 0, " \t\r\nx ": 4, "\v": 0, "\u00a0": 0} {
		if got := jsonscan.Space([]byte(in), 0); got != want {
			t.Errorf("%q: %d", in, got)
		}
	}
}

func TestQuoteIn8(t *testing.T) {
	for in, want := range map[string]int{`"12345678`: 0, `012"456"`: 3, `0123456"`: 7, `01234567"`: 8, "\xa2!#\"\xff\x00\x01\x02": 3} {
		if got := jsonscan.QuoteIn8([]byte(in)); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}

func TestQuote(t *testing.T) {
	if got, want := jsonscan.Quote("a\n"), `"a\n"`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := jsonscan.Quote([]byte(strings.Repeat("é", 100))); len(got) > 50 || !strings.Contains(got, "…") {
		t.Errorf("not shortened: %s", got)
	}
}

// FuzzString: encoding/json finds the same strings, with the same values.
func FuzzString(f *testing.F) {
	for _, s := range []string{`a"`, `\u00e9\\"`, `0123456\"8"x`, `\ud83d\ude00"`, `\ud83d"`, "\x1f\"", `\x"`, "é\"", "\xc3\"", `\u00"`, ``} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := jsonscan.ScanString(b, 0)
		var want string
		quoted := append([]byte(`"`), b...)
		if err != nil {
			if err.Pos > len(b) {
				t.Fatalf("%q: error at %d", b, err.Pos)
			}
			// The bytes up to the error begin no string.
			if end := json.NewDecoder(strings.NewReader(string(quoted))).Decode(&want); end == nil {
				t.Fatalf("%q: %v, but it is %q", b, err, want)
			}
			return
		}
		if err := json.Unmarshal(quoted[:s.End+2], &want); err != nil {
			t.Fatalf("%q: %v", b, err)
		}
		got := make([]byte, s.Size)
		if n := jsonscan.Unescape(got, b[:s.End]); n != s.Size {
			t.Fatalf("%q: size %d, then %d", b, s.Size, n)
		}
		if s.Escaped != (strings.IndexByte(string(b[:s.End]), '\\') >= 0) {
			t.Fatalf("%q: %+v", b, s)
		}
		if s.Half {
			if half, pos := jsonscan.Half(b[:s.End]); half == nil || pos >= s.End {
				t.Fatalf("%q: no half found", b)
			}
			return // stands for U+FFFD in encoding/json
		}
		if utf8.Valid(b[:s.End]) && string(got) != want {
			t.Fatalf("%q: %q, want %q", b, got, want)
		}
		if !s.NotASCII && !isASCII(b[:s.End]) {
			t.Fatalf("%q: %+v", b, s)
		}
	})
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// FuzzNumber: encoding/json takes the same texts for numbers.
func FuzzNumber(f *testing.F) {
	for _, s := range []string{"0", "-0", "01", "1.5", "1.", ".5", "1e5", "1E+", "1e-07", "--1", "1x", "12,"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 || b[0] != '-' && (b[0] < '0' || b[0] > '9') {
			return
		}
		end, whole, err := jsonscan.Number(b, 0)
		if err != nil {
			if json.Valid(b) {
				t.Fatalf("%q: %v", b, err)
			}
			return
		}
		if number := b[:end]; !json.Valid(number) || whole == strings.ContainsAny(string(number), ".eE") {
			t.Fatalf("%q: found %q, whole %v", b, number, whole)
		}
	})
}

func BenchmarkString(b *testing.B) {
	for _, in := range []struct{ name, text string }{
		{"plain", strings.Repeat("no escapes, only plain text. ", 100)},
		{"json", strings.Repeat(`{\"id\":12345,\"name\":\"somebody\"},`, 100)},
		{"lines", strings.Repeat(`MIIJvjCCCWWgAwIBAgISA+XZv9PBNnpP/2QD/TiI3WUfMAoGCCqGSM49BAMCMDEx\n`, 50)},
	} {
		text := []byte(in.text + `"`)
		b.Run("scan/"+in.name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := jsonscan.ScanString(text, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("unescape/"+in.name, func(b *testing.B) {
			out := make([]byte, len(text))
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				jsonscan.Unescape(out, text[:len(text)-1])
			}
		})
	}
}
