package filter_test

import (
	"errors"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/filter"
	"github.com/flowtool/flowtool/flow"
)

// The flows of a dump that match an expression.
func Example() {
	expr, err := filter.Parse("~m POST & ~status 2xx & ~bq password", nil)
	if err != nil {
		log.Fatal(err) // says where the mistake is
	}
	wanted := filter.Compile(expr)

	f, err := os.Open("../testdata/real/http1.mitm")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	facts := filter.Facts{}
	for fl, err := range dumpfile.NewReader(f, nil).Flows() {
		if err != nil {
			log.Fatal(err)
		}
		ok, err := wanted.Match(fl, &facts)
		if err != nil {
			log.Fatal(err)
		}
		if ok {
			fmt.Println(facts.Index, fl.(*flow.HTTP).Request().PrettyURL())
		}
		facts.Index++
	}
	// Output:
	// 11 http://api.shop.example/v1/login
}

// What a filter has to know, so that everything else can be left alone.
func ExampleFilter_Needs() {
	for _, text := range []string{"~c 404", "~b secret", "~index 0-9"} {
		expr, err := filter.Parse(text, nil)
		if err != nil {
			log.Fatal(err)
		}
		f := filter.Compile(expr)
		fmt.Println(f.Needs(), f.NeedsContent())
	}
	// Output:
	// [type response] false
	// [type request response websocket messages] true
	// [] false
}

func ExampleOperators() {
	for _, o := range filter.Operators() {
		if strings.HasPrefix(o.Code, "s") && o.Arg == filter.RegexArg {
			fmt.Println(&o, o.ArgName, "–", o.Summary)
		}
	}
	// Output:
	// ~src REGEX – the address of the client, HOST:PORT
	// ~sni REGEX – the server name the client sent in its TLS handshake
}

// The numbers of the flows that an option of a program chooses.
func ExampleParseNumbers() {
	numbers, err := filter.ParseNumbers("0,4-6")
	if err != nil {
		fmt.Println(err)
		return
	}
	var chosen []int64
	for n := int64(0); n <= numbers.Max(); n++ {
		if numbers.Contains(n) {
			chosen = append(chosen, n)
		}
	}
	fmt.Println(chosen)
	_, err = filter.ParseNumbers("0,x")
	fmt.Println(err)
	// Output:
	// [0 4 5 6]
	// filter: offset 2: "x" is not understood, want numbers such as 0,4-9,20-
}

// What an index says of a part of a file, and which filters need not look at it.
func ExampleFilter_MayMatch() {
	known := &filter.ChunkFacts{
		Types:   filter.ValueSet[string]{Known: true, Values: []string{"http", "dns"}, Always: true},
		Hosts:   filter.ValueSet[string]{Known: true, Values: []string{"shop.example"}, Always: true},
		Methods: filter.ValueSet[string]{Known: true, Values: []string{"GET", "POST"}, Always: true},
	}
	for _, text := range []string{"~d shop & ~b secret", "~d other & ~b secret", "!~m GET", "~m PUT | ~tcp"} {
		expr, err := filter.Parse(text, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(text, filter.Compile(expr).MayMatch(known))
	}
	// Output:
	// ~d shop & ~b secret true
	// ~d other & ~b secret false
	// !~m GET true
	// ~m PUT | ~tcp false
}

func ExampleParse() {
	e, err := filter.Parse(`!(~q) ~b "secret\\d+"|~size>1M`, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e)
	fmt.Println(e.Description())
	fmt.Print(e.Dump())
	// Output:
	// !~q & (~b secret\d+ | ~size >1M)
	// not has no response and (body matches /secret\d+/is or size is >1M)
	// FAnd
	// 	FNot
	// 		FReq
	// 	FOr
	// 		FBodsecret\d+
	// 		FSize>1M
}

func ExampleSyntaxError() {
	_, err := filter.Parse("~s & ~hosts example", nil)
	if e, ok := errors.AsType[*filter.SyntaxError](err); ok {
		fmt.Println(e.Text)
		fmt.Println(strings.Repeat(" ", e.Offset) + strings.Repeat("^", max(e.Len, 1)))
	}
	fmt.Println(err)
	// Output:
	// ~s & ~hosts example
	//      ^^^^^^
	// filter: offset 5: unknown operator ~hosts; did you mean ~d?
}

func ExampleExpr_Warnings() {
	e, err := filter.Parse("~c 4xx", nil) // mitmproxy accepts it, so we must
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, w := range e.Warnings() {
		fmt.Printf("%s; did you mean %s?\n", w.Msg, w.Suggest)
	}
	// Output:
	// ~c takes one number, "xx" is searched in the URL; did you mean ~status 4xx?
}

func ExampleWalk() {
	e, err := filter.Parse("~q | !~status 4xx,5xx", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	filter.Walk(e.Root, func(n filter.Node) bool {
		if op, ok := n.(*filter.Op); ok {
			fmt.Println(op.Operator, op.Text, "at", op.Pos())
		}
		return true
	})
	// Output:
	// ~q  at 0
	// ~status 4xx,5xx at 6
}
