package har_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/flowtest"
)

// object is an entry of mitmproxy, or a part of one.
type object = map[string]any

// A deviation is a decision to write something else than mitmproxy. It turns
// parts of mitmproxy's entry into what we write instead, and tells whether the
// flow is concerned. docs/har.md has the reasons.
type deviation struct {
	name  string
	apply func(name string, f *flow.HTTP, e, request, response object) bool
}

var deviations = []deviation{
	{"dates end with Z and have a fraction", func(_ string, _ *flow.HTTP, e, _, _ object) bool {
		t, err := time.Parse(time.RFC3339, e["startedDateTime"].(string))
		layout := "2006-01-02T15:04:05.000Z"
		if t.Nanosecond()%1e6 != 0 {
			layout = "2006-01-02T15:04:05.000000Z"
		}
		e["startedDateTime"] = t.UTC().Format(layout)
		return err == nil
	}},
	{"timings add up", func(_ string, f *flow.HTTP, e, _, _ object) bool {
		t := wantTimings(f, true)
		e["timings"] = t
		sum := 0.0
		for _, phase := range []string{"blocked", "connect", "send", "wait", "receive"} {
			sum += max(0, t[phase].(float64))
		}
		e["time"] = sum
		return true
	}},
	{"sizes of heads are bytes", func(_ string, f *flow.HTTP, _, request, response object) bool {
		q := f.Request()
		request["headersSize"] = headSize(&q.HTTPMessage, q.Method+" "+q.Path+" "+q.HTTPVersion)
		if q.IsConnect() {
			request["headersSize"] = headSize(&q.HTTPMessage, "CONNECT "+q.Authority+" "+q.HTTPVersion)
		}
		if r := f.Response(); r != nil {
			response["headersSize"] = headSize(&r.HTTPMessage, fmt.Sprintf("%s %d %s", r.HTTPVersion, r.StatusCode, r.Reason))
		}
		return true
	}},
	{"the size of content is that of the content", func(_ string, f *flow.HTTP, _, _, response object) bool {
		if f.Response() == nil {
			return false
		}
		content := response["content"].(object)
		raw, _ := f.Response().Body.Bytes()
		decoded, err := f.Response().Content(0)
		if err != nil && decoded == nil {
			decoded = raw
		}
		content["size"] = float64(len(decoded))
		delete(content, "compression")
		if len(decoded) > len(raw) {
			content["compression"] = float64(len(decoded) - len(raw))
		}
		return len(decoded) != len(raw)
	}},
	{"no response is valid", func(_ string, f *flow.HTTP, _, _, response object) bool {
		if f.Response() != nil {
			return false
		}
		response["content"] = object{"size": 0.0, "mimeType": "x-unknown"}
		if response["_error"] == nil {
			delete(response, "_error")
		}
		return true
	}},
	{"errors are shown", func(_ string, f *flow.HTTP, _, _, response object) bool {
		if f.Error() == nil {
			return false
		}
		response["comment"] = f.Error().Msg
		return true
	}},
	{"missing bodies are missing", func(_ string, f *flow.HTTP, _, request, response object) bool {
		none := false
		if f.Request().Body.IsMissing() {
			request["bodySize"], request["comment"], none = -1.0, "body not captured", true
			delete(request, "postData")
		}
		if r := f.Response(); r != nil && r.Body.IsMissing() {
			content := response["content"].(object)
			response["bodySize"], content["comment"], none = -1.0, "body not captured", true
			delete(content, "text")
		}
		return none
	}},
	{"bodies of all methods", func(name string, _ *flow.HTTP, _, request, _ object) bool {
		if name == "delete-body" {
			request["postData"] = object{"mimeType": "text/plain", "text": "reason=cleanup", "params": []any{}}
		}
		return name == "delete-body"
	}},
	{"bodies that are not text are exact", func(name string, f *flow.HTTP, _, request, response object) bool {
		body, err := f.Request().Body.Bytes()
		switch name {
		case "post-json-badutf8":
			request["postData"].(object)["text"] = `{"k":"` + "\ufffd" + `"}`
			response["content"].(object)["text"] = base64.StdEncoding.EncodeToString([]byte("{\"k\":\"\xc3(\"}"))
			response["content"].(object)["encoding"] = "base64"
		case "post-binary":
			raw, _ := f.Response().Body.Bytes()
			response["content"].(object)["text"] = base64.StdEncoding.EncodeToString(raw)
			response["content"].(object)["encoding"] = "base64"
		case "corrupt-gzip":
			raw, _ := f.Response().Body.Bytes()
			response["content"].(object)["text"] = base64.StdEncoding.EncodeToString(raw)
			response["content"].(object)["encoding"] = "base64"
			return true
		case "post-multipart", "grpc":
		default:
			return false
		}
		request["postData"].(object)["_textB64"] = base64.StdEncoding.EncodeToString(body)
		return err == nil
	}},
	{"text is what it is", func(name string, f *flow.HTTP, _, _, response object) bool {
		text, ok := map[string]string{
			"double-encoding": "twice",      // both codings are undone
			"utf16-bom":       "\ufeffwide", // the charset is found before the bytes are called binary
			"binary-edge":     rawBody(f),   // UTF-8 is the default, not Latin-1
		}[name]
		if ok {
			content := response["content"].(object)
			content["text"] = text
			delete(content, "encoding")
		}
		return ok
	}},
	{"multipart forms have params", func(name string, _ *flow.HTTP, _, request, _ object) bool {
		if name != "post-multipart" {
			return false
		}
		request["postData"].(object)["params"] = []any{
			object{"name": "title", "value": "line1\r\nline2"},
			object{"name": "file", "fileName": "a.bin", "contentType": "application/octet-stream"},
		}
		return true
	}},
	{"URLs are valid", func(name string, f *flow.HTTP, _, request, _ object) bool {
		url, ok := map[string]string{
			"query-mix":   strings.TrimSuffix(request["url"].(string), "#top"),
			"ipv6":        "http://[2001:db8::1]:8080/v6",
			"ctl-url":     "https://example.com/a%1B[31m%0A%07b%00",
			"ws-chat":     "wss://example.com/ws",
			"ws-abnormal": "wss://example.com/socket.io/?EIO=4&transport=websocket",
		}[name]
		if ok {
			request["url"] = url
		}
		return ok
	}},
	{"only text, every byte of it", func(name string, _ *flow.HTTP, _, request, _ object) bool {
		if name == "odd-headers" {
			request["headers"].([]any)[1].(object)["value"] = "éÿ" // was bytes E9 FF
		}
		return name == "odd-headers"
	}},
	{"cookies as browsers read them", func(name string, _ *flow.HTTP, _, request, response object) bool {
		if name != "h2-cookies" {
			return false
		}
		request["cookies"].([]any)[1].(object)["value"] = `"x y"`
		cookies := response["cookies"].([]any)
		cookies[0].(object)["expires"] = "2026-10-21T07:28:00.000Z"
		cookies[1].(object)["value"] = `"q`
		cookies[1].(object)["expires"] = "2023-11-14T22:14:52.125Z" // a minute after the response
		cookies[3].(object)["value"] = ""
		return true
	}},
	{"more fields", func(_ string, f *flow.HTTP, e, _, response object) bool {
		e["_id"] = f.ID()
		if p := f.ServerConn().Peername; p != nil {
			e["_serverPort"] = float64(p.Port)
		}
		if c := f.Comment(); c != "" {
			e["comment"] = c
		}
		head, body := response["headersSize"].(float64), response["bodySize"].(float64)
		if head >= 0 && body >= 0 {
			response["_transferSize"] = head + body
		}
		return true
	}},
	{"what failed is said", func(name string, _ *flow.HTTP, e, _, _ object) bool {
		comment := map[string]string{
			"corrupt-gzip":     "[response body: gzip: corrupt input before offset 5]",
			"truncated-gzip":   "[response body: gzip: data end too early]",
			"unknown-encoding": `[response body: unknown content encoding "aws-chunked"]`,
		}[name]
		if comment != "" {
			e["comment"] = comment
		}
		return comment != ""
	}},
}

