package har

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/flowtool/flowtool/flow"
)

// flowTimes are the times of a flow, in seconds since 1970.
type flowTimes struct {
	start, responseStart, end       float64
	requestEnd, responseEnd         flow.Timestamp // may be null
	serverStart, tcpSetup, tlsSetup flow.Timestamp // null if the connection was not made for this request
}

// times computes the times from startedDateTime, time and timings. Phases that are
// unknown take no time; where nothing is known of the end of something, it is
// null.
//
// The flow begins when HAR says that the request does, before it was blocked and
// before the connection was made: this is what the export makes of it again.
func (im *importer) times() flowTimes {
	c := flowTimes{start: im.started()}
	timings := im.get(0, "timings")
	im.want(im.is(timings, '{'), timings, "/timings", "an object")
	phase := func(key string) (seconds float64, known bool) {
		return im.millis(im.get(timings, key), "/timings/"+key)
	}
	blocked, _ := phase("blocked")
	dns, _ := phase("dns")
	connect, _ := phase("connect")
	ssl, _ := phase("ssl")
	send, sendKnown := phase("send")
	wait, waitKnown := phase("wait")
	receive, receiveKnown := phase("receive")
	total, totalKnown := im.millis(im.get(0, "time"), "/time")

	// The time for TLS is part of that for connecting, but not in all programs.
	phases := blocked + dns + connect + send + wait + receive
	if ssl > connect || ssl > 0 && totalKnown && math.Abs(total-phases-ssl) < math.Abs(total-phases) {
		connect += ssl
	}
	// Times count from the start: they are exact to the microsecond then.
	at := blocked + dns
	opened := at // when the connection was begun
	switch byMitmproxy := im.has(timings, "ssl") && !im.has(timings, "blocked") && !im.has(timings, "dns"); {
	case !byMitmproxy:
		at += connect
	case connect <= wait:
		opened += send // it connects while the client waits
	default:
		opened -= connect // it was connected before
	}
	if connect > 0 {
		c.serverStart = c.stamp(opened)
		c.tcpSetup = c.stamp(opened + connect - ssl)
		if ssl > 0 {
			c.tlsSetup = c.stamp(opened + connect)
		}
	}
	if sendKnown {
		at += send
		c.requestEnd = c.stamp(at)
	}
	first := at + wait
	end := first + receive
	switch {
	case receiveKnown:
		c.responseEnd = c.stamp(end)
	case totalKnown:
		end = max(end, total)
		c.responseEnd = c.stamp(end)
		if !waitKnown {
			first = end
		}
	}
	c.responseStart, c.end = c.start+first, c.start+end
	return c
}

// stamp returns the timestamp so many seconds after the start.
func (c *flowTimes) stamp(after float64) flow.Timestamp { return stamp(c.start + after) }

// stamp returns a timestamp to the microsecond, which is what doubles are good for
// here.
func stamp(seconds float64) flow.Timestamp {
	return flow.Seconds(math.Round(seconds*1e6) / 1e6)
}

// maxMillis is the longest time that is believed: some thirty years.
const maxMillis = 1e12

// millis returns a time in seconds. Negative times mean that there is none.
func (im *importer) millis(i int, path string) (seconds float64, known bool) {
	ms, ok := im.number(i)
	im.want(ok, i, path, "a number")
	if ok && ms > maxMillis {
		im.note(path, "%g milliseconds are too many", ms)
		ok = false
	}
	if !ok || ms < 0 {
		return 0, false
	}
	return ms / 1e3, true
}

// started returns when the request began, 0 if that is unknown.
func (im *importer) started() float64 {
	i := im.get(0, "startedDateTime")
	s, ok := im.scalar(i)
	if !ok {
		im.want(false, i, "/startedDateTime", "a date")
		return 0
	}
	t, zone, ok := parseTime(string(s), im.entry.opts.Location)
	if !ok {
		im.note("/startedDateTime", "%s is no date", quoted(s))
		return 0
	}
	if !zone {
		im.note("/startedDateTime", "%s has no time zone, %s is assumed", quoted(s), im.entry.opts.Location)
	}
	return flow.At(t).Unix()
}

var (
	zoneLayouts = []string{
		time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07", "2006-01-02T15:04Z07:00",
		"20060102T150405Z0700", "20060102T150405Z07:00", time.RFC1123, time.RFC1123Z, time.RFC850,
	}
	localLayouts = []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02", "20060102T150405", time.ANSIC}
)

// parseTime reads a date in one of the forms of ISO 8601 or of HTTP, or a number
// of seconds or milliseconds since 1970. zone tells that it has a time zone; a
// date without one is taken to be in loc.
func parseTime(s string, loc *time.Location) (t time.Time, zone, ok bool) {
	s = strings.TrimSpace(s)
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, true, true
	}
	upper := strings.ToUpper(s)
	if len(upper) > 10 && upper[10] == ' ' && upper[4] == '-' {
		upper = upper[:10] + "T" + strings.TrimLeft(upper[11:], " ")
	}
	for _, in := range []string{upper, s} {
		for _, layout := range zoneLayouts {
			if t, err := time.Parse(layout, in); err == nil {
				return t, true, true
			}
		}
		for _, layout := range localLayouts {
			if t, err := time.ParseInLocation(layout, in, loc); err == nil {
				return t, false, true
			}
		}
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && f >= 1e8 && f < 1e14 {
		if f >= 1e11 {
			f /= 1e3
		}
		return time.UnixMicro(int64(math.Round(f * 1e6))), true, true
	}
	return time.Time{}, false, false
}
