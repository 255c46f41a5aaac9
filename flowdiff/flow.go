package flowdiff

import (
	"github.com/flowtool/flowtool/state"
)

// The keys of a flow in the order in which they are reported: what somebody
// wants to know first comes first. Others follow in their own order.
var flowKeys = []string{
	"type", "id", "request", "response", "websocket", "messages", "error",
	"is_replay", "intercepted", "marked", "comment", "metadata",
}

// flow compares two flows, or two backups, which are flows as well.
func (d *differ) flow(p at, a, b state.Value) {
	http := isFlow(a, "http") && isFlow(b, "http")
	stream := isFlow(a, "tcp", "udp") && isFlow(b, "tcp", "udp")
	d.eachDifferent(p, a, b, flowKeys, func(e entry) {
		maps := e.a.Kind() == state.KindMap && e.b.Kind() == state.KindMap
		switch {
		case d.skip(e.at):
		case e.name == "backup" && d.opts.Backup:
		case e.name == "backup" && maps:
			d.flow(e.at, e.a, e.b)
		case http && maps && (e.name == "request" || e.name == "response"):
			d.httpMessage(e)
		case http && maps && e.name == "websocket":
			d.webSocket(e)
		case stream && e.name == "messages":
			d.messages(e.at, e.a, e.b, streamFields)
		case maps && (e.name == "client_conn" || e.name == "server_conn"):
			d.eachDifferent(e.at, e.a, e.b, nil, d.connEntry)
		default:
			d.entry(e, e.name != "metadata")
		}
	})
}

func (d *differ) webSocket(e entry) {
	d.eachDifferent(e.at, e.a, e.b, nil, func(e entry) {
		if e.name == "messages" {
			d.messages(e.at, e.a, e.b, webSocketFields)
		} else {
			d.entry(e, true)
		}
	})
}

func (d *differ) connEntry(e entry) {
	switch e.name {
	case "peername", "sockname", "address", "via":
		if !d.skip(e.at) {
			d.tuples(e.at, e.a, e.b)
		}
	default:
		d.entry(e, true)
	}
}

// isFlow tells whether v is a flow of one of some types.
func isFlow(v state.Value, types ...string) bool {
	m, err := v.Map()
	return err == nil && textIs(m, "type", types...)
}

// textIs tells whether a key of m is one of some texts.
func textIs(m *state.Map, key string, texts ...string) bool {
	s, err := m.Text(key)
	for _, t := range texts {
		if err == nil && s == t {
			return true
		}
	}
	return false
}
