package pyregexp

import (
	"bytes"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// page returns n bytes that look like HTML with some JSON.
func page(n int) []byte {
	words := strings.Fields(`the of and to in is that for it with as was on be by this are from at or an have not
		class href https www example com index html div span user name value data type text content title
		content-type application json script style width height margin padding color function return var`)
	r := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	for b.Len() < n {
		w := words[r.IntN(len(words))]
		switch r.IntN(8) {
		case 0:
			b.WriteString("<" + w + " id=\"" + words[r.IntN(len(words))] + "\">")
		case 1:
			b.WriteString("\"" + w + "\": " + "12.5,\n")
		case 2:
			b.WriteString(strings.ToUpper(w[:1]) + w[1:] + " ")
		default:
			b.WriteString(w + " ")
		}
	}
	return b.Bytes()[:n]
}

func match(b *testing.B, pattern string, o Options, text []byte, want bool) {
	r, err := Compile(pattern, o)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := r.Match(text); err != nil || ok != want {
			b.Fatal(ok, err)
		}
	}
}

// BenchmarkLiteral searches a long text for a string that is not there, in all ways there are.
func BenchmarkLiteral(b *testing.B) {
	text := page(10 << 20)
	for _, s := range []string{"password", "x-request-id", "sessionid", "zz", "<title>", "the user xat"} {
		b.Run(s+"/exact", func(b *testing.B) { match(b, s, Options{}, text, false) })
		b.Run(s+"/fold", func(b *testing.B) { match(b, s, Options{Flags: IgnoreCase}, text, false) })
		b.Run(s+"/bytes.Contains", func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if bytes.Contains(text, []byte(s)) {
					b.Fatal("found")
				}
			}
		})
		b.Run(s+"/regexp(?i)", func(b *testing.B) {
			re := regexp.MustCompile("(?i)" + s)
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if re.Match(text) {
					b.Fatal("found")
				}
			}
		})
	}
	b.Run("text", func(b *testing.B) { match(b, "sessionid", Options{Kind: Text, Flags: IgnoreCase}, text, false) })
	b.Run("three", func(b *testing.B) { match(b, "password|passwd|secret", Options{Flags: IgnoreCase}, text, false) })
	b.Run("dot", func(b *testing.B) { match(b, "example.org", Options{Flags: IgnoreCase}, text, false) })
	b.Run("worst", func(b *testing.B) {
		match(b, "aaaaaaaaab", Options{Flags: IgnoreCase}, bytes.Repeat([]byte("aAaaaaab"), 1<<20), false)
	})
}

// BenchmarkShort matches short texts, as most are.
func BenchmarkShort(b *testing.B) {
	url := []byte("https://www.example.com/static/js/app.min.js?v=1234567")
	for _, c := range []struct {
		name, pattern string
		kind          Kind
		text          string
		want          bool
	}{
		{"method", "^GET$", Bytes, "POST", false},
		{"methodMatch", "^POST$", Bytes, "POST", true},
		{"prefix", "^GET", Bytes, "GET", true},
		{"empty", "", Text, string(url), true},
		{"host", "example.com", Text, string(url), true},
		{"hostMiss", "example.org", Text, string(url), false},
		{"word", "login", Text, string(url), false},
		{"path", `/api/v\d+/`, Text, string(url), false},
		{"end", `\.js$`, Text, string(url), false},
		{"alternatives", `\.(?:png|jpe?g|gif)$`, Text, string(url), false},
		{"class", `[?&]v=\d+`, Text, string(url), true},
		{"lookAhead", `example(?!\.com)`, Text, string(url), false},
		{"backref", `(\d)\1`, Text, string(url), false},
	} {
		b.Run(c.name, func(b *testing.B) {
			match(b, c.pattern, Options{Kind: c.kind, Flags: IgnoreCase}, []byte(c.text), c.want)
		})
	}
}

// BenchmarkLong matches long texts.
func BenchmarkLong(b *testing.B) {
	text := page(1 << 20)
	binary := bytes.Clone(text)
	for i := 0; i < len(binary); i += 100 {
		binary[i] = 0xE9
	}
	for _, c := range []struct{ name, pattern string }{
		{"noLiteral", `\d+x\d*[yz]`},
		{"literal", `password=\w+`},
		{"literalInside", `\w+@example\.net`},
		{"lookAhead", `password(?!s)`},
		{"lookBehind", `(?<=user)\d`},
		{"possessive", `"\w++;`},
		{"atomic", `(?>\d+)px`},
	} {
		b.Run(c.name, func(b *testing.B) { match(b, c.pattern, Options{Flags: IgnoreCase}, text, false) })
	}
	b.Run("binary", func(b *testing.B) { match(b, `\d+[xy]\d`, Options{}, binary, false) })
}

func BenchmarkCompile(b *testing.B) {
	for _, p := range []string{"password", `^/api/v\d+/(?:users|items)/\w+$`, `foo(?!bar)`, `(\w)\1`} {
		b.Run(p, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Compile(p, Options{Kind: Text, Flags: IgnoreCase}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
