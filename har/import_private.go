package har

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/jsonl"
	"github.com/flowtool/flowtool/state"
)

// A restorer makes the record of a flow from the private field of its entry; the
// package documentation says how.
type restorer struct {
	im      *importer
	from    partSet
	sums    [partCount][]byte
	edited  partSet // the parts of which the visible fields have others than they were
	any     bool    // the private field says anything about the visible ones
	sum     summer
	pairs   [][2][]byte   // of headers
	entries []jsonl.Entry // of a map of the state
	state   *state.Map
	visible *state.Map    // what the other fields say; made when it is needed
	unused  []state.Value // what of them could not be made use of
	err     error         // sticky: why it cannot be made
}

// A partSet is a set of parts of a flow.
type partSet uint16

// partNames are the names of the parts. A part is known by its number there.
var partNames = [...]string{partComment, partRequest, partRequestHeaders, partRequestContent, partResponse,
	partResponseHeaders, partResponseContent, partWebSocket, partMessages}

const partCount = len(partNames)

// partNumber returns the number of a part, partCount if there is none of the name.
func partNumber[T ~string | ~[]byte](name T) int {
	for i, p := range partNames {
		if p == string(name) {
			return i
		}
	}
	return partCount
}

func (s *partSet) add(part int)        { *s |= 1 << part }
func (s partSet) has(part string) bool { return s&(1<<partNumber(part)) != 0 }

// restore appends to dst the record that the private field at node i tells, with
// what was edited in the visible ones. ok is false if the private field is of no
// use.
func (im *importer) restore(dst []byte, i int) (_ []byte, ok bool, err error) {
	const path = "/" + privateKey
	if v, ok := im.integer(im.get(i, "v")); !ok || v != privateVersion {
		im.note(path, "not version %d", privateVersion)
		return dst, false, nil
	}
	in := im.get(i, "state")
	if !im.is(in, '{') {
		im.note(path, "without a state")
		return dst, false, nil
	}
	r := &im.restorer
	r.begin(im, i)
	if in == im.privateAt {
		if record, ok := r.unedited(dst); ok {
			return record, true, nil
		}
	}
	m, err := jsonl.Decode(im.raw(in))
	if err == nil {
		err = r.checkMap(m)
	}
	if err != nil {
		im.note(path+"/state", "%v", err)
		return dst, false, nil
	}
	if r.any {
		r.state = m
		if r.merge(); r.err != nil {
			return dst, false, r.err
		}
		r.tell()
	}
	dst, err = tnetstring.Append(dst, m.Value())
	if err != nil {
		return dst, false, im.entry.wrap("", 0, err)
	}
	return dst, true, nil
}

// begin reads what the private field at node i says about the visible ones.
func (r *restorer) begin(im *importer, i int) {
	*r = restorer{im: im, sum: r.sum, pairs: r.pairs[:0], entries: r.entries[:0]}
	for _, e := range im.elements(im.get(i, "from")) {
		part, _ := im.scalar(e)
		r.from.add(partNumber(part))
		r.any = true
	}
	for part, e := range im.members(im.get(i, "sums")) {
		if n := partNumber(part); n < partCount {
			r.sums[n], _ = im.scalar(e)
		}
		r.any = true
	}
	if r.any { // otherwise it is complete
		r.compare()
	}
}

// compare finds out what was edited.
func (r *restorer) compare() {
	im := r.im
	notes := len(im.notes)
	defer func() { im.notes = im.notes[:notes] }() // made again if the visible fields count
	request, response := im.get(0, "request"), im.get(0, "response")
	post, content := im.get(request, "postData"), im.get(response, "content")
	r.compareValues(partComment, im.get(0, "comment"))
	r.compareValues(partRequest, im.get(request, "method"), im.get(request, "url"), im.get(request, "httpVersion"))
	r.compareValues(partRequestContent, im.get(post, "text"), im.get(post, "_textB64"))
	r.compareValues(partResponse, im.get(response, "status"), im.get(response, "statusText"), im.get(response, "httpVersion"))
	r.compareValues(partResponseContent, im.get(content, "text"), im.get(content, "encoding"))
	r.compareHeaders(partRequestHeaders, request, "/request/headers")
	r.compareHeaders(partResponseHeaders, response, "/response/headers")
	if r.from.has(partMessages) {
		return
	}
	for _, e := range im.elements(im.get(0, "_webSocketMessages")) {
		for _, key := range []string{"type", "opcode", "data"} {
			r.add(im.get(e, key))
		}
	}
	r.summed(partWebSocket)
}

// compareValues compares a part that consists of values, unless it is among from.
func (r *restorer) compareValues(part string, values ...int) {
	if r.from.has(part) {
		return
	}
	for _, i := range values {
		r.add(i)
	}
	r.summed(part)
}

