package flow_test

import (
	"fmt"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/state"
)

// exampleFlow stands for a flow that was read from a dump.
func exampleFlow() *flow.HTTP {
	req, err := flow.NewRequest("GET", "https://example.com/login?user=jane", flow.NewHeaders(
		"Host", "example.com",
		"Cookie", "session=1",
	), nil)
	if err != nil {
		panic(err)
	}
	resp := flow.NewResponse(200, flow.NewHeaders("Content-Type", "text/plain"), []byte("hello"))
	server := flow.NewServerConn(&flow.Address{Host: "example.com", Port: 443})
	return flow.NewHTTP(flow.NewClientConn(), server, req, resp)
}

func ExampleView() {
	m := exampleFlow().GetState() // package dumpfile reads them from files

	f, err := flow.View(m)
	if err != nil {
		fmt.Println(err)
		return
	}
	switch f := f.(type) {
	case *flow.HTTP:
		fmt.Println(f.Request().Method, f.Request().PrettyURL())
		if r := f.Response(); r != nil {
			fmt.Println(r.StatusCode, r.Headers.Get("content-type"), r.Body.Len(), "bytes")
		}
	case *flow.TCP:
		fmt.Println(len(f.Messages()), "messages")
	}
	// Output:
	// GET https://example.com/login?user=jane
	// 200 text/plain 5 bytes
}

func ExampleFromState() {
	m := exampleFlow().GetState()
	request, _ := m.Map("request")
	request.Set("port", state.Text("443"))

	_, err := flow.FromState(m)
	fmt.Println(err)
	// Output:
	// flow: /request/port: want int, got text "443"
}

func ExampleRepair() {
	m := exampleFlow().GetState()
	m.Delete("comment")
	m.Set("marked", state.Bool(true))

	notes, err := flow.Repair(m)
	for _, n := range notes {
		fmt.Println(n)
	}
	if err == nil {
		_, err = flow.FromState(m)
	}
	fmt.Println(err)
	// Output:
	// /marked: true written as ":default:"
	// /comment: missing, set to ""
	// <nil>
}

func ExampleNewHTTP() {
	req, err := flow.NewRequest("POST", "http://example.com:8080/submit", flow.NewHeaders(
		"Host", "example.com:8080",
	), []byte("a=b"))
	if err != nil {
		fmt.Println(err)
		return
	}
	f := flow.NewHTTP(flow.NewClientConn(), flow.NewServerConn(nil), req, nil)
	f.SetComment("made by hand")

	m := f.State() // to be written with package dumpfile
	comment, _ := m.Text("comment")
	fmt.Println(f.Type(), f.Request().URL(), comment)
	// Output:
	// http http://example.com:8080/submit made by hand
}

func ExampleFlow_backup() {
	f := exampleFlow()
	f.Backup()
	f.Request().Headers.Del("Cookie")
	f.Response().StatusCode = 404
	fmt.Println(f.Modified(), f.Request().Headers.Has("cookie"), f.Response().StatusCode)

	if err := f.Revert(); err != nil {
		fmt.Println(err)
	}
	fmt.Println(f.Modified(), f.Request().Headers.Get("cookie"), f.Response().StatusCode)
	// Output:
	// true false 404
	// false session=1 200
}

func ExampleHeaders() {
	h := flow.NewHeaders("Set-Cookie", "a=1", "Vary", "Accept", "set-cookie", "b=2")
	for v := range h.Values("Set-Cookie") {
		fmt.Println(v)
	}
	h.Set("vary", "*")
	fmt.Println(h.Get("VARY"))
	// Output:
	// a=1
	// b=2
	// *
}
