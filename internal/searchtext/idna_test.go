package searchtext

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/flowtool/flowtool/internal/flowtest"
)

func TestAuthority(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""},
		{"example.com", "example.com"},
		{"example.com:443", "example.com:443"},
		{"bad host!", "bad host!"},
		{"xn--mnchen-3ya.de:8443", "münchen.de:8443"},
		{"xn--mnchen-3ya.de.", "münchen.de."},
		{"a..xn--mnchen-3ya", "a..münchen"},
		{"XN--MNCHEN-3YA.DE", "MüNCHEN.DE"},
		{"xn--Mnchen-3ya.de", "München.de"},
		{"xn--strae-oqa.de", "xn--strae-oqa.de"},       // ß is prepared to ss
		{"xn--mnchen-3ya:8443", "xn--mnchen-3ya:8443"}, // the port is in the label
		{"a.xn--mnchen-3ya:8443", "a.xn--mnchen-3ya:8443"},
		{"xn--mnchen-3ya.xn--strae-oqa", "xn--mnchen-3ya.xn--strae-oqa"},
		{"münchen.de", "münchen.de"},
		{"münchen.xn--mnchen-3ya.de", "münchen.xn--mnchen-3ya.de"},
		{"\xff.xn--mnchen-3ya.de", "\xff.xn--mnchen-3ya.de"},
		{"axn--mnchen-3ya.de", "axn--mnchen-3ya.de"},
		{"xn--", "xn--"},
		{"xn---", "xn---"},
		{"xn--abc-", "xn--abc-"},
		{"xn--99999999999999999999", "xn--99999999999999999999"},
		{"xn--ls8h.la", "💩.la"},
		{"xn--fiqs8s.xn--0zwm56d", "中国.测试"},
		{"xn--4gbrim.xn----ymcbaaajlc6dj7bxne2c.xn--wgbh1c", "موقع.وزارة-الاتصالات.مصر"},
		{"xn--0ug.de", "xn--0ug.de"}, // a joiner is mapped to nothing
	} {
		if got := string(Authority([]byte(tt.in))); got != tt.want {
			t.Errorf("Authority(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestAuthorityAllocs(t *testing.T) {
	for _, in := range []string{"www.example.com:8443", "münchen.de", "[2001:db8::1]:80"} {
		b := []byte(in)
		if n := testing.AllocsPerRun(100, func() { Authority(b) }); n != 0 {
			t.Errorf("Authority(%q): %v allocations", in, n)
		}
	}
}

// FuzzPunycode checks that what is encoded is decoded again.
func FuzzPunycode(f *testing.F) {
	for _, s := range []string{"münchen", "中国", "💩", "a-b-ü", "-ü", "üü", "\U0010ffff\u0080"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) || utf8.RuneCountInString(s) > maxLabel {
			return
		}
		ascii := true
		for _, r := range s {
			ascii = ascii && r < utf8.RuneSelf
		}
		if ascii {
			return
		}
		encoded := appendPunycode(nil, []rune(s))
		decoded, ok := decodePunycode(encoded)
		if !ok || string(decoded) != s {
			t.Errorf("%q is encoded to %q and decoded to %q, %v", s, encoded, string(decoded), ok)
		}
	})
}

// FuzzAuthority checks that decoding is all or nothing, and that encoding undoes it.
func FuzzAuthority(f *testing.F) {
	for _, s := range []string{"", "a.b", "xn--mnchen-3ya.de", "xn--strae-oqa", "XN--MNCHEN-3YA.x", "xn--4gbrim.de.", "\xff", "a..xn--ls8h"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		text := Authority(b)
		if string(text) == string(b) {
			return
		}
		if !utf8.Valid(text) {
			t.Fatalf("Authority(%q) = %q, which is not valid", b, text)
		}
		labels := strings.Split(string(text), ".")
		for i, label := range strings.Split(string(b), ".") {
			if !strings.EqualFold(label[:min(len(label), 4)], acePrefix) {
				continue
			}
			encoded, ok := encodeName([]byte(labels[i]))
			if !ok || !strings.EqualFold(string(encoded), label) {
				t.Fatalf("Authority(%q) = %q, which is encoded to %q, %v", b, text, encoded, ok)
			}
		}
	})
}

