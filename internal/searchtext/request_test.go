package searchtext

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/internal/flowtest"
)

// newRequest returns a request for /p with a Host header, if host is not empty.
func newRequest(scheme, host string) Request {
	return Request{
		Method: []byte("GET"), Scheme: []byte(scheme), Path: []byte("/p"), HTTPVersion: []byte("HTTP/1.1"),
		Host: []byte("192.0.2.1"), Port: 8080, HostHeader: []byte(host),
	}
}

func TestPrettyURL(t *testing.T) {
	with := func(r Request, change func(r *Request)) Request {
		change(&r)
		return r
	}
	h2 := func(scheme, authority, host string) Request {
		return with(newRequest(scheme, host), func(r *Request) {
			r.HTTPVersion, r.Authority = []byte("HTTP/2.0"), []byte(authority)
		})
	}
	for _, tt := range []struct {
		name      string
		r         Request
		url, host string
	}{
		{"host header", newRequest("http", "a.example"), "http://a.example/p", "a.example"},
		{"no host header", newRequest("http", ""), "http://192.0.2.1:8080/p", "192.0.2.1"},
		{"no host header, default port", with(newRequest("http", ""), func(r *Request) { r.Port = 80 }), "http://192.0.2.1/p", "192.0.2.1"},
		{"the other port", newRequest("https", "a.example:80"), "https://a.example:80/p", "a.example"},
		{"default port", newRequest("http", "a.example:80"), "http://a.example/p", "a.example"},
		{"leading zero", newRequest("http", "a.example:08080"), "http://a.example:8080/p", "a.example"},
		{"port 0", newRequest("http", "a.example:0"), "http://a.example/p", "a.example"},
		{"no port", newRequest("http", "a.example:"), "http://a.example:/p", "a.example:"},
		{"port too large", newRequest("http", "a.example:99999"), "http://a.example:99999/p", "a.example:99999"},
		{"no host name", newRequest("http", "bad host!:80"), "http://bad host!:80/p", "bad host!:80"},
		{"IPv6", newRequest("http", "[2001:db8::1]:8080"), "http://2001:db8::1:8080/p", "2001:db8::1"},
		{"two fields", newRequest("http", "a, b:81"), "http://a, b:81/p", "a, b:81"},
		{"ftp", with(newRequest("ftp", "f"), func(r *Request) { r.Port = 21 }), "ftp://f:443/p", "f"},
		{"ftp, no host header", with(newRequest("ftp", ""), func(r *Request) { r.Host, r.Port = []byte("f"), 21 }), "ftp://f:21/p", "f"},
		{"scheme in upper case", newRequest("HTTP", "a"), "HTTP://a:443/p", "a"},
		{"asterisk", with(newRequest("http", "a"), func(r *Request) { r.Method, r.Path = []byte("OPTIONS"), []byte("*") }), "http://a", "a"},
		{"connect", with(newRequest("http", "b"), func(r *Request) { r.Method, r.Authority = []byte("CONNECT"), []byte("a:443") }), "a:443", "b"},
		{"connect without authority", with(newRequest("http", "b"), func(r *Request) { r.Method = []byte("cOnNect") }), "", "b"},
		{"authority", h2("https", "xn--mnchen-3ya.de", ""), "https://münchen.de/p", "münchen.de"},
		{"authority and host header", h2("https", "a:1", "b:2"), "https://a:1/p", "a"},
		{"no authority", h2("https", "", "b:2"), "https://b:2/p", "b"},
		{"authority of HTTP/3", with(h2("https", "a", "b"), func(r *Request) { r.HTTPVersion = []byte("HTTP/3") }), "https://a/p", "a"},
		{"authority of HTTP/2", with(h2("https", "a", "b"), func(r *Request) { r.HTTPVersion = []byte("HTTP/2") }), "https://b/p", "b"},
		{"authority of HTTP/1", with(h2("https", "a", "b"), func(r *Request) { r.HTTPVersion = []byte("HTTP/1.1") }), "https://b/p", "b"},
		{"punycode in a host header", newRequest("http", "xn--mnchen-3ya.de"), "http://xn--mnchen-3ya.de/p", "xn--mnchen-3ya.de"},
		{"path bytes", with(newRequest("http", "a"), func(r *Request) { r.Path = []byte("/\xff") }), "http://a/\xff", "a"},
		{"no scheme", with(newRequest("", ""), func(r *Request) { r.Port = -1 }), "://192.0.2.1:-1/p", "192.0.2.1"},
	} {
		if got := string(tt.r.AppendPrettyURL(nil)); got != tt.url {
			t.Errorf("%s: URL %q, want %q", tt.name, got, tt.url)
		}
		if got := string(tt.r.PrettyHost()); got != tt.host {
			t.Errorf("%s: host %q, want %q", tt.name, got, tt.host)
		}
	}
}

