package contentview_test

import (
	"fmt"

	"github.com/flowtool/flowtool/contentview"
)

func ExampleRender() {
	for _, body := range []struct{ data, contentType string }{
		{`{"id":1.50,"tags":["a","b"],"id":2}`, "application/json"},
		{"user=J%C3%BCrgen&note=a+b&user=x%0Ay", "application/x-www-form-urlencoded"},
		{"\x89PNG\r\n\x1a\n\x00\x00", "image/png"},
	} {
		v := contentview.Render([]byte(body.data), body.contentType)
		fmt.Printf("%s (%s)\n%s\n", v.Name, v.Note, contentview.Escape(v.Text, true))
	}
	// Output:
	// json ()
	// {
	//     "id": 1.50,
	//     "tags": [
	//         "a",
	//         "b"
	//     ],
	//     "id": 2
	// }
	// form ()
	// user: Jürgen
	// note: a b
	// user: x\ny
	// hex (binary, 10 bytes)
	// 0000:   89 50 4e 47  0d 0a 1a 0a  00 00                      .PNG......
}

func ExampleEscape() {
	fmt.Println(contentview.Escape("\x1b]0;title\x07 caf\xe9 \u202egpj.exe", false))
	fmt.Println(contentview.Escape("safe\tand sound\nline\rover", true))
	// Output:
	// \x1b]0;title\x07 caf\xe9 \u{202e}gpj.exe
	// safe	and sound
	// line\rover
}

func ExampleAppendEscaped() {
	buf := []byte("path: ")
	buf = contentview.AppendEscaped(buf, []byte("/a\r\nb"), false)
	fmt.Printf("%s\n", buf)
	// Output: path: /a\r\nb
}
