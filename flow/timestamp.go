package flow

import (
	"math"
	"time"

	"github.com/flowtool/flowtool/state"
)

// A Timestamp is a moment in seconds since 1970, or null, which is the zero
// Timestamp. It has the precision of the files, a 64-bit float.
type Timestamp struct {
	sec   float64
	valid bool
}

// Seconds returns the timestamp for a number of seconds since 1970. Zero
// seconds are not null.
func Seconds(sec float64) Timestamp { return Timestamp{sec, true} }

// At returns the timestamp of t. The zero Time gives null.
func At(t time.Time) Timestamp {
	if t.IsZero() {
		return Timestamp{}
	}
	return Timestamp{float64(t.Unix()) + float64(t.Nanosecond()/1000)/1e6, true}
}

// Now returns the timestamp of the current time.
func Now() Timestamp { return At(time.Now()) }

// IsNull tells whether there is no time.
func (t Timestamp) IsNull() bool { return !t.valid }

// Unix returns the seconds since 1970, 0 for null.
func (t Timestamp) Unix() float64 { return t.sec }

// maxSeconds is the end of the year 9999, the last most formats can express.
const maxSeconds = 253402300799

// Time returns the moment in UTC, rounded to microseconds. It is the zero Time
// for null and for numbers that are not a moment of the years -9999 to 9999.
func (t Timestamp) Time() time.Time {
	if !t.valid || !(math.Abs(t.sec) <= maxSeconds) {
		return time.Time{}
	}
	sec, frac := math.Modf(t.sec)
	return time.Unix(int64(sec), int64(math.RoundToEven(frac*1e6))*1000).UTC()
}

// Sub returns the time from u to t. ok is false if one of them is null or the
// result is not a duration.
func (t Timestamp) Sub(u Timestamp) (d time.Duration, ok bool) {
	ns := math.Round((t.sec-u.sec)*1e6) * 1e3
	if !t.valid || !u.valid || !(math.Abs(ns) < math.MaxInt64) {
		return 0, false
	}
	return time.Duration(ns), true
}

// timestamp decodes a time; what is no number is null.
func timestamp(v *state.Value) Timestamp {
	if k := v.Kind(); k != state.KindFloat && k != state.KindInt {
		return Timestamp{}
	}
	f, err := v.Number()
	if err != nil {
		return Timestamp{}
	}
	return Timestamp{f, true}
}

func (t Timestamp) same(u Timestamp) bool {
	return t.valid == u.valid && (t.sec == u.sec || t.sec != t.sec && u.sec != u.sec)
}

func (t Timestamp) value() state.Value {
	if !t.valid {
		return state.Null()
	}
	return state.Float(t.sec)
}