// headSize returns the size of the head of a message.
func headSize(m *flow.HTTPMessage, line string) float64 {
	if !strings.HasPrefix(m.HTTPVersion, "HTTP/1.") {
		return -1
	}
	return float64(len(line + "\r\n" + m.Headers.String() + "\r\n"))
}

func rawBody(f *flow.HTTP) string {
	if f.Response() == nil {
		return ""
	}
	b, _ := f.Response().Body.Bytes()
	return string(b)
}

// wantTimings returns the timings of a flow whose times are all sensible, as
// docs/har.md defines them. counts tells whether it may count the connection.
func wantTimings(f *flow.HTTP, counts bool) object {
	at := func(t flow.Timestamp, or float64) float64 {
		if t.IsNull() {
			return or
		}
		return t.Unix()
	}
	us := func(t float64) float64 { return math.RoundToEven(t * 1e6) }
	ms := func(from, to float64) float64 { return max(0, us(to)-us(from)) / 1e3 }
	q, c := f.Request(), f.ServerConn()
	r0 := q.TimestampStart.Unix()
	r1 := at(q.TimestampEnd, r0)
	p0, p1 := r1, r1
	if r := f.Response(); r != nil {
		p0 = at(r.TimestampStart, r1)
		p1 = at(r.TimestampEnd, p0)
	}
	t := object{"blocked": -1.0, "dns": -1.0, "connect": -1.0, "ssl": -1.0, "send": ms(r0, r1), "wait": ms(r1, p0), "receive": ms(p0, p1)}
	if !counts || c.TimestampTCPSetup.IsNull() || c.TimestampStart.IsNull() || c.TimestampStart.Unix() < r0 {
		return t
	}
	s0, ready := c.TimestampStart.Unix(), at(c.TimestampTLSSetup, c.TimestampTCPSetup.Unix())
	if !c.TimestampTLSSetup.IsNull() {
		t["ssl"] = ms(c.TimestampTCPSetup.Unix(), ready)
	}
	t["connect"], t["send"], t["wait"] = ms(s0, ready), ms(r0, min(r1, s0)), ms(max(r1, ready), p0)
	left := ms(r0, p1)
	for _, phase := range []string{"connect", "send", "wait", "receive"} {
		left -= t[phase].(float64)
	}
	if left > 0 {
		t["blocked"] = math.Round(left*1e3) / 1e3
	}
	return t
}

