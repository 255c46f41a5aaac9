package flowdiff

import (
	"bytes"
	"encoding/base64"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/flowtool/flowtool/state"
)

// volatile are the places that differ between any two captures. docs/diff.md has
// the same table.
var volatile = []string{
	// Ids of flows, connections and DNS messages.
	"/id", "/*_conn/id", "/request/id", "/response/id",
	// Times.
	"/timestamp_created", "/request/timestamp*", "/response/timestamp*", "/*_conn/timestamp*", "/error/timestamp",
	"/messages/*/timestamp", "/websocket/messages/*/timestamp", "/websocket/timestamp_end",
	// Ports that are chosen at random, or by a setting of the proxy.
	"/client_conn/peername/1", "/client_conn/sockname/1", "/server_conn/sockname/1",
	// Certificates.
	"/*_conn/certificate_list", "/client_conn/mitmcert",
	// Headers with dates.
	"/*/headers/date", "/response/headers/expires", "/response/headers/age",
	// Headers with ids of requests and of traces.
	"/*/headers/*request-id", "/*/headers/*requestid",
	"/*/headers/*correlation-id", "/*/headers/*correlationid",
	"/*/headers/*trace-id", "/*/headers/*traceid", "/*/headers/*span-id", "/*/headers/*parent-id",
	"/*/headers/traceparent", "/*/headers/tracestate", "/*/headers/b3", "/*/headers/x-b3-*",
	"/*/headers/x-cloud-trace-context", "/*/headers/sentry-trace",
	"/*/headers/x-amz-id-2", "/*/headers/x-amz-cf-id", "/*/headers/cf-ray", "/*/headers/x-vercel-id",
}

var volatilePaths = func() Paths {
	p, err := ParsePaths(volatile...)
	if err != nil {
		panic("flowdiff: volatile paths: " + err.Error())
	}
	return p
}()

// VolatilePaths returns the patterns that [Options.IgnoreDefaults] stands for. They
// count for the flow in a backup as well.
func VolatilePaths() []string { return slices.Clone(volatile) }

// isVolatile tells whether what is at p differs between any two captures.
func isVolatile(p state.Path) bool { return volatilePaths.Match(inFlow(p)) }

// generated stands for the parts of values that look generated. It looks generated
// itself, so nothing else is taken for one.
const generated = "0000000000"

// valueKey returns what is compared of the value of a cookie: all of it, or without
// what differs between any two captures.
func (d *differ) valueKey(value string) string {
	if !d.opts.IgnoreDefaults {
		return value
	}
	if isJWT(value) {
		return generated
	}
	var out strings.Builder
	for value != "" {
		n := 0
		for n < len(value) && isTokenByte(value[n]) {
			n++
		}
		if n == 0 {
			out.WriteByte(value[0])
			value = value[1:]
			continue
		}
		before, core, after := cutWords(value[:n])
		value = value[n:]
		if looksGenerated(core) {
			core = generated
			if after == "" {
				value = strings.TrimLeft(value, "=") // the padding of base64
			}
		}
		out.WriteString(before + core + after)
	}
	return out.String()
}

