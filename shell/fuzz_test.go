package shell_test

import (
	"bytes"
	"errors"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/shell"
)

// FuzzCommand: a shell makes the same arguments and the same standard input of a
// command, unless that is refused.
func FuzzCommand(f *testing.F) {
	for _, s := range []string{"", "a", "it's", "'", "\n", "a\n", "\x00", "é", "\xff", "%s\\n", "-n", "=a", "~", "$(id)", "`id`", "\u202e", "!x", "\x7f\x01", "{a,b}"} {
		f.Add(s, "x", []byte(s), true)
		f.Add("x", s, []byte(nil), false)
	}
	f.Fuzz(func(t *testing.T, a, b string, stdin []byte, piped bool) {
		if !piped {
			stdin = nil
		} else if stdin == nil {
			stdin = []byte{}
		}
		want := []string{"curl", a, b}
		line, err := shell.AppendCommand(nil, want, stdin)
		if err != nil {
			if !slices.ContainsFunc(want, func(s string) bool {
				return strings.Contains(s, "\x00") || strings.HasSuffix(s, "\n") || len(s) >= 128<<10
			}) {
				t.Fatalf("refused without a reason: %v", err)
			}
			return
		}
		checkLine(t, line)
		got, gotStdin, err := parseCommand(string(line))
		if err != nil {
			t.Fatalf("%v: %q", err, line)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q becomes %q by %q", want, got, line)
		}
		if (gotStdin == nil) != (stdin == nil) || !bytes.Equal(gotStdin, stdin) {
			t.Errorf("standard input %q becomes %q by %q", stdin, gotStdin, line)
		}
	})
}

