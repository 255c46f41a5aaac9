package har

import (
	"strings"
	"testing"
	"time"
)

// TestIsMostlyBinary: the answers are mitmproxy's.
func TestIsMostlyBinary(t *testing.T) {
	for _, tt := range []struct {
		content string
		want    bool
	}{
		{"", false},
		{"\x00", true},
		{strings.Repeat("a", 70) + strings.Repeat("\x00", 30), true},
		{strings.Repeat("a", 71) + strings.Repeat("\x00", 30), false},
		{strings.Repeat("é", 60), false},
		{strings.Repeat("x", 99) + "漢漢漢", false},
		{strings.Repeat("漢", 40), false},
		{"\x01" + strings.Repeat("é", 9), true},
		{"\x01\x02" + strings.Repeat("é", 15), true},
		{"\x7f\x7f\x7f\x7f\x7f", false},
		{"\x08\x08\x08aaaaaaaa", false},
	} {
		if got := isMostlyBinary([]byte(tt.content)); got != tt.want {
			t.Errorf("%q: %v", tt.content, got)
		}
	}
}

func TestCookieDate(t *testing.T) {
	want := time.Date(2026, 10, 21, 7, 28, 0, 0, time.UTC)
	for _, s := range []string{
		"Wed, 21 Oct 2026 07:28:00 GMT", "Wednesday, 21-Oct-26 07:28:00 GMT", "Wed Oct 21 07:28:00 2026",
		"21 oct 2026 7:28:0", "2026 Oct 21 07:28:00garbage", "07:28:00 21-October-2026",
	} {
		if got := cookieDate(s); !got.Equal(want) {
			t.Errorf("%q: %v", s, got)
		}
	}
	if got := cookieDate("Thu, 01-Jan-70 00:00:01 GMT"); got.Unix() != 1 {
		t.Errorf("a year before 2000: %v", got)
	}
	for _, s := range []string{
		"", "0", "-1", "Wed, 21 Oct 2026", "21 Oct 07:28:00", "31 Feb 2026 07:28:00", "21 Oct 2026 24:00:00",
		"21 Oct 2026 07:60:00", "21 Oct 1600 07:28:00", "99999 Oct 21 07:28:00", "21 O 2026 07:28:00", "21 anf 2026 07:28:00",
	} {
		if got := cookieDate(s); !got.IsZero() {
			t.Errorf("%q: %v", s, got)
		}
	}
}

func TestAuthority(t *testing.T) {
	for in, want := range map[string]string{
		"example.com":            "example.com",
		"Example.com:8080":       "Example.com:8080",
		"example.com:080":        "example.com:80",
		"under_score.example.":   "under_score.example.",
		"192.0.2.1:1":            "192.0.2.1:1",
		"[2001:DB8::1]:443":      "[2001:db8::1]:443",
		"[fe80::1%eth0]":         "[fe80::1]",
		"bücher.example":         "xn--bcher-kva.example",
		"straße.example:81":      "xn--strae-oqa.example:81",
		"":                       "",
		":80":                    "",
		"a, a":                   "",
		"a/b":                    "",
		"user@host":              "",
		"h:99999":                "",
		"h:+80":                  "",
		"h:":                     "",
		"2001:db8::1":            "",
		"[192.0.2.1]":            "",
		"[::1":                   "",
		"\xff.example":           "",
		"a\x00b":                 "",
		strings.Repeat("x", 256): "",
	} {
		got, ok := asciiAuthority(in)
		if got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v, want %q", in, got, ok, want)
		}
	}
}

// TestRecent: the last connections are remembered, in bounded memory.
func TestRecent(t *testing.T) {
	var s recent
	const n = 3 * recentLimit
	for i := range uint64(n) {
		if !s.add(i) {
			t.Fatalf("%d is known", i)
		}
	}
	if len(s.now)+len(s.before) > 2*recentLimit {
		t.Errorf("%d connections are remembered", len(s.now)+len(s.before))
	}
	for i := range uint64(recentLimit / 2) {
		if s.add(n - 1 - i) {
			t.Fatalf("%d of %d is forgotten", n-1-i, n)
		}
	}
}
