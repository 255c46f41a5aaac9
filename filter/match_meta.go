package filter

import (
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/searchtext"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/state"
)

// typeField notes that the type of the flow will be looked at.
func (c *compiler) typeField() field { return c.field(partFlow, "type") }

// is tells whether the flow is of a type.
func (s *subject) is(f field, t flowType) bool {
	if s.typ == typeUnknown {
		v := s.value(f)
		switch {
		case v.IsNull():
			return s.failAt(f, &flow.UnknownTypeError{Type: "nothing"})
		case v.Kind() != state.KindText:
			return s.failAt(f, &flow.UnknownTypeError{Type: v.Kind().String() + " " + v.String()})
		}
		name, err := v.TextBytes()
		if err != nil {
			return s.failAt(f, err)
		}
		if s.typ = typeOf(string(name)); s.typ == typeUnknown {
			return s.failAt(f, &flow.UnknownTypeError{Type: v.Kind().String() + " " + v.String()})
		}
	}
	return s.typ == t
}

func always(*compiler, *Op) matcher { return func(*subject) bool { return true } }

func isType(t flowType) func(*compiler, *Op) matcher {
	return func(c *compiler, _ *Op) matcher {
		f := c.typeField()
		return func(s *subject) bool { return s.is(f, t) }
	}
}

func hasWebSocket(c *compiler, _ *Op) matcher {
	typ, ws := c.typeField(), c.part(partWebSocket)
	return func(s *subject) bool { return s.is(typ, typeHTTP) && s.has(ws) }
}

// hasResponse makes matchers for flows that can have a response.
func hasResponse(want bool) func(*compiler, *Op) matcher {
	return func(c *compiler, _ *Op) matcher {
		typ, resp := c.typeField(), c.part(partResponse)
		return func(s *subject) bool {
			return (s.is(typ, typeHTTP) || s.is(typ, typeDNS)) && s.has(resp) == want
		}
	}
}

func hasError(c *compiler, _ *Op) matcher {
	e := c.part(partError)
	return func(s *subject) bool { return s.has(e) }
}

func isMarked(c *compiler, _ *Op) matcher {
	f := c.field(partFlow, "marked")
	return func(s *subject) bool { return len(s.text(f)) > 0 }
}

// searchTop makes matchers that search a text of the flow itself. One that is
// missing is empty.
func searchTop(key string) func(*compiler, *Op) matcher {
	return func(c *compiler, op *Op) matcher {
		f, found := c.field(partFlow, key), search(op, op.Regexp)
		return func(s *subject) bool { return found(s, s.text(f)) }
	}
}

func searchMetadata(c *compiler, op *Op) matcher {
	f, found := c.field(partFlow, "metadata"), search(op, op.Regexp)
	return func(s *subject) bool {
		s.buf = s.buf[:0]
		// An empty list stands for an empty map.
		if v := s.value(f); !v.IsEmpty() && !v.IsNull() {
			var err error
			if s.buf, err = searchtext.AppendMetadata(s.buf, v); err != nil {
				return s.failAt(f, err)
			}
		}
		return found(s, s.buf)
	}
}

// isReplay makes matchers for flows of which a side, or any if it is "", was
// replayed.
func isReplay(side string) func(*compiler, *Op) matcher {
	return func(c *compiler, _ *Op) matcher {
		f := c.field(partFlow, "is_replay")
		return func(s *subject) bool {
			if side == "" {
				return !s.value(f).IsNull()
			}
			return string(s.text(f)) == side
		}
	}
}

// isEdited: mitmproxy writes a backup only if the flow differs from it.
func isEdited(c *compiler, _ *Op) matcher {
	backup := c.part(partBackup)
	return func(s *subject) bool { return s.has(backup) }
}

func matchID(c *compiler, op *Op) matcher {
	f, ids := c.field(partFlow, "id"), op.Arg.(*Prefixes)
	return func(s *subject) bool { return ids.Match(string(s.text(f))) }
}

