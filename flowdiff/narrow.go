package flowdiff

import (
	"strings"

	"github.com/flowtool/flowtool/state"
)

// asWhole calls compare for what has parts that are reported below some places, but
// cannot be compared part by part: whatever it reports may be a change of any of them.
func (d *differ) asWhole(compare func(), parts ...at) {
	before := d.parts
	d.parts = parts
	compare()
	d.parts = before
}

// asked tells whether Options.Only asks for a change: for its path, or for parts of
// what was added, removed or compared as a whole. Contents are not asked for as that
// unless they are in parts, see asWhole.
func (d *differ) asked(c *Change) bool {
	if len(d.opts.Only.patterns) == 0 {
		return true
	}
	for _, p := range [...]state.Path{c.Path, c.From} {
		if d.opts.Only.Match(p) || d.opts.Only.Match(cookieHeader(p)) {
			return true
		}
	}
	for _, p := range d.parts {
		for _, q := range [...]state.Path{p.a, p.b} {
			if d.opts.Only.Match(q) || d.opts.Only.below(q) != noPart {
				return true
			}
		}
	}
	switch max(d.opts.Only.below(c.Path), d.opts.Only.below(c.From)) {
	case namedPart:
		return mayHaveParts(c.Old) || mayHaveParts(c.New)
	case anyPart:
		return c.Old.Kind() >= state.KindList || c.New.Kind() >= state.KindList
	}
	return false
}

// mayHaveParts tells whether v is a list, a map or the like, or bytes that may hold
// JSON or a form.
func mayHaveParts(v state.Value) bool {
	return v.Kind() >= state.KindList || v.Kind() == state.KindBytes
}

// A wantedPart says what patterns ask for below a path.
type wantedPart uint8

const (
	noPart    wantedPart = iota
	anyPart              // ** may stand for steps to something there
	namedPart            // something there is named
)

// below tells what p asks for below at.
func (p *Paths) below(at state.Path) wantedPart {
	if len(p.patterns) == 0 || at == "" {
		return noPart
	}
	steps := strings.Split(string(at[1:]), "/")
	header := headerStep(at)
	asks := noPart
	for _, pattern := range p.patterns {
		asks = max(asks, partBelow(pattern, steps, header))
	}
	return asks
}

func partBelow(pattern []step, steps []string, header int) wantedPart {
	for i, s := range steps {
		switch {
		case i == len(pattern):
			return noPart
		case pattern[i].any:
			return anyPart
		case !pattern[i].matches(s, i == header):
			return noPart
		}
	}
	switch {
	case len(pattern) == len(steps):
		return noPart
	case pattern[len(steps)].any:
		return anyPart
	}
	return namedPart
}
