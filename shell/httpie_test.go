package shell_test

import (
	"cmp"
	"errors"
	"slices"
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
}

// asHTTPie returns what HTTPie makes of a request: the headers sorted by their
// names, without those that frame the body, in HTTP/1.1.
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
	}
	r.headers = slices.DeleteFunc(slices.Clone(r.headers), func(h flow.Header) bool { return strings.EqualFold(h.Name, "Content-Length") })
	for i := range r.headers {
		if h := &r.headers[i]; strings.EqualFold(h.Name, "Transfer-Encoding") || strings.EqualFold(h.Name, "Host") {
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
