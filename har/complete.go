package har

import (
	"net/url"
	"time"
)

// A rule tells whether a value is what HAR 1.2 demands in its place.
type rule func(d *document, i int) bool

// A member is a member of an object that HAR 1.2 knows.
type member struct {
	key  string
	must bool // it has to be there
	is   rule
}

// must is for members that have to be there, may for the others.
func must(key string, is rule) member { return member{key, true, is} }
func may(key string, is rule) member  { return member{key, false, is} }

// completeEntry is the rule for entries. It follows HAR 1.2 but for what readers let
// pass and browsers are free with: the address of a server is any string, sizes may be
// negative, a body may have text or params, and other fields may be there.
var completeEntry = objectOf(
	may("pageref", isText),
	must("startedDateTime", isMoment),
	must("time", atLeast(0)),
	must("request", objectOf(
		must("method", isText),
		must("url", isURL),
		must("httpVersion", isText),
		must("cookies", arrayOf(completeCookie)),
		must("headers", arrayOf(completePair)),
		must("queryString", arrayOf(completePair)),
		may("postData", objectOf(
			must("mimeType", isText),
			may("text", isText),
			may("params", arrayOf(objectOf(
				must("name", isText),
				may("value", isText),
				may("fileName", isText),
				may("contentType", isText),
				may("comment", isText),
			))),
			may("comment", isText),
		)),
		must("headersSize", isInteger),
		must("bodySize", isInteger),
		may("comment", isText),
	)),
	must("response", objectOf(
		must("status", isInteger),
		must("statusText", isText),
		must("httpVersion", isText),
		must("cookies", arrayOf(completeCookie)),
		must("headers", arrayOf(completePair)),
		must("content", objectOf(
			must("size", isInteger),
			may("compression", isInteger),
			must("mimeType", isText),
			may("text", isText),
			may("encoding", isText),
			may("comment", isText),
		)),
		must("redirectURL", isText),
		must("headersSize", isInteger),
		must("bodySize", isInteger),
		may("comment", isText),
	)),
	must("cache", objectOf(
		may("beforeRequest", isObjectOrNull),
		may("afterRequest", isObjectOrNull),
		may("comment", isText),
	)),
	must("timings", objectOf(
		may("blocked", isPhase),
		may("dns", isPhase),
		may("connect", isPhase),
		may("ssl", isPhase),
		must("send", atLeast(0)),
		must("wait", atLeast(0)),
		must("receive", atLeast(0)),
		may("comment", isText),
	)),
	may("serverIPAddress", isText),
	may("connection", isText),
	may("comment", isText),
)

var completePair = objectOf(
	must("name", isText),
	must("value", isText),
	may("comment", isText),
)

var completeCookie = objectOf(
	must("name", isText),
	must("value", isText),
	may("path", isText),
	may("domain", isText),
	may("expires", isMoment),
	may("httpOnly", isBool),
	may("secure", isBool),
	may("sameSite", isText),
	may("comment", isText),
)

// objectOf is the rule for an object with these members, each at most once.
// Others, which readers skip, may be there.
func objectOf(members ...member) rule {
	var required uint32
	for n, m := range members {
		if m.must {
			required |= 1 << n
		}
	}
	return func(d *document, i int) bool {
		if !d.is(i, '{') {
			return false
		}
		var seen uint32
		for key, value := range d.members(i) {
			for n := range members {
				if m := &members[n]; string(key) == m.key {
					if seen&(1<<n) != 0 || !m.is(d, value) {
						return false
					}
					seen |= 1 << n
					break
				}
			}
		}
		return seen&required == required
	}
}

// arrayOf is the rule for an array whose elements all follow a rule.
func arrayOf(is rule) rule {
	return func(d *document, i int) bool {
		for _, e := range d.elements(i) {
			if !is(d, e) {
				return false
			}
		}
		return d.is(i, '[')
	}
}

func isText(d *document, i int) bool         { return d.is(i, '"') }
func isBool(d *document, i int) bool         { return d.is(i, 't') || d.is(i, 'f') }
func isObjectOrNull(d *document, i int) bool { return d.is(i, '{') || d.is(i, 'n') }

// isInteger tells whether a value is a number without fraction.
func isInteger(d *document, i int) bool {
	_, ok := d.integer(i)
	return ok && d.is(i, '0')
}

// atLeast is the rule for a number that is no less than least.
func atLeast(least float64) rule {
	return func(d *document, i int) bool {
		f, ok := d.number(i)
		return ok && d.is(i, '0') && f >= least
	}
}

// isPhase tells whether a value is a time in milliseconds, or -1.
func isPhase(d *document, i int) bool {
	f, ok := d.number(i)
	return ok && d.is(i, '0') && (f >= 0 || f == -1)
}

// isMoment tells whether a value is a date with time and time zone.
func isMoment(d *document, i int) bool { return isText(d, i) && isDate(string(d.string(i))) }

// isDate tells whether s is a date in the form that HAR has.
func isDate(s string) bool {
	const upToSeconds = len("2026-01-02T03:04:05")
	if len(s) <= upToSeconds || s[len("2026-01-02T03")] != ':' || s[upToSeconds] == ',' { // which package time would take
		return false
	}
	_, err := time.Parse(time.RFC3339, s)
	return err == nil
}

// isURL tells whether a value is an absolute URL, without a fragment, in printable
// ASCII.
func isURL(d *document, i int) bool {
	if !isText(d, i) {
		return false
	}
	s := string(d.string(i))
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' || c == '#' {
			return false
		}
	}
	u, err := url.Parse(s)
	if err != nil {
		return false
	}
	switch u.Scheme {
	case "http", "https", "ws", "wss":
		return u.Host != ""
	}
	return u.Scheme != ""
}
