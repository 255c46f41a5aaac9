package har_test

import (
	"fmt"
	"os"
	"strings"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/har"
)

func ExampleWriter() {
	request, err := flow.NewRequest("GET", "http://www.example/", flow.NewHeaders("Host", "www.example"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	request.TimestampStart = flow.Seconds(1767323045)
	request.TimestampEnd = flow.Seconds(1767323045.25)
	f := flow.NewHTTP(flow.NewClientConn(), flow.NewServerConn(nil), request, nil) // package dumpfile reads them from files
	f.SetID("1")
	f.SetError(flow.NewError("no route to host"))

	w := har.NewWriter(os.Stdout, &har.WriterOptions{Plain: true, Creator: "example", CreatorVersion: "1.0"})
	if err := w.WriteFlow(f); err != nil {
		fmt.Println(err)
		return
	}
	if err := w.Close(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// {"log":{"version":"1.2","creator":{"name":"example","version":"1.0"},"pages":[],"entries":[
	// {"startedDateTime":"2026-01-02T03:04:05.000Z","time":250,"request":{"method":"GET","url":"http://www.example/","httpVersion":"HTTP/1.1","cookies":[],"headers":[{"name":"Host","value":"www.example"}],"queryString":[],"headersSize":37,"bodySize":0},"response":{"status":0,"statusText":"","httpVersion":"","cookies":[],"headers":[],"content":{"size":0,"mimeType":"x-unknown"},"redirectURL":"","headersSize":-1,"bodySize":-1,"comment":"no route to host"},"cache":{},"timings":{"blocked":-1,"dns":-1,"connect":-1,"ssl":-1,"send":250,"wait":0,"receive":0}}
	// ]}}
}

// Several goroutines can render entries, as long as they are written in order.
func ExampleEncoder() {
	flows := []flow.Flow{
		flow.NewTCP(flow.NewClientConn(), flow.NewServerConn(nil)),
	}
	enc := har.NewEncoder(nil)
	var out strings.Builder
	w := har.NewWriter(&out, nil)
	for _, f := range flows {
		var e har.Entry
		if err := enc.Encode(&e, f); err != nil {
			fmt.Println(err)
			continue
		}
		if err := w.WriteEntry(&e); err != nil {
			fmt.Println(err)
			return
		}
	}
	if err := w.Close(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// har: not an HTTP flow but tcp
}
