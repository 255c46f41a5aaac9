package filter

import (
	"errors"
	"fmt"
	"strings"

	"github.com/flowtool/flowtool/internal/pyregexp"
)

// errorAt returns e with its place and text filled in.
func (p *parser) errorAt(offset, n int, e SyntaxError) error {
	e.Text, e.Offset, e.Len = p.text, offset, n
	e.Suggest = showable(e.Suggest)
	return &e
}

// here returns e with the next byte, if any, as its place.
func (p *parser) here(e SyntaxError) error {
	return p.errorAt(p.pos, min(1, len(p.text)-p.pos), e)
}

func tooDeep(limit int) SyntaxError {
	return SyntaxError{Msg: fmt.Sprintf("parentheses and negations nest more than %d levels deep", limit), Err: ErrTooDeep}
}

// loneSign returns an error if there is a sign where an operand is expected.
// mitmproxy takes it for a word, to be searched in the URL. So do we, as long as
// mitmproxy accepts the whole text.
func (p *parser) loneSign() error {
	c := p.text[p.pos]
	if c != '&' && c != '|' && c != '!' {
		return nil
	}
	sign := string(c)
	if c != '!' && p.pos > 0 && p.text[p.pos-1] == c {
		return p.errorAt(p.pos-1, 2, SyntaxError{Msg: quote(sign+sign) + " is not a sign", Suggest: sign})
	}
	end := p.pos + 1
	switch {
	case !p.operandFrom(end):
		return p.errorAt(p.pos, 1, SyntaxError{Msg: "nothing after " + quote(sign), Want: "a filter"})
	case isSpace(p.text[end]) || endsWord(p.text[end]):
		return p.errorAt(p.pos, 1, SyntaxError{Msg: "nothing before " + quote(sign), Want: "a filter"})
	case p.text[end] == c:
		return p.errorAt(p.pos, 2, SyntaxError{Msg: quote(sign+sign) + " is not a sign", Suggest: sign})
	}
	return nil
}

// sideBySide is the error for something that mitmproxy does not allow between
// an operand and ")".
func (p *parser) sideBySide() error {
	if p.atAny("&|!") && !p.operandFrom(p.pos+1) {
		return p.here(SyntaxError{Msg: "nothing after " + quote(p.text[p.pos:p.pos+1]), Want: "a filter"})
	}
	return p.here(SyntaxError{
		Msg:  "mitmproxy does not allow filters side by side in parentheses",
		Want: `"&", "|" or ")"`,
	})
}

// unknown is the error for a name that is no operator.
func (p *parser) unknown(start int, name string) error {
	if name == "" {
		e := SyntaxError{Msg: `"~" without the name of an operator`}
		rest := strings.TrimLeft(p.text[start+1:], "~ ")
		if o := Lookup(p.name(len(p.text) - len(rest))); o != nil && (!o.Ours || !p.strict) {
			e.Suggest = o.String()
		}
		return p.errorAt(start, 1, e)
	}
	e := SyntaxError{Msg: "unknown operator ~" + shorten(name)}
	if o := Lookup(name); o != nil {
		e.Msg = fmt.Sprintf("mitmproxy has no %v, which is flowtool's own", o)
		e.Suggest = wish(name, p.strict)
		return p.errorAt(start, 1+len(name), e)
	}
	letters := len(name) - len(strings.TrimLeft(name, "abcdefghijklmnopqrstuvwxyz"))
	head, rest := name[:letters], name[letters:]
	if o := Lookup(head); o != nil && o.Arg != NoArg && (!o.Ours || !p.strict) && len(rest) <= 20 {
		e.Suggest = o.String() + " " + rest
	} else {
		e.Suggest = suggest(name, p.strict)
	}
	return p.errorAt(start, 1+len(name), e)
}

// glued returns an error if the character after the name of o, which is no
// white space, cannot follow it.
func (p *parser) glued(o *Operator) error {
	c := p.text[p.pos]
	if !p.strict {
		switch {
		case strings.IndexByte(`()~'"`, c) >= 0:
			return nil
		case o.Arg == NoArg && strings.IndexByte("&|!", c) >= 0:
			return nil
		case isComparison(c) && o.Arg.list():
			return nil
		case isComparison(c) && o.Arg == CodeArg:
			return nil // code knows what to say
		}
	}
	e := SyntaxError{Msg: fmt.Sprintf("there is no white space after %v", o)}
	if p.strict {
		e.Msg = fmt.Sprintf("mitmproxy needs white space after %v", o)
	}
	if rest := p.text[p.pos:]; o.Arg == NoArg || strings.IndexByte("()~", c) < 0 {
		n := 0
		for n < len(rest) && !endsName(rest[n]) {
			n++
		}
		if n <= 20 {
			e.Suggest = o.String() + " " + rest[:n]
		}
	}
	return p.here(e)
}

// nouns are what the arguments are called.
var nouns = [...]string{
	RegexArg:    "a regular expression",
	CodeArg:     "a number",
	StatusArg:   "statuses such as 404, 4xx, 500..503 or >=400",
	SizeArg:     "sizes such as 0, 10k..2M or >1.5M",
	DurationArg: "durations such as >1s or 100ms..2s",
	TimeArg:     "times such as 2024-05-01, 2024-05-01T10:00.. or end-1h..",
	IDArg:       "the beginning of an id",
	IndexArg:    "numbers such as 0,4-9,20-",
	VersionArg:  "versions such as 1.1, 2 or <1.2",
	PortArg:     "ports such as 443 or 8000-8999",
	HeaderArg:   "the name of a header",
}

