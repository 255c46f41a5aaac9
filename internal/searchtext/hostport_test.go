package searchtext

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/flowtool/flowtool/internal/flowtest"
)

func TestSplitHostPort(t *testing.T) {
	label := strings.Repeat("a", maxLabel)
	name255 := strings.Repeat(label+".", 3) + label
	for _, tt := range []struct {
		in, host string
		port     int
	}{
		{"", "", -1},
		{"a.example", "a.example", -1},
		{"a.example:80", "a.example", 80},
		{"a.example.:80", "a.example.", 80},
		{"a.example..:80", "a.example..:80", -1},
		{"a:08080", "a", 8080},
		{"a:0", "a", 0},
		{"a:", "a:", -1},
		{"a:65535", "a", 65535},
		{"a:65536", "a:65536", -1},
		{"a:99999999999999999999999", "a:99999999999999999999999", -1},
		{"a:-1", "a:-1", -1},
		{"a:8_0", "a:8_0", -1},
		{"a:٨٠", "a", 80},
		{"a:8𝟎", "a", 80},
		{"a:²", "a:²", -1},
		{"a:" + strings.Repeat("0", maxDigits-2) + "80", "a", 80},
		{"a:" + strings.Repeat("0", maxDigits-1) + "80", "a:" + strings.Repeat("0", maxDigits-1) + "80", -1},
		{":80", ":80", -1},
		{"a:b:80", "a:b:80", -1},
		{"bad host!", "bad host!", -1},
		{"bad host!:80", "bad host!:80", -1},
		{"_a-.example:1", "_a-.example", 1},
		{"user@a:1", "user@a:1", -1},
		{"a, b:81", "a, b:81", -1},
		{"127.0.0.1:1", "127.0.0.1", 1},
		{"999.0.0.1:1", "999.0.0.1", 1},
		{"[127.0.0.1]:1", "127.0.0.1", 1},
		{"[a]", "a", -1},
		{"[a]:1", "a", 1},
		{"[]", "[]", -1},
		{"[]:1", "[]:1", -1},
		{"[", "[", -1},
		{"[a", "[a", -1},
		{"[2001:db8::1]:8080", "2001:db8::1", 8080},
		{"[2001:db8::1]", "2001:db8::1", -1},
		{"2001:db8::1", "2001:db8::1", -1},
		{"[::ffff:1.2.3.4]:1", "::ffff:1.2.3.4", 1},
		{"[::ffff:1.2.3.04]:1", "[::ffff:1.2.3.04]:1", -1},
		{"[::1.]:1", "::1.", 1},
		{"[fe80::1%eth0]:1", "fe80::1%eth0", 1},
		{"[fe80::1%25eth0]:1", "fe80::1%25eth0", 1},
		{"[fe80::1%]:1", "[fe80::1%]:1", -1},
		{"[fe80::1%a%b]:1", "[fe80::1%a%b]:1", -1},
		{"[fe80::1%a/b]:1", "[fe80::1%a/b]:1", -1},
		{"[fe80::1%a b]:1", "fe80::1%a b", 1},
		{"[::ffff:1.2.3.4%a]:1", "::ffff:1.2.3.4%a", 1},
		{"[1:2:3:4:5:6:7:8:9]", "[1:2:3:4:5:6:7:8:9]", -1},
		{"[::1]x", "[::1]x", -1},
		{"[::1]]:1", "[::1]]:1", -1},
		{label + ":1", label, 1},
		{label + "a:1", label + "a:1", -1},
		{name255[1:] + ":1", name255[1:], 1},
		{name255 + ":1", name255, 1},
		{name255 + ".:1", name255 + ".:1", -1},
		{"münchen.de:1", "münchen.de", 1},
		{"münchen。de:1", "münchen。de", 1},
		{"m\xfcnchen.de:1", "m\xfcnchen.de:1", -1},
		{"straße.de:1", "straße.de", 1},
		{"xn--mnchen-3ya.de:1", "xn--mnchen-3ya.de", 1},
		{"xn--strae-oqa.de:1", "xn--strae-oqa.de:1", -1},
		{"XN--STRAE-OQA.de:1", "XN--STRAE-OQA.de:1", -1},
		{"a.xn--strae-oqa:1", "a.xn--strae-oqa:1", -1},
		{"axn--strae-oqa:1", "axn--strae-oqa", 1},
		{"a\n", "a\n", -1},
		{"a:80\n", "a", 80},
		{"a:80\n\n", "a:80\n\n", -1},
		{"a\n.b\n:80", "a\n.b\n", 80},
		{"[::1]\n", "::1", -1},
		{"[::1]:80\n", "::1", 80},
		{"[\n::1]:80", "[\n::1]:80", -1},
	} {
		host, port := SplitHostPort([]byte(tt.in))
		if string(host) != tt.host || port != tt.port {
			t.Errorf("SplitHostPort(%q) = %q, %d; want %q, %d", tt.in, host, port, tt.host, tt.port)
		}
	}
}

func TestSplitHostPortAllocs(t *testing.T) {
	for _, in := range []string{"www.example.com", "www.example.com:8443", "127.0.0.1:80", "a:99999", "[a", "bad host!"} {
		b := []byte(in)
		if n := testing.AllocsPerRun(100, func() { SplitHostPort(b) }); n != 0 {
			t.Errorf("SplitHostPort(%q): %v allocations", in, n)
		}
	}
}

