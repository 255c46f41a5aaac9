package filter

import "strings"

// String returns the expression in its canonical form. It parses back to an
// equal tree, and mitmproxy accepts it if there are only operators of
// mitmproxy in it.
func (e *Expr) String() string {
	var b strings.Builder
	printNode(&b, e.Root)
	return b.String()
}

func printNode(b *strings.Builder, n Node) {
	switch n := n.(type) {
	case *And:
		printNodes(b, n.Nodes, " & ")
	case *Or:
		printNodes(b, n.Nodes, " | ")
	case *Not:
		b.WriteByte('!')
		printOperand(b, n.Node)
	case *Op:
		b.WriteString(n.Operator.String())
		if n.Operator.Arg != NoArg {
			b.WriteByte(' ')
			printArgument(b, n)
		}
	default:
		panic(unknownNode(n))
	}
}

func printNodes(b *strings.Builder, nodes []Node, sign string) {
	for i, n := range nodes {
		if i > 0 {
			b.WriteString(sign)
		}
		printOperand(b, n)
	}
}

// printOperand prints a node that is part of another one. An And in an Or would
// not need parentheses, but they help the reader, and so does mitmproxy put them
// into descriptions.
func printOperand(b *strings.Builder, n Node) {
	switch n.(type) {
	case *And, *Or:
		b.WriteByte('(')
		printNode(b, n)
		if endsWithName(n) {
			b.WriteByte(' ') // mitmproxy does not let a name end at ")"
		}
		b.WriteByte(')')
	default:
		printNode(b, n)
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

// printArgument prints the argument of an operator, in quotes where it needs
// some or would be hard to read without.
func printArgument(b *strings.Builder, op *Op) {
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
