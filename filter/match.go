package filter

import (
	"fmt"
	"slices"
	"sync"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/pyregexp"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/state"
)

// DefaultTimeout is the default limit on the time that a regular expression may
// take to search one text, see Options.Timeout.
const DefaultTimeout = pyregexp.DefaultTimeout

// DefaultMaxBody is the default limit on the size of a decoded body that a
// filter looks into.
const DefaultMaxBody = 256 << 20

// A Filter tells which flows an expression matches. It is safe for concurrent
// use.
type Filter struct {
	// MaxBody limits how many bytes the decoded body of a message may have if a
	// filter looks into it; more is an error. Bodies without content encoding
	// have no limit. Zero and less mean DefaultMaxBody. It must not be changed
	// while the filter is used.
	MaxBody int64

	expr  *Expr
	match matcher
	plan  plan
	slots [parts]int // of the parts in that of the flow
	first part       // that is looked into; partFlow if that is not known
	span  bool
	body  bool
	pool  sync.Pool // of *subject
}

// Facts are what is known of a flow beside its state. Nil stands for the zero
// Facts, which are those of the first flow of a capture in the newest version.
type Facts struct {
	// Index is the number of the flow, counted from 0.
	Index int64
	// Version is the format version it was stored in; the zero Version stands
	// for the newest one.
	Version migrate.Version
	// First and Last are when the first and the last flow of the capture
	// started, in seconds since 1970. Only filters with NeedsSpan look at them.
	First, Last float64
}

// A matcher tells whether a part of an expression is true for a flow. If that
// cannot be told it calls fail and its result means nothing.
type matcher func(s *subject) bool

// A MatchError says that it cannot be told whether an operator matches a flow,
// because a regular expression ran out of time or a body is too large.
type MatchError struct {
	Op  string // the operator with its argument
	Err error
}

func (e *MatchError) Error() string { return fmt.Sprintf("filter %s: %v", e.Op, e.Err) }

// Unwrap returns the cause.
func (e *MatchError) Unwrap() error { return e.Err }

// Compile makes a Filter of an expression.
func Compile(expr *Expr) *Filter {
	c := &compiler{}
	f := &Filter{MaxBody: DefaultMaxBody, expr: expr}
	root := c.node(expr.Root)
	f.match, f.first = root.matcher, root.first
	f.plan, f.span, f.body = c.plan, c.span, c.body
	for p, key := range partKeys {
		f.slots[p] = slices.Index(f.plan[partFlow], key)
	}
	f.pool.New = func() any { return newSubject(f) }
	return f
}

// Expr returns the expression that f was made of.
func (f *Filter) Expr() *Expr { return f.expr }

// NeedsSpan tells whether f has to know when the capture starts and ends; see
// [Facts].
func (f *Filter) NeedsSpan() bool { return f.span }

// NeedsContent tells whether f looks into bodies or messages.
func (f *Filter) NeedsContent() bool { return f.body }

// Needs returns the keys of a flow's state that f looks at. Nothing else needs
// to be decoded, or even brought into memory. The result is never nil, even if
// f looks at nothing, so that it is fit for option Only of a dumpfile.Reader.
func (f *Filter) Needs() []string { return append([]string{}, f.plan[partFlow]...) }

// Keys returns what f looks at, as [Filter.Needs] does, and in the part of a flow that
// it looks into first what it looks at there.
func (f *Filter) Keys() *state.Keys {
	k := &state.Keys{Keys: f.Needs()}
	if f.first != partFlow {
		k.Inner, k.InnerKeys = f.slots[f.first], slices.Clone(f.plan[f.first])
	}
	return k
}

// Match tells whether f matches a flow. An error that wraps a [*MatchError] says
// that a limit was exceeded. Any other is a [*state.PathError] about a part of the
// flow that f has to look at, which is damaged, missing or cannot be read.
func (f *Filter) Match(fl flow.Flow, facts *Facts) (bool, error) {
	v := fl.State().Value()
	return f.MatchState(&v, facts)
}

// MatchState is [Filter.Match] for the state of a flow in the newest format
// version, which need not be valid where the filter does not look.
func (f *Filter) MatchState(v *state.Value, facts *Facts) (bool, error) {
	s := f.pool.Get().(*subject)
	s.begin(v, facts)
	return f.judge(s)
}

// MatchPicked is [Filter.MatchState] for a flow of which nothing is at hand but what
// [Filter.Keys] asks for.
func (f *Filter) MatchPicked(p *state.Picked, facts *Facts) (bool, error) {
	s := f.pool.Get().(*subject)
	s.beginPicked(p, facts)
	return f.judge(s)
}

