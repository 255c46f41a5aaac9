package shell_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/shell"
	"github.com/flowtool/flowtool/state"
)

// answered is request with a response.
func answered(change func(r *flow.Request, resp *flow.Response)) *flow.HTTP {
	resp := &flow.Response{StatusCode: 200, Reason: "OK"}
	resp.HTTPVersion = "HTTP/1.1"
	resp.Headers = flow.NewHeaders("Content-Length", "2")
	resp.Body = flow.NewBody([]byte("ok"))
	f := request(func(r *flow.Request) { change(r, resp) })
	f.SetResponse(resp)
	return f
}

func TestRaw(t *testing.T) {
	const (
		get = "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"
		ok  = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	)
	for _, tt := range []struct {
		name                   string
		f                      *flow.HTTP
		raw, request, response string // "error: " and the text if there is one
	}{
		{"both", answered(func(r *flow.Request, resp *flow.Response) {}), get + "\r\n\r\n" + ok, get, ok},
		{"no response", request(func(r *flow.Request) {}), get, get, "error: raw-response: response does not exist"},
		{"no request body", answered(func(r *flow.Request, resp *flow.Response) { r.Body = flow.Body{} }),
			ok, "error: raw-request: body was not recorded", ok},
		{"no response body", answered(func(r *flow.Request, resp *flow.Response) { resp.Body = flow.Body{} }),
			get, get, "error: raw-response: response body was not recorded"},
		{"no bodies", answered(func(r *flow.Request, resp *flow.Response) { r.Body, resp.Body = flow.Body{}, flow.Body{} }),
			"error: raw: response body was not recorded", "error: raw-request: body was not recorded", "error: raw-response: response body was not recorded"},
		{"neither body nor response", request(func(r *flow.Request) { r.Body = flow.Body{} }),
			"error: raw: body was not recorded", "error: raw-request: body was not recorded", "error: raw-response: response does not exist"},
		{"bytes as they are", answered(func(r *flow.Request, resp *flow.Response) {
			r.Method, r.Path, r.HTTPVersion = "g\xe9t", "/\x00 \r\n", "HTTP/9"
			r.Headers = flow.NewHeaders("a: b", "\xff\r\n", "", "")
			resp.Reason, resp.HTTPVersion, resp.StatusCode = "\xfc", "x", 7
		}), "g\xe9t /\x00 \r\n HTTP/9\r\na: b: \xff\r\n\r\n: \r\n\r\n\r\n\r\nx 7 \xfc\r\nContent-Length: 2\r\n\r\nok",
			"g\xe9t /\x00 \r\n HTTP/9\r\na: b: \xff\r\n\r\n: \r\n\r\n",
			"x 7 \xfc\r\nContent-Length: 2\r\n\r\nok"},
		{"chunked", answered(func(r *flow.Request, resp *flow.Response) {
			r.Headers = flow.NewHeaders("Transfer-Encoding", "gzip, CHUNKED")
			resp.Headers, resp.Trailers = flow.NewHeaders("Transfer-Encoding", "chunked"), flow.NewHeaders("X-Sum", "1")
			resp.Body = flow.NewBody([]byte("0123456789abcdef"))
		}), "GET / HTTP/1.1\r\nTransfer-Encoding: gzip, CHUNKED\r\n\r\n0\r\n\r\n\r\n\r\n" +
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n0123456789abcdef\r\n0\r\nX-Sum: 1\r\n\r\n",
			"GET / HTTP/1.1\r\nTransfer-Encoding: gzip, CHUNKED\r\n\r\n0\r\n\r\n",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n0123456789abcdef\r\n0\r\nX-Sum: 1\r\n\r\n"},
		{"no chunks where no body may be", answered(func(r *flow.Request, resp *flow.Response) {
			r.Method = "HEAD"
			resp.Headers, resp.Body = flow.NewHeaders("Transfer-Encoding", "chunked"), flow.NewBody(nil)
		}), "HEAD / HTTP/1.1\r\nHost: example.com\r\n\r\n\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
			"HEAD / HTTP/1.1\r\nHost: example.com\r\n\r\n",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
		{"trailers without chunks", answered(func(r *flow.Request, resp *flow.Response) { resp.Trailers = flow.NewHeaders("a", "b") }),
			"error: raw: response trailers need the header Transfer-Encoding: chunked in HTTP/1", get,
			"error: raw-response: response trailers need the header Transfer-Encoding: chunked in HTTP/1"},
		{"CONNECT", request(func(r *flow.Request) { r.Method, r.Authority, r.Path = "CONNECT", "example.com:443", "" }),
			"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n", "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n",
			"error: raw-response: response does not exist"},
		{"absolute form", request(func(r *flow.Request) { r.Authority = "other.example" }),
			"GET http://other.example/ HTTP/1.1\r\nHost: example.com\r\n\r\n", "GET http://other.example/ HTTP/1.1\r\nHost: example.com\r\n\r\n",
			"error: raw-response: response does not exist"},
		{"HTTP/2", answered(func(r *flow.Request, resp *flow.Response) {
			r.HTTPVersion, r.Authority, r.Body = "HTTP/2.0", "a.example", flow.NewBody([]byte("x"))
			r.Headers = flow.NewHeaders("cookie", "a=1", ":path", "/", "x", "y", "cookie", "b=2")
			resp.HTTPVersion, resp.Headers, resp.Reason, resp.Body = "HTTP/2.0", flow.NewHeaders(":status", "200", "x", "y"), "", flow.NewBody(nil)
		}), "GET / HTTP/1.1\r\nHost: a.example\r\ncookie: a=1; b=2\r\nx: y\r\ncontent-length: 1\r\n\r\nx\r\n\r\nHTTP/1.1 200 OK\r\nx: y\r\ncontent-length: 0\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: a.example\r\ncookie: a=1; b=2\r\nx: y\r\ncontent-length: 1\r\n\r\nx",
			"HTTP/1.1 200 OK\r\nx: y\r\ncontent-length: 0\r\n\r\n"},
		{"HTTP/2 with trailers", answered(func(r *flow.Request, resp *flow.Response) {
			r.HTTPVersion, r.Headers, r.Trailers = "HTTP/3", flow.NewHeaders("host", "a", "content-length", "0"), flow.NewHeaders("t", "1")
			resp.HTTPVersion, resp.StatusCode, resp.Reason, resp.Body, resp.Headers = "HTTP/2.0", 204, "", flow.NewBody(nil), flow.Headers{}
		}), "GET / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\nt: 1\r\n\r\n\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\nt: 1\r\n\r\n",
			"HTTP/1.1 204 No Content\r\n\r\n"},
		{"HTTP/2 that contradicts itself", answered(func(r *flow.Request, resp *flow.Response) {
			r.HTTPVersion, r.Headers = "HTTP/2.0", flow.NewHeaders(":method", "POST")
			resp.HTTPVersion, resp.Headers = "HTTP/2.0", flow.NewHeaders("Connection", "close")
		}), `error: raw: header ":method" is a pseudo header that contradicts the request line`,
			`error: raw-request: header ":method" is a pseudo header that contradicts the request line`,
			`error: raw-response: response header "Connection" does not exist in HTTP/2 and HTTP/3`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for format, want := range map[shell.Format]string{shell.Raw: tt.raw, shell.RawRequest: tt.request, shell.RawResponse: tt.response} {
				out, err := shell.Append([]byte("before"), format, tt.f, nil)
				got, ok := strings.CutPrefix(string(out), "before")
				if err != nil {
					if got != "" {
						t.Errorf("%s: dst became %q", format, out)
					}
					got = "error: " + err.Error()
				}
				if got != want || !ok {
					t.Errorf("%s: got  %q\nwant %q", format, got, want)
				}
			}
		})
	}
}

// TestDecode: with Decode the message says what its body is.
func TestDecode(t *testing.T) {
	const gzip = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\xc8\x04\x00\xac*\x93\xd8\x02\x00\x00\x00"
	f := request(posted(gzip, "Content-Encoding", "gzip", "Content-Length", "22", "X", "y"))
	before := f.GetState()
	for format, want := range map[shell.Format]string{
		shell.RawRequest: "POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 2\r\nX: y\r\n\r\nhi",
		shell.Curl:       "curl -H 'Content-Length: 2' -H 'X: y' -H User-Agent: -H Accept: -H Content-Type: -X POST http://example.com/ --data-raw hi",
		shell.HTTPie:     "http --ignore-stdin --raw=hi POST http://example.com/ 'X: y' User-Agent: Accept: Accept-Encoding: Connection: Content-Type:",
	} {
		got, err := shell.Append(nil, format, f, &shell.Options{Decode: true})
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, error %v, want %q", format, got, err, want)
		}
		// Commands have a limit for the body as it is, too.
		_, err = shell.Append(nil, format, f, &shell.Options{Decode: true, MaxBody: 1})
		if _, ok := errors.AsType[*flow.BodyLimitError](err); ok == format.IsCommand() || err == nil {
			t.Errorf("%s beyond the limit: %v", format, err)
		}
	}
	if !state.Equal(before.Value(), f.GetState().Value()) {
		t.Error("the flow was changed")
	}
}

