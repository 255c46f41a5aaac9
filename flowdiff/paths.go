package flowdiff

import (
	"fmt"
	"path"
	"strings"

	"github.com/flowtool/flowtool/state"
)

// Paths is a set of patterns for the paths of changes. The zero Paths matches
// nothing.
type Paths struct{ patterns [][]step }

// A step is a step of a pattern.
type step struct {
	text  string
	any   bool // it is **
	plain bool // it has no special characters
}

// ParsePaths returns the set of some patterns. A pattern is a path such as
// "/server_conn/timestamp_start", in which
//
//   - * and ? and […] stand for parts of one step, as in [path.Match],
//   - a step ** stands for any number of steps, also none.
//
// A pattern matches what is below a path that it matches, too: "/metadata" is as
// good as "/metadata/**". Names of headers are in lower case.
func ParsePaths(patterns ...string) (Paths, error) {
	var p Paths
	for _, s := range patterns {
		rest, ok := strings.CutPrefix(s, "/")
		if !ok {
			return Paths{}, fmt.Errorf("flowdiff: pattern %.100q does not begin with a slash", s)
		}
		var steps []step
		for text := range strings.SplitSeq(strings.TrimSuffix(rest, "/"), "/") {
			if _, err := path.Match(text, ""); err != nil {
				return Paths{}, fmt.Errorf("flowdiff: pattern %.100q: %w", s, err)
			}
			steps = append(steps, step{text, text == "**", !strings.ContainsAny(text, `*?[\`)})
		}
		p.patterns = append(p.patterns, steps)
	}
	return p, nil
}

// Match tells whether p matches at, or what at is below of.
func (p *Paths) Match(at state.Path) bool {
	if len(p.patterns) == 0 || at == "" {
		return false
	}
	steps := strings.Split(string(at[1:]), "/")
	for _, pattern := range p.patterns {
		if matchSteps(pattern, steps) {
			return true
		}
	}
	return false
}

// matchSteps tells whether a pattern matches steps, or the first of them. It
// goes on behind the last ** as soon as the steps before it match, which finds a
// match if there is one, in time that grows with the product of the lengths.
func matchSteps(pattern []step, steps []string) bool {
	p, s := 0, 0
	star, from := -1, 0
	for p < len(pattern) {
		switch {
		case pattern[p].any:
			star, from = p, s
			p++
		case s < len(steps) && pattern[p].match(steps[s]):
			p++
			s++
		case star >= 0 && from < len(steps):
			from++
			p, s = star+1, from
		default:
			return false
		}
	}
	return true
}

// plainStep undoes the escapes of a step, but for a slash, which [path.Match]
// would take for the end of it.
var plainStep = strings.NewReplacer("~1", "\x00", "~0", "~")

// match tells whether s matches a step of a path.
func (s *step) match(text string) bool {
	if s.plain || s.text == text {
		return s.text == text
	}
	if strings.IndexByte(text, '~') >= 0 {
		text = plainStep.Replace(text)
	}
	ok, _ := path.Match(s.text, text)
	return ok
}

// volatile are the places that differ between any two captures.
var volatile = []string{
	"/id",
	"/timestamp_created",
	"/*/timestamp*",
	"/messages/*/timestamp",
	"/websocket/messages/*/timestamp",

	"/*_conn/id",
	"/client_conn/peername/1",
	"/client_conn/sockname/1",
	"/server_conn/sockname/1",
	"/*_conn/certificate_list",
	"/client_conn/mitmcert",

	"/response/headers/date",
	"/response/headers/expires",
	"/response/headers/age",
	"/*/headers/*request-id",
	"/*/headers/*correlation-id",
	"/*/headers/*trace-id",
	"/*/headers/traceparent",
	"/*/headers/tracestate",
	"/*/headers/x-b3-*",
	"/*/headers/x-amz-id-2",
	"/*/headers/cf-ray",

	"/request/id", // of DNS messages
	"/response/id",
}

var volatilePaths = func() Paths {
	p, err := ParsePaths(volatile...)
	if err != nil {
		panic(err)
	}
	return p
}()

// VolatilePaths returns the patterns that [Options.IgnoreDefaults] stands for.
func VolatilePaths() []string { return append([]string(nil), volatile...) }
