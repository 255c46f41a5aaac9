package coding_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"

	"github.com/flowtool/flowtool/internal/coding"
)

func ExampleDecode() {
	var body bytes.Buffer
	w := gzip.NewWriter(&body)
	w.Write(bytes.Repeat([]byte("spam "), 100))
	w.Close()

	data, err := coding.Decode("gzip", body.Bytes(), 0)
	fmt.Println(len(data), err)

	data, err = coding.Decode("gzip", body.Bytes(), 9)
	if _, ok := errors.AsType[*coding.LimitError](err); ok {
		fmt.Printf("%q, %v\n", data, err)
	}

	data, err = coding.Decode("sdch", body.Bytes(), 0)
	fmt.Println(len(data), err)
	// Output:
	// 500 <nil>
	// "spam spam", coding: gzip: output exceeds the limit of 9 bytes
	// 0 coding: unknown content encoding "sdch"
}

func ExampleText() {
	text, charset, err := coding.Text([]byte("caf\xe9"), "text/plain; Charset='ISO-8859-1'")
	fmt.Println(text, charset, err)
	// Output: café windows-1252 <nil>
}
