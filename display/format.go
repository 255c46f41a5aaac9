package display

import (
	"math"
	"strconv"
	"time"

	"github.com/flowtool/flowtool/flow"
)

// AppendSize appends n bytes as people write them: 0b, 1023b, 1.0k, 100k,
// 1.5m. Units are powers of 1024; three digits at most count.
func AppendSize(dst []byte, n int64) []byte {
	if n < 1024 {
		return append(strconv.AppendInt(dst, n, 10), 'b')
	}
	const units = "kmgt"
	f := float64(n)
	for i := range len(units) {
		f /= 1024
		switch last := i == len(units)-1; {
		case f < 99.95:
			return append(strconv.AppendFloat(dst, f, 'f', 1, 64), units[i])
		case f < 1024 || last:
			return append(strconv.AppendFloat(dst, f, 'f', 0, 64), units[i])
		}
	}
	return dst
}

// AppendDuration appends a duration in seconds with about three digits: 0.4ms,
// 45ms, 1.23s, 12.3s, 2m03s, 1h02m, 5d04h.
func AppendDuration(dst []byte, seconds float64) []byte {
	if math.IsNaN(seconds) || math.IsInf(seconds, 0) {
		return append(dst, '?')
	}
	if seconds < 0 {
		dst, seconds = append(dst, '-'), -seconds
	}
	switch {
	case seconds < 0.00995:
		return append(strconv.AppendFloat(dst, seconds*1e3, 'f', 1, 64), "ms"...)
	case seconds < 0.9995:
		return append(strconv.AppendFloat(dst, seconds*1e3, 'f', 0, 64), "ms"...)
	case seconds < 9.995:
		return append(strconv.AppendFloat(dst, seconds, 'f', 2, 64), 's')
	case seconds < 59.95:
		return append(strconv.AppendFloat(dst, seconds, 'f', 1, 64), 's')
	case seconds < 1e15:
		s := int64(seconds + 0.5)
		if s < 3600 {
			return append(pad2(append(strconv.AppendInt(dst, s/60, 10), 'm'), int(s%60)), 's')
		}
		if s < 100*3600 {
			return append(pad2(append(strconv.AppendInt(dst, s/3600, 10), 'h'), int(s/60%60)), 'm')
		}
		return append(pad2(append(strconv.AppendInt(dst, s/86400, 10), 'd'), int(s/3600%24)), 'h')
	}
	return append(strconv.AppendFloat(dst, seconds, 'g', 3, 64), 's')
}

func pad2(dst []byte, n int) []byte {
	return append(dst, '0'+byte(n/10), '0'+byte(n%10))
}

// clock formats times, remembering the last second because records of a
// capture follow each other closely.
type clock struct {
	loc    *time.Location
	format string
	unix   int64
	text   []byte
}

const (
	clockFormat  = "2006-01-02 15:04:05"
	narrowFormat = "15:04:05"
)

// append appends a time of day to the second, or a placeholder of the same
// width if there is none.
func (c *clock) append(dst []byte, t flow.Timestamp) []byte {
	sec := t.Unix()
	if t.IsNull() || math.IsNaN(sec) || math.Abs(sec) > 1e11 {
		for range len(c.format) - 1 {
			dst = append(dst, ' ')
		}
		return append(dst, '-')
	}
	unix := int64(math.Floor(sec))
	if unix != c.unix || c.text == nil {
		c.unix = unix
		c.text = time.Unix(unix, 0).In(c.loc).AppendFormat(c.text[:0], c.format)
	}
	return append(dst, c.text...)
}

// appendMillis is append to the millisecond, for what happens in quick
// succession.
func (c *clock) appendMillis(dst []byte, t flow.Timestamp) []byte {
	start := len(dst)
	dst = c.append(dst, t)
	if dst[len(dst)-1] == '-' {
		return append(dst[:start], '-')
	}
	sec := t.Unix()
	ms := min(999_999, int(math.Round((sec-math.Floor(sec))*1e6))) / 1000
	return append(dst, '.', '0'+byte(ms/100), '0'+byte(ms/10%10), '0'+byte(ms%10))
}

// appendTime appends t in RFC 3339, in UTC and to the microsecond, which is
// what a float of seconds can tell apart; nothing if there is no time.
func appendTime(dst []byte, t flow.Timestamp) []byte {
	if t.IsNull() {
		return dst
	}
	sec := t.Unix()
	if math.IsNaN(sec) || math.Abs(sec) > 1e11 {
		return strconv.AppendFloat(dst, sec, 'g', -1, 64)
	}
	return time.UnixMicro(int64(math.Round(sec*1e6))).UTC().AppendFormat(dst, "2006-01-02T15:04:05.000000Z")
}

// padLeft appends s after spaces that make it at least width wide.
func padLeft(dst []byte, s []byte, width int) []byte {
	for n := len(s); n < width; n++ {
		dst = append(dst, ' ')
	}
	return append(dst, s...)
}

// padRight appends s and spaces that make it at least width wide.
func padRight(dst []byte, s string, width int) []byte {
	dst = append(dst, s...)
	for n := len(s); n < width; n++ {
		dst = append(dst, ' ')
	}
	return dst
}
