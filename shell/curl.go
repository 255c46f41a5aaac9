package shell

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/flowtool/flowtool/flow"
)

// AppendCurl appends a command that sends the request of f with curl; the package
// documentation says how. There is no line end behind it. The error is an
// [*Error] with the reason why there is no such command; dst is then returned as
// it was.
func AppendCurl(dst []byte, f *flow.HTTP, opts *Options) ([]byte, error) {
	o := opts.withDefaults()
	c, err := curlCommand(f, &o)
	if err != nil {
		return result(dst, nil, Curl, err)
	}
	out, err := c.append(dst)
	return result(dst, out, Curl, err)
}

func curlCommand(f *flow.HTTP, opts *Options) (*command, error) {
	r, err := newRequest(f, opts)
	if err != nil {
		return nil, err
	}
	c := &command{}
	c.add("curl")
	if !opts.AnyVersion {
		if err := c.curlVersion(r); err != nil {
			return nil, err
		}
	}
	url, special := curlURL(r)
	path, _, _ := strings.Cut(url, "?")
	if strings.ContainsAny(url, "[]{}") {
		c.add("--globoff")
	}
	if strings.Contains(path, "/.") || strings.Contains(strings.ToLower(path), "/%2e") {
		c.add("--path-as-is")
	}
	c.curlConnect(r, opts)
	// With these curl sends a body, or the end of a chunked one.
	data := len(r.body) > 0 || r.chunked
	if err := c.curlHeaders(r, opts, data); err != nil {
		return nil, err
	}
	switch {
	case r.method == "HEAD" && data:
		return nil, fail("method", "HEAD does not go with a body: curl would wait for one in the response")
	case r.method == "HEAD":
		c.add("--head")
	case r.method != "GET" || data:
		c.add("-X", r.method)
	}
	if special {
		c.add("--request-target")
		c.addPart("path", r.target)
	}
	c.addPart("path", url)
	switch {
	case data && inline(r.body):
		c.add("--data-raw")
		c.addPart("body", string(r.body))
	case data:
		c.add("--data-binary", "@-")
		c.stdin = r.body
	}
	return c, nil
}

// curlVersion adds the option that asks for the version of r.
func (c *command) curlVersion(r *request) error {
	switch {
	case r.version == http10 && r.scheme == "https":
		c.add("--http1.0", "--no-alpn") // few servers know the name of HTTP/1.0
	case r.version == http10:
		c.add("--http1.0")
	case r.version == http11 && r.scheme == "https":
		c.add("--http1.1") // curl would offer HTTP/2
	case r.version == http2 && r.scheme == "https":
		c.add("--http2")
	case r.version == http2:
		c.add("--http2-prior-knowledge")
	case r.version == http3 && r.scheme == "https":
		c.add("--http3")
	case r.version == http3:
		return fail("version", "HTTP/3 needs the scheme https")
	}
	return nil
}

