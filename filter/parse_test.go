package filter

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// show returns a tree in a short form: and(~u"foo", not(~q)).
func show(n Node) string {
	all := func(nodes []Node) string {
		parts := make([]string, len(nodes))
		for i, n := range nodes {
			parts[i] = show(n)
		}
		return strings.Join(parts, ", ")
	}
	switch n := n.(type) {
	case *And:
		return "and(" + all(n.Nodes) + ")"
	case *Or:
		return "or(" + all(n.Nodes) + ")"
	case *Not:
		return "not(" + show(n.Node) + ")"
	case *Op:
		if n.Operator.Arg == NoArg {
			return "~" + n.Operator.Code
		}
		return fmt.Sprintf("~%s%q", n.Operator.Code, n.Text)
	default:
		panic(fmt.Sprintf("%T", n))
	}
}

// TestGrammar has the expressions of the specification whose trees surprise.
func TestGrammar(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"~q", "~q"},
		{"foo", `~u"foo"`},
		{"~u foo", `~u"foo"`},
		{"~b foo", `~b"foo"`},
		{"foo bar | baz", `and(~u"foo", or(~u"bar", ~u"baz"))`},
		{"foo | bar baz", `and(or(~u"foo", ~u"bar"), ~u"baz")`},
		{"a & b | c", `or(and(~u"a", ~u"b"), ~u"c")`},
		{"a | b & c", `or(~u"a", and(~u"b", ~u"c"))`},
		{"a & b & c", `and(~u"a", ~u"b", ~u"c")`},
		{"(a & b) & c", `and(and(~u"a", ~u"b"), ~u"c")`},
		{"a & (b & c)", `and(~u"a", and(~u"b", ~u"c"))`},
		{"a | b | c", `or(~u"a", ~u"b", ~u"c")`},
		{"a b c", `and(~u"a", ~u"b", ~u"c")`},
		{"!a b", `and(not(~u"a"), ~u"b")`},
		{"!a & b", `and(not(~u"a"), ~u"b")`},
		{"!!a", `not(not(~u"a"))`},
		{"! !a", `not(not(~u"a"))`},
		{"a !b c", `and(~u"a", not(~u"b"), ~u"c")`},
		{"a ! b & c", `and(~u"a", and(not(~u"b"), ~u"c"))`},
		{"!(a | b)", `not(or(~u"a", ~u"b"))`},
		{"foo|bar", `~u"foo|bar"`},
		{"foo| bar", `and(~u"foo|", ~u"bar")`},
		{"foo |bar", `or(~u"foo", ~u"bar")`},
		{"foo& bar", `and(~u"foo&", ~u"bar")`},
		{"foo &bar", `and(~u"foo", ~u"bar")`},
		{"foo &", `and(~u"foo", ~u"&")`},
		{"& foo", `and(~u"&", ~u"foo")`},
		{"&foo", `~u"&foo"`},
		{"foo | | bar", `and(or(~u"foo", ~u"|"), ~u"bar")`},
		{"foo & & bar", `and(and(~u"foo", ~u"&"), ~u"bar")`},
		{"~q && ~s", `and(and(~q, ~u"&"), ~s)`},
		{"!", `~u"!"`},
		{"!!", `not(~u"!")`},
		{"!&", `not(~u"&")`},
		{"foo !", `and(~u"foo", ~u"!")`},
		{"(a & !)", `and(~u"a", ~u"!")`},
		{"foo!~q", `and(~u"foo!", ~q)`},
		{"foo~q", `and(~u"foo", ~q)`},
		{"'foo'~q", `and(~u"foo", ~q)`},
		{"'foo'bar", `and(~u"foo", ~u"bar")`},
		{"foo'bar'", `and(~u"foo", ~u"bar")`},
		{"'a'|'b'", `or(~u"a", ~u"b")`},
		{"(a)|(b)", `or(~u"a", ~u"b")`},
		{"(a)(b)", `and(~u"a", ~u"b")`},
		{"(a) (b)", `and(~u"a", ~u"b")`},
		{"((((a))))", `~u"a"`},
		{"get(Info|Routers)", `and(~u"get", ~u"Info|Routers")`},
		{"(a|b)", `~u"a|b"`},
		{"(~q )", `~q`},
		{"(~q |~s )", `or(~q, ~s)`},
		{"~q |~s", `or(~q, ~s)`},
		{"~c 20x", `and(~c"20", ~u"x")`},
		{"~c 200.5", `and(~c"200", ~u".5")`},
		{"~c 200|~q", `or(~c"200", ~q)`},
		{"~c 200&~q", `and(~c"200", ~q)`},
		{"(~c 200)", `~c"200"`},
		{"~c 0200", `~c"200"`},
		{"~c 000", `~c"0"`},
		{"~c 99999999999999999999", `~c"99999999999999999999"`},
		{"~c\n200", `~c"200"`},
		{"~qя", `and(~q, ~u"я")`},
		{"~bя", `~b"я"`},
		{"~b\u00a0x", "~b\"\\u00a0x\""},
		{"~q\v~s", `and(~q, ~u"\v", ~s)`},
		{"~q\x7f", `and(~q, ~u"\x7f")`},
		{"@all", `~u"@all"`},
		{"#x", `~u"#x"`},
		{"{", `~u"{"`},
		{"~b hello & me", `and(~b"hello", ~u"me")`},
		{"~b hello&me", `~b"hello&me"`},
		{"~b &", `~b"&"`},
		{"~b !x", `~b"!x"`},
		{"~b ''", `~b""`},
		{`""`, `~u""`},
		{"~b\t'a\tb'", `~b"a      b"`},
		{"~b \"a\tb\"", `~b"a   b"`},
		{"\t~b\r\"a\t\"", `~b"a      "`},
		{"é'\t'", `and(~u"é", ~u"      ")`},
		{"\xff'\t'", `and(~u"\xff", ~u"      ")`},
		{`'a"b' "c'd"`, `and(~u"a\"b", ~u"c'd")`},
		{"'\\\r'", `~u"\r"`},
		{"'\\\t|'", `~u"      |"`},
		{` a  `, `~u"a"`},
	} {
		for _, opts := range []*Options{nil, {Mitmproxy: true}} {
			e, err := Parse(test.text, opts)
			if err != nil {
				t.Errorf("%q: %v", test.text, err)
				continue
			}
			if got := show(e.Root); got != test.want || e.Extended || e.Text != test.text {
				t.Errorf("%q: %s, extended %v, want %s", test.text, got, e.Extended, test.want)
			}
		}
	}
}

