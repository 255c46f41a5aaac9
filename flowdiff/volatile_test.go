package flowdiff_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/flowdiff"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

// TestVolatileDocs compares the table in docs/diff.md with that of this package.
func TestVolatileDocs(t *testing.T) {
	_, section, ok := strings.Cut(string(flowtest.Read(t, "../docs/diff.md")), "\n| what any two captures have | paths |\n")
	if !ok {
		t.Fatal("docs/diff.md has no table of what --ignore-defaults leaves out")
	}
	table, _, _ := strings.Cut(section, "\n\n")
	var docs []string
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(table, -1) {
		docs = append(docs, m[1])
	}
	if d := cmp.Diff(flowdiff.VolatilePaths(), docs); d != "" {
		t.Errorf("-package +document\n%s", d)
	}
}

func TestVolatilePaths(t *testing.T) {
	p := paths(t, flowdiff.VolatilePaths()...)
	for path, want := range map[state.Path]bool{
		"/id":                                        true,
		"/client_conn/id":                            true,
		"/server_conn/timestamp_tls_setup":           true,
		"/websocket/messages/3/timestamp":            true,
		"/error/timestamp":                           true,
		"/client_conn/peername/1":                    true,
		"/client_conn/peername/0":                    false,
		"/server_conn/sockname/1":                    true,
		"/server_conn/peername/1":                    false, // the port of the server
		"/server_conn/address/1":                     false,
		"/response/headers/x-amzn-requestid":         true,
		"/response/headers/x-amz-request-id":         true,
		"/response/headers/x-amz-id-2":               true,
		"/request/headers/x-amzn-trace-id":           true,
		"/request/headers/x-request-id":              true,
		"/request/headers/x-correlation-id":          true,
		"/request/headers/traceparent":               true,
		"/request/headers/tracestate":                true,
		"/response/headers/cf-ray":                   true,
		"/response/headers/x-github-request-id":      true,
		"/response/headers/x-ms-request-id":          true,
		"/response/headers/set-cookie":               false,
		"/response/headers/last-modified":            false,
		"/metadata/timestamp_of_review":              false,
		"/metadata/id":                               false,
		"/request/query/id":                          false,
		"/response/content/headers/x-amz-request-id": false,
	} {
		if got := p.Match(path); got != want {
			t.Errorf("%s: %t", path, got)
		}
	}
}

// What looks generated in the values of cookies is left out, and nothing else is.
func TestVolatileCookies(t *testing.T) {
	for _, tt := range []struct {
		name, a, b string
		same       bool
	}{
		{"session in hexadecimal digits", "5f60eccf0c94ef14", "6bbb652e5704b888", true},
		{"UUID", "550e8400-e29b-41d4-a716-446655440000", "0b9c2f66-31a5-4b7e-9d0c-2f1b1f0e7a55", true},
		{"session of PHP", "3qv8k2l1m0n9b7c6x5z4a3s2d1", "p0o9i8u7y6t5r4e3w2q1a2s3d4", true},
		{"base64", "Zm9v4bSx+92/kQpL0aXe7w==", "aB3dE5fG7hI9jK1lM3nO5w==", true},
		{"base64 with other padding", "Zm9v4bSx92kQpL0aXe7w8==", "aB3dE5fG7hI9jK1lM3nO5p7=", true},
		{"with a signature", "s%3AhV2k9QpLx7Zr3TnW8yBc.uJ4mN6bV8cX1zL3kQ5wE", "s%3AaQ1wS2eD3rF4tG5yH6uJ.p0O9i8U7y6T5r4E3w2Q1", true},
		{"JWT", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.abc_DEF", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJiIn0.xyz-123", true},
		{"time in seconds", "1700000000", "1800000001", true},
		{"time in milliseconds and a counter", "v2.1700000000123.1", "v2.1800000000123.1", true},
		{"another counter", "v2.1700000000123.1", "v2.1800000000123.2", false},
		{"with a word in front", "sess_5f60eccf0c94ef14", "sess_6bbb652e5704b888", true},
		{"with another word in front", "user-5f60eccf0c94ef14", "admin-6bbb652e5704b888", false},
		{"with another word behind", "5f60eccf0c94ef14-dark", "6bbb652e5704b888-light", false},
		{"another separator", "5f60eccf0c94ef14.x", "6bbb652e5704b888:x", false},
		{"a generated value and none", "5f60eccf0c94ef14", "deleted", false},
		{"a generated value and an empty one", "5f60eccf0c94ef14", "", false},

		{"words", "dark-theme-compact-layout-2", "light-theme-compact-layout-3", false},
		{"words with capitals", "showWelcomeBanner2024", "hideWelcomeBanner2025", false},
		{"words without digits", "a-long-list-of-plain-words", "another-list-of-plain-words", false},
		{"languages", "en-US,de-DE,fr-FR,es-ES,it-IT", "en-US,de-DE,fr-FR,es-ES,pt-BR", false},
		{"a path", "/shop/items/2024/winter-sale-v2", "/shop/items/2024/summer-sale-v1", false},
		{"escaped JSON", "%7B%22theme%22%3A%22dark1%22%7D", "%7B%22theme%22%3A%22light%22%7D", false},
		{"base64 of JSON", "eyJ0aGVtZSI6ImRhcmsxMjMiLCJhIjoxfQ==", "eyJ0aGVtZSI6ImxpZ2h0NDU2IiwiYSI6MX0=", false},
		{"a number", "123456789", "223456789", false},
		{"a date", "2026-11-21", "2026-11-22", false},
		{"short", "a1b2c3d4", "d4c3b2a1", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := newExchange(t)
			set := func(value string) *state.Map {
				x.req.Headers.Set("Cookie", "theme=dark; v="+value)
				x.resp.Headers.All()[1].Value = "v=" + value + "; Path=/"
				return x.f.GetState()
			}
			a, b := set(tt.a), set(tt.b)
			var want []string
			if !tt.same {
				want = []string{"/request/cookies/v", "/response/cookies/v"}
			}
			var got []string
			for _, c := range diff(t, a, b, &flowdiff.Options{IgnoreDefaults: true}) {
				got = append(got, string(c.Path))
				// What is reported is the value, not what was compared.
				if c.Path == "/request/cookies/v" && (short(c.Old) != short(state.Bytes([]byte(tt.a))) || short(c.New) != short(state.Bytes([]byte(tt.b)))) {
					t.Errorf("%s -> %s", c.Old, c.New)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("changes %q, want %q", got, want)
			}
			check(t, a, b)
		})
	}
}

