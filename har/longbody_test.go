package har_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/har"
)

// TestLongBodies: bodies that are encoded piece by piece are what they are, of the size
// from which on they are, and of more.
func TestLongBodies(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{256<<10 - 1, 256 << 10, 300_001} {
		binary := make([]byte, size)
		for i := range binary {
			binary[i] = byte(rng.Uint32())
		}
		text := strings.Repeat("a\"", rng.IntN(4)) + strings.Repeat("é漢😀\n", size/10+1)
		var latin1 strings.Builder
		for _, c := range binary {
			latin1.WriteRune(rune(c))
		}
		zipped := func(data []byte) []byte {
			var out bytes.Buffer
			w := gzip.NewWriter(&out)
			w.Write(data)
			w.Close()
			return out.Bytes()
		}
		for _, tt := range []struct {
			name, encoding string
			body           []byte
			text, base64   string
		}{
			{"text", "", []byte(text), text, ""},
			{"binary", "", binary, latin1.String(), base64.StdEncoding.EncodeToString(binary)},
			{"zipped text", "gzip", zipped([]byte(text)), text, ""},
			{"zipped binary", "gzip", zipped(binary), latin1.String(), base64.StdEncoding.EncodeToString(binary)},
		} {
			f := newFlow(func(f *flow.HTTP) {
				f.Request().Method = "POST"
				for _, m := range []*flow.HTTPMessage{&f.Request().HTTPMessage, &f.Response().HTTPMessage} {
					m.Body = flow.NewBody(tt.body)
					m.Headers.Set("Content-Type", "application/octet-stream")
					if tt.encoding != "" {
						m.Headers.Set("Content-Encoding", tt.encoding)
					}
				}
			})
			record, err := tnetstring.Encode(f.State().Value())
			if err != nil {
				t.Fatal(err)
			}
			for _, opts := range []*har.WriterOptions{nil, {Indent: " "}} {
				data := export(t, f.State(), opts)
				e := decode(t, data)[0]
				post, content := e.Request.PostData, e.Response.Content
				if *post.Text != tt.text || tt.base64 != "" && *post.TextB64 != tt.base64 {
					t.Errorf("%s, %d: another body of the request", tt.name, size)
				}
				if *content.Text != cmp.Or(tt.base64, tt.text) {
					t.Errorf("%s, %d: another body of the response", tt.name, size)
				}
				for m, err := range har.NewReader(bytes.NewReader(data), nil).States() {
					if err != nil {
						t.Fatal(err)
					}
					if back, err := tnetstring.Encode(m.Value()); err != nil || !bytes.Equal(back, record) {
						t.Errorf("%s, %d: another flow: %v", tt.name, size, err)
					}
				}
			}
		}
	}
}
