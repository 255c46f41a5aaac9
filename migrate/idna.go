package migrate

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

const (
	acePrefix = "xn--"
	maxLabel  = 63
)

// idna2003 prepares labels nearly as IDNA 2003 does: UTS #46 in its transitional
// form, which maps ß to ss. It accepts some characters that came after Unicode
// 3.2 and refuses some that do not exist.
var idna2003 = idna.New(
	idna.MapForLookup(),
	idna.Transitional(true),
	idna.StrictDomainName(false),
	idna.CheckHyphens(false),
	idna.CheckJoiners(false),
)

// decodeHost returns the host of a request as text. Up to version 8 it is bytes,
// which mitmproxy decodes by IDNA 2003. It refuses flows with hosts that this
// standard does not allow; here those stay as they are, with \xNN for what is
// not UTF-8.
func decodeHost(b []byte) string {
	if !isASCII(b) {
		return escaped(b)
	}
	host := string(b)
	if !strings.Contains(host, acePrefix) {
		return host
	}
	labels := strings.Split(host, ".")
	for i, l := range labels {
		if !strings.HasPrefix(l, acePrefix) {
			continue
		}
		if len(l) > maxLabel {
			return host
		}
		u, err := idna.Punycode.ToUnicode(l)
		if err != nil || !encodesTo(u, l) {
			return host
		}
		labels[i] = u
	}
	return strings.Join(labels, ".")
}

// encodesTo tells whether IDNA 2003 encodes the label u as ace. That of 2008, for
// one, does not always.
func encodesTo(u, ace string) bool {
	if isASCII([]byte(u)) || !bidiRule([]rune(u)) {
		return false
	}
	a, err := idna2003.ToASCII(u)
	return err == nil && a == strings.ToLower(ace)
}

// bidiRule is that of RFC 3454: a label with letters written from right to left
// has no others, and begins and ends with one.
func bidiRule(label []rune) bool {
	rtl, ltr := false, false
	for _, r := range label {
		if isRTL(r) {
			rtl = true
		} else if unicode.IsLetter(r) {
			ltr = true
		}
	}
	return !rtl || !ltr && isRTL(label[0]) && isRTL(label[len(label)-1])
}

func isRTL(r rune) bool {
	return unicode.IsLetter(r) && unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana)
}

// encodeHost is the opposite of decodeHost. A host that IDNA 2003 does not allow
// becomes UTF-8.
func encodeHost(host string) []byte {
	if isASCII([]byte(host)) {
		return []byte(host)
	}
	var labels []string
	for rest, more := host, true; more; {
		i := strings.IndexFunc(rest, isDot)
		label := rest
		if more = i >= 0; more {
			_, n := utf8.DecodeRuneInString(rest[i:])
			label, rest = rest[:i], rest[i+n:]
		}
		if !isASCII([]byte(label)) {
			ace, err := idna2003.ToASCII(label)
			if err != nil || len(ace) > maxLabel {
				return []byte(host)
			}
			label = ace
		}
		labels = append(labels, label)
	}
	return []byte(strings.Join(labels, "."))
}

// isDot tells whether r separates labels.
func isDot(r rune) bool {
	switch r {
	case '.', '\u3002', '\uff0e', '\uff61':
		return true
	}
	return false
}