func matchIndex(_ *compiler, op *Op) matcher {
	list := op.Arg.(*Numbers)
	return func(s *subject) bool { return list.Contains(s.facts.Index) }
}

func matchFormat(_ *compiler, op *Op) matcher {
	list := op.Arg.(*Versions)
	return func(s *subject) bool {
		return list.Contains(storedVersion(s.facts.Version).Pair())
	}
}

// storedVersion returns the version that one in [Facts] stands for.
func storedVersion(v migrate.Version) migrate.Version {
	if v == (migrate.Version{}) {
		return migrate.Newest
	}
	return v
}

// Times.

// startFields are where a flow says when it started.
type startFields struct{ typ, request, client, created field }

func (c *compiler) startFields() startFields {
	return startFields{
		typ:     c.typeField(),
		request: c.field(partRequest, "timestamp_start"),
		client:  c.field(partClient, "timestamp_start"),
		created: c.field(partFlow, "timestamp_created"),
	}
}

// start returns when the flow started: the request of an HTTP flow, the
// connection of any other. What is missing is replaced as flow.Repair does.
func (s *subject) start(f *startFields) (t float64, ok bool) {
	switch {
	case s.is(f.typ, typeHTTP) && !s.value(f.request).IsNull():
		return s.moment(f.request)
	case !s.value(f.client).IsNull():
		return s.moment(f.client)
	}
	return s.moment(f.created)
}

func matchTime(c *compiler, op *Op) matcher {
	times, from := op.Arg.(*Times), c.startFields()
	c.span = c.span || times.NeedsSpan()
	return func(s *subject) bool {
		t, ok := s.start(&from)
		return ok && times.Contains(t, s.facts.First, s.facts.Last)
	}
}

// matchDuration: from the start of a flow to its last sign of life, as a listing
// shows it.
func matchDuration(c *compiler, op *Op) matcher {
	d, from := op.Arg.(*Durations), c.startFields()
	var (
		response = c.field(partResponse, "timestamp_end")
		failed   = c.field(partError, "timestamp")
		closed   = c.field(partWebSocket, "timestamp_end")
		client   = c.field(partClient, "timestamp_end")
		server   = c.field(partServer, "timestamp_end")
		asked    = c.field(partRequest, "timestamp")
		answered = c.field(partResponse, "timestamp")
		messages = c.field(partFlow, "messages")
	)
	websocket := c.part(partWebSocket)
	resp := c.part(partResponse)
	return func(s *subject) bool {
		start, ok := s.start(&from)
		var end float64
		var ended bool
		switch {
		case s.is(from.typ, typeDNS):
			start, ok = s.moment(asked)
			end, ended = s.moment(answered)
		case !s.is(from.typ, typeHTTP):
			if end, ended = s.moment(server); !ended {
				end, ended = s.moment(client)
			}
			if !ended {
				end, ended = s.lastMessage(messages)
			}
		case s.has(websocket):
			end, ended = s.moment(closed)
		case s.has(resp):
			end, ended = s.moment(response)
		default:
			end, ended = s.moment(failed)
		}
		return ok && ended && d.Contains(end-start)
	}
}

// lastMessage returns the time of the last message of a TCP or UDP flow.
func (s *subject) lastMessage(f field) (t float64, ok bool) {
	list, err := s.elements(s.value(f), &s.list)
	if err != nil {
		return 0, s.failAt(f, err)
	}
	if len(list) == 0 {
		return 0, false
	}
	last := len(list) - 1
	m, err := s.elements(&list[last], &s.tuple)
	if err != nil {
		return 0, s.failAt(f, state.At(err, last))
	}
	if len(m) < 3 || m[2].IsNull() {
		return 0, false
	}
	if t, err = momentOf(&m[2]); err != nil {
		return 0, s.failAt(f, state.At(state.At(err, 2), last))
	}
	return t, t != 0
}

func searchError(c *compiler, op *Op) matcher {
	e, f, found := c.part(partError), c.field(partError, "msg"), search(op, op.Regexp)
	return func(s *subject) bool { return s.has(e) && found(s, s.text(f)) }
}
