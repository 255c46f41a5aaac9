package jsonl_test

import (
	"fmt"
	"os"
	"strings"

	"github.com/flowtool/flowtool/jsonl"
	"github.com/flowtool/flowtool/state"
)

func ExampleWriter() {
	m := state.NewMap( // package dumpfile reads them from files
		state.E("version", state.Int(21)),
		state.E("type", state.Text("http")),
		state.E("request", state.NewMap(
			state.E("method", state.Bytes([]byte("POST"))),
			state.E("path", state.Bytes([]byte("/login"))),
			state.E("content", state.Bytes([]byte("\xff\x00"))),
		).Value()),
		state.E("metadata", state.NewMap(
			state.E("digest", state.Bytes([]byte("abc"))),
		).Value()),
	)
	w := jsonl.NewWriter(os.Stdout)
	if err := w.WriteState(m); err != nil {
		fmt.Println(err)
		return
	}
	if err := w.Close(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// {"version":21,"type":"http","request":{"method":"POST","path":"/login","content":{"$base64":"/wA="}},"metadata":{"digest":{"$bytes":"abc"}}}
}

func ExampleReader() {
	in := strings.NewReader(`
{"version": 21, "type": "http", "request": {"method": "GET", "path": "/"}}
{"version": 21, "type": "http", "request": {"method": "GET", "path": {"$byte": "x"}}}
`)
	r := jsonl.NewReader(in, &jsonl.ReaderOptions{Name: "flows.jsonl"})
	for m, err := range r.States() {
		if err != nil {
			fmt.Println(err)
			return
		}
		request, err := m.Map("request")
		if err != nil {
			fmt.Println(err)
			return
		}
		path, err := request.Bytes("path") // a string here, bytes in a flow
		fmt.Printf("%q %v\n", path, err)
	}
	// Output:
	// "/" <nil>
	// flows.jsonl: line 3, column 71 (/request/path): "$byte" is no tag; they are $base64, $bytes, $text, $int, $float, $map, $keys, $raw, and a key that begins with $ is written as "$$byte"
}

func ExampleAppendRecord() {
	record := []byte("29:4:type;4:http;7:version;2:21#}")
	line, err := jsonl.AppendRecord(nil, record)
	fmt.Printf("%s%v\n", line, err)
	back, err := jsonl.DecodeRecord(nil, line)
	fmt.Printf("%s %v\n", back, err)
	// Output:
	// {"version":21,"type":"http"}
	// <nil>
	// 29:4:type;4:http;7:version;2:21#} <nil>
}
