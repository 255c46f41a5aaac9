package display_test

import (
	"fmt"

	"github.com/flowtool/flowtool/display"
	"github.com/flowtool/flowtool/flow"
)

func ExampleTable() {
	columns, err := display.ParseColumns("index,method,url,hnq:user-agent,request.text")
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := flow.NewRequest("POST", "http://example.com/", flow.NewHeaders("User-Agent", `=A1+"x"`), []byte("a,b"))
	if err != nil {
		fmt.Println(err)
		return
	}
	f := flow.NewHTTP(flow.NewClientConn(), flow.NewServerConn(nil), r, nil)

	table := display.NewTable(columns, nil)
	text := table.AppendHeader(nil)
	text = table.AppendRow(text, display.Position{Index: 0}, f)
	fmt.Printf("%q\n", text)
	// Output:
	// "index,method,url,hnq:user-agent,request_text\r\n0,POST,http://example.com/,\"'=A1+\"\"x\"\"\",\"a,b\"\r\n"
}
