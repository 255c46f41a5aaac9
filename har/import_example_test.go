package har_test

import (
	"fmt"
	"strings"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/har"
)

func ExampleReader() {
	const file = `{"log": {"creator": {"name": "Browser"}, "entries": [
		{"startedDateTime": "2026-01-02T03:04:05Z",
		 "request": {"method": "GET", "url": "https://www.example/?q=1", "httpVersion": "h2"},
		 "response": {"status": 200, "content": {"mimeType": "text/html", "text": "<p>hi"}}},
		{"request": {"method": "GET"}},
		{"request": {"method": "GET", "url": "https://www.example/x"}, "response": {"status": 0, "_error": "timed out"}}
	]}}`
	r := har.NewReader(strings.NewReader(file), &har.ReaderOptions{Name: "browser.har"})
	for f, err := range r.Flows() {
		if err != nil {
			fmt.Println(err)
			continue
		}
		h := f.(*flow.HTTP)
		fmt.Println(h.Request().HTTPVersion, h.PrettyURL())
		if e := h.Error(); e != nil {
			fmt.Println(e.Msg)
		}
	}
	fmt.Println(r.Log().Creator.Name)
	// Output:
	// HTTP/2.0 https://www.example/?q=1
	// browser.har: entry 1, offset 279 (/request/url): missing
	// HTTP/1.1 https://www.example/x
	// timed out
	// Browser
}
