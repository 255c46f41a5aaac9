package migrate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/flowtool/flowtool/state"
)

// The keys of flows and of the maps in them, in the order in which the releases
// that write a version keep them; in a file they stand back to front. A version
// has the rows of the one before it except for those it lists; "" means that it
// has no such thing any more. Old releases refuse unknown keys and fail without
// those they know, so a flow that was migrated has exactly these.
//
// Python 2 releases, up to 0.17, wrote in no order. Of versions that only
// snapshots wrote the order is that of the nearest release. The key backup is in
// the rows of versions that always have it; below, a backup is the last key.
var layoutRows = []struct {
	version Version
	rows    map[string]string
}{
	{Tuple(0, 11), map[string]string{
		"http": "id error client_conn server_conn type intercepted request response version",
		"client_conn": "address ssl_established clientcert timestamp_start timestamp_ssl_setup " +
			"timestamp_end",
		"server_conn": "address source_address ssl_established cert sni timestamp_start " +
			"timestamp_tcp_setup timestamp_ssl_setup timestamp_end state",
		"request": "form_in form_out method scheme host port path httpversion headers content " +
			"timestamp_start timestamp_end is_replay",
		"response": "httpversion code msg headers content timestamp_start timestamp_end",
		"error":    "msg timestamp",
	}},
	{Tuple(0, 14), map[string]string{
		"server_conn": "address source_address ssl_established cert sni timestamp_start " +
			"timestamp_tcp_setup timestamp_ssl_setup timestamp_end via",
		"request": "first_line_format form_out method scheme host port path http_version headers " +
			"content timestamp_start timestamp_end is_replay",
		"response": "http_version status_code msg headers body timestamp_start timestamp_end",
	}},
	{Tuple(0, 16), map[string]string{
		"request": "first_line_format method scheme host port path http_version headers content " +
			"timestamp_start timestamp_end stickycookie stickyauth is_replay",
		"response": "http_version status_code reason headers content timestamp_start timestamp_end",
	}},
	{Tuple(0, 17), map[string]string{
		"server_conn": "address peer_address source_address ssl_established cert sni timestamp_start " +
			"timestamp_tcp_setup timestamp_ssl_setup timestamp_end via",
	}},
	{Tuple(0, 18), map[string]string{
		"http": "id error client_conn server_conn type intercepted marked request response version",
		"tcp":  "id error client_conn server_conn type intercepted marked messages version",
		"server_conn": "address ip_address source_address ssl_established cert sni timestamp_start " +
			"timestamp_tcp_setup timestamp_ssl_setup timestamp_end via",
	}},
	{Tuple(0, 19), map[string]string{
		"http": "id error client_conn server_conn type intercepted marked metadata request response " +
			"mode version",
		"tcp": "id error client_conn server_conn type intercepted marked metadata messages version",
		"client_conn": "address ssl_established clientcert timestamp_start timestamp_ssl_setup " +
			"timestamp_end sni cipher_name alpn_proto_negotiated tls_version",
		"server_conn": "address ip_address source_address ssl_established cert sni " +
			"alpn_proto_negotiated timestamp_start timestamp_tcp_setup timestamp_ssl_setup " +
			"timestamp_end via",
		"request": "first_line_format method scheme host port path http_version headers content " +
			"timestamp_start timestamp_end is_replay",
	}},
	{Tuple(2, 0), map[string]string{
		"websocket": "id error client_conn server_conn type intercepted marked metadata messages " +
			"close_sender close_code close_message close_reason handshake_flow version",
	}},
	{Tuple(3, 0), map[string]string{
		"websocket": "id error client_conn server_conn type intercepted marked metadata messages " +
			"close_sender close_code close_message close_reason client_key client_protocol " +
			"client_extensions server_accept server_protocol server_extensions version",
		"client_conn": "address ssl_established clientcert mitmcert timestamp_start " +
			"timestamp_ssl_setup timestamp_end sni cipher_name alpn_proto_negotiated tls_version",
		"server_conn": "address ip_address source_address ssl_established cert sni " +
			"alpn_proto_negotiated tls_version timestamp_start timestamp_tcp_setup " +
			"timestamp_ssl_setup timestamp_end via",
	}},
	{Number(5), map[string]string{
		"client_conn": "id address ssl_established clientcert mitmcert timestamp_start " +
			"timestamp_ssl_setup timestamp_end sni cipher_name alpn_proto_negotiated tls_version",
		"server_conn": "id address ip_address source_address ssl_established cert sni " +
			"alpn_proto_negotiated tls_version timestamp_start timestamp_tcp_setup " +
			"timestamp_ssl_setup timestamp_end via",
	}},
	{Number(6), map[string]string{
		"client_conn": "id address tls_established clientcert mitmcert timestamp_start " +
			"timestamp_tls_setup timestamp_end sni cipher_name alpn_proto_negotiated tls_version",
		"server_conn": "id address ip_address source_address tls_established cert sni " +
			"alpn_proto_negotiated tls_version timestamp_start timestamp_tcp_setup " +
			"timestamp_tls_setup timestamp_end via",
	}},
	{Number(7), map[string]string{
		"client_conn": "id address tls_established clientcert mitmcert timestamp_start " +
			"timestamp_tls_setup timestamp_end sni cipher_name alpn_proto_negotiated tls_version " +
			"tls_extensions",
	}},
	{Number(8), map[string]string{
		"request": "first_line_format method scheme host port path http_version headers content " +
			"trailers timestamp_start timestamp_end is_replay",
		"response": "http_version status_code reason headers content trailers timestamp_start " +
			"timestamp_end",
	}},
	{Number(9), map[string]string{
		"http": "id error client_conn server_conn type intercepted is_replay marked metadata request " +
			"response mode version",
		"tcp": "id error client_conn server_conn type intercepted is_replay marked metadata messages " +
			"version",
		"websocket": "id error client_conn server_conn type intercepted is_replay marked metadata " +
			"messages close_sender close_code close_message close_reason client_key client_protocol " +
			"client_extensions server_accept server_protocol server_extensions version",
		"request": "http_version headers content trailers timestamp_start timestamp_end host port " +
			"method scheme authority path",
		"response": "http_version headers content trailers timestamp_start timestamp_end status_code " +
			"reason",
	}},
	{Number(10), map[string]string{
		"client_conn": "id address tls_established mitmcert timestamp_start timestamp_tls_setup " +
			"timestamp_end sni cipher_name alpn_proto_negotiated tls_version tls_extensions state " +
			"sockname error tls certificate_list alpn_offers cipher_list",
		"server_conn": "id address ip_address source_address tls_established sni " +
			"alpn_proto_negotiated tls_version timestamp_start timestamp_tcp_setup " +
			"timestamp_tls_setup timestamp_end state error tls certificate_list alpn_offers " +
			"cipher_name cipher_list via2 via",
	}},
	{Number(11), map[string]string{
		"client_conn": "id address tls_established mitmcert timestamp_start timestamp_tls_setup " +
			"timestamp_end sni cipher_name alpn tls_version tls_extensions state sockname error tls " +
			"certificate_list alpn_offers cipher_list",
		"server_conn": "id address ip_address source_address tls_established sni alpn tls_version " +
			"timestamp_start timestamp_tcp_setup timestamp_tls_setup timestamp_end state error tls " +
			"certificate_list alpn_offers cipher_name cipher_list via2 via",
	}},
	{Number(12), map[string]string{
		"http": "id error client_conn server_conn type intercepted is_replay marked metadata request " +
			"response websocket mode version",
		"websocket":      "",
		"http/websocket": "messages closed_by_client close_code close_reason timestamp_end",
	}},
	{Number(13), nil}, // marked is text
	{Number(14), map[string]string{
		"http": "id error client_conn server_conn type intercepted is_replay marked metadata comment " +
			"request response websocket mode version",
		"tcp": "id error client_conn server_conn type intercepted is_replay marked metadata comment " +
			"messages version",
		"client_conn": "address alpn cipher_name id mitmcert sni timestamp_end timestamp_start " +
			"timestamp_tls_setup tls_established tls_extensions tls_version state sockname error tls " +
			"certificate_list alpn_offers cipher_list",
		"server_conn": "address alpn id ip_address sni source_address timestamp_end timestamp_start " +
			"timestamp_tcp_setup timestamp_tls_setup tls_established tls_version via state error tls " +
			"certificate_list alpn_offers cipher_name cipher_list via2",
	}},
	{Number(16), map[string]string{
		"http": "id error client_conn server_conn type intercepted is_replay marked metadata comment " +
			"timestamp_created request response websocket mode version",
		"tcp": "id error client_conn server_conn type intercepted is_replay marked metadata comment " +
			"timestamp_created messages version",
	}},
	{Number(17), map[string]string{
		"http": "id error client_conn server_conn intercepted is_replay marked metadata comment " +
			"timestamp_created request response websocket version type",
		"tcp": "id error client_conn server_conn intercepted is_replay marked metadata comment " +
			"timestamp_created messages version type",
		"dns": "id error client_conn server_conn intercepted is_replay marked metadata comment " +
			"timestamp_created request response version type",
		"dns/message": "timestamp id query op_code authoritative_answer truncation recursion_desired " +
			"recursion_available reserved response_code questions answers authorities additionals",
	}},
	{Number(18), map[string]string{
		"udp": "id error client_conn server_conn intercepted is_replay marked metadata comment " +
			"timestamp_created messages version type",
		"client_conn": "address alpn cipher_name id mitmcert sni timestamp_end timestamp_start " +
			"timestamp_tls_setup tls_established tls_extensions tls_version state sockname error tls " +
			"certificate_list alpn_offers cipher_list proxy_mode",
	}},
	{Number(19), map[string]string{
		"http": "version type id error client_conn server_conn intercepted is_replay marked metadata " +
			"comment timestamp_created backup request response websocket",
		"tcp": "version type id error client_conn server_conn intercepted is_replay marked metadata " +
			"comment timestamp_created backup messages",
		"udp": "version type id error client_conn server_conn intercepted is_replay marked metadata " +
			"comment timestamp_created backup messages",
		"dns": "version type id error client_conn server_conn intercepted is_replay marked metadata " +
			"comment timestamp_created backup request response",
		"client_conn": "peername sockname state id transport_protocol error tls certificate_list alpn " +
			"alpn_offers cipher cipher_list tls_version sni timestamp_start timestamp_end " +
			"timestamp_tls_setup mitmcert proxy_mode",
		"server_conn": "peername sockname state id transport_protocol error tls certificate_list alpn " +
			"alpn_offers cipher cipher_list tls_version sni timestamp_start timestamp_end " +
			"timestamp_tls_setup address timestamp_tcp_setup via",
	}},
	{Number(20), map[string]string{
		"client_conn": "peername sockname id transport_protocol error tls certificate_list alpn " +
			"alpn_offers cipher cipher_list tls_version sni timestamp_start timestamp_end " +
			"timestamp_tls_setup mitmcert proxy_mode",
		"server_conn": "peername sockname id transport_protocol error tls certificate_list alpn " +
			"alpn_offers cipher cipher_list tls_version sni timestamp_start timestamp_end " +
			"timestamp_tls_setup address timestamp_tcp_setup via",
	}},
	{Number(21), map[string]string{
		"dns/message": "id query op_code authoritative_answer truncation recursion_desired " +
			"recursion_available reserved response_code questions answers authorities additionals " +
			"timestamp",
	}},
}

