package shell_test

import (
	"cmp"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/shell"
)

// program returns a program of the system, without which the test is skipped.
func program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return path
}

// request returns a flow with a request to http://example.com/, to be changed.
func request(change func(r *flow.Request)) *flow.HTTP {
	r := &flow.Request{Host: "example.com", Port: 80, Method: "GET", Scheme: "http", Path: "/"}
	r.HTTPVersion = "HTTP/1.1"
	r.Headers = flow.NewHeaders("Host", "example.com")
	r.Body = flow.NewBody(nil)
	change(r)
	return flow.NewHTTP(flow.NewClientConn(), flow.NewServerConn(&flow.Address{Host: r.Host, Port: r.Port}), r, nil)
}

// sent returns what a server has to receive of the request of f.
func sent(f *flow.HTTP) received {
	r := f.Request()
	want := received{version: r.HTTPVersion, method: r.Method, target: r.Path, body: []byte{}}
	if b, _ := r.Body.Bytes(); len(b) > 0 {
		want.body = b
	}
	h2 := r.IsHTTP2()
	if h2 {
		want.scheme, want.authority = r.Scheme, cmp.Or(r.HostHeader(), r.Host)
	} else if r.Authority != "" {
		want.target = r.Scheme + "://" + r.Authority + r.Path
	}
	framed := false
	for _, h := range r.Headers.All() {
		name := h.Name
		if h2 {
			name = strings.ToLower(name)
		}
		if strings.HasPrefix(name, ":") || h2 && name == "host" {
			continue
		}
		framed = framed || strings.EqualFold(name, "Content-Length") || strings.EqualFold(name, "Transfer-Encoding")
		want.headers = append(want.headers, flow.Header{Name: name, Value: strings.Trim(h.Value, " \t")})
	}
	if !framed && len(want.body) > 0 {
		name := "Content-Length"
		if h2 {
			name = "content-length"
		}
		want.headers = append(want.headers, flow.Header{Name: name, Value: strconv.Itoa(len(want.body))})
	}
	return want
}

// compare fails the test if got is not what had to be received.
func compare(t testing.TB, shellName, command string, want, got received) {
	t.Helper()
	if got.body == nil {
		got.body = []byte{}
	}
	if len(got.extra) == 0 {
		got.extra = nil
	}
	want.headers, got.headers = connectionLast(want.headers), connectionLast(got.headers)
	if d := gocmp.Diff(want, got, gocmp.AllowUnexported(received{})); d != "" {
		t.Errorf("%s: another request (-flow +received):\n%.2000s\n%.2000s", shellName, d, command)
	}
}

// connectionLast returns headers as recent releases of curl send them: with
// Connection behind all others, in this case.
func connectionLast(headers []flow.Header) []flow.Header {
	var out, last []flow.Header
	for _, h := range headers {
		if strings.EqualFold(h.Name, "Connection") {
			last = append(last, flow.Header{Name: "Connection", Value: h.Value})
		} else {
			out = append(out, h)
		}
	}
	return append(out, last...)
}

var posixShells = []string{"bash", "dash"}

// posixShell returns a shell of the system. The bash of macOS is from 2007 and no
// measure.
func posixShell(t testing.TB, name string) string {
	t.Helper()
	path := program(t, name)
	if name == "bash" {
		major, err := exec.Command(path, "-c", "echo ${BASH_VERSINFO[0]}").Output()
		if n, _ := strconv.Atoi(strings.TrimSpace(string(major))); err != nil || n < 4 {
			t.Skipf("bash is too old: %s %v", major, err)
		}
	}
	return path
}