// compareHeaders compares the headers of a message, unless they are among from.
func (r *restorer) compareHeaders(part string, message int, path string) {
	if r.from.has(part) {
		return
	}
	for name, value := range r.im.headerLines(r.im.get(message, "headers"), path) {
		r.sum.add(name)
		r.sum.add(value)
	}
	r.summed(part)
}

// summed compares the sum of a part with that of what was written.
func (r *restorer) summed(part string) {
	if n := partNumber(part); !r.sum.fits(r.sums[n]) {
		r.edited.add(n)
	}
}

// add adds a value to the sum.
func (r *restorer) add(i int) {
	if n, ok := r.wholeNumber(i); ok {
		r.sum.addInt(n)
	} else if s, ok := r.im.scalar(i); ok {
		r.sum.add(s)
	} else if r.im.isNull(i) {
		r.sum.addAbsent()
	} else {
		r.sum.add(r.im.raw(i))
	}
}

// wholeNumber returns the value of node i if it is an integer, and not one in a
// string.
func (r *restorer) wholeNumber(i int) (n int64, ok bool) {
	if !r.im.is(i, '0') {
		return 0, false
	}
	return r.im.integer(i)
}

// unedited appends the record if nothing was edited and nothing else is unusual,
// without making a state of it.
func (r *restorer) unedited(dst []byte) (_ []byte, ok bool) {
	im := r.im
	version, ok := im.private.Version()
	if r.edited != 0 || checkVersion(version, ok, im.private.Type()) != nil {
		return dst, false
	}
	webSocket, err := r.checkState(&im.private)
	if err != nil || webSocket && !r.from.has(partMessages) { // are checked one by one
		return dst, false
	}
	notes := len(im.notes)
	v, ok := r.values()
	if len(im.notes) > notes { // there are headers that are none
		im.notes = im.notes[:notes]
		return dst, false
	}
	if !ok {
		return dst, false
	}
	return im.private.AppendRecord(dst, &v)
}

// values returns the parts of the flow that the visible fields have. ok is false if
// one of them cannot be what was written.
func (r *restorer) values() (v jsonl.Values, ok bool) {
	im := r.im
	request, response := im.get(0, "request"), im.get(0, "response")
	if r.from.has(partRequestHeaders) {
		v.Parts |= jsonl.RequestHeaders
		v.RequestHeaders = r.headerPairs(request)
	}
	if r.from.has(partResponseHeaders) {
		v.Parts |= jsonl.ResponseHeaders
		v.ResponseHeaders = r.headerPairs(response)
	}
	if r.from.has(partRequestContent) {
		v.Parts |= jsonl.RequestContent
		if v.RequestContent, ok = r.exact(im.requestText(request)); !ok || !r.fits(request, v.RequestContent) {
			return v, false
		}
	}
	if r.from.has(partResponseContent) {
		v.Parts |= jsonl.ResponseContent
		if v.ResponseContent, ok = r.exact(im.responseText(response)); !ok || !r.fits(response, v.ResponseContent) {
			return v, false
		}
	}
	if r.from.has(partMessages) {
		v.Parts |= jsonl.WebSocketContents
		if v.WebSocketContents, ok = r.contents(im.get(0, "_webSocketMessages")); !ok {
			return v, false
		}
	}
	return v, true
}

// fits tells whether a message says that its body has the size of data. If it does
// not, the body was edited.
func (r *restorer) fits(message int, data []byte) bool {
	size, ok := r.im.integer(r.im.get(message, "bodySize"))
	return ok && size == int64(len(data))
}

// contents returns the data of the visible messages of a WebSocket. ok is false if
// they are not the messages of the private state.
func (r *restorer) contents(messages int) (contents [][]byte, ok bool) {
	known := slices.Collect(r.im.private.Messages())
	for n, e := range r.im.elements(messages) {
		if n == len(known) {
			return nil, false
		}
		data, ok := r.content(e, known[n].Opcode, known[n].FromClient)
		if !ok {
			return nil, false
		}
		contents = append(contents, data)
	}
	return contents, true
}

// content returns the data of a visible message. ok is false if it is another one
// than the private state has, with an opcode and direction.
func (r *restorer) content(message int, opcode int64, fromClient bool) (data []byte, ok bool) {
	kind, _ := r.im.scalar(r.im.get(message, "type"))
	shown, _ := r.im.integer(r.im.get(message, "opcode"))
	if shown != opcode || (string(kind) == "send") != fromClient {
		return nil, false
	}
	text, encoded := r.im.get(message, "data"), none
	if opcode != flow.OpText {
		encoded = text
	}
	return r.exact(text, encoded)
}

// headerPairs returns the names and values of the headers of a message.
func (r *restorer) headerPairs(message int) [][2][]byte {
	from := len(r.pairs)
	for name, value := range r.im.headerLines(r.im.get(message, "headers"), "") {
		r.pairs = append(r.pairs, [2][]byte{name, value})
	}
	return r.pairs[from:]
}

