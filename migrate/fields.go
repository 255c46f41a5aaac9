package migrate

import (
	"errors"
	"slices"

	"github.com/flowtool/flowtool/state"
)

var (
	errTooLarge  = errors.New("integer is too large for a float")
	errNotFinite = errors.New("float is not finite")
	errNotASCII  = errors.New("text is not ASCII, want bytes")
)

// Defaults for fields that a flow may lack.
var (
	null   = func() state.Value { return state.Null() }
	no     = func() state.Value { return state.Bool(false) }
	empty  = func() state.Value { return state.Text("") }
	noMap  = func() state.Value { return state.NewMap().Value() }
	noList = func() state.Value { return state.NewList().Value() }
)

// A schema holds the tables of the newest format, one per flow type.
type schema struct {
	http   *table
	stream *table // tcp and udp
	dns    *table
}

var (
	// flowSchema is that of flows.
	flowSchema = newSchema(isFloat)
	// backupSchema is that of backups. mitmproxy keeps the times in a backup as
	// they are until the flow is reverted.
	backupSchema = newSchema(isNumber)
)

// of returns the table of a flow type, or nil if the type is unknown.
func (s *schema) of(typ string) *table {
	switch typ {
	case "http":
		return s.http
	case "tcp", "udp":
		return s.stream
	case "dns":
		return s.dns
	}
	return nil
}

// newSchema returns the tables with the given rule for the times of connections,
// errors, WebSockets and DNS messages.
func newSchema(time rule) *schema {
	var (
		flag          = is(state.KindBool)
		text          = is(state.KindText)
		textOrNull    = orNull(text)
		data          = is(state.KindBytes)
		dataOrNull    = orNull(data)
		list          = is(state.KindList)
		timeOrNull    = orNull(time)
		addressOrNull = orNull(socketAddress)
	)
	errorFields := []field{
		{"msg", text, nil},
		{"timestamp", time, nil},
	}
	connection := []field{
		{"id", text, nil},
		{"transport_protocol", text, nil},
		{"error", textOrNull, nil},
		{"tls", flag, nil},
		{"certificate_list", listOf(data), nil},
		{"alpn", dataOrNull, nil},
		{"alpn_offers", listOf(data), nil},
		{"cipher", textOrNull, nil},
		{"cipher_list", listOf(text), nil},
		{"tls_version", textOrNull, nil},
		{"sni", textOrNull, nil},
	}
	client := slices.Concat([]field{
		{"peername", knownAddress, nil},
		{"sockname", knownAddress, nil},
	}, connection, []field{
		{"timestamp_start", time, nil},
		{"timestamp_end", timeOrNull, nil},
		{"timestamp_tls_setup", timeOrNull, nil},
		{"mitmcert", dataOrNull, nil},
		{"proxy_mode", text, nil},
	})
	server := slices.Concat([]field{
		{"peername", addressOrNull, nil},
		{"sockname", addressOrNull, nil},
	}, connection, []field{
		{"timestamp_start", timeOrNull, nil},
		{"timestamp_end", timeOrNull, nil},
		{"timestamp_tls_setup", timeOrNull, nil},
		{"address", orNull(hostAndPort), nil},
		{"timestamp_tcp_setup", timeOrNull, nil},
		{"via", orNull(serverSpec), nil},
	})
	message := []field{
		{"http_version", byteString, nil},
		{"headers", list, nil},
		{"content", dataOrNull, nil},
		{"trailers", orNull(list), nil},
		{"timestamp_start", isNumber, nil},
		{"timestamp_end", orNull(isNumber), nil},
	}
	request := slices.Concat(message, []field{
		{"host", host, nil},
		{"port", port, nil},
		{"method", byteString, nil},
		{"scheme", byteString, nil},
		{"authority", byteString, nil},
		{"path", byteString, nil},
	})
	response := slices.Concat(message, []field{
		{"status_code", isInt, nil},
		{"reason", byteString, nil},
	})
	websocket := []field{
		{"messages", listOf(websocketMessage), nil},
		{"closed_by_client", orNull(flag), nil},
		{"close_code", orNull(isInt), nil},
		{"close_reason", textOrNull, nil},
		{"timestamp_end", timeOrNull, nil},
	}
	dns := []field{
		{"id", isInt, nil},
		{"query", flag, nil},
		{"op_code", isInt, nil},
		{"authoritative_answer", flag, nil},
		{"truncation", flag, nil},
		{"recursion_desired", flag, nil},
		{"recursion_available", flag, nil},
		{"reserved", isInt, nil},
		{"response_code", isInt, nil},
		{"questions", list, nil},
		{"answers", list, nil},
		{"authorities", list, nil},
		{"additionals", list, nil},
		{"timestamp", timeOrNull, nil},
	}
	common := []field{
		{"version", asIs, nil},
		{"type", asIs, nil},
		{"id", asIs, nil},
		{"error", emptyIsNull(mapOf(errorFields)), null},
		{"client_conn", mapOf(client), nil},
		{"server_conn", mapOf(server), nil},
		{"intercepted", asIs, no},
		{"is_replay", asIs, null},
		{"marked", asIs, empty},
		{"metadata", asIs, noMap},
		{"comment", asIs, empty},
		{"timestamp_created", asIs, nil},
		{"backup", asIs, null},
	}
	return &schema{
		http: tableOf(common, []field{
			{"request", mapOf(request), nil},
			{"response", emptyIsNull(mapOf(response)), null},
			{"websocket", emptyIsNull(mapOf(websocket)), null},
		}),
		stream: tableOf(common, []field{
			{"messages", list, noList},
		}),
		dns: tableOf(common, []field{
			{"request", mapOf(dns), nil},
			{"response", emptyIsNull(mapOf(dns)), null},
		}),
	}
}