// hostile are requests that a careless command gets wrong.
var hostile = []struct {
	name   string
	change func(r *flow.Request)
}{
	{"plain", func(r *flow.Request) {}},
	{"usual headers", func(r *flow.Request) {
		r.Headers = flow.NewHeaders("Host", "example.com", "User-Agent", "demo/1.0", "Accept", "*/*", "Accept-Encoding", "gzip, br", "Cookie", "a=1; b=2", "Referer", "http://a/", "Range", "bytes=0-1", "Authorization", "Basic eA==", "Connection", "keep-alive", "TE", "trailers")
	}},
	{"no headers", func(r *flow.Request) { r.Headers = flow.Headers{} }},
	{"host elsewhere", func(r *flow.Request) {
		r.Headers = flow.NewHeaders("X-First", "1", "Accept", "x", "host", "example.com", "User-Agent", "y", "X-Last", "2")
	}},
	{"two hosts", func(r *flow.Request) {
		r.Headers = flow.NewHeaders("Host", "example.com", "X", "1", "host", "example.com")
	}},
	{"empty host", func(r *flow.Request) { r.Headers = flow.NewHeaders("Host", "", "X", "1") }},
	{"host in capitals", func(r *flow.Request) { r.Headers = flow.NewHeaders("Host", "Example.COM") }},
	{"host with final dot", func(r *flow.Request) { r.Headers = flow.NewHeaders("Host", "example.com.") }},
	{"host with usual port", func(r *flow.Request) { r.Headers = flow.NewHeaders("Host", "example.com:80") }},
	{"host of another server", func(r *flow.Request) { r.Host, r.Port = "192.0.2.10", 8080 }},
	{"host that is no host", func(r *flow.Request) { r.Headers = flow.NewHeaders("Host", "a b/c?d#e@f $(id)") }},
	{"host with other port", func(r *flow.Request) { r.Headers = flow.NewHeaders("Host", "example.com:8443") }},
	{"IPv6", func(r *flow.Request) {
		r.Host, r.Port = "2001:db8::1", 8080
		r.Headers = flow.NewHeaders("Host", "[2001:db8:0::1]:8080")
	}},
	{"IPv4 with leading zeros", func(r *flow.Request) { r.Headers = flow.NewHeaders("Host", "127.0.0.01") }},
	{"IPv4 in one number", func(r *flow.Request) { r.Headers = flow.NewHeaders("Host", "2130706433") }},
	{"name in Unicode", func(r *flow.Request) {
		r.Host, r.Headers = "bücher.example", flow.NewHeaders("Host", "xn--bcher-kva.example")
	}},
	{"empty values", func(r *flow.Request) {
		r.Headers = flow.NewHeaders("Host", "example.com", "X-Empty", "", "Accept", "", "User-Agent", "", "Cookie", "", "Accept-Encoding", "", "Expect", "")
	}},
	{"blank value", func(r *flow.Request) { r.Headers.Add("X-Blank", " \t ") }},
	{"duplicates", func(r *flow.Request) {
		for _, name := range []string{"Accept", "accept", "User-Agent", "user-agent", "Cookie", "cookie", "X", "x", "Accept-Encoding", "Accept-Encoding"} {
			r.Headers.Add(name, "1")
			r.Headers.Add(name, "2")
		}
	}},
	{"quotes", func(r *flow.Request) {
		r.Headers.Add("X", `it's "quoted" \ $HOME `+"`id`"+` $(id) !! %s %n \n {a,b} * ? ~ # & | ; < >`)
	}},
	{"only quotes", func(r *flow.Request) { r.Headers.Add("X", `'''`); r.Headers.Add("Y", `"`) }},
	{"header with all bytes", func(r *flow.Request) {
		var b strings.Builder
		for c := 1; c < 256; c++ {
			if c != '\n' && c != '\r' {
				b.WriteByte(byte(c))
			}
		}
		r.Headers.Add("X", "a"+b.String()+"z")
	}},
	{"each control in a header", func(r *flow.Request) {
		for c := 1; c < 256; c++ {
			if c != '\n' && c != '\r' && c != ' ' && c != '\t' {
				r.Headers.Add("X", "a"+string([]byte{byte(c)}))
				r.Headers.Add("X", string([]byte{byte(c)})+"a")
			}
		}
	}},
	{"controls in a header", func(r *flow.Request) { r.Headers.Add("X", "a\x01\t\x0b\x1b[2J\x1f\x7fz") }},
	{"backslash in a header", func(r *flow.Request) { r.Headers.Add("X", `a\:b\=c\\`) }},
	{"separators in a header", func(r *flow.Request) { r.Headers.Add("X", `:=@a==b:@c\d\`); r.Headers.Add("Y", "=@/etc/hostname") }},
	{"name with all characters", func(r *flow.Request) { r.Headers.Add("!#$%&'*+-.^_`|~09azAZ", "1") }},
	{"value like an option", func(r *flow.Request) { r.Headers.Add("-H", "-X"); r.Headers.Add("--data", "@/etc/passwd") }},
	{"name like an option", func(r *flow.Request) { r.Headers.Add("-oPWNED", "1") }},
	{"empty name like an option", func(r *flow.Request) { r.Headers.Add("-oPWNED", "") }},
	{"name of dashes", func(r *flow.Request) { r.Headers.Add("--", "") }},
	{"value like a file", func(r *flow.Request) { r.Headers.Add("X", "@/etc/hostname") }},
	{"Unicode in a header", func(r *flow.Request) { r.Headers.Add("X", "é ☕ \u202e \u0085 \u2028") }},
	{"folded header", func(r *flow.Request) { r.Headers.Add("X-Folded", "a\r\n b\r\n\tc") }},
	{"long header", func(r *flow.Request) { r.Headers.Add("X", strings.Repeat("x", 60000)) }},
	{"content length of nothing", func(r *flow.Request) { r.Headers.Add("Content-Length", "0") }},
	{"pseudo headers", func(r *flow.Request) {
		r.Headers = flow.NewHeaders(":authority", "example.com", ":method", "GET", ":path", "/", ":scheme", "http", "Host", "example.com")
	}},

	{"HEAD", func(r *flow.Request) { r.Method = "HEAD" }},
	{"HEAD with length", func(r *flow.Request) { r.Method = "HEAD"; r.Headers.Add("Content-Length", "0") }},
	{"OPTIONS", func(r *flow.Request) { r.Method = "OPTIONS" }},
	{"OPTIONS with length", func(r *flow.Request) { r.Method = "OPTIONS"; r.Headers.Add("Content-Length", "0") }},
	{"OPTIONS with body", func(r *flow.Request) { posted("x", "Content-Length", "1")(r); r.Method = "OPTIONS" }},
	{"POST without body", func(r *flow.Request) { r.Method = "POST" }},
	{"POST of nothing", posted("", "Content-Length", "0")},
	{"DELETE without body", func(r *flow.Request) { r.Method = "DELETE" }},
	{"DELETE of nothing", func(r *flow.Request) { r.Method = "DELETE"; r.Headers.Add("content-length", "0") }},
	{"TRACE of nothing", func(r *flow.Request) { r.Method = "TRACE"; r.Headers.Add("Content-Length", "0") }},
	{"lower case method", func(r *flow.Request) { r.Method = "get" }},
	{"odd method", func(r *flow.Request) { r.Method = "-X'`!$|~" }},
	{"M-SEARCH", func(r *flow.Request) { r.Method = "M-SEARCH" }},
	{"GET with body", func(r *flow.Request) { r.Body = flow.NewBody([]byte(`{"q":1}`)) }},
	{"OPTIONS *", func(r *flow.Request) { r.Method, r.Path = "OPTIONS", "*" }},
	{"absolute form", func(r *flow.Request) { r.Authority = "example.com" }},
	{"absolute form of another host", func(r *flow.Request) { r.Authority = "other.example:81" }},

	{"globs", func(r *flow.Request) { r.Path = "/[1-3]/{a,b}?x=[a-z]&y={1,2}#[]" }},
	{"dots", func(r *flow.Request) { r.Path = "/a/../b/./c/%2e%2E/.%2e/d/..?/../x" }},
	{"slashes", func(r *flow.Request) { r.Path = "//a//b/" }},
	{"all ASCII in the path", func(r *flow.Request) {
		var b strings.Builder
		for c := byte('!'); c < 0x7f; c++ {
			b.WriteByte(c)
		}
		r.Path = "/" + b.String()
	}},
	{"blank in the path", func(r *flow.Request) { r.Path = "/a b?c d" }},
	{"fragment", func(r *flow.Request) { r.Path = "/a?b#c" }},
	{"bytes in the path", func(r *flow.Request) { r.Path = "/caf\xe9/é/\xff?\x80" }},
	{"controls in the path", func(r *flow.Request) { r.Path = "/\x01\t\x1b[2J\x7f?\x0b" }},
	{"escapes", func(r *flow.Request) { r.Path = "/%41%2f%2F%zz%?%c3%a9%" }},
	{"escapes that are fine", func(r *flow.Request) { r.Path = "/%2F%C3%A9/%20?%26=%25" }},
	{"escapes that are not needed", func(r *flow.Request) { r.Path = "/%41/%7E;p=%2D/../x?a" }},
	{"escapes in the query", func(r *flow.Request) { r.Path = "/?%41" }},
	{"query that ends", func(r *flow.Request) { r.Path = "/a?" }},
	{"two question marks", func(r *flow.Request) { r.Path = "/a??b?" + "=&;/:@!$'()*+," }},
	{"dots only", func(r *flow.Request) { r.Path = "/a/../b/./c/.." }},
	{"backslash", func(r *flow.Request) { r.Path = `/a\b\..\c` }},
	{"no slash", func(r *flow.Request) { r.Path = "a/b" }},
	{"query only", func(r *flow.Request) { r.Path = "?a=b" }},
	{"empty path", func(r *flow.Request) { r.Path = "" }},
	{"path like a host", func(r *flow.Request) { r.Path = "@evil.example:99/" }},
	{"dash", func(r *flow.Request) { r.Path = "-o/etc/passwd" }},

	{"form", posted("a=1&b=2%203", "Content-Type", "application/x-www-form-urlencoded", "Content-Length", "11")},
	{"length first", posted("12345", "Content-Length", "5", "Content-Type", "text/plain")},
	{"length in another case", posted("12345", "Content-Type", "text/plain", "content-length", "5")},
	{"length with zeros", posted("12345", "Content-Length", "005")},
	{"length of nothing with zeros", posted("", "Content-Length", "00")},
	{"lengths of nothing", posted("", "Content-Length", "0", "Content-Length", "0")},
	{"length twice", posted("12345", "Content-Length", "5", "Content-Length", "5")},
	{"no length", posted("12345")},
	{"file", posted("@/etc/hostname")},
	{"dash at", posted("@-")},
	{"dash file", posted("-")},
	{"option", posted("--data-binary @/etc/hostname")},
	{"dash and newline", posted("-n\n")},
	{"percent", posted("100% %s %n %d\n%")},
	{"backslashes", posted("\\n \\000 \\x41 \\c\n\\")},
	{"equals sign", posted("=a")},
	{"tilde", posted("~root")},
	{"quotes in the body", posted("it's\n100% $HOME \\n `id` \"$(id)\" !!")},
	{"trailing newlines", posted("a\n\n\n")},
	{"only newlines", posted("\n\n")},
	{"one NUL", posted("\x00")},
	{"NUL", posted("a\x00b\x00")},
	{"digits behind a byte", posted("\x01234\x007")},
	{"all bytes", posted(allBytes())},
	{"UTF-8", posted(`{"n":"é ☕"}`)},
	{"UTF-8 with controls", posted("é\u0085\u202e\u2028\ufeff")},
	{"latin-1", posted("caf\xe9")},
	{"CR LF", posted("a\r\nb\r\n")},
	{"gzip", posted("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\xc8\x04\x00\xac*\x93\xd8\x02\x00\x00\x00", "Content-Encoding", "gzip", "Content-Length", "22")},
	{"chunked", posted("hello", "Transfer-Encoding", "chunked")},
	{"chunked in capitals", posted("hello\n", "Transfer-Encoding", "Chunked")},
	{"chunked and gzip", posted("\x1f\x8b", "Transfer-Encoding", "gzip, chunked")},
	{"chunked and nothing", posted("", "Transfer-Encoding", "chunked")},
	{"chunked and length", posted("hello", "Content-Length", "5", "Transfer-Encoding", "chunked")},
	{"long chunked", posted(strings.Repeat("0123456789abcde\n", 20000), "Transfer-Encoding", "chunked")},
	{"expect", posted("hello", "Expect", "100-continue", "Content-Length", "5")},
	{"expect something else", posted("hello", "Expect", "the unexpected")},
	{"kilobytes", posted(strings.Repeat("0123456789abcde ", 100))},
	{"long", posted(strings.Repeat("0123456789abcde ", 8192))},
	{"long word", posted(strings.Repeat("x", 64<<10))},
	{"megabytes", posted(strings.Repeat("0123456789abcde\x00", 128<<10))},
	{"PUT", func(r *flow.Request) { posted("x")(r); r.Method = "PUT" }},
	{"DELETE", func(r *flow.Request) { posted("x")(r); r.Method = "DELETE" }},

	{"HTTP/1.0", func(r *flow.Request) { r.HTTPVersion = "HTTP/1.0"; r.Headers = flow.Headers{} }},
	{"HTTP/1.0 with body", func(r *flow.Request) { posted("x", "Content-Length", "1")(r); r.HTTPVersion = "HTTP/1.0" }},
	{"HTTP/1.1 over TLS", secured(posted("x", "Content-Length", "1", "X-Case", "1"), "HTTP/1.1")},
	{"HTTP/1.0 over TLS", secured(posted("x", "Content-Length", "1", "X-Case", "1"), "HTTP/1.0")},
	{"TLS to another host", secured(func(r *flow.Request) { r.Host = "192.0.2.10" }, "HTTP/1.1")},
	{"HTTP/2 GET with length", secured(func(r *flow.Request) { r.Headers = flow.NewHeaders("content-length", "0") }, "HTTP/2.0")},
	{"HTTP/2", secured(func(r *flow.Request) {
		r.Headers = flow.NewHeaders("cookie", "a=1", "x-empty", "", "cookie", "b=2", "te", "trailers", "x", "é\xff")
	}, "HTTP/2.0")},
	{"HTTP/2 without TLS", func(r *flow.Request) {
		r.HTTPVersion, r.Authority, r.Headers = "HTTP/2.0", "example.com", flow.Headers{}
	}},
	{"HTTP/2 to another host", secured(func(r *flow.Request) { r.Host, r.Port, r.Headers = "192.0.2.10", 8443, flow.Headers{} }, "HTTP/2.0")},
	{"HTTP/2 with odd authority", secured(func(r *flow.Request) { r.Headers, r.Authority = flow.Headers{}, "Example.com:443" }, "HTTP/2.0")},
	{"HTTP/2 with equal host", secured(func(r *flow.Request) {}, "HTTP/2.0")},
	{"HTTP/2 with pseudo headers only", secured(func(r *flow.Request) {
		r.Authority, r.Headers = "", flow.NewHeaders(":method", "GET", ":authority", "example.com", ":scheme", "https", ":path", "/", "x", "y")
	}, "HTTP/2.0")},
	{"HTTP/2 body without length", secured(posted("a\x00b", "content-type", "x/y"), "HTTP/2.0")},
	{"HTTP/2 body with length", secured(posted("abc", "content-length", "3", "x", "y"), "HTTP/2.0")},
	{"HTTP/2 body with length last", secured(posted("abc", "content-length", "3"), "HTTP/2.0")},
	{"HTTP/2 empty body", secured(posted(""), "HTTP/2.0")},
	{"HTTP/2 long body", secured(posted(strings.Repeat("0123456789abcde\n", 100000)), "HTTP/2.0")},
	{"HTTP/2 odd path", secured(func(r *flow.Request) { r.Path = "/a b/../c#d" }, "HTTP/2.0")},
	{"HTTP/2 HEAD", secured(func(r *flow.Request) { r.Method = "HEAD" }, "HTTP/2.0")},
	{"HTTP/2 OPTIONS *", secured(func(r *flow.Request) { r.Method, r.Path = "OPTIONS", "*" }, "HTTP/2.0")},
}

func allBytes() string {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return string(b)
}

func posted(body string, headers ...string) func(r *flow.Request) {
	return func(r *flow.Request) {
		r.Method, r.Body = "POST", flow.NewBody([]byte(body))
		r.Headers = flow.NewHeaders(append([]string{"Host", "example.com"}, headers...)...)
	}
}

func secured(change func(r *flow.Request), version string) func(r *flow.Request) {
	return func(r *flow.Request) {
		r.Scheme, r.Port, r.HTTPVersion = "https", 443, version
		if version == "HTTP/2.0" {
			r.Authority = "example.com"
		}
		change(r)
		if version == "HTTP/2.0" && len(r.Headers.All()) > 0 && r.Method == "POST" {
			r.Headers.Del("Host")
		}
	}
}

// TestCurlDelivers runs the commands of hostile requests with curl in real shells
// and compares what a server receives.
func TestCurlDelivers(t *testing.T) {
	program(t, "curl")
	s := newServer(t)
	for _, sh := range posixShells {
		t.Run(sh, func(t *testing.T) {
			posixShell(t, sh)
			for _, tt := range hostile {
				t.Run(tt.name, func(t *testing.T) {
					f := request(tt.change)
					line, err := shell.AppendCurl(nil, f, nil)
					if err != nil {
						t.Fatal(err)
					}
					checkLine(t, line)
					got := s.run(t, sh, []string{string(line)})
					compare(t, sh, string(line), sent(f), got[0])
				})
			}
		})
	}
}

// checkLine checks what holds for every command.
func checkLine(t testing.TB, line []byte) {
	t.Helper()
	for _, r := range string(line) {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == 0xfffd {
			t.Fatalf("the command has the character %U: %.500q", r, line)
		}
	}
}

// httpFlows returns the HTTP flows of all dumps of testdata.
func httpFlows(t testing.TB) []*flow.HTTP {
	t.Helper()
	var out []*flow.HTTP
	for _, name := range flowtest.Dumps(t) {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { file.Close() })
		for f, err := range dumpfile.NewReader(file, nil).Flows() {
			if err != nil {
				break // some are damaged
			}
			if h, ok := f.(*flow.HTTP); ok {
				out = append(out, h)
			}
		}
	}
	return out
}

// TestCurlDeliversDumps does the same with the flows of all dumps of testdata.
func TestCurlDeliversDumps(t *testing.T) {
	program(t, "curl")
	var flows []*flow.HTTP
	var commands []string
	refused := map[string]int{}
	for _, f := range httpFlows(t) {
		line, err := shell.AppendCurl(nil, f, nil)
		if err != nil {
			refused[err.Error()]++
			continue
		}
		checkLine(t, line)
		if f.Request().IsHTTP3() || slices.Contains(commands, string(line)) {
			continue // curl is rarely built with HTTP/3
		}
		flows, commands = append(flows, f), append(commands, string(line))
	}
	t.Logf("%d commands; refused: %v", len(commands), refused)
	s := newServer(t)
	for _, sh := range posixShells {
		t.Run(sh, func(t *testing.T) {
			posixShell(t, sh)
			got := s.run(t, sh, commands)
			for i, f := range flows {
				compare(t, sh, commands[i], sent(f), got[i])
			}
		})
	}
}

// TestCurlRefuses checks what has no command.
func TestCurlRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, part, reason string
		change             func(r *flow.Request)
	}{
		{"CONNECT", "method", "tunnel", func(r *flow.Request) { r.Method, r.Authority = "CONNECT", "example.com:443" }},
		{"method with a blank", "method", "no token", func(r *flow.Request) { r.Method = "GET /" }},
		{"no method", "method", "no token", func(r *flow.Request) { r.Method = "" }},
		{"scheme", "scheme", "ftp", func(r *flow.Request) { r.Scheme = "ftp" }},
		{"version", "version", "HTTP/0.9", func(r *flow.Request) { r.HTTPVersion = "HTTP/0.9" }},
		{"HTTP/3 without TLS", "version", "https", func(r *flow.Request) { r.HTTPVersion = "HTTP/3" }},
		{"trailers", "trailers", "command line", func(r *flow.Request) { r.Trailers = flow.NewHeaders("x", "y") }},
		{"missing body", "body", "not recorded", func(r *flow.Request) { posted("", "Content-Length", "5")(r); r.Body = flow.Body{} }},
		{"HEAD with body", "method", "wait", func(r *flow.Request) { r.Method, r.Body = "HEAD", flow.NewBody([]byte("x")) }},
		{"length", `header "Content-Length"`, "5 bytes", posted("hello", "Content-Length", "6")},
		{"length of nothing", `header "Content-Length"`, "0 bytes", posted("", "Content-Length", "6")},
		{"lengths", `header "Content-Length"`, "5 bytes", posted("hello", "Content-Length", "5, 5")},
		{"length with sign", `header "Content-Length"`, "5 bytes", posted("hello", "Content-Length", "+5")},
		{"coding", `header "Transfer-Encoding"`, "leaves open", posted("hello", "Transfer-Encoding", "gzip")},
		{"coding in HTTP/1.0", `header "Transfer-Encoding"`, "HTTP/1.0", func(r *flow.Request) { posted("x", "Transfer-Encoding", "chunked")(r); r.HTTPVersion = "HTTP/1.0" }},
		{"header with line end", `header "X"`, "line end", func(r *flow.Request) { r.Headers.Add("X", "a\r\nY: b") }},
		{"header with LF", `header "X"`, "line end", func(r *flow.Request) { r.Headers.Add("X", "a\n b") }},
		{"header with CR", `header "X"`, "line end", func(r *flow.Request) { r.Headers.Add("X", "a\rb") }},
		{"header ending with LF", `header "X"`, "line end", func(r *flow.Request) { r.Headers.Add("X", "a\r\n") }},
		{"header with NUL", `header "X"`, "NUL", func(r *flow.Request) { r.Headers.Add("X", "a\x00b") }},
		{"header name with colon", `header "X:Y"`, "token", func(r *flow.Request) { r.Headers.Add("X:Y", "a") }},
		{"header name with at sign", `header "@/etc/passwd"`, "token", func(r *flow.Request) { r.Headers.Add("@/etc/passwd", "a") }},
		{"header name with blank", `header "X "`, "token", func(r *flow.Request) { r.Headers.Add("X ", "a") }},
		{"header without name", `header ""`, "token", func(r *flow.Request) { r.Headers.Add("", "a") }},
		{"pseudo header", `header ":path"`, "contradicts", func(r *flow.Request) { r.Headers.Add(":path", "/other") }},
		{"unknown pseudo header", `header ":x"`, "contradicts", func(r *flow.Request) { r.Headers.Add(":x", "") }},
		{"empty Connection", `header "Connection"`, "does not send", func(r *flow.Request) { r.Headers.Add("Connection", "") }},
		{"huge header", `header "X"`, "longer", func(r *flow.Request) { r.Headers.Add("X", strings.Repeat("x", 128<<10)) }},
		{"huge headers", "flow", "longer", func(r *flow.Request) {
			for range 6 {
				r.Headers.Add("X", strings.Repeat("x", 100<<10))
			}
		}},
		{"path with line end", "path", "line end", func(r *flow.Request) { r.Path = "/a\r\nb" }},
		{"path with NUL", "path", "NUL", func(r *flow.Request) { r.Path = "/a\x00b" }},
		{"no host", "host", "no URL", func(r *flow.Request) { r.Host, r.Headers = "", flow.Headers{} }},
		{"bad host", "host", "no URL", func(r *flow.Request) { r.Host, r.Headers = "a b", flow.Headers{} }},
		{"no port", "port", "0", func(r *flow.Request) { r.Port = 0 }},
		{"HTTP/2 with another host", `header "Host"`, ":authority", func(r *flow.Request) { r.HTTPVersion, r.Authority = "HTTP/2.0", "other.example" }},
		{"HTTP/2 with Connection", `header "connection"`, "does not exist", secured(posted("", "connection", "close"), "HTTP/2.0")},
		{"HTTP/2 with TE", `header "te"`, "trailers", secured(posted("", "te", "gzip"), "HTTP/2.0")},
		{"HTTP/2 with control", `header "x"`, "control", secured(posted("", "x", "a\x01"), "HTTP/2.0")},
		{"body beyond the limit", "body", "limit", posted(strings.Repeat("x", 2<<20))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := shell.AppendCurl([]byte("before"), request(tt.change), &shell.Options{MaxBody: 1 << 20})
			e, ok := errors.AsType[*shell.Error](err)
			if !ok || e.Format != shell.Curl || e.Part != tt.part || !strings.Contains(e.Err.Error(), tt.reason) {
				t.Errorf("got %q and error %v (%+v), want one of %s about %q", out, err, e, tt.part, tt.reason)
			}
			if string(out) != "before" {
				t.Errorf("dst became %q", out)
			}
		})
	}
}