// requestText returns the nodes at which the body of a request is as text and in
// base64.
func (im *importer) requestText(request int) (text, encoded int) {
	post := im.get(request, "postData")
	return im.get(post, "text"), im.get(post, "_textB64")
}

// responseText is requestText for a response.
func (im *importer) responseText(response int) (text, encoded int) {
	content := im.get(response, "content")
	text = im.get(content, "text")
	if im.isBase64(content) {
		return text, text
	}
	return text, none
}

// merge puts into the state what the visible fields have, exactly or edited. What
// they have that cannot be used is noted, and then the state keeps what it has.
func (r *restorer) merge() {
	im := r.im
	if r.edited.has(partComment) && !r.isUnused("/comment") {
		r.take("", "comment")
	}
	request, response := im.get(0, "request"), im.get(0, "response")
	if r.edited.has(partRequest) {
		r.take("request", "method", "scheme", "host", "port", "authority", "path", "http_version")
	}
	r.message("request", request)
	if !r.edited.has(partResponse) || r.responseLine(response) {
		r.message("response", response)
	}
	if v, _ := r.state.Get("websocket"); v.Kind() == state.KindMap {
		r.messages(im.get(0, "_webSocketMessages"))
	}
}

// visibleMap returns a map of the state that the visible fields tell: the whole
// one, or that under a key, nil if there is null.
func (r *restorer) visibleMap(key string) *state.Map {
	if r.visible == nil && r.err == nil {
		im := r.im
		notes := len(im.notes)
		var record []byte
		if record, r.err = im.visible(); r.err == nil {
			r.visible, r.err = openRecord(bytes.Clone(record))
		}
		r.unused = slices.Clone(im.notes[notes:])
		im.notes = im.notes[:notes]
	}
	if r.err != nil || key == "" {
		return r.visible
	}
	m, err := r.visible.Map(key)
	if err != nil {
		return nil
	}
	return m
}

// isUnused tells whether something in the visible state, at a path or below, could
// not be made use of, and notes it.
func (r *restorer) isUnused(path string) (found bool) {
	r.visibleMap("")
	for _, v := range r.unused {
		text, _ := v.Text()
		if rest, ok := strings.CutPrefix(text, path); ok && (rest[0] == ':' || rest[0] == '/') {
			r.im.notes = append(r.im.notes, v)
			found = true
		}
	}
	return found
}

// tell adds to the metadata of the state what could not be made use of.
func (r *restorer) tell() {
	im := r.im
	if len(im.notes) == 0 {
		return
	}
	m, err := r.state.Map("metadata")
	if err != nil {
		m = state.NewMap()
		r.state.Set("metadata", m.Value())
	}
	for _, e := range im.meta {
		switch key, _ := e.Key.Text(); key {
		case "har.request.postData.text", "har.response.content.text", "har._webSocketMessages":
			m.Set(key, e.Value)
		}
	}
	l, err := m.List("har.notes")
	if err != nil {
		l = state.NewList()
		m.Set("har.notes", l.Value())
	}
	l.Append(im.notes[:min(len(im.notes), maxElements-l.Len())]...)
}

// take copies keys of a part of the visible state.
func (r *restorer) take(part string, keys ...string) {
	to := r.state
	if part != "" {
		to, _ = to.Map(part)
	}
	from := r.visibleMap(part)
	if to == nil || from == nil {
		return
	}
	for _, key := range keys {
		if v, ok := from.Get(key); ok {
			to.Set(key, v)
		}
	}
}

// responseLine takes the first line of the response from the visible fields, and
// whether there is a response. more tells that the rest of it is to be restored.
func (r *restorer) responseLine(response int) (more bool) {
	from := r.visibleMap("response")
	v, _ := r.state.Get("response")
	switch {
	case r.err != nil:
		return false
	case r.isLost(response):
		r.isUnused("/response")
		return true
	case from == nil:
		r.state.Set("response", state.Null())
		return false
	case v.Kind() != state.KindMap:
		r.isUnused("/response")
		r.state.Set("response", from.Value())
		return false
	}
	if status, ok := r.im.integer(r.im.get(response, "status")); ok && int64(int32(status)) == status {
		r.take("response", "status_code")
	} else {
		r.isUnused("/response/status")
	}
	if !r.isUnused("/response/statusText") {
		r.take("response", "reason")
	}
	if !r.isUnused("/response/httpVersion") {
		r.take("response", "http_version")
	}
	return true
}

