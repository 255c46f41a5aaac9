package filter

import (
	"fmt"
	"strings"
)

// A Warning is about a part of an expression that is valid but probably does
// not mean what its author thinks.
type Warning struct {
	Offset, Len int    // the place in the text, in bytes
	Msg         string // what it means
	Suggest     string // what was probably meant, or ""
}

// Warnings returns what may surprise the author of the expression, in the order
// of the text. It concerns things that this package must accept because
// mitmproxy does.
func (e *Expr) Warnings() []Warning {
	var all []Warning
	Walk(e.Root, func(n Node) bool {
		switch n := n.(type) {
		case *And:
			all = append(all, e.strays(n.Nodes)...)
		case *Or:
			all = append(all, e.strays(n.Nodes)...)
		}
		if op, ok := n.(*Op); ok {
			if w := e.warning(op); w.Msg != "" {
				w.Suggest = showable(w.Suggest)
				all = append(all, w)
			}
		}
		return true
	})
	return all
}

// strays returns warnings of words behind a list that were probably meant to be
// part of it: lists have no white space.
func (e *Expr) strays(nodes []Node) []Warning {
	var all []Warning
	for i := 1; i < len(nodes); i++ {
		op, ok1 := nodes[i-1].(*Op)
		word, ok2 := nodes[i].(*Op)
		if !ok1 || !ok2 || !word.Bare || !op.Operator.Arg.list() && op.Operator.Arg != HeaderArg {
			continue
		}
		between := strings.Trim(e.Text[op.end:word.pos], " \t\r\n")
		if between != "" && between != "|" || !partOfList(op.Operator.Arg, word.Text) {
			continue
		}
		w := Warning{Offset: word.pos, Len: word.end - word.pos,
			Msg: fmt.Sprintf("%s is not part of %s, it is searched in the URL", quote(word.Text), op.Operator)}
		if op.Operator.Arg != HeaderArg {
			w.Suggest = "a list without spaces, with commas"
		}
		all = append(all, w)
	}
	return all
}

// partOfList tells whether a word looks like a part of an argument: a number, a
// sign or a unit.
func partOfList(kind ArgKind, word string) bool {
	if word == "" {
		return false
	}
	if kind == HeaderArg {
		return strings.HasPrefix(word, "=")
	}
	if strings.IndexByte("0123456789<>=-.,", word[0]) >= 0 {
		return true
	}
	switch strings.ToLower(word) {
	case "b", "k", "m", "g", "kb", "mb", "gb", "kib", "mib", "gib", "ms", "us", "s", "sec", "min", "h", "d":
		return true
	}
	return false
}

func (e *Expr) warning(op *Op) Warning {
	w := Warning{Offset: op.pos, Len: op.end - op.pos}
	rest := e.Text[op.end:]
	quoted := op.ArgPos < op.ArgEnd && strings.IndexByte(`'"`, e.Text[op.ArgPos]) >= 0
	switch {
	case op.Operator.Arg == CodeArg && rest != "" && !endsWord(rest[0]) && strings.IndexByte("&|!", rest[0]) < 0:
		l := lexer{text: e.Text, pos: op.ArgPos}
		arg := l.list()
		w.Msg = fmt.Sprintf("~c takes one number, %s is searched in the URL", quote(rest[:l.pos-op.end]))
		w.Offset, w.Len = op.end, l.pos-op.end
		if _, err := parseArg(StatusArg, arg, nil); err == nil {
			w.Suggest = "~status " + arg
		}
	case op.Bare && !quoted && strings.TrimLeft(rest, " \t\r\n") == "" && meant(op.Text) == op.Text && op.pos > 0:
		w.Msg = fmt.Sprintf("there is nothing behind %s, so it is searched in the URL", quote(op.Text))
	case op.Bare && !quoted && meant(op.Text) != "":
		w.Msg = fmt.Sprintf("%s is searched in the URL", quote(op.Text))
		w.Suggest = meant(op.Text)
	case op.Bare && !quoted && len(op.Text) > 1 && strings.IndexByte("&|", op.Text[len(op.Text)-1]) >= 0 && rest != "":
		w.Msg = fmt.Sprintf("%s is searched in the URL", quote(op.Text))
		word := strings.TrimRight(op.Text, "&|")
		w.Suggest = strings.TrimLeft(word+" ", " ") + op.Text[len(op.Text)-1:]
	case op.Operator.Arg == RegexArg && !op.Bare && !quoted && len(op.Text) > 1 && strings.IndexByte("&|", op.Text[len(op.Text)-1]) >= 0 && rest != "":
		sign := op.Text[len(op.Text)-1:]
		w.Offset, w.Len = op.end-1, 1
		w.Msg = fmt.Sprintf("the %s is part of the regular expression %s", quote(sign), quote(op.Text))
		w.Suggest = " " + sign
	case op.Operator.Arg == RegexArg && !quoted && strings.HasPrefix(rest, "("):
		w.Offset, w.Len = op.end, 1
		w.Msg = "a parenthesis outside quotes is not part of the regular expression"
		if arg := parenthesized(rest); arg != "" {
			w.Suggest = requote(op.Text + arg)
		}
	case op.Operator.flags&multiline != 0 && op.Operator.kind == onBytes && strings.HasSuffix(op.Text, "$") &&
		!strings.HasSuffix(op.Text, `\$`) && !strings.HasSuffix(op.Text, `\s*$`) && !strings.HasSuffix(op.Text, `\r?$`) &&
		!strings.HasSuffix(op.Text, `.$`) && !strings.HasSuffix(op.Text, `*$`):
		w.Offset, w.Len = op.ArgPos, op.ArgEnd-op.ArgPos
		w.Msg = "header lines end in CR LF, and $ matches before the LF only"
		w.Suggest = requote(strings.TrimSuffix(op.Text, "$") + `\s*$`)
	case op.Operator.Arg.regex() && quoted:
		if at := lostBackslash(e.Text[op.ArgPos:op.ArgEnd]); at > 0 {
			w.Offset, w.Len = op.ArgPos+at, 2
			escape := e.Text[w.Offset : w.Offset+2]
			w.Msg = fmt.Sprintf("inside quotes %s is just %s", escape, escape[1:])
			w.Suggest = `\` + escape
		}
	}
	return w
}

// meant returns the sign for which people write a word, or "".
func meant(word string) string {
	switch strings.ToLower(word) {
	case "and", "&&", "&":
		return "&"
	case "or", "||", "|":
		return "|"
	case "not", "!":
		return "!"
	}
	return ""
}

// lostBackslash returns the offset of the first backslash in a quoted string
// that is dropped although a regular expression gives a meaning to it, or 0.
func lostBackslash(s string) int {
	for i := 1; i+1 < len(s); i++ {
		if s[i] != '\\' {
			continue
		}
		if strings.IndexByte("dDsSwWbBAZ.+*?()[]{}|^$", s[i+1]) >= 0 {
			return i
		}
		i++
	}
	return 0
}