// TestExtended has expressions that mitmproxy rejects.
func TestExtended(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"(~q)", `~q`},
		{"!(~q)", `not(~q)`},
		{"((~all))", `~all`},
		{"~q&~s", `and(~q, ~s)`},
		{"~q|~s", `or(~q, ~s)`},
		{"~q| ~s", `or(~q, ~s)`},
		{"~q!~s", `and(~q, not(~s))`},
		{"~q~s", `and(~q, ~s)`},
		{"~q'x'", `and(~q, ~u"x")`},
		{`~q"x"`, `and(~q, ~u"x")`},
		{"~q(x)", `and(~q, ~u"x")`},
		{"~q|foo", `or(~q, ~u"foo")`},
		{"~b'x'", `~b"x"`},
		{`~b"x"`, `~b"x"`},
		{"~b'x'~q", `and(~b"x", ~q)`},
		{"(a b)", `and(~u"a", ~u"b")`},
		{"(~q ~s)", `and(~q, ~s)`},
		{"(~q ~s ) | a", `or(and(~q, ~s), ~u"a")`},
		{"(a b | c)", `and(~u"a", or(~u"b", ~u"c"))`},
		{"(a (b c))", `and(~u"a", and(~u"b", ~u"c"))`},
		{"(foo& bar)", `and(~u"foo&", ~u"bar")`},
		{"(foo|bar baz)", `and(~u"foo|bar", ~u"baz")`},
		{"(~c 200~q)", `and(~c"200", ~q)`},
		{"(a &b c)", `and(and(~u"a", ~u"b"), ~u"c")`},

		{"~edited", `~edited`},
		{"~edited|~e", `or(~edited, ~e)`},
		{"~status 404", `~status"404"`},
		{"~status 4xx|~q", `or(~status"4xx", ~q)`},
		{"~status 4xx &~q", `and(~status"4xx", ~q)`},
		{"~status 4xx!~q", `and(~status"4xx", not(~q))`},
		{"(~status 4xx)", `~status"4xx"`},
		{"~status>=400", `~status">=400"`},
		{"~status >= 400", `~status">=400"`},
		{"~status '>= 400'", `~status">=400"`},
		{"~status'404'", `~status"404"`},
		{"~status 404, 500 , 5xx foo", `and(~status"404,500,5xx", ~u"foo")`},
		{"~status 404 500", `and(~status"404", ~u"500")`},
		{"~status 200-299,400..500", `~status"200..299,400..500"`},
		{"~size > 10k foo", `and(~size">10k", ~u"foo")`},
		{"~size >10k&~q", `and(~size">10k", ~q)`},
		{"~size 1k .. 2M foo", `and(~size"1k..2M", ~u"foo")`},
		{"~size 1k.. foo", `and(~size"1k..", ~u"foo")`},
		{"~size 1k..\n", `~size"1k.."`},
		{"~time 2024-05-01 foo", `and(~time"2024-05-01", ~u"foo")`},
		{"~time '2024-05-01 10:00z'", `~time"2024-05-01T10:00Z"`},
		{"~id 8D2F,ab", `~id"8d2f,ab"`},
		{"~id Ä", `~id"Ä"`},
		{"~hn Content-Type", `~hn"content-type"`},
		{"~hn Content-Type=JSON&x", `~hn"content-type=JSON&x"`},
		{"~hn 'a=b c'", `~hn"a=b c"`},
		{"~hn a=b=c", `~hn"a=b=c"`},
		{"~hn a=", `~hn"a="`},
		{"~enc br ~sni x", `and(~enc"br", ~sni"x")`},
		{"~errmsg 'a b'", `~errmsg"a b"`},
	} {
		e, err := Parse(test.text, nil)
		if err != nil {
			t.Errorf("%q: %v", test.text, err)
			continue
		}
		if got := show(e.Root); got != test.want || !e.Extended {
			t.Errorf("%q: %s, extended %v, want %s", test.text, got, e.Extended, test.want)
		}
		if e, err := Parse(test.text, &Options{Mitmproxy: true}); err == nil {
			t.Errorf("%q: mitmproxy does not accept this, but it is parsed as %s", test.text, show(e.Root))
		}
	}
}

