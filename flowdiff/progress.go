package flowdiff

import (
	"strings"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/state"
)

// markProgress marks the changes from a, the backup, to b that the exchange itself
// made: an answer that came, a connection that was made and ended, messages
// behind the last one, the end of a pause, the times of a replay.
func markProgress(changes []Change, a, b *state.Map) {
	stage := stageOf(a)
	stage.answered = hasTime(b, "server_conn", "timestamp_start") || textIs(b, "is_replay", "request", "response")
	for k := range changes {
		if changes[k].Path == "/is_replay" && changes[k].Kind == Added {
			stage.replayed = true
		}
	}
	for k := range changes {
		c := &changes[k]
		c.Progress = c.Progress || stage.goesOn(c)
	}
}

// A stage is how far an exchange had come when its backup was made.
type stage struct {
	connected bool            // to the server
	answered  bool            // since then: by a server, or by a recording
	replayed  bool            // since then
	complete  map[string]bool // "request" and "response": whether they had ended
}

func stageOf(a *state.Map) stage {
	s := stage{complete: map[string]bool{}}
	s.connected = hasTime(a, "server_conn", "timestamp_start")
	for _, key := range []string{"request", "response"} {
		s.complete[key] = hasTime(a, key, "timestamp_end")
	}
	return s
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
			return c.Kind == Added
		case "error":
			return c.Kind == Added && !isKilled(c.New)
		case "intercepted":
			return c.Old.Truthy()
		}
		return false
	case first == "server_conn":
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

// isKilled tells whether an error says that somebody killed the flow.
func isKilled(e state.Value) bool {
	if e.Kind() != state.KindMap {
		return false
	}
	m, err := e.Map()
	return err == nil && textIs(m, "msg", flow.KilledMessage)
}
