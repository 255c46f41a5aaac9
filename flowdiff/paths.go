package flowdiff

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/flowtool/flowtool/state"
)

// Paths is a set of patterns for the paths of changes. The zero Paths matches
// nothing.
type Paths struct{ patterns [][]step }

// A step is a step of a pattern.
type step struct {
	text  string // as it is written
	match string // for path.Match, see plainStep
	lower string // match for the names of headers
	plain bool   // it has no special characters
	any   bool   // it is **
}

// A PatternError says what is wrong with a pattern for paths, and where.
type PatternError struct {
	Pattern string
	Offset  int // of the step that is wrong, in bytes
	Msg     string
}

func (e *PatternError) Error() string {
	return fmt.Sprintf("pattern %.100q, offset %d: %s", e.Pattern, e.Offset, e.Msg)
}

// ParsePaths returns the set of some patterns. A pattern is a path such as
// "/server_conn/timestamp_start", in which
//
//   - * and ? and […] stand for parts of one step, as in [path.Match], and a
//     backslash takes that meaning from the character behind it,
//   - a step ** stands for any number of steps, also none.
//
// A pattern matches what is below a path that it matches, too: "/metadata" is as
// good as "/metadata/**", and "/" matches everything. The case of letters matters
// but in the names of headers. In a step, ~1 is a slash and ~0 a tilde, as in paths;
// all other characters stand for themselves, also commas and quotes.
//
// Errors are of type [*PatternError].
func ParsePaths(patterns ...string) (Paths, error) {
	var p Paths
	for _, s := range patterns {
		rest, ok := strings.CutPrefix(s, "/")
		if !ok {
			return Paths{}, &PatternError{s, 0, "a path begins with a slash"}
		}
		offset := 1
		steps := []step{}
		for rest = strings.TrimSuffix(rest, "/"); rest != ""; {
			text, more, _ := strings.Cut(rest, "/")
			match := plainStep.Replace(text)
			if _, err := path.Match(match, ""); err != nil {
				return Paths{}, &PatternError{s, offset, "what is in brackets is not complete, or nothing is behind a backslash"}
			}
			steps = append(steps, step{
				text, match, strings.ToLower(match), !strings.ContainsAny(text, `*?[\`), text == "**",
			})
			offset += len(text) + 1
			rest = more
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
	header := headerStep(at)
	for _, pattern := range p.patterns {
		if matchSteps(pattern, steps, header) {
			return true
		}
	}
	return false
}

// lastKeys are the keys of a flow that flowKeys does not have.
var lastKeys = []string{"version", "timestamp_created", "client_conn", "server_conn", "backup"}

// Unknown returns a pattern of p that no change of a flow has, because no flow has a
// field of the name that it begins with; "" if there is none. It may be misspelt. A name
// with special characters is taken for known.
func (p *Paths) Unknown() string {
	for _, pattern := range p.patterns {
		steps := pattern
		for len(steps) > 1 && steps[0].text == "backup" {
			steps = steps[1:]
		}
		if len(steps) == 0 || !steps[0].plain || slices.Contains(flowKeys, steps[0].match) || slices.Contains(lastKeys, steps[0].match) {
			continue
		}
		var text strings.Builder
		for _, s := range pattern {
			text.WriteString("/" + s.text)
		}
		return text.String()
	}
	return ""
}

// matchSteps tells whether a pattern matches steps, or the first of them. It
// goes on behind the last ** as soon as the steps before it match, which finds a
// match if there is one, in time that grows with the product of the lengths. Step
// number header is the name of a header.
func matchSteps(pattern []step, steps []string, header int) bool {
	p, s := 0, 0
	star, from := -1, 0
	for p < len(pattern) {
		switch {
		case pattern[p].any:
			star, from = p, s
			p++
		case s < len(steps) && pattern[p].matches(steps[s], s == header):
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

// matches tells whether s matches a step of a path.
func (s *step) matches(text string, header bool) bool {
	if s.text == text {
		return true
	}
	pattern := s.match
	if header {
		pattern = s.lower
	}
	if strings.IndexByte(text, '~') >= 0 {
		text = plainStep.Replace(text)
	}
	if s.plain {
		return pattern == text
	}
	ok, _ := path.Match(pattern, text)
	return ok
}

// headerStep returns the number of the step of a path that is the name of a header,
// which paths have in lower case; -1 if there is none.
func headerStep(at state.Path) int {
	inside := inFlow(at)
	steps := strings.SplitN(string(inside), "/", 5)
	if len(steps) < 4 || steps[1] != "request" && steps[1] != "response" || steps[2] != "headers" && steps[2] != "trailers" {
		return -1
	}
	return strings.Count(string(at[:len(at)-len(inside)]), "/") + 2
}
