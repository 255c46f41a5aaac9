package har

import (
	"bytes"
	"encoding/base64"
	"slices"

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
	pairs   [][2][]byte // of headers
	state   *state.Map
	visible *state.Map // what the other fields say; made when it is needed
	err     error      // sticky: why it cannot be made
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
	if err != nil {
		im.note(path+"/state", "%v", err)
		return dst, false, nil
	}
	if kind, err := m.Text("type"); err != nil || kind != "http" {
		im.note(path+"/state", "not an HTTP flow")
		return dst, false, nil
	}
	if r.any {
		r.state = m
		r.merge()
		if r.err != nil {
			return dst, false, r.err
		}
	}
	dst, err = tnetstring.Append(dst, m.Value())
	if err != nil {
		return dst, false, im.entry.wrap("", 0, err)
	}
	return dst, true, nil
}

// begin reads what the private field at node i says about the visible ones.
func (r *restorer) begin(im *importer, i int) {
	*r = restorer{im: im, sum: r.sum, pairs: r.pairs[:0]}
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
	r.values(partComment, im.get(0, "comment"))
	r.values(partRequest, im.get(request, "method"), im.get(request, "url"), im.get(request, "httpVersion"))
	r.values(partRequestContent, im.get(post, "text"), im.get(post, "_textB64"))
	r.values(partResponse, im.get(response, "status"), im.get(response, "statusText"), im.get(response, "httpVersion"))
	r.values(partResponseContent, im.get(content, "text"), im.get(content, "encoding"))
	r.headers(partRequestHeaders, request, "/request/headers")
	r.headers(partResponseHeaders, response, "/response/headers")
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

// values compares a part that consists of values, unless it is among from.
func (r *restorer) values(part string, values ...int) {
	if r.from.has(part) {
		return
	}
	for _, i := range values {
		r.add(i)
	}
	r.summed(part)
}

// headers compares the headers of a message, unless they are among from.
func (r *restorer) headers(part string, message int, path string) {
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
	if r.edited != 0 || im.private.Type() != "http" {
		return dst, false
	}
	var v jsonl.Values
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
		if v.RequestContent, ok = r.exact(im.requestText(request)); !ok {
			return dst, false
		}
	}
	if r.from.has(partResponseContent) {
		v.Parts |= jsonl.ResponseContent
		if v.ResponseContent, ok = r.exact(im.responseText(response)); !ok {
			return dst, false
		}
	}
	if r.from.has(partMessages) {
		v.Parts |= jsonl.WebSocketContents
		if v.WebSocketContents, ok = r.contents(im.get(0, "_webSocketMessages")); !ok {
			return dst, false
		}
	}
	return im.private.AppendRecord(dst, &v)
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

// merge puts into the state what the visible fields have, exactly or edited.
func (r *restorer) merge() {
	im := r.im
	if r.edited.has(partComment) {
		r.take("", "comment")
	}
	request, response := im.get(0, "request"), im.get(0, "response")
	if r.edited.has(partRequest) {
		r.take("request", "method", "scheme", "host", "port", "authority", "path", "http_version")
	}
	text, encoded := im.requestText(request)
	r.message("request", request, text, encoded)
	if r.edited.has(partResponse) {
		r.responseLine()
	}
	if v, _ := r.state.Get("response"); v.Kind() == state.KindMap {
		text, encoded := im.responseText(response)
		r.message("response", response, text, encoded)
	}
	if v, _ := r.state.Get("websocket"); v.Kind() == state.KindMap {
		r.messages(im.get(0, "_webSocketMessages"))
	}
}

// visibleMap returns a map of the state that the visible fields tell: the whole
// one, or that under a key, nil if there is null.
func (r *restorer) visibleMap(key string) *state.Map {
	if r.visible == nil && r.err == nil {
		var record []byte
		if record, r.err = r.im.visible(); r.err == nil {
			r.visible, r.err = openRecord(bytes.Clone(record))
		}
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
// whether there is a response.
func (r *restorer) responseLine() {
	from := r.visibleMap("response")
	if v, _ := r.state.Get("response"); r.err == nil && (from == nil || v.Kind() != state.KindMap) {
		v = state.Null()
		if from != nil {
			v = from.Value()
		}
		r.state.Set("response", v)
		return
	}
	r.take("response", "status_code", "reason", "http_version")
}

// message restores headers and content of a message. The content is at node text or,
// in base64, at node encoded.
func (r *restorer) message(part string, object, text, encoded int) {
	m, err := r.state.Map(part)
	if err != nil {
		return
	}
	headers, content := part+".headers", part+".content"
	lines := r.im.get(object, "headers")
	if r.from.has(headers) {
		m.Set("headers", r.im.headerList(lines))
	}
	switch {
	case r.edited.has(content):
		r.take(part, "content", "headers") // together, because they have to fit
		return
	case r.edited.has(headers):
		h, _ := r.im.headers(lines, "/"+part+"/headers")
		m.Set("headers", h.value())
	}
	if !r.from.has(content) {
		return
	}
	data, ok := r.exact(text, encoded)
	if !ok {
		r.take(part, "content", "headers")
		return
	}
	m.Set("content", state.Bytes(data))
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

// headerList returns the value of a header block in a state, pseudo headers
// included.
func (im *importer) headerList(i int) state.Value {
	from := len(im.lines)
	for name, value := range im.headerLines(i, "") {
		im.lines = append(im.lines, header{name, value})
	}
	return im.lines[from:].value()
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
	if r.edited.has(partWebSocket) || r.from.has(partMessages) && !r.fill(i) {
		r.take("websocket", "messages")
	}
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
