package pyregexp

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A testCase is a random pattern and random texts for it.
type testCase struct {
	Pattern  []byte   `json:"pattern"`
	Kind     string   `json:"kind"`
	Flags    string   `json:"flags"`
	Subjects [][]byte `json:"subjects"`
}

func (c testCase) options() Options {
	o := Options{Flags: parseFlags(c.Flags)}
	if c.Kind == "text" {
		o.Kind = Text
	}
	return o
}

// A generator makes random patterns of everything that Python knows, most of them valid.
type generator struct {
	*rand.Rand
	kind     Kind
	alphabet []string // few, so that there are matches
	groups   int      // begun so far
	closed   []int
	names    []string
	fixed    int // within that many look-behinds
	verbose  bool
	atoms    int
}

// letters are what alphabets are made of. Some are variants of each other under i.
var letters = []string{
	"a", "b", "c", "A", "B", "k", "K", "s", "S", "i", "I", "0", "1", "7", "_", " ", "\n", "\t", "-", ".", "z",
	"\u212A", "\u017F", "\u0130", "\u0131", "é", "É", "ß", "ẞ", "σ", "ς", "Σ", "\u0663", "\u00A0", "\u001C", "\u0085",
	"\u2028", "\u3000", "\u200B", "\uFFFD", "\U0001F600", "\U00010428", "\u01C4", "\u01C5", "\u01C6",
	"\u00B5", "\u03BC", "\uFB05", "\uFB06", "\u0390", "\u1FD3", "\u00FF", "\u0178", "\x80", "\xC3", "\xE9", "\xFF",
	"\u0301", "\u2160", "\u2170", "\u24B6", "\u24D0", "\u0345", "\u03B9", "\U0010FFFF", "\x00", "\r", "\v", "\x1f",
}

func newGenerator(r *rand.Rand) *generator {
	g := &generator{Rand: r, kind: Kind(r.IntN(2))}
	n := 1 + r.IntN(4)
	if g.one(3) {
		g.alphabet = append(g.alphabet, "a", "b")[:1+r.IntN(2)]
	}
	for range n {
		pool := letters
		if g.one(2) {
			pool = letters[:17]
		}
		g.alphabet = append(g.alphabet, pool[r.IntN(len(pool))])
	}
	return g
}

// one reports true once in n times.
func (g *generator) one(n int) bool { return g.IntN(n) == 0 }

func (g *generator) pick(s ...string) string { return s[g.IntN(len(s))] }

// testCase returns a case.
func (g *generator) testCase() testCase {
	c := testCase{Kind: "bytes"}
	if g.kind == Text {
		c.Kind = "text"
	}
	for _, flag := range "ims" {
		if g.one(2) {
			c.Flags += string(flag)
		}
	}
	p := ""
	if g.one(8) {
		flags := g.flags(true)
		g.verbose = strings.Contains(flags, "x")
		p = "(?" + flags + ")"
	}
	p += g.alternation(1 + g.IntN(4))
	if g.one(4) {
		p = "^(?:" + p + ")$"
	}
	for g.one(8) {
		p = g.damaged(p)
	}
	c.Pattern = []byte(p)
	for range 2 + g.IntN(6) {
		c.Subjects = append(c.Subjects, []byte(g.subject()))
	}
	return c
}

// subject returns a text.
func (g *generator) subject() string {
	var b strings.Builder
	n := g.IntN(9)
	if g.one(16) {
		n = 10 + g.IntN(60)
	}
	for range n {
		if g.one(12) {
			b.WriteString(letters[g.IntN(len(letters))])
		} else {
			b.WriteString(g.pick(g.alphabet...))
		}
	}
	if g.one(8) {
		b.WriteByte('\n')
	}
	return b.String()
}