// TestRealShells has real shells make the arguments.
func TestRealShells(t *testing.T) {
	var all []string
	for c := 1; c < 256; c++ {
		s := string([]byte{byte(c)})
		all = append(all, s, s+s, "a"+s, s+"a", "a"+s+"a", s+" "+s, "é"+s)
	}
	all = append(all, allBytes()[1:], "", "'", "''", `"`, `\`, `\\`, `\'`, "$(echo)", "`", "!!", "~", "=ls", "-n", "--", "{a,b}", "*", "%", "%s", "\u202eé", "\ufeff", "a\nb", "\n\na")
	names := slices.Clone(posixShells)
	for _, name := range []string{"busybox", "zsh", "ksh"} {
		if _, err := exec.LookPath(name); err == nil { // these are few systems' own
			names = append(names, name)
		}
	}
	for _, sh := range names {
		t.Run(sh, func(t *testing.T) {
			path := posixShell(t, sh)
			args := []string{path}
			if sh == "busybox" {
				args = append(args, "sh")
			}
			var script, want bytes.Buffer
			for _, s := range all {
				if strings.HasSuffix(s, "\n") {
					continue
				}
				name, stdin := "show", []byte(nil)
				if len(s) > 6 || len(s) == 1 && s[0] <= '-' {
					name, stdin = "both", []byte(s) // which takes two processes
				}
				line, err := shell.AppendCommand(nil, []string{name, s}, stdin)
				if err != nil {
					t.Fatalf("%q: %v", s, err)
				}
				script.Write(append(line, '\n'))
				want.WriteString(s + "\x00")
				if stdin != nil {
					want.WriteString(s + "\x00")
				}
			}
			const functions = "show() { printf '%s\\000' \"$1\"; }\nboth() { show \"$1\"; cat; printf '\\000'; }\n"
			cmd := exec.Command(args[0], append(args[1:], "-c", functions+script.String())...)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			got, err := cmd.Output()
			if err != nil || stderr.Len() > 0 {
				t.Fatalf("%v\n%s", err, &stderr)
			}
			if !bytes.Equal(got, want.Bytes()) {
				g, w := bytes.Split(got, []byte{0}), bytes.Split(want.Bytes(), []byte{0})
				for i := range min(len(g), len(w)) {
					if !bytes.Equal(g[i], w[i]) {
						t.Errorf("%q becomes %q", w[i], g[i])
					}
				}
				t.Errorf("%d words become %d", len(w), len(g))
			}
		})
	}
}

// FuzzCurl: the options of a command for curl say what the request says, whatever
// is in it, and nothing opens a file.
func FuzzCurl(f *testing.F) {
	f.Add("GET", "/", "X", "v", []byte(nil), uint8(0))
	f.Add("POST", "/[a]{b}/../%2f#", "Content-Length", "3", []byte("a\x00b"), uint8(1))
	f.Add("HEAD", "*", "Accept-Encoding", "gzip", []byte(nil), uint8(2))
	f.Add("PUT", "/é \x7f", "Host", "a b", []byte("@/etc/hostname"), uint8(3))
	f.Add("GET", "-o", "@", "\r\n x", []byte("\n"), uint8(4))
	f.Add("POST", "", "Transfer-Encoding", "chunked", []byte{}, uint8(5))
	fuzzCommand(f, shell.AppendCurl, func(t *testing.T, line string, fl *flow.HTTP, args []string, stdin []byte) {
		compare(t, "model", line, sent(fl), curlSends(t, args, stdin))
	})
}

// fuzzCommand fuzzes one of the ways to write a command: it gives a line that a
// shell takes apart again into what check expects, or a reason why there is none.
func fuzzCommand(
	f *testing.F,
	write func(dst []byte, f *flow.HTTP, opts *shell.Options) ([]byte, error),
	check func(t *testing.T, line string, fl *flow.HTTP, args []string, stdin []byte),
) {
	f.Fuzz(func(t *testing.T, method, path, name, value string, body []byte, kind uint8) {
		fl := request(func(r *flow.Request) {
			r.Method, r.Path, r.Body = method, path, flow.NewBody(body)
			r.Headers.Add(name, value)
			switch kind % 6 {
			case 1:
				r.Headers = flow.NewHeaders(name, value, "Host", "example.com", name, value)
			case 2:
				r.Scheme, r.Port, r.HTTPVersion, r.Authority = "https", 443, "HTTP/2.0", "example.com"
				r.Headers = flow.NewHeaders(strings.ToLower(name), value)
			case 3:
				r.Authority = value
			case 4:
				r.Headers = flow.NewHeaders("Host", value)
			case 5:
				r.Scheme, r.Port, r.Headers = "https", 443, flow.NewHeaders("Host", value)
			}
		})
		line, err := write(nil, fl, nil)
		if err != nil {
			if _, ok := errors.AsType[*shell.Error](err); !ok || line != nil {
				t.Fatalf("error %v with %q", err, line)
			}
			return
		}
		checkLine(t, line)
		args, stdin := parse(t, string(line))
		check(t, string(line), fl, args, stdin)
	})
}

// curlSends is a model of curl: the request that a command sends.
func curlSends(t testing.TB, args []string, stdin []byte) received {
	t.Helper()
	r := received{version: "HTTP/1.1", method: "GET", body: []byte{}}
	var lines []flow.Header
	removed := map[string]bool{}
	target, url, data := "", "", false
	hostFirst, anyHost := "", false
	next := func(i *int) string {
		*i++
		if *i >= len(args) {
			t.Fatalf("option without argument: %q", args)
		}
		return args[*i]
	}
	custom := false
	for i := 1; i < len(args); i++ {
		switch arg := args[i]; arg {
		case "--http1.0":
			r.version = "HTTP/1.0"
		case "--http2", "--http2-prior-knowledge":
			r.version = "HTTP/2.0"
		case "--http1.1", "--no-alpn", "--compressed", "--globoff", "--path-as-is":
		case "--connect-to":
			next(&i)
		case "--head":
			r.method = "HEAD"
		case "-X":
			r.method = next(&i)
		case "--request-target":
			target, custom = next(&i), true
		case "--data-raw":
			r.body, data = []byte(next(&i)), true
		case "--data-binary":
			if next(&i) != "@-" {
				t.Fatalf("a file: %q", args)
			}
			r.body, data = stdin, true
		case "-H":
			h := next(&i)
			if strings.HasPrefix(h, "@") {
				t.Fatalf("a file: %q", h)
			}
			isHost := len(h) > 4 && strings.EqualFold(h[:4], "host") && (h[4] == ':' || h[4] == ';')
			if name, ok := strings.CutSuffix(h, ";"); ok && !strings.Contains(name, ":") {
				lines = append(lines, flow.Header{Name: name})
			} else if name, value, ok := strings.Cut(h, ":"); !ok {
				t.Fatalf("neither colon nor semicolon: %q", h)
			} else if value = strings.Trim(value, " \t"); value == "" {
				removed[strings.ToLower(name)] = true
			} else {
				lines = append(lines, flow.Header{Name: name, Value: value})
			}
			if isHost && !anyHost {
				hostFirst, anyHost = h, true
			}
		default:
			if !strings.HasPrefix(arg, "http") || url != "" {
				t.Fatalf("unexpected argument %q", arg)
			}
			url = arg
		}
	}
	has := func(name string) bool {
		return removed[strings.ToLower(name)] || slices.ContainsFunc(lines, func(h flow.Header) bool { return strings.EqualFold(h.Name, name) })
	}
	scheme, rest, _ := strings.Cut(url, "://")
	authority, path, _ := strings.Cut(rest, "/")
	path, _, _ = strings.Cut("/"+path, "#")
	r.target = path
	if custom {
		r.target = target
	}
	for _, name := range []string{"User-Agent", "Accept"} {
		if !has(name) {
			t.Fatalf("curl adds %s", name)
		}
	}
	if data && !has("Content-Type") {
		t.Fatal("curl adds Content-Type")
	}
	host := flow.Header{Name: "Host", Value: authority}
	switch {
	case hostFirst == "Host:":
		host.Name = ""
	case anyHost: // the first stands for all, with its name spelled in curl's way
		i := slices.IndexFunc(lines, func(h flow.Header) bool { return strings.EqualFold(h.Name, "Host") })
		host.Value = lines[i].Value
		lines = slices.DeleteFunc(lines, func(h flow.Header) bool { return strings.EqualFold(h.Name, "Host") })
	}
	chunked := slices.ContainsFunc(lines, func(h flow.Header) bool { return strings.EqualFold(h.Name, "Transfer-Encoding") })
	if data && !chunked && !has("Content-Length") {
		lines = append(lines, flow.Header{Name: "Content-Length", Value: strconv.Itoa(len(r.body))})
	}
	if r.version == "HTTP/2.0" {
		r.scheme, r.authority = scheme, host.Value
		for i := range lines {
			lines[i].Name = strings.ToLower(lines[i].Name)
		}
	} else if host.Name != "" {
		lines = slices.Insert(lines, 0, host)
	}
	r.headers = lines
	return r
}
