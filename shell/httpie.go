package shell

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/flowtool/flowtool/flow"
)

// AppendHTTPie appends a command that sends the request of f with HTTPie; the
// package documentation says how. There is no line end behind it. The error is an
// [*Error] with the reason why there is no such command; dst is then returned as
// it was.
func AppendHTTPie(dst []byte, f *flow.HTTP, opts *Options) ([]byte, error) {
	o := opts.withDefaults()
	c, err := httpieCommand(f, &o)
	if err != nil {
		return result(dst, nil, HTTPie, err)
	}
	out, err := c.append(dst)
	return result(dst, out, HTTPie, err)
}

func httpieCommand(f *flow.HTTP, opts *Options) (*command, error) {
	r, err := newRequest(f, opts)
	if err != nil {
		return nil, err
	}
	if r.version == http10 {
		return nil, fail("version", "is HTTP/1.0, which HTTPie does not speak")
	}
	if strings.Trim(r.method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return nil, fail("method", "is %.40q, while HTTPie sends capital letters only", r.method)
	}
	if err := checkHTTPieFraming(r); err != nil {
		return nil, err
	}
	if err := connectHTTPie(r); err != nil {
		return nil, err
	}
	c := &command{}
	c.add("http")
	switch {
	case len(r.body) == 0:
		c.add("--ignore-stdin")
	case inline(r.body):
		c.add("--ignore-stdin")
		c.addPart("body", "--raw="+string(r.body))
	default:
		c.stdin = r.body
	}
	if r.chunked {
		c.add("--chunked")
	}
	asIs, err := httpieTarget(r.target)
	if err != nil {
		return nil, &Error{Part: "path", Err: err}
	}
	if asIs {
		c.add("--path-as-is")
	}
	c.add(r.method)
	c.addPart("path", r.scheme+"://"+r.hostPort()+r.target)
	return c, c.httpieHeaders(r)
}

// checkHTTPieFraming tells why HTTPie, which frames the body itself, would frame
// it in another way.
func checkHTTPieFraming(r *request) error {
	lengths := slices.Collect(r.headers.Values("Content-Length"))
	part := header("Content-Length")
	if r.chunked {
		coding := r.headers.Get("Transfer-Encoding")
		switch {
		case len(r.body) == 0:
			return fail("body", "is empty, which HTTPie does not send in chunks")
		case !strings.EqualFold(coding, "chunked"):
			return fail(header("Transfer-Encoding"), "is %.40q, while HTTPie sends chunks without other codings", coding)
		case len(lengths) > 0:
			return fail(part, "is there besides Transfer-Encoding, while HTTPie sends only one of them")
		}
		return nil
	}
	// Of a request without a body HTTPie says so, but for these methods.
	silent := len(r.body) == 0 && (r.method == "GET" || r.method == "HEAD" || r.method == "OPTIONS")
	switch {
	case len(lengths) > 1:
		return fail(part, "is there twice, while HTTPie sends it once")
	case len(lengths) == 1 && silent:
		return fail(part, "is 0, which HTTPie does not send with %s", r.method)
	case len(lengths) == 1 && lengths[0] != strconv.Itoa(len(r.body)):
		return fail(part, "is %.40q, which HTTPie would write as %d", lengths[0], len(r.body))
	case len(lengths) == 0 && len(r.body) == 0 && !silent && !r.version.binary():
		return fail(part, "is missing, while HTTPie adds it to %s", r.method)
	}
	return nil
}

// connectHTTPie makes the URL of r name the server that the request went to, as
// HTTPie has no other way to say it. The name in the URL is also the one that is
// asked for in TLS, so there it has to be that of the Host header.
func connectHTTPie(r *request) error {
	host, elsewhere := r.elsewhere()
	if !elsewhere {
		return nil
	}
	port := r.flow.Request().Port
	if port < 1 || port > 65535 {
		return fail("port", "is %d", port)
	}
	if r.scheme == "https" && !strings.EqualFold(host, r.name) {
		return fail("host", "is %.80q and not that of the Host header, while HTTPie has one name for both in TLS", host)
	}
	r.name, r.port = host, port
	return nil
}

