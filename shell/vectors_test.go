package shell_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/shell"
)

var update = flag.Bool("update", false, "rewrite the golden file")

// An export is what mitmproxy makes of a flow in a format.
type export struct {
	Text  *string
	B64   *string
	Error string
}

func (e *export) bytes(t *testing.T) []byte {
	t.Helper()
	if e.Text != nil {
		return []byte(*e.Text)
	}
	b, err := base64.StdEncoding.DecodeString(*e.B64)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A vector is a line of export-vectors.jsonl.gz.
type vector struct {
	Dump, Name     string
	Curl           export
	CurlPreserveIP *export `json:"curl_preserve_ip"`
	HTTPie         export
	Raw            export
	RawRequest     export `json:"raw_request"`
	RawResponse    export `json:"raw_response"`

	flow flow.Flow
}

// vectors returns the vectors with their flows.
func vectors(t *testing.T) []vector {
	t.Helper()
	all := flowtest.Vectors[vector](t, "export-vectors.jsonl.gz")
	flows := map[string][]flow.Flow{}
	for i := range all {
		v := &all[i]
		if flows[v.Dump] == nil {
			file, err := os.Open(flowtest.Path("har", v.Dump+".mitm"))
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			for f, err := range dumpfile.NewReader(file, nil).Flows() {
				if err != nil {
					t.Fatal(err)
				}
				flows[v.Dump] = append(flows[v.Dump], f)
			}
		}
		v.flow, flows[v.Dump] = flows[v.Dump][0], append([]flow.Flow{}, flows[v.Dump][1:]...)
	}
	return all
}

// A deviation is a difference from mitmproxy's exports that is meant.
type deviation struct {
	name   string // as in docs/commands.md
	reason string
}

// The deviations that concern single flows. What becomes of these is in
// testdata/deviations.txt.
var (
	target        = deviation{"target", "the path is sent as it was, and not as the program would change it"}
	refused       = deviation{"refused", "no command sends this request"}
	bytesInBody   = deviation{"body", "every body can be sent, whatever its bytes"}
	bytesInHeader = deviation{"control characters", "they and bytes that are not UTF-8 are escaped"}
	where         = deviation{"server", "curl connects to where the request went, and a Host header that it sends anyway is omitted"}
	brackets      = deviation{"brackets", "IPv6 addresses are in brackets in URLs"}
	binaryVersion = deviation{"HTTP/2 and 3", "HTTPie and raw speak HTTP/1.1, to which the request is translated"}
	codings       = deviation{"content codings", "several are undone, and a body that cannot be decoded keeps its Content-Encoding"}
)

// deviating names the flows whose exports differ, by format.
var deviating = map[shell.Format]map[string]deviation{
	shell.Curl: {
		"query-mix": target, "options-star": target, "ctl-url": refused, "connect-fail": refused, "missing-bodies": refused,
		"trailers": refused, "post-json-badutf8": bytesInBody, "odd-headers": bytesInHeader,
		"h2-cookies": where, "host-mismatch": where, "ipv6": brackets,
	},
	shell.HTTPie: {
		"query-mix": refused, "options-star": refused, "ctl-url": refused, "connect-fail": refused, "missing-bodies": refused,
		"trailers": refused, "h10": refused, "odd-headers": refused, "post-json-badutf8": bytesInBody,
		"host-mismatch": refused, "ipv6": brackets, "h2-cookies": refused, "xhr-cookie-auth": refused,
	},
	shell.Raw: {
		"corrupt-gzip": codings, "truncated-gzip": codings, "unknown-encoding": codings, "double-encoding": codings,
		"h2-cookies": binaryVersion, "h3": binaryVersion, "mixed-versions": binaryVersion, "grpc": binaryVersion,
	},
	shell.RawRequest: {
		"h2-cookies": binaryVersion, "h3": binaryVersion, "mixed-versions": binaryVersion, "grpc": binaryVersion,
	},
	shell.RawResponse: {
		"corrupt-gzip": codings, "truncated-gzip": codings, "unknown-encoding": codings, "double-encoding": codings,
		"h2-cookies": binaryVersion, "h3": binaryVersion, "grpc": binaryVersion,
	},
}

// general are the deviations that concern most flows, which fixCurl and its like
// take into account.
var general = []string{
	"decoding", "invented headers", "Accept-Encoding", "empty headers", "order", "HEAD", "version", "missing bodies",
}

// TestDeviationsAreDocumented: docs/commands.md names every deviation.
func TestDeviationsAreDocumented(t *testing.T) {
	doc := string(flowtest.Read(t, flowtest.Path("..", "docs", "commands.md")))
	names := slices.Clone(general)
	for _, flows := range deviating {
		for _, d := range flows {
			names = append(names, d.name)
		}
	}
	for _, name := range names {
		if !strings.Contains(doc, "\n| "+name+" |") {
			t.Errorf("docs/commands.md does not have the difference %q", name)
		}
	}
}

// TestVectors compares with mitmproxy's exports, byte for byte in the raw formats
// and word for word in the commands. mitmproxy decodes bodies always.
func TestVectors(t *testing.T) {
	var golden bytes.Buffer
	used := map[string]bool{}
	for _, v := range vectors(t) {
		for _, tt := range []struct {
			format shell.Format
			theirs *export
			opts   shell.Options
		}{
			{shell.Curl, &v.Curl, shell.Options{Decode: true}},
			{shell.Curl, v.CurlPreserveIP, shell.Options{Decode: true, PreserveIP: true}},
			{shell.HTTPie, &v.HTTPie, shell.Options{Decode: true}},
			{shell.Raw, &v.Raw, shell.Options{Decode: true}},
			{shell.RawRequest, &v.RawRequest, shell.Options{Decode: true}},
			{shell.RawResponse, &v.RawResponse, shell.Options{Decode: true}},
		} {
			if tt.theirs == nil {
				continue
			}
			ours, err := shell.Append(nil, tt.format, v.flow, &tt.opts)
			if _, ok := v.flow.(*flow.HTTP); !ok {
				if tt.theirs.Error == "" || !errors.Is(err, shell.ErrNotHTTP) {
					t.Errorf("%s of %s: %q, error %v", tt.format, v.Name, ours, err)
				}
				continue
			}
			if why, ok := deviating[tt.format][v.Name]; ok {
				used[string(tt.format)+v.Name] = true
				fmt.Fprintf(&golden, "%s of %s: %s\n", tt.format, v.Name, why.name)
				if err != nil {
					fmt.Fprintf(&golden, "\t%v\n", err)
				} else if tt.format.IsCommand() {
					fmt.Fprintf(&golden, "\t%s\n", ours)
				} else {
					for line := range strings.SplitAfterSeq(string(ours), "\n") {
						fmt.Fprintf(&golden, "\t%q\n", line)
					}
				}
				continue
			}
			if tt.theirs.Error != "" || err != nil {
				if tt.theirs.Error == "" || err == nil {
					t.Errorf("%s of %s: error %v, theirs is %q\n%.300q", tt.format, v.Name, err, tt.theirs.Error, ours)
				}
				continue
			}
			var d string
			switch theirs := tt.theirs.bytes(t); {
			case !tt.format.IsCommand():
				d = cmp.Diff(string(theirs), string(ours))
			case tt.format == shell.Curl:
				d = cmp.Diff(fixCurl(t, string(theirs)), plainCurl(t, string(ours)))
			default:
				d = cmp.Diff(fixHTTPie(t, string(theirs)), plainHTTPie(t, string(ours)))
			}
			if d != "" {
				t.Errorf("%s of %s (-mitmproxy +ours):\n%s\n%s", tt.format, v.Name, d, ours)
			}
		}
	}
	for format, names := range deviating {
		for name, why := range names {
			if !used[string(format)+name] {
				t.Errorf("there is no flow %s in which %s differs: %s", name, format, why.reason)
			}
		}
	}
	name := filepath.Join("testdata", "deviations.txt")
	if *update {
		if err := os.WriteFile(name, golden.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), golden.String()); d != "" {
		t.Errorf("what deviates changed (-want +got):\n%s", d)
	}
}

// fixCurl returns what mitmproxy's command would have to say to be right. Each
// step is one of the deviations in docs/commands.md.
func fixCurl(t *testing.T, line string) []string {
	t.Helper()
	// "body": -d opens files and loses bytes, and printf loses more. That ours is
	// the body is what TestCurlDeliversDumps shows.
	line, _, body := strings.Cut(line, " -d ")
	args, _ := parse(t, line)
	if body {
		args = append(args, "BODY")
	}
	for i := 0; i < len(args); i++ {
		switch {
		case strings.HasPrefix(args[i], "content-length: 0"): // "invented headers"
			args = slices.Delete(args, i-1, i+1)
			i -= 2
		case args[i] == "--resolve": // "brackets", for IPv6 only
			host, ip, _ := strings.Cut(args[i+1], ":[")
			if ip = strings.TrimSuffix(ip, "]"); strings.Contains(ip, ":") {
				ip = "[" + ip + "]"
			}
			args[i+1] = host + ":" + ip
		case args[i] == "-X" && args[i+1] == "HEAD": // "HEAD"
			args = slices.Replace(args, i, i+2, "--head")
		case args[i] == "-H" && strings.HasSuffix(args[i+1], ": "): // "empty headers"
			args[i+1] = strings.TrimSuffix(args[i+1], ": ") + ";"
		}
	}
	return args
}

// plainCurl returns what our command says without what mitmproxy's never does.
func plainCurl(t *testing.T, line string) []string {
	t.Helper()
	args, stdin := parse(t, line)
	if i := slices.Index(args, "--data-raw"); i >= 0 && stdin == nil {
		args = append(args[:i:i], "BODY")
	} else if i := slices.Index(args, "--data-binary"); i >= 0 && args[i+1] == "@-" && stdin != nil {
		args = append(args[:i:i], "BODY")
	}
	var out []string
	for i := 0; i < len(args); i++ {
		switch arg := args[i]; {
		case strings.HasPrefix(arg, "--http"): // "version"
		case arg == "--no-alpn", arg == "--globoff", arg == "--path-as-is": // "target"
		case arg == "--connect-to": // "server"
			i++
		case arg == "-H" && strings.HasSuffix(args[i+1], ":"): // "invented headers"
			i++
		case arg == "-H" && strings.HasPrefix(strings.ToLower(args[i+1]), "content-length:"): // "order"
			i++
		case arg == "-H" && strings.HasPrefix(strings.ToLower(args[i+1]), "accept-encoding:"): // "Accept-Encoding"
			i++
		default:
			out = append(out, arg)
		}
	}
	return out
}

// fixHTTPie is fixCurl for HTTPie.
func fixHTTPie(t *testing.T, line string) []string {
	t.Helper()
	line, _, body := strings.Cut(line, " <<< ")
	args, _ := parse(t, line)
	for i, arg := range args {
		if name, ok := strings.CutSuffix(arg, ": "); ok {
			args[i] = name + ";"
		}
	}
	return append(args, strconv.FormatBool(body))
}

// plainHTTPie is plainCurl for HTTPie.
func plainHTTPie(t *testing.T, line string) []string {
	t.Helper()
	args, stdin := parse(t, line)
	body := stdin != nil
	out := slices.DeleteFunc(args, func(arg string) bool {
		raw := strings.HasPrefix(arg, "--raw=")
		body = body || raw
		return raw || arg == "--ignore-stdin" || arg == "--path-as-is" || arg == "--chunked" || strings.HasSuffix(arg, ":")
	})
	return append(out, strconv.FormatBool(body))
}
