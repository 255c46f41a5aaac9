package shell_test

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/shell"
)

// httpieRefuses are the hostile requests that HTTPie cannot send, with words of
// the reason.
var httpieRefuses = map[string]string{
	"no headers":                    "leave out the Host header",
	"two hosts":                     "repeat the Host header",
	"header with all bytes":         "UTF-8",
	"each control in a header":      "white space",
	"Unicode in a header":           "white space",
	"folded header":                 "line end",
	"lower case method":             "capital letters",
	"odd method":                    "capital letters",
	"M-SEARCH":                      "capital letters",
	"OPTIONS *":                     "one slash",
	"absolute form":                 "one slash",
	"absolute form of another host": "one slash",
	"globs":                         "encode or drop",
	"dots":                          "two digits in upper case",
	"slashes":                       "one slash",
	"all ASCII in the path":         "encode or drop",
	"blank in the path":             "encode or drop",
	"fragment":                      "encode or drop",
	"bytes in the path":             "encode or drop",
	"controls in the path":          "encode or drop",
	"escapes":                       "two digits in upper case",
	"backslash":                     "encode or drop",
	"no slash":                      "one slash",
	"query only":                    "one slash",
	"empty path":                    "one slash",
	"path like a host":              "one slash",
	"dash":                          "one slash",
	"chunked and gzip":              "other codings",
	"chunked and nothing":           "in chunks",
	"HTTP/1.0":                      "does not speak",
	"HTTP/1.0 with body":            "does not speak",
	"HTTP/1.0 over TLS":             "does not speak",
	"HTTP/2":                        "UTF-8",
	"HTTP/2 odd path":               "encode or drop",
	"HTTP/2 OPTIONS *":              "one slash",
	"backslash in a header":         "takes for an escape",
	"query that ends":               "question mark",
	"escapes in the query":          "escape in the query",
	"value like an option":          "begins with a dash",
	"name like an option":           "begins with a dash",
	"empty name like an option":     "begins with a dash",
	"name of dashes":                "begins with a dash",
	"content length of nothing":     "does not send with GET",
	"HEAD with length":              "does not send with HEAD",
	"OPTIONS with length":           "does not send with OPTIONS",
	"HTTP/2 GET with length":        "does not send with GET",
	"POST without body":             "adds it to POST",
	"DELETE without body":           "adds it to DELETE",
	"length with zeros":             "would write as 5",
	"length of nothing with zeros":  "would write as 0",
	"length twice":                  "sends it once",
	"lengths of nothing":            "sends it once",
	"chunked and length":            "only one of them",
	"TLS to another host":           "one name for both",
	"HTTP/2 to another host":        "one name for both",
}

