package filter

import (
	"fmt"
	"strings"
)

// An Arg is the argument of one of our own operators: [*Numbers], [*Durations],
// [*Times], [*Versions], [*Prefixes] or [*Header].
//
// Most of them are lists. A list is true for a value that is in one of its
// items:
//
//	A      what A stands for: a number, or all of a class, a day, a major version
//	A..B   from the first that A stands for to the last that B stands for
//	A..    from A on
//	..B    up to B
//	>=A    from A on
//	>A     after all that A stands for
//	<=A    up to A
//	<A     before all that A stands for
//	=A     the same as A
//
// Where "-" cannot be part of a value, it may take the place of "..". White
// space may follow a comparison sign and surround a comma or "..".
type Arg interface {
	// String returns the argument in its canonical form, which has no white
	// space and ".." for "-".
	String() string

	arg()
}

// argError is an error in an argument. The offset is one in what the argument
// stands for, without quotes.
type argError struct {
	offset, n          int
	msg, want, suggest string
}

// parseArg parses the argument of one of our own operators.
func parseArg(kind ArgKind, s string, opts *Options) (Arg, *argError) {
	switch kind {
	case StatusArg:
		return parseNumbers(s, listStyle[int64]{what: nouns[kind], dash: true, value: statusValue})
	case SizeArg:
		return parseNumbers(s, listStyle[int64]{what: nouns[kind], dash: true, value: sizeValue})
	case IndexArg:
		return parseNumbers(s, listStyle[int64]{what: nouns[kind], dash: true, value: indexValue})
	case PortArg:
		return parseNumbers(s, listStyle[int64]{what: nouns[kind], dash: true, value: portValue})
	case DurationArg:
		return parseDurations(s)
	case TimeArg:
		return parseTimes(s, opts.Location)
	case VersionArg:
		return parseVersions(s)
	case IDArg:
		return parsePrefixes(s)
	case HeaderArg:
		return parseHeader(s)
	default:
		panic(fmt.Sprintf("filter: arguments of kind %d are not parsed here", kind))
	}
}

// A bound is one end of an interval.
type bound[T any] struct {
	value T
	kind  boundKind
}

type boundKind uint8

const (
	unbounded boundKind = iota
	inclusive
	exclusive
)

// interval is a set of values without gaps.
type interval[T any] struct{ lo, hi bound[T] }

// one returns the interval of a single value.
func one[T any](v T) interval[T] { return between(v, v) }

// between returns the interval from lo to hi, both inclusive.
func between[T any](lo, hi T) interval[T] {
	return interval[T]{bound[T]{lo, inclusive}, bound[T]{hi, inclusive}}
}

// beyond returns the bound of what lies on the other side of b.
func beyond[T any](b bound[T]) bound[T] {
	switch b.kind {
	case inclusive:
		b.kind = exclusive
	case exclusive:
		b.kind = inclusive
	}
	return b
}

// contains tells whether a value is in the interval, for which compare returns
// how it compares to another.
func (iv *interval[T]) contains(compare func(T) int) bool { return iv.meets(compare, compare) }

// meets tells whether a value from one to another, both inclusive, can be in the
// interval, for which lo and hi return how they compare to another.
func (iv *interval[T]) meets(lo, hi func(T) int) bool {
	if iv.lo.kind != unbounded {
		if c := hi(iv.lo.value); c < 0 || c == 0 && iv.lo.kind == exclusive {
			return false
		}
	}
	if iv.hi.kind != unbounded {
		if c := lo(iv.hi.value); c > 0 || c == 0 && iv.hi.kind == exclusive {
			return false
		}
	}
	return true
}

// list is a list of intervals, the common part of most arguments.
type list[T any] struct {
	items []interval[T]
	text  string
}

func (l *list[T]) String() string { return l.text }
func (l *list[T]) arg()           {}

func (l *list[T]) contains(compare func(T) int) bool {
	for i := range l.items {
		if l.items[i].contains(compare) {
			return true
		}
	}
	return false
}

// answers returns whether values from one to another, both inclusive, are in the
// list, for which lo and hi return how they compare to another.
func (l *list[T]) answers(lo, hi func(T) int) answers {
	a := no
	for i := range l.items {
		item := &l.items[i]
		if item.contains(lo) && item.contains(hi) {
			return yes
		}
		if item.meets(lo, hi) {
			a |= yes
		}
	}
	return a
}

// listStyle says how the items of a list are written.
type listStyle[T any] struct {
	what string // what to want, for errors
	dash bool   // "-" may stand for ".."
	// value reads a value at the beginning of s, and returns what it stands for,
	// how long it is, and its canonical spelling.
	value func(s string) (v interval[T], n int, spelling string, err *argError)
	// alone checks a value that is the whole of an item. It may be nil.
	alone func(s string) *argError
	// compare returns how a compares to b, and -1 if that cannot be told.
	compare func(a, b T) int
}