func FuzzSplitHostPort(f *testing.F) {
	for _, s := range []string{"", "a:80", "[::1]:8080", "münchen.de:1", "[fe80::1%eth0]", "xn--mnchen-3ya.de:1", "a\n:80\n", "a:٨٠"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, s []byte) {
		host, port := SplitHostPort(s)
		if len(host) == 0 && len(s) > 0 {
			t.Errorf("SplitHostPort(%q): no host", s)
		}
		if port < -1 || port > 65535 {
			t.Errorf("SplitHostPort(%q): port %d", s, port)
		}
		if !bytes.Contains(s, host) {
			t.Errorf("SplitHostPort(%q): host %q is not in it", s, host)
		}
		if len(host) == len(s) && port >= 0 {
			t.Errorf("SplitHostPort(%q): port %d and no port in it", s, port)
		}
		if plainHost(s) && !encodableHost(s) {
			t.Errorf("%q is plain but not valid", s)
		}
	})
}

// randomHost returns what may be in a Host header.
func randomHost(rnd *rand.Rand) string {
	var b strings.Builder
	switch rnd.IntN(6) {
	case 0: // soup
		for range rnd.IntN(12) {
			b.WriteString([]string{"a", "B", "-", "_", ".", ":", "[", "]", "8", "0", "%", "::", "\n", " ", "é", "\xff", "/", "xn--", "٣", "@", ",", "\x00"}[rnd.IntN(22)])
		}
		return b.String()
	case 1: // an address
		b.WriteString("[" + randomIPv6(rnd) + "]")
	case 2:
		b.WriteString(randomIPv6(rnd))
	case 3:
		for range 1 + rnd.IntN(5) {
			b.WriteString(strings.Repeat(string(rune('a'+rnd.IntN(26))), []int{1, 62, 63, 64}[rnd.IntN(4)]) + ".")
		}
	default:
		b.WriteString(randomName(rnd))
	}
	switch rnd.IntN(6) {
	case 0:
	case 1:
		b.WriteString(":" + strconv.Itoa(rnd.IntN(70000)))
	case 2:
		b.WriteString(":" + []string{"", "0", "080", "65535", "65536", "٨٠", "8𝟎", "²", "-1", "+1", "8 0", "8_0", "80:80", "80]"}[rnd.IntN(14)])
	default:
		b.WriteString(":80")
	}
	if rnd.IntN(10) == 0 {
		b.WriteString("\n")
	}
	return b.String()
}

func randomIPv6(rnd *rand.Rand) string {
	var b strings.Builder
	for i := range 1 + rnd.IntN(9) {
		if i > 0 || rnd.IntN(10) == 0 {
			b.WriteByte(':')
		}
		b.WriteString([]string{"", "0", "1", "abcd", "FFFF", "00001", "g"}[min(rnd.IntN(40), 6)%7])
		if rnd.IntN(4) > 0 {
			b.WriteString("12")
		}
	}
	if rnd.IntN(6) == 0 {
		b.WriteString(":" + []string{"1.2.3.4", "1.2.3", "01.2.3.4", "1.2.3.256", "::1.2.3.4", "1.2.3.4."}[rnd.IntN(6)])
	}
	if rnd.IntN(4) == 0 {
		b.WriteString("%" + []string{"", "eth0", "1", "%", "a/b", "a.b", "é", "a.xn--mnchen-3ya", "\xff"}[rnd.IntN(9)])
	}
	return b.String()
}

func TestSplitHostPortOracle(t *testing.T) {
	python := flowtest.Oracle(t)
	rnd := rand.New(rand.NewPCG(3, 4))
	var questions []question
	var hosts []string
	for range 40000 {
		host := randomHost(rnd)
		hosts = append(hosts, host)
		questions = append(questions, question{"split", b64(host)})
	}
	split := 0
	for i, answer := range ask(t, python, questions) {
		if class := failed(answer); class != "" {
			t.Errorf("%+q: mitmproxy raises %s", hosts[i], class)
			continue
		}
		want := texts(t, answer)
		host, port := SplitHostPort([]byte(hosts[i]))
		if string(host) != want[0] || strconv.Itoa(port) != want[1] {
			t.Errorf("SplitHostPort(%+q) = %+q, %d; want %+q, %s", hosts[i], host, port, want[0], want[1])
		}
		if port >= 0 {
			split++
		}
	}
	t.Logf("%d of %d have a port", split, len(hosts))
}

// TestDigits checks that all decimal digits come in tens, from 0 to 9.
func TestDigits(t *testing.T) {
	value := 0
	for r := range rune(unicode.MaxRune) {
		if !unicode.IsDigit(r) {
			if value != 0 {
				t.Fatalf("%U: no digit with the value %d", r, value)
			}
			continue
		}
		if digit, size := cutDigit([]byte(string(r))); digit != value || size != utf8.RuneLen(r) {
			t.Fatalf("%U: value %d and size %d, want value %d", r, digit, size, value)
		}
		value = (value + 1) % 10
	}
}
