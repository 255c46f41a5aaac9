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

// A restorer makes the state of a flow from the private field of its entry; the
// package documentation says how.
type restorer struct {
	im      *importer
	state   *state.Map
	from    []string
	sums    map[string]string
	sum     summer
	visible *state.Map // what the other fields say; made when it is needed
	err     error      // sticky: why it cannot be made
}

// restore returns the state that the private field at node i tells, with what was
// edited in the visible ones. It returns nil if the private field is of no use.
func (im *importer) restore(i int) (*state.Map, error) {
	const path = "/" + privateKey
	if v, ok := im.integer(im.get(i, "v")); !ok || v != privateVersion {
		im.note(path, "not version %d", privateVersion)
		return nil, nil
	}
	in := im.get(i, "state")
	if !im.is(in, '{') {
		im.note(path, "without a state")
		return nil, nil
	}
	m, err := jsonl.Decode(im.raw(in))
	if err != nil {
		im.note(path+"/state", "%v", err)
		return nil, nil
	}
	if kind, err := m.Text("type"); err != nil || kind != "http" {
		im.note(path+"/state", "not an HTTP flow")
		return nil, nil
	}
	r := restorer{im: im, state: m, sums: map[string]string{}}
	for _, e := range im.elements(im.get(i, "from")) {
		part, _ := im.scalar(e)
		r.from = append(r.from, string(part))
	}
	for part, e := range im.members(im.get(i, "sums")) {
		sum, _ := im.scalar(e)
		r.sums[string(part)] = string(sum)
	}
	if len(r.from) > 0 || len(r.sums) > 0 { // otherwise it is complete
		r.merge()
	}
	if r.err != nil {
		return nil, r.err
	}
	return m, nil
}

// merge puts into the state what the visible fields have, exactly or edited.
func (r *restorer) merge() {
	im := r.im
	if r.edited(partComment, im.get(0, "comment")) {
		r.take("", "comment")
	}
	request, response := im.get(0, "request"), im.get(0, "response")
	if r.edited(partRequest, im.get(request, "method"), im.get(request, "url"), im.get(request, "httpVersion")) {
		r.take("request", "method", "scheme", "host", "port", "authority", "path", "http_version")
	}
	post := im.get(request, "postData")
	text, encoded := im.get(post, "text"), im.get(post, "_textB64")
	edited := r.edited(partRequestContent, text, encoded)
	r.message("request", request, edited, text, encoded)

	if r.edited(partResponse, im.get(response, "status"), im.get(response, "statusText"), im.get(response, "httpVersion")) {
		r.responseLine()
	}
	if v, _ := r.state.Get("response"); v.Kind() == state.KindMap {
		content := im.get(response, "content")
		text, encoded := im.get(content, "text"), none
		edited := r.edited(partResponseContent, text, im.get(content, "encoding"))
		if im.isBase64(content) {
			encoded = text
		}
		r.message("response", response, edited, text, encoded)
	}
	if v, _ := r.state.Get("websocket"); v.Kind() == state.KindMap {
		r.messages(im.get(0, "_webSocketMessages"))
	}
}

// edited tells whether the values of a part, which is not among from, are others
// than those that were written.
func (r *restorer) edited(part string, values ...int) bool {
	if slices.Contains(r.from, part) {
		return false
	}
	for _, i := range values {
		r.add(i)
	}
	return r.sum.take() != r.sums[part]
}

// add adds a value to the sum.
func (r *restorer) add(i int) {
	if n, ok := r.im.integer(i); ok && r.im.is(i, '0') {
		r.sum.addInt(n)
	} else if s, ok := r.im.scalar(i); ok {
		r.sum.add(s)
	} else if r.im.isNull(i) {
		r.sum.addAbsent()
	} else {
		r.sum.add(r.im.raw(i))
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

// message restores headers and content of a message. edited tells whether the
// content, which is at node text or, in base64, at node encoded, was edited.
func (r *restorer) message(part string, object int, edited bool, text, encoded int) {
	m, err := r.state.Map(part)
	if err != nil {
		return
	}
	headers, content := part+".headers", part+".content"
	lines := r.im.get(object, "headers")
	changed := false
	if slices.Contains(r.from, headers) {
		m.Set("headers", r.im.headerList(lines))
	} else {
		for name, value := range r.im.headerLines(lines, "/"+part+"/headers") {
			r.sum.add(name)
			r.sum.add(value)
		}
		changed = r.sum.take() != r.sums[headers]
	}
	switch {
	case edited:
		r.take(part, "content", "headers") // together, because they have to fit
		return
	case changed:
		h, _ := r.im.headers(lines, "/"+part+"/headers")
		m.Set("headers", h.value())
	}
	if !slices.Contains(r.from, content) {
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
			data, err := base64.StdEncoding.AppendDecode(nil, s)
			return data, err == nil
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
	if slices.Contains(r.from, partMessages) {
		if !r.fill(i) {
			r.take("websocket", "messages")
		}
		return
	}
	for _, e := range r.im.elements(i) {
		for _, key := range []string{"type", "opcode", "data"} {
			r.add(r.im.get(e, key))
		}
	}
	if r.sum.take() != r.sums[partWebSocket] {
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
		kind, _ := r.im.scalar(r.im.get(e, "type"))
		shown, _ := r.im.integer(r.im.get(e, "opcode"))
		text, encoded := r.im.get(e, "data"), none
		if opcode != flow.OpText {
			encoded = text
		}
		data, ok := r.exact(text, encoded)
		if !ok || shown != opcode || (string(kind) == "send") != fromClient {
			return false
		}
		m.Set(messageContent, state.Bytes(data))
		count++
	}
	return count == list.Len()
}
