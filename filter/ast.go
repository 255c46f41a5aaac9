package filter

import "github.com/flowtool/flowtool/internal/pyregexp"

// An Expr is a parsed filter expression.
type Expr struct {
	Text string // as it was given to [Parse]
	Root Node
	// Extended says that mitmproxy does not accept the text.
	Extended bool
}

// A Node is a part of an expression: [*And], [*Or], [*Not] or [*Op].
// Parentheses are no nodes.
type Node interface {
	// Pos and End are the byte offsets in the text of the expression where the
	// node begins and ends. Parentheses around a node lie outside.
	Pos() int
	End() int

	node()
}

// extent is where a node is in the text.
type extent struct{ pos, end int }

func (x extent) Pos() int { return x.pos }
func (x extent) End() int { return x.end }
func (extent) node()      {}

// An And is true if all its nodes are. It has at least two.
type And struct {
	Nodes []Node
	extent
}

// An Or is true if one of its nodes is. It has at least two.
type Or struct {
	Nodes []Node
	extent
}

// A Not is true if its node is not.
type Not struct {
	Node Node
	extent
}

// An Op is an operator with its argument.
type Op struct {
	Operator *Operator
	// Text is the argument: a regular expression without the quotes around it,
	// a number without leading zeros, or the text of Arg in its canonical form.
	Text string
	// Regexp is the compiled argument of an operator that takes a regular
	// expression. In [*Header] there is another one.
	Regexp *pyregexp.Regexp
	// Arg is the argument of one of our own operators, if it is no regular
	// expression.
	Arg Arg
	// Bare says that there is a regular expression only, which means "~u".
	Bare bool
	// ArgPos and ArgEnd are the offsets of the argument with its quotes, or both
	// the end of the operator.
	ArgPos, ArgEnd int
	extent
}

// Equal tells whether two nodes are the same filter, wherever they are in
// their texts and however they are written.
func Equal(a, b Node) bool {
	switch a := a.(type) {
	case *And:
		b, ok := b.(*And)
		return ok && equalNodes(a.Nodes, b.Nodes)
	case *Or:
		b, ok := b.(*Or)
		return ok && equalNodes(a.Nodes, b.Nodes)
	case *Not:
		b, ok := b.(*Not)
		return ok && Equal(a.Node, b.Node)
	case *Op:
		b, ok := b.(*Op)
		return ok && a.Operator == b.Operator && a.Text == b.Text
	default:
		panic(unknownNode(a))
	}
}

func equalNodes(a, b []Node) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

// Pattern returns the regular expression in the argument of o, nil if there is
// none.
func (o *Op) Pattern() *pyregexp.Regexp {
	if h, ok := o.Arg.(*Header); ok {
		return h.Regexp
	}
	return o.Regexp
}
