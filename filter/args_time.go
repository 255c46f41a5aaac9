package filter

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// Times is a list of points in time.
type Times struct{ list[instant] }

// NeedsSpan tells whether the list has times that are relative to the capture,
// so that its first and last time must be known.
func (a *Times) NeedsSpan() bool {
	for _, item := range a.items {
		for _, b := range []bound[instant]{item.lo, item.hi} {
			if b.kind != unbounded && b.value.from != epoch {
				return true
			}
		}
	}
	return false
}

// Contains tells whether the time t is in the list. The first and the last time
// of the capture matter only if NeedsSpan. All are in seconds since 1970.
func (a *Times) Contains(t, first, last float64) bool {
	return !math.IsNaN(t) && a.contains(instantCompare(t, first, last))
}

// instantCompare returns a function for how the time t compares to another, given
// the first and the last time of the capture.
func instantCompare(t, first, last float64) func(instant) int {
	return func(v instant) int {
		switch v.from {
		case captureStart:
			return cmp.Compare(t, first+v.seconds)
		case captureEnd:
			return cmp.Compare(t, last+v.seconds)
		default:
			return cmp.Compare(t, v.seconds)
		}
	}
}

// instant is a point in time.
type instant struct {
	from    origin
	seconds float64
}

// origin is what the seconds of an instant count from.
type origin uint8

const (
	epoch        origin = iota // 1970-01-01T00:00:00Z
	captureStart               // the first time of the capture
	captureEnd                 // its last time
)

func parseTimes(s string, loc *time.Location) (Arg, *argError) {
	if loc == nil {
		loc = time.Local
	}
	l, err := parseList(s, listStyle[instant]{
		what: nouns[TimeArg],
		value: func(s string) (interval[instant], int, string, *argError) {
			switch {
			case strings.HasPrefix(s, "start"), strings.HasPrefix(s, "end"):
				return relativeTime(s)
			case strings.HasPrefix(s, "-") || strings.HasPrefix(s, "+"):
				return interval[instant]{}, 0, "", signedTime(s)
			}
			return absoluteTime(s, loc)
		},
		compare: func(a, b instant) int {
			if a.from != b.from {
				return -1
			}
			return cmp.Compare(a.seconds, b.seconds)
		},
	})
	if err != nil {
		return nil, err
	}
	return &Times{l}, nil
}

// relativeTime reads "start+10m" or "end".
func relativeTime(s string) (interval[instant], int, string, *argError) {
	none := interval[instant]{}
	at, n := instant{from: captureStart}, len("start")
	if s[0] == 'e' {
		at, n = instant{from: captureEnd}, len("end")
	}
	if n < len(s) && (s[n] == '+' || s[n] == '-') {
		seconds, end, err := duration(s[n+1:])
		switch {
		case err != nil:
			err.offset += n + 1
			return none, 0, "", err
		case end == 0:
			return none, 0, "", &argError{n + 1, 0, "nothing after " + quote(s[:n+1]), "a duration such as 10m", ""}
		}
		if at.seconds = seconds; s[n] == '-' {
			at.seconds = -seconds
		}
		n += 1 + end
	}
	return one(at), n, s[:n], nil
}

// signedTime is the error for "-1h" without something that it is relative to.
func signedTime(s string) *argError {
	e := &argError{0, 1, "a relative time begins with start or end", "", ""}
	if _, n, err := duration(s[1:]); err == nil && n > 0 {
		e.n = 1 + n
		if e.suggest = "end" + s[:e.n] + ".."; s[0] == '+' {
			e.suggest = "start" + s[:e.n] + ".."
		}
	}
	return e
}

// clock reads the parts of a time.
type clock struct {
	s   string
	pos int
}

// number reads exactly n digits, after the byte before if that is not 0.
func (c *clock) number(before byte, n int) (int, bool) {
	s := c.s[c.pos:]
	if before != 0 {
		if s == "" || s[0] != before {
			return 0, false
		}
		s = s[1:]
	}
	if digits(s) < n {
		return 0, false
	}
	v, _ := strconv.Atoi(s[:n])
	c.pos = len(c.s) - len(s) + n
	return v, true
}

