package filter

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/flowtool/flowtool/migrate"
)

// ChunkFacts are what is known of a group of flows without looking at them, such
// as what the index of a file says of a part of it. They are for [Filter.MayMatch].
// The zero ChunkFacts say that nothing is known, which is always correct.
//
// What they say has to be true of all flows of the group in the form that
// [Filter.MatchState] would get them in: of the newest format version, and with the
// [Facts] it would get. Where a flow has another kind of value than the format wants,
// or cannot be read, the set or range must not be known. Values that no flow has do
// no harm: they just rule out less.
type ChunkFacts struct {
	// Types are the types of the flows: "http", which WebSocket flows are as well,
	// "tcp", "udp" and "dns".
	Types ValueSet[string]
	// Hosts are the hosts of HTTP flows: for each the one that the request is
	// stored with and, if it is another, the one in the URL that "~u" searches, which
	// comes from the authority or the Host header. "~d" searches both.
	Hosts ValueSet[string]
	// Methods are the request methods of HTTP flows, as they are stored.
	Methods ValueSet[string]
	// Answered has true if an HTTP or DNS flow has a response, and false if one has
	// none. An empty map is none.
	Answered ValueSet[bool]
	// Statuses are the status codes in the responses of HTTP flows.
	Statuses ValueSet[int64]
	// IDs are the ids of the flows, or beginnings of them: there must be one for
	// each id that the id begins with.
	IDs ValueSet[string]
	// Versions are the format versions the flows are stored in, see [Facts].
	Versions ValueSet[migrate.Version]
	// Indexes are the numbers of the flows, see [Facts].
	Indexes ValueRange[int64]
	// Starts are when the flows started, in seconds since 1970: that of the request of
	// an HTTP flow or, where that is null or the flow is another, of the client
	// connection or, where that is null as well, when the flow was created. A flow for
	// which this is null or 0 has no start.
	Starts ValueRange[float64]
	// First and Last are those of [Facts], if HasSpan.
	First, Last float64
	HasSpan     bool
}

// A ValueSet is what is known of something that the flows of a group have. The
// zero ValueSet says that nothing is known.
type ValueSet[T comparable] struct {
	Known  bool // Values has all values that occur
	Values []T
	// Always says that no flow of the types that can have a value is without one:
	// HTTP flows in the case of hosts, methods and statuses, HTTP and DNS flows in that
	// of Answered, and all flows otherwise.
	Always bool
}

// A ValueRange is a [ValueSet] of which only the least and the greatest value are
// known. Values that cannot be compared do not count. If Min is above Max there is
// no value.
type ValueRange[T cmp.Ordered] struct {
	Known    bool
	Min, Max T
	Always   bool
}

// MayMatch tells whether f may match a flow of a group of which c, or nothing if it
// is nil, is known. If it is false, [Filter.Match] is false for all of them, so that
// nobody has to look at them; an error that Match would return for one of them then
// goes unnoticed.
//
// A filter is ruled out by the operators ~http, ~tcp, ~udp, ~dns, ~d, ~m, ~q, ~s, ~c,
// ~status, ~id, ~index, ~formatv and ~time, and by others that cannot match flows of
// the types that occur. Their negations count, too: "!~m GET" is ruled out where all
// flows are HTTP flows with that method.
func (f *Filter) MayMatch(c *ChunkFacts) bool {
	if c == nil {
		c = &ChunkFacts{}
	}
	return c.node(f.expr.Root)&yes != 0
}

// MustMatch tells whether f matches every flow of a group of which c, or nothing if
// it is nil, is known: then nobody has to look at them who wants those that do not
// match. See [Filter.MayMatch].
func (f *Filter) MustMatch(c *ChunkFacts) bool {
	if c == nil {
		c = &ChunkFacts{}
	}
	return c.node(f.expr.Root)&no == 0
}

// answers are the answers that the flows of a group may get: either, both if that is
// not known, and none if there is no flow.
type answers uint8

const (
	no answers = 1 << iota
	yes
	either = no | yes
)

// answer returns the answer that is known.
func answer(ok bool) answers {
	if ok {
		return yes
	}
	return no
}

// node returns the answers that n may give.
func (c *ChunkFacts) node(n Node) answers {
	switch n := n.(type) {
	case *And:
		return c.nodes(n.Nodes, yes, no)
	case *Or:
		return c.nodes(n.Nodes, no, yes)
	case *Not:
		a := c.node(n.Node)
		return (a&yes)>>1 | (a&no)<<1
	case *Op:
		return c.op(n)
	default:
		panic(unknownNode(n))
	}
}

// nodes returns the answers of nodes that together give the answer all if all of
// them do, and the answer one if one of them does.
func (c *ChunkFacts) nodes(nodes []Node, all, one answers) answers {
	a := all
	for _, n := range nodes {
		b := c.node(n)
		if b&all == 0 {
			return b
		}
		a |= b & one
	}
	return a
}

