package flowdiff

import (
	"slices"
	"strings"
	"time"

	"github.com/flowtool/flowtool/state"
)

// A headerLine is a line of a header block.
type headerLine struct {
	name string // as it is
	key  string // in lower case
	text string // the value
}

// A block is a header block.
type block struct {
	lines []headerLine
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
		b.lines = append(b.lines, headerLine{string(name), key, string(text)})
		b.byKey[key] = append(b.byKey[key], i)
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

// headers compares two header blocks, in which some lines may hold cookies.
func (d *differ) headers(p at, a, b state.Value, c cookieLines) {
	if d.plainHeaders(p, a, b) {
		return
	}
	x, ok1 := parseBlock(a)
	y, ok2 := parseBlock(b)
	if !ok1 || !ok2 {
		d.asWhole(func() { d.field(p, a, b) }, p, c.at)
		return
	}
	told := c.key == "cookie" && d.cookies(c.at, p.key(c.key), x, y)
	listA, listB := d.blockFields(p, x, c, c.a), d.blockFields(p, y, c, c.b)
	matches := matchFields(listA, listB)
	switch c.key {
	case "cookie":
		// How many lines the cookies are spread over says nothing more.
		matches = slices.DeleteFunc(matches, func(m match) bool {
			return m.i < 0 && y.lines[m.j].key == c.key || m.j < 0 && x.lines[m.i].key == c.key
		})
	case "set-cookie":
		below := string(c.at.a) + "/"
		matches = replacedCookies(listA, listB, matches, func(f *field) bool { return strings.HasPrefix(f.name(), below) })
	}
	d.fields(listA, listB, matches, func(p at, m match) {
		if !told || x.lines[m.i].key != c.key {
			d.line(p, x.lines[m.i], y.lines[m.j], m.equal)
		}
	})
	d.order(listA, listB, matches)
}

// blockFields returns the lines of a block as fields. Those that set cookies belong
// to the cookies; of those with the cookies of requests, nothing is left to compare
// but their names and places.
func (d *differ) blockFields(p at, b *block, c cookieLines, message state.Value) *fieldList {
	l := newFieldList(len(b.lines))
	var sent time.Time
	if d.opts.IgnoreDefaults && c.key == "set-cookie" && len(b.byKey[c.key]) > 0 {
		sent = sentAt(message, b)
	}
	for _, h := range b.lines {
		f := field{p.key(h.key), h.text, h.text}
		switch {
		case h.key != c.key:
		case h.key == "set-cookie":
			f.at, f.key = c.at.key(cookieName(h.text)), d.cookieKey(h.text, sent)
		default:
			f.key = ""
		}
		l.add(f)
	}
	return l
}

// line compares two lines that belong together; equal tells whether their values
// are, as far as they count.
func (d *differ) line(p at, a, b headerLine, equal bool) {
	note := ""
	if a.name != b.name {
		note = "the name is spelled differently"
	}
	if !equal {
		d.add(p, Change{Kind: Changed, Old: bytesValue(a.text), New: bytesValue(b.text), Note: note})
	} else if note != "" {
		d.add(p, Change{Kind: Changed, Old: bytesValue(a.name), New: bytesValue(b.name), Note: note})
	}
}

// bytesValue returns s as the value it has in a state.
func bytesValue(s string) state.Value { return state.Bytes([]byte(s)) }
