package searchtext_test

import (
	"fmt"

	"github.com/flowtool/flowtool/internal/searchtext"
)

func ExampleRequest_AppendPrettyURL() {
	var host searchtext.Joined
	host.Add([]byte("[2001:db8::1]:8080"))
	r := searchtext.Request{
		Method: []byte("GET"), Scheme: []byte("http"), Path: []byte("/p"), HTTPVersion: []byte("HTTP/1.1"),
		Host: []byte("192.0.2.1"), Port: 80,
		HostHeader: host.Value(),
	}
	fmt.Printf("%s\n", r.AppendPrettyURL(nil))
	fmt.Printf("%s\n", r.PrettyHost())
	// Output:
	// http://2001:db8::1:8080/p
	// 2001:db8::1
}

func ExampleDNSText() {
	var t searchtext.DNSText
	t.Question([]byte("www.example.com"))
	t.Record(5, []byte("\x07example\x03com\x00"))
	t.Record(1, []byte{192, 0, 2, 1})
	fmt.Printf("%q\n", t.Bytes())
	// Output: "www.example.com\r\nexample.com\r\n192.0.2.1"
}
