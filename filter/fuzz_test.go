package filter

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

// extras are expressions with our own operators or by our wider rules.
var extras = []string{
	"(~q)", "~q|~s", "(a b)", "~b'x'", "~q(x)", "!(~q)~s", "(foo& bar)",
	"~status 4xx|~q", "~status >= 400, 200-299", "~size>10k", "~size 1k .. 2M,0", "~dur <1m30s", "~time 2024-05-01T10:00:00.5+02:00..",
	"~time end-1h..end", "~time '2024-05-01 10:00'", "~id 8D2f,'a&b'", "~id 'a>'", "~index 0,4-9,20-", "~httpv 1.1,2", "~formatv <0.13",
	"~hn A=b&c", "~hn 'a=\t\\n'", "~edited&~enc br", "~port 443 ~sni x ~errmsg \"a \\\" b\"",
}

// checkProperties checks what must hold for every text.
func checkProperties(t *testing.T, text string) {
	t.Helper()
	if utf8.ValidString(text) && len(text) < 500 && strings.Count(text, "(")+strings.Count(text, "!") < 100 {
		againstPEG(t, text)
	}
	ours, err := Parse(text, nil)
	if err != nil {
		checkErrorForm(t, text, err)
	}
	theirs, mitmErr := Parse(text, &Options{Mitmproxy: true})
	switch {
	case mitmErr != nil:
		checkErrorForm(t, text, mitmErr)
	case err != nil:
		t.Errorf("%q: mitmproxy accepts it: %v", text, err)
	case theirs.Extended || ours.Extended || !Equal(ours.Root, theirs.Root):
		t.Errorf("%q: %s, for mitmproxy %s", text, show(ours.Root), show(theirs.Root))
	}
	if err != nil {
		return
	}
	if mitmErr != nil && !ours.Extended {
		t.Errorf("%q: mitmproxy does not accept it, but it is not extended", text)
	}
	checkPrint(t, ours)
	checkExtents(t, ours)
	ours.Description()
	ours.Dump()
	for _, w := range ours.Warnings() {
		if w.Offset < 0 || w.Len < 1 || w.Offset+w.Len > len(text) || strings.ContainsAny(w.Msg+w.Suggest, "\n\r\t") {
			t.Errorf("%q: warning %+v", text, w)
		}
	}
}

// checkErrorForm checks that err is an error of one line about a place in text.
func checkErrorForm(t *testing.T, text string, err error) {
	t.Helper()
	se, ok := errors.AsType[*SyntaxError](err)
	if !ok {
		t.Errorf("%q: %v is no SyntaxError", text, err)
		return
	}
	if se.Text != text || se.Offset < 0 || se.Len < 0 || se.Offset+se.Len > len(text) {
		t.Errorf("%q: %v: the place %d+%d is not in the text", text, err, se.Offset, se.Len)
	}
	if s := err.Error(); strings.ContainsAny(s, "\n\r\t\x00") || len(s) > 500 || se.Msg == "" {
		t.Errorf("%q: the error is %q", text, s)
	}
}

// checkPrint checks that the canonical form is that of an equal expression.
func checkPrint(t *testing.T, e *Expr) {
	t.Helper()
	own := false
	Walk(e.Root, func(n Node) bool {
		if op, ok := n.(*Op); ok && op.Operator.Ours {
			own = true
		}
		return true
	})
	for _, mitmproxy := range []bool{false, true} {
		if mitmproxy && own {
			continue
		}
		printed := e.String()
		again, err := Parse(printed, &Options{Mitmproxy: mitmproxy})
		switch {
		case err != nil:
			t.Errorf("%q is printed as %q: %v", e.Text, printed, err)
		case !Equal(e.Root, again.Root):
			t.Errorf("%q, %s, is printed as %q, %s", e.Text, show(e.Root), printed, show(again.Root))
		case again.String() != printed:
			t.Errorf("%q is printed as %q and then as %q", e.Text, printed, again)
		case len(again.Warnings()) > 0 && len(e.Warnings()) == 0:
			t.Errorf("%q is printed as %q, with warnings: %+v", e.Text, printed, again.Warnings())
		}
	}
}

// checkExtents checks that nodes are where they say.
func checkExtents(t *testing.T, e *Expr) {
	t.Helper()
	var check func(n Node, from, to int)
	check = func(n Node, from, to int) {
		if n.Pos() < from || n.End() > to || n.Pos() >= n.End() {
			t.Errorf("%q: %s is at %d to %d, and what it is part of at %d to %d", e.Text, show(n), n.Pos(), n.End(), from, to)
			return
		}
		// Tabs in quotes depend on what is before them.
		if part := e.Text[n.Pos():n.End()]; !strings.Contains(part, "\t") {
			again, err := Parse(part, nil)
			if err != nil {
				t.Errorf("%q: %s is at %q: %v", e.Text, show(n), part, err)
			} else if !Equal(n, again.Root) {
				t.Errorf("%q: %s is at %q, which is %s", e.Text, show(n), part, show(again.Root))
			}
		}
		next := n.Pos()
		each := func(nodes []Node) {
			for _, sub := range nodes {
				check(sub, next, n.End())
				next = sub.End()
			}
		}
		switch n := n.(type) {
		case *And:
			each(n.Nodes)
		case *Or:
			each(n.Nodes)
		case *Not:
			each([]Node{n.Node})
		case *Op:
			if n.ArgPos < n.Pos() || n.ArgEnd < n.ArgPos || n.ArgEnd != n.End() {
				t.Errorf("%q: the argument of %s is at %d to %d", e.Text, show(n), n.ArgPos, n.ArgEnd)
			}
		}
	}
	check(e.Root, 0, len(e.Text))
}

func FuzzParse(f *testing.F) {
	for _, s := range extras {
		f.Add(s)
	}
	for _, v := range readVectors(f, "vectors-a.jsonl") {
		f.Add(v.Expr)
	}
	f.Fuzz(checkProperties)
}

// TestRandom tries what FuzzParse does with random expressions.
func TestRandom(t *testing.T) {
	rnd := newRand()
	for range 20_000 {
		var text string
		if rnd.IntN(2) == 0 {
			text = randomPieces(rnd, 14)
		} else {
			text = mutate(rnd, extras)
		}
		checkProperties(t, text)
		if t.Failed() {
			return
		}
	}
}
