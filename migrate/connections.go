package migrate

import "github.com/flowtool/flowtool/state"

// connections calls f for the client connection of m, its server connection, and
// for the upstream proxies in via, which up to version 18 is null or a server
// connection like the one it is in.
func connections(m *state.Map, f func(c *state.Map, client bool) error) error {
	c, err := m.Map("client_conn")
	if err != nil {
		return err
	}
	if err := f(c, true); err != nil {
		return state.At(err, "client_conn")
	}
	return servers(m, f)
}

// servers is connections without the client.
func servers(m *state.Map, f func(c *state.Map, client bool) error) error {
	s, err := m.Map("server_conn")
	if err != nil {
		return err
	}
	return state.At(withVia(s, f), "server_conn")
}

func withVia(s *state.Map, f func(c *state.Map, client bool) error) error {
	if err := f(s, false); err != nil {
		return err
	}
	if v, _ := s.Get("via"); v.Kind() == state.KindMap {
		via, err := v.Map()
		if err == nil {
			err = withVia(via, f)
		}
		return state.At(err, "via")
	}
	return nil
}

// ends is connections without via.
func ends(m *state.Map, f func(c *state.Map, client bool) error) error {
	for _, key := range []string{"client_conn", "server_conn"} {
		c, err := m.Map(key)
		if err != nil {
			return err
		}
		if err := f(c, key == "client_conn"); err != nil {
			return state.At(err, key)
		}
	}
	return nil
}

// httpMessages calls f for request and response where the flow has them.
func httpMessages(m *state.Map, f func(msg *state.Map, request bool) error) error {
	for _, key := range []string{"request", "response"} {
		v, ok := m.Get(key)
		if !ok || v.IsNull() {
			continue
		}
		msg, err := v.Map()
		if err == nil {
			err = f(msg, key == "request")
		}
		if err != nil {
			return state.At(err, key)
		}
	}
	return nil
}

// unwrapAddress replaces the address under key by the list in it. Releases up to
// 2.0 wrote {"address": [host, port], "use_ipv6": bool}.
func unwrapAddress(c *state.Map, key string) error {
	v, _ := c.Get(key)
	if v.Kind() != state.KindMap {
		return nil
	}
	wrapped, err := v.Map()
	if err != nil {
		return state.At(err, key)
	}
	addr, ok := wrapped.Get("address")
	if !ok {
		return state.At(state.At(state.ErrMissing, "address"), key)
	}
	c.Set(key, addr)
	return nil
}

// unwrapAddresses does so for all addresses of a connection up to version 18.
func unwrapAddresses(c *state.Map) error {
	for _, key := range []string{"address", "source_address", "ip_address"} {
		if err := unwrapAddress(c, key); err != nil {
			return err
		}
	}
	return nil
}

// unknownAddress is what mitmproxy writes for an address nobody recorded.
func unknownAddress() state.Value {
	return state.NewList(state.Text(""), state.Int(0)).Value()
}

// rename renames a key that must be there.
func rename(m *state.Map, from, to string) error {
	if !m.Rename(from, to) {
		return state.At(state.ErrMissing, from)
	}
	return nil
}

// renameOptional renames a key, or sets the new one to null.
func renameOptional(m *state.Map, from, to string) {
	if !m.Rename(from, to) {
		m.Set(to, state.Null())
	}
}

// listIf returns a list of the value under key, or an empty one if that is absent,
// null or empty.
func listIf(m *state.Map, key string) (state.Value, error) {
	v, _ := m.Get(key)
	t, err := truthy(v)
	if t {
		return state.NewList(v).Value(), nil
	}
	return state.NewList().Value(), state.At(err, key)
}

// truthy is [state.Value.Truthy], which takes malformed values for empty ones.
func truthy(v state.Value) (bool, error) {
	var err error
	switch v.Kind() {
	case state.KindBool:
		_, err = v.Bool()
	case state.KindInt:
		_, err = v.BigInt()
	case state.KindFloat:
		_, err = v.Float64()
	case state.KindList:
		_, err = v.List()
	case state.KindMap:
		_, err = v.Map()
	}
	return err == nil && v.Truthy(), err
}

// truthyAt is truthy for the value under key; an absent key is false.
func truthyAt(m *state.Map, key string) (bool, error) {
	v, _ := m.Get(key)
	t, err := truthy(v)
	return t, state.At(err, key)
}

func setNull(m *state.Map, keys ...string) {
	for _, key := range keys {
		m.Set(key, state.Null())
	}
}
