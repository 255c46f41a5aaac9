package har_test

import (
	"bytes"
	"testing"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/har"
	"github.com/flowtool/flowtool/state"
)

// checkExport checks that what a flow gives is HAR 1.2, and has the flow if it
// can be encoded at all.
func checkExport(t testing.TB, f flow.Flow) {
	t.Helper()
	var plain bytes.Buffer
	w := har.NewWriter(&plain, &har.WriterOptions{Plain: true, Indent: " "})
	if err := w.WriteFlow(f); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	valid(t, plain.Bytes())
	e, data := encode(t, f, nil)
	valid(t, data)
	want, err := tnetstring.Encode(f.State().Value())
	if err == nil {
		err = state.Validate(f.State().Value())
	}
	if err != nil {
		return
	}
	if got, err := restore(e); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("comes back as another: %v\n%q\nwant\n%q", err, got, want)
	}
	if len(e.Private.From)+len(e.Private.Sums) > 0 { // else the record is kept as a whole
		if err := checkSums(e); err != nil {
			t.Fatal(err)
		}
	}
}

// FuzzExportRecord: every record of an HTTP flow, damaged as it may be, gives a
// valid entry that has it.
func FuzzExportRecord(f *testing.F) {
	for _, name := range []string{"corpus.mitm", "crash.mitm"} {
		for _, r := range httpRecords(f, "har", name) {
			if len(r) < 3000 {
				f.Add(r)
			}
		}
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		v, err := state.Open(&state.Source{Codec: tnetstring.Codec{}, Data: record})
		if err != nil {
			return
		}
		m, err := v.Map()
		if err != nil {
			return
		}
		h, err := flow.View(m)
		if err != nil {
			return
		}
		if _, ok := h.(*flow.HTTP); ok {
			checkExport(t, h)
		}
	})
}

// FuzzExport: a flow with any content gives a valid entry that has it.
func FuzzExport(f *testing.F) {
	f.Add("GET", "https", "h", "/p?q#f", "HTTP/1.1", "h:1", "text/html; charset=x", "gzip", []byte("body"), "a=b", 1767323045.5, 0.1, 200)
	f.Add("CONNECT", "", "::1", "*", "HTTP/2.0", "[::1]:80", "multipart/form-data; boundary=x", "", []byte("--x\r\n\r\nv\r\n--x--"), "a=b; expires=x", -1.0, 1e300, 302)
	f.Add("é\xff", "\x00", "\xff", "é %", "", "bücher.example", "application/x-www-form-urlencoded", "br,deflate", []byte("\xff=%ff&+"), "\"\xff; max-age=9", 2e11, -5.0, -1)
	f.Fuzz(func(t *testing.T, method, scheme, host, path, version, hostHeader, contentType, encoding string, body []byte, cookie string, begin, step float64, status int) {
		headers := func() flow.Headers {
			return flow.NewHeaders("Host", hostHeader, "Content-Type", contentType, "Content-Encoding", encoding,
				"Cookie", cookie, "Set-Cookie", cookie, "Location", path)
		}
		q, r := new(flow.Request), new(flow.Response)
		q.Method, q.Scheme, q.Host, q.Path, q.HTTPVersion, q.Authority = method, scheme, host, path, version, hostHeader
		q.Headers, q.Body, q.Port = headers(), flow.NewBody(body), status
		q.TimestampStart, q.TimestampEnd = flow.Seconds(begin), flow.Seconds(begin+step)
		r.StatusCode, r.Reason, r.HTTPVersion, r.Headers, r.Body = status, path, version, headers(), flow.NewBody(body)
		r.TimestampStart, r.TimestampEnd = flow.Seconds(begin+2*step), flow.Seconds(step)
		c := flow.NewServerConn(&flow.Address{Host: host, Port: status})
		c.Peername = &flow.Address{Host: host, Port: status}
		c.TimestampStart, c.TimestampTCPSetup, c.TimestampTLSSetup = flow.Seconds(begin), flow.Seconds(begin+step), flow.Seconds(step)
		h := flow.NewHTTP(flow.NewClientConn(), c, q, r)
		h.SetWebSocket(&flow.WebSocket{Messages: []flow.WebSocketMessage{
			{Opcode: status, Content: flow.NewBody(body), Timestamp: flow.Seconds(begin)},
			{Opcode: flow.OpText, Content: flow.NewBody([]byte(path)), Timestamp: flow.Seconds(step)},
		}})
		checkExport(t, h)
	})
}
