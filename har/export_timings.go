package har

import (
	"math"
	"strconv"
	"time"

	"github.com/flowtool/flowtool/flow"
)

// timings are the phases of an exchange in milliseconds; -1 stands for one that
// does not apply. connect includes ssl.
type timings struct{ blocked, connect, ssl, send, wait, receive float64 }

// exchangeTimings returns the phases of an exchange, if it counts the connection
// (own) and if it does not (late). opened tells whether the connection was made
// for this request, so that it may count it.
func exchangeTimings(h *flow.HTTP, server *serverFacts) (own, late timings, opened bool) {
	request := h.Request()
	// Every end that is missing is that of the phase before.
	begin := moment(request.TimestampStart, 0)
	end := moment(request.TimestampEnd, begin)
	first, last := end, end
	if r := h.Response(); r != nil {
		first = moment(r.TimestampStart, end)
		last = moment(r.TimestampEnd, first)
	}
	late = timings{
		blocked: -1, connect: -1, ssl: -1,
		send: millis(end, begin), wait: millis(first, end), receive: millis(last, first),
	}
	const unknown = -math.MaxFloat64
	start, tcp := moment(server.start, unknown), moment(server.tcp, unknown)
	if start == unknown || tcp == unknown || start < begin || tcp < start {
		return late, late, false
	}
	own = late
	ready := max(tcp, moment(server.tls, tcp))
	own.connect = millis(ready, start)
	if !server.tls.IsNull() {
		own.ssl = millis(ready, tcp)
	}
	own.send = millis(min(end, start), begin)
	own.wait = millis(first, max(end, ready))
	if gap := round(millis(last, begin) - own.connect - own.send - own.wait - own.receive); gap > 0 {
		own.blocked = gap
	}
	return own, late, true
}

// maxMoment is the end of the year 9999, the last that HAR can express.
const maxMoment = 253402300799

// moment returns the seconds of a timestamp, or other if it says nothing.
func moment(t flow.Timestamp, other float64) float64 {
	if s := t.Unix(); !t.IsNull() && s >= 0 && s <= maxMoment {
		return s
	}
	return other
}

// millis returns the time from one moment to a later one, in milliseconds to the
// nanosecond, which is less than times in flows are good for. It is never negative.
func millis(to, from float64) float64 { return max(0, round((to-from)*1e3)) }

func round(ms float64) float64 { return math.Round(ms*1e6) / 1e6 }

// total returns the sum of the phases that apply.
func (t *timings) total() float64 {
	sum := t.send + t.wait + t.receive
	for _, ms := range [...]float64{t.blocked, t.connect} {
		sum += max(0, ms)
	}
	return round(sum)
}

func (t *timings) append(dst []byte) []byte {
	dst = appendMillis(append(dst, `{"blocked":`...), t.blocked)
	dst = appendMillis(append(dst, `,"dns":-1,"connect":`...), t.connect)
	dst = appendMillis(append(dst, `,"ssl":`...), t.ssl)
	dst = appendMillis(append(dst, `,"send":`...), t.send)
	dst = appendMillis(append(dst, `,"wait":`...), t.wait)
	dst = appendMillis(append(dst, `,"receive":`...), t.receive)
	return append(dst, '}')
}

func appendMillis(dst []byte, ms float64) []byte {
	return strconv.AppendFloat(dst, ms, 'f', -1, 64)
}

// appendTime appends a moment in ISO 8601, in UTC, with milliseconds or, where
// these are not enough, microseconds.
func appendTime(dst []byte, t time.Time) []byte {
	layout := "2006-01-02T15:04:05.000Z"
	if t.Nanosecond()%1e6 != 0 {
		layout = "2006-01-02T15:04:05.000000Z"
	}
	return t.AppendFormat(dst, layout)
}

// startTime returns when an exchange began. The second result is false if the
// flow does not tell.
func startTime(h *flow.HTTP) (time.Time, bool) {
	s := moment(h.Request().TimestampStart, -1)
	if s < 0 {
		s = moment(h.TimestampCreated(), moment(h.ClientConn().TimestampStart, -1))
	}
	if s >= 0 {
		return flow.Seconds(s).Time(), true
	}
	return time.Unix(0, 0).UTC(), false
}
