package filter

import (
	"strings"
	"time"
)

// DefaultMaxDepth is the limit of nesting that [Parse] applies when the caller
// names none.
const DefaultMaxDepth = 500

// maxCodeDigits is how many digits the number of "~c" may have; Python refuses
// to convert more.
const maxCodeDigits = 4300

// Options control [Parse].
type Options struct {
	// Mitmproxy restricts the language to what mitmproxy accepts.
	Mitmproxy bool
	// CaseSensitive makes regular expressions heed the case of letters. It is
	// what MITMPROXY_CASE_SENSITIVE_FILTERS=1 asks for; this package does not
	// look at the environment.
	CaseSensitive bool
	// Location is where times without a zone are meant. Nil means time.Local.
	Location *time.Location
	// Timeout is how long a regular expression may try to match a text. 0 means 2
	// seconds.
	Timeout time.Duration
	// MaxDepth is how deep parentheses and negations may nest. 0 means
	// DefaultMaxDepth.
	MaxDepth int
}

// Parse parses a filter expression. Nil options mean the defaults. An error is
// always a [*SyntaxError].
//
// What mitmproxy accepts has the meaning it has there. Only when mitmproxy would
// refuse the text, the wider rules of this package apply, unless
// Options.Mitmproxy is set.
func Parse(text string, opts *Options) (*Expr, error) {
	if opts == nil {
		opts = new(Options)
	}
	p := newParser(text, opts, true)
	root, err := p.filter()
	expr := &Expr{Text: text, Root: root}
	if err != nil && !opts.Mitmproxy {
		p = newParser(text, opts, false)
		expr.Root, err = p.filter()
		expr.Extended = true
	}
	if err == nil {
		err = p.compile(expr.Root)
	}
	if err != nil {
		return nil, err
	}
	return expr, nil
}

// A parser is a predictive parser for the grammar in the package documentation,
// by the rules of mitmproxy or by the wider ones.
//
// The grammar is one of ordered choice: "!", "&" and "|" are characters of a
// word when nothing that can be negated or joined follows them. No lookahead
// beyond the next character that is no space is needed to find out: only the
// end of the text and ")" cannot begin an operand. All other characters begin
// one, and where that operand turns out to be wrong the text is wrong, whatever
// came before.
type parser struct {
	lexer
	opts     *Options
	strict   bool // by the rules of mitmproxy
	depth    int  // of parentheses and negations that are open
	maxDepth int
}

func newParser(text string, opts *Options, strict bool) *parser {
	p := &parser{lexer: lexer{text: text}, opts: opts, strict: strict, maxDepth: opts.MaxDepth}
	if p.maxDepth <= 0 {
		p.maxDepth = DefaultMaxDepth
	}
	return p
}

// operand is a node and its extent with the parentheses around it.
type operand struct {
	Node
	extent
}

func (p *parser) filter() (Node, error) {
	root, err := p.items()
	if err != nil {
		return nil, err
	}
	if !p.done() {
		return nil, p.errorAt(p.pos, 1, SyntaxError{Msg: `")" without "("`})
	}
	return root.Node, nil
}

// items parses filters side by side, up to the end of the text or ")".
func (p *parser) items() (operand, error) {
	first, err := p.or()
	if err != nil {
		return first, err
	}
	all := []operand{first}
	for p.skipSpace(); !p.done() && !p.at(')'); p.skipSpace() {
		next, err := p.or()
		if err != nil {
			return next, err
		}
		all = append(all, next)
	}
	return join(all, newAnd), nil
}

func (p *parser) or() (operand, error)  { return p.chain('|', (*parser).and, newOr) }
func (p *parser) and() (operand, error) { return p.chain('&', (*parser).not, newAnd) }

// chain parses operands with a sign between them.
func (p *parser) chain(sign byte, sub func(*parser) (operand, error), node func([]Node, extent) Node) (operand, error) {
	first, err := sub(p)
	if err != nil {
		return first, err
	}
	var all []operand
	for p.sign(sign) {
		next, err := sub(p)
		if err != nil {
			return next, err
		}
		if all == nil {
			all = append(all, first)
		}
		all = append(all, next)
	}
	if all == nil {
		return first, nil
	}
	return join(all, node), nil
}

// sign skips white space and then c, if it is followed by an operand.
func (p *parser) sign(c byte) bool {
	p.skipSpace()
	if !p.at(c) || !p.operandFrom(p.pos+1) {
		return false
	}
	p.pos++
	return true
}

// operandFrom tells whether an operand begins after the white space at pos.
func (p *parser) operandFrom(pos int) bool {
	pos = p.spaceFrom(pos)
	return pos < len(p.text) && p.text[pos] != ')'
}

// join makes a node of operands, unless there is only one.
func join(all []operand, node func([]Node, extent) Node) operand {
	if len(all) == 1 {
		return all[0]
	}
	nodes := make([]Node, len(all))
	for i, o := range all {
		nodes[i] = o.Node
	}
	x := extent{all[0].pos, all[len(all)-1].end}
	return operand{node(nodes, x), x}
}

func newAnd(nodes []Node, x extent) Node { return &And{nodes, x} }
func newOr(nodes []Node, x extent) Node  { return &Or{nodes, x} }

