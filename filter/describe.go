package filter

import (
	"strings"

	"github.com/flowtool/flowtool/internal/pyregexp"
)

// Description says in words what the expression is true for, as mitmproxy 13
// does: "url matches /x/i and not has error".
func (e *Expr) Description() string {
	var b strings.Builder
	describe(&b, e.Root)
	return b.String()
}

func describe(b *strings.Builder, n Node) {
	switch n := n.(type) {
	case *And:
		describeNodes(b, n.Nodes, " and ")
	case *Or:
		describeNodes(b, n.Nodes, " or ")
	case *Not:
		b.WriteString("not ")
		describeOperand(b, n.Node)
	case *Op:
		describeOp(b, n)
	default:
		panic(unknownNode(n))
	}
}

func describeNodes(b *strings.Builder, nodes []Node, word string) {
	for i, n := range nodes {
		if i > 0 {
			b.WriteString(word)
		}
		describeOperand(b, n)
	}
}

func describeOperand(b *strings.Builder, n Node) {
	switch n.(type) {
	case *And, *Or:
		b.WriteByte('(')
		describe(b, n)
		b.WriteByte(')')
	default:
		describe(b, n)
	}
}

func describeOp(b *strings.Builder, op *Op) {
	b.WriteString(op.Operator.subject)
	switch op.Operator.Arg {
	case NoArg:
	case RegexArg:
		describeRegexp(b, op.Text, op.Regexp)
	case HeaderArg:
		h := op.Arg.(*Header)
		if b.WriteString(" " + h.Name); h.HasRegex {
			describeRegexp(b, h.Regex, h.Regexp)
		} else {
			b.WriteString(" is present")
		}
	case IDArg:
		b.WriteString(" starts with " + op.Text)
	default:
		b.WriteString(" is " + op.Text)
	}
}

func describeRegexp(b *strings.Builder, text string, re *pyregexp.Regexp) {
	b.WriteString(" matches /" + text + "/" + re.Flags().String())
}

// Dump returns the tree as mitmproxy dumps it, a line for each node.
func (e *Expr) Dump() string {
	var b strings.Builder
	dump(&b, e.Root, 0)
	return b.String()
}

func dump(b *strings.Builder, n Node, depth int) {
	for range depth {
		b.WriteByte('\t')
	}
	var below []Node
	switch n := n.(type) {
	case *And:
		b.WriteString("FAnd")
		below = n.Nodes
	case *Or:
		b.WriteString("FOr")
		below = n.Nodes
	case *Not:
		b.WriteString("FNot")
		below = []Node{n.Node}
	case *Op:
		b.WriteString(n.Operator.dump)
		if n.Operator.Arg != CodeArg {
			b.WriteString(n.Text)
		}
	default:
		panic(unknownNode(n))
	}
	b.WriteByte('\n')
	for _, n := range below {
		dump(b, n, depth+1)
	}
}