// A layout is the shapes of the flows of a version, by type.
type layout map[string]*shape

// layouts has a row for every version with a layout of its own, oldest first. Most
// programs never need it, and to make it takes longer than to start them.
var layouts = sync.OnceValue(newLayouts)

type layoutOfVersion struct {
	version Version
	layout  layout
}

func newLayouts() (out []layoutOfVersion) {
	rows := map[string]string{}
	for _, r := range layoutRows {
		maps.Copy(rows, r.rows)
		out = append(out, layoutOfVersion{r.version, newLayout(r.version, rows)})
	}
	return out
}

func newLayout(v Version, rows map[string]string) layout {
	part := func(row string) *shape { return newShape(rows[row]) }
	server := part("server_conn")
	if !slices.Contains(server.keys, "peername") {
		server.parts["via"] = sub{server, true} // later an address
	}
	l := layout{}
	for _, typ := range []string{"http", "tcp", "udp", "dns", "websocket"} {
		if rows[typ] == "" {
			continue
		}
		s := part(typ)
		if s.absent["marked"] = no; v.Compare(Number(13)) >= 0 {
			s.absent["marked"] = empty
		}
		s.parts["error"] = sub{part("error"), true}
		s.parts["client_conn"] = sub{part("client_conn"), false}
		s.parts["server_conn"] = sub{server, false}
		switch typ {
		case "http":
			request := part("request")
			request.absent["is_replay"] = no
			s.parts["request"] = sub{request, false}
			s.parts["response"] = sub{part("response"), true}
			s.parts["websocket"] = sub{part("http/websocket"), true}
		case "dns":
			s.parts["request"] = sub{part("dns/message"), false}
			s.parts["response"] = sub{part("dns/message"), true}
		case "websocket":
			s.parts["handshake_flow"] = sub{l["http"], true}
		}
		l[typ] = s
	}
	return l
}

