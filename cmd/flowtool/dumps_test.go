package main

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/state"
)

// dumps are the inputs that tests make instead of keeping them in files.
var dumps = map[string]func(io.Writer) error{
	"controls":     writeFlows(controlFlows),
	"special":      writeFlows(specialFlows),
	"bodybomb":     writeFlows(bodyBombFlows),
	"widetext":     writeFlows(wideFlows),
	"zeros":        writeFlows(zeroFlows),
	"zeros.gz":     compressed(gzipBest, writeFlows(zeroFlows)),
	"zeros.zst":    compressed(zstdBest, writeFlows(zeroFlows)),
	"bomb.gz":      compressed(gzipBest, writeBomb),
	"bomb.zst":     compressed(zstdBest, writeBomb),
	"nested":       writeNested,
	"png":          func(w io.Writer) error { return png.Encode(w, image.NewGray(image.Rect(0, 0, 1, 1))) },
	"body64M.mitm": writeFlows(func() []flow.Flow { return []flow.Flow{bodyFlow(textLines(64 << 20))} }),
	"bodies.mitm":  writeBodies,
	"backups":      writeNamed(backupFlows),
	"diff-a":       writeNamed(diffFlowsA),
	"diff-b":       writeNamed(diffFlowsB),
	"diff-odd-a":   writeNamed(oddFlows(1)),
	"diff-odd-b":   writeNamed(oddFlows(2)),
}

// writeFlows writes flows with ids that are the same every time.
func writeFlows(flows func() []flow.Flow) func(io.Writer) error {
	return writeNamed(func() []flow.Flow {
		all := flows()
		for i, f := range all {
			f.SetID(flowID(i))
		}
		return all
	})
}

func flowID(i int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", i) }

// writeNamed writes flows with the ids they have.
func writeNamed(flows func() []flow.Flow) func(io.Writer) error {
	return func(w io.Writer) error {
		d := dumpfile.NewWriter(w)
		for _, f := range flows() {
			if err := d.WriteFlow(f); err != nil {
				return err
			}
		}
		return d.Close()
	}
}

func gzipBest(w io.Writer) (io.WriteCloser, error) {
	return gzip.NewWriterLevel(w, gzip.BestCompression)
}
func zstdBest(w io.Writer) (io.WriteCloser, error) {
	return zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithWindowSize(1<<20))
}

func compressed(open func(io.Writer) (io.WriteCloser, error), write func(io.Writer) error) func(io.Writer) error {
	return func(w io.Writer) error {
		zw, err := open(w)
		if err != nil {
			return err
		}
		if err := write(zw); err != nil {
			return err
		}
		return zw.Close()
	}
}

// begun is when the flows of tests begin.
const begun = 1700000000

func testClient() *flow.ClientConn {
	c := flow.NewClientConn()
	c.TimestampStart = flow.Seconds(begun)
	c.Peername = &flow.Address{Host: "127.0.0.1", Port: 52000}
	return c
}

func testServer(host string, port int) *flow.ServerConn {
	return flow.NewServerConn(&flow.Address{Host: host, Port: port})
}

func testHTTP(method, url string, reqBody []byte, resp *flow.Response) *flow.HTTP {
	req, err := flow.NewRequest(method, url, flow.Headers{}, reqBody)
	if err != nil {
		panic(err)
	}
	req.TimestampStart, req.TimestampEnd = flow.Seconds(begun), flow.Seconds(begun+0.1)
	if resp != nil {
		resp.TimestampStart, resp.TimestampEnd = flow.Seconds(begun+0.2), flow.Seconds(begun+0.3)
	}
	f := flow.NewHTTP(testClient(), testServer(req.Host, req.Port), req, resp)
	return f
}

// evil is what must not reach a terminal raw: an escape sequence, a carriage
// return, a C1 control, a change of direction, a line separator, bytes that are
// no text.
const evil = "<\x1b]0;owned\x07\r\n\u009b31m\u202e\u2028>"