// message restores headers and content of a message, which is at node object.
func (r *restorer) message(part string, object int) {
	m, err := r.state.Map(part)
	if err != nil || m.Len() == 0 {
		return
	}
	im := r.im
	h, changed := r.messageHeaders(m, part, object)
	text, encoded := im.requestText(object)
	if part == "response" {
		text, encoded = im.responseText(object)
	}
	data, known := []byte(nil), false
	if r.from.has(part + ".content") {
		data, known = r.exact(text, encoded)
	}
	if edited := r.edited.has(part+".content") && !r.isLost(object); !known && (edited || r.from.has(part+".content")) {
		made, notes := newMessage{headers: h}, len(im.notes)
		if part == "request" {
			im.requestBody(object, &made)
		} else {
			im.responseBody(object, im.get(object, "content"), &made)
		}
		switch {
		case made.body != nil:
			data, known = made.body, true
			h, changed = made.headers, true
		case text < 0 && encoded < 0 && len(im.notes) == notes: // it was removed
			m.Set("content", state.Null())
		}
	}
	if known {
		m.Set("content", state.Bytes(data))
		if old, ok := im.integer(im.get(object, "bodySize")); ok && old != int64(len(data)) &&
			h.get("Content-Length") == strconv.FormatInt(old, 10) {
			h.replace("Content-Length", strconv.Itoa(len(data)))
			changed = true
		}
	}
	if changed {
		m.Set("headers", h.value())
	}
}

// isLost tells whether something else stands where a message should be.
func (r *restorer) isLost(message int) bool { return message >= 0 && !r.im.is(message, '{') }

// messageHeaders returns the headers of a message, of which m is the state, and
// whether they are others than there.
func (r *restorer) messageHeaders(m *state.Map, part string, object int) (h headers, changed bool) {
	im := r.im
	lines, path := im.get(object, "headers"), "/"+part+"/headers"
	switch {
	case r.from.has(part + ".headers"):
		return im.headerList(lines, path), true
	case !r.edited.has(part + ".headers"), r.isLost(object):
	case im.isNull(lines), im.is(lines, '['), im.is(lines, '{'):
		h, _ = im.headers(lines, path)
		return h, true
	default:
		im.want(false, lines, path, "an array")
	}
	list, _ := m.List("headers")
	return headersOf(list), false
}

// exact returns the bytes at one of two nodes, as the export wrote them.
func (r *restorer) exact(text, encoded int) ([]byte, bool) {
	s, ok := r.im.scalar(text)
	if encoded >= 0 {
		if s, ok = r.im.scalar(encoded); ok {
			from := len(r.im.plain)
			all, err := base64.StdEncoding.AppendDecode(r.im.plain, s)
			r.im.plain = all
			return all[from:len(all):len(all)], err == nil
		}
	}
	return s, ok
}

// headerList returns a header block, pseudo headers included.
func (im *importer) headerList(i int, path string) headers {
	from := len(im.lines)
	for name, value := range im.headerLines(i, path) {
		im.lines = append(im.lines, header{name, value})
	}
	return im.lines[from:len(im.lines):len(im.lines)]
}

// headersOf returns the header block that a list in a state is.
func headersOf(list *state.List) (h headers) {
	for _, v := range list.All() {
		pair, err := v.List()
		if err != nil || pair.Len() != 2 {
			continue
		}
		name, _ := pair.At(0).Bytes()
		value, _ := pair.At(1).Bytes()
		h = append(h, header{name, value})
	}
	return h
}

// value returns the value of a header block in a state.
func (h headers) value() state.Value {
	var w recordWriter
	w.headers(h)
	v, err := state.Open(&state.Source{Codec: tnetstring.Codec{}, Data: w.buf[w.pos:]})
	if err != nil {
		panic("har: a record was not written as it should be: " + err.Error())
	}
	return v
}

// messages restores the messages of a WebSocket.
func (r *restorer) messages(i int) {
	given := r.from.has(partMessages)
	if !r.edited.has(partWebSocket) && (!given || r.fill(i)) {
		return
	}
	if r.isUnused("/_webSocketMessages") && !given {
		return // the state has those that were
	}
	w, err := r.state.Map("websocket")
	if err != nil || r.err != nil {
		return
	}
	w.Set("messages", state.NewList().Value())
	r.take("websocket", "messages")
}

// fill puts the data of the visible messages into those of the state. It returns
// false if they are not the same messages.
func (r *restorer) fill(i int) bool {
	w, err := r.state.Map("websocket")
	if err != nil {
		return false
	}
	list, err := w.List("messages")
	if err != nil {
		return false
	}
	count := 0
	for n, e := range r.im.elements(i) {
		if n >= list.Len() {
			return false
		}
		v := list.At(n)
		m, err := v.List()
		if err != nil || m.Len() <= messageContent {
			return false
		}
		want, got := m.At(0), m.At(1)
		opcode, _ := want.Int64()
		fromClient, _ := got.Bool()
		data, ok := r.content(e, opcode, fromClient)
		if !ok {
			return false
		}
		m.Set(messageContent, state.Bytes(data))
		count++
	}
	return count == list.Len()
}
