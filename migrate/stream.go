package migrate

import "github.com/flowtool/flowtool/state"

// Options configure a [Stream]. Zero fields mean the default.
type Options struct {
	// MaxHandshakes and MaxHandshakeBytes limit the WebSocket handshakes that
	// wait for their messages, in number and in memory. The defaults are 10,000
	// and 64 MiB. When a limit is reached the oldest are forgotten.
	MaxHandshakes     int
	MaxHandshakeBytes int64
	// NewID returns the id of the WebSocket flow that [Stream.To] makes of the
	// messages of the flow with the given id. The default is a hash of that id.
	NewID func(flow string) string
}

// A Stream migrates the records of one input, which it must get in their order,
// either all with Up or all with To and the same target. It remembers what later records need: WebSocket handshakes (see the package
// comment), and how many records there were.
//
// A Stream must not be used by several goroutines at once, except for states of
// versions for which [Stateless] is true.
type Stream struct {
	pending  handshakes
	embedded handshakes // migrated to 2.0, where WebSocket flows hold theirs
	records  int64      // migrated up so far, other than stateless ones
	newID    func(flow string) string
}

// NewStream returns a Stream for one input. Nil options mean the defaults.
func NewStream(opts *Options) *Stream {
	var o Options
	if opts != nil {
		o = *opts
	}
	s := &Stream{newID: o.NewID}
	if s.newID == nil {
		s.newID = webSocketID
	}
	s.pending.init(o.MaxHandshakes, o.MaxHandshakeBytes)
	s.embedded.init(o.MaxHandshakes, o.MaxHandshakeBytes)
	return s
}

// Up migrates a state of any version to [Newest].
//
// A state that is of the newest version already is returned unchanged, and
// without looking at anything but its version. Otherwise Up takes ownership
// of m: it changes m and what is in it, and the result may be another map.
//
// A flow of type websocket becomes an HTTP flow: the handshake with the messages
// added. Where the handshake is not known, because it did not come before or was
// forgotten, a request "GET http://unknown/" stands for it.
//
// The error is a [VersionError] or a [StepError]. After an error m is of no
// use, but the Stream is.
func (s *Stream) Up(m *state.Map) (*state.Map, error) {
	v, err := VersionOf(m)
	if err != nil {
		return nil, err
	}
	if v == Newest {
		return m, nil
	}
	return s.upgrade(m, v, Newest).finish(v)
}

// upgrade returns the migration of m, which is of version from.
func (s *Stream) upgrade(m *state.Map, from, to Version) *upgrade {
	u := &upgrade{chain: steps, schema: flowSchema, to: to, flow: m}
	if !Stateless(from) {
		s.records++
		u.pending, u.record = &s.pending, s.records
	}
	return u
}

// Backup returns the backup of the flow m, a state of the newest version, brought
// up to date. mitmproxy leaves backups in the version they were made in when it
// writes a migrated flow, so that it cannot revert to them. It is null if it
// cannot be brought up to date, or if there is none; m is not changed.
func Backup(m *state.Map) state.Value {
	v, _ := m.Get("backup")
	u := &upgrade{chain: steps, schema: flowSchema, to: Newest, flow: m}
	return u.backup(state.Clone(v))
}

// OldBackup is [Backup] for a backup that is of an older version; ok is false for any
// other, and if there is none.
func OldBackup(m *state.Map) (newest state.Value, ok bool) {
	b, err := m.Map("backup")
	if err != nil {
		return state.Value{}, false
	}
	if v, err := VersionOf(b); err != nil || v == Newest {
		return state.Value{}, false
	}
	return Backup(m), true
}

// An upgrade is the migration of one flow. Steps get it for what is not in the
// state itself.
type upgrade struct {
	chain  []step
	schema *schema
	to     Version
	flow   *state.Map // a step may replace it
	losses []Loss     // of a backup that is newer than the version that is wanted

	// For flows that stand on their own; a backup, and a handshake that is part
	// of its WebSocket flow, have neither.
	pending *handshakes
	record  int64 // counts from 1
}

// nested returns the migration of a flow that is part of u.flow.
func (u *upgrade) nested(m *state.Map) *upgrade {
	return &upgrade{chain: u.chain, schema: backupSchema, to: u.to, flow: m}
}

// finish migrates the flow, which is of version v, to the version that is
// wanted.
func (u *upgrade) finish(v Version) (*state.Map, error) {
	if err := u.run(v, u.to); err != nil {
		return nil, err
	}
	var m *state.Map
	var err error
	if u.to == Newest {
		m, err = finish(u.flow, u.schema)
	} else {
		m, err = u.arrange(u.flow)
	}
	if err != nil {
		return nil, stepError(v, u.to, err)
	}
	return m, nil
}

