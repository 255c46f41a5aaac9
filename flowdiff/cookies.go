package flowdiff

import "strings"

// A pair is a name with its value: a cookie, a query parameter, a form field.
type pair struct{ name, value string }

// maxPairs limits the pairs, or lines of a header block, that are compared by
// name. What has more is compared as a whole.
const maxPairs = 1 << 16

// pairsByName compares two lists of pairs, those of each name by themselves. The
// order of different names is not looked at.
func (d *differ) pairsByName(p at, a, b []pair) {
	x, names := groupPairs(a, nil)
	y, names := groupPairs(b, names)
	for _, name := range names {
		several := len(x[name]) > 1 || len(y[name]) > 1
		for _, m := range matchLists(x[name], y[name], oneClass, oneClass) {
			q := p.key(name)
			if several {
				q = q.index(max(m.i, 0), max(m.j, 0))
			}
			switch {
			case m.moved:
				d.addMoved(q, m.i, m.j)
			case m.equal:
			case m.i < 0:
				d.add(q, Change{Kind: Added, New: bytesValue(y[name][m.j])})
			case m.j < 0:
				d.add(q, Change{Kind: Removed, Old: bytesValue(x[name][m.i])})
			default:
				d.addChanged(q, bytesValue(x[name][m.i]), bytesValue(y[name][m.j]))
			}
		}
	}
}

// groupPairs returns the values of every name, and appends the names that are
// new to names.
func groupPairs(pairs []pair, names []string) (map[string][]string, []string) {
	known := make(map[string]bool, len(names))
	for _, n := range names {
		known[n] = true
	}
	out := map[string][]string{}
	for _, p := range pairs {
		if !known[p.name] {
			known[p.name] = true
			names = append(names, p.name)
		}
		out[p.name] = append(out[p.name], p.value)
	}
	return out, names
}

// cookies compares the cookies of requests. Lines that hold the same cookies but
// are not the same are reported as the headers they are.
func (d *differ) cookies(p, cookies at, a, b *block) (pairs []run) {
	x, y := a.byKey["cookie"], b.byKey["cookie"]
	cookiesA, ok1 := d.requestCookies(a, b)
	cookiesB, ok2 := d.requestCookies(b, a)
	if !ok1 || !ok2 {
		return d.sameNamed(p, "cookie", a, b)
	}
	before := d.found
	d.pairsByName(cookies, cookiesA, cookiesB)
	if d.found == before && !d.opts.IgnoreDefaults {
		return d.sameNamed(p, "cookie", a, b)
	}
	if len(x) == len(y) {
		for k := range x {
			pairs = append(pairs, run{x[k], y[k], 1})
		}
	}
	return pairs
}

// requestCookies returns the cookies in the lines of b; ok is false if there are
// too many. If volatile parts do not count, those that look generated here and in
// the other block have no value.
func (d *differ) requestCookies(b, other *block) (cookies []pair, ok bool) {
	cookies, ok = parseCookies(b)
	if d.opts.IgnoreDefaults && ok {
		generated := map[string]bool{}
		theirs, _ := parseCookies(other)
		for _, c := range theirs {
			generated[c.name] = generated[c.name] || looksGenerated(c.value)
		}
		for i, c := range cookies {
			if generated[c.name] && looksGenerated(c.value) {
				cookies[i].value = ""
			}
		}
	}
	return cookies, ok
}

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

// setCookies compares the cookies that responses set. The lines of every cookie
// are compared by themselves; if as many cookies are left in a as in b, they took
// each other's places.
func (d *differ) setCookies(cookies at, a, b *block) (pairs []run) {
	x, names := cookieLines(a, nil)
	y, names := cookieLines(b, names)
	var removed, added []string
	for _, name := range names {
		switch {
		case len(y[name]) == 0 && len(x[name]) == 1:
			removed = append(removed, name)
		case len(x[name]) == 0 && len(y[name]) == 1:
			added = append(added, name)
		default:
			pairs = append(pairs, d.setCookie(cookies.key(name), a, b, x[name], y[name])...)
		}
	}
	if len(removed) == len(added) {
		for k := range removed {
			i, j := x[removed[k]][0], y[added[k]][0]
			d.line(at{cookies.a.Key(removed[k]), cookies.b.Key(added[k])}, a.lines[i], b.lines[j])
			pairs = append(pairs, run{i, j, 1})
		}
		return pairs
	}
	for _, name := range removed {
		d.add(cookies.key(name), Change{Kind: Removed, Old: bytesValue(a.lines[x[name][0]].text)})
	}
	for _, name := range added {
		d.add(cookies.key(name), Change{Kind: Added, New: bytesValue(b.lines[y[name][0]].text)})
	}
	return pairs
}

