package har

import (
	"slices"
)

// The members of entries that have a place in a flow, or that repeat what has.
var (
	entryMembers = []string{"startedDateTime", "time", "request", "response", "timings", "serverIPAddress",
		"_serverPort", "comment", "_error", "_webSocketMessages", privateKey}
	requestMembers = []string{"method", "url", "httpVersion", "cookies", "headers", "queryString", "postData",
		"headersSize", "bodySize"}
	responseMembers = []string{"status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL",
		"headersSize", "bodySize", "_error"}
	contentMembers  = []string{"size", "compression", "mimeType", "text", "encoding"}
	postDataMembers = []string{"mimeType", "text", "params", "encoding", "_textB64"}
	timingsMembers  = []string{"blocked", "dns", "connect", "ssl", "send", "wait", "receive"}
)

// extras adds to the metadata what flows have no place for: har.pageref,
// har._initiator, har.response._transferSize and so on.
func (im *importer) extras(request, response int, f *newFlow) {
	im.others(0, "", entryMembers)
	im.others(request, "request.", requestMembers)
	im.others(im.get(request, "postData"), "request.postData.", postDataMembers)
	im.others(response, "response.", responseMembers)
	im.others(im.get(response, "content"), "response.content.", contentMembers)
	im.others(im.get(0, "timings"), "timings.", timingsMembers)
	im.keepSize(request, "bodySize", "request.", f.request.body)
	s := f.response
	if s == nil {
		return
	}
	im.keepSize(response, "bodySize", "response.", s.body)
	content := im.get(response, "content")
	im.keepSize(content, "size", "response.content.", s.body)
	if kind := im.text(content, "/response/content/mimeType"); kind != "" && kind != "x-unknown" && !s.headers.has("Content-Type") {
		im.keep("response.content.mimeType", textValue(kind))
	}
	if location := im.text(response, "/response/redirectURL"); location != "" && s.headers.get("Location") != location {
		im.keep("response.redirectURL", textValue(location))
	}
}

// others adds the members of an object that are not among known, and say
// something.
func (im *importer) others(object int, prefix string, known []string) {
	for key, i := range im.members(object) {
		if slices.Contains(known, string(key)) || im.saysNothing(i) {
			continue
		}
		if string(key) == "_id" && prefix == "" && isUUID(im.rawText("_id")) {
			continue // is the id of the flow
		}
		im.keep(prefix+valid(key), im.value(i, 0))
	}
}

// saysNothing tells whether node i is null, -1, or an empty string, array or
// object.
func (im *importer) saysNothing(i int) bool {
	n := im.nodes[i]
	switch n.kind {
	case '{', '[':
		return n.next == i+1
	case '"':
		return n.end-n.start == len(`""`)
	case '0':
		return string(im.raw(i)) == "-1" // HAR's word for unknown
	}
	return n.kind == 'n'
}
