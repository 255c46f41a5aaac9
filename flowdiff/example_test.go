package flowdiff_test

import (
	"bytes"
	"fmt"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/flowdiff"
)

// exampleFlow stands for a flow that was read from a dump.
func exampleFlow(method, url, body string) *flow.HTTP {
	req, err := flow.NewRequest(method, url, flow.NewHeaders("Host", "shop.example"), nil)
	if err != nil {
		panic(err)
	}
	resp := flow.NewResponse(200, flow.NewHeaders("Content-Type", "application/json"), []byte(body))
	server := flow.NewServerConn(&flow.Address{Host: "shop.example", Port: 80})
	return flow.NewHTTP(flow.NewClientConn(), server, req, resp)
}

// The life of an edit: a flow is backed up, edited, written, read, compared with
// its backup, and reverted.
func Example() {
	f := exampleFlow("GET", "http://shop.example/cart?page=1", `{"items":[1,2],"total":30}`)
	var before, after, file bytes.Buffer
	write(&before, f)

	f.Backup()
	fmt.Println("after the backup, modified:", f.Modified())
	f.Request().Path = "/cart?page=2"
	f.Request().Headers.Set("Accept", "application/json")
	f.Response().Body = flow.NewBody([]byte(`{"items":[1,2,3],"total":45}`))
	f.SetComment("what if?")
	fmt.Println("after the edits, modified:", f.Modified())

	write(&file, f)
	read, err := dumpfile.NewReader(&file, nil).ReadFlow()
	if err != nil {
		fmt.Println(err)
		return
	}
	changes, err := flowdiff.Diff(read.BackupState(), read.State(), &flowdiff.Options{Backup: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	ref := flowdiff.NewRef(0, read)
	report := flowdiff.Report{A: ref, B: ref, Changes: flowdiff.Edits(changes)}
	text, err := report.AppendText(nil, nil)
	fmt.Print(string(text))

	if err := read.Revert(); err != nil {
		fmt.Println(err)
		return
	}
	write(&after, read)
	fmt.Println("after reverting, modified:", read.Modified(), "same bytes:", bytes.Equal(before.Bytes(), after.Bytes()))
	// Output:
	// after the backup, modified: false
	// after the edits, modified: true
	// flow 0: GET http://shop.example/cart?page=2
	//   ~ /request/query/page: "1" -> "2"
	//   + /request/headers/accept: "application/json"
	//   + /response/content/items/2: 3
	//   ~ /response/content/total: 30 -> 45
	//   ~ /comment: "" -> "what if?"
	// after reverting, modified: false same bytes: true
}

func write(b *bytes.Buffer, f flow.Flow) {
	w := dumpfile.NewWriter(b)
	if err := w.WriteFlow(f); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
}

func ExampleDiff() {
	a := exampleFlow("GET", "http://shop.example/items/7", `{"name":"pen","price":3}`)
	b := exampleFlow("GET", "http://shop.example/items/7", `{"name":"pen","price":4}`)
	// Ids and times differ between any two flows.
	changes, err := flowdiff.Diff(a.State(), b.State(), &flowdiff.Options{IgnoreDefaults: true})
	for _, c := range changes {
		fmt.Println(c.Kind, c.Path, c.Old, c.New)
	}
	fmt.Println(err)
	// Output:
	// changed /response/content/price 3 4
	// <nil>
}

func ExampleMatch() {
	yesterday := []flow.Flow{
		exampleFlow("GET", "http://shop.example/login", ""),
		exampleFlow("GET", "http://shop.example/items/7", ""),
		exampleFlow("DELETE", "http://shop.example/cart", ""),
	}
	today := []flow.Flow{
		exampleFlow("GET", "http://shop.example/items/8", ""),
		exampleFlow("GET", "http://shop.example/news", ""),
		exampleFlow("GET", "http://shop.example/login", ""),
	}
	k := flowdiff.NewKeyer(nil)
	var a, b []flowdiff.Entry
	for i, f := range yesterday {
		a = append(a, k.Entry(f, int64(i), 0))
	}
	for i, f := range today {
		b = append(b, k.Entry(f, int64(i), 0))
	}
	p := flowdiff.Match(a, b, flowdiff.Auto)
	fmt.Println("pairs:", p.Pairs, "only yesterday:", p.OnlyA, "only today:", p.OnlyB)
	// Output:
	// pairs: [{1 0} {0 2}] only yesterday: [2] only today: [1]
}

func ExampleAppendPatch() {
	f := exampleFlow("GET", "http://shop.example/items/7", "")
	a := f.GetState()
	f.Request().Path = "/items/8"
	f.Request().Headers.Add("Accept", "*/*")
	patch, err := flowdiff.AppendPatch(nil, a, f.GetState())
	fmt.Print(string(patch))
	fmt.Println(err)
	// Output:
	// [{"op":"add","path":"/request/headers/1","value":["Accept","*/*"]},{"op":"replace","path":"/request/path","value":"/items/8"}]
	// <nil>
}

func ExampleReport_AppendStat() {
	f := exampleFlow("GET", "http://shop.example/items/7", "")
	a, ref := f.GetState(), flowdiff.NewRef(0, f)
	f.SetMarked(":grapes:")
	f.Request().Headers.Add("Accept", "*/*")
	changes, err := flowdiff.Diff(a, f.State(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	r := flowdiff.Report{A: ref, B: ref, Changes: changes}
	fmt.Print(string(r.AppendStat(nil)))
	// Output:
	// +1 -0 ~1 >0 flow 0: GET http://shop.example/items/7
}

func ExampleParsePaths() {
	p, err := flowdiff.ParsePaths("/server_conn/**", "/*/headers/x-*")
	fmt.Println(err)
	fmt.Println(p.Match("/server_conn/timestamp_start"), p.Match("/response/headers/x-cache"), p.Match("/request/path"))
	_, err = flowdiff.ParsePaths("request")
	fmt.Println(err)
	// Output:
	// <nil>
	// true true false
	// pattern "request", offset 0: a path begins with a slash
}
