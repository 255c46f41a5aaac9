package pyregexp

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

func mustCompile(t testing.TB, pattern string, o Options) *Regexp {
	t.Helper()
	r, err := Compile(pattern, o)
	if err != nil {
		t.Fatalf("%.40q: %v", pattern, err)
	}
	return r
}

func TestExplain(t *testing.T) {
	for _, c := range []struct {
		kind          Kind
		flags         Flags
		pattern, want string
	}{
		{Text, IgnoreCase, ``, "literal"},
		{Text, IgnoreCase, `password`, "literal"},
		{Text, IgnoreCase, `example.com`, "literal"},
		{Text, IgnoreCase, `^GET$`, "literal"},
		{Bytes, IgnoreCase | Multiline, `^host: `, "literal"},
		{Bytes, 0, `\bfoo\b`, "literal"},
		{Text, IgnoreCase, `\.(?:js|css)$`, "linear"},
		{Text, IgnoreCase, `foo|ba[rz]|^$`, "literal"},
		{Text, IgnoreCase, `id=\d{4}`, "literal"},
		{Bytes, IgnoreCase, `(a)(?:b(c))`, "literal"},
		{Text, 0, `café`, "literal"},
		{Text, IgnoreCase, `café`, "linear"},
		{Text, 0, `\udcff`, "linear"},
		{Text, 0, `a+`, "linear"},
		{Text, 0, `.`, "linear"},
		{Text, 0, `(?:a|b$)`, "literal"},
		{Text, 0, `(?:x+|b$)`, "linear"},
		{Text, 0, `(?:x+$)?`, "linear"},
		{Text, 0, `(a*)*b`, "linear"},
		{Text, 0, `(?!)`, "linear"},
		{Text, 0, `\bx+`, "linear"},
		{Text, 0, `a{1000}`, "linear"},
		{Text, 0, `foo(?=bar)`, "backtracking: look-ahead at offset 3"},
		{Text, 0, `é(?<!é)`, "backtracking: look-behind at offset 2"},
		{Text, 0, `(.)\1(?=x)`, "backtracking: back-reference at offset 3"},
		{Text, 0, `(.)(?(1)a|b)`, "backtracking: condition at offset 6"},
		{Text, 0, `a(?>b+)`, "backtracking: atomic group at offset 1"},
		{Text, 0, `ab++c`, "backtracking: possessive quantifier at offset 1"},
		{Text, 0, `a$\n`, "backtracking: $ not at the end at offset 1"},
		{Text, 0, `(?:a$)*`, "backtracking: $ not at the end at offset 4"},
		{Text, Multiline, `(?:a$)*`, "linear"},
		{Text, 0, `a{1001}`, "backtracking: large number of repetitions at offset 0"},
		{Text, 0, `((a{100}){20})`, "backtracking: large number of repetitions at offset 2"},
		{Text, 0, `(?:` + strings.Repeat("ab?", 100) + `){30}`, "backtracking: size of the pattern at offset 0"},
	} {
		r := mustCompile(t, c.pattern, Options{Kind: c.kind, Flags: c.flags})
		if got := r.Explain(); got != c.want {
			t.Errorf("%.40q: %s, want %s", c.pattern, got, c.want)
		}
		if name, _, _ := strings.Cut(c.want, ":"); r.Engine().String() != name {
			t.Errorf("%.40q: engine %s, want %s", c.pattern, r.Engine(), name)
		}
	}
}

func TestLiteral(t *testing.T) {
	for _, c := range []struct {
		kind    Kind
		flags   Flags
		pattern string
		want    int
	}{
		{Bytes, IgnoreCase, `foo`, 3},
		{Bytes, IgnoreCase, `foo|quux`, 4},
		{Bytes, 0, `caf\xc3\xa9`, 5},
		{Bytes, 0, `example.com`, 11},
		{Bytes, 0, `\d{4}-`, 5},
		{Text, IgnoreCase, `foo`, 3},
		{Text, IgnoreCase, `ask`, 1 + 2 + 3}, // the Kelvin sign has three bytes
		{Text, 0, `café`, 5},
		{Text, 0, `example.com`, 0}, // part of a character is another character
		{Text, 0, ``, 0},
		{Text, 0, `^foo`, 0},
		{Bytes, 0, `foo$`, 0},
		{Bytes, 0, `fo+`, 0},
		{Bytes, 0, `foo|b+`, 0},
	} {
		got, ok := mustCompile(t, c.pattern, Options{Kind: c.kind, Flags: c.flags}).Literal()
		if got != c.want || ok != (c.want > 0) {
			t.Errorf("%q: %d, %v, want %d", c.pattern, got, ok, c.want)
		}
	}
}

