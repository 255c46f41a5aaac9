package flowdiff

import (
	"strings"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/state"
)

// markProgress marks the changes from a, the backup, to b that the exchange itself
// made: an answer that came, a connection that was made and ended, messages
// behind the last one, the end of a pause, the times of a replay. What happened is
// seen from the states, as the changes need not be all.
func markProgress(changes []Change, a, b *state.Map) {
	stage := stageOf(a, b)
	for k := range changes {
		c := &changes[k]
		c.Progress = c.Progress || stage.goesOn(c)
	}
}

// A stage is how far an exchange had come when its backup was made.
type stage struct {
	connected  bool            // to the server
	answered   bool            // since then: by the server, or by a recording
	replayed   bool            // since then
	redirected bool            // since then: the server that was connected to is the one that the request was edited to name
	complete   map[string]bool // "request" and "response": whether they had ended
}

func stageOf(a, b *state.Map) stage {
	s := stage{complete: map[string]bool{}}
	s.connected = hasTime(a, "server_conn", "timestamp_start")
	for _, key := range []string{"request", "response"} {
		s.complete[key] = hasTime(a, key, "timestamp_end")
	}
	s.answered = textIs(b, "is_replay", "request", "response") || isAnswer(b, s.connected && sameServer(a, b))
	before, _ := a.Get("is_replay")
	after, _ := b.Get("is_replay")
	s.replayed = before.IsNull() && !after.IsNull()
	s.redirected = !samePart(a, b, "request", "host", "port") && hasTime(b, "server_conn", "timestamp_start") && goesToHost(b)
	return s
}

// isAnswer tells whether the response of a flow came from its server. A connection
// that was made after the backup tells so, one that was there before does not: then
// the response has to look like that of a server, with a date or the name of one.
func isAnswer(m *state.Map, before bool) bool {
	server, err1 := m.Map("server_conn")
	response, err2 := m.Map("response")
	if err1 != nil || err2 != nil || !hasTime(m, "server_conn", "timestamp_start") {
		return false
	}
	alpn, err1 := server.Bytes("alpn")
	version, err2 := response.Bytes("http_version")
	if err1 == nil && err2 == nil && (string(alpn) == "h2" || string(alpn) == "h3") {
		// What scripts make up is HTTP/1 if they do not say otherwise.
		return !strings.HasPrefix(string(version), "HTTP/1.")
	}
	if !before {
		return true
	}
	headers, _ := response.Get("headers")
	block, ok := parseBlock(headers)
	return ok && len(block.byKey["date"])+len(block.byKey["server"]) > 0
}

// sameServer tells whether two states have the same connection to the server.
func sameServer(a, b *state.Map) bool { return samePart(a, b, "server_conn", "id") }

// samePart tells whether two states have a part with the same values of some keys.
func samePart(a, b *state.Map, part string, keys ...string) bool {
	x, err1 := a.Map(part)
	y, err2 := b.Map(part)
	if err1 != nil || err2 != nil {
		return false
	}
	for _, key := range keys {
		old, _ := x.Get(key)
		v, _ := y.Get(key)
		if !state.Equal(old, v) {
			return false
		}
	}
	return true
}

// goesToHost tells whether the server of a flow is the host that its request names.
func goesToHost(m *state.Map) bool {
	server, err1 := m.Map("server_conn")
	request, err2 := m.Map("request")
	if err1 != nil || err2 != nil {
		return false
	}
	address, err := server.List("address")
	if err != nil || address.Len() < 2 {
		return false
	}
	host, _ := request.Get("host")
	port, _ := request.Get("port")
	return state.Equal(address.At(0), host) && state.Equal(address.At(1), port)
}

func hasTime(m *state.Map, part, key string) bool {
	v, _ := m.Get(part)
	if v.Kind() != state.KindMap {
		return false
	}
	p, err := v.Map()
	if err != nil {
		return false
	}
	t, ok := p.Get(key)
	return ok && !t.IsNull()
}

func (s *stage) goesOn(c *Change) bool {
	steps := strings.Split(string(c.Path), "/")[1:]
	first, last := steps[0], steps[len(steps)-1]
	appeared := c.Kind == Added || c.Kind == Changed && c.Body == nil && c.Old.Kind() != state.KindInt && !c.Old.Truthy()
	switch {
	case first == "metadata":
		return false
	case len(steps) == 1:
		switch first {
		case "response":
			return c.Kind == Added && s.answered
		case "websocket":
			return c.Kind == Added && !hasMarked(c.New)
		case "error":
			return c.Kind == Added && !isKilled(c.New)
		case "intercepted":
			return c.Old.Truthy()
		}
		return false
	case first == "server_conn":
		// Where to connect to is decided before. The proxy decides it again only for
		// a request that was edited to go elsewhere.
		target := steps[1] == "address" || steps[1] == "via" || steps[1] == "sni"
		if target && !(appeared && len(steps) == 2) {
			return !s.connected && s.redirected && steps[1] != "via"
		}
		return !s.connected || appeared
	case first == "client_conn":
		return appeared
	case first == "request" || first == "response":
		if s.replayed && isTime(c.Path) {
			return true
		}
		late := last == "timestamp_end" || last == "content" || last == "trailers"
		return len(steps) == 2 && late && c.Kind == Added && !s.complete[first]
	case first == "websocket" && len(steps) == 2:
		return c.Kind == Added
	}
	return false
}

// hasMarked tells whether there are messages in a WebSocket that were injected, or
// kept from being sent.
func hasMarked(webSocket state.Value) bool {
	m, err := webSocket.Map()
	if err != nil {
		return false
	}
	messages, err := m.List("messages")
	if err != nil {
		return false
	}
	for _, v := range messages.All() {
		tuple, err := v.List()
		for k := 0; err == nil && k < min(tuple.Len(), len(webSocketFields)); k++ {
			if isMark(webSocketFields[k]) && tuple.At(k).Truthy() {
				return true
			}
		}
	}
	return false
}

// isKilled tells whether an error says that somebody killed the flow.
func isKilled(e state.Value) bool {
	if e.Kind() != state.KindMap {
		return false
	}
	m, err := e.Map()
	return err == nil && textIs(m, "msg", flow.KilledMessage)
}
