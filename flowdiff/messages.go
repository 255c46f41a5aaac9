package flowdiff

import (
	"crypto/sha256"

	"github.com/flowtool/flowtool/state"
)

// The elements of messages: of WebSockets, and of TCP and UDP.
var (
	webSocketFields = []string{"opcode", "from_client", "content", "timestamp", "dropped", "injected"}
	streamFields    = []string{"from_client", "content", "timestamp"}
)

// A message is a message, split.
type message struct {
	elems []state.Value // by field
	key   string        // what it is found again by: everything but times and marks
	class string        // direction and opcode: an edited message keeps them
	// marked tells that a script made the message up, or kept it from being sent.
	marked bool
}

// isMark tells whether a field of messages says what was done to them.
func isMark(field string) bool { return field == "dropped" || field == "injected" }

// messages compares two lists of messages.
func (d *differ) messages(p at, a, b state.Value, fields []string) {
	x, ok1 := d.parseMessages(p.a, a, fields)
	y, ok2 := d.parseMessages(p.b, b, fields)
	if !ok1 || !ok2 {
		d.asWhole(func() { d.field(p, a, b) }, p)
		return
	}
	classA := func(i int) string { return x[i].class }
	classB := func(j int) string { return y[j].class }
	matches := matchLists(keysOf(x), keysOf(y), classA, classB)
	tail := len(matches) // where those begin that came after all others
	for tail > 0 && matches[tail-1].i < 0 {
		tail--
	}
	for k, m := range matches {
		switch {
		case m.i < 0:
			c := Change{Kind: Added, New: state.NewList(y[m.j].elems...).Value()}
			c.Progress = d.opts.Backup && k >= tail && !y[m.j].marked
			d.add(p.index(m.j, m.j), c)
		case m.j < 0:
			d.add(p.index(m.i, m.i), Change{Kind: Removed, Old: state.NewList(x[m.i].elems...).Value()})
		default:
			q := p.index(m.i, m.j)
			if m.moved {
				d.movedParts(q, m.i, m.j)
			}
			d.message(q, x[m.i], y[m.j], fields, m.equal)
		}
	}
}

// message compares two messages that belong together. same says that their
// content is.
func (d *differ) message(p at, a, b message, fields []string, same bool) {
	for k, name := range fields {
		q := p.key(name)
		if name == "content" {
			if same {
				continue
			}
			d.content(q, a.elems[k], b.elems[k], media{}, media{})
		} else {
			d.field(q, a.elems[k], b.elems[k])
		}
	}
}

// parseMessages splits a list of messages; ok is false if it is none.
func (d *differ) parseMessages(p state.Path, v state.Value, fields []string) (out []message, ok bool) {
	if v.Kind() != state.KindList {
		return nil, false
	}
	l, err := v.List()
	if err != nil {
		return nil, false
	}
	for _, e := range l.All() {
		tuple, err := e.List()
		if err != nil || tuple.Len() != len(fields) {
			return nil, false
		}
		m := message{elems: make([]state.Value, len(fields))}
		h := sha256.New()
		for k, elem := range tuple.All() {
			m.elems[k] = elem
			switch fields[k] {
			case "content":
				if elem.Kind() != state.KindBytes {
					return nil, false
				}
				d.failAt(p, writeScalar(h, elem))
			case "opcode", "from_client":
				m.class += keyID(elem) + "\x00"
			default:
				m.marked = m.marked || isMark(fields[k]) && elem.Truthy()
			}
		}
		m.key = m.class + string(h.Sum(nil))
		out = append(out, m)
	}
	return out, true
}

func keysOf(messages []message) []string {
	out := make([]string, len(messages))
	for i, m := range messages {
		out[i] = m.key
	}
	return out
}