// layoutOf returns the layout of version v, nil if v is older than 0.11.
func layoutOf(v Version) layout {
	for _, l := range slices.Backward(layouts()) {
		if l.version.Compare(v) <= 0 {
			return l.layout
		}
	}
	return nil
}

// shape returns the shape of the flow m.
func (l layout) shape(m *state.Map) (*shape, error) {
	typ := typeOf(m)
	if typ == "" {
		if _, err := m.Text("type"); err != nil {
			return nil, err
		}
	}
	s := l[typ]
	if s == nil {
		return nil, state.At(fmt.Errorf("unknown flow type %s", state.Text(typ)), "type")
	}
	return s, nil
}

// A shape is the keys of a map in order.
type shape struct {
	keys   []string
	values []state.Value  // keys as values; all maps share them
	parts  map[string]sub // of the keys with maps
	absent map[string]func() state.Value
}

type sub struct {
	*shape
	optional bool // null stands for none, as does everything that Python takes for false
}

func newShape(row string) *shape {
	s := &shape{keys: strings.Fields(row), parts: map[string]sub{}, absent: maps.Clone(absent)}
	for _, key := range s.keys {
		s.values = append(s.values, state.Text(key))
	}
	return s
}

// absent is what a missing key means, of those that not all records have or that
// steps upwards do not add because a later one removes them. All others must be
// there.
var absent = map[string]func() state.Value{
	"backup":            null,
	"comment":           empty,
	"error":             null,
	"first_line_format": relative,
	"form_out":          relative,
	"intercepted":       no,
	"is_replay":         null,
	"messages":          noList,
	"metadata":          noMap,
	"mode":              func() state.Value { return state.Text("regular") },
	"response":          null,
	"stickyauth":        no,
	"stickycookie":      no,
	"tls_extensions":    null,
	"websocket":         null,
}

