package flow

import (
	"github.com/flowtool/flowtool/state"
)

// A Message is a chunk of a TCP stream or a UDP datagram.
type Message struct {
	FromClient bool
	Content    Body
	Timestamp  Timestamp // null if unknown; mitmproxy reads null and 0 as now
}

var messageFields = table[Message]{
	boolField("", boolRule, func(p *Message) *bool { return &p.FromClient }),
	bodyField("", bytesRule, func(p *Message) *Body { return &p.Content }),
	timeField("", messageTimeRule, func(p *Message) *Timestamp { return &p.Timestamp }),
}

// messageTimeRule allows null for an unknown time. mitmproxy reads it, and 0, as
// the current time.
var messageTimeRule = numberRule.orNull()

var messagesRule = listOf(tupleOf("list of three elements", 2, messageFields.rules()...))

// stream is what TCP and UDP flows have in common.
type stream struct {
	common
	messages []Message
	loaded   bool
}

// Messages returns the messages in order. Elements of the slice may be edited in
// place; see SetMessages for adding and removing them.
func (f *stream) Messages() []Message {
	if !f.loaded {
		s := newScratch()
		defer s.free()
		f.messages, f.loaded = loadList(messageFields, f.peek("messages"), s), true
		f.note("messages", s.err)
	}
	return f.messages
}

// SetMessages replaces the messages.
func (f *stream) SetMessages(messages []Message) { f.messages, f.loaded = messages, true }

func (f *stream) sync(s *scratch) {
	if !f.loaded {
		return
	}
	v := f.get("messages")
	if !sameList(messageFields, f.messages, &v, s) {
		f.m.Set("messages", storeList(messageFields, f.messages, v, messageFields.storeTuple, s))
	}
}

func (f *stream) reload(s *scratch) {
	if f.loaded {
		f.messages = loadList(messageFields, f.peek("messages"), s)
	}
}

var messagesKey = schemaField{name: "messages", rule: messagesRule}

// A TCP is a TCP connection, or a QUIC stream.
type TCP struct{ stream }

var tcpType = newFlowType("tcp", messagesKey)

// NewTCP returns a TCP flow without messages and with a new id, created now.
func NewTCP(client *ClientConn, server *ServerConn) *TCP {
	f := new(TCP)
	f.init(&tcpType, f, newState(&tcpType, client, server, emptyMessages()))
	f.client, f.server = client, server
	return f
}

func emptyMessages() state.Entry { return state.E("messages", state.NewList().Value()) }