func TestFlags(t *testing.T) {
	for _, c := range []struct {
		flags         Flags
		pattern, want string
	}{
		{0, `x`, ""},
		{IgnoreCase, `x`, "i"},
		{IgnoreCase, `(?s)x`, "is"},
		{IgnoreCase, `(?#c)(?s)(?mx) (?a) x`, "ims"},
		{IgnoreCase, `(?s:x)`, "i"},
		{IgnoreCase | Multiline, `(?-i:x)`, "im"},
		{DotAll, `(?x)x`, "s"},
	} {
		r := mustCompile(t, c.pattern, Options{Kind: Text, Flags: c.flags})
		if got := r.Flags().String(); got != c.want {
			t.Errorf("%q under %q: %q, want %q", c.pattern, c.flags, got, c.want)
		}
		if r.Pattern() != c.pattern {
			t.Errorf("pattern %q, want %q", r.Pattern(), c.pattern)
		}
	}
}

func TestTimeout(t *testing.T) {
	const limit = 50 * time.Millisecond
	text := strings.Repeat("a", 60) + "dc"
	for _, pattern := range []string{
		`^(?:a|aa)+(?=c)`,         // regexp2
		`^(?>x?)(?:a|aa)+(?=c)`,   // our own
		`^(\w|\w\w)+\1c`,          // regexp2
		`(?i)^(\w|\w\w)+\1c`,      // our own
		`(?:a?){4000000}(?=[^b])`, // our own, by time or memory
	} {
		r := mustCompile(t, pattern, Options{Kind: Text, Timeout: limit})
		begin := time.Now()
		ok, err := r.MatchString(text)
		e, timeout := errors.AsType[*TimeoutError](err)
		if !timeout || ok {
			t.Errorf("%q: %v, %v, want a TimeoutError", pattern, ok, err)
			continue
		}
		if e.Pattern != pattern || e.Limit != limit || e.Memory {
			t.Errorf("%q: %+v", pattern, e)
		}
		if took := time.Since(begin); took > 2*time.Second {
			t.Errorf("%q: took %v", pattern, took)
		}
	}
	// In linear time there is nothing to limit.
	for _, pattern := range []string{`(a*)*b`, `(?:a|aa)+$`, `(?:a?){500}a{500}`} {
		r := mustCompile(t, pattern, Options{Kind: Text, Timeout: time.Nanosecond})
		if ok, err := r.MatchString(text); ok || err != nil {
			t.Errorf("%q: %v, %v", pattern, ok, err)
		}
	}
}

func TestMemoryLimit(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 100 MB")
	}
	text := bytes.Repeat([]byte("ab"), 4<<20)
	for _, pattern := range []string{`^(?:ab|aba)*(?=[cd])`, `^(?>x?)(?:ab|aba)*(?=[cd])`} {
		r := mustCompile(t, pattern, Options{Kind: Bytes, Timeout: time.Minute})
		_, err := r.Match(text)
		if e, ok := errors.AsType[*TimeoutError](err); !ok || !e.Memory {
			t.Errorf("%q: %v, want a TimeoutError for memory", pattern, err)
		}
	}
}

