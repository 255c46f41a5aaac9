package shell_test

import (
	"fmt"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/shell"
)

func ExampleAppendCurl() {
	headers := flow.NewHeaders("Host", "example.com", "User-Agent", "demo/1.0", "Accept", "*/*",
		"Content-Type", "application/json", "Content-Length", "16")
	r, err := flow.NewRequest("POST", "http://example.com/items?tag[]=a", headers, []byte("{\n  \"name\": 1\n}\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	f := flow.NewHTTP(flow.NewClientConn(), flow.NewServerConn(nil), r, nil)
	line, err := shell.AppendCurl(nil, f, nil)
	fmt.Printf("%s %v\n", line, err)

	r.Headers.Set("Content-Length", "20")
	_, err = shell.AppendCurl(nil, f, nil)
	fmt.Println(err)
	// Output:
	// printf '{\012  "name": 1\012}\012' | curl --globoff -H 'User-Agent: demo/1.0' -H 'Accept: */*' -H 'Content-Type: application/json' -X POST 'http://example.com/items?tag[]=a' --data-binary @- <nil>
	// curl: header "Content-Length" is "20", but the body has 16 bytes
}