// flowTypes is a set of types of flows.
type flowTypes uint8

const (
	ofHTTP flowTypes = 1 << typeHTTP
	ofTCP  flowTypes = 1 << typeTCP
	ofUDP  flowTypes = 1 << typeUDP
	ofDNS  flowTypes = 1 << typeDNS

	ofAnyType = ofHTTP | ofTCP | ofUDP | ofDNS
)

// types returns the types that may occur.
func (c *ChunkFacts) types() flowTypes {
	if !c.Types.Known {
		return ofAnyType
	}
	var types flowTypes
	for _, name := range c.Types.Values {
		t := typeOf(name)
		if t == typeUnknown {
			return ofAnyType
		}
		types |= 1 << t
	}
	return types
}

func (c *ChunkFacts) op(op *Op) answers {
	o, a := op.Operator, either
	if o.answer != nil {
		a = o.answer(c, op)
	}
	if o.types == 0 {
		return a
	}
	switch types := c.types(); {
	case types&o.types == 0:
		return no
	case types&^o.types != 0:
		a |= no
	}
	return a
}

// answers returns the answers of an operator that looks at a value of each flow, or
// at several, one of which has to match. It gives no answer for values that flows
// do not have, if that is known.
func (s *ValueSet[T]) answers(match func(T) answers) answers {
	if !s.Known {
		return either
	}
	var a answers
	for _, v := range s.Values {
		a |= match(v)
	}
	if !s.Always {
		a |= no
	}
	return a
}

// answers returns the answers of an operator with a list for which compare returns
// how a value compares to another.
func (r *ValueRange[T]) answers(match func(lo, hi T) answers) answers {
	var a answers
	switch {
	case !r.Known:
		return either
	case r.Min <= r.Max:
		a = match(r.Min, r.Max)
	case r.Min > r.Max: // no value
	default: // NaN, which bounds nothing
		return either
	}
	if !r.Always {
		a |= no
	}
	return a
}

// What operators may answer, for flows of the types that they can be true for.

// certainly is for operators that are true for all of these.
func certainly(*ChunkFacts, *Op) answers { return yes }

func hostAnswers(c *ChunkFacts, op *Op) answers   { return c.Hosts.answers(op.searchAnswer) }
func methodAnswers(c *ChunkFacts, op *Op) answers { return c.Methods.answers(op.searchAnswer) }

// searchAnswer returns whether the regular expression of op is found in s, which
// is not known if it takes too long.
func (o *Op) searchAnswer(s string) answers {
	ok, err := o.Regexp.Match([]byte(s))
	if err != nil {
		return either
	}
	return answer(ok)
}

// responseAnswers makes answers of operators about the presence of a response.
func responseAnswers(want bool) func(*ChunkFacts, *Op) answers {
	return func(c *ChunkFacts, _ *Op) answers {
		return c.Answered.answers(func(has bool) answers { return answer(has == want) })
	}
}

func codeAnswers(c *ChunkFacts, op *Op) answers {
	return c.Statuses.answers(func(n int64) answers { return answer(strconv.FormatInt(n, 10) == op.Text) })
}

func statusAnswers(c *ChunkFacts, op *Op) answers {
	list := op.Arg.(*Numbers)
	return c.Statuses.answers(func(n int64) answers { return answer(list.Contains(n)) })
}

func versionAnswers(c *ChunkFacts, op *Op) answers {
	list := op.Arg.(*Versions)
	return c.Versions.answers(func(v migrate.Version) answers { return answer(list.Contains(storedVersion(v).Pair())) })
}

func idAnswers(c *ChunkFacts, op *Op) answers {
	ids := op.Arg.(*Prefixes)
	return c.IDs.answers(func(begin string) answers {
		if ids.Match(begin) {
			return yes
		}
		begin = lower(begin)
		for _, p := range ids.prefixes {
			if strings.HasPrefix(p, begin) {
				return either // it depends on how the id goes on
			}
		}
		return no
	})
}

func indexAnswers(c *ChunkFacts, op *Op) answers {
	list := op.Arg.(*Numbers)
	return c.Indexes.answers(func(lo, hi int64) answers {
		return list.answers(
			func(v int64) int { return cmp.Compare(lo, v) },
			func(v int64) int { return cmp.Compare(hi, v) })
	})
}

func timeAnswers(c *ChunkFacts, op *Op) answers {
	times := op.Arg.(*Times)
	if times.NeedsSpan() && !c.HasSpan {
		return either
	}
	return c.Starts.answers(func(lo, hi float64) answers {
		return times.list.answers(instantCompare(lo, c.First, c.Last), instantCompare(hi, c.First, c.Last))
	})
}
