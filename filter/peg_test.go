package filter

import (
	"flag"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// peg is an interpreter of the grammar of mitmproxy, rule by rule as the
// specification writes it down, with ordered choice and backtracking. It is
// the slow but obvious counterpart of the parser: results are remembered, so
// it is not exponential.
type peg struct {
	text []rune // with tabs expanded
	memo map[pegKey]pegResult
}

type pegKey struct {
	rule string
	pos  int
}

// pegResult is what a rule found: the tree as show prints it, and the end of
// the match, or -1.
type pegResult struct {
	tree string
	end  int
}

var pegFail = pegResult{end: -1}

func pegParse(text string) (string, bool) {
	p := &peg{memo: map[pegKey]pegResult{}}
	col := 0
	for _, r := range text {
		switch r {
		case '\t':
			for first := true; first || col%8 != 0; first = false {
				p.text = append(p.text, ' ')
				col++
			}
			continue
		case '\n', '\r':
			col = -1
		}
		p.text = append(p.text, r)
		col++
	}
	r := p.rule("filter", 0)
	return r.tree, r.end >= 0
}

func (p *peg) rule(name string, pos int) pegResult {
	key := pegKey{name, pos}
	if r, ok := p.memo[key]; ok {
		return r
	}
	var r pegResult
	switch name {
	case "filter":
		r = p.filter()
	case "or":
		r = p.chain("or", "and", '|', pos)
	case "and":
		r = p.chain("and", "not", '&', pos)
	case "not":
		r = p.not(pos)
	case "atom":
		r = p.atom(p.space(pos))
	case "operator":
		r = p.operator(pos)
	case "regex":
		r = p.regex(pos)
	}
	p.memo[key] = r
	return r
}

func (p *peg) at(pos int) rune {
	if pos < len(p.text) {
		return p.text[pos]
	}
	return -1
}

func (p *peg) space(pos int) int {
	for strings.ContainsRune(" \n\r\t", p.at(pos)) {
		pos++
	}
	return pos
}

func pegNode(name string, trees []string) string {
	if len(trees) == 1 {
		return trees[0]
	}
	return name + "(" + strings.Join(trees, ", ") + ")"
}

func (p *peg) filter() pegResult {
	var items []string
	pos := 0
	for {
		r := p.rule("or", pos)
		if r.end < 0 {
			break
		}
		items = append(items, r.tree)
		pos = r.end
	}
	if len(items) == 0 || p.space(pos) < len(p.text) {
		return pegFail
	}
	return pegResult{pegNode("and", items), pos}
}

func (p *peg) chain(name, sub string, sign rune, pos int) pegResult {
	r := p.rule(sub, pos)
	if r.end < 0 {
		return pegFail
	}
	trees := []string{r.tree}
	for pos = r.end; ; pos = r.end {
		next := p.space(pos)
		if p.at(next) != sign {
			break
		}
		if r = p.rule(sub, next+1); r.end < 0 {
			break
		}
		trees = append(trees, r.tree)
	}
	return pegResult{pegNode(name, trees), pos}
}

func (p *peg) not(pos int) pegResult {
	if next := p.space(pos); p.at(next) == '!' {
		if r := p.rule("not", next+1); r.end >= 0 {
			return pegResult{"not(" + r.tree + ")", r.end}
		}
	}
	return p.rule("atom", pos)
}

func (p *peg) atom(pos int) pegResult {
	if r := p.rule("operator", pos); r.end >= 0 {
		return r
	}
	if r := p.rule("regex", pos); r.end >= 0 {
		return pegResult{"~u" + r.tree, r.end}
	}
	if p.at(pos) != '(' {
		return pegFail
	}
	r := p.rule("or", pos+1)
	if r.end < 0 {
		return pegFail
	}
	if end := p.space(r.end); p.at(end) == ')' {
		return pegResult{r.tree, end + 1}
	}
	return pegFail
}

var (
	pegUnary = strings.Fields("a all dns e http marked q replay replayq replays s tcp udp websocket")
	pegRegex = strings.Fields("b bq bs comment d dst h hq hs m marker meta src t tq ts u")
)

// name returns the end of an operator at pos, or -1.
func (p *peg) name(pos int, name string) int {
	end := pos + 1 + len(name)
	if end > len(p.text) || string(p.text[pos:end]) != "~"+name {
		return -1
	}
	if c := p.at(end); c >= 0x21 && c <= 0x7e {
		return -1
	}
	return end
}

func (p *peg) operator(pos int) pegResult {
	for _, name := range pegUnary {
		if end := p.name(pos, name); end >= 0 {
			return pegResult{"~" + name, end}
		}
	}
	for _, name := range pegRegex {
		if end := p.name(pos, name); end >= 0 {
			if r := p.rule("regex", p.space(end)); r.end >= 0 {
				return pegResult{"~" + name + r.tree, r.end}
			}
		}
	}
	if end := p.name(pos, "c"); end >= 0 {
		start := p.space(end)
		for end = start; p.at(end) >= '0' && p.at(end) <= '9'; {
			end++
		}
		if end > start {
			n := strings.TrimLeft(string(p.text[start:end-1]), "0") + string(p.text[end-1])
			return pegResult{"~c" + strconv.Quote(n), end}
		}
	}
	return pegFail
}

var (
	pegWord    = regexp.MustCompile(`^[^()~'" \n\r\t]+`)
	pegDouble  = regexp.MustCompile(`^"(?:\\[^\n]|[^"\\\n\r])*"`)
	pegSingle  = regexp.MustCompile(`^'(?:\\[^\n]|[^'\\\n\r])*'`)
	pegEscapes = regexp.MustCompile(`(?s)\\[tnfr]|\\[0-7]3|\\0|\\x[0-9a-fA-F]2|\\u[0-9a-fA-F]4|\\.`)
)

func (p *peg) regex(pos int) pegResult {
	rest := string(p.text[min(pos, len(p.text)):])
	if m := pegWord.FindString(rest); m != "" {
		return pegResult{strconv.Quote(m), pos + len([]rune(m))}
	}
	for _, re := range []*regexp.Regexp{pegDouble, pegSingle} {
		if m := re.FindString(rest); m != "" {
			value := pegEscapes.ReplaceAllStringFunc(m[1:len(m)-1], func(e string) string {
				plain := map[string]string{`\t`: "\t", `\n`: "\n", `\f`: "\f", `\r`: "\r", `\0`: "\x00"}
				if s, ok := plain[e]; ok {
					return s
				}
				if n := len(e); n == 4 && (e[1] == 'x' || e[1] == 'u') {
					code, _ := strconv.ParseUint(e[2:], 16, 8)
					return string(rune(code))
				}
				return e[1:]
			})
			return pegResult{strconv.Quote(value), pos + len([]rune(m))}
		}
	}
	return pegFail
}

// grammarOnly parses without looking at regular expressions.
func grammarOnly(text string, strict bool) (Node, error) {
	return newParser(text, &Options{}, strict).filter()
}

// againstPEG compares the parser with the interpreter.
func againstPEG(t *testing.T, text string) {
	t.Helper()
	want, ok := pegParse(text)
	root, err := grammarOnly(text, true)
	switch {
	case ok && err != nil:
		t.Errorf("%q: %v, want %s", text, err, want)
	case !ok && err == nil:
		t.Errorf("%q: %s, want an error", text, show(root))
	case ok && show(root) != want:
		t.Errorf("%q: %s, want %s", text, show(root), want)
	}
}

// pieces are what random expressions are made of.
var pieces = []string{
	"~q", "~s ", "~all", "~b ", "~u", "~c", "~c 20", "~nope", "~status 4xx", "~size > 1",
	"foo", "a", "é", "!", "&", "|", "(", ")", "(", ")", " ", " ", " ", "  ", "\t", "\n", "\r", "\v", "\u00a0",
	"'", `"`, `'a b'`, `"c\"d"`, `'\x42\63\0'`, "\"\t\"", `\`, "~", "0", "12", "x2", ".", "@",
}

func randomPieces(rnd *rand.Rand, most int) string {
	var b strings.Builder
	for range 1 + rnd.IntN(most) {
		b.WriteString(pieces[rnd.IntN(len(pieces))])
	}
	return b.String()
}

var pegCount = flag.Int("peg", 60_000, "how many random expressions TestPEG tries")

func TestPEG(t *testing.T) {
	t.Run("short", func(t *testing.T) {
		// Every text of up to 6 of these.
		alphabet := []string{"(", ")", "!", "&", "|", "a", " ", "~q"}
		var try func(text string, n int)
		try = func(text string, n int) {
			againstPEG(t, text)
			if n > 0 && !t.Failed() {
				for _, s := range alphabet {
					try(text+s, n-1)
				}
			}
		}
		n := 5
		if testing.Short() {
			n = 4
		}
		try("", n)
	})
	t.Run("random", func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(1, 2))
		accepted := 0
		for range *pegCount {
			text := randomPieces(rnd, 14)
			againstPEG(t, text)
			if _, err := grammarOnly(text, true); err == nil {
				accepted++
			}
			if t.Failed() {
				return
			}
		}
		if accepted < *pegCount/50 {
			t.Errorf("only %d of %d expressions are valid", accepted, *pegCount)
		}
		t.Logf("%d valid", accepted)
	})
}
