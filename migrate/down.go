package migrate

import (
	"errors"
	"slices"

	"github.com/flowtool/flowtool/state"
)

var errOneWay = errors.New("there is no way to format version 0.10, which no later release reads")

// CheckTarget returns nil if [Stream.To] can migrate states to version v: to all
// that it reads but the oldest, which is not worth it. The error is a
// [VersionError].
func CheckTarget(v Version) error {
	if v == Oldest {
		return &VersionError{Have: v, Err: errOneWay}
	}
	return v.check()
}

// To migrates a state of any version to version to, up or down, and does not
// change m.
//
// A state of that version already is returned as it is. The others go through
// the steps between the two versions and no further, so that of what both can
// hold nothing is lost. They come out with exactly the keys of the version, in
// the order in which mitmproxy writes them. The result is
//
//   - one state,
//   - two, if WebSocket messages have to be taken apart from their handshake: the
//     HTTP flow and the WebSocket flow of a version from 2.0 to 11,
//   - or none, if the version has no such flows: UDP below 18, DNS below 17, TCP
//     below 0.18, WebSocket flows below 2.0.
//
// What an older version cannot hold is listed, whether or not anybody will miss
// it. Something is lost if migrating the result up again would give another
// value. Nothing is if a flow never had it.
//
// The records of one input must come in file order and have the same target,
// as far as [Stateless] does not tell otherwise; then a Stream may be used by
// several goroutines at once.
//
// The error is a [VersionError] or a [StepError].
func (s *Stream) To(m *state.Map, to Version) ([]*state.Map, []Loss, error) {
	if err := CheckTarget(to); err != nil {
		return nil, nil, err
	}
	from, err := VersionOf(m)
	if err != nil {
		return nil, nil, err
	}
	if from == to {
		return []*state.Map{m}, nil, nil
	}
	m = m.Clone()
	if from.Compare(to) < 0 {
		u := s.upgrade(m, from, to)
		flows, err := u.finishAll(from)
		if err != nil {
			return nil, nil, err
		}
		return flows, u.losses, nil
	}
	d := &downgrade{chain: steps, schema: flowSchema, to: to, newID: s.newID}
	if !Stateless(from) {
		d.handshakes = &s.embedded
	}
	if err := d.run(m, from); err != nil {
		return nil, nil, err
	}
	return d.flows, d.outermost(), nil
}

// A downgrade is the migration of one record to an older version. Steps get it
// for what is not in the state itself.
type downgrade struct {
	chain  []step
	schema *schema
	to     Version
	newID  func(flow string) string

	flows []*state.Map // what became of the record; steps may add and remove some
	split bool         // the second of them was taken off the first
	added []string     // to the metadata of the first, by that
	mode  string       // the name of the proxy mode, when the key is gone

	backup state.Value // of the version that is wanted
	losses

	// The handshakes of WebSocket flows that are records of their own; nil if
	// there are none.
	handshakes *handshakes
}

// run migrates m, which is of version from. It changes m.
func (d *downgrade) run(m *state.Map, from Version) error {
	d.at = d.to
	if err := d.begin(m, from); err != nil {
		return stepError(from, d.to, err)
	}
	for _, st := range slices.Backward(d.chain) {
		if st.From.Compare(d.to) < 0 {
			break
		}
		if st.To.Compare(from) > 0 {
			continue
		}
		d.at = st.From
		for _, m := range slices.Clone(d.flows) {
			setVersion(m, st.From)
			if st.Down == nil {
				continue
			}
			if err := st.Down(d, m); err != nil {
				return stepError(st.To, st.From, err)
			}
		}
	}
	d.at = d.to
	if err := d.end(); err != nil {
		return stepError(from, d.to, err)
	}
	return nil
}

// begin checks m, takes the backup off it and makes it the only flow.
func (d *downgrade) begin(m *state.Map, from Version) error {
	backup, err := normalize(m, from)
	if err == nil && from.Compare(Tuple(1, 0)) < 0 {
		err = textValues(m)
	}
	if err != nil {
		return err
	}
	s, err := layoutOf(from).shape(m)
	if err != nil {
		return err
	}
	id, _ := m.Get("id")
	if d.flow, err = id.Text(); err != nil {
		d.flow = id.String()
	}
	d.at = from
	s.strangers(m, func(keys ...any) { d.lose("unknown key", keys...) })
	if from == Newest {
		m, err = finish(m, d.schema)
	} else {
		m, err = s.arrange(m)
	}
	if err != nil {
		return err
	}
	d.at = d.to
	d.backup = d.convert(backup, typeOf(m))
	d.flows = []*state.Map{m}
	return nil
}

// convert migrates the backup of a flow of the given type, which is a whole flow
// with a version of its own. One that cannot be migrated is lost.
func (d *downgrade) convert(backup state.Value, typ string) state.Value {
	if backup.IsNull() {
		return backup
	}
	m, err := backup.Map()
	if err == nil {
		m, err = d.convertFlow(m)
	}
	if err != nil || m == nil || typeOf(m) != typ {
		d.lose("backup", "backup")
		return state.Null()
	}
	return m.Value()
}

