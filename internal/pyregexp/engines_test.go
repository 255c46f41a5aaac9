package pyregexp

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
	"unicode/utf8"
)

// engines are all ways to run r that there are, whether Compile takes them or not.
func engines(r *Regexp) map[string]func(text []byte) (bool, error) {
	const limit = 100 * time.Millisecond
	all := map[string]func(text []byte) (bool, error){"chosen": r.Match}
	program := compileProgram(r.root, r.kind)
	all["program"] = func(text []byte) (bool, error) { return program.match(text, 0, limit) }
	if b := newBacktracker(r.root, r.kind, limit); b.dotnet != nil {
		all["regexp2"] = func(text []byte) (bool, error) {
			if r.kind == Text && !utf8.Valid(text) {
				return false, errTime
			}
			return b.dotnet.match(text)
		}
	}
	if l := r.linear(); l != nil {
		all["linear"] = func(text []byte) (bool, error) {
			ok, sure := l.match(r.kind, text)
			if !sure {
				return false, errTime
			}
			return ok, nil
		}
	}
	return all
}

// disagreement returns which engines disagree on a text, if any do. Those without an answer are
// left out.
func disagreement(r *Regexp, all map[string]func([]byte) (bool, error), text []byte) error {
	answers := map[bool]string{}
	for name, run := range all {
		ok, err := run(text)
		if _, timeout := errors.AsType[*TimeoutError](err); timeout || err == errTime || err == errMemory {
			continue
		}
		if err != nil {
			return err
		}
		answers[ok] = name
	}
	if len(answers) == 2 {
		return fmt.Errorf("%s finds a match and %s does not (%s)", answers[true], answers[false], r.Explain())
	}
	return nil
}

func TestEnginesAgree(t *testing.T) {
	ran := map[string]int{}
	cases := 6000
	if testing.Short() {
		cases = 1000
	}
	for i := range cases {
		g := newGenerator(rand.New(rand.NewPCG(99, uint64(i))))
		c := g.testCase()
		o := c.options()
		o.Timeout = 100 * time.Millisecond
		r, err := Compile(string(c.Pattern), o)
		if err != nil {
			continue
		}
		all := engines(r)
		for name := range all {
			ran[name]++
		}
		for _, s := range c.Subjects {
			if err := disagreement(r, all, s); err != nil {
				t.Errorf("%s %q under %q on %q: %v", c.Kind, c.Pattern, c.Flags, s, err)
			}
		}
	}
	for _, name := range []string{"chosen", "program", "linear", "regexp2"} {
		if ran[name] < cases/10 {
			t.Errorf("%s ran %d patterns only", name, ran[name])
		}
	}
}

// What regexp2 does in another way than Python must not be left to it.
func TestNotForDotnet(t *testing.T) {
	for _, c := range []struct {
		flags         Flags
		pattern, text string
		want          bool
	}{
		{0, `(?>c{1,2}){2}+`, "baccabb", false},
		{0, `^(?:(|b)|\1a){2}c`, "ac", true},
		{0, `^(?:((|^)?|$|\2a){1,2}.)$`, "ac", true},
		{0, `(?>\.?(?:))+\.++|\b.*?\.`, "...", true},
		{IgnoreCase, `(s)\1(?=x)`, "sſx", false},
		{IgnoreCase, `(k)\1(?=x)`, "k\u212Ax", true},
		{0, `a\udcff(?=b)`, "a\xffb", true},
	} {
		r := mustCompile(t, c.pattern, Options{Kind: Text, Flags: c.flags})
		if ok, err := r.MatchString(c.text); err != nil || ok != c.want {
			t.Errorf("%q on %q: %v, %v, want %v", c.pattern, c.text, ok, err, c.want)
		}
	}
}

// FuzzCompile checks that every pattern has a syntax error or an answer, and that all engines that
// can run a pattern have the same.
func FuzzCompile(f *testing.F) {
	for i, v := range vectors(f) {
		f.Add(v.Pattern, v.Kind == "bytes", uint8(i), v.Subject)
	}
	for i := range 200 {
		c := newGenerator(rand.New(rand.NewPCG(7, uint64(i)))).testCase()
		f.Add(string(c.Pattern), c.Kind == "bytes", uint8(i), c.Subjects[0])
	}
	f.Fuzz(func(t *testing.T, pattern string, onBytes bool, flags uint8, text []byte) {
		o := Options{Kind: Text, Flags: Flags(flags) & (IgnoreCase | Multiline | DotAll), Timeout: 100 * time.Millisecond}
		if onBytes {
			o.Kind = Bytes
		}
		if len(pattern) > 500 || len(text) > 2000 {
			return // to be fast
		}
		r, err := Compile(pattern, o)
		if err != nil {
			e, ok := errors.AsType[*SyntaxError](err)
			if !ok || e.Offset < 0 || e.Offset > len(pattern) || e.Msg == "" {
				t.Fatalf("%q: %#v", pattern, err)
			}
			return
		}
		all := engines(r)
		for _, s := range [][]byte{text, nil, []byte("\n")} {
			if err := disagreement(r, all, s); err != nil {
				t.Fatalf("%q under %q on %q: %v", pattern, o.Flags, s, err)
			}
		}
	})
}
