package pyregexp_test

import (
	"fmt"

	"github.com/flowtool/flowtool/internal/pyregexp"
)

func ExampleCompile() {
	r, err := pyregexp.Compile(`^content-type: (?!text/)`, pyregexp.Options{
		Flags: pyregexp.IgnoreCase | pyregexp.Multiline,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Explain())
	for _, header := range []string{"Content-Type: image/png", "Content-Type: text/html"} {
		ok, err := r.MatchString("Host: example.com\r\n" + header)
		fmt.Println(header, ok, err)
	}
	// Output:
	// backtracking: look-ahead at offset 15
	// Content-Type: image/png true <nil>
	// Content-Type: text/html false <nil>
}

func ExampleSyntaxError() {
	_, err := pyregexp.Compile(`(?<name>a)`, pyregexp.Options{})
	fmt.Println(err)
	// Output:
	// pyregexp: offset 0: unknown group (?<n; names are written (?P<name>...)
}