// httpieHeaders adds the headers. The order is that of the request; HTTPie has
// its own.
func (c *command) httpieHeaders(r *request) error {
	h := &r.headers
	if r.version.binary() {
		r.joinCookies()
		if r.authority != "" && !h.Has("Host") {
			h.Add("Host", r.authority)
		}
	}
	if !h.Has("Host") {
		return fail("host", "is not named, while HTTPie cannot leave out the Host header")
	}
	if len(slices.Collect(h.Values("Host"))) > 1 {
		return fail(header("Host"), "is there twice, while HTTPie cannot repeat the Host header")
	}
	for _, line := range h.All() {
		switch strings.ToLower(line.Name) {
		case "content-length", "transfer-encoding":
			continue
		case "host":
			if line.Value == r.hostHeader() {
				continue
			}
		}
		if strings.HasPrefix(line.Name, "-") {
			return fail(header(line.Name), "begins with a dash, which HTTPie takes for an option")
		}
		if err := checkHTTPieValue(line.Value); err != nil {
			return &Error{Part: header(line.Name), Err: err}
		}
		item := line.Name + ": " + line.Value
		if strings.Trim(line.Value, " \t") == "" {
			item = line.Name + ";"
		}
		c.addPart(header(line.Name), item)
	}
	for _, name := range []string{"User-Agent", "Accept", "Accept-Encoding", "Connection", "Content-Type"} {
		if !h.Has(name) && (name != "Content-Type" || len(r.body) > 0) {
			c.add(name + ":")
		}
	}
	return nil
}

// checkHTTPieValue tells why HTTPie cannot send a header.
func checkHTTPieValue(value string) error {
	if !utf8.ValidString(value) {
		return errors.New("is not UTF-8, as HTTPie demands")
	}
	if strings.ContainsAny(value, "\r\n") {
		return errors.New("has a line end, which HTTPie refuses")
	}
	if isSpace := func(r rune) bool { return unicode.IsSpace(r) || 0x1c <= r && r <= 0x1f }; len(strings.TrimFunc(value, isSpace)) < len(strings.Trim(value, " \t")) {
		return errors.New("begins or ends with white space that HTTPie would remove")
	}
	for i := range len(value) - 1 {
		if value[i] == '\\' && strings.IndexByte(":;=@", value[i+1]) >= 0 {
			return errors.New("has a backslash before a separator, which HTTPie takes for an escape")
		}
	}
	return nil
}

// httpieTarget tells whether the option --path-as-is is needed for target, or why
// HTTPie would send another one: it encodes what belongs encoded, writes escapes
// in upper case and removes those that are not needed, of the path only without
// that option, and drops the fragment.
func httpieTarget(target string) (asIs bool, err error) {
	if !strings.HasPrefix(target, "/") || strings.HasPrefix(target, "//") {
		return false, errors.New("does not begin with one slash, as HTTPie demands")
	}
	if strings.HasSuffix(target, "?") {
		return false, errors.New("ends with a question mark, which HTTPie would remove")
	}
	query := false
	for i := range len(target) {
		switch c := target[i]; {
		case c == '?':
			query = true
		case c == '%':
			n, ok := escapeAt(target, i)
			if !ok {
				return false, errors.New("has a percent sign without two digits in upper case, which HTTPie would change")
			}
			if isAlnum(n) || strings.IndexByte("-._~", n) >= 0 {
				if query {
					return false, errors.New("has an escape in the query that HTTPie would remove")
				}
				asIs = true
			}
		case !isAlnum(c) && strings.IndexByte("-._~!$&'()*+,;=:@/", c) < 0:
			return false, errors.New("has a character that HTTPie would encode or drop")
		}
	}
	path, _, _ := strings.Cut(target, "?")
	for segment := range strings.SplitSeq(path, "/") {
		asIs = asIs || segment == "." || segment == ".."
	}
	return asIs, nil
}

// escapeAt returns the byte that the escape at s[i] stands for. ok is false if
// there are no two hexadecimal digits in upper case.
func escapeAt(s string, i int) (b byte, ok bool) {
	const digits = "0123456789ABCDEF"
	if i+2 >= len(s) {
		return 0, false
	}
	hi, lo := strings.IndexByte(digits, s[i+1]), strings.IndexByte(digits, s[i+2])
	return byte(hi<<4 | lo), hi >= 0 && lo >= 0
}
