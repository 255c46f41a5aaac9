package pyregexp

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// slowIndex is needle.index without any art.
func slowIndex(n *needle, s []byte, from int) int {
	for i := from; i+len(n.text) <= len(s); i++ {
		if n.isAt(s[i:]) {
			return i
		}
	}
	return -1
}

func needleOf(t testing.TB, pattern string, flags Flags) *needle {
	t.Helper()
	lits := mustCompile(t, pattern, Options{Kind: Bytes, Flags: flags}).literals
	if len(lits) != 1 {
		t.Fatalf("%q is no literal", pattern)
	}
	return lits[0].needle
}

// Texts of few characters make the search pass on from one way to the next.
func TestIndex(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	stages := map[string]int{}
	rounds := 4000
	if testing.Short() {
		rounds = 1000
	}
	for range rounds {
		alphabet := []byte("aAbB.xX")[:1+r.IntN(7)]
		random := func(n int) []byte {
			s := make([]byte, n)
			for i := range s {
				s[i] = alphabet[r.IntN(len(alphabet))]
			}
			return s
		}
		pattern := random(1 + r.IntN(12))
		if r.IntN(2) == 0 {
			pattern = append(pattern, "yz"[r.IntN(2)])
		}
		if !bytes.ContainsAny(pattern, "abxyzABX") {
			continue
		}
		n := needleOf(t, string(pattern), Flags(r.IntN(2)))
		text := random(r.IntN(3000))
		if r.IntN(2) == 0 {
			text = append(bytes.Repeat(pattern[:len(pattern)-1], r.IntN(2000)), text...)
		}
		if r.IntN(2) == 0 {
			text = append(text, pattern...)
		}
		from := r.IntN(len(text) + 1)
		want := slowIndex(n, text, from)
		got := n.index(text, from)
		switch {
		case got == gaveUp && n.classes != nil:
			stages["gave up"]++
		case got != want:
			t.Fatalf("%q (fold %v) in %q from %d: %d, want %d", pattern, n.fold, text, from, got, want)
		}
		if got := n.pairIndex(text, from); got != want && got != gaveUp {
			t.Fatalf("pairIndex %q in %q from %d: %d, want %d", pattern, text, from, got, want)
		}
		if n.classes == nil {
			stages["steady"]++
			if got := n.steadyIndex(text, from); got != want {
				t.Fatalf("steadyIndex %q in %q from %d: %d, want %d", pattern, text, from, got, want)
			}
		}
	}
	if stages["gave up"] < 10 || stages["steady"] < 100 {
		t.Errorf("not all ways to search were taken: %v", stages)
	}
}

// The parts in which a text is searched must not hide a match.
func TestIndexAcrossWindows(t *testing.T) {
	n := needleOf(t, "needle", IgnoreCase)
	for _, size := range []int{window - 1, window, window + 1, 2 * window} {
		for shift := -8; shift <= 8; shift++ {
			text := bytes.Repeat([]byte("."), size+shift)
			text = append(text, "NEEdle..."...)
			if got := n.index(text, 0); got != size+shift {
				t.Errorf("at %d: %d", size+shift, got)
			}
		}
	}
}

func TestRequirement(t *testing.T) {
	for _, c := range []struct {
		kind    Kind
		flags   Flags
		pattern string
		want    []string // nil: none
		prefix  bool
	}{
		{Bytes, 0, `foo\d+`, []string{"foo"}, true},
		{Bytes, 0, `^foo\d+`, []string{"foo"}, false},
		{Bytes, 0, `\d+foo\d+quux`, []string{"quux"}, false},
		{Bytes, 0, `(?:fo(o))(?:b|\d)`, []string{"foo"}, true},
		{Bytes, 0, `(?:foo\d|bar+)x?`, []string{"foo", "ba"}, true},
		{Bytes, 0, `foo\d|\d`, nil, false},
		{Bytes, 0, `(?:foo)*`, nil, false},
		{Bytes, 0, `(?:foo)+?x*`, []string{"foo"}, true},
		{Bytes, 0, `\w+@example.com\b\w*`, []string{"@example\x00com"}, false},
		{Bytes, 0, `.foo.+`, []string{"foo"}, false},
		{Bytes, 0, `(?=.*foo)\d`, []string{"foo"}, false},
		{Bytes, 0, `(?!foo)\d`, nil, false},
		{Bytes, IgnoreCase, `FOO\d+`, []string{"foo"}, true},
		{Text, 0, `é\d+`, []string{"é"}, true},
		{Text, IgnoreCase, `é\d+`, nil, false},
	} {
		q := mustCompile(t, c.pattern, Options{Kind: c.kind, Flags: c.flags}).need
		var got []string
		if q != nil {
			for _, n := range q.needles {
				got = append(got, string(n.text))
			}
		}
		if len(got) != len(c.want) || q != nil && q.prefix != c.prefix {
			t.Errorf("%q: %q, want %q", c.pattern, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%q: %q, want %q", c.pattern, got, c.want)
			}
		}
	}
}
