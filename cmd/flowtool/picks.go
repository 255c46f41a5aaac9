package main

import (
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/flowtool/flowtool/filter"
	"github.com/flowtool/flowtool/formats"
)

// picks are the flows chosen by number and id.
type picks struct {
	numbers *filter.Numbers // nil: all
	ids     []string        // beginnings of ids; empty: all
}

// parsePicks parses a list of numbers and ranges such as 0,4-9,20-.
func parsePicks(index string, ids []string) (picks, error) {
	p := picks{ids: ids}
	if index == "" {
		return p, nil
	}
	var err error
	if p.numbers, err = filter.ParseNumbers(index); err != nil {
		usage := &usageError{msg: "--index takes numbers and ranges such as 0,4-9,20-: " + err.Error()}
		if e, ok := errors.AsType[*filter.SyntaxError](err); ok {
			usage.msg = "--index takes numbers and ranges such as 0,4-9,20-: " + e.Msg
			usage.detail = pointAt(e.Text, e.Offset, e.Len)
		}
		return p, usage
	}
	return p, nil
}

// index tells whether flow n may be wanted, going by its number.
func (p *picks) index(n int64) bool { return p.numbers == nil || p.numbers.Contains(n) }

// beyond tells whether no flow from n on is wanted.
func (p *picks) beyond(n int64) bool { return p.numbers != nil && !p.numbers.Meets(n, math.MaxInt64) }

// id tells whether a flow is wanted, going by its id.
func (p *picks) id(id string) bool {
	if len(p.ids) == 0 {
		return true
	}
	for _, prefix := range p.ids {
		if strings.HasPrefix(id, strings.ToLower(prefix)) || strings.HasPrefix(id, prefix) {
			return true
		}
	}
	return false
}

// group tells whether a flow of a group may be wanted, whose first flow has the
// number first.
func (p *picks) group(g *formats.Group, first int64) bool {
	if p.numbers != nil && !p.numbers.Meets(first, first+g.Flows-1) {
		return false
	}
	ids := g.Facts.IDs
	return len(p.ids) == 0 || !ids.Known || slices.ContainsFunc(ids.Values, func(begin string) bool {
		return slices.ContainsFunc(p.ids, func(want string) bool {
			n := min(len(begin), len(want))
			return strings.EqualFold(begin[:n], want[:n])
		})
	})
}