// TestRawParses has another program read the messages of all dumps. What it cannot
// read is as little HTTP in the flow.
func TestRawParses(t *testing.T) {
	read := 0
	for _, f := range httpFlows(t) {
		raw, err := shell.AppendRawRequest(nil, f, nil)
		if err != nil {
			continue
		}
		r := f.Request()
		req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil {
			if r.IsHTTP2() || r.IsHTTP3() {
				t.Errorf("%s: %v\n%q", f.ID(), err, raw)
			}
			continue
		}
		read++
		body, err := io.ReadAll(req.Body)
		want, _ := r.Body.Bytes()
		framed := !r.IsHTTP11() || r.Headers.Has("Content-Length") || r.Headers.Has("Transfer-Encoding")
		if framed && (err != nil || !bytes.Equal(body, want)) && r.Headers.Get("Content-Length") == "" {
			t.Errorf("%s: body %q, error %v, want %q", f.ID(), body, err, want)
		}
		if req.Method != r.Method {
			t.Errorf("%s: method %q, want %q", f.ID(), req.Method, r.Method)
		}
	}
	if read < 500 {
		t.Errorf("%d requests were read", read)
	}
}

// TestConcurrent: different flows can be given at once.
func TestConcurrent(t *testing.T) {
	flows := httpFlows(t)
	var group sync.WaitGroup
	for part := range slices.Chunk(flows, 50) {
		group.Go(func() {
			for _, f := range part {
				for _, format := range shell.Formats() {
					one, err := shell.Append(nil, format, f, nil)
					two, err2 := shell.Append(nil, format, f, nil)
					if !bytes.Equal(one, two) || (err == nil) != (err2 == nil) {
						t.Errorf("%s of %s: %q, then %q", format, f.ID(), one, two)
					}
				}
			}
		})
	}
	group.Wait()
}

// TestNotHTTP: flows of other types have no command.
func TestNotHTTP(t *testing.T) {
	f := flow.NewTCP(flow.NewClientConn(), flow.NewServerConn(nil))
	for _, format := range shell.Formats() {
		if _, err := shell.Append(nil, format, f, nil); !errors.Is(err, shell.ErrNotHTTP) || err.Error() != string(format)+": tcp flow is no HTTP flow" {
			t.Errorf("%s: %v", format, err)
		}
	}
	if _, err := shell.Append(nil, "telnet", request(func(*flow.Request) {}), nil); err == nil {
		t.Error("there is no error about an unknown format")
	}
}