// controlFlows hold it wherever a flow can.
func controlFlows() []flow.Flow {
	h := flow.NewHeaders("Host", "x.example", "X-"+evil, "v"+evil+"\xff")
	resp := flow.NewResponse(200, flow.NewHeaders("Content-Type", "text/plain"+evil, "Content-Encoding", "x"+evil), []byte(evil))
	resp.Reason = "OK" + evil
	resp.HTTPVersion = "HTTP/1.1" + evil
	resp.Trailers = flow.NewHeaders("T"+evil, evil)
	f := testHTTP("GET", "http://x.example/", []byte(evil), resp)
	r := f.Request()
	r.Headers, r.Path, r.Method, r.HTTPVersion = h, "/"+evil, "G"+evil, "H"+evil
	r.Scheme, r.Host, r.Authority = "http"+evil, "host"+evil, "auth"+evil
	f.SetComment("c" + evil)
	f.SetMarked(":m" + evil)
	f.SetError(&flow.Error{Msg: "e" + evil, Timestamp: flow.Seconds(begun + 1)})
	f.Metadata().Set("k"+evil, state.NewList(state.Text(evil), state.Bytes([]byte(evil))).Value())
	c := f.ClientConn()
	c.SNI, c.ALPN, c.Cipher, c.Error, c.ProxyMode = "sni"+evil, "alpn"+evil, "ci"+evil, "ce"+evil, "mode"+evil
	c.Peername = &flow.Address{Host: "peer" + evil, Port: 1}
	s := f.ServerConn()
	s.Address = &flow.Address{Host: "addr" + evil, Port: 2}
	s.Peername = &flow.Address{Host: "speer" + evil, Port: 3}

	ws := testHTTP("GET", "http://x.example/ws", nil, flow.NewResponse(101, flow.Headers{}, nil))
	client := false
	ws.SetWebSocket(&flow.WebSocket{
		ClosedByClient: &client, CloseCode: 1011, CloseReason: "r" + evil, TimestampEnd: flow.Seconds(begun + 2),
		Messages: []flow.WebSocketMessage{
			{Opcode: flow.OpText, Content: flow.NewBody([]byte("m" + evil)), Timestamp: flow.Seconds(begun + 1)},
		},
	})

	question := flow.DNSQuestion{Name: "q" + evil, Type: 16, Class: 1}
	dns := flow.NewDNS(testClient(), testServer("192.0.2.53", 53),
		&flow.DNSMessage{ID: 1, Query: true, Questions: []flow.DNSQuestion{question}, Timestamp: flow.Seconds(begun)},
		&flow.DNSMessage{ID: 1, Questions: []flow.DNSQuestion{question}, Timestamp: flow.Seconds(begun + 1),
			Answers: []flow.DNSRecord{{Name: "n" + evil, Type: 16, Class: 1, TTL: 1, Data: string(rune(len("t"+evil))) + "t" + evil}}})
	dns.SetError(&flow.Error{Msg: "e" + evil})

	tcp := flow.NewTCP(testClient(), testServer("t"+evil, 1))
	tcp.SetMessages([]flow.Message{{FromClient: true, Content: flow.NewBody([]byte(evil)), Timestamp: flow.Seconds(begun)}})
	tcp.SetError(&flow.Error{Msg: "e" + evil})
	return []flow.Flow{f, ws, dns, tcp}
}

// specialFlows are cases that no capture has.
func specialFlows() []flow.Flow {
	noBody := testHTTP("PUT", "http://x.example/streamed-request", nil, flow.NewResponse(201, flow.Headers{}, []byte("done")))
	noBody.Request().Body = flow.Body{}

	newlines := testHTTP("POST", "http://x.example/lines", []byte("a\r\r\n\r\n  b\n\n"), flow.NewResponse(204, flow.Headers{}, nil))

	absolute := testHTTP("GET", "http://x.example/absolute?q", nil, nil)
	absolute.Request().Authority = "y.example:8080"

	long := testHTTP("UPDATEREDIRECTREF", "http://x.example/long-method", nil, flow.NewResponse(999, flow.Headers{}, nil))

	open := testHTTP("GET", "http://x.example/open", nil, flow.NewResponse(101, flow.Headers{}, nil))
	open.SetWebSocket(&flow.WebSocket{})

	never := testHTTP("GET", "http://x.example/no-time", nil, flow.NewResponse(200, flow.Headers{}, nil))
	never.Request().TimestampStart = flow.Seconds(1e300)

	chaos := flow.DNSQuestion{Name: "version.bind", Type: 16, Class: 3}
	query := &flow.DNSMessage{ID: 7, Query: true, OpCode: 2, Questions: []flow.DNSQuestion{chaos, {Name: "", Type: 2, Class: 1}},
		Timestamp: flow.Seconds(begun)}
	dns := flow.NewDNS(testClient(), testServer("192.0.2.53", 53), query, nil)
	none := flow.NewDNS(testClient(), testServer("192.0.2.53", 53), &flow.DNSMessage{Query: true, Timestamp: flow.Seconds(begun)},
		&flow.DNSMessage{ResponseCode: 1, Timestamp: flow.Seconds(begun + 0.5)})
	return []flow.Flow{noBody, newlines, absolute, long, open, never, dns, none}
}

