package jsonl_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/jsonl"
	"github.com/flowtool/flowtool/state"
)

// TestPartial leaves out parts of flows and puts them back.
func TestPartial(t *testing.T) {
	var p jsonl.Partial
	count := 0
	for _, record := range append(flowtest.DumpRecords(t), flowtest.VectorRecords(t)...) {
		for parts := range 2 * jsonl.WebSocketContents {
			object, ok := jsonl.AppendWithout(nil, record, parts)
			if !ok {
				continue
			}
			line := string(object)
			size, err := p.Read(append(object, ` , "more"`...))
			if err != nil || size != len(object) {
				t.Fatalf("%s: size %d, %v", line, size, err)
			}
			got, ok := p.AppendRecord([]byte("before"), valuesOf(t, record, parts))
			if !ok {
				t.Fatalf("parts %b do not fit: %s", parts, line)
			}
			if string(got) != "before"+string(record) {
				t.Fatalf("parts %b: %q\nwant %q", parts, got, record)
			}
			count++
		}
	}
	if count < 100 {
		t.Errorf("only %d flows were taken apart", count)
	}
}

// valuesOf returns parts of a record.
func valuesOf(t *testing.T, record []byte, parts jsonl.Parts) *jsonl.Values {
	v, err := tnetstring.Codec{}.OpenRecord(record)
	if err != nil {
		t.Fatal(err)
	}
	flow, err := v.Map()
	if err != nil {
		t.Fatal(err)
	}
	content := func(message string) []byte {
		m, err := flow.Map(message)
		if err != nil {
			t.Fatal(err)
		}
		b, err := m.Bytes("content")
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	headers := func(message string) (pairs [][2][]byte) {
		m, err := flow.Map(message)
		if err != nil {
			t.Fatal(err)
		}
		list, err := m.List("headers")
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range list.All() {
			line, err := v.List()
			if err != nil {
				t.Fatal(err)
			}
			pairs = append(pairs, [2][]byte{bytesOf(t, line.At(0)), bytesOf(t, line.At(1))})
		}
		return pairs
	}
	values := &jsonl.Values{Parts: parts}
	if parts&jsonl.RequestHeaders != 0 {
		values.RequestHeaders = headers("request")
	}
	if parts&jsonl.RequestContent != 0 {
		values.RequestContent = content("request")
	}
	if parts&jsonl.ResponseHeaders != 0 {
		values.ResponseHeaders = headers("response")
	}
	if parts&jsonl.ResponseContent != 0 {
		values.ResponseContent = content("response")
	}
	if parts&jsonl.WebSocketContents != 0 {
		w, err := flow.Map("websocket")
		if err != nil {
			t.Fatal(err)
		}
		list, err := w.List("messages")
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range list.All() {
			m, err := v.List()
			if err != nil {
				t.Fatal(err)
			}
			values.WebSocketContents = append(values.WebSocketContents, bytesOf(t, m.At(2)))
		}
	}
	return values
}

func bytesOf(t *testing.T, v state.Value) []byte {
	b, err := v.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPartialType(t *testing.T) {
	for in, want := range map[string]string{
		`{}`:                           "",
		`{"version":21,"type":"http"}`: "http",
		`{"a":{"type":"x"},"t\u0079pe":"h\u0074tp"}`: "http",
		`{"type":null}`: "",
	} {
		var p jsonl.Partial
		if _, err := p.Read([]byte(in)); err != nil {
			t.Fatal(err)
		}
		if got := p.Type(); got != want {
			t.Errorf("%s: %q", in, got)
		}
	}
}

// TestPartialEntries asks for the version and the keys of a flow and of maps in it.
func TestPartialEntries(t *testing.T) {
	var p jsonl.Partial
	read := func(in string) {
		t.Helper()
		if _, err := p.Read([]byte(in)); err != nil {
			t.Fatal(err)
		}
	}
	read(`{"version":21,"type":"http","\u0072equest":{"method":"GET","port":1,"h\u006fst":null},"response":null,"x":[{}],"e":{}}`)
	if n, ok := p.Version(); n != 21 || !ok {
		t.Errorf("version %d, %t", n, ok)
	}
	for key, want := range map[string]string{
		"":         "version:int type:text request:map response:null x:list e:map ",
		"request":  "method:bytes port:int host:null ",
		"response": "", "x": "", "e": "", "none": "",
	} {
		got := ""
		for _, e := range p.AppendEntries(nil, key) {
			got += fmt.Sprintf("%s:%s ", e.Key, e.Kind)
		}
		if got != want {
			t.Errorf("%q: %s, want %s", key, got, want)
		}
	}
	for _, in := range []string{`{}`, `{"version":"21"}`, `{"version":2e1}`, `{"version":{"$int":"99999999999999999999"}}`} {
		read(in)
		if n, ok := p.Version(); ok {
			t.Errorf("%s: version %d", in, n)
		}
	}
}

func TestPartialMessages(t *testing.T) {
	one, two := jsonl.Message{Opcode: 1, FromClient: true}, jsonl.Message{Opcode: 2}
	for in, want := range map[string][]jsonl.Message{
		`{}`:                      nil,
		`{"websocket":null}`:      nil,
		`{"messages":[[1,true]]}`: nil,
		`{"websocket":{"messages":[[1,true,null,1.5],[2,false,null]]}}`:             {one, two},
		`{"websocket":{"messages":[[1,true,null],[2,false,"x"],[1,true,null]]}}`:    {one},
		`{"websocket":{"messages":[[1,true,null],[2.0,false,null]]}}`:               {one},
		`{"websocket":{"messages":[[1,true,null],[2,null,null]]}}`:                  {one},
		`{"websocket":{"messages":[[1,true,null],[{"$int":"2"},false,null],null]}}`: {one, two},
	} {
		var p jsonl.Partial
		if _, err := p.Read([]byte(in)); err != nil {
			t.Fatal(err)
		}
		if got := slices.Collect(p.Messages()); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", in, got, want)
		}
	}
}

// TestPartialRefused has objects in which the content of the request cannot be put.
func TestPartialRefused(t *testing.T) {
	values := &jsonl.Values{Parts: jsonl.RequestContent, RequestContent: []byte("x")}
	for _, in := range []string{
		`{}`,
		`{"request":null}`,
		`{"request":{}}`,
		`{"request":{"content":""}}`,
		`{"content":null}`,
		`{"backup":{"request":{"content":null}}}`,
		`{"request":{"a":{"content":null}}}`,
		`{"response":{"content":null}}`,
		`{"request":{"content":null},"$raw":"MDp9"}`,
	} {
		var p jsonl.Partial
		if _, err := p.Read([]byte(in)); err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got, ok := p.AppendRecord([]byte("dst"), values); ok || string(got) != "dst" {
			t.Errorf("%s: %q, %v", in, got, ok)
		}
	}
	values = &jsonl.Values{Parts: jsonl.WebSocketContents, WebSocketContents: [][]byte{[]byte("1"), []byte("2")}}
	for _, messages := range []string{
		`null`, `[]`, `[[1,true,null]]`, `[[1,true,null],[1,true,null],[1,true,null]]`, `[[1,true,null],[1,true]]`,
		`[[1,true,null],[1,true,""]]`, `[[1,true,null],[[1],true,null]]`, `[[1,true,null],{}]`, `[[1,true,null],[1,true,null],null]`,
	} {
		var p jsonl.Partial
		in := `{"websocket":{"messages":` + messages + `}}`
		if _, err := p.Read([]byte(in)); err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got, ok := p.AppendRecord([]byte("dst"), values); ok || string(got) != "dst" {
			t.Errorf("%s: %q, %v", in, got, ok)
		}
	}
	for _, in := range []string{``, ` {}`, `[]`, `null`, `{`, `{"a":1,"a":2}`, `{"$base64":""}`} {
		var p jsonl.Partial
		if size, err := p.Read([]byte(in)); err == nil || size != 0 {
			t.Errorf("%s is accepted", in)
		}
	}
}

// TestRepeats reads the same certificates over and over, and others that are almost
// the same.
func TestRepeats(t *testing.T) {
	pem := strings.Repeat("MIIJvjCCCWWgAwIBAgISA+XZv9PBNnpP\n", 20)
	certificates := []string{
		`["` + pem + `"]`, `["` + pem + `x"]`, `["` + pem + `","second"]`, `["` + pem + `", "second"]`, `["` + pem[:200] + `"]`,
		`["` + strings.Repeat(pem, 50) + `"]`, `["` + pem + `",{"$base64":"/w=="}]`, `["` + pem + `",["deep"]]`,
	}
	for i := range certificates {
		certificates[i] = strings.ReplaceAll(certificates[i], "\n", `\n`)
	}
	line := func(list, behind string) string {
		return `{"server_conn":{"certificate_list":` + list + behind + `},"client_conn":{"certificate_list":` + list + `}}` + "\n"
	}
	want := map[string]string{}
	for round := range 3 {
		for _, list := range certificates {
			for _, behind := range []string{``, `,"cipher":"x"`, ` `} {
				in := line(list, behind)
				record, err := jsonl.DecodeRecord(nil, []byte(in))
				if err != nil {
					t.Fatalf("%s: %v", in, err)
				}
				if round == 0 {
					want[in] = string(record)
				} else if string(record) != want[in] {
					t.Fatalf("%s: %q, was %q", in, record, want[in])
				}
				back, err := jsonl.AppendRecord(nil, record)
				if err != nil || string(back) != strings.ReplaceAll(in, " ", "") {
					t.Fatalf("%s comes back as %s: %v", in, back, err)
				}
			}
		}
	}
	// Limits count for what is known as well.
	r := jsonl.NewReader(strings.NewReader(line(certificates[2], "")), &jsonl.ReaderOptions{MaxElements: 1})
	if _, err := r.ReadState(); err == nil {
		t.Error("more elements than MaxElements")
	}
	for _, bad := range []string{certificates[0][:300], certificates[0][:len(certificates[0])-1] + `x`} {
		if _, err := jsonl.DecodeRecord(nil, []byte(`{"server_conn":{"certificate_list":`+bad)); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}

// FuzzPartial: what a Partial reads is what DecodeRecord takes, and gives the same
// record.
func FuzzPartial(f *testing.F) {
	for _, record := range flowtest.VectorRecords(f)[:20] {
		if object, ok := jsonl.AppendWithout(nil, record, 0); ok {
			f.Add(append(object, "}}"...))
		}
	}
	f.Add([]byte(`{"$map":[[1,2]]} {"$raw":"MDp9"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var p jsonl.Partial
		size, err := p.Read(data)
		if err != nil {
			line := bytes.TrimRight(data, " \t\r\n")
			if _, err2 := jsonl.DecodeRecord(nil, line); err2 == nil && line[0] == '{' {
				t.Fatalf("%q: %v", data, err)
			}
			return
		}
		want, err := jsonl.DecodeRecord(nil, data[:size])
		got, ok := p.AppendRecord(nil, &jsonl.Values{})
		if ok && (err != nil || !bytes.Equal(got, want)) {
			t.Fatalf("%q: %q, %v\n%q", data[:size], want, err, got)
		}
		if !ok && err == nil && !bytes.Contains(data, []byte("$raw")) && !bytes.Contains(data, []byte(`\u`)) {
			t.Fatalf("%q is refused", data[:size])
		}
	})
}
