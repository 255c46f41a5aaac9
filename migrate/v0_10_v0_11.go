package migrate

import (
	"bytes"

	"github.com/flowtool/flowtool/state"
)

// up0_10 makes a flow of what was a request with its response. No later release
// reads the old layout, so this is not mitmproxy's doing.
//
// Before:
//
//	version error
//	request   client_conn {address [host, port], requestcount, error} httpversion
//	          host port scheme method path headers content timestamp_start
//	          timestamp_end tcp_setup_timestamp ssl_setup_timestamp ip
//	response  httpversion code msg headers timestamp_start timestamp_end cert
//	          content
//
// After:
//
//	version id type error
//	client_conn  address ssl_established clientcert timestamp_start timestamp_end
//	             timestamp_ssl_setup
//	server_conn  address source_address peer_address ssl_established cert sni
//	             timestamp_start timestamp_end timestamp_tcp_setup
//	             timestamp_ssl_setup state
//	request      form_in and what is left of the above
//	response     without cert
//
// Addresses are maps as in up2_0. The client connection gets the time of its
// request, the only one known. The address the server name resolved to goes to
// peer_address, which comes with 0.17 only.
func up0_10(u *upgrade, m *state.Map) error {
	id, err := flowID(u.record, m)
	if err != nil {
		return err
	}
	m.Set("id", id)
	m.Set("type", state.Text("http"))

	req, err := m.Map("request")
	if err != nil {
		return err
	}
	client, err := client0_10(req)
	if err != nil {
		return state.At(err, "request")
	}
	server, err := server0_10(req)
	if err != nil {
		return state.At(err, "request")
	}
	for _, key := range []string{"address", "peer_address"} {
		for _, c := range []*state.Map{client, server} {
			if err := wrapAddress(c, key); err != nil {
				return state.At(err, key)
			}
		}
	}
	m.Set("client_conn", client.Value())
	m.Set("server_conn", server.Value())
	for _, key := range []string{"client_conn", "tcp_setup_timestamp", "ssl_setup_timestamp", "ip"} {
		req.Delete(key)
	}
	req.Set("form_in", state.Text("relative"))

	if v, _ := m.Get("response"); !v.IsNull() {
		resp, err := v.Map()
		if err != nil {
			return state.At(err, "response")
		}
		cert, _ := resp.Delete("cert")
		server.Set("cert", cert)
	}
	return nil
}

func client0_10(req *state.Map) (*state.Map, error) {
	start, ok := req.Get("timestamp_start")
	if !ok {
		return nil, state.At(state.ErrMissing, "timestamp_start")
	}
	scheme, err := req.Bytes("scheme")
	if err != nil {
		return nil, err
	}
	var addr state.Value
	if v, _ := req.Get("client_conn"); !v.IsNull() { // null in replayed requests
		conn, err := v.Map()
		if err != nil {
			return nil, state.At(err, "client_conn")
		}
		addr, _ = conn.Get("address")
	}
	return state.NewMap(
		state.E("address", addr),
		state.E("ssl_established", state.Bool(bytes.Equal(scheme, []byte("https")))),
		state.E("clientcert", state.Null()),
		state.E("timestamp_start", start),
		state.E("timestamp_end", state.Null()),
		state.E("timestamp_ssl_setup", state.Null()),
	), nil
}

func server0_10(req *state.Map) (*state.Map, error) {
	host, ok := req.Get("host")
	if !ok {
		return nil, state.At(state.ErrMissing, "host")
	}
	port, ok := req.Get("port")
	if !ok {
		return nil, state.At(state.ErrMissing, "port")
	}
	var peer state.Value
	if ip, _ := req.Get("ip"); !ip.IsNull() {
		peer = state.NewList(ip, port).Value()
	}
	tcp, _ := req.Get("tcp_setup_timestamp")
	tls, _ := req.Get("ssl_setup_timestamp")
	return state.NewMap(
		state.E("address", state.NewList(host, port).Value()),
		state.E("source_address", state.Null()),
		state.E("peer_address", peer),
		state.E("ssl_established", state.Bool(!tls.IsNull())),
		state.E("cert", state.Null()),
		state.E("sni", state.Null()),
		state.E("timestamp_start", tcp),
		state.E("timestamp_end", state.Null()),
		state.E("timestamp_tcp_setup", tcp),
		state.E("timestamp_ssl_setup", tls),
		state.E("state", state.NewList().Value()),
	), nil
}