// TestPositions marks every node of a tree.
func TestPositions(t *testing.T) {
	const text = ` !(~b  'x' & foo|~q )|  (~c 12)~status > 400 `
	e, err := Parse(text, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	Walk(e.Root, func(n Node) bool {
		line := strings.Repeat("_", n.Pos()) + text[n.Pos():n.End()]
		if op, ok := n.(*Op); ok && op.ArgEnd > op.ArgPos {
			line += " / " + text[op.ArgPos:op.ArgEnd]
		}
		got = append(got, line)
		return true
	})
	want := []string{
		`_!(~b  'x' & foo|~q )|  (~c 12)~status > 400`,
		`_!(~b  'x' & foo|~q )|  (~c 12)`,
		`_!(~b  'x' & foo|~q )`,
		`___~b  'x' & foo|~q`,
		`___~b  'x' & foo|`,
		`___~b  'x' / 'x'`,
		`_____________foo| / foo|`,
		`_________________~q`,
		`_________________________~c 12 / 12`,
		`_______________________________~status > 400 / > 400`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestDepth(t *testing.T) {
	const limit = DefaultMaxDepth
	for _, test := range []struct {
		name, open, closing string
	}{
		{"parentheses", "(", ")"},
		{"spaced parentheses", "( ", " )"},
		{"negations", "!", ""},
		{"negated parentheses", "!(", ")"},
	} {
		n := limit / len(strings.TrimSpace(test.open))
		if _, err := Parse(strings.Repeat(test.open, n)+"a"+strings.Repeat(test.closing, n), nil); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		text := strings.Repeat(test.open, n+1) + "a" + strings.Repeat(test.closing, n+1)
		_, err := Parse(text, nil)
		if !errors.Is(err, ErrTooDeep) || !strings.Contains(err.Error(), "500 levels") {
			t.Errorf("%s: %v, want ErrTooDeep", test.name, err)
		}
	}
	if _, err := Parse("((a))", &Options{MaxDepth: 1}); !errors.Is(err, ErrTooDeep) {
		t.Errorf("a limit of 1: %v, want ErrTooDeep", err)
	}
	if _, err := Parse("(a) (b) !c !d", &Options{MaxDepth: 1}); err != nil {
		t.Errorf("side by side: %v", err)
	}
}

// TestLinear parses long expressions. With quadratic time they would take
// minutes.
func TestLinear(t *testing.T) {
	const n = 100_000
	for _, part := range []string{
		"(", ")", "!", "! ", "&", "& ", "| ", "a ", "a&", "a & ", "~q ", "~q", "(a) ", "(a ", "!(", "'", `"\`, "' ' ", "\t'\t'", "~",
		"~c 1", "~size 1,", "~size > ", "~status 1 ,", "~time 1..", "~b", "a(b)", "~hn x=", "~id ,", " ", "1", "~size 1..2 .. ", "\\", "~x",
		"~c ", "~size '1,", "~dur 1", "()", "~b (", "~u(",
	} {
		for _, text := range []string{strings.Repeat(part, n/len(part)), strings.Repeat(part, n/len(part)) + "[", "(" + strings.Repeat(part, n/len(part)) + ")"} {
			start := time.Now()
			e, err := Parse(text, nil)
			if err == nil {
				_, _, _, _ = e.String(), e.Description(), e.Dump(), e.Warnings()
			} else if len(err.Error()) > 1000 {
				t.Errorf("%q…: the error has %d bytes", part, len(err.Error()))
			}
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("%q…: %v", part, d)
			}
		}
	}
}

func TestEqual(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"foo", "~u 'foo'", true},
		{"a b", "(a)&(b)", true},
		{"~status 200-299", "~status '200 .. 299'", true},
		{"~q", "(~q )", true},
		{"~q", "~s", false},
		{"~b x", "~bq x", false},
		{"~b x", "~b y", false},
		{"a & b", "a | b", false},
		{"a | b", "a", false},
		{"a b", "a b c", false},
		{"a b", "b a", false},
		{"!a", "!!a", false},
		{"!a", "a", false},
		{"a b c", "(a & b) c", false},
	} {
		a, err := Parse(test.a, nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := Parse(test.b, nil)
		if err != nil {
			t.Fatal(err)
		}
		if Equal(a.Root, b.Root) != test.want || Equal(b.Root, a.Root) != test.want {
			t.Errorf("%s and %s: not %v", test.a, test.b, test.want)
		}
	}
}

func TestOptions(t *testing.T) {
	for _, sensitive := range []bool{false, true} {
		e, err := Parse("~h x", &Options{CaseSensitive: sensitive})
		if err != nil {
			t.Fatal(err)
		}
		want := "header matches /x/im"
		if sensitive {
			want = "header matches /x/m"
		}
		if got := e.Description(); got != want {
			t.Errorf("CaseSensitive %v: %s, want %s", sensitive, got, want)
		}
	}
}