// addressPart is the rule for element i of an address: host, port, flow info,
// scope.
func addressPart(i int) rule {
	if i == 0 {
		return is(state.KindText)
	}
	return isInt
}

// address returns the first elements of an address, most at most.
func address(v state.Value, most int) (state.Value, error) {
	l, err := v.List()
	if err != nil {
		return v, err
	}
	out := make([]state.Value, min(l.Len(), most))
	for i := range out {
		if out[i], err = addressPart(i)(l.At(i)); err != nil {
			return v, state.At(err, i)
		}
	}
	return state.NewList(out...).Value(), nil
}

func socketAddress(v state.Value) (state.Value, error) { return address(v, 4) }

// knownAddress is the rule for addresses of the client. mitmproxy refuses null.
func knownAddress(v state.Value) (state.Value, error) {
	if v.IsNull() {
		return unknownAddress(), nil
	}
	return socketAddress(v)
}

// hostAndPort drops the last two of the four elements that IPv6 addresses had
// before version 10; mitmproxy refuses them.
func hostAndPort(v state.Value) (state.Value, error) {
	v, err := address(v, 2)
	if err == nil && v.Len() != 2 {
		err = &state.TypeError{Want: "list of host and port", Got: v.String()}
	}
	return v, err
}

// serverSpec is the rule for via: [scheme, [host, port]].
func serverSpec(v state.Value) (state.Value, error) {
	l, err := v.List()
	if err != nil {
		return v, err
	}
	if l.Len() != 2 {
		return v, &state.TypeError{Want: "list of scheme and address", Got: v.String()}
	}
	scheme, err := is(state.KindText)(l.At(0))
	if err != nil {
		return v, state.At(err, 0)
	}
	addr, err := hostAndPort(l.At(1))
	if err != nil {
		return v, state.At(err, 1)
	}
	return state.NewList(scheme, addr).Value(), nil
}

// byteString turns ASCII text into bytes.
func byteString(v state.Value) (state.Value, error) {
	if v.Kind() != state.KindText {
		return is(state.KindBytes)(v)
	}
	b, err := v.TextBytes()
	if err == nil && !isASCII(b) {
		err = errNotASCII
	}
	return state.Bytes(b), err
}

// host decodes a host that is bytes, as it was up to version 8.
func host(v state.Value) (state.Value, error) {
	if v.Kind() != state.KindBytes {
		return is(state.KindText)(v)
	}
	b, err := v.Bytes()
	return state.Text(decodeHost(b)), err
}

// port accepts the text "80" besides integers, as constructed flows of 2.0 have
// it.
func port(v state.Value) (state.Value, error) {
	if v.Kind() == state.KindText {
		s, err := v.Text()
		if n := digits(s); err == nil && !n.IsNull() {
			return n, nil
		}
	}
	if v.Kind() == state.KindFloat {
		return v, typeError("int", v)
	}
	return isInt(v)
}

// websocketMessage makes the content bytes and adds what is missing at the end.
func websocketMessage(v state.Value) (state.Value, error) {
	var buf [6]state.Value
	elems, err := v.Elements(buf[:0])
	if err != nil || v.Kind() != state.KindList || len(elems) < 3 || len(elems) > 6 {
		if err == nil {
			err = &state.TypeError{Want: "list of 3 to 6", Got: v.String()}
		}
		return v, err
	}
	for i, e := range elems {
		if e.Kind() >= state.KindList {
			return v, state.At(typeError("scalar", e), i)
		}
	}
	content := elems[2]
	if len(elems) == 6 && content.Kind() == state.KindBytes {
		return v, nil
	}
	l, err := v.List()
	if err != nil {
		return v, err
	}
	switch content.Kind() {
	case state.KindText:
		b, err := content.TextBytes()
		if err != nil {
			return v, state.At(err, 2)
		}
		l.Set(2, state.Bytes(b))
	case state.KindBytes:
	default:
		return v, state.At(typeError("bytes", content), 2)
	}
	for l.Len() < 6 {
		l.Append(state.Bool(false))
	}
	return v, nil
}
