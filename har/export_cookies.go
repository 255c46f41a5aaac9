package har

import (
	"strconv"
	"strings"
	"time"

	"github.com/flowtool/flowtool/flow"
)

// A cookie is one of a Cookie or Set-Cookie header.
type cookie struct {
	name, value      string
	path, domain     string
	sameSite         string // as it was sent
	expires          time.Time
	httpOnly, secure bool
}

// requestCookies calls yield for the cookies in the Cookie headers, as RFC 6265
// has them: values keep their quotes.
func requestCookies(headers *flow.Headers, yield func(*cookie)) {
	for line := range headers.Values("Cookie") {
		for pair := range strings.SplitSeq(line, ";") {
			name, value, _ := strings.Cut(pair, "=")
			name, value = trim(name), trim(value)
			if name != "" || value != "" {
				yield(&cookie{name: name, value: value})
			}
		}
	}
}

// responseCookies calls yield for the cookies in the Set-Cookie headers, as RFC
// 6265 has them. received is when they came, from which a Max-Age counts; it may
// be zero.
func responseCookies(headers *flow.Headers, received time.Time, yield func(*cookie)) {
	for line := range headers.Values("Set-Cookie") {
		for line != "" {
			end, next := foldedCookie(line)
			setCookie(line[:end], received, yield)
			line = line[next:]
		}
	}
}

// foldedCookie finds the end of the first cookie of a Set-Cookie header, and
// where the next one begins: some programs fold several headers into one, with a
// comma and a space between them.
func foldedCookie(line string) (end, next int) {
	for from := 0; ; {
		i := strings.Index(line[from:], ", ")
		if i < 0 {
			return len(line), len(line)
		}
		end = from + i
		next = end + len(", ")
		name := next
		for name < len(line) && isToken(line[name]) {
			name++
		}
		if name > next && name < len(line) && line[name] == '=' {
			return end, next
		}
		from = next
	}
}

func isToken(c byte) bool {
	return isAlphanumeric(c) || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

// setCookie calls yield for the cookie in a Set-Cookie header, if there is one.
func setCookie(line string, received time.Time, yield func(*cookie)) {
	pair, attributes, _ := strings.Cut(line, ";")
	name, value, _ := strings.Cut(pair, "=")
	c := cookie{name: trim(name), value: trim(value), path: "/"}
	if c.name == "" && c.value == "" {
		return
	}
	maxAge := false
	for attribute := range strings.SplitSeq(attributes, ";") {
		key, value, _ := strings.Cut(attribute, "=")
		key, value = trim(key), trim(value)
		switch {
		case strings.EqualFold(key, "path"):
			c.path = value
		case strings.EqualFold(key, "domain"):
			c.domain = value
		case strings.EqualFold(key, "samesite"):
			c.sameSite = value
		case strings.EqualFold(key, "httponly"):
			c.httpOnly = true
		case strings.EqualFold(key, "secure"):
			c.secure = true
		case strings.EqualFold(key, "expires") && !maxAge:
			c.expires = cookieDate(value)
		case strings.EqualFold(key, "max-age"):
			if t := received.Add(seconds(value)); !received.IsZero() && seconds(value) != 0 && t.Year() <= 9999 {
				c.expires, maxAge = t, true
			}
		}
	}
	yield(&c)
}

func trim(s string) string { return strings.Trim(s, " \t") }

// seconds returns a Max-Age, at most ten years and at least one second back, or
// 0 if it is none.
func seconds(s string) time.Duration {
	const most = 10 * 365 * 24 * 60 * 60
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil && n == 0 {
		return 0
	}
	if n <= 0 {
		n = -1
	}
	return time.Duration(min(n, most)) * time.Second
}

// cookieDate returns the moment that a date in a cookie means by section 5.1.1 of
// RFC 6265, or the zero time.
func cookieDate(s string) time.Time {
	var hour, minute, second, day, month, year int
	haveTime, haveDay, haveMonth, haveYear := false, false, false, false
	isDelimiter := func(r rune) bool {
		return r == '\t' || r >= ' ' && r <= '/' || r >= ';' && r <= '@' || r >= '[' && r <= '`' || r >= '{' && r <= '~'
	}
	for token := range strings.FieldsFuncSeq(s, isDelimiter) {
		if !haveTime {
			if h, m, sec, ok := clock(token); ok {
				hour, minute, second, haveTime = h, m, sec, true
				continue
			}
		}
		n, digits := leadingInt(token)
		switch {
		case !haveDay && (digits == 1 || digits == 2):
			day, haveDay = n, true
		case !haveMonth && len(token) >= 3 && monthNamed(token[:3]) > 0:
			month, haveMonth = monthNamed(token[:3]), true
		case !haveYear && (digits == 2 || digits == 4):
			year, haveYear = n, true
			if digits == 2 && year >= 70 {
				year += 1900
			} else if digits == 2 {
				year += 2000
			}
		}
	}
	if !haveTime || !haveDay || !haveMonth || !haveYear ||
		day < 1 || day > 31 || year < 1601 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	if t.Day() != day {
		return time.Time{} // no such day in that month
	}
	return t
}

// clock reads a time of day.
func clock(token string) (h, m, s int, ok bool) {
	var n [3]int
	for i := range n {
		v, digits := leadingInt(token)
		if digits == 0 || digits > 2 {
			return 0, 0, 0, false
		}
		n[i], token = v, token[digits:]
		if i < 2 {
			if token == "" || token[0] != ':' {
				return 0, 0, 0, false
			}
			token = token[1:]
		}
	}
	return n[0], n[1], n[2], true
}

// leadingInt returns the number that s begins with, and how many digits it has;
// 0 if there are more than four.
func leadingInt(s string) (n, digits int) {
	for digits < len(s) && '0' <= s[digits] && s[digits] <= '9' {
		if digits == 4 {
			return 0, 0
		}
		n = n*10 + int(s[digits]-'0')
		digits++
	}
	return n, digits
}

func monthNamed(s string) int {
	const names = "janfebmaraprmayjunjulaugsepoctnovdec"
	i := strings.Index(names, strings.ToLower(s))
	if i < 0 || i%3 != 0 {
		return 0
	}
	return i/3 + 1
}