// curlURL returns the URL, and whether it cannot make curl send the target as it
// is. Its path and query are then for readers only.
func curlURL(r *request) (url string, special bool) {
	base := r.scheme + "://" + r.hostPort()
	if curlKeeps(r.target) {
		return base + r.target, false
	}
	path := r.flow.Request().Path
	if !strings.HasPrefix(path, "/") {
		return base + "/", true
	}
	var b strings.Builder
	b.WriteString(base)
	for i := range len(path) {
		if c := path[i]; c > ' ' && c <= '~' && c != '#' && c != '\\' {
			b.WriteByte(c)
		} else {
			const digits = "0123456789ABCDEF"
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String(), true
}

// curlKeeps tells whether curl sends target as it is when it stands in a URL. It
// would not encode the fragment, refuse blanks and controls, and make the digits
// of escapes upper case in some releases.
func curlKeeps(target string) bool {
	if !strings.HasPrefix(target, "/") {
		return false
	}
	for i := range len(target) {
		c := target[i]
		if c <= ' ' || c > '~' || c == '#' || c == '\\' {
			return false
		}
		if c == '%' && strings.ContainsAny(target[i:min(i+3, len(target))], "abcdef") {
			return false
		}
	}
	return true
}

// curlConnect adds the option that says where to connect to, if the URL does not.
func (c *command) curlConnect(r *request, opts *Options) {
	host, elsewhere := r.elsewhere()
	server := r.flow.ServerConn()
	if opts.PreserveIP && server.Peername != nil && server.Via == nil {
		if ip, err := netip.ParseAddr(server.Peername.Host); err == nil {
			if !elsewhere && ip.String() != host {
				c.add("--resolve")
				c.addPart("server", bracket(r.name)+":"+strconv.Itoa(r.port)+":"+bracket(ip.String()))
				return
			}
			host = ip.String()
		}
	}
	if port := r.flow.Request().Port; elsewhere && port > 0 {
		c.add("--connect-to")
		c.addPart("host", "::"+bracket(host)+":"+strconv.Itoa(port))
	}
}

// curlHeaders adds the options for the headers.
func (c *command) curlHeaders(r *request, opts *Options, data bool) error {
	lines := r.headers.All()
	if r.version.binary() {
		if r.authority != "" && r.authority != r.hostHeader() {
			if err := c.curlHeader(r, flow.Header{Name: "Host", Value: r.authority}); err != nil {
				return err
			}
		}
	} else {
		switch i := slices.IndexFunc(lines, func(h flow.Header) bool { return strings.EqualFold(h.Name, "Host") }); {
		case i == 0 && lines[0].Name == "Host" && lines[0].Value == r.hostHeader() && lines[0].Value == r.authority:
			lines = lines[1:]
		case i == 0 && lines[0].Name == "Host" && lines[0].Value == r.authority:
		default:
			// An empty one first makes curl send all others where they stand.
			c.add("-H", "Host:")
		}
	}
	last, several := len(lines)-1, len(slices.Collect(r.headers.Values("Content-Length"))) > 1
	for i, h := range lines {
		if i == last && data && !r.chunked && isLength(h, r) && !several {
			continue // curl adds the same
		}
		if err := c.curlHeader(r, h); err != nil {
			return err
		}
		if strings.EqualFold(h.Name, "Accept-Encoding") && h.Value != "" && !opts.NoCompressed && !slices.Contains(c.args, "--compressed") {
			c.add("--compressed")
		}
	}
	absent := func(name string) {
		if !r.headers.Has(name) {
			c.add("-H", name+":")
		}
	}
	absent("User-Agent")
	absent("Accept")
	if data {
		absent("Content-Type")
		if r.version != http10 && len(r.body) > 1024 {
			absent("Expect")
		}
	}
	return nil
}

// curlHeader adds a header.
func (c *command) curlHeader(r *request, h flow.Header) error {
	part := header(h.Name)
	if err := checkValue(h.Value, r.version); err != nil {
		return &Error{Part: part, Err: err}
	}
	empty := strings.Trim(h.Value, " \t") == ""
	if empty && strings.EqualFold(h.Name, "Connection") {
		return fail(part, "is empty, which curl does not send")
	}
	c.add("-H")
	if empty {
		c.addPart(part, h.Name+";") // a colon would remove the header
	} else {
		c.addPart(part, h.Name+": "+h.Value)
	}
	return nil
}

// isLength tells whether h is the Content-Length that curl adds by itself.
func isLength(h flow.Header, r *request) bool {
	sameName := h.Name == "Content-Length" || r.version.binary() && strings.EqualFold(h.Name, "Content-Length")
	return sameName && h.Value == strconv.Itoa(len(r.body))
}

// checkValue tells why a header cannot be sent. Line ends would begin another
// one, but for those of folded headers in HTTP/1.
func checkValue(value string, v version) error {
	if v.binary() {
		if strings.IndexFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) >= 0 {
			return errors.New("has a control character, which HTTP/2 and HTTP/3 do not allow")
		}
		return nil
	}
	if strings.ContainsAny(folds.Replace(value), "\r\n") {
		return errors.New("has a line end, behind which another header would begin")
	}
	return nil
}

// folds takes the line ends out of folded headers.
var folds = strings.NewReplacer("\r\n ", " ", "\r\n\t", "\t")
