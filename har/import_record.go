package har

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

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
	request      newRequest
	response     *newResponse // nil if there is none
	webSocket    *flow.WebSocket
	metadata     []state.Entry
}

// A newMessage is what requests and responses have in common.
type newMessage struct {
	version    string
	headers    headers
	body       []byte // nil if it is missing
	start, end flow.Timestamp
}

type newRequest struct {
	newMessage
	method, scheme, host, authority, path string
	port                                  int
}

// isConnect tells whether a request asks a proxy for a tunnel.
func (q *newRequest) isConnect() bool { return strings.EqualFold(q.method, "CONNECT") }

type newResponse struct {
	newMessage
	status int
	reason string
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
	n := w.mark() - mark
	w.room(1)[0] = ':'
	for {
		w.room(1)[0] = '0' + byte(n%10)
		if n /= 10; n == 0 {
			return
		}
	}
}

// leaf writes an element that is no container.
func leaf[T ~string | ~[]byte](w *recordWriter, tag byte, payload T) {
	b := w.room(len(payload) + 1)
	b[copy(b, payload)] = tag
	w.end(w.mark() - len(payload))
}

func (w *recordWriter) null()             { w.raw("0:~") }
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
func (w *recordWriter) body(data []byte) {
	if data == nil {
		w.null()
		return
	}
	leaf(w, ',', data)
}

// What is the same in all records.
var (
	flowStart = fixed(func(w *recordWriter) {
		w.int(flow.Version)
		w.key("version")
		w.text("http")
		w.key("type")
	})
	flowFlags = fixed(func(w *recordWriter) {
		w.bool(false)
		w.key("intercepted")
		w.nullKey("is_replay")
		w.text("")
		w.key("marked")
	})
	clientAddresses = fixed(func(w *recordWriter) { // of a client of which nothing is known
		w.address(&flow.Address{})
		w.key("peername")
		w.address(&flow.Address{})
		w.key("sockname")
	})
	clientEnd = fixed(func(w *recordWriter) {
		w.nullKey("mitmcert")
		w.text("regular")
		w.key("proxy_mode")
	})
	transport = fixed(func(w *recordWriter) {
		w.text("tcp")
		w.key("transport_protocol")
		w.nullKey("error")
	})
	noHandshake = fixed(func(w *recordWriter) {
		w.emptyKey("certificate_list")
		w.nullKey("alpn")
		w.emptyKey("alpn_offers")
		w.nullKey("cipher")
		w.emptyKey("cipher_list")
		w.nullKey("tls_version")
		w.nullKey("sni")
	})
	notClosed = fixed(func(w *recordWriter) {
		w.nullKey("closed_by_client")
		w.nullKey("close_code")
		w.nullKey("close_reason")
		w.nullKey("timestamp_end")
	})
)

// fixed returns what write writes.
func fixed(write func(w *recordWriter)) string {
	var w recordWriter
	write(&w)
	return string(w.buf[w.pos:])
}

// raw writes what fixed returned.
func (w *recordWriter) raw(s string) { copy(w.room(len(s)), s) }

// flow writes a record and returns it. It is valid until the next call.
func (w *recordWriter) flow(f *newFlow) ([]byte, error) {
	w.pos, w.err = len(w.buf), nil
	mark := w.begin('}')
	w.raw(flowStart)
	w.text(f.id)
	w.key("id")
	w.failure(f.failure)
	w.key("error")
	w.client(f)
	w.key("client_conn")
	w.server(f.server)
	w.key("server_conn")
	w.raw(flowFlags)
	w.metadata(f.metadata)
	w.key("metadata")
	w.text(f.comment)
	w.key("comment")
	w.float(f.created)
	w.key("timestamp_created")
	w.nullKey("backup")
	w.request(&f.request)
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
	mark := w.begin('}')
	w.raw(clientAddresses)
	w.conn(&flow.Conn{ID: f.clientID, TimestampStart: flow.Seconds(f.created)})
	w.raw(clientEnd)
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
	w.raw(transport)
	w.bool(c.TLS)
	w.key("tls")
	w.raw(noHandshake)
	w.timeKey("timestamp_start", c.TimestampStart)
	w.timeKey("timestamp_end", c.TimestampEnd)
	w.timeKey("timestamp_tls_setup", c.TimestampTLSSetup)
}

// metadata writes a map. Of several values for a key the last counts.
func (w *recordWriter) metadata(entries []state.Entry) {
	if len(entries) == 0 {
		leaf(w, '}', "")
		return
	}
	m := mapOf(entries)
	if m.Len() > maxElements && w.err == nil {
		w.err = fmt.Errorf("metadata: %w", errTooMany)
		return
	}
	encoded, err := tnetstring.Encode(m.Value())
	if err != nil && w.err == nil {
		w.err = err
	}
	copy(w.room(len(encoded)), encoded)
}

// message writes what requests and responses begin with.
func (w *recordWriter) message(m *newMessage) {
	w.bytes(m.version)
	w.key("http_version")
	w.headers(m.headers)
	w.key("headers")
	w.body(m.body)
	w.key("content")
	w.nullKey("trailers")
	w.timeKey("timestamp_start", m.start)
	w.timeKey("timestamp_end", m.end)
}

// headers writes a header block.
func (w *recordWriter) headers(h headers) {
	mark := w.begin(']')
	for _, line := range slices.Backward(h) {
		pair := w.begin(']')
		leaf(w, ',', line.value)
		leaf(w, ',', line.name)
		w.end(pair)
	}
	w.end(mark)
}

func (w *recordWriter) request(q *newRequest) {
	mark := w.begin('}')
	w.message(&q.newMessage)
	w.text(q.host)
	w.key("host")
	w.int(q.port)
	w.key("port")
	w.bytes(q.method)
	w.key("method")
	w.bytes(q.scheme)
	w.key("scheme")
	w.bytes(q.authority)
	w.key("authority")
	w.bytes(q.path)
	w.key("path")
	w.end(mark)
}

func (w *recordWriter) response(s *newResponse) {
	if s == nil {
		w.null()
		return
	}
	mark := w.begin('}')
	w.message(&s.newMessage)
	w.int(s.status)
	w.key("status_code")
	w.bytes(s.reason)
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
		content, err := m.Content.Bytes()
		if err != nil && w.err == nil {
			w.err = err
		}
		leaf(w, ',', content)
		w.bool(m.FromClient)
		w.int(m.Opcode)
		w.end(tuple)
	}
	w.end(messages)
	w.key("messages")
	w.raw(notClosed)
	w.end(mark)
}
