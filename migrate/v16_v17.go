package migrate

import "github.com/flowtool/flowtool/state"

// up16 removes mode; proxy_mode of the client connection takes its place.
func up16(_ *upgrade, m *state.Map) error {
	m.Delete("mode")
	return nil
}

// down16 adds mode to HTTP flows, what there is of it: "regular", "transparent" or
// "upstream". There are no DNS flows below version 17.
func down16(d *downgrade, m *state.Map) error {
	switch typeOf(m) {
	case "dns":
		d.skip(m, "DNS flow")
	case "http":
		mode := "regular"
		if d.mode == "transparent" || d.mode == "upstream" {
			mode = d.mode
		}
		m.Set("mode", state.Text(mode))
	}
	return nil
}
