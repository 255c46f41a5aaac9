package flow

import (
	"context"
	"sync"

	"github.com/flowtool/flowtool/state"
)

// Version is the format version of the states this package understands. Package
// migrate brings other ones up to date.
const Version = 21

// A Flow is one recorded exchange: [*HTTP], [*TCP], [*UDP] or [*DNS]. No other
// type implements it.
type Flow interface {
	// Type returns the name of the type: "http", "tcp", "udp" or "dns".
	Type() string
	// ID returns the identity of the flow, a UUID.
	ID() string
	SetID(id string)
	// Comment returns what the user noted.
	Comment() string
	SetComment(s string)
	// Marked returns the name of the mark, "" if there is none; see
	// [MarkerGlyph].
	Marked() string
	SetMarked(name string)
	// IsReplay returns which side was replayed: "request", "response" or "".
	IsReplay() string
	SetIsReplay(side string)
	// Metadata returns the map of what extensions have noted. It is the one in
	// the flow, so changes to it are changes of the flow.
	Metadata() *state.Map
	// MetadataValue returns one of the values in Metadata, for reading only.
	// It costs next to nothing if there are none.
	MetadataValue(key string) (v state.Value, ok bool)
	// TimestampCreated returns when the flow was made.
	TimestampCreated() Timestamp
	SetTimestampCreated(t Timestamp)
	// TimestampStart returns when the exchange began: the time of the request
	// of an HTTP flow, that of the client connection of any other.
	TimestampStart() Timestamp

	// ClientConn and ServerConn return the connections; they are never nil.
	ClientConn() *ClientConn
	ServerConn() *ServerConn
	// Error returns what went wrong, nil if nothing did.
	Error() *Error
	SetError(e *Error)

	// Damage returns the first thing that turned out to be wrong while parts of
	// a flow from [View] were decoded: a part that is missing, a value of a type
	// that cannot be understood, or an encoding that cannot be read. What is
	// concerned is zero in the part. It is nil for flows from [FromState].
	Damage() error

	// State returns the state of the flow with everything that was edited in
	// it. It is not a copy: it is for writing it out. What is changed in it
	// directly may be overwritten by the parts that were handed out.
	State() *state.Map
	// GetState returns an independent copy of the state with all keys in their
	// logical order.
	GetState() *state.Map
	// SetState replaces everything in the flow by the state m, which must be
	// valid as for [FromState] and of the same type; it becomes part of the
	// flow. If it is not valid, neither the flow nor m is changed. Parts that
	// were handed out are updated in place, unless they have no counterpart in
	// m any more.
	SetState(m *state.Map) error

	// Backup keeps the state as it is now for [Flow.Revert] and
	// [Flow.Modified]. It does nothing if there is a backup already.
	Backup()
	// BackupState returns the backup, nil if there is none. It is not a copy
	// and must not be changed.
	BackupState() *state.Map
	// UpgradeBackup makes a state stand for the backup in the flow, which is of
	// an older version: mitmproxy leaves backups as they are when it migrates a
	// flow. What is written out does not change by that. Readers of package
	// dumpfile do it.
	UpgradeBackup(upgraded *state.Map)
	// Modified tells whether there is a backup that differs from the flow.
	Modified() bool
	// Revert returns to the backup and drops it. Without a backup it does
	// nothing. A backup that is not valid is an error and changes nothing.
	Revert() error
	// Copy returns an independent flow with a new id that is not live. Its
	// backup, if there is one, gets the new id as well.
	Copy() Flow

	// Live tells whether the exchange is still going on in this process.
	Live() bool
	SetLive(live bool)
	// Intercepted tells whether the flow is paused, or was when it was saved.
	Intercepted() bool
	// Intercept pauses the flow.
	Intercept()
	// Resume ends the pause and lets everybody waiting in WaitForResume go on.
	Resume()
	// WaitForResume returns when the flow is not paused, at once if that is
	// so already, or with the error of ctx when that is done first.
	WaitForResume(ctx context.Context) error
	// Killable tells whether Kill would do something: the flow is live and was
	// not killed before.
	Killable() bool
	// Kill ends a live flow with the error [KilledMessage]. Everybody waiting
	// in WaitForResume goes on, to find it killed.
	Kill() error

	sealed() *common
}

