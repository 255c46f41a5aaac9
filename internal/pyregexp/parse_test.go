package pyregexp

import (
	"errors"
	"strings"
	"testing"
)

// The place of an error is written as the text before it.
func TestSyntaxErrors(t *testing.T) {
	for _, c := range []struct {
		kind                 Kind
		pattern, before, msg string
	}{
		{Text, `a**`, `a*`, "multiple repeat"},
		{Text, `a{2}{3}`, `a{2}`, "multiple repeat"},
		{Text, `a*??`, `a*?`, "multiple repeat"},
		{Text, `(?x)a* ?`, `(?x)a* `, "multiple repeat"},
		{Text, `*a`, ``, "nothing to repeat"},
		{Text, `a|*`, `a|`, "nothing to repeat"},
		{Text, `(?:+)`, `(?:`, "nothing to repeat"},
		{Text, `(?i)*`, `(?i)`, "nothing to repeat"},
		{Text, `^*`, `^`, "nothing to repeat"},
		{Text, `\b+`, `\b`, "nothing to repeat"},
		{Text, `a$?`, `a$`, "nothing to repeat"},
		{Text, `{2}`, ``, "nothing to repeat"},
		{Text, `a{3,2}`, `a`, "repetition of at least 3 and at most 2 times"},
		{Text, `a{4294967295}`, `a`, "repetition of more than 4294967294 times"},
		{Text, `a{,99999999999999999999}`, `a`, "repetition of more than 4294967294 times"},
		{Text, `é\`, `é`, "backslash at the end of the pattern"},
		{Text, `[\`, `[`, "backslash at the end of the pattern"},
		{Text, `(?#\`, `(?#`, "backslash at the end of the pattern"},
		{Text, `é\q`, `é`, `unknown escape \q`},
		{Text, `\z`, ``, `unknown escape \z`},
		{Text, `\pL`, ``, `unknown escape \p`},
		{Text, `[a\Q]`, `[a`, `unknown escape \Q`},
		{Text, `[\8]`, `[`, `unknown escape \8`},
		{Text, `a\x4`, `a`, "escape needs 2 hexadecimal digits"},
		{Text, `\x{41}`, ``, "escape needs 2 hexadecimal digits"},
		{Text, `\u12g4`, ``, "escape needs 4 hexadecimal digits"},
		{Text, `\U00110000`, ``, "no character has the number 00110000"},
		{Bytes, `a\u0041`, `a`, `escape \u in a pattern on bytes`},
		{Text, `\400`, ``, `octal escape above \377`},
		{Text, `\N`, `\N`, `missing { after \N`},
		{Text, `\N{DIGIT ONE`, `\N{`, "missing } after the name of a character"},
		{Text, `\N{}`, `\N{`, "missing name of a character"},
		{Text, `a\N{NO SUCH THING}`, `a`, `no character has the name "NO SUCH THING"`},
		{Text, `a\1`, `a`, "back-reference to group 1, which is not defined before"},
		{Text, `(a)\12`, `(a)`, "back-reference to group 12, which is not defined before"},
		{Text, `(a\1)`, `(a`, "reference to group 1 before its end"},
		{Text, `(?<=(a)\1)`, `(?<=(a)`, "reference to group 1 within the look-behind that defines it"},
		{Text, `(?(1)a)`, `(?(`, "condition on group 1, but there are 0 groups"},
		{Text, `(?(0)a)`, `(?(`, "condition on group 0"},
		{Text, `(?(n)a)`, `(?(`, `no group before this has the name "n"`},
		{Text, `(?(-1)a)`, `(?(`, `"-1" is neither name nor number of a group`},
		{Text, `()(?(1)a|b|c)`, `()(?(1)a|b`, "condition with more than two branches"},
		{Text, `(?(9999999999)a)`, `(?(`, "condition on group 9999999999, which does not exist"},
		{Text, `a[b`, `a`, "missing ] after class"},
		{Text, `a[]`, `a`, "missing ] after class"},
		{Text, `[b-a]`, `[`, "range out of order"},
		{Text, `[a\d-z]`, `[a`, "range with a class for an end"},
		{Text, `[a-\d]`, `[`, "range with a class for an end"},
		{Text, `a)`, `a`, "unbalanced parenthesis"},
		{Text, `a(b`, `a`, "missing ) after group"},
		{Text, `a(?=b`, `a`, "missing ) after group"},
		{Text, `a(?#b`, `a`, "missing ) after comment"},
		{Text, `a(?#b\)`, `a`, "missing ) after comment"},
		{Text, `(`, ``, "missing ) after group"},
		{Text, `(?`, `(?`, "missing rest of the group"},
		{Text, `(?<`, `(?<`, "missing = or ! after (?<"},
		{Text, `(?<n>a)`, ``, "unknown group (?<n; names are written (?P<name>...)"},
		{Text, `(?'n'a)`, ``, "unknown group (?'"},
		{Text, `(?U)a`, ``, "unknown group (?U"},
		{Text, "(?\n)", ``, "unknown group (?U+000A"},
		{Text, `(?P>n)`, ``, "unknown group (?P>"},
		{Text, `(?P<n>a)(?P<n>b)`, `(?P<n>a)`, `name "n" is taken, by group 1`},
		{Text, `(?P<1n>a)`, `(?P<`, `"1n" cannot be the name of a group`},
		{Bytes, `(?P<é>a)`, `(?P<`, `"Ã©" cannot be the name of a group`},
		{Text, `(?P<>a)`, `(?P<`, "missing name of a group"},
		{Text, `(?P<n`, `(?P<`, "missing > after the name of a group"},
		{Text, `(?P=n)`, ``, `no group before this has the name "n"`},
		{Text, `a(?i)b`, `a`, "flags for the whole pattern must be at its beginning"},
		{Text, `(?i)|(?s)a`, `(?i)|`, "flags for the whole pattern must be at its beginning"},
		{Text, ` (?x)a`, ` `, "flags for the whole pattern must be at its beginning"},
		{Text, `(?-i)a`, `(?-i`, "missing : after flags"},
		{Text, `(?i-)`, `(?i-`, "missing flag after -"},
		{Text, `(?i-`, `(?i-`, "missing flag after -"},
		{Text, `(?iz)`, `(?i`, "unknown flag z"},
		{Text, `(?i`, `(?i`, "missing flag or -, : or )"},
		{Text, `(?i-i:a)`, `(?i-`, "flag is turned on and off"},
		{Text, `(?i-u:a)`, `(?i-`, "flags a, L and u cannot be turned off"},
		{Text, `(?L)a`, `(?`, "flag L in a pattern on text"},
		{Bytes, `(?u:a)`, `(?`, "flag u in a pattern on bytes"},
		{Text, `(?au:a)`, `(?`, "only one of the flags a, L and u can be on"},
		{Text, `(?a)(?u)a`, ``, "only one of the flags a, L and u can be on"},
		{Text, `a(?<=b+)`, `a`, "look-behind without a fixed width"},
		{Text, `(?<!a|bc)`, ``, "look-behind without a fixed width"},
		{Text, `(?<=(?:a{65536}){65536})`, ``, "look-behind of more than 4294967295 characters"},
		{Text, strings.Repeat("(", 496) + strings.Repeat(")", 496), strings.Repeat("(", 495), "groups are nested more than 495 deep"},
		{Text, strings.Repeat("a", 1<<20+1), ``, "pattern is longer than 1048576 bytes"},
	} {
		_, err := Compile(c.pattern, Options{Kind: c.kind})
		e, ok := errors.AsType[*SyntaxError](err)
		if !ok {
			t.Errorf("%.40q: %v, want a SyntaxError", c.pattern, err)
			continue
		}
		if e.Offset != len(c.before) || e.Msg != c.msg || e.Pattern != c.pattern {
			t.Errorf("%.40q: offset %d: %s\nwant %d: %s", c.pattern, e.Offset, e.Msg, len(c.before), c.msg)
		}
	}
}

func TestSyntaxErrorText(t *testing.T) {
	_, err := Compile("a(", Options{})
	if got, want := err.Error(), "pyregexp: offset 1: missing ) after group"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// What looks wrong, or is an error elsewhere, but is right.
func TestAccepted(t *testing.T) {
	for _, c := range []struct {
		kind          Kind
		pattern, text string
		want          bool
	}{
		{Text, `(?:a*)*`, "", true},
		{Text, `()*(?:)*(?=a)*`, "", true},
		{Text, `(?:^)*a`, "ba", true},
		{Text, `^a{,2}$`, "aa", true},
		{Text, `^a{,2}$`, "a{,2}", false},
		{Text, `^a{,}$`, "aaa", true},
		{Text, `a{}{b{,x}{1`, "a{}{b{,x}{1", true},
		{Text, `a(?#comment)*b`, "aab", true},
		{Text, `a(?#\)c)b`, "ab", true},
		{Text, "(?x) a b # c \\\n d \n [ #] c", "ab c", true},
		{Text, "(?x)a {2}(?-x: )b", "aa b", true},
		{Text, `(?#c)(?i)(?m)A`, "a", true},
		{Text, `(?x) (?i) A`, "a", true},
		{Text, `[]a]{2}`, "]a", true},
		{Text, `[^]a]`, "]a", false},
		{Text, `[a-]{2}`, "a-", true},
		{Text, `[[:a:]]`, ":]", true},
		{Text, `[a&&b]`, "&", true},
		{Text, `[\b]`, "\b", true},
		{Text, `\101\0601\0`, "A01\x00", true},
		{Text, `[\1\18]{3}`, "\x01\x018", true},
		{Text, `\é\_\/`, "é_/", true},
		{Bytes, `\xc3\251`, "é", true},
		{Text, `\N{SNOWMAN}\N{latin small letter a}\N{LF}`, "☃a\n", true},
		{Text, `\udcff`, "\xff", true},
		{Text, `\udcff`, "\uFFFD", false},
		{Text, `\udca9`, "é", false},
		{Text, `\ud83d\ude00`, "\U0001F600", false},
		{Text, "\xff", "a\xff", true},
		{Text, `^..$`, "\xffé", true},
		{Text, `^[\udc80-\udcff]+$`, "\xff\x80", true},
		{Text, `(?P<é>a)(?P=é)`, "aa", true},
		{Text, `(a)?(?(1)b|c)`, "c", true},
		{Text, `^(?(1)x|a)(b)`, "ab", true},
		{Text, `(?a)^\w$`, "é", false},
		{Text, `(?a:\w)|(?u:\d)`, "٣", true},
		{Bytes, `(?L)\w`, "a", true},
		{Text, `\Z`, "", true},
		{Text, `\B`, "", false},
		{Text, `(?!)`, "a", false},
		{Text, strings.Repeat("(", 495) + "a" + strings.Repeat(")", 495), "a", true},
	} {
		r, err := Compile(c.pattern, Options{Kind: c.kind})
		if err != nil {
			t.Errorf("%q: %v", c.pattern, err)
			continue
		}
		if ok, err := r.MatchString(c.text); err != nil || ok != c.want {
			t.Errorf("%.40q on %q: %v, %v, want %v (%s)", c.pattern, c.text, ok, err, c.want, r.Explain())
		}
	}
}

func TestCharByName(t *testing.T) {
	for name, want := range map[string]rune{
		"SNOWMAN": '☃', "digit one": '1', "LF": '\n', "line feed": '\n', "BEL": 7, "BELL": 0x1F514,
		"VS1": 0xFE00, "vs17": 0xE0100, "VS256": 0xE01EF, "HANGUL SYLLABLE GGWEOLH": 0xAFE3, "HANGUL SYLLABLE A": 0xC544,
		"CJK UNIFIED IDEOGRAPH-4E00": 0x4E00, "CJK UNIFIED IDEOGRAPH-20000": 0x20000,
		"CJK COMPATIBILITY IDEOGRAPH-F900": 0xF900,
		// Unknown ones.
		"": -1, "VS0": -1, "VS257": -1, "VS01": -1, "<control>": -1, "SNOWMAN ": -1, "ſNOWMAN": -1, "HANGUL SYLLABLE ": -1,
		"HANGUL SYLLABLE AX": -1, "hangul syllable a": -1, "CJK UNIFIED IDEOGRAPH-4e00": -1,
		"CJK UNIFIED IDEOGRAPH-FA0E": -1, "CJK UNIFIED IDEOGRAPH-0041": -1, "CJK UNIFIED IDEOGRAPH-+4E0": -1,
	} {
		r, ok := charByName(name)
		if !ok {
			r = -1
		}
		if r != want {
			t.Errorf("%q: %U, want %U", name, r, want)
		}
	}
}

// cased looks for letters in some categories only.
func TestCased(t *testing.T) {
	all := newSet(nil)
	for _, r := range cased() {
		all = append(all, span{r, r})
	}
	all = newSet(all)
	for r := rune(0); r <= maxRune; r++ {
		if many := len(variants(r, false)) > 1; many != all.has(r) {
			t.Errorf("%U has variants: %v", r, many)
		}
	}
}