// parseList parses a list.
func parseList[T any](s string, style listStyle[T]) (list[T], *argError) {
	r := listReader[T]{s: s, style: style}
	var l list[T]
	for {
		item, err := r.item()
		if err != nil {
			return l, err
		}
		l.items = append(l.items, item)
		r.space()
		if r.pos == len(s) {
			l.text = r.out.String()
			return l, nil
		}
		if s[r.pos] != ',' {
			return l, r.wrong(r.pos)
		}
		r.accept(",")
	}
}

// listReader reads a list and writes its canonical form.
type listReader[T any] struct {
	s     string
	pos   int
	style listStyle[T]
	out   strings.Builder
}

func (r *listReader[T]) space() {
	for r.pos < len(r.s) && isSpace(r.s[r.pos]) {
		r.pos++
	}
}

// accept reads token if it is next.
func (r *listReader[T]) accept(token string) bool {
	if !strings.HasPrefix(r.s[r.pos:], token) {
		return false
	}
	r.pos += len(token)
	r.out.WriteString(token)
	return true
}

// acceptRange reads a sign of ranges if it is next.
func (r *listReader[T]) acceptRange() bool {
	if r.style.dash && r.pos < len(r.s) && r.s[r.pos] == '-' {
		r.pos++
		r.out.WriteString("..")
		return true
	}
	return r.accept("..")
}

// itemEnds tells whether there is nothing more of an item.
func (r *listReader[T]) itemEnds() bool {
	r.space()
	return r.pos == len(r.s) || r.s[r.pos] == ','
}

// wrong is the error for something at pos that should not be there.
func (r *listReader[T]) wrong(pos int) *argError {
	if pos == len(r.s) {
		return &argError{pos, 0, "the argument breaks off", r.style.what, ""}
	}
	n := strings.IndexByte(r.s[pos:], ',')
	switch {
	case n == 0:
		return &argError{pos, 1, "nothing before the comma", r.style.what, ""}
	case n < 0:
		n = len(r.s) - pos
	}
	return &argError{pos, n, quote(r.s[pos:pos+n]) + " is not understood", r.style.what, ""}
}

func (r *listReader[T]) value() (interval[T], *argError) {
	v, n, spelling, err := r.style.value(r.s[r.pos:])
	if err != nil {
		err.offset += r.pos
		if err.want == "" && err.suggest == "" {
			err.want = r.style.what
		}
		return v, err
	}
	if n == 0 {
		return v, r.wrong(r.pos)
	}
	r.pos += n
	r.out.WriteString(spelling)
	return v, nil
}

func (r *listReader[T]) item() (interval[T], *argError) {
	r.space()
	for _, sign := range []string{">=", "<=", ">", "<", "="} {
		if !r.accept(sign) {
			continue
		}
		r.space()
		v, err := r.value()
		switch sign {
		case ">=":
			v.hi = bound[T]{}
		case "<=":
			v.lo = bound[T]{}
		case ">":
			v = interval[T]{lo: beyond(v.hi)}
		case "<":
			v = interval[T]{hi: beyond(v.lo)}
		}
		return v, err
	}
	start := r.pos
	if r.accept("..") {
		v, err := r.value()
		v.lo = bound[T]{}
		return v, err
	}
	v, err := r.value()
	if err != nil {
		return v, err
	}
	end := r.pos
	r.space()
	if !r.acceptRange() {
		if r.style.alone != nil && r.itemEnds() {
			if err := r.style.alone(r.s[start:end]); err != nil {
				err.offset += start
				return v, err
			}
		}
		return v, nil
	}
	if r.itemEnds() {
		v.hi = bound[T]{}
		return v, nil
	}
	from := v.lo
	last := r.pos
	v, err = r.value()
	if err != nil {
		return v, err
	}
	if c := r.style.compare(from.value, v.hi.value); c > 0 || c == 0 && v.hi.kind == exclusive {
		err = &argError{start, r.pos - start, fmt.Sprintf("%s is after %s",
			quote(r.s[start:end]), quote(r.s[last:r.pos])), "", ""}
	}
	v.lo = from
	return v, err
}

// digits returns how many decimal digits s begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

// decimal returns how many bytes of s are a number such as 12, 1.5 or .5. It
// does not take "1.." for "1." and a dot.
func decimal(s string) int {
	n := digits(s)
	if n < len(s) && s[n] == '.' {
		if fraction := digits(s[n+1:]); fraction > 0 {
			n += 1 + fraction
		}
	}
	return n
}
