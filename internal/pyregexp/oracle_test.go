package pyregexp

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/flowtool/flowtool/internal/flowtest"
)

var (
	oracleSeed  = flag.Uint64("seed", 1, "seed of the random patterns for TestOracle")
	oracleCases = flag.Int("cases", 25000, "number of random patterns for TestOracle")
)

// An oracle is what Python answered: a line that testdata/oracle/regex_match.py prints.
type oracle struct {
	Version [2]int
	Unicode string
	Results []string
}

// older reports whether Python is older than a release of version 3.
func (o oracle) older(minor int) bool { return o.Version[1] < minor }

// differs reports whether releases of Python disagree whether a pattern is valid.
func (o oracle) differs(c testCase) bool {
	switch {
	case o.older(12): // names of groups
		return bytes.Contains(c.Pattern, []byte("(?P<")) || bytes.Contains(c.Pattern, []byte("(?("))
	case !o.older(14):
		return bytes.Contains(c.Pattern, []byte(`\z`))
	}
	return false
}

// differsOn reports whether releases of Python disagree on what a pattern matches.
func (o oracle) differsOn(c testCase, subject []byte) bool {
	return !o.older(14) && len(subject) == 0 && bytes.Contains(c.Pattern, []byte(`\B`))
}

// askPython returns the answers for cases.
func askPython(t *testing.T, cases []testCase) oracle {
	t.Helper()
	python := flowtest.Oracle(t)
	file := filepath.Join(t.TempDir(), "cases")
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for _, c := range cases {
		if err := enc.Encode(c); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(file, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	o := flowtest.RunOracle[oracle](t, python, "regex_match.py", []string{file})[0]
	if len(o.Results) != len(cases) {
		t.Fatalf("%d results for %d cases", len(o.Results), len(cases))
	}
	if o.older(11) {
		t.Skipf("Python 3.%d has another dialect", o.Version[1])
	}
	return o
}

// TestOracle compares random patterns on random texts with Python.
func TestOracle(t *testing.T) {
	flowtest.Oracle(t)
	var cases []testCase
	for i := range *oracleCases {
		cases = append(cases, newGenerator(rand.New(rand.NewPCG(*oracleSeed, uint64(i)))).testCase())
	}
	o := askPython(t, cases)
	var valid, matches, misses, unsure int
	ran := map[Engine]int{}
	for i, c := range cases {
		if o.differs(c) {
			continue
		}
		r, err := Compile(string(c.Pattern), c.options())
		if want := o.Results[i] == "error"; want != (err != nil) {
			t.Errorf("case %d: %s %q under %q: error %v, want %v", i, c.Kind, c.Pattern, c.Flags, err, want)
			continue
		}
		if err != nil {
			continue
		}
		valid++
		ran[r.Engine()]++
		for k, s := range c.Subjects {
			if o.differsOn(c, s) {
				continue
			}
			ok, err := r.Match(s)
			want := o.Results[i][k]
			if _, timeout := errors.AsType[*TimeoutError](err); timeout || want == 't' || want == 'x' {
				unsure++
				continue
			}
			if want == 'm' {
				matches++
			} else {
				misses++
			}
			if err != nil || ok != (want == 'm') {
				t.Errorf("case %d: %s %q under %q on %q: %v, %v, want %c (%s)",
					i, c.Kind, c.Pattern, c.Flags, s, ok, err, want, r.Explain())
			}
		}
	}
	t.Logf("%d patterns, %d valid, engines %v; %d matches, %d misses, %d without an answer",
		len(cases), valid, ran, matches, misses, unsure)
	if valid < len(cases)/2 || matches < valid || misses < valid || unsure > len(cases)/50 {
		t.Error("the patterns are not of much use")
	}
}

// TestOracleCharacters compares the classes, and the variants of all letters, with Python.
func TestOracleCharacters(t *testing.T) {
	var chars, letters []string
	for r := rune(0); r <= 0x32000; r++ {
		if unicode.In(r, unicode.Cn, unicode.Cs) {
			continue
		}
		if !unicode.In(r, unicode.Han, unicode.Hangul) || r%97 == 0 {
			chars = append(chars, string(r))
		}
	}
	for _, r := range cased() {
		letters = append(letters, string(r))
	}
	var cases []testCase
	add := func(pattern, flags string, subjects []string) {
		c := testCase{Pattern: []byte(pattern), Kind: "text", Flags: flags}
		for _, s := range subjects {
			c.Subjects = append(c.Subjects, []byte(s))
		}
		cases = append(cases, c)
	}
	for _, p := range []string{`\w`, `\d`, `\s`, `.\b`} {
		add(p, "", chars)
	}
	for _, p := range []string{
		`[a-z]`, `[^A-Z]`, `[à-ÿ]`, `[\u0100-\u017f]`, `[\u0370-\u03ff]`, `[\u1e00-\u1fff]`, `[\ufb00-\ufb06]`, `[\u2c00-\U0001e943]`,
		`[\U00010400-\U00010427]`, `[^\U00010428-\U0001044f]`, `[^\u212a]`, `[\W\u0130]`, `[\d\u017f]`, `(?a)[a-z\u0130-\u0200]`,
	} {
		add(p, "i", letters)
	}
	all := strings.Join(letters, "")
	for _, r := range cased() {
		orbit := variants(r, false)
		if orbit[0] != r {
			continue
		}
		subjects := []string{all}
		for _, other := range orbit {
			subjects[0] = strings.ReplaceAll(subjects[0], string(other), "")
			subjects = append(subjects, string(other))
		}
		add(string(r), "i", subjects)
		// A back-reference is another matter.
		add(`(.)\1`, "i", []string{fmt.Sprintf("%c%c", r, orbit[1]), fmt.Sprintf("%c%c", orbit[1], r)})
	}
	o := askPython(t, cases)
	if o.Unicode < unicode.Version {
		t.Skipf("Python has Unicode %s, and Go %s", o.Unicode, unicode.Version)
	}
	for i, c := range cases {
		r := mustCompile(t, string(c.Pattern), c.options())
		for k, s := range c.Subjects {
			if ok, err := r.Match(s); err != nil || ok != (o.Results[i][k] == 'm') {
				t.Errorf("%q under %q on %.40q: %v, %v, want %c", c.Pattern, c.Flags, s, ok, err, o.Results[i][k])
			}
		}
	}
}