// damaged returns p with a small change that may make it invalid, or mean something else.
func (g *generator) damaged(p string) string {
	i := g.IntN(len(p) + 1)
	switch g.IntN(3) {
	case 0:
		if i < len(p) {
			return p[:i] + p[i+1:]
		}
	case 1:
		if i < len(p) {
			j := i + g.IntN(min(4, len(p)-i))
			return p[:i] + p[i:j] + p[i:]
		}
	}
	return p[:i] + g.pick("(", ")", "[", "]", "{", "}", "*", "+", "?", "\\", "|", "^", "$", ".", "-", ",", "1", "2", "a",
		"(?", "(?:", "(?=", "(?<!", "(?P<", "(?P=", "(?(1)", "(?#", "#", " ", "(?i)", "(?s-i:", "(?x", "{2}", "{,3}", "{1,",
		"\\x", "\\N{", "\\u00", "\\1", "\\0", "\\8", "\\z", "\\p", "é", "\xff", "\n") + p[i:]
}

func (g *generator) alternation(depth int) string {
	s := g.sequence(depth)
	for g.one(4) {
		s += "|" + g.sequence(depth)
	}
	return s
}

func (g *generator) sequence(depth int) string {
	var b strings.Builder
	n := 1 + g.IntN(3)
	if g.one(10) {
		n = 0
	}
	for range n {
		b.WriteString(g.item(depth))
		if g.verbose && g.one(4) {
			b.WriteString(g.pick(" ", "\n", "\t ", "#x\n", "# (\\\n)\n"))
		}
	}
	return b.String()
}

// item returns an atom, with a quantifier or not.
func (g *generator) item(depth int) string {
	g.atoms++
	if g.atoms > 40 {
		return g.literal()
	}
	before := g.groups
	atom, repeatable := g.atom(depth)
	if !repeatable && !g.one(30) || g.one(2) {
		return atom
	}
	if g.one(30) {
		atom += "(?#c)"
	}
	if g.fixed > 0 && !g.one(10) {
		return atom + g.pick("{2}", "{1}", "{0}", "{2,2}?", "{3}", "{,0}")
	}
	atom += g.pick("*", "+", "?", "*", "+", "?", "{2}", "{,2}", "{1,}", "{1,2}", "{0}", "{02,3}", "{,}")
	if g.groups > before {
		// CPython does not always restore the groups within a possessive quantifier when it goes
		// back: (?:(a)|b)*+\1x matches abx.
		return atom + g.pick("", "?")
	}
	return atom + g.pick("", "", "", "?", "?", "+")
}

// literal returns a literal.
func (g *generator) literal() string {
	var b strings.Builder
	for _, r := range []byte(g.pick(g.alphabet...)) {
		if strings.IndexByte(`.^$*+?{}[]\|()-# `+"\n\t\r\v\f", r) >= 0 && !g.one(10) {
			b.WriteByte('\\')
		}
		b.WriteByte(r)
	}
	return b.String()
}

