package filter

import (
	"cmp"
	"math"
	"strconv"
	"strings"
)

// Durations is a list of durations.
type Durations struct{ list[float64] }

// Contains tells whether a number of seconds is in the list.
func (a *Durations) Contains(seconds float64) bool {
	return !math.IsNaN(seconds) && a.contains(func(v float64) int { return cmp.Compare(seconds, v) })
}

func parseDurations(s string) (Arg, *argError) {
	l, err := parseList(s, listStyle[float64]{
		what:    nouns[DurationArg],
		dash:    true,
		compare: cmp.Compare[float64],
		value: func(s string) (interval[float64], int, string, *argError) {
			v, n, err := duration(s)
			return one(v), n, s[:n], err
		},
		// No exchange takes exactly two seconds.
		alone: func(s string) *argError {
			return &argError{0, len(s), "a single duration is too exact", "a comparison or a range", ">=" + s}
		},
	})
	if err != nil {
		return nil, err
	}
	return &Durations{l}, nil
}

// units are the units of durations and how many seconds they have, as a factor
// or, so that 100ms is exactly 0.1, as a divisor. A unit is before those that
// it begins with.
var units = []struct {
	name             string
	times, dividedBy float64
}{
	{"ns", 1, 1e9},
	{"us", 1, 1e6},
	{"\u00b5s", 1, 1e6}, // the micro sign
	{"\u03bcs", 1, 1e6}, // the Greek letter
	{"ms", 1, 1e3},
	{"s", 1, 1},
	{"m", 60, 1},
	{"h", 3600, 1},
	{"d", 86400, 1},
}

// duration reads a duration such as 1.5s, 1m30s, or 2 for two seconds. It
// returns the seconds and how long it is.
func duration(s string) (float64, int, *argError) {
	total := 0.0
	for pos := 0; ; {
		n := decimal(s[pos:])
		if n == 0 {
			return total, pos, nil
		}
		if err := tooLong(s[pos : pos+n]); err != nil {
			err.offset = pos
			return 0, 0, err
		}
		v, _ := strconv.ParseFloat(s[pos:pos+n], 64)
		rest := s[pos+n:]
		found := false
		for _, u := range units {
			if strings.HasPrefix(rest, u.name) {
				total += v * u.times / u.dividedBy
				pos += n + len(u.name)
				found = true
				break
			}
		}
		if found {
			continue
		}
		if end := wordLen(rest); end > 0 || pos > 0 {
			e := &argError{pos + n, end, quote(rest[:end]) + " is no unit of time", "ns, us, ms, s, m, h or d", ""}
			if end == 0 {
				e.msg = "the unit is missing"
			}
			return 0, 0, e
		}
		return v, n, nil
	}
}

// wordLen returns how many letters, of any script, s begins with.
func wordLen(s string) int {
	n := 0
	for n < len(s) && (s[n] >= 0x80 || s[n]|0x20 >= 'a' && s[n]|0x20 <= 'z') {
		n++
	}
	return n
}