// judge matches a subject and gives it back.
func (f *Filter) judge(s *subject) (bool, error) {
	ok := f.match(s)
	err := s.err
	s.end()
	f.pool.Put(s)
	return ok && err == nil, err
}

// A part is one of the maps that a flow consists of.
type part uint8

const (
	partFlow part = iota // the flow itself
	partRequest
	partResponse
	partWebSocket
	partError
	partClient
	partServer
	partBackup
	parts
)

// partKeys are the keys of the parts in the flow.
var partKeys = [parts]string{
	partRequest: "request", partResponse: "response", partWebSocket: "websocket",
	partError: "error", partClient: "client_conn", partServer: "server_conn", partBackup: "backup",
}

// A plan lists for every part the keys that a filter looks at.
type plan [parts][]string

// A field is one of the keys in a plan.
type field struct {
	part part
	slot int
	must bool // it is missing if it is null
}

// cost is how expensive a matcher is; cheaper ones are asked first.
type cost uint8

const (
	costMeta cost = iota // what the flow itself says
	costHead             // headers and addresses
	costText             // texts that have to be put together
	costBody             // bodies and messages
	costSlow             // bodies and messages, with more than a search for a string
)

// compiled is what became of a node.
type compiled struct {
	matcher
	cost  cost
	first part // that is looked into first, partFlow if there is none
}

// compiler turns nodes into matchers and collects what they look at.
type compiler struct {
	plan plan
	used [parts]bool // by the operator at hand
	span bool
	body bool
}

// field notes that a key of a part will be looked at.
func (c *compiler) field(p part, key string) field {
	c.part(p)
	i := slices.Index(c.plan[p], key)
	if i < 0 {
		i = len(c.plan[p])
		c.plan[p] = append(c.plan[p], key)
	}
	c.used[p] = true
	return field{part: p, slot: i}
}

// must is field for a key without which a part makes no sense, so that package
// flow has nothing to set in its place.
func (c *compiler) must(p part, key string) field {
	f := c.field(p, key)
	f.must = true
	return f
}

// part notes that a part will be looked at.
func (c *compiler) part(p part) part {
	if p != partFlow {
		c.field(partFlow, partKeys[p])
	}
	return p
}

// node compiles a node.
func (c *compiler) node(n Node) compiled {
	switch n := n.(type) {
	case *And:
		list, all := c.nodes(n.Nodes)
		all.matcher = func(s *subject) bool {
			for _, m := range list {
				if !m(s) || s.err != nil {
					return false
				}
			}
			return true
		}
		return all
	case *Or:
		list, all := c.nodes(n.Nodes)
		all.matcher = func(s *subject) bool {
			for _, m := range list {
				if m(s) || s.err != nil {
					return true
				}
			}
			return false
		}
		return all
	case *Not:
		node := c.node(n.Node)
		m := node.matcher
		node.matcher = func(s *subject) bool { return !m(s) }
		return node
	case *Op:
		return c.op(n)
	default:
		panic(unknownNode(n))
	}
}

// nodes compiles the nodes of an And or Or, the cheap ones first: their order
// changes nothing but the time it takes. all is what is known of them together.
func (c *compiler) nodes(nodes []Node) (list []matcher, all compiled) {
	sorted := make([]compiled, len(nodes))
	for i, n := range nodes {
		sorted[i] = c.node(n)
		all.cost = max(all.cost, sorted[i].cost)
	}
	slices.SortStableFunc(sorted, func(a, b compiled) int { return int(a.cost) - int(b.cost) })
	for i, n := range sorted {
		list = append(list, n.matcher)
		if i == 0 {
			all.first = n.first
		}
	}
	return list, all
}

// op compiles an operator.
func (c *compiler) op(op *Op) compiled {
	cost := op.Operator.cost
	if cost == costBody && op.Regexp != nil && op.Regexp.Engine() != pyregexp.Literal {
		cost = costSlow
	}
	c.used = [parts]bool{}
	out := compiled{matcher: op.Operator.build(c, op), cost: cost}
	for p := parts - 1; p > partFlow; p-- {
		if c.used[p] {
			out.first = p
		}
	}
	return out
}

// search returns a function that tells whether a regular expression matches
// somewhere in a text.
func search(op *Op, re *pyregexp.Regexp) func(s *subject, text []byte) bool {
	return func(s *subject, text []byte) bool {
		ok, err := re.Match(text)
		if err != nil {
			s.fail(op.failed(err))
		}
		return ok
	}
}

// failed returns the error of an operator that exceeded a limit.
func (o *Op) failed(err error) *MatchError {
	return &MatchError{o.Operator.String() + " " + o.Text, err}
}