// convertFlow is convert for a map. It returns nil for a flow that the older
// version does not have.
func (d *downgrade) convertFlow(m *state.Map) (*state.Map, error) {
	from, err := VersionOf(m)
	if err != nil || from == d.to {
		return m, err
	}
	to := d.to
	if to.Compare(oldestBackup) < 0 && from.Compare(oldestBackup) >= 0 {
		to = oldestBackup
	}
	n := &downgrade{chain: d.chain, schema: backupSchema, to: to, newID: d.newID}
	switch from.Compare(to) {
	case -1:
		u := &upgrade{chain: d.chain, schema: backupSchema, to: to, flow: m}
		return u.finish(from)
	case 0:
		n.flows = []*state.Map{m}
	default:
		if err := n.run(m, from); err != nil || len(n.flows) == 0 {
			return nil, err
		}
	}
	d.list = append(d.list, n.backupLosses(d.flow)...)
	m = n.flows[0]
	if to == d.to || d.to.Compare(Tuple(0, 18)) >= 0 {
		return m, nil
	}
	d.lose("backup", "backup") // it is there, but nobody can read it
	b, err := bytesOf(m.Value())
	if err != nil {
		return nil, err
	}
	return b.Map()
}

// backupLosses returns what was lost of a backup, as losses of the flow with the
// given id.
func (d *downgrade) backupLosses(flow string) []Loss {
	if len(d.flows) > 1 {
		d.lose("WebSocket messages", "websocket") // a backup is one flow
	}
	list := d.outermost()
	for i := range list {
		list[i].Flow, list[i].Path = flow, "/backup"+list[i].Path
	}
	return list
}

// oldestBackup is the version below which the downgrade vectors do not migrate
// backups, other than to make bytes of text. Readers of mitmproxy do not look at
// the version of a backup, and take it for one of the flow's version when it is
// reverted to.
var oldestBackup = Number(4)

// end gives the flows the layout of their version.
func (d *downgrade) end() error {
	for i, m := range d.flows {
		s, err := layoutOf(d.to).shape(m)
		if err == nil {
			m, err = s.arrange(m)
		}
		if err != nil {
			return err
		}
		if d.to == Tuple(2, 0) {
			d.remember(m)
		}
		backup := d.backup
		if i > 0 {
			backup = state.Null() // it is one of the flow as a whole
		}
		m, err = attach(m, d.to, backup)
		if err != nil {
			return err
		}
		d.flows[i] = m
	}
	return nil
}

// attach puts the backup where version v has it. Versions that know no text get
// bytes in its place.
func attach(m *state.Map, v Version, backup state.Value) (*state.Map, error) {
	if v.Compare(Tuple(0, 18)) >= 0 {
		if v.Compare(Number(19)) >= 0 || !backup.IsNull() {
			m.Set("backup", backup)
		}
		return m, nil
	}
	b, err := bytesOf(m.Value())
	if err != nil {
		return nil, err
	}
	m, err = b.Map()
	if err == nil && !backup.IsNull() {
		m.SetKey(backupKey, backup)
	}
	return m, err
}

// skip removes the flow m, which the version has no type for.
func (d *downgrade) skip(m *state.Map, what string) {
	d.flows = slices.DeleteFunc(d.flows, func(f *state.Map) bool { return f == m })
	d.list, d.places = []Loss{{Flow: d.flow, What: what, Version: d.at, Skipped: true}}, nil
}

// remove removes a key of m. Unless it had the given value this is a loss.
func (d *downgrade) remove(m *state.Map, key string, unless state.Value, what string, path ...any) {
	if v, ok := m.Delete(key); ok && !state.Equal(v, unless) {
		d.lose(what, path...)
	}
}

// connections calls f for the client connection of m, its server connection and
// those in via, as the function of that name does, with the keys that lead there.
func (d *downgrade) connections(m *state.Map, f func(c *state.Map, at place) error) error {
	at := place{"client_conn"}
	return connections(m, func(c *state.Map, client bool) error {
		if !client {
			if at[0] == "client_conn" {
				at = place{"server_conn"}
			} else {
				at = at.key("via")
			}
		}
		return f(c, at)
	})
}

// A place is the keys on the way to a map.
type place []any

func (p place) key(key string) place { return append(slices.Clip(p), key) }

func (p place) client() bool { return p[0] == "client_conn" }

// typeOf returns the type of a flow, "" if it has none. It may be bytes, and so may
// its key.
func typeOf(m *state.Map) string {
	v, ok := m.Get("type")
	if !ok {
		v, _ = m.GetKey(state.Bytes([]byte("type")))
	}
	if typ, err := v.Text(); err == nil {
		return typ
	}
	b, _ := v.Bytes()
	return string(b)
}