// cookieKey is valueKey for a Set-Cookie line of a message that was sent at some
// time. How long a cookie lives does not count, but whether the line deletes it does.
func (d *differ) cookieKey(line string, sent time.Time) string {
	if !d.opts.IgnoreDefaults {
		return line
	}
	cookie, attrs, _ := strings.Cut(line, ";")
	kept := []string{strings.TrimSpace(cookie)}
	if name, value, ok := strings.Cut(cookie, "="); ok {
		kept[0] = strings.TrimSpace(name) + "=" + d.valueKey(strings.TrimSpace(value))
	}
	var expires, maxAge string
	for attr := range strings.SplitSeq(attrs, ";") {
		attr = strings.TrimSpace(attr)
		name, value, _ := strings.Cut(attr, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		switch {
		case strings.EqualFold(name, "expires"):
			expires = value
		case strings.EqualFold(name, "max-age"):
			maxAge = value
		case attr != "":
			kept = append(kept, attr)
		}
	}
	if isDeletion(expires, maxAge, sent) {
		kept = append(kept, ";") // as no attribute is
	}
	return strings.Join(kept, "; ")
}

// expiresLayouts are the forms of dates in cookies. A day may have one digit or two.
var expiresLayouts = []string{
	"Mon, 2 Jan 2006 15:04:05 MST", "Mon, 2-Jan-2006 15:04:05 MST", "Mon, 2-Jan-06 15:04:05 MST",
	"Monday, 2-Jan-06 15:04:05 MST", time.ANSIC,
}

// isDeletion tells whether a cookie with some attributes ends as it is set. An age
// counts more than a date.
func isDeletion(expires, maxAge string, sent time.Time) bool {
	if digits := strings.TrimPrefix(maxAge, "-"); digits != "" && strings.Trim(digits, "0123456789") == "" {
		return digits != maxAge || strings.Trim(digits, "0") == ""
	}
	for _, layout := range expiresLayouts {
		if t, err := time.Parse(layout, expires); err == nil {
			return t.Year() <= 1970 || !sent.IsZero() && !t.After(sent)
		}
	}
	return false
}

// sentAt returns when a response with some headers was sent: its date, or when the
// proxy got it. It is the zero time if nobody knows.
func sentAt(message state.Value, headers *block) time.Time {
	if t, err := http.ParseTime(headers.value("date")); err == nil {
		return t
	}
	m, err := message.Map()
	if err != nil {
		return time.Time{}
	}
	v, _ := m.Get("timestamp_start")
	seconds, err := v.Number()
	if err != nil || math.Abs(seconds) > 1e12 {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0)
}

// isJWT tells whether s is a JSON Web Token: three parts of base64, of which the
// first is an object.
func isJWT(s string) bool {
	rest, ok := strings.CutPrefix(s, "eyJ")
	if !ok || strings.Count(rest, ".") != 2 {
		return false
	}
	for _, c := range []byte(rest) {
		if c != '.' && !isTokenByte(c) {
			return false
		}
	}
	return true
}

// cutWords cuts words in front of and behind an identifier from it, such as the
// "sess_" of "sess_81f0c2".
func cutWords(s string) (before, core, after string) {
	core = s
	for {
		i := strings.IndexFunc(core, isJoint)
		if i < 0 || !isWord(core[:i]) {
			break
		}
		core = core[i+1:]
	}
	before = s[:len(s)-len(core)]
	for {
		i := strings.LastIndexFunc(core, isJoint)
		if i < 0 || !isWord(core[i+1:]) {
			break
		}
		core = core[:i]
	}
	return before, core, s[len(before)+len(core):]
}

// isWord tells whether s looks like a word, in small letters, in capitals, or with a
// capital in front.
func isWord(s string) bool {
	if len(s) < 3 || !isLetter(s[0]) || !isLetter(s[1]) {
		return false
	}
	for i := 2; i < len(s); i++ {
		if !isLetter(s[i]) || isSmall(s[i]) != isSmall(s[1]) {
			return false
		}
	}
	return !isSmall(s[0]) || isSmall(s[1])
}

// looksGenerated tells whether s, of token bytes, looks like a time, an id or a
// secret. The package documentation has the rules.
func looksGenerated(s string) bool {
	letters, digits, switches := 0, 0, 0
	hex := true
	last := byte('-')
	for i := range len(s) {
		c := s[i]
		switch {
		case isDigit(c):
			digits++
			if isLetter(last) {
				switches++
			}
		case isLetter(c):
			letters++
			if isDigit(last) || isSmall(last) && !isSmall(c) {
				switches++
			}
			hex = hex && c|0x20 <= 'f'
		}
		last = c
	}
	n := letters + digits
	switch {
	case digits == 0:
		return false
	case letters == 0:
		return n >= 10
	case hex:
		return n >= 16
	}
	return n >= 20 && 4*switches >= n && !holdsText(s)
}

// holdsText tells whether s is base64 of text.
func holdsText(s string) bool {
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(s, "-_") {
		encoding = base64.RawURLEncoding
	}
	b, err := encoding.DecodeString(s)
	return err == nil && utf8.Valid(b) && !bytes.ContainsFunc(b, func(r rune) bool { return !unicode.IsPrint(r) && !unicode.IsSpace(r) })
}

// isTokenByte tells whether c may be in a word of hexadecimal digits, base64 or the
// like.
func isTokenByte(c byte) bool { return isDigit(c) || isLetter(c) || isJoint(rune(c)) }

func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLetter(c byte) bool { return isSmall(c) || 'A' <= c && c <= 'Z' }
func isSmall(c byte) bool  { return 'a' <= c && c <= 'z' }
func isJoint(c rune) bool  { return c == '-' || c == '_' || c == '+' || c == '/' }