func TestTimeoutErrorText(t *testing.T) {
	for _, c := range []struct {
		err  TimeoutError
		want string
	}{
		{TimeoutError{Pattern: `(a)\1`, Limit: 2 * time.Second}, `pyregexp: "(a)\\1" has no answer after 2s: too many ways to match`},
		{TimeoutError{Pattern: strings.Repeat("é", 21), Memory: true}, `pyregexp: "` + strings.Repeat("é", 20) +
			`…" needs too much memory: too many ways to match`},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

// Patterns that would need gigabytes if counts were expanded.
func TestLargeCounts(t *testing.T) {
	many := strings.Repeat("a", 5000)
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{`((a{1000}){1000}){1000}`, many, false},
		{`(?:(?:a{1000}){1000}){1000}|b`, many + "b", true},
		{`a{1001}`, many, true},
		{`a{5000}`, many, true},
		{`a{5001}`, many, false},
		{`^a{0,4999}$`, many, false},
		{`^a{0,4294967294}$`, many, true},
		{`a{4294967294}`, many, false},
		{`^(?:a{100}){50}$`, many, true},
		{`^(?:ab?){2000,}$`, many, true},
		{`^(?:a|b){4999}$`, many, false},
		{`^(?:a{0,3000}?b?){2}$`, many, true},
		{`(?:a{2147483648}){2}`, many, false},
		{`(?:a{1000}){2147483648}(?=a)`, many, false},
		{`[ab]{0,4000000000}(?=b)`, many, false},
	} {
		r := mustCompile(t, c.pattern, Options{Kind: Text, Timeout: time.Minute})
		if ok, err := r.MatchString(c.text); err != nil || ok != c.want {
			t.Errorf("%q: %v, %v, want %v", c.pattern, ok, err, c.want)
		}
	}
}

func TestLargePatterns(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long with the race detector")
	}
	for _, pattern := range []string{
		strings.Repeat("a", maxPattern),
		strings.Repeat(`\w`, 10000),
		strings.Repeat("(?=", maxDepth) + "a" + strings.Repeat(")*", maxDepth),
		strings.Repeat("(?:", maxDepth) + "a" + strings.Repeat(")*", maxDepth),
		strings.Repeat("(?:a|x", maxDepth) + strings.Repeat("y)*", maxDepth),
		strings.Repeat("(?:a|x", maxDepth-1) + "(?=a)" + strings.Repeat("y)*", maxDepth-1),
		strings.Repeat("(a|", maxDepth) + strings.Repeat(")?", maxDepth),
		strings.Repeat("(?>", maxDepth) + "a" + strings.Repeat(")+?", maxDepth),
		strings.Repeat("a|", 100000),
		strings.Repeat("(a)", 10000) + `\99`,
		strings.Repeat("[^a]?", 20000),
	} {
		begin := time.Now()
		r := mustCompile(t, pattern, Options{Kind: Text, Flags: IgnoreCase, Timeout: 100 * time.Millisecond})
		r.MatchString("aaaaaaaaaaaaaaaaaaaaaaaaaab") // whatever comes of it
		if took := time.Since(begin); took > 20*time.Second {
			t.Errorf("%.20q: took %v", pattern, took)
		}
	}
}

func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool forget things")
	}
	text := []byte("GET /static/js/app.min.js?v=1234567 HTTP/1.1")
	for _, c := range []struct {
		kind    Kind
		pattern string
	}{
		{Bytes, `^GET`}, {Text, `example.com`}, {Text, ``}, {Text, `login|logout`}, {Text, `\.(?:js|css)\?`}, {Bytes, `v=\d+`},
		{Text, `app(?=\.min)`}, {Bytes, `(\d)\1`}, {Text, `a++p`},
	} {
		r := mustCompile(t, c.pattern, Options{Kind: c.kind, Flags: IgnoreCase})
		n := testing.AllocsPerRun(100, func() {
			if _, err := r.Match(text); err != nil {
				t.Error(err)
			}
			if _, err := r.MatchString("GET /"); err != nil {
				t.Error(err)
			}
		})
		if n != 0 {
			t.Errorf("%q: %v allocations", c.pattern, n)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	for _, pattern := range []string{`kelvin`, `é+`, `\bk+`, `k(?=e)`, `(k)\1|\udcff`, `k++e`} {
		r := mustCompile(t, pattern, Options{Kind: Text, Flags: IgnoreCase})
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for _, text := range []string{"kelvin", "\u212Aelvin \xff", "x", "éÉ"} {
					want, err := mustCompile(t, pattern, Options{Kind: Text, Flags: IgnoreCase}).MatchString(text)
					if err != nil {
						t.Error(err)
					}
					if got, err := r.MatchString(text); err != nil || got != want {
						t.Errorf("%q on %q: %v, %v, want %v", pattern, text, got, err, want)
					}
				}
			})
		}
		wg.Wait()
	}
}
