package filter

import (
	"strings"

	"github.com/flowtool/flowtool/internal/pyregexp"
)

// Description says in words what the expression is true for, as mitmproxy 13
// does: "url matches /x/i and not has error".
func (e *Expr) Description() string {
	return (&infix{and: " and ", or: " or ", not: "not ", op: describeOp}).print(e.Root)
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
