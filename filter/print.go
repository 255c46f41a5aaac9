package filter

import "strings"

// String returns the expression in its canonical form. It parses back to an
// equal tree, and mitmproxy accepts it if there are only operators of
// mitmproxy in it.
func (e *Expr) String() string {
	return (&infix{and: " & ", or: " | ", not: "!", op: printOp, spaced: true}).print(e.Root)
}

// infix is a way to write trees as one line, with words or signs between the
// nodes and parentheses around those that are part of another one. An And in an Or
// would not need them, but they help the reader, and so does mitmproxy put them
// into descriptions.
type infix struct {
	and, or, not string
	op           func(*strings.Builder, *Op)
	// spaced wants a space between the name of an operator and ")", where
	// mitmproxy does not let a name end.
	spaced bool
}

func (f *infix) print(n Node) string {
	var b strings.Builder
	f.node(&b, n)
	return b.String()
}

func (f *infix) node(b *strings.Builder, n Node) {
	switch n := n.(type) {
	case *And:
		f.nodes(b, n.Nodes, f.and)
	case *Or:
		f.nodes(b, n.Nodes, f.or)
	case *Not:
		b.WriteString(f.not)
		f.operand(b, n.Node)
	case *Op:
		f.op(b, n)
	default:
		panic(unknownNode(n))
	}
}

func (f *infix) nodes(b *strings.Builder, nodes []Node, between string) {
	for i, n := range nodes {
		if i > 0 {
			b.WriteString(between)
		}
		f.operand(b, n)
	}
}

// operand writes a node that is part of another one.
func (f *infix) operand(b *strings.Builder, n Node) {
	switch n.(type) {
	case *And, *Or:
		b.WriteByte('(')
		f.node(b, n)
		if f.spaced && endsWithName(n) {
			b.WriteByte(' ')
		}
		b.WriteByte(')')
	default:
		f.node(b, n)
	}
}

// endsWithName tells whether n is printed with the name of an operator at its
// end.
func endsWithName(n Node) bool {
	switch n := n.(type) {
	case *And:
		return endsWithName(n.Nodes[len(n.Nodes)-1])
	case *Or:
		return endsWithName(n.Nodes[len(n.Nodes)-1])
	case *Not:
		return endsWithName(n.Node)
	case *Op:
		return n.Operator.Arg == NoArg
	default:
		panic(unknownNode(n))
	}
}

// printOp prints an operator, with its argument in quotes where it needs some or
// would be hard to read without.
func printOp(b *strings.Builder, op *Op) {
	b.WriteString(op.Operator.String())
	if op.Operator.Arg == NoArg {
		return
	}
	b.WriteByte(' ')
	s := op.Text
	plain := isPlainWord(s)
	if op.Operator.Arg.list() && (strings.ContainsAny(s, "&|!") || isComparison(s[len(s)-1])) {
		plain = false // a list would end there, or go on
	}
	if plain {
		b.WriteString(s)
	} else {
		b.WriteString(requote(s))
	}
}

// isPlainWord tells whether s is a word that cannot be mistaken for anything
// else.
func isPlainWord(s string) bool {
	if s == "" || strings.IndexByte("&|!", s[0]) >= 0 || strings.IndexByte("&|!", s[len(s)-1]) >= 0 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == 0x7f || endsWord(c) {
			return false
		}
	}
	return true
}