func wideFlows() []flow.Flow {
	f := testHTTP("GET", "http://東京.example/日本語/パス", nil, flow.NewResponse(200, flow.Headers{}, []byte("ok")))
	f.Request().Path = "/日本語/パス"
	f.SetMarked(":grapes:")
	f.SetComment("e\u0301e\u0301e\u0301 コメント")
	return []flow.Flow{f}
}

// bodyBombFlows are a flow whose body is a gzip bomb between two that are none.
func bodyBombFlows() []flow.Flow {
	var bomb bytes.Buffer
	zw, _ := gzipBest(&bomb)
	zeros := make([]byte, 1<<20)
	for range 20 {
		zw.Write(zeros)
	}
	zw.Close()
	resp := flow.NewResponse(200, flow.NewHeaders("Content-Encoding", "gzip"), bomb.Bytes())
	return []flow.Flow{
		testHTTP("GET", "http://x.example/before", nil, flow.NewResponse(200, flow.Headers{}, []byte("before the bomb"))),
		testHTTP("GET", "http://x.example/bomb", nil, resp),
		testHTTP("GET", "http://x.example/after", nil, flow.NewResponse(200, flow.Headers{}, []byte("behind the bomb"))),
	}
}

// zeroFlows is a harmless flow that compresses better than any usual one.
func zeroFlows() []flow.Flow { return []flow.Flow{bodyFlow(make([]byte, 40<<20))} }

func bodyFlow(body []byte) flow.Flow {
	return testHTTP("GET", "http://x.example/body", nil, flow.NewResponse(200, flow.Headers{}, body))
}

func textLines(size int) []byte {
	const line = "The quick brown fox jumps over the lazy dog, and over every fence.\n"
	return bytes.Repeat([]byte(line), size/len(line)+1)[:size]
}

// writeBodies writes many flows with large bodies.
func writeBodies(w io.Writer) error {
	d := dumpfile.NewWriter(w)
	f := bodyFlow(textLines(2 << 20))
	for range 150 {
		if err := d.WriteFlow(f); err != nil {
			return err
		}
	}
	return d.Close()
}

// writeBomb writes 128 MB that begin as a dump.
func writeBomb(w io.Writer) error {
	const size = 128 << 20
	if _, err := fmt.Fprintf(w, "%d:", size); err != nil {
		return err
	}
	zeros := make([]byte, 1<<20)
	for range size >> 20 {
		if _, err := w.Write(zeros); err != nil {
			return err
		}
	}
	return nil
}

// writeNested writes 100,000 lists within each other.
func writeNested(w io.Writer) error {
	const levels = 100_000
	var prefixes []string
	size := 0
	for range levels {
		p := strconv.Itoa(size) + ":"
		prefixes = append(prefixes, p)
		size += len(p) + 1
	}
	var b strings.Builder
	for i := levels - 1; i >= 0; i-- {
		b.WriteString(prefixes[i])
	}
	b.WriteString(strings.Repeat("]", levels))
	_, err := io.WriteString(w, b.String())
	return err
}

// splitDump returns the records of an undamaged dump.
func splitDump(t *testing.T, data []byte) [][]byte {
	t.Helper()
	var out [][]byte
	for rec, err := range dumpfile.NewReader(bytes.NewReader(data), nil).Records() {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, data[rec.Offset:rec.Offset+rec.Size])
	}
	return out
}
