package flowdiff

import (
	"slices"
	"strconv"
	"strings"

	"github.com/flowtool/flowtool/state"
)

// A headerLine is a line of a header block.
type headerLine struct {
	name string // as it is
	key  string // in lower case
	text string // the value
	rank int    // among the lines with the same key
}

// A block is a header block.
type block struct {
	lines []headerLine
	keys  []string         // in the order of their first lines
	byKey map[string][]int // positions of lines
}

// parseBlock returns the block of a state; ok is false if v is none, or too large.
func parseBlock(v state.Value) (b *block, ok bool) {
	if v.Kind() != state.KindList {
		return nil, false
	}
	l, err := v.List()
	if err != nil || l.Len() > maxPairs {
		return nil, false
	}
	b = &block{byKey: map[string][]int{}}
	for i, e := range l.All() {
		pair, err := e.List()
		if err != nil || pair.Len() != 2 {
			return nil, false
		}
		name, err1 := pair.At(0).Bytes()
		text, err2 := pair.At(1).Bytes()
		if err1 != nil || err2 != nil {
			return nil, false
		}
		key := strings.ToLower(string(name))
		same := b.byKey[key]
		if len(same) == 0 {
			b.keys = append(b.keys, key)
		}
		b.lines = append(b.lines, headerLine{string(name), key, string(text), len(same)})
		b.byKey[key] = append(same, i)
	}
	return b, true
}

// value returns the values of all lines with a key.
func (b *block) value(key string) string { return strings.Join(b.texts(key), ", ") }

func (b *block) texts(key string) []string {
	var out []string
	for _, i := range b.byKey[key] {
		out = append(out, b.lines[i].text)
	}
	return out
}

// headers compares two header blocks. cookies is where the cookies in them are
// reported; with the zero at they are headers like others.
func (d *differ) headers(p, cookies at, a, b state.Value) {
	x, ok1 := parseBlock(a)
	y, ok2 := parseBlock(b)
	if !ok1 || !ok2 {
		d.field(p, a, b)
		return
	}
	keys := slices.Clone(x.keys)
	for _, k := range y.keys {
		if len(x.byKey[k]) == 0 {
			keys = append(keys, k)
		}
	}
	var pairs []run // lines that belong together
	for _, k := range keys {
		switch {
		case cookies == at{}:
			pairs = append(pairs, d.sameNamed(p, k, x, y)...)
		case k == "set-cookie":
			pairs = append(pairs, d.setCookies(cookies, x, y)...)
		case k == "cookie":
			pairs = append(pairs, d.cookies(p, cookies, x, y)...)
		default:
			pairs = append(pairs, d.sameNamed(p, k, x, y)...)
		}
	}
	d.order(p, x, y, pairs)
}

// lineAt returns the path of a pair of lines below that of their blocks; one of
// the ranks may be -1.
func lineAt(p at, key string, a, b *block, i, j int) at {
	if i < 0 {
		i = j
	}
	if j < 0 {
		j = i
	}
	p = p.key(key)
	if len(a.byKey[key]) > 1 || len(b.byKey[key]) > 1 {
		p = p.index(i, j)
	}
	return p
}

// sameNamed compares the lines of one name and returns those that belong
// together, but for those it reported as moved.
func (d *differ) sameNamed(p at, key string, a, b *block) (pairs []run) {
	i, j := a.byKey[key], b.byKey[key]
	if len(i) == 1 && len(j) == 1 {
		d.line(p.key(key), a.lines[i[0]], b.lines[j[0]])
		return []run{{i[0], j[0], 1}}
	}
	for _, m := range matchLists(a.texts(key), b.texts(key), oneClass, oneClass) {
		q := lineAt(p, key, a, b, m.i, m.j)
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
		d.line(q, a.lines[i[m.i]], b.lines[j[m.j]])
	}
	return pairs
}

// line compares two lines that belong together.
func (d *differ) line(p at, a, b headerLine) {
	note := ""
	if a.name != b.name {
		note = "the name is spelled differently"
	}
	if a.text != b.text {
		d.add(p, Change{Kind: Changed, Old: bytesValue(a.text), New: bytesValue(b.text), Note: note})
	} else if note != "" {
		d.add(p, Change{Kind: Changed, Old: bytesValue(a.name), New: bytesValue(b.name), Note: note})
	}
}

// order reports which of the lines that belong together are at another place
// among them.
func (d *differ) order(p at, a, b *block, pairs []run) {
	slices.SortFunc(pairs, func(x, y run) int { return x.i - y.i })
	if slices.IsSortedFunc(pairs, func(x, y run) int { return x.j - y.j }) {
		return
	}
	inB := slices.Clone(pairs)
	slices.SortFunc(inB, func(x, y run) int { return x.j - y.j })
	// What names a pair is the same for a and b as for b and a. Pairs that would
	// have the same name are in the same order in both blocks.
	names := func(pairs []run) []string {
		count := map[string]int{}
		out := make([]string, len(pairs))
		for k, r := range pairs {
			x, y := a.lines[r.i], b.lines[r.j]
			name := x.key + "\x00" + min(x.text, y.text) + "\x00" + max(x.text, y.text) + "\x00"
			out[k] = name + strconv.Itoa(count[name])
			count[name]++
		}
		return out
	}
	for _, m := range matchLists(names(pairs), names(inB), oneClass, oneClass) {
		if m.moved {
			r := pairs[m.i]
			l := a.lines[r.i]
			d.addMoved(lineAt(p, l.key, a, b, l.rank, b.lines[r.j].rank), r.i, r.j)
		}
	}
}

// bytesValue returns s as the value it has in a state.
func bytesValue(s string) state.Value { return state.Bytes([]byte(s)) }
