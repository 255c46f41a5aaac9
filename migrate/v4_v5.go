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