func relative() state.Value { return state.Text("relative") }

// arrange returns a map with the entries of m that are in s, in order.
func (s *shape) arrange(m *state.Map) (*state.Map, error) {
	entries := make([]state.Entry, len(s.keys))
	for i, key := range s.keys {
		v, ok := m.Get(key)
		if !ok {
			value := s.absent[key]
			if value == nil {
				return nil, state.At(state.ErrMissing, key)
			}
			v = value()
		}
		if part, ok := s.parts[key]; ok {
			var err error
			if v, err = part.arrange(v); err != nil {
				return nil, state.At(err, key)
			}
		}
		entries[i] = state.Entry{Key: s.values[i], Value: v}
	}
	return state.NewMap(entries...), nil
}

// arrange is [shape.arrange] for the value v.
func (p sub) arrange(v state.Value) (state.Value, error) {
	if p.optional {
		if some, err := truthy(v); !some {
			return state.Null(), err
		}
	}
	m, err := v.Map()
	if err != nil {
		return v, err
	}
	m, err = p.shape.arrange(m)
	return m.Value(), err
}

// strangers calls f with the path of every key of m that s does not have.
func (s *shape) strangers(m *state.Map, f func(keys ...any)) {
	for k, v := range m.All() {
		name, err := k.Text()
		if err != nil || !slices.Contains(s.keys, name) {
			f(k)
			continue
		}
		if part, ok := s.parts[name]; ok && v.Kind() == state.KindMap {
			if m, err := v.Map(); err == nil {
				part.strangers(m, func(keys ...any) { f(append([]any{name}, keys...)...) })
			}
		}
	}
}