func TestPrettyURLAllocs(t *testing.T) {
	buf := make([]byte, 0, 256)
	for _, host := range []string{"", "www.example.com", "www.example.com:8443"} {
		r := newRequest("https", host)
		if n := testing.AllocsPerRun(100, func() { buf = r.AppendPrettyURL(buf[:0]) }); n != 0 {
			t.Errorf("Host %q: %v allocations", host, n)
		}
	}
}

func TestRequestOracle(t *testing.T) {
	python := flowtest.Oracle(t)
	rnd := rand.New(rand.NewPCG(5, 6))
	pick := func(list ...string) string { return list[rnd.IntN(len(list))] }
	var questions []question
	var requests []Request
	for range 20000 {
		r := Request{
			Method:      []byte(pick("GET", "GET", "GET", "OPTIONS", "CONNECT", "connect", "Connect", "CONNECT ", "\xff", "CONNE\u00c7T", "")),
			Scheme:      []byte(pick("http", "https", "https", "ftp", "HTTP", "ws", "", "\xff")),
			Path:        []byte(pick("/", "/p?q#f", "*", "", "/*", "http://x/", "/\xff\xc3\xa9")),
			HTTPVersion: []byte(pick("HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/2.0", "HTTP/3", "HTTP/2", "http/2.0", "")),
			Host:        []byte(pick("a.example", "192.0.2.1", "2001:db8::1", "münchen.de", "")),
			Port:        []int64{80, 443, 8080, 0, -1, 1 << 40, 65536}[rnd.IntN(7)],
		}
		if rnd.IntN(2) == 0 {
			r.Authority = []byte(randomHost(rnd))
		}
		var joined Joined
		headers := []string{}
		for range rnd.IntN(3) {
			value := randomHost(rnd)
			headers = append(headers, b64(value))
			joined.Add([]byte(value))
		}
		r.HostHeader = joined.Value()
		requests = append(requests, r)
		questions = append(questions, question{
			"urls", b64(r.Method), b64(r.Scheme), b64(r.Authority), b64(r.Path), b64(r.HTTPVersion), b64(r.Host), r.Port, headers,
		})
	}
	for i, answer := range ask(t, python, questions) {
		if class := failed(answer); class != "" {
			t.Errorf("%v: mitmproxy raises %s", &requests[i], class)
			continue
		}
		want := texts(t, answer)
		url, host := string(requests[i].AppendPrettyURL(nil)), string(requests[i].PrettyHost())
		if url != want[0] || host != want[1] {
			t.Errorf("%v: %q and %q, want %q", &requests[i], url, host, want)
		}
	}
}

func FuzzPrettyURL(f *testing.F) {
	f.Add([]byte("GET"), []byte("http"), []byte("a"), []byte("/"), []byte("HTTP/2.0"), []byte("h"), int64(80), []byte("b:80"))
	f.Add([]byte("CONNECT"), []byte(""), []byte("xn--mnchen-3ya.de"), []byte("*"), []byte(""), []byte(""), int64(-1), []byte(""))
	f.Fuzz(func(t *testing.T, method, scheme, authority, path, version, host []byte, port int64, header []byte) {
		r := Request{method, scheme, authority, path, version, host, port, header}
		const before = "before"
		got := string(r.AppendPrettyURL([]byte(before)))
		url, ok := strings.CutPrefix(got, before)
		if !ok {
			t.Fatalf("%q does not begin with %q", got, before)
		}
		if strings.EqualFold(string(method), "CONNECT") {
			if url != string(Authority(authority)) {
				t.Errorf("%v: %q", &r, url)
			}
			return
		}
		if !strings.HasPrefix(url, string(scheme)+"://"+string(r.PrettyHost())) {
			t.Errorf("%v: %q", &r, url)
		}
	})
}

func BenchmarkPrettyURL(b *testing.B) {
	for _, bb := range []struct {
		name string
		r    Request
	}{
		{"host", newRequest("https", "www.example.com")},
		{"port", newRequest("https", "www.example.com:8443")},
		{"none", newRequest("https", "")},
		{"ipv6", newRequest("https", "[2001:db8::1]:8443")},
		{"unicode", newRequest("https", "www.münchen.de:8443")},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			buf := make([]byte, 0, 256)
			for b.Loop() {
				buf = bb.r.AppendPrettyURL(buf[:0])
			}
		})
	}
	b.Run("punycode", func(b *testing.B) {
		b.ReportAllocs()
		r := newRequest("https", "")
		r.HTTPVersion, r.Authority = []byte("HTTP/2.0"), []byte("xn--mnchen-3ya.de")
		buf := make([]byte, 0, 256)
		for b.Loop() {
			buf = r.AppendPrettyURL(buf[:0])
		}
	})
}

// String makes failures readable.
func (r *Request) String() string {
	return fmt.Sprintf("%q %q %q %q %q %q %d %q", r.Method, r.Scheme, r.Authority, r.Path, r.HTTPVersion, r.Host, r.Port, r.HostHeader)
}
