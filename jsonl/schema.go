package jsonl

// A shape says what strings and numbers mean at one place of a flow. It does
// not check anything: a value of another type than the place is for is written
// with a tag, see the package documentation. The zero shape is for places that
// nobody knows anything about: a string is text, and so everywhere below.
type shape struct {
	bytes bool // a string is bytes
	host  bool // a string is bytes in flows of format versions before 9
	float bool // a number without a fraction is a float as well
	keys  bool // strings are bytes, and so are the keys of maps
	flow  bool // the map is a flow and has a format version

	repeats bool // the list is the same in many flows

	fields []field  // of a map
	tuple  []*shape // of the first elements of a list
	elems  *shape   // of all other elements
}

// A field is a key of a map that is known.
type field struct {
	name  string
	shape *shape
	json  string // the key as a member begins: "name":
	part  Parts  // what the value is, if it can be left out
}

// free is where a string is text: metadata, unknown keys.
var free = &shape{}

// allBytes is where strings and keys are bytes, below "$keys".
var allBytes = func() *shape {
	s := &shape{bytes: true, keys: true}
	s.elems = s
	return s
}()

var (
	bytesShape = &shape{bytes: true}
	floatShape = &shape{float: true}
	bytesList  = &shape{elems: bytesShape}
	headers    = &shape{elems: &shape{elems: bytesShape}}
)

// The shapes of flows. There is one for all format versions, because hardly
// any key changed between text and bytes: request.host did, and some when
// Python 2 was given up, whose flows are bytes altogether. The keys of the
// newest version come first and in their order, which is where they are looked
// for first.
var flowShape = newFlowShape()

func newFlowShape() *shape {
	flow := &shape{flow: true}
	client, server := newConnShapes()
	dnsRecords := &shape{elems: fields("name", "type", "class_", "ttl", bytesShape, "data")}
	dns := []any{
		"id", "query", "op_code", "authoritative_answer", "truncation", "recursion_desired",
		"recursion_available", "reserved", "response_code",
		&shape{elems: fields("name", "type", "class_")}, "questions",
		dnsRecords, "answers", dnsRecords, "authorities", dnsRecords, "additionals",
		floatShape, "timestamp",
	}
	message := []any{
		bytesShape, "http_version", headers, "headers", bytesShape, "content", headers, "trailers",
		"timestamp_start", "timestamp_end",
	}
	request := append(append(message[:len(message):len(message)],
		&shape{host: true}, "host", "port", bytesShape, "method", bytesShape, "scheme",
		bytesShape, "authority", bytesShape, "path"), dns...)
	response := append(append(message[:len(message):len(message)],
		"status_code", bytesShape, "reason"), dns...)
	webSocket := fields(
		&shape{elems: &shape{tuple: []*shape{free, free, bytesShape}}}, "messages",
		"closed_by_client", "close_code", "close_reason", floatShape, "timestamp_end")
	requestShape := fields(append(request, "first_line_format", "is_replay", "stickycookie", "stickyauth")...)
	requestShape.mark("headers", RequestHeaders)
	requestShape.mark("content", RequestContent)
	responseShape := fields(append(response, bytesShape, "body", bytesShape, "msg")...)
	responseShape.mark("headers", ResponseHeaders)
	responseShape.mark("content", ResponseContent)
	webSocket.mark("messages", WebSocketContents)
	flow.fields = fields(
		"version", "type", "id", fields("msg", floatShape, "timestamp"), "error",
		client, "client_conn", server, "server_conn",
		"intercepted", "is_replay", "marked", "metadata", "comment", "timestamp_created",
		flow, "backup",
		requestShape, "request", responseShape, "response",
		webSocket, "websocket",
		// Those of the websocket flows of old: [opcode, from_client, content, …].
		&shape{elems: &shape{tuple: []*shape{free, bytesShape}}}, "messages",
		"mode", flow, "handshake_flow",
	).fields
	return flow
}

func newConnShapes() (client, server *shape) {
	common := []any{
		"peername", "sockname", "id", "transport_protocol", "error", "tls",
		&shape{elems: bytesShape, repeats: true}, "certificate_list", bytesShape, "alpn", bytesList, "alpn_offers",
		"cipher", &shape{repeats: true}, "cipher_list", "tls_version", "sni",
		floatShape, "timestamp_start", floatShape, "timestamp_end", floatShape, "timestamp_tls_setup",
	}
	old := []any{
		"state", bytesShape, "alpn_proto_negotiated", "cipher_name", "tls_established",
		"ssl_established", floatShape, "timestamp_ssl_setup",
	}
	client = fields(append(append(common[:len(common):len(common)],
		bytesShape, "mitmcert", "proxy_mode", "address", bytesShape, "clientcert",
		&shape{elems: &shape{tuple: []*shape{free, bytesShape}}}, "tls_extensions"), old...)...)
	server = new(shape)
	*server = *fields(append(append(common[:len(common):len(common)],
		"address", floatShape, "timestamp_tcp_setup",
		server, "via", // a connection until 11, a list [scheme, [host, port]] since 19
		"via2", "ip_address", "source_address", bytesShape, "cert"), old...)...)
	return client, server
}

// fields returns the shape of a map with keys of these names, each behind its
// shape unless that is free.
func fields(names ...any) *shape {
	s := new(shape)
	next := free
	for _, n := range names {
		switch n := n.(type) {
		case *shape:
			next = n
		case string:
			s.fields = append(s.fields, field{name: n, shape: next, json: `"` + n + `":`})
			next = free
		}
	}
	if len(s.fields) > 64 {
		panic("jsonl: a set of fields is 64 bits wide")
	}
	return s
}

// mark says what the value of a field is.
func (s *shape) mark(name string, part Parts) { s.fields[s.field([]byte(name), 0)].part = part }

// field returns the position of a key among the fields of s, or -1. The key is
// probably the one at hint.
func (s *shape) field(key []byte, hint int) int {
	if hint < len(s.fields) && s.fields[hint].name == string(key) {
		return hint
	}
	for i := range s.fields {
		if s.fields[i].name == string(key) {
			return i
		}
	}
	return -1
}

// elem returns the shape of element i of a list.
func (s *shape) elem(i int) *shape {
	if i < len(s.tuple) {
		return s.tuple[i]
	}
	if s.elems != nil {
		return s.elems
	}
	return free
}

// oldHost is the format version in which request.host became text.
const oldHost = 9
