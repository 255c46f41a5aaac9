package migrate

import "github.com/flowtool/flowtool/state"

// down1_0 removes WebSocket flows, which came with 2.0. Their handshake remains as
// the HTTP flow that it is. There is no up1_0: mitmproxy unwraps addresses here,
// but 2.0 still wraps them.
func down1_0(d *downgrade, m *state.Map) error {
	switch {
	case !isWebSocket(m):
	case d.split:
		d.flows = d.flows[:1]
		d.lose("WebSocket messages", "websocket")
	default:
		d.skip(m, "WebSocket flow")
	}
	return nil
}
