package main

import (
	"strconv"
	"strings"
)

// picks are the flows chosen by number and id.
type picks struct {
	ranges []indexRange // empty: all
	ids    []string     // prefixes of ids; empty: all
}

type indexRange struct{ from, to int64 }

// parsePicks parses a list of numbers and ranges such as 0,4-9,20-.
func parsePicks(index string, ids []string) (picks, error) {
	p := picks{ids: ids}
	if index == "" {
		return p, nil
	}
	for part := range strings.SplitSeq(index, ",") {
		part = strings.TrimSpace(part)
		first, last, isRange := strings.Cut(part, "-")
		from, err := strconv.ParseInt(first, 10, 64)
		r := indexRange{from, from}
		if err == nil && isRange {
			if r.to = 1<<63 - 1; last != "" {
				r.to, err = strconv.ParseInt(last, 10, 64)
			}
		}
		if err != nil || from < 0 || r.to < from {
			return p, usagef("--index takes numbers and ranges such as 0,4-9,20-, not %q", part)
		}
		p.ranges = append(p.ranges, r)
	}
	return p, nil
}

// index tells whether flow n may be wanted, going by its number.
func (p *picks) index(n int64) bool {
	if len(p.ranges) == 0 {
		return true
	}
	for _, r := range p.ranges {
		if n >= r.from && n <= r.to {
			return true
		}
	}
	return false
}

// beyond tells whether no flow from n on is wanted.
func (p *picks) beyond(n int64) bool {
	for _, r := range p.ranges {
		if n <= r.to {
			return false
		}
	}
	return len(p.ranges) > 0
}

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