// arrange gives the flow m the layout of its version, which is not the newest.
func (u *upgrade) arrange(m *state.Map) (*state.Map, error) {
	backup, _ := m.Delete("backup")
	if b, err := backup.Map(); err != nil || typeOf(b) != typeOf(m) {
		backup = state.Null()
	}
	s, err := layoutOf(u.to).shape(m)
	if err == nil {
		m, err = u.repair(m)
	}
	if err == nil {
		m, err = s.arrange(m)
	}
	if err != nil {
		return nil, err
	}
	return attach(m, u.to, backup)
}

// repair does to a flow of an intermediate version what finish does in the end,
// as far as releases of that version need it.
func (u *upgrade) repair(m *state.Map) (*state.Map, error) {
	if u.to.Compare(Number(19)) >= 0 {
		return u.finishWithState(m)
	}
	if u.to.Compare(Tuple(0, 18)) >= 0 && u.to.Compare(Number(11)) < 0 {
		if err := connections(m, textSNI); err != nil {
			return nil, err
		}
	}
	if u.to.Compare(Number(9)) >= 0 && typeOf(m) == "http" {
		if err := fillTimes(m); err != nil {
			return nil, err
		}
		req, err := m.Map("request")
		if err != nil {
			return nil, err
		}
		v, _ := req.Get("host")
		if v, err = host(v); err != nil {
			return nil, state.At(state.At(err, "host"), "request")
		}
		req.Set("host", v)
	}
	return m, nil
}

// finishWithState is finish for versions 19 and 20, of which the former has the
// state of connections besides what the newest version has.
func (u *upgrade) finishWithState(m *state.Map) (*state.Map, error) {
	out, err := finish(m, u.schema)
	if err != nil || u.to != Number(19) {
		return out, err
	}
	return out, ends(out, func(c *state.Map, client bool) error {
		key := "server_conn"
		if client {
			key = "client_conn"
		}
		was, err := m.Map(key)
		if err != nil {
			return err
		}
		v, _ := was.Get("state")
		c.Set("state", v)
		return nil
	})
}

// finishAll is finish for [Stream.To]. A WebSocket flow of 2.0 becomes two flows
// as long as the messages have one of their own.
func (u *upgrade) finishAll(v Version) ([]*state.Map, error) {
	var h *state.Map
	if v == Tuple(2, 0) && u.to.Compare(Number(12)) < 0 && isWebSocket(u.flow) {
		var err error
		if h, err = u.takeHandshake(); err != nil {
			return nil, stepError(v, u.to, err)
		}
	}
	m, err := u.finish(v)
	if err != nil {
		return nil, err
	}
	if h == nil {
		return []*state.Map{m}, nil
	}
	return []*state.Map{h, m}, nil
}

// run takes the flow from one version to another.
func (u *upgrade) run(from, to Version) error {
	i := 0
	for i < len(u.chain) && u.chain[i].From != from {
		i++
	}
	if from == to || i == len(u.chain) {
		return nil
	}
	if err := u.prepare(from); err != nil {
		return stepError(from, u.chain[i].To, err)
	}
	for _, st := range u.chain[i:] {
		if st.From == to {
			break
		}
		if st.Up != nil {
			if err := st.Up(u, u.flow); err != nil {
				return stepError(st.From, st.To, err)
			}
		}
		setVersion(u.flow, st.To)
	}
	return nil
}

// prepare does what has to precede all steps.
func (u *upgrade) prepare(v Version) error {
	backup, err := normalize(u.flow, v)
	if err == nil {
		u.flow.Set("backup", u.backup(backup))
	}
	return err
}

// normalize takes the backup, which has a version of its own, off the flow m of
// version v, and makes its keys text.
//
// Releases before 0.18 know no text, so keys are bytes. The conversion belongs
// to a later step, but done first it lets all steps use the same keys.
func normalize(m *state.Map, v Version) (backup state.Value, err error) {
	backup, ok := m.DeleteKey(backupKey)
	if text, _ := m.Delete("backup"); !ok {
		backup = text
	}
	m.DeleteKey(versionKey)
	setVersion(m, v)
	if v.Compare(Tuple(1, 0)) < 0 {
		err = textKeys(m)
	}
	return backup, err
}

var backupKey = state.Bytes([]byte("backup"))

// backup migrates a backup, which is a whole flow with a version of its own. One
// that cannot be migrated is not worth losing the flow for: it becomes null.
func (u *upgrade) backup(v state.Value) state.Value {
	m, err := v.Map()
	if err != nil {
		return state.Null()
	}
	from, err := VersionOf(m)
	if err != nil {
		return state.Null()
	}
	switch {
	case from == u.to:
		return v
	case from.Compare(u.to) > 0:
		d := &downgrade{chain: u.chain, schema: backupSchema, to: u.to, newID: webSocketID}
		if err := d.run(m, from); err != nil || len(d.flows) == 0 {
			return state.Null()
		}
		m = d.flows[0]
		u.losses = d.backupLosses(d.flow)
	default:
		if m, err = u.nested(m).finish(from); err != nil {
			return state.Null()
		}
	}
	return m.Value()
}