// asHTTPie returns what HTTPie makes of a request: the headers sorted by their
// names, in HTTP/1.1, where a method that may have a body says that it has none.
func asHTTPie(r received) received {
	if r.version == "HTTP/2.0" {
		r.version, r.scheme = "HTTP/1.1", ""
		r.headers = append(r.headers, flow.Header{Name: "Host", Value: r.authority})
		r.authority = ""
		cookies := []string{}
		for _, h := range r.headers {
			if h.Name == "cookie" {
				cookies = append(cookies, h.Value)
			}
		}
		if len(cookies) > 0 {
			r.headers = slices.DeleteFunc(r.headers, func(h flow.Header) bool { return h.Name == "cookie" })
			r.headers = append(r.headers, flow.Header{Name: "cookie", Value: strings.Join(cookies, "; ")})
		}
		isLength := func(h flow.Header) bool { return h.Name == "content-length" }
		if len(r.body) == 0 && !slices.Contains([]string{"GET", "HEAD", "OPTIONS"}, r.method) && !slices.ContainsFunc(r.headers, isLength) {
			r.headers = append(r.headers, flow.Header{Name: "content-length", Value: "0"})
		}
	}
	r.headers = slices.Clone(r.headers)
	for i := range r.headers {
		switch h := &r.headers[i]; strings.ToLower(h.Name) {
		case "content-length", "transfer-encoding", "host":
			h.Name, h.Value = strings.ToLower(h.Name), strings.ToLower(h.Value)
		}
	}
	slices.SortStableFunc(r.headers, func(a, b flow.Header) int {
		return cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return r
}

// TestHTTPieDelivers runs the commands of hostile requests with HTTPie.
func TestHTTPieDelivers(t *testing.T) {
	program(t, "http")
	program(t, "dash")
	if testing.Short() {
		t.Skip("HTTPie is slow")
	}
	s := newServer(t)
	for _, tt := range hostile {
		t.Run(tt.name, func(t *testing.T) {
			f := request(tt.change)
			line, err := shell.AppendHTTPie(nil, f, nil)
			if err != nil {
				return
			}
			checkLine(t, line)
			got := s.run(t, "dash", []string{string(line)})
			compare(t, "dash", string(line), asHTTPie(sent(f)), asHTTPie(got[0]))
		})
	}
}

// TestHTTPieRefuses checks which of the hostile requests HTTPie cannot send.
func TestHTTPieRefuses(t *testing.T) {
	for _, tt := range hostile {
		t.Run(tt.name, func(t *testing.T) {
			_, err := shell.AppendHTTPie(nil, request(tt.change), nil)
			reason, refused := httpieRefuses[tt.name]
			if !refused {
				if err != nil {
					t.Error(err)
				}
				return
			}
			e, ok := errors.AsType[*shell.Error](err)
			if !ok || e.Format != shell.HTTPie || !strings.Contains(err.Error(), reason) {
				t.Errorf("got error %v, want one about %q", err, reason)
			}
		})
	}
}

// TestHTTPieConnects: the URL names the server that the request went to, and the
// Host header is that of the request.
func TestHTTPieConnects(t *testing.T) {
	to := func(scheme, host string, port int, header string) func(r *flow.Request) {
		return func(r *flow.Request) {
			r.Scheme, r.Host, r.Port, r.Headers = scheme, host, port, flow.NewHeaders("Host", header)
		}
	}
	for _, tt := range []struct {
		name   string
		change func(r *flow.Request)
		words  []string // the URL, and the item for the Host header if there is one
	}{
		{"the same", to("http", "example.com", 80, "example.com"), []string{"http://example.com/"}},
		{"in another case", to("https", "EXAMPLE.com", 443, "example.com"), []string{"https://example.com/"}},
		{"port without saying so", to("http", "example.com", 8080, "example.com"), []string{"http://example.com:8080/", "Host: example.com"}},
		{"address", to("http", "192.0.2.10", 8080, "example.com"), []string{"http://192.0.2.10:8080/", "Host: example.com"}},
		{"IPv6 address", to("http", "2001:db8::1", 80, "example.com"), []string{"http://[2001:db8::1]/", "Host: example.com"}},
		{"another name", to("http", "front.example", 80, "example.com:80"), []string{"http://front.example/", "Host: example.com:80"}},
		{"Unicode", to("http", "bücher.example", 80, "example.com"), []string{"http://xn--bcher-kva.example/", "Host: example.com"}},
		{"another port", to("http", "example.com", 80, "example.com:8443"), []string{"http://example.com/", "Host: example.com:8443"}},
		{"another port over TLS", to("https", "example.com", 444, "example.com:443"), []string{"https://example.com:444/", "Host: example.com:443"}},
		{"no name over TLS", to("https", "example.com", 443, "a b"), []string{"https://example.com/", "Host: a b"}},
		{"address in TLS", to("https", "192.0.2.10", 443, "example.com"), nil},
		{"another name in TLS", to("https", "front.example", 443, "example.com"), nil},
		{"no port", to("http", "front.example", 0, "example.com:80"), nil},
		{"port beyond all", to("http", "front.example", 65536, "example.com:80"), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			line, err := shell.AppendHTTPie(nil, request(tt.change), nil)
			if err != nil {
				if _, ok := errors.AsType[*shell.Error](err); !ok || tt.words != nil {
					t.Fatal(err)
				}
				return
			}
			args, _ := parse(t, string(line))
			got := slices.DeleteFunc(args, func(arg string) bool {
				return !strings.Contains(arg, "://") && !strings.HasPrefix(arg, "Host")
			})
			if !slices.Equal(got, tt.words) {
				t.Errorf("got %q, want %q", got, tt.words)
			}
		})
	}
}

// FuzzHTTPie: the words of a command for HTTPie say what the request says,
// whatever is in it, and go to where it went. None of them is an option but those
// of this package.
func FuzzHTTPie(f *testing.F) {
	f.Add("GET", "/", "X", "v", []byte(nil), uint8(0))
	f.Add("GET", "/", "-oPWNED", "", []byte(nil), uint8(0))
	f.Add("DELETE", "/-o", "--offline", "", []byte("-o"), uint8(1))
	f.Add("POST", "/a/%41/../b?c", "Content-Length", "3", []byte("a\x00b"), uint8(0))
	f.Add("HEAD", "/", "Content-Length", "0", []byte(nil), uint8(2))
	f.Add("PUT", "/", "Content-Length", "03", []byte("abc"), uint8(1))
	f.Add("PUT", "/", "Host", "other.example:81", []byte("@/etc/hostname"), uint8(4))
	f.Add("GET", "/", "X", "other.example", []byte(nil), uint8(5))
	f.Add("POST", "/", "Transfer-Encoding", "chunked", []byte("x"), uint8(0))
	f.Add("POST", "/", "Content-Type", "", []byte(nil), uint8(2))
	fuzzCommand(f, shell.AppendHTTPie, func(t *testing.T, line string, fl *flow.HTTP, args []string, stdin []byte) {
		compare(t, "model", line, asHTTPie(sent(fl)), asHTTPie(httpieSends(t, args, stdin)))
	})
}

// httpieSends is a model of HTTPie: the request that a command sends. It has to go
// to example.com.
func httpieSends(t testing.TB, args []string, stdin []byte) received {
	t.Helper()
	r := received{version: "HTTP/1.1", body: stdin}
	chunked, ignored := false, false
	i := 1
	for ; strings.HasPrefix(args[i], "-"); i++ {
		raw, isRaw := strings.CutPrefix(args[i], "--raw=")
		switch {
		case isRaw:
			r.body = []byte(raw)
		case args[i] == "--ignore-stdin":
			ignored = true
		case args[i] == "--chunked":
			chunked = true
		case args[i] != "--path-as-is":
			t.Fatalf("option %q", args[i])
		}
	}
	if ignored != (stdin == nil) {
		t.Fatalf("a body from standard input: %v, ignored: %v", stdin != nil, ignored)
	}
	r.method = args[i]
	_, rest, _ := strings.Cut(args[i+1], "://")
	authority, path, _ := strings.Cut(rest, "/")
	if !strings.EqualFold(authority, "example.com") {
		t.Fatalf("goes to %q", authority)
	}
	r.target = "/" + path
	named := map[string]bool{}
	for _, item := range args[i+2:] {
		end := strings.IndexAny(item, ":;")
		if end < 0 || strings.HasPrefix(item, "-") {
			t.Fatalf("no header: %q", item)
		}
		name, value := item[:end], strings.Trim(item[end+1:], " \t")
		if value != "" || item[end] == ';' {
			r.headers = append(r.headers, flow.Header{Name: name, Value: value})
		}
		named[strings.ToLower(name)] = true
	}
	for _, name := range []string{"User-Agent", "Accept", "Accept-Encoding", "Connection", "Content-Type"} {
		if !named[strings.ToLower(name)] && (name != "Content-Type" || len(r.body) > 0) {
			t.Fatalf("HTTPie adds %s", name)
		}
	}
	if !named["host"] {
		r.headers = append(r.headers, flow.Header{Name: "Host", Value: authority})
	}
	switch {
	case chunked:
		r.headers = append(r.headers, flow.Header{Name: "Transfer-Encoding", Value: "chunked"})
	case len(r.body) > 0 || !slices.Contains([]string{"GET", "HEAD", "OPTIONS"}, r.method):
		r.headers = append(r.headers, flow.Header{Name: "Content-Length", Value: strconv.Itoa(len(r.body))})
	}
	return r
}
