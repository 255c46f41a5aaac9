package filter

import (
	"errors"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/internal/pyregexp"
)

// TestErrors has texts that nobody accepts. The place of an error is written as
// the text before it and the text that is marked.
func TestErrors(t *testing.T) {
	for _, test := range []struct {
		text, before, mark string
		msg, want, suggest string
	}{
		{"", "", "", "the filter is empty", "", ""},
		{" \n", "", "", "the filter is empty", "", ""},
		{"(", "", "(", `"(" is not closed`, "", ""},
		{"a (b & (c)", "a ", "(", `"(" is not closed`, "", ""},
		{"a & ( ", "a & ", "(", `"(" is not closed`, "", ""},
		{")", "", ")", `")" without "("`, "", ""},
		{"a & b)", "a & b", ")", `")" without "("`, "", ""},
		{"a | ( )", "a | ", "( )", "nothing between parentheses", "", ""},
		{"(~q)~", "(~q)", "~", `"~" without the name of an operator`, "", ""},
		{"~ q", "", "~", `"~" without the name of an operator`, "", "~q"},
		{"~~q", "", "~", `"~" without the name of an operator`, "", "~q"},

		{"a ~blorp b", "a ", "~blorp", "unknown operator ~blorp", "", ""},
		{"~" + strings.Repeat("x", 99), "", "~" + strings.Repeat("x", 99), "unknown operator ~" + strings.Repeat("x", 32) + "…", "", ""},
		{"~hosts x", "", "~hosts", "unknown operator ~hosts", "", "~d"},
		{"~Q", "", "~Q", "unknown operator ~Q", "", "~q"},
		{"~c200", "", "~c200", "unknown operator ~c200", "", "~c 200"},
		{"~b.x", "~b", ".", "there is no white space after ~b", "", "~b .x"},
		{"~q,~s", "~q", ",", "there is no white space after ~q", "", "~q ,~s"},
		{"~b|x", "~b", "|", "there is no white space after ~b", "", "~b |x"},
		{"~q=1", "~q", "=", "there is no white space after ~q", "", "~q =1"},

		{"~b", "~b", "", "~b has no argument", "a regular expression", ""},
		{"~b ", "~b ", "", "~b has no argument", "a regular expression", ""},
		{"~b ~q", "~b ", "~", "~b has no argument", "a regular expression", ""},
		{"(~b )", "(~b ", ")", "~b has no argument", "a regular expression", ""},
		{"~b (foo|bar) x", "~b ", "(", "the argument of ~b needs quotes if it has parentheses", "", `~b "(foo|bar)"`},
		{`~b (\d+)?x`, "~b ", "(", "the argument of ~b needs quotes if it has parentheses", "", `~b "(\\d+)?x"`},
		{"~b (foo bar", "~b ", "(", "the argument of ~b needs quotes if it has parentheses", "", ""},
		{"~b 'x", "~b ", "'", "the quote is not closed", "", ""},
		{"~b it's", "~b it", "'", "the quote is not closed", "", ""},
		{`"a\`, "", `"`, "the quote is not closed", "", ""},
		{"x 'a\nb'", "x 'a", "\n", "a line break inside quotes", `\n`, ""},
		{"x 'a\\\nb'", "x 'a\\", "\n", "a line break inside quotes", `\n`, ""},

		{"~c", "~c", "", "~c has no argument", "a number", ""},
		{"~c ~q", "~c ", "~", "~c has no argument", "a number", ""},
		{"~c abc", "~c ", "abc", "~c takes one number", "", ""},
		{"~c -1", "~c ", "-1", "~c takes one number", "", ""},
		{"~c '200'", "~c ", "'", "~c takes one number, without quotes", "", ""},
		{"~c >= 400", "~c ", ">= 400", "~c takes one number", "", "~status >= 400"},
		{"~c>=400", "~c", ">=400", "~c takes one number", "", "~status >=400"},
		{"(~c 4xx)", "(~c ", "4xx", "~c takes one number", "", "~status 4xx"},
		{"~c xx", "~c ", "xx", "~c takes one number", "", ""},
		{"~c ２００", "~c ", "２００", "~c takes one number", "", ""},

		{"(a &)", "(a ", "&", `nothing after "&"`, "a filter", ""},
		{"(~q) |", "(~q) ", "|", `nothing after "|"`, "a filter", ""},
		{"(~q) !", "(~q) ", "!", `nothing after "!"`, "a filter", ""},
		{"& (~q)", "", "&", `nothing before "&"`, "a filter", ""},
		{"(~q) & | ~s", "(~q) & ", "|", `nothing before "|"`, "a filter", ""},
		{"(~q) && ~s", "(~q) ", "&&", `"&&" is not a sign`, "", "&"},
		{"(~q) ||~s", "(~q) ", "||", `"||" is not a sign`, "", "|"},
		{"&&x (~q)", "", "&&", `"&&" is not a sign`, "", "&"},

		{"~status", "~status", "", "~status has no argument", nouns[StatusArg], ""},
		{"~status & x", "~status ", "&", "~status has no argument", nouns[StatusArg], ""},
		{"~status != 404 x", "~status ", "!", `there is no comparison "!="`, "", "!~status 404"},
		{"~size 1(x)", "~size 1", "(", "the argument of ~size needs quotes if it has quotes or parentheses", "", ""},
		{`~hn a="x y"`, "~hn a=", `"`, "the argument of ~hn needs quotes if it has quotes or parentheses", "", ""},
		{`~enc (a|b)`, "~enc ", `(`, "the argument of ~enc needs quotes if it has parentheses", "", `~enc "(a|b)"`},
		{`~enc a(b)`, "~enc a", `(`, "the argument of ~enc needs quotes if it has quotes or parentheses", "", ""},

		{"x [", "x ", "[", "", "", ""},
		{"~b 'x['", "~b 'x", "[", "", "", ""},
		{`~b "\"\\d["`, `~b "\"\\d`, "[", "", "", ""},
		{"~b '\t['", "~b ", "'\t['", "", "", ""},
		{"~hn A=[", "~hn A=", "[", "", "", ""},
		{"~hn 'A=x['", "~hn 'A=x", "[", "", "", ""},
	} {
		_, err := Parse(test.text, nil)
		checkError(t, test.text, err, test.before, test.mark, test.msg, test.want, test.suggest)
	}
}

// TestMitmproxyErrors has texts that are valid except for mitmproxy.
func TestMitmproxyErrors(t *testing.T) {
	for _, test := range []struct {
		text, before, mark string
		msg, want, suggest string
	}{
		{"(~q)", "(~q", ")", "mitmproxy needs white space after ~q", "", "~q )"},
		{"~q|~s", "~q", "|", "mitmproxy needs white space after ~q", "", "~q |~s"},
		{"~b'x'", "~b", "'", "mitmproxy needs white space after ~b", "", "~b 'x'"},
		{"~b(x)", "~b", "(", "mitmproxy needs white space after ~b", "", ""},
		{"(a b)", "(a ", "b", "mitmproxy does not allow filters side by side in parentheses", `"&", "|" or ")"`, ""},
		{"(a &)", "(a ", "&", `nothing after "&"`, "a filter", ""},
		{"a ~status 404", "a ", "~status", "mitmproxy has no ~status, which is flowtool's own", "", "~c"},
		{"~edited", "", "~edited", "mitmproxy has no ~edited, which is flowtool's own", "", ""},
		{"~hnq x", "", "~hnq", "mitmproxy has no ~hnq, which is flowtool's own", "", "~hq"},
		{"~code x", "", "~code", "unknown operator ~code", "", "~c"},
		{"~statu x", "", "~statu", "unknown operator ~statu", "", "~c"},
		{"~c '4'", "~c ", "'", "~c takes one number, without quotes", "", ""},
		{"~c >400", "~c ", ">400", "~c takes one number", "", ""},
		{"~c " + strings.Repeat("1", 4301), "~c ", strings.Repeat("1", 4301), "the number has more than 4300 digits", "", ""},
	} {
		_, err := Parse(test.text, &Options{Mitmproxy: true})
		checkError(t, test.text, err, test.before, test.mark, test.msg, test.want, test.suggest)
	}
	for _, o := range Operators() {
		if !o.Ours {
			continue
		}
		_, err := Parse(o.Example, &Options{Mitmproxy: true})
		if err == nil || !strings.Contains(err.Error(), "mitmproxy has no ~"+o.Code) {
			t.Errorf("%s: %v", o.Example, err)
		}
	}
}

// checkError compares an error; without msg it must be one of a regular
// expression.
func checkError(t *testing.T, text string, err error, before, mark, msg, want, suggest string) {
	t.Helper()
	se, ok := errors.AsType[*SyntaxError](err)
	if !ok {
		t.Errorf("%q: %v, want a SyntaxError", text, err)
		return
	}
	if se.Text != text || se.Offset < 0 || se.Len < 0 || se.Offset+se.Len > len(text) {
		t.Errorf("%q: the place %d+%d is not in the text %q", text, se.Offset, se.Len, se.Text)
		return
	}
	if got := text[:se.Offset]; got != before || text[se.Offset:se.Offset+se.Len] != mark {
		t.Errorf("%q: %v: marks %q after %q, want %q after %q",
			text, err, text[se.Offset:se.Offset+se.Len], got, mark, before)
	}
	if msg == "" {
		re, ok := errors.AsType[*pyregexp.SyntaxError](err)
		if !ok || se.Msg != "invalid regular expression: "+re.Msg {
			t.Errorf("%q: %v, want an error of a regular expression", text, err)
		}
		return
	}
	if se.Msg != msg || se.Want != want || se.Suggest != suggest {
		t.Errorf("%q: %q, want %q, suggest %q; should be %q, %q, %q", text, se.Msg, se.Want, se.Suggest, msg, want, suggest)
	}
}

func TestErrorText(t *testing.T) {
	for _, test := range []struct {
		err  SyntaxError
		want string
	}{
		{SyntaxError{Offset: 3, Msg: "bad"}, "filter: offset 3: bad"},
		{SyntaxError{Offset: 3, Msg: "bad", Want: "x", Suggest: "~y"}, "filter: offset 3: bad, want x; did you mean ~y?"},
	} {
		if got := test.err.Error(); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

func TestSuggest(t *testing.T) {
	for _, test := range []struct{ name, want, mitmproxy string }{
		{"host", "~d", "~d"},
		{"domain", "~d", "~d"},
		{"url", "~u", "~u"},
		{"method", "~m", "~m"},
		{"code", "~c or ~status", "~c"},
		{"body", "~b", "~b"},
		{"header", "~h", "~h"},
		{"headers", "~h", "~h"},
		{"type", "~t", "~t"},
		{"ip", "~src or ~dst", "~src or ~dst"},
		{"error", "~e", "~e"},
		{"request", "~q", "~q"},
		{"response", "~s", "~s"},
		{"Host", "~d", "~d"},
		{"HTTP", "~http", "~http"},
		{"hots", "~d", "~d"},
		{"websockets", "~websocket", "~websocket"},
		{"websoket", "~websocket", "~websocket"},
		{"replys", "~replays", "~replays"},
		{"stauts", "~status", "~c"},
		{"length", "~size", ""},
		{"sise", "~size", ""},
		{"qq", "~q", "~q"},
		{"qb", "~bq", "~bq"},
		{"maker", "~marker", "~marker"},
		{"coment", "~comment", "~comment"},
		{"x", "", ""},
		{"xyz", "", ""},
		{"blorp", "", ""},
		{strings.Repeat("x", 100), "", ""},
	} {
		if got := suggest(test.name, false); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
		if got := suggest(test.name, true); got != test.mitmproxy {
			t.Errorf("%s, for mitmproxy: %q, want %q", test.name, got, test.mitmproxy)
		}
	}
	for _, w := range wishes {
		for code := range strings.FieldsSeq(w.codes) {
			if Lookup(code) == nil {
				t.Errorf("%s: there is no ~%s", w.names, code)
			}
		}
		for name := range strings.FieldsSeq(w.names) {
			if o := Lookup(name); o != nil && !o.Ours {
				t.Errorf("~%s is an operator, no wish", name)
			}
		}
	}
}

func TestWarnings(t *testing.T) {
	for _, test := range []struct{ text, before, mark, msg, suggest string }{
		{"~c 4xx", "~c 4", "xx", `~c takes one number, "xx" is searched in the URL`, "~status 4xx"},
		{"~c 200-299 foo", "~c 200", "-299", `~c takes one number, "-299" is searched in the URL`, "~status 200-299"},
		{"~c 200.5", "~c 200", ".5", `~c takes one number, ".5" is searched in the URL`, ""},
		{"~q && ~s", "~q &", "&", `"&" is searched in the URL`, "&"},
		{"~q and ~s", "~q ", "and", `"and" is searched in the URL`, "&"},
		{"~q OR ~s", "~q ", "OR", `"OR" is searched in the URL`, "|"},
		{"foo| bar", "", "foo|", `"foo|" is searched in the URL`, "foo |"},
		{"~d foo|~d bar", "~d foo", "|", `the "|" is part of the regular expression "foo|"`, " |"},
		{"~size >10 MB", "~size >10 ", "MB", `"MB" is not part of ~size, it is searched in the URL`, "a list without spaces, with commas"},
		{"~status 404 500", "~status 404 ", "500", `"500" is not part of ~status, it is searched in the URL`, "a list without spaces, with commas"},
		{"~status 4xx|5xx", "~status 4xx|", "5xx", `"5xx" is not part of ~status, it is searched in the URL`, "a list without spaces, with commas"},
		{"~hn server = nginx", "~hn server ", "=", `"=" is not part of ~hn, it is searched in the URL`, ""},
		{"foo &", "foo ", "&", `there is nothing behind "&", so it is searched in the URL`, ""},
		{"foo&& bar", "", "foo&&", `"foo&&" is searched in the URL`, "foo &"},
		{`~h "value$"`, "~h ", `"value$"`, "header lines end in CR LF, and $ matches before the LF only", `"value\\s*$"`},
		{"get(Info|Routers) x", "get", "(", "a parenthesis outside quotes is not part of the regular expression", `"get(Info|Routers)"`},
		{`~b "a\d+"`, `~b "a`, `\d`, `inside quotes \d is just d`, `\\d`},
		{`'a\\b\.'`, `'a\\b`, `\.`, `inside quotes \. is just .`, `\\.`},

		{text: `~c 200|~q`},
		{text: `~c 200!x`},
		{text: `~c 200 x`},
		{text: `~size >10k login`},
		{text: `~size >10k & 500`},
		{text: `~c 200(x)`},
		{text: `~b and`},
		{text: `"and"`},
		{text: `a & b | !c`},
		{text: `(a)(b)`},
		{text: `'a'(b)`},
		{text: `~b \d`},
		{text: `"\\d\n\""`},
		{text: `foo|bar`},
	} {
		e, err := Parse(test.text, nil)
		if err != nil {
			t.Errorf("%q: %v", test.text, err)
			continue
		}
		all := e.Warnings()
		if test.msg == "" {
			if len(all) > 0 {
				t.Errorf("%q: %+v, want no warning", test.text, all)
			}
			continue
		}
		if len(all) != 1 {
			t.Errorf("%q: %d warnings, want 1", test.text, len(all))
			continue
		}
		w := all[0]
		before, mark := test.text[:w.Offset], test.text[w.Offset:w.Offset+w.Len]
		if before != test.before || mark != test.mark || w.Msg != test.msg || w.Suggest != test.suggest {
			t.Errorf("%q: marks %q after %q, %q, %q", test.text, mark, before, w.Msg, w.Suggest)
		}
	}
}