// noArgument is the error for an operator that is not followed by an argument.
func (p *parser) noArgument(op *Op) error {
	o := op.Operator
	e := SyntaxError{Msg: fmt.Sprintf("%v has no argument", o), Want: nouns[o.Arg]}
	switch rest := p.text[p.pos:]; {
	case p.at('(') && o.Arg.regex():
		e.Msg, e.Want = fmt.Sprintf("the argument of %v needs quotes if it has parentheses", o), ""
		if arg := parenthesized(rest); arg != "" {
			e.Suggest = o.String() + " " + requote(arg)
		}
	case strings.HasPrefix(rest, "!="):
		e.Msg, e.Want = `there is no comparison "!="`, ""
		e.Suggest = "!" + o.String() + " " + p.lookahead(p.pos+2, (*lexer).list)
	}
	return p.here(e)
}

// lookahead returns what read finds at pos, after white space, shortened.
func (p *parser) lookahead(pos int, read func(*lexer) string) string {
	l := lexer{text: p.text, pos: p.spaceFrom(pos)}
	return shorten(strings.ToValidUTF8(read(&l), "?"))
}

// parenthesized returns the beginning of s up to the white space after the
// parenthesis that closes the first one, or "" if that is not close.
func parenthesized(s string) string {
	depth := 0
	for i := range min(len(s), 40) {
		switch c := s[i]; {
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth < 0 {
				return s[:i]
			}
		case isSpace(c) && depth == 0:
			return s[:i]
		case c == '\'' || c == '"' || c == '\t' || c == '\n':
			return ""
		}
	}
	if len(s) > 40 || depth != 0 {
		return ""
	}
	return s
}

// noCode is the error for an argument of "~c" that is not just digits. The
// lexer is after the digits.
func (p *parser) noCode(op *Op) error {
	if op.ArgPos == p.pos && (p.done() || p.atAny("()~")) {
		return p.noArgument(op)
	}
	e := SyntaxError{Msg: "~c takes one number"}
	if p.at('"') || p.at('\'') {
		e.Msg = "~c takes one number, without quotes"
		return p.here(e)
	}
	p.pos = op.ArgPos
	arg := p.list()
	if _, err := parseArg(StatusArg, arg, p.opts); err == nil && !p.strict {
		e.Suggest = "~status " + arg
	}
	return p.errorAt(op.ArgPos, len(arg), e)
}

// openQuote is the error for a string that begins at start and breaks off
// here.
func (p *parser) openQuote(start int) error {
	if !p.done() {
		return p.here(SyntaxError{Msg: "a line break inside quotes", Want: `\n`})
	}
	return p.errorAt(start, 1, SyntaxError{Msg: "the quote is not closed"})
}

// cut returns an error if the unquoted argument that was just read breaks off
// at a character that was probably meant to belong to it. mitmproxy would
// begin a new filter there.
func (p *parser) cut(op *Op) error {
	if !p.atAny(`('"`) {
		return nil
	}
	return p.here(SyntaxError{Msg: fmt.Sprintf("the argument of %v needs quotes if it has quotes or parentheses", op.Operator)})
}

// argumentError turns an error in arg, the unquoted argument of op, into one
// in the text.
func (p *parser) argumentError(op *Op, arg string, err *argError) error {
	offset, n := p.inArgument(op, arg, err.offset, err.n)
	return p.errorAt(offset, n, SyntaxError{Msg: err.msg, Want: err.want, Suggest: err.suggest})
}

// inArgument returns the place in the text of n bytes at offset in arg, which is
// what the argument of op stands for.
func (p *parser) inArgument(op *Op, arg string, offset, n int) (int, int) {
	raw := p.text[op.ArgPos:op.ArgEnd]
	if raw[0] != '"' && raw[0] != '\'' {
		return op.ArgPos + offset, n
	}
	content := raw[1 : len(raw)-1]
	if strings.IndexByte(content, '\t') >= 0 {
		return op.ArgPos, len(raw)
	}
	from, to := unquotedOffset(content, offset), unquotedOffset(content, offset+n)
	return op.ArgPos + 1 + from, to - from
}

// compile compiles the regular expressions of a tree.
func (p *parser) compile(root Node) error {
	var err error
	Walk(root, func(n Node) bool {
		op, ok := n.(*Op)
		if !ok || err != nil {
			return err == nil
		}
		switch {
		case op.Operator.Arg == RegexArg:
			op.Regexp, err = p.compileRegexp(op, op.Text, op.Text)
		case op.Operator.Arg == HeaderArg:
			if h := op.Arg.(*Header); h.HasRegex {
				h.Regexp, err = p.compileRegexp(op, op.Text, h.Regex)
			}
		}
		return true
	})
	return err
}

// compileRegexp compiles regex, with which arg, the argument of op, ends.
func (p *parser) compileRegexp(op *Op, arg, regex string) (*pyregexp.Regexp, error) {
	opts := pyregexp.Options{Kind: op.Operator.kind, Flags: op.Operator.flags, Timeout: p.opts.Timeout}
	if !p.opts.CaseSensitive {
		opts.Flags |= pyregexp.IgnoreCase
	}
	re, err := pyregexp.Compile(regex, opts)
	if err == nil {
		return re, nil
	}
	e := SyntaxError{Msg: "invalid regular expression: " + err.Error(), Err: err}
	offset, n := 0, len(arg)
	if se, ok := errors.AsType[*pyregexp.SyntaxError](err); ok {
		e.Msg = "invalid regular expression: " + se.Msg
		offset = min(len(arg)-len(regex)+se.Offset, len(arg))
		n = min(1, len(arg)-offset)
	}
	offset, n = p.inArgument(op, arg, offset, n)
	return nil, p.errorAt(offset, n, e)
}
