package har

import (
	"strconv"
	"time"

	"github.com/flowtool/flowtool/flow"
)

// timings are the phases of an exchange in microseconds, which is what times in flows
// are good for; -1 stands for one that does not apply. connect includes ssl.
type timings struct{ blocked, connect, ssl, send, wait, receive int64 }

// exchangeTimings returns the phases of an exchange, if it counts the connection
// (own) and if it does not (late). opened tells whether the connection was made
// for this request, so that it may count it.
func exchangeTimings(h *flow.HTTP, server *serverFacts) (own, late timings, opened bool) {
	request := h.Request()
	// Every end that is missing is that of the phase before.
	begin := micros(request.TimestampStart, 0)
	end := micros(request.TimestampEnd, begin)
	first, last := end, end
	if r := h.Response(); r != nil {
		first = micros(r.TimestampStart, end)
		last = micros(r.TimestampEnd, first)
	}
	late = timings{
		blocked: -1, connect: -1, ssl: -1,
		send: max(0, end-begin), wait: max(0, first-end), receive: max(0, last-first),
	}
	start := micros(server.start, -1)
	if start < begin {
		return late, late, false
	}
	tcp := micros(timestamp(&server.tcp), -1)
	if tcp < start {
		return late, late, false
	}
	own = late
	tls := timestamp(&server.tls)
	ready := max(tcp, micros(tls, tcp))
	own.connect = ready - start
	if !tls.IsNull() {
		own.ssl = ready - tcp
	}
	own.send = max(0, min(end, start)-begin)
	own.wait = max(0, first-max(end, ready))
	if gap := last - begin - own.connect - own.send - own.wait - own.receive; gap > 0 {
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

// micros returns the microseconds of a timestamp, or other if it says nothing.
func micros(t flow.Timestamp, other int64) int64 {
	if moment(t, -1) < 0 {
		return other
	}
	return t.Time().UnixMicro()
}

// total returns the sum of the phases that apply.
func (t *timings) total() int64 {
	return max(0, t.blocked) + max(0, t.connect) + t.send + t.wait + t.receive
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

// appendMillis appends a time, which is in microseconds, in milliseconds, or -1 if it
// is negative.
func appendMillis(dst []byte, micros int64) []byte {
	if micros < 0 {
		return append(dst, "-1"...)
	}
	return strconv.AppendFloat(dst, float64(micros)/1e3, 'f', -1, 64)
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