// TestGolden: entries are mitmproxy's, but for the deviations.
func TestGolden(t *testing.T) {
	type vector struct {
		Name  string
		Entry object
	}
	vectors := flowtest.Vectors[vector](t, "har-export-vectors.jsonl.gz")
	used := map[string]bool{}
	n := 0
	for _, f := range httpFlows(t, flowtest.Read(t, flowtest.Path("har", "corpus.mitm"))) {
		v := vectors[n]
		n++
		want := v.Entry
		for _, d := range deviations {
			if d.apply(v.Name, f, want, want["request"].(object), want["response"].(object)) {
				used[d.name] = true
			}
		}
		_, data := encode(t, f, nil)
		var file struct{ Log struct{ Entries []object } }
		if err := json.Unmarshal(data, &file); err != nil {
			t.Fatal(err)
		}
		got := file.Log.Entries[0]
		if _, ok := got["connection"].(string); ok == (f.ServerConn().TimestampStart.IsNull()) {
			t.Errorf("%s: connection is %v", v.Name, got["connection"])
		}
		delete(got, "connection") // a hash
		delete(got, "_mitm")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", v.Name, diff)
		}
	}
	if n != len(vectors) {
		t.Errorf("%d flows, %d vectors", n, len(vectors))
	}
	doc := string(flowtest.Read(t, docsFile()))
	for _, d := range deviations {
		if !used[d.name] {
			t.Errorf("no flow deviates: %s", d.name)
		}
		if !strings.Contains(doc, "**"+d.name+"**") && !strings.Contains(strings.ToLower(doc), "**"+strings.ToLower(d.name)+"**") {
			t.Errorf("docs/har.md does not say: %s", d.name)
		}
	}
}
