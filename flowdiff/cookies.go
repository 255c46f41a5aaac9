package flowdiff

import (
	"slices"
	"strings"

	"github.com/flowtool/flowtool/state"
)

// cookieLines says which lines of a header block hold cookies, and where these are
// reported. The zero value is for blocks without.
type cookieLines struct {
	at  at
	key string // the name of the header, in lower case
	// a and b are the messages that the lines are from.
	a, b state.Value
}

// cookieHeaders are the names of the headers with cookies in messages.
var cookieHeaders = map[string]string{"request": "cookie", "response": "set-cookie"}

// cookieHeader returns where the lines are that hold the cookies at p; "" if p is no
// place of cookies.
func cookieHeader(p state.Path) state.Path {
	inside := inFlow(p)
	outside := p[:len(p)-len(inside)]
	for message, name := range cookieHeaders {
		if rest, ok := strings.CutPrefix(string(inside), "/"+message+"/cookies"); ok && (rest == "" || rest[0] == '/') {
			return outside + state.Path("/"+message+"/headers/"+name)
		}
	}
	return ""
}

// cookies compares the cookies of requests. It reports the lines that hold them,
// which are at p, if that is not all; then it returns true.
func (d *differ) cookies(cookies, p at, a, b *block) (lines bool) {
	linesA, linesB := a.texts("cookie"), b.texts("cookie")
	if slices.Equal(linesA, linesB) {
		return false
	}
	tell := func(note string) {
		c := Change{Kind: Changed, Old: linesValue(linesA), New: linesValue(linesB), Note: note}
		switch {
		case len(linesA) == 0:
			c.Kind = Added
		case len(linesB) == 0:
			c.Kind = Removed
		}
		d.add(p, c)
	}
	cookiesA, ok1 := parseCookies(linesA)
	cookiesB, ok2 := parseCookies(linesB)
	if !ok1 || !ok2 {
		d.asWhole(func() { tell("too many cookies to compare them by name") }, cookies)
		return true
	}
	before := d.found
	x, y := pairFields(cookies, cookiesA, d.valueKey), pairFields(cookies, cookiesB, d.valueKey)
	matches := matchFields(x, y)
	if d.opts.IgnoreDefaults {
		for k := range matches {
			matches[k].moved = false // browsers change the order, too
		}
		d.fields(x, y, matches, d.changedField(x, y))
		return false
	}
	d.fields(x, y, matches, d.changedField(x, y))
	d.order(x, y, matches)
	if d.found > before || d.skip(cookies) {
		return false
	}
	tell("same cookies, spelled differently")
	return true
}

// linesValue returns the values of header lines with the same name as one value.
func linesValue(texts []string) state.Value {
	if len(texts) == 0 {
		return state.Null()
	}
	if len(texts) == 1 {
		return bytesValue(texts[0])
	}
	l := state.NewList()
	for _, text := range texts {
		l.Append(bytesValue(text))
	}
	return l.Value()
}

// parseCookies returns the cookies in lines of a request; ok is false if there are
// too many.
func parseCookies(lines []string) (cookies []pair, ok bool) {
	for _, line := range lines {
		if len(cookies)+strings.Count(line, ";") > maxPairs {
			return nil, false
		}
		for s := range strings.SplitSeq(line, ";") {
			if s = strings.TrimSpace(s); s != "" {
				name, value, _ := strings.Cut(s, "=")
				cookies = append(cookies, pair{strings.TrimSpace(name), strings.TrimSpace(value)})
			}
		}
	}
	return cookies, true
}

// cookieName returns the name of the cookie that a Set-Cookie line sets.
func cookieName(line string) string {
	name, _, _ := strings.Cut(line, ";")
	name, _, _ = strings.Cut(name, "=")
	return strings.TrimSpace(name)
}

// replacedCookies makes one match of a cookie that only a sets and one that only b
// sets, if they stand behind the same line: the one was replaced by the other.
func replacedCookies(a, b *fieldList, matches []match, isCookie func(f *field) bool) []match {
	inA, inB := loneFields(a, b, isCookie), loneFields(b, a, isCookie)
	if len(inA) == 0 || len(inB) == 0 {
		return matches
	}
	behind := map[int]int{-1: 0} // positions in b behind the other half of a field of a
	number := map[int]int{}      // of the matches of lone fields of a
	for k, m := range matches {
		switch {
		case m.j < 0:
			number[m.i] = k
		case m.i >= 0 && !m.moved:
			behind[m.i] = m.j + 1
		}
	}
	replaced := map[int]bool{}
	for _, i := range inA {
		j, ok := behind[i-1]
		if _, lone := slices.BinarySearch(inB, j); ok && lone {
			matches[number[i]].j, replaced[j] = j, true
			behind[i] = j + 1
		}
	}
	return slices.DeleteFunc(matches, func(m match) bool { return m.i < 0 && replaced[m.j] })
}

// loneFields returns the positions of fields of a kind in l that are the only ones
// of their name in both lists.
func loneFields(l, other *fieldList, kind func(f *field) bool) []int {
	var out []int
	for i := range l.fields {
		f := &l.fields[i]
		if kind(f) && len(l.byName[f.name()]) == 1 && len(other.byName[f.name()]) == 0 {
			out = append(out, i)
		}
	}
	return out
}