// setCookie compares the lines that set one cookie, at i in a and j in b.
func (d *differ) setCookie(p at, a, b *block, i, j []int) (pairs []run) {
	x, y := make([]string, len(i)), make([]string, len(j))
	for k := range x {
		x[k] = d.steady(a.lines[i[k]].text)
	}
	for k := range y {
		y[k] = d.steady(b.lines[j[k]].text)
	}
	several := len(i) > 1 || len(j) > 1
	for _, m := range matchLists(x, y, oneClass, oneClass) {
		q := p
		if several {
			q = p.index(max(m.i, 0), max(m.j, 0))
		}
		switch {
		case m.i < 0:
			d.add(q, Change{Kind: Added, New: bytesValue(b.lines[j[m.j]].text)})
			continue
		case m.j < 0:
			d.add(q, Change{Kind: Removed, Old: bytesValue(a.lines[i[m.i]].text)})
			continue
		case m.moved:
			d.addMoved(q, i[m.i], j[m.j])
		default:
			pairs = append(pairs, run{i[m.i], j[m.j], 1})
		}
		if !d.opts.IgnoreDefaults || !m.equal && !sameGenerated(x[m.i], y[m.j]) {
			d.line(q, a.lines[i[m.i]], b.lines[j[m.j]])
		}
	}
	return pairs
}

// cookieLines returns the positions of the lines that set every cookie, and
// appends the names that are new to names.
func cookieLines(b *block, names []string) (map[string][]int, []string) {
	known := make(map[string]bool, len(names))
	for _, n := range names {
		known[n] = true
	}
	out := map[string][]int{}
	for _, i := range b.byKey["set-cookie"] {
		name, _, _ := strings.Cut(b.lines[i].text, "=")
		name = strings.TrimSpace(name)
		if !known[name] {
			known[name] = true
			names = append(names, name)
		}
		out[name] = append(out[name], i)
	}
	return out, names
}

// steady returns a Set-Cookie value without its volatile attributes, if those are
// to be ignored.
func (d *differ) steady(s string) string {
	if !d.opts.IgnoreDefaults {
		return s
	}
	var kept []string
	for attr := range strings.SplitSeq(s, ";") {
		name, _, _ := strings.Cut(attr, "=")
		if name = strings.TrimSpace(name); !strings.EqualFold(name, "expires") && !strings.EqualFold(name, "max-age") {
			kept = append(kept, strings.TrimSpace(attr))
		}
	}
	return strings.Join(kept, "; ")
}

// sameGenerated tells whether two cookies with their attributes differ in nothing
// but values that look generated.
func sameGenerated(a, b string) bool {
	cookieA, attrsA, _ := strings.Cut(a, ";")
	cookieB, attrsB, _ := strings.Cut(b, ";")
	_, valueA, _ := strings.Cut(cookieA, "=")
	_, valueB, _ := strings.Cut(cookieB, "=")
	return attrsA == attrsB && looksGenerated(valueA) && looksGenerated(valueB)
}

// looksGenerated tells whether s may be the id of a session or the like: a word of
// at least 16 characters with digits and letters.
func looksGenerated(s string) bool {
	letters, digits := false, false
	for _, c := range []byte(s) {
		switch {
		case '0' <= c && c <= '9':
			digits = true
		case 'a' <= c|0x20 && c|0x20 <= 'z':
			letters = true
		case strings.IndexByte("+/=_-.%:|~", c) < 0:
			return false
		}
	}
	return len(s) >= 16 && letters && digits
}
