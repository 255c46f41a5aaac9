package har

import (
	"bytes"
	"io"
	"slices"
	"testing"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/flowtest"
)

// TestUnedited restores flows in the quick way, and in that for edited entries, with
// the same results, whatever was done to the entry.
func TestUnedited(t *testing.T) {
	var data bytes.Buffer
	w := NewWriter(&data, nil)
	for _, m := range flowtest.States(t, flowtest.Read(t, flowtest.Path("har", "corpus.mitm"))) {
		if kind, _ := m.Text("type"); kind != "http" {
			continue
		}
		if err := w.WriteState(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	quick, all := 0, 0
	r := NewReader(&data, nil)
	for {
		e, err := r.ReadEntry()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		all++
		if bothWays(t, e) {
			quick++
		}
		hostile := 0
		for _, edit := range hostileEdits {
			before, private, _ := bytes.Cut(e.Data, []byte(`"_mitm":`))
			part := &before
			if edit.private {
				part = &private
			}
			if !bytes.Contains(*part, []byte(edit.old)) {
				continue
			}
			*part = bytes.Replace(*part, []byte(edit.old), []byte(edit.new), 1)
			edited := *e
			edited.Data = slices.Concat(before, []byte(`"_mitm":`), private)
			bothWays(t, &edited)
			hostile++
		}
		if hostile < 20 {
			t.Errorf("entry %d: only %d edits", e.Index, hostile)
		}
	}
	if quick < all*3/4 {
		t.Errorf("%d of %d flows are restored the quick way", quick, all)
	}
}

// hostileEdits are made to the visible or to the private fields.
var hostileEdits = []struct {
	private  bool
	old, new string
}{
	{false, `"method":"`, `"method":"X`},
	{false, `"url":"`, `"url":"http://x.example/?`},
	{false, `"request":{`, `"request":{"headers":[],`}, // the last one counts
	{false, `"request":{`, `"request":{},"requesT":{`},
	{false, `"headers":[{"name":`, `"headers":[{"nam":`},
	{false, `"headers":[{"name":"`, `"headers":[{"name":"X-`},
	{false, `"headers":[{"name":"`, `"headers":[{"value":{"a":1},"name":"`},
	{false, `"headers":[`, `"headers":[[1,2,3],5],"was":[`},
	{false, `"headers":[`, `"headers":{},"was":[`},
	{false, `"headers":[`, `"headers":5,"was":[`},
	{false, `"postData":{`, `"postData":null,"was":{`},
	{false, `"text":"`, `"text":"X`},
	{false, `"text":"`, `"encoding":"base64","text":"`},
	{false, `"text":"`, `"text":5,"was":"`},
	{false, `"text":"`, `"text":[],"was":"`},
	{false, `"encoding":"base64"`, `"encoding":"BASE64"`},
	{false, `"encoding":"base64"`, `"encoding":""`},
	{false, `"_textB64":"`, `"_textB64":"%`},
	{false, `"bodySize":`, `"bodySize":1,"was":`},
	{false, `"bodySize":`, `"bodySize":null,"was":`},
	{false, `"status":`, `"status":"x","was":`},
	{false, `"status":`, `"status":0,"was":`},
	{false, `"response":{`, `"response":null,"was":{`},
	{false, `"response":{`, `"response":[],"was":{`},
	{false, `"_id":`, `"comment":"x","_id":`},
	{false, `"opcode":1`, `"opcode":2`},
	{false, `"opcode":2`, `"opcode":1`},
	{false, `"_webSocketMessages":[`, `"_webSocketMessages":[{"type":"send","data":"x"},`},
	{false, `"_webSocketMessages":[`, `"_webSocketMessages":null,"was":[`},
	{true, `{"v":1`, `{"v":2`},
	{true, `{"v":1`, `{"v":1,"state":{"version":21}`}, // the last one counts
	{true, `"from":[`, `"from":["response","websocket",5,null,`},
	{true, `"from":[`, `"from":["request.headers","request.content","response.headers","response.content","websocket.messages",`},
	{true, `"from":[`, `"from":[],"was":[`},
	{true, `"from":[`, `"from":5,"was":[`},
	{true, `"sums":{`, `"sums":{},"was":{`},
	{true, `"sums":{"`, `"sums":{"comment":"0011223344556677","x":1,"`},
	{true, `"state":{`, `"state":{},"was":{`},
	{true, `"state":{`, `"state":[],"was":{`},
	{true, `"state":{`, `"st\u0061te":{`},
	{true, `"state":{`, `"state":{"$raw":"MDp9",`},
	{true, `"state":{`, `"state":{"":1,"x":[{}],"content":null,`},
	{true, `"version":21`, `"version":99`},
	{true, `"version":21`, `"version":"21"`},
	{true, `"version":21`, `"v\u0065rsion":21`},
	{true, `"version":21,`, ``},
	{true, `"type":"http"`, `"type":"dns"`},
	{true, `"type":"http"`, `"type":{"$bytes":"http"}`},
	{true, `"id":`, `"version":21,"id":`},
	{true, `"metadata":{`, `"metadata":5,"was":{`},
	{true, `"request":{`, `"request":null,"was":{`},
	{true, `"request":{`, `"request":{},"was":{`},
	{true, `"response":{`, `"response":null,"was":{`},
	{true, `"response":{`, `"response":{},"was":{`},
	{true, `"response":null`, `"response":{"headers":null}`},
	{true, `"headers":null`, `"headers":[["a"]]`},
	{true, `"headers":null`, `"headers":{}`},
	{true, `"content":null`, `"content":"x"`},
	{true, `"content":null`, `"content":7`},
	{true, `"method":`, `"method":null,"was":`},
	{true, `"websocket":null`, `"websocket":{}`},
	{true, `"websocket":null`, `"websocket":{"messages":[[1,true,null,1,false,false]]}`},
	{true, `"messages":[`, `"messages":[[],`},
	{true, `"messages":[`, `"messages":5,"was":[`},
}

// bothWays restores an entry in both ways, with the same result, and tells whether
// the quick one can do it.
func bothWays(t *testing.T, e *RawEntry) (quick bool) {
	t.Helper()
	restored := func(inQuick bool) (record []byte, known bool, notes, failure string) {
		im := &importer{entry: e}
		if err := im.parse(e.Data, e.opts.MaxDepth); err != nil {
			t.Fatalf("%s: %v", e.Data, err.err)
		}
		at := im.get(0, privateKey)
		if !inQuick {
			im.privateAt = none
		} else if v, ok := im.integer(im.get(at, "v")); ok && v == privateVersion && im.privateAt != none && im.get(at, "state") == im.privateAt {
			im.restorer.begin(im, at)
			_, quick = im.restorer.unedited(nil)
			if len(im.notes) > 0 {
				t.Errorf("%s: the quick way leaves notes", e.Data)
			}
			if err := im.parse(e.Data, e.opts.MaxDepth); err != nil {
				t.Fatal(err.err)
			}
			at = im.get(0, privateKey)
		}
		record, known, err := im.restore(nil, at)
		if err != nil {
			failure = err.Error()
		}
		for _, n := range im.notes {
			notes += n.String() + "\n"
		}
		return record, known, notes, failure
	}
	got, known1, notes1, failure1 := restored(true)
	want, known2, notes2, failure2 := restored(false)
	if known1 != known2 || notes1 != notes2 || failure1 != failure2 || !bytes.Equal(got, want) {
		t.Errorf("%s:\n%t %s %s\n%q\nother way:\n%t %s %s\n%q", e.Data, known1, notes1, failure1, got, known2, notes2, failure2, want)
	}
	if !known2 {
		return quick
	}
	m, err := openRecord(want)
	if err == nil {
		f, err2 := flow.View(m)
		if err = err2; err == nil {
			h := f.(*flow.HTTP)
			h.Request()
			h.Response()
			h.WebSocket()
			err = h.Damage()
		}
	}
	if err != nil {
		t.Errorf("%s:\nthe flow is damaged: %v", e.Data, err)
	}
	return quick
}
