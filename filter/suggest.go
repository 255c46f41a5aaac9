package filter

import "strings"

// wishes are names that people try, and the codes of what they mean, the
// closest first.
var wishes = []struct {
	names string
	codes string
}{
	{"host hosts hostname domain domains", "d"},
	{"url urls uri path query", "u"},
	{"method methods verb", "m"},
	{"code codes statuscode status_code", "c status"},
	{"status", "c"},
	{"body bodies content data text", "b"},
	{"reqbody requestbody request-body", "bq"},
	{"respbody responsebody response-body", "bs"},
	{"header headers head", "h"},
	{"cookie cookies", "hq hs"},
	{"type types ctype contenttype content-type mime mimetype", "t"},
	{"ip addr address port", "src dst"},
	{"client peer source", "src"},
	{"server dest destination", "dst"},
	{"error errors err errmsg fail failed", "e"},
	{"request requests req noresponse", "q"},
	{"response responses res resp reply", "s"},
	{"asset assets static", "a"},
	{"ws websockets", "websocket"},
	{"mark", "marked marker"},
	{"note notes comments", "comment"},
	{"metadata", "meta"},
	{"any every", "all"},
	{"replayed", "replay"},
	{"len length bytes", "size"},
	{"duration latency elapsed took", "dur"},
	{"date when start started timestamp", "time"},
	{"uuid", "id"},
	{"number num nr idx", "index"},
	{"httpversion http-version http1 http2 http3 h2 h3", "httpv"},
	{"tls ssl tlsversion tls-version", "tlsv"},
	{"version format formatversion format-version", "formatv"},
	{"edit modified changed backup", "edited"},
	{"encoding contentencoding content-encoding ce", "enc"},
	{"hn", "h"},
	{"hnq", "hq"},
	{"hns", "hs"},
	{"enc", "h"},
	{"encq", "hq"},
	{"encs", "hs"},
	{"name", "hn"},
	{"servername server-name", "sni"},
	{"message msg", "errmsg b"},
}

// wish returns the operators that somebody may mean who writes name, "~d" or
// "~src or ~dst", or "".
func wish(name string, mitmproxy bool) string {
	for _, w := range wishes {
		for n := range strings.FieldsSeq(w.names) {
			if n == name {
				return codes(w.codes, mitmproxy)
			}
		}
	}
	return ""
}

func codes(list string, mitmproxy bool) string {
	var all []string
	for code := range strings.FieldsSeq(list) {
		if o := Lookup(code); !o.Ours || !mitmproxy {
			all = append(all, o.String())
		}
	}
	return strings.Join(all, " or ")
}

// suggest returns what a name that is no operator was probably meant to be, or
// "".
func suggest(name string, mitmproxy bool) string {
	if len(name) > 24 {
		return ""
	}
	name = strings.ToLower(name)
	same := []string{name}
	if len(name) == 2 {
		same = append(same, name[1:]+name[:1]) // "qb" for "bq"
	}
	for _, code := range same {
		if o := Lookup(code); o != nil && (!o.Ours || !mitmproxy) {
			return o.String()
		}
	}
	if s := wish(name, mitmproxy); s != "" {
		return s
	}
	// One change in three letters is a slip, more is another word.
	best, found := max(1, (len(name)+1)/3), ""
	try := func(have, s string) {
		if s == "" || len(name) == 1 || len(name) <= 3 && have[0] != name[0] {
			return
		}
		if d := distance(name, have); d < best || d == best && found == "" {
			best, found = d, s
		}
	}
	for i := range operators {
		if o := &operators[i]; !o.Ours || !mitmproxy {
			try(o.Code, o.String())
		}
	}
	for _, w := range wishes {
		for n := range strings.FieldsSeq(w.names) {
			try(n, codes(w.codes, mitmproxy))
		}
	}
	return found
}

// distance returns how many letters must be put in, left out, replaced or
// swapped with their neighbour to turn a into b.
func distance(a, b string) int {
	// The last three rows of the usual table.
	var before, above, row [32]int
	for j := range len(b) + 1 {
		row[j] = j
	}
	for i := range len(a) {
		before, above = above, row
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(above[j]+cost, above[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
