package migrate

import "github.com/flowtool/flowtool/state"

// Options configure a [Stream]. Zero fields mean the default.
type Options struct {
	// MaxHandshakes and MaxHandshakeBytes limit the WebSocket handshakes that
	// wait for their messages, in number and in memory. The defaults are 10,000
	// and 64 MiB. When a limit is reached the oldest are forgotten.
	MaxHandshakes     int
	MaxHandshakeBytes int64
}

// A Stream migrates the records of one input, which it must get in their order.
// It remembers what later records need: WebSocket handshakes (see the package
// comment), and how many records there were.
//
// A Stream must not be used by several goroutines at once, except for states of
// versions for which [Stateless] is true.
type Stream struct {
	pending handshakes
	records int64 // migrated so far, other than stateless ones
}

// NewStream returns a Stream for one input. Nil options mean the defaults.
func NewStream(opts *Options) *Stream {
	var o Options
	if opts != nil {
		o = *opts
	}
	s := &Stream{}
	s.pending.init(o.MaxHandshakes, o.MaxHandshakeBytes)
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
	u := &upgrade{chain: steps, schema: flowSchema, flow: m}
	if !Stateless(v) {
		s.records++
		u.pending, u.record = &s.pending, s.records
	}
	return u.finish(v)
}

// Backup returns the backup of the flow m, a state of the newest version, brought
// up to date. mitmproxy leaves backups in the version they were made in when it
// writes a migrated flow, so that it cannot revert to them. It is null if it
// cannot be brought up to date, or if there is none; m is not changed.
func Backup(m *state.Map) state.Value {
	v, _ := m.Get("backup")
	u := &upgrade{chain: steps, schema: flowSchema, flow: m}
	return u.backup(state.Clone(v))
}

// An upgrade is the migration of one flow. Steps get it for what is not in the
// state itself.
type upgrade struct {
	chain  []step
	schema *schema
	flow   *state.Map // a step may replace it

	// For flows that stand on their own; a backup, and a handshake that is part
	// of its WebSocket flow, have neither.
	pending *handshakes
	record  int64 // counts from 1
}

// nested returns the migration of a flow that is part of u.flow.
func (u *upgrade) nested(m *state.Map) *upgrade {
	return &upgrade{chain: u.chain, schema: backupSchema, flow: m}
}

// finish migrates the flow, which is of version v, to the newest version.
func (u *upgrade) finish(v Version) (*state.Map, error) {
	if err := u.run(v, Newest); err != nil {
		return nil, err
	}
	m, err := finish(u.flow, u.schema)
	if err != nil {
		return nil, stepError(v, Newest, err)
	}
	return m, nil
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
	backup, ok := u.flow.DeleteKey(backupKey)
	if !ok {
		backup, _ = u.flow.Get("backup")
	}
	u.flow.DeleteKey(versionKey)
	setVersion(u.flow, v)
	// Releases before 0.18 know no text, so keys are bytes. The conversion belongs
	// to a later step, but done first it lets all steps use the same keys.
	if v.Compare(Tuple(1, 0)) < 0 {
		u.flow.Delete("backup") // has its own version
		if err := textKeys(u.flow); err != nil {
			return err
		}
	}
	u.flow.Set("backup", u.backup(backup))
	return nil
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
	if from == Newest {
		return v
	}
	if m, err = u.nested(m).finish(from); err != nil {
		return state.Null()
	}
	return m.Value()
}