// absoluteTime reads a date, a date and a time, or seconds since 1970. All of
// them stand for a while: a year, a month, a day, an hour, a minute, a second, or
// what the last digit of a fraction counts.
func absoluteTime(s string, loc *time.Location) (interval[instant], int, string, *argError) {
	none := interval[instant]{}
	n := digits(s)
	switch {
	case n == 0:
		return none, 0, "", nil
	case n != 4:
		return epochTime(s)
	}
	c := &clock{s: s}
	year, _ := c.number(0, 4)
	month, day, hour, minute, second := 1, 1, 0, 0, 0
	var hasMonth, hasDay, hasHour, hasMinute, hasSecond bool
	if month, hasMonth = c.number('-', 2); !hasMonth {
		month = 1
	} else if day, hasDay = c.number('-', 2); !hasDay {
		day = 1
	}
	fraction := ""
	dateEnd := c.pos
	if hasDay {
		for _, sep := range []byte("Tt ") {
			if hour, hasHour = c.number(sep, 2); hasHour {
				break
			}
		}
	}
	if hasHour {
		if minute, hasMinute = c.number(':', 2); hasMinute {
			second, hasSecond = c.number(':', 2)
		}
		if rest := s[c.pos:]; hasSecond && len(rest) > 1 && rest[0] == '.' {
			fraction = rest[1 : 1+digits(rest[1:])]
			if len(fraction) > 0 {
				c.pos += 1 + len(fraction)
			}
		}
		loc = c.zone(loc)
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	if t.Year() != year || int(t.Month()) != month || t.Day() != day || t.Hour() != hour || t.Minute() != minute || t.Second() != second {
		return none, 0, "", &argError{0, c.pos, quote(s[:c.pos]) + " does not exist", "", ""}
	}
	if err := tooLong(fraction); err != nil {
		err.offset = c.pos - len(fraction)
		return none, 0, "", err
	}
	t = time.Date(year, time.Month(month), day, hour, minute, second, 0, loc)
	var end time.Time
	switch {
	case hasSecond:
		end = t.Add(time.Second)
	case hasMinute:
		end = t.Add(time.Minute)
	case hasHour:
		end = t.Add(time.Hour)
	case hasDay:
		end = time.Date(year, time.Month(month), day+1, 0, 0, 0, 0, loc)
	case hasMonth:
		end = time.Date(year, time.Month(month)+1, 1, 0, 0, 0, 0, loc)
	default:
		end = time.Date(year+1, 1, 1, 0, 0, 0, 0, loc)
	}
	spelling := s[:dateEnd]
	if hasHour {
		spelling += "T" + strings.ToUpper(s[dateEnd+1:c.pos])
	}
	if fraction != "" {
		return while(strconv.FormatInt(t.Unix(), 10), fraction), c.pos, spelling, nil
	}
	return halfOpen(float64(t.Unix()), float64(end.Unix())), c.pos, spelling, nil
}

// zone reads "Z", "+02:00" or "+0200", if it is there.
func (c *clock) zone(loc *time.Location) *time.Location {
	rest := c.s[c.pos:]
	if rest == "" {
		return loc
	}
	switch rest[0] {
	case 'Z', 'z':
		c.pos++
		return time.UTC
	case '+', '-':
		start := c.pos
		hours, ok := c.number(rest[0], 2)
		minutes, ok2 := c.number(':', 2)
		if !ok2 {
			minutes, ok2 = c.number(0, 2)
		}
		if !ok || !ok2 || hours > 23 || minutes > 59 {
			c.pos = start
			return loc
		}
		offset := 60 * (60*hours + minutes)
		if rest[0] == '-' {
			offset = -offset
		}
		return time.FixedZone("", offset)
	}
	return loc
}

// maxEpoch is the end of the year 9999.
const maxEpoch = 253402300799

// epochTime reads seconds since 1970.
func epochTime(s string) (interval[instant], int, string, *argError) {
	none := interval[instant]{}
	n := decimal(s)
	if err := tooLong(s[:n]); err != nil {
		return none, 0, "", err
	}
	seconds, fraction, _ := strings.Cut(s[:n], ".")
	if v, _ := strconv.ParseFloat(seconds, 64); v > maxEpoch {
		e := &argError{0, n, quote(s[:n]) + " seconds are more than there is time for", "", ""}
		if len(seconds) == 13 {
			e.suggest = seconds[:10] + "." + seconds[10:]
		}
		return none, 0, "", e
	}
	if fraction != "" {
		return while(seconds, fraction), n, s[:n], nil
	}
	v, _ := strconv.ParseFloat(seconds, 64)
	return halfOpen(v, v+1), n, s[:n], nil
}

// while returns what the digits of a time with a fraction stand for: all that
// begins like it and, with the three digits or more of a listing, all that is
// rounded to it, so that a time that was copied from a dump or from a listing is
// found.
func while(seconds, fraction string) interval[instant] {
	whole, _ := new(big.Rat).SetString(seconds)
	part, _ := new(big.Rat).SetString("0." + fraction)
	unit, _ := new(big.Rat).SetString(fmt.Sprintf("1e-%d", len(fraction)))
	whole.Add(whole, part)
	begin := new(big.Rat).Set(whole)
	if len(fraction) >= 3 {
		begin.Sub(begin, new(big.Rat).Mul(unit, big.NewRat(1, 2)))
	}
	from, _ := begin.Float64()
	to, _ := whole.Add(whole, unit).Float64()
	return halfOpen(from, to)
}

// halfOpen returns the interval of absolute times from lo to before hi, which
// contains at least lo.
func halfOpen(lo, hi float64) interval[instant] {
	iv := one(instant{seconds: lo})
	if hi > lo {
		iv.hi = bound[instant]{instant{seconds: hi}, exclusive}
	}
	return iv
}
