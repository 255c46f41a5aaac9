package har

import (
	"slices"
	"strconv"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/state"
)

// A newFlow is a flow that was imported, before it is a record.
type newFlow struct {
	id, clientID string
	created      float64 // also the start of the client connection
	comment      string
	failure      *flow.Error
	server       *flow.ServerConn
	request      *flow.Request
	response     *flow.Response
	webSocket    *flow.WebSocket
	metadata     []state.Entry
}

// A recordWriter makes the record of a flow from its end to its start. So no
// length has to be known before what it is the length of, and maps, which records
// have back to front, are written in their logical order, each value before its
// key. What is written stands at buf[pos:].
type recordWriter struct {
	buf []byte
	pos int
	err error
}

// keepRecord is the size up to which memory is kept for the next record.
const keepRecord = 1 << 20

func (w *recordWriter) release() {
	if len(w.buf) > keepRecord {
		w.buf = nil
	}
	w.err = nil
}

// room makes room for n bytes and returns it.
func (w *recordWriter) room(n int) []byte {
	if n > w.pos {
		used := len(w.buf) - w.pos
		grown := make([]byte, max(2*len(w.buf), used+n+1<<10))
		w.pos = len(grown) - used
		copy(grown[w.pos:], w.buf[len(w.buf)-used:])
		w.buf = grown
	}
	w.pos -= n
	return w.buf[w.pos : w.pos+n]
}

// mark returns a mark of how much was written.
func (w *recordWriter) mark() int { return len(w.buf) - w.pos }

// begin begins an element, at its tag.
func (w *recordWriter) begin(tag byte) (mark int) {
	w.room(1)[0] = tag
	return w.mark()
}

// end ends the element that began at a mark, with its length.
func (w *recordWriter) end(mark int) {
	var digits [20]byte
	prefix := append(strconv.AppendInt(digits[:0], int64(w.mark()-mark), 10), ':')
	copy(w.room(len(prefix)), prefix)
}

// leaf writes an element that is no container.
func leaf[T ~string | ~[]byte](w *recordWriter, tag byte, payload T) {
	mark := w.begin(tag)
	copy(w.room(len(payload)), payload)
	w.end(mark)
}

func (w *recordWriter) null()             { leaf(w, '~', "") }
func (w *recordWriter) text(s string)     { leaf(w, ';', s) }
func (w *recordWriter) bytes(s string)    { leaf(w, ',', s) }
func (w *recordWriter) int(n int)         { leaf(w, '#', strconv.AppendInt(make([]byte, 0, 20), int64(n), 10)) }
func (w *recordWriter) float(f float64)   { leaf(w, '^', state.AppendFloat(make([]byte, 0, 24), f)) }
func (w *recordWriter) bool(b bool)       { leaf(w, '!', strconv.FormatBool(b)) }
func (w *recordWriter) emptyList()        { leaf(w, ']', "") }
func (w *recordWriter) key(name string)   { w.text(name) }
func (w *recordWriter) nullKey(k string)  { w.null(); w.key(k) }
func (w *recordWriter) emptyKey(k string) { w.emptyList(); w.key(k) }

// time writes a time, or null.
func (w *recordWriter) time(t flow.Timestamp) {
	if t.IsNull() {
		w.null()
		return
	}
	w.float(t.Unix())
}

// timeKey is time with a key.
func (w *recordWriter) timeKey(key string, t flow.Timestamp) {
	w.time(t)
	w.key(key)
}

// address writes an address, or null.
func (w *recordWriter) address(a *flow.Address) {
	if a == nil {
		w.null()
		return
	}
	mark := w.begin(']')
	w.int(a.Port)
	w.text(a.Host)
	w.end(mark)
}

// body writes a body, or null if it is missing.
func (w *recordWriter) body(b flow.Body) {
	if b.IsMissing() {
		w.null()
		return
	}
	data, err := b.Bytes()
	if err != nil && w.err == nil {
		w.err = err
	}
	leaf(w, ',', data)
}

// flow writes a record and returns it. It is valid until the next call.
func (w *recordWriter) flow(f *newFlow) ([]byte, error) {
	w.pos, w.err = len(w.buf), nil
	mark := w.begin('}')
	w.int(flow.Version)
	w.key("version")
	w.text("http")
	w.key("type")
	w.text(f.id)
	w.key("id")
	w.failure(f.failure)
	w.key("error")
	w.client(f)
	w.key("client_conn")
	w.server(f.server)
	w.key("server_conn")
	w.bool(false)
	w.key("intercepted")
	w.nullKey("is_replay")
	w.text("")
	w.key("marked")
	w.metadata(f.metadata)
	w.key("metadata")
	w.text(f.comment)
	w.key("comment")
	w.float(f.created)
	w.key("timestamp_created")
	w.nullKey("backup")
	w.request(f.request)
	w.key("request")
	w.response(f.response)
	w.key("response")
	w.webSocket(f.webSocket)
	w.key("websocket")
	w.end(mark)
	return w.buf[w.pos:], w.err
}