// TestEncodeOracle compares how names with every single code point are encoded.
func TestEncodeOracle(t *testing.T) {
	python := flowtest.Oracle(t)
	const step = 1 << 12
	type part struct{ before, after string }
	var questions []question
	var parts []part
	var firsts []int
	for _, p := range []part{{"x", "y"}, {"", ""}, {"a\u0323", "\u0301.de"}, {"\u05d0", "\u05d0"}} {
		for first := 0x80; first < 0x30000; first += step {
			if p.before != "x" && first >= 0x3080 && first < 0xe080 || p.before != "x" && first >= 0x20080 {
				continue // Han, Hangul and the like
			}
			questions = append(questions, question{"idna", b64(p.before), b64(p.after), first, first + step - 1})
			parts, firsts = append(parts, p), append(firsts, first)
		}
	}
	// Tags and private use.
	questions = append(questions, question{"idna", b64("x"), b64("y"), 0xe0000, 0xe0fff})
	parts, firsts = append(parts, part{"x", "y"}), append(firsts, 0xe0000)
	questions = append(questions, question{"idna", b64("x"), b64("y"), 0x10f800, 0x10ffff})
	parts, firsts = append(parts, part{"x", "y"}), append(firsts, 0x10f800)

	differences := 0
	for i, answer := range ask(t, python, questions) {
		var names []*string
		if err := json.Unmarshal(answer, &names); err != nil {
			t.Fatal(err)
		}
		for j, want := range names {
			r := rune(firsts[i] + j)
			if utf8.RuneLen(r) < 0 {
				continue
			}
			name := parts[i].before + string(r) + parts[i].after
			got, ok := encodeName([]byte(name))
			if ok != (want != nil) || ok && string(got) != *want {
				w := "an error"
				if want != nil {
					w = *want
				}
				if differences++; differences < 50 {
					t.Errorf("%U: encodeName(%+q) = %q, %v; Python has %s", r, name, got, ok, w)
				}
			}
		}
	}
	t.Logf("%d differences", differences)
}

// interesting are code points that are treated in special ways by some step.
var interesting = []rune("aZ09-_.xn:\u00ad\u00df\u0130\u0131\u0149\u01f0\u0300\u0301\u0308\u0323\u0327\u0345\u034f\u0390\u03a3\u03c2\u05d0\u05b4\u0627\u0660\u06f0\u0958\u0f71\u0f72\u0f74\u1100\u1161\u11a8\uac00\uac01\u1b05\u1b35\u1e9e\u1fb7\u2024\u200b\u200d\u2126\u212b\u2260\u3002\u3099\u304b\ufb03\ufdfa\ufeff\uff0e\uff10\uff21\uff61\ufffd\U00010400\U0001109a\U000110ba\U0001d15e\U0001d400\U0001f100\U0001f4a9\U0002f868\U0002f91f")

// randomName returns a name that reaches deep into the rules, more often than not.
func randomName(rnd *rand.Rand) string {
	var b strings.Builder
	for range 1 + rnd.IntN(3) {
		if b.Len() > 0 {
			b.WriteRune([]rune(".\u3002\uff0e\uff61")[min(rnd.IntN(12), 3)])
		}
		var label []rune
		for range rnd.IntN(6) {
			switch rnd.IntN(6) {
			case 0:
				label = append(label, rune(0x80+rnd.IntN(0x3000)))
			case 1:
				label = append(label, rune('a'+rnd.IntN(26)))
			default:
				label = append(label, interesting[rnd.IntN(len(interesting))])
			}
		}
		switch rnd.IntN(3) {
		case 0: // encoded, with everything that may be wrong about that
			b.WriteString([]string{"xn-", "XN--", "Xn--", "xn--"}[min(rnd.IntN(20), 3)])
			if rnd.IntN(5) > 0 {
				if prepared, ok := nameprep(label); ok && rnd.IntN(5) > 0 {
					label = prepared
				}
				b.Write(appendPunycode(nil, label))
			} else {
				for range rnd.IntN(10) {
					b.WriteByte("abcdefghijklmnopqrstuvwxyzABC0123456789--:\xff"[rnd.IntN(43)])
				}
			}
		default:
			b.WriteString(string(label))
		}
	}
	if rnd.IntN(20) == 0 {
		b.WriteString(strings.Repeat(string(interesting[rnd.IntN(len(interesting))]), 1+rnd.IntN(70)))
	}
	if rnd.IntN(8) == 0 {
		b.WriteByte('.')
	}
	return b.String()
}

func TestAuthorityOracle(t *testing.T) {
	python := flowtest.Oracle(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	var questions []question
	var names []string
	for range 30000 {
		name := randomName(rnd)
		if rnd.IntN(2) == 0 { // all of one label
			name = strings.ReplaceAll(name, ".", "")
		}
		names = append(names, name)
		questions = append(questions, question{"authority", b64(name)})
	}
	changed, skipped := 0, 0
	for i, answer := range ask(t, python, questions) {
		if failed(answer) == "OverflowError" { // see Authority
			skipped++
			continue
		}
		got := string(Authority([]byte(names[i])))
		if want := texts(t, answer)[0]; got != want {
			t.Errorf("Authority(%+q) = %+q, want %+q", names[i], got, want)
		}
		if got != names[i] {
			changed++
		}
	}
	t.Logf("%d of %d were decoded, %d are exceptions", changed, len(names), skipped)
	if changed < len(names)/50 {
		t.Error("too few to learn from")
	}
}
