package flowdiff

import (
	"slices"
	"strings"
)

// cookies compares the cookies of requests. It returns false if it has nothing to
// say: the lines with the cookies are to be compared as the headers they are.
func (d *differ) cookies(p at, a, b *block) bool {
	cookiesA, ok1 := parseCookies(a)
	cookiesB, ok2 := parseCookies(b)
	if !ok1 || !ok2 {
		return false
	}
	before := d.found
	x, y := pairFields(p, cookiesA, d.valueKey), pairFields(p, cookiesB, d.valueKey)
	matches := matchFields(x, y)
	d.fields(x, y, matches, d.changedField(x, y))
	if d.opts.IgnoreDefaults {
		return true // browsers change the order, too
	}
	d.order(x, y, matches)
	return d.found > before
}

// parseCookies returns the cookies in a header block of a request; ok is false if
// there are too many.
func parseCookies(b *block) (cookies []pair, ok bool) {
	for _, line := range b.texts("cookie") {
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
