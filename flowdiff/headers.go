package flowdiff

import (
	"slices"
	"strings"

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

// headers compares two header blocks. cookies is where the cookies in them are
// reported; with the zero at they are headers like others.
func (d *differ) headers(p, cookies at, a, b state.Value) {
	if d.plainHeaders(p, cookies, a, b) {
		return
	}
	x, ok1 := parseBlock(a)
	y, ok2 := parseBlock(b)
	if !ok1 || !ok2 {
		d.field(p, a, b)
		return
	}
	hasCookies := len(x.byKey["cookie"])+len(y.byKey["cookie"]) > 0
	done := cookies != at{} && hasCookies && d.cookies(cookies, x, y)
	listA, listB := d.blockFields(p, cookies, x, done), d.blockFields(p, cookies, y, done)
	matches := matchFields(listA, listB)
	if done {
		// How many lines the cookies are spread over says nothing more.
		matches = slices.DeleteFunc(matches, func(m match) bool {
			return m.i < 0 && y.lines[m.j].key == "cookie" || m.j < 0 && x.lines[m.i].key == "cookie"
		})
	}
	if cookies != (at{}) {
		below := string(cookies.a) + "/"
		matches = replacedCookies(listA, listB, matches, func(f *field) bool { return strings.HasPrefix(f.name(), below) })
	}
	d.fields(listA, listB, matches, func(p at, m match) { d.line(p, x.lines[m.i], y.lines[m.j], m.equal) })
	d.order(listA, listB, matches)
}

// blockFields returns the lines of a block as fields. Lines that set cookies belong
// to the cookies. With done set, the cookies of requests are compared already, and
// nothing but the place of their lines is left.
func (d *differ) blockFields(p, cookies at, b *block, done bool) *fieldList {
	l := newFieldList(len(b.lines))
	for _, h := range b.lines {
		f := field{p.key(h.key), h.text, h.text}
		switch {
		case cookies == at{}:
		case h.key == "set-cookie":
			f.at, f.key = cookies.key(cookieName(h.text)), d.cookieKey(h.text)
		case h.key == "cookie" && done:
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
