package migrate

import "github.com/flowtool/flowtool/state"

// up4 gives connections an id, also those in via. Flows with the same client
// start time and address share the client, those with the same server start time
// and source address share the server, null being equal to null.
//
// mitmproxy fails if an address is null.
func up4(_ *upgrade, m *state.Map) error {
	return connections(m, func(c *state.Map, client bool) error {
		if err := unwrapAddresses(c); err != nil {
			return err
		}
		start, ok := c.Get("timestamp_start")
		if !ok {
			return state.At(state.ErrMissing, "timestamp_start")
		}
		key := "source_address"
		if client {
			key = "address"
		}
		addr, ok := c.Get(key)
		if !ok {
			return state.At(state.ErrMissing, key)
		}
		id, err := connectionID(client, start, addr)
		if err != nil {
			return err
		}
		c.Set("id", id)
		return nil
	})
}

// down4 removes the ids of connections. Readers give them others, by the rule of
// up4.
func down4(d *downgrade, m *state.Map) error {
	return d.connections(m, func(c *state.Map, at place) error {
		start, _ := c.Get("timestamp_start")
		key := "source_address"
		if at.client() {
			key = "address"
		}
		addr, _ := c.Get(key)
		if d.to.Compare(Tuple(0, 18)) < 0 { // the host will be bytes
			var err error
			if addr, err = bytesOf(addr); err != nil {
				return state.At(err, key)
			}
		}
		derived, err := connectionID(at.client(), start, addr)
		if err != nil {
			return err
		}
		if id, _ := c.Delete("id"); !state.Equal(id, derived) {
			d.derive("id of the connection", at.key("id")...)
		}
		return nil
	})
}