// common is what all types of flows share.
type common struct {
	m        *state.Map
	typ      *flowType
	self     parts
	client   *ClientConn
	server   *ServerConn
	metadata *state.Map // not in m because m has none
	damage   error      // see Damage
	upgraded *state.Map // what to take for the backup in m, see UpgradeBackup
	// backup was made by this process. It is in m only while the flow is
	// modified.
	backup *state.Map

	mu          sync.Mutex // guards what follows
	live        bool
	intercepted bool
	wake        chan struct{} // closed when the pause ends; nil if nobody waits
	err         *Error
	errLoaded   bool
}

// parts is what the types of flows do themselves.
type parts interface {
	Flow
	// sync writes the parts that were handed out back into the state.
	sync(s *scratch)
	// reload updates the parts that were handed out from the state.
	reload(s *scratch)
}

func (c *common) sealed() *common { return c }

// init makes m the state of the flow.
func (c *common) init(typ *flowType, self parts, m *state.Map) {
	c.typ, c.self = typ, self
	c.setMap(m)
}

func (c *common) setMap(m *state.Map) {
	c.m = m
	v, _ := m.Get("intercepted")
	c.setIntercepted(v.Truthy())
}

// Type implements [Flow].
func (c *common) Type() string { return c.typ.name }

// ID implements [Flow].
func (c *common) ID() string { return c.text("id") }

// SetID implements [Flow].
func (c *common) SetID(id string) { c.setText("id", id) }

// Comment implements [Flow].
func (c *common) Comment() string { return c.text("comment") }

// SetComment implements [Flow].
func (c *common) SetComment(s string) { c.setText("comment", s) }

// Marked implements [Flow].
func (c *common) Marked() string { return c.text("marked") }

// SetMarked implements [Flow].
func (c *common) SetMarked(name string) { c.setText("marked", name) }

// IsReplay implements [Flow].
func (c *common) IsReplay() string { return c.text("is_replay") }

// TimestampCreated implements [Flow].
func (c *common) TimestampCreated() Timestamp { return timestamp(c.peek("timestamp_created")) }

// TimestampStart implements [Flow].
func (c *common) TimestampStart() Timestamp { return c.ClientConn().TimestampStart }

// SetTimestampCreated implements [Flow].
func (c *common) SetTimestampCreated(t Timestamp) { c.setTime("timestamp_created", t) }

// SetIsReplay implements [Flow].
func (c *common) SetIsReplay(side string) {
	if side == "" && c.IsReplay() != "" {
		c.m.Set("is_replay", state.Null())
	} else {
		c.setText("is_replay", side)
	}
}

// peek is get for looking only.
func (c *common) peek(key string) *state.Value {
	if v := c.m.Peek(key); v != nil {
		return v
	}
	return &absent
}

func (c *common) get(key string) state.Value {
	v, _ := c.m.Get(key)
	return v
}

func (c *common) text(key string) string {
	return intern(raw(c.peek(key)))
}

// setText sets a text unless it is what the key has already.
func (c *common) setText(key, s string) {
	if c.text(key) != s {
		c.m.Set(key, state.Text(s))
	}
}

func (c *common) setTime(key string, t Timestamp) {
	if timestamp(c.peek(key)).same(t) {
		return
	}
	if t.IsNull() {
		t = Seconds(0) // null is not allowed
	}
	c.m.Set(key, t.value())
}

// MetadataValue implements [Flow].
func (c *common) MetadataValue(key string) (state.Value, bool) {
	if c.metadata == nil && c.peek("metadata").Len() == 0 {
		return state.Value{}, false
	}
	return c.Metadata().Get(key)
}

// Metadata implements [Flow].
func (c *common) Metadata() *state.Map {
	m, err := c.m.Map("metadata")
	if err == nil {
		return m
	}
	if c.peek("metadata").Kind() == state.KindMap && c.damage == nil {
		c.damage = err // with its path
	}
	if c.metadata == nil {
		c.metadata = state.NewMap()
	}
	return c.metadata
}

// ClientConn implements [Flow].
func (c *common) ClientConn() *ClientConn {
	if c.client == nil {
		c.client = new(ClientConn)
		loadPart(c, "client_conn", clientFields, c.client)
	}
	return c.client
}

// ServerConn implements [Flow].
func (c *common) ServerConn() *ServerConn {
	if c.server == nil {
		c.server = new(ServerConn)
		loadPart(c, "server_conn", serverFields, c.server)
	}
	return c.server
}