// How long a cookie lives is volatile, what else is said of it is not; and of cookies
// in requests, neither the order nor the number of lines matters.
func TestVolatileCookieAttributes(t *testing.T) {
	x := newExchange(t)
	a := x.f.GetState()
	opts := &flowdiff.Options{IgnoreDefaults: true}
	x.resp.Headers.All()[1].Value = "sid=1; Path=/; max-age=3; Expires=Sun, 22 Nov 2026 05:32:21 GMT"
	x.req.Headers.Set("Cookie", "theme=dark; sid=1")
	if got := describe(diff(t, a, x.f.GetState(), opts)); got != nil {
		t.Errorf("%q", got)
	}
	x.req.Headers.Set("Cookie", "theme=dark")
	x.req.Headers.Add("Cookie", "sid=1")
	if got := describe(diff(t, a, x.f.GetState(), opts)); got != nil {
		t.Errorf("%q", got)
	}
	x.resp.Headers.All()[1].Value = "sid=1; Path=/; Secure"
	want := []string{`changed /response/cookies/sid: b"sid=1; Path=/" -> b"sid=1; Path=/; Secure"`}
	if got := describe(diff(t, a, x.f.GetState(), opts)); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// What a cookie means does count: whether it is set or deleted, whatever is volatile
// in the line.
func TestVolatileCookieDeleted(t *testing.T) {
	const date, past, future = "Sun, 22 Nov 2026 05:32:21 GMT", "Sat, 21 Nov 2026 05:32:21 GMT", "Mon, 23 Nov 2026 05:32:21 GMT"
	for _, tt := range []struct {
		name, date, a, b string
		same             bool
	}{
		{"no attributes on one side", date, "a=1; Expires=" + future, "a=1", true},
		{"a semicolon", date, "a=1; Path=/;", "a=1; Max-Age=1; Path=/", true},
		{"both delete it", date, "a=1; Expires=" + past, "a=1; Max-Age=0", true},
		{"age of nothing", date, "a=1; Max-Age=100", "a=1; Max-Age=0", false},
		{"negative age", date, "a=1; Max-Age=100", "a=1; max-age=-1", false},
		{"no age", date, "a=1; Max-Age=100", "a=1; max-age=soon", true},
		{"expired", date, "a=1; Expires=" + future, "a=1; expires=" + past, false},
		{"expired with dashes", date, "a=1", "a=1; expires=Sat, 21-Nov-2026 05:32:21 GMT", false},
		{"expired with a short year", date, "a=1", "a=1; expires=Thu, 01-Jan-70 00:00:01 GMT", false},
		{"expired on a day of one digit", date, "a=1", "a=1; expires=Thu, 1 Jan 1970 00:00:00 GMT", false},
		{"expired on a day of one digit, with dashes", date, "a=1", "a=1; expires=Thursday, 1-Jan-70 00:00:00 GMT", false},
		{"expired on a day with a space", date, "a=1", "a=1; expires=Thu Jan  1 00:00:00 1970", false},
		{"alive on a day of one digit", date, "a=1", "a=1; expires=Thu, 1 Jan 2070 00:00:00 GMT", true},
		{"expired long ago, at no time", "", "a=1", "a=1; expires=Thu, 01 Jan 1970 00:00:00 GMT", false},
		{"expired when the proxy got it", "", "a=1", "a=1; expires=" + past, false},
		{"alive when the proxy got it", "", "a=1", "a=1; expires=" + future, true},
		{"expired, but with an age", date, "a=1", "a=1; Max-Age=5; Expires=" + past, true},
		{"a generated value", date, "a=5f60eccf0c94ef14; Max-Age=5", "a=6bbb652e5704b888; Max-Age=0", false},
	} {
		x := newExchange(t)
		if tt.date != "" {
			x.resp.Headers.Set("Date", tt.date)
		}
		x.resp.TimestampStart = flow.Seconds(1795325541) // 2026-11-22
		x.resp.Headers.All()[1].Value = tt.a
		a := x.f.GetState()
		x.resp.Headers.All()[1].Value = tt.b
		b := x.f.GetState()
		var want []string
		if !tt.same {
			want = []string{"/response/cookies/a"}
		}
		var got []string
		for _, c := range diff(t, a, b, &flowdiff.Options{IgnoreDefaults: true}) {
			got = append(got, string(c.Path))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q", tt.name, got)
		}
		check(t, a, b)
	}
}

// The order of cookies in requests is volatile, also of those with the same name.
func TestVolatileCookieOrder(t *testing.T) {
	x := newExchange(t)
	x.req.Headers.Set("Cookie", "a=1; a=2; b=3; a=4")
	a := x.f.GetState()
	x.req.Headers.Set("Cookie", "b=3; a=4; a=2; a=1")
	b := x.f.GetState()
	if got := describe(diff(t, a, b, &flowdiff.Options{IgnoreDefaults: true})); got != nil {
		t.Errorf("%q", got)
	}
	check(t, a, b)
}
