package flowdiff

import (
	"net/url"
	"strings"

	"github.com/flowtool/flowtool/state"
)

// The keys of messages in the order in which they are reported, as far as it is
// not that of the state.
var messageKeys = []string{
	"method", "scheme", "authority", "host", "port", "path", "status_code", "reason", "http_version",
	"headers", "content", "trailers",
}

// httpMessage compares two requests or two responses.
func (d *differ) httpMessage(message entry) {
	d.eachDifferent(message.at, message.a, message.b, messageKeys, func(e entry) {
		bytes := e.a.Kind() == state.KindBytes && e.b.Kind() == state.KindBytes
		switch {
		case d.skip(e.at):
		case e.name == "headers":
			d.headers(e.at, e.a, e.b, cookieLines{message.at.key("cookies"), cookieHeaders[message.name], message.a, message.b})
		case e.name == "trailers":
			d.headers(e.at, e.a, e.b, cookieLines{})
		case e.name == "content" && bytes:
			d.content(e.at, e.a, e.b, mediaOf(message.a), mediaOf(message.b))
		case e.name == "content":
			d.asWhole(func() { d.entry(e, true) }, e.at, partsOf(e.at))
		case e.name == "path" && bytes:
			d.path(e.at, message.at.key("query"), e.a, e.b)
		case e.name == "path":
			d.asWhole(func() { d.entry(e, true) }, message.at.key("query"))
		default:
			d.entry(e, true)
		}
	})
}

// A media is what the headers of a message say about its body.
type media struct{ contentType, encoding string }

func mediaOf(message state.Value) media {
	m, err := message.Map()
	if err != nil {
		return media{}
	}
	v, _ := m.Get("headers")
	b, ok := parseBlock(v)
	if !ok {
		return media{}
	}
	return media{b.value("content-type"), b.value("content-encoding")}
}

// path compares the paths of two requests, with their fragments, and their queries
// by name. If that finds nothing, the paths are spelled differently.
func (d *differ) path(p, query at, a, b state.Value) {
	x, err := a.Bytes()
	d.fail(err)
	y, err := b.Bytes()
	d.fail(err)
	if string(x) == string(y) {
		return
	}
	pathA, queryA := cutQuery(string(x))
	pathB, queryB := cutQuery(string(y))
	pairsA, ok1 := parseQuery(queryA)
	pairsB, ok2 := parseQuery(queryB)
	if !ok1 || !ok2 {
		d.asWhole(func() { d.addChanged(p, a, b) }, query)
		return
	}
	before := d.found
	if pathA != pathB {
		d.addChanged(p, bytesValue(pathA), bytesValue(pathB))
	}
	d.pairsByName(query, pairsA, pairsB)
	if d.found == before && !d.skip(query) {
		d.add(p, Change{Kind: Changed, Old: a, New: b, Note: "same path and parameters, spelled differently"})
	}
}

// cutQuery returns a path without its query, and the query. A fragment, which
// hardly anybody sends, is part of the path.
func cutQuery(s string) (path, query string) {
	s, fragment, ok := strings.Cut(s, "#")
	path, query, _ = strings.Cut(s, "?")
	if ok {
		path += "#" + fragment
	}
	return path, query
}

// parseQuery returns the pairs of a query or a URL-encoded form; ok is false if
// there are too many.
func parseQuery(s string) (pairs []pair, ok bool) {
	if strings.Count(s, "&") > maxPairs {
		return nil, false
	}
	for field := range strings.SplitSeq(s, "&") {
		if field != "" {
			name, value, _ := strings.Cut(field, "=")
			pairs = append(pairs, pair{unescapeQuery(name), unescapeQuery(value)})
		}
	}
	return pairs, true
}

// unescapeQuery undoes percent-encoding and plus signs. What is malformed stays as
// it is.
func unescapeQuery(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}