func (w *recordWriter) failure(e *flow.Error) {
	if e == nil {
		w.null()
		return
	}
	mark := w.begin('}')
	w.text(e.Msg)
	w.key("msg")
	w.timeKey("timestamp", e.Timestamp)
	w.end(mark)
}

// client writes the connection to a client of which nothing is known.
func (w *recordWriter) client(f *newFlow) {
	unknown := &flow.Address{}
	mark := w.begin('}')
	w.address(unknown)
	w.key("peername")
	w.address(unknown)
	w.key("sockname")
	w.conn(&flow.Conn{ID: f.clientID, TimestampStart: flow.Seconds(f.created)})
	w.nullKey("mitmcert")
	w.text("regular")
	w.key("proxy_mode")
	w.end(mark)
}

func (w *recordWriter) server(c *flow.ServerConn) {
	mark := w.begin('}')
	w.address(c.Peername)
	w.key("peername")
	w.nullKey("sockname")
	w.conn(&c.Conn)
	w.address(c.Address)
	w.key("address")
	w.timeKey("timestamp_tcp_setup", c.TimestampTCPSetup)
	w.nullKey("via")
	w.end(mark)
}

// conn writes what clients and servers have in common, as far as HAR knows it.
func (w *recordWriter) conn(c *flow.Conn) {
	w.text(c.ID)
	w.key("id")
	w.text("tcp")
	w.key("transport_protocol")
	w.nullKey("error")
	w.bool(c.TLS)
	w.key("tls")
	copy(w.room(len(noHandshake)), noHandshake)
	w.timeKey("timestamp_start", c.TimestampStart)
	w.timeKey("timestamp_end", c.TimestampEnd)
	w.timeKey("timestamp_tls_setup", c.TimestampTLSSetup)
}

// noHandshake is what a record says of a TLS handshake of which nothing is known.
var noHandshake = func() string {
	var w recordWriter
	w.emptyKey("certificate_list")
	w.nullKey("alpn")
	w.emptyKey("alpn_offers")
	w.nullKey("cipher")
	w.emptyKey("cipher_list")
	w.nullKey("tls_version")
	w.nullKey("sni")
	return string(w.buf[w.pos:])
}()

// metadata writes a map. Of several values for a key the last counts.
func (w *recordWriter) metadata(entries []state.Entry) {
	if len(entries) == 0 {
		leaf(w, '}', "")
		return
	}
	m := state.NewMap()
	for _, e := range entries {
		m.SetKey(e.Key, e.Value)
	}
	encoded, err := tnetstring.Encode(m.Value())
	if err != nil && w.err == nil {
		w.err = err
	}
	copy(w.room(len(encoded)), encoded)
}

// message writes what requests and responses begin with.
func (w *recordWriter) message(m *flow.HTTPMessage) {
	w.bytes(m.HTTPVersion)
	w.key("http_version")
	mark := w.begin(']')
	for _, line := range slices.Backward(m.Headers.All()) {
		pair := w.begin(']')
		w.bytes(line.Value)
		w.bytes(line.Name)
		w.end(pair)
	}
	w.end(mark)
	w.key("headers")
	w.body(m.Body)
	w.key("content")
	w.nullKey("trailers")
	w.timeKey("timestamp_start", m.TimestampStart)
	w.timeKey("timestamp_end", m.TimestampEnd)
}

func (w *recordWriter) request(q *flow.Request) {
	mark := w.begin('}')
	w.message(&q.HTTPMessage)
	w.text(q.Host)
	w.key("host")
	w.int(q.Port)
	w.key("port")
	for _, f := range [...]struct{ key, value string }{
		{"method", q.Method}, {"scheme", q.Scheme}, {"authority", q.Authority}, {"path", q.Path},
	} {
		w.bytes(f.value)
		w.key(f.key)
	}
	w.end(mark)
}

func (w *recordWriter) response(s *flow.Response) {
	if s == nil {
		w.null()
		return
	}
	mark := w.begin('}')
	w.message(&s.HTTPMessage)
	w.int(s.StatusCode)
	w.key("status_code")
	w.bytes(s.Reason)
	w.key("reason")
	w.end(mark)
}

func (w *recordWriter) webSocket(s *flow.WebSocket) {
	if s == nil {
		w.null()
		return
	}
	mark := w.begin('}')
	messages := w.begin(']')
	for _, m := range slices.Backward(s.Messages) {
		tuple := w.begin(']')
		w.bool(false) // injected
		w.bool(false) // dropped
		w.time(m.Timestamp)
		w.body(m.Content)
		w.bool(m.FromClient)
		w.int(m.Opcode)
		w.end(tuple)
	}
	w.end(messages)
	w.key("messages")
	w.nullKey("closed_by_client")
	w.nullKey("close_code")
	w.nullKey("close_reason")
	w.nullKey("timestamp_end")
	w.end(mark)
}
