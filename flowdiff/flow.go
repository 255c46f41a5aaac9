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

// flow compares two flows.
func (d *differ) flow(a, b *state.Map) {
	http := textIs(a, "type", "http") && textIs(b, "type", "http")
	stream := textIs(a, "type", "tcp", "udp") && textIs(b, "type", "tcp", "udp")
	d.eachDifferent(at{}, a.Value(), b.Value(), flowKeys, func(e entry) {
		maps := e.a.Kind() == state.KindMap && e.b.Kind() == state.KindMap
		switch {
		case d.skip(e.at):
		case e.name == "backup":
			d.backup(e)
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

// backup compares two backups as a whole: whose flow was edited further, its
// changes are those of the flow.
func (d *differ) backup(e entry) {
	if d.opts.Backup {
		return
	}
	d.valid(e.at, e.a, e.b)
	if d.err != nil {
		return
	}
	if x, y := d.build(e.a), d.build(e.b); x.sum != y.sum {
		d.fieldChange(e.at, e.a, e.b)
	}
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