// escaped returns an escape for a character of the alphabet.
func (g *generator) escaped() string {
	r, size := g.kind.next(g.pick(g.alphabet...))
	switch n := g.IntN(6); {
	case r < 0x100 && n == 0:
		return fmt.Sprintf(`\x%02x`, r)
	case r < 0x100 && n == 1:
		return fmt.Sprintf(`\%03o`, r)
	case r < 8 && n == 2:
		return fmt.Sprintf(`\%o`, r)
	case g.kind == Text && r < 0x10000 && n < 4:
		return fmt.Sprintf(`\u%04X`, r)
	case g.kind == Text && n < 5:
		return fmt.Sprintf(`\U%08x`, r)
	case size > 0 && (r >= 0x80 || r == '_') && g.kind == Text:
		return `\` + string(r)
	}
	return g.pick(`\n`, `\t`, `\r`, `\f`, `\v`, `\a`, `\\`, `\.`, `\-`, `\_`, `\0`, `\07`)
}

// atom returns an atom, and whether it can be repeated.
func (g *generator) atom(depth int) (string, bool) {
	n := g.IntN(100)
	if depth == 0 {
		n = g.IntN(58)
	}
	switch {
	case n < 28:
		return g.literal(), true
	case n < 33:
		return ".", true
	case n < 37:
		return g.escaped(), true
	case n < 41:
		return g.pick(`\d`, `\D`, `\s`, `\S`, `\w`, `\W`), true
	case n < 46:
		return g.class(), true
	case n < 49:
		return g.pick("^", "$", "$"), false
	case n < 52:
		return g.pick(`\A`, `\Z`, `\b`, `\b`, `\B`), false
	case n < 57:
		return g.reference(), true
	case n < 58:
		return g.pick("{", "}", "]", "{a", "{,", "{1,a}", `\z`, `\8`, "(?#c)", `\Q`,
			`\N{DIGIT ONE}`, `\N{latin small letter a}`), true
	case n < 74:
		return g.capture(depth), true
	case n < 80:
		return "(?:" + g.alternation(depth-1) + ")", true
	case n < 83:
		return g.scoped(depth), true
	case n < 91:
		return g.look(depth), true
	case n < 95:
		return "(?>" + g.alternation(depth-1) + ")", true
	default:
		return g.condition(depth), true
	}
}

func (g *generator) capture(depth int) string {
	g.groups++
	number := g.groups
	begin, name := "(", ""
	if g.one(6) {
		name = g.pick("n", "é", "_1", "N2", "a-b", "1")
		begin = "(?P<" + name + ">"
	}
	s := begin + g.alternation(depth-1) + ")"
	g.closed = append(g.closed, number)
	if name != "" {
		g.names = append(g.names, name)
	}
	return s
}

// reference returns a back-reference.
func (g *generator) reference() string {
	if len(g.closed) == 0 {
		return g.literal()
	}
	if len(g.names) > 0 && g.one(3) {
		return "(?P=" + g.pick(g.names...) + ")"
	}
	n := g.closed[g.IntN(len(g.closed))]
	if g.one(40) {
		n = g.groups + 1
	}
	return fmt.Sprintf(`(?:\%d)`, n)
}

func (g *generator) condition(depth int) string {
	name := fmt.Sprint(g.groups + 1)
	if len(g.closed) > 0 && !g.one(4) {
		name = fmt.Sprint(g.closed[g.IntN(len(g.closed))])
	}
	if len(g.names) > 0 && g.one(3) {
		name = g.pick(g.names...)
	}
	s := "(?(" + name + ")" + g.sequence(depth-1)
	if !g.one(3) {
		s += "|" + g.sequence(depth-1)
	}
	return s + ")"
}

func (g *generator) look(depth int) string {
	if g.one(2) {
		return g.pick("(?=", "(?!") + g.alternation(depth-1) + ")"
	}
	g.fixed++
	defer func() { g.fixed-- }()
	return g.pick("(?<=", "(?<!") + g.sequence(depth-1) + ")"
}

func (g *generator) scoped(depth int) string {
	flags := g.flags(false)
	before := g.verbose
	defer func() { g.verbose = before }()
	on, off, _ := strings.Cut(flags, "-")
	g.verbose = before && !strings.Contains(off, "x") || strings.Contains(on, "x")
	return "(?" + flags + ":" + g.alternation(depth-1) + ")"
}

func (g *generator) flags(global bool) string {
	s := ""
	for _, f := range "imsx" {
		if g.one(4) {
			s += string(f)
		}
	}
	if g.one(3) {
		s += g.pick("a", "u", "L")
	}
	if s == "" {
		s = "i"
	}
	if !global && g.one(3) {
		s += "-" + g.pick("i", "s", "m", "x", "im")
	}
	return s
}

func (g *generator) class() string {
	s := "["
	if g.one(3) {
		s += "^"
	}
	if g.one(12) {
		s += "]"
	}
	for range 1 + g.IntN(3) {
		switch g.IntN(8) {
		case 0:
			s += g.pick(`\d`, `\D`, `\s`, `\S`, `\w`, `\W`)
		case 1:
			s += g.pick("a-c", "a-z", "A-Z", "0-9", "-", "J-L", "R-T", "h-j",
				`\x00-\x7f`, `\x80-\xff`, `\b`, ".", "[:w:]", "&&")
		case 2:
			s += g.escaped()
		case 3:
			if g.kind == Text {
				s += g.pick(`\u0100-\u01ff`, `\ud800-\udfff`, `\udc80-\udcff`, `\u0080-\U0010ffff`,
					`\U00010400-\U00010410`, `\u2000-\u3000`, `\ufffd`, `\udcff`)
			}
		default:
			s += g.literal()
		}
	}
	return s + "]"
}
