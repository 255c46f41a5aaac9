package filter

import "fmt"

// Walk calls f for n and then, if f returns true, for the nodes below it, in
// the order of the text.
func Walk(n Node, f func(Node) bool) {
	if !f(n) {
		return
	}
	switch n := n.(type) {
	case *And:
		for _, n := range n.Nodes {
			Walk(n, f)
		}
	case *Or:
		for _, n := range n.Nodes {
			Walk(n, f)
		}
	case *Not:
		Walk(n.Node, f)
	case *Op:
	default:
		panic(unknownNode(n))
	}
}

// unknownNode is what to panic with when a node is of none of our types.
func unknownNode(n Node) string { return fmt.Sprintf("filter: unexpected node type %T", n) }