func (p *parser) not() (operand, error) {
	p.skipSpace()
	start := p.pos
	if !p.at('!') || !p.operandFrom(start+1) {
		return p.atom()
	}
	if err := p.enter(start); err != nil {
		return operand{}, err
	}
	p.pos++
	sub, err := p.not()
	p.depth--
	x := extent{start, sub.end}
	return operand{&Not{sub.Node, x}, x}, err
}

// enter opens one more level at pos.
func (p *parser) enter(pos int) error {
	if p.depth == p.maxDepth {
		return p.errorAt(pos, 1, tooDeep(p.maxDepth))
	}
	p.depth++
	return nil
}

func (p *parser) atom() (operand, error) {
	p.skipSpace()
	if p.done() {
		return operand{}, p.errorAt(0, 0, SyntaxError{Msg: "the filter is empty"})
	}
	switch p.text[p.pos] {
	case '(':
		return p.parentheses()
	case ')':
		return operand{}, p.errorAt(p.pos, 1, SyntaxError{Msg: `")" without "("`})
	case '~':
		op, err := p.operator()
		if err != nil {
			return operand{}, err
		}
		op.end = p.pos
		return operand{op, op.extent}, nil
	}
	if !p.strict {
		if err := p.loneSign(); err != nil {
			return operand{}, err
		}
	}
	op := &Op{Operator: Lookup(bareCode), Bare: true}
	op.pos = p.pos
	if err := p.regex(op); err != nil {
		return operand{}, err
	}
	op.end = p.pos
	return operand{op, op.extent}, nil
}

// parentheses parses what is in parentheses. mitmproxy does not allow filters
// side by side there.
func (p *parser) parentheses() (operand, error) {
	start := p.pos
	if err := p.enter(start); err != nil {
		return operand{}, err
	}
	p.pos++
	if !p.operandFrom(p.pos) {
		p.skipSpace()
		if !p.done() {
			return operand{}, p.errorAt(start, p.pos+1-start, SyntaxError{Msg: "nothing between parentheses"})
		}
		return operand{}, p.errorAt(start, 1, SyntaxError{Msg: `"(" is not closed`})
	}
	inside := (*parser).items
	if p.strict {
		inside = (*parser).or
	}
	sub, err := inside(p)
	if err != nil {
		return sub, err
	}
	p.skipSpace()
	if p.done() {
		return sub, p.errorAt(start, 1, SyntaxError{Msg: `"(" is not closed`})
	}
	if !p.at(')') {
		return sub, p.sideBySide()
	}
	p.pos++
	p.depth--
	sub.extent = extent{start, p.pos}
	return sub, nil
}

// operator parses an operator with its argument. Its end is not yet set.
func (p *parser) operator() (*Op, error) {
	start := p.pos
	name := p.name(start + 1)
	o := Lookup(name)
	if o == nil || o.Ours && p.strict {
		return nil, p.unknown(start, name)
	}
	p.pos += 1 + len(name)
	if !p.done() && !endsName(p.text[p.pos]) {
		if err := p.glued(o); err != nil {
			return nil, err
		}
	}
	op := &Op{Operator: o, ArgPos: p.pos, ArgEnd: p.pos}
	op.pos = start
	if o.Arg == NoArg {
		return op, nil
	}
	p.skipSpace()
	var err error
	switch {
	case o.Arg == RegexArg:
		err = p.regex(op)
	case o.Arg == CodeArg:
		err = p.code(op)
	default:
		err = p.argument(op)
	}
	return op, err
}

// regex parses a word or a quoted string.
func (p *parser) regex(op *Op) error {
	op.ArgPos = p.pos
	var err error
	switch {
	case p.done() || p.atAny("()~"):
		err = p.noArgument(op)
	case p.atAny(`'"`):
		op.Text, err = p.quotedText()
	default:
		op.Text = p.word()
		if op.Operator.Ours {
			err = p.cut(op)
		}
	}
	op.ArgEnd = p.pos
	return err
}

func (p *parser) quotedText() (string, error) {
	start := p.pos
	value, ok := p.quoted()
	if !ok {
		return "", p.openQuote(start)
	}
	return value, nil
}

// code parses the number of "~c".
func (p *parser) code(op *Op) error {
	op.ArgPos = p.pos
	digits := p.number()
	op.ArgEnd = p.pos
	switch {
	case digits == "":
		return p.noCode(op)
	case len(digits) > maxCodeDigits:
		return p.errorAt(op.ArgPos, len(digits), SyntaxError{Msg: "the number has more than 4300 digits"})
	}
	if op.Text = strings.TrimLeft(digits, "0"); op.Text == "" {
		op.Text = "0"
	}
	if p.strict || p.done() || endsName(p.text[p.pos]) || p.atAny(`()~'"&|!`) {
		return nil
	}
	return p.noCode(op)
}

// argument parses the argument of one of our own operators.
func (p *parser) argument(op *Op) error {
	op.ArgPos = p.pos
	var arg string
	switch {
	case p.atAny(`'"`):
		var err error
		if arg, err = p.quotedText(); err != nil {
			return err
		}
		op.ArgEnd = p.pos
	default:
		if op.Operator.Arg.list() {
			arg = p.list()
		} else {
			arg = p.word()
		}
		if op.ArgEnd = p.pos; arg == "" {
			return p.noArgument(op)
		}
		if err := p.cut(op); err != nil {
			return err
		}
	}
	a, err := parseArg(op.Operator.Arg, arg, p.opts)
	if err != nil {
		return p.argumentError(op, arg, err)
	}
	op.Arg, op.Text = a, a.String()
	return nil
}
