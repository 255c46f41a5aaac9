package pipeline

import (
	"errors"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/state"
)

// An Item is a record on its way through the pipeline.
type Item struct {
	*dumpfile.Record
	// Version is the format version the record was written in.
	Version migrate.Version

	picked *state.Picked // while work is called
	state  *state.Map
	value  state.Value
	stream *migrate.Stream
	up     bool
	kept   bool // state was made in the order of the records and cannot be made again
	err    error

	target   *migrate.Stream // nil if there is no target
	to       migrate.Version
	migrated *migrated // made in the order of the records
}

// migrated is what became of a record in another format version.
type migrated struct {
	records []dumpfile.Record
	losses  []migrate.Loss
	err     error
}

// Migrated returns the record in the format version [Options].Target, and what
// was lost; see [migrate.Stream.To]. There is no record if the version has no
// such flows, and there are two if it keeps apart what became one. A record that
// is of the version already is returned as it is.
func (it *Item) Migrated() ([]dumpfile.Record, []migrate.Loss, error) {
	if it.err == nil && it.Version == it.to {
		return []dumpfile.Record{*it.Record}, nil, nil
	}
	m := it.migrated
	if m == nil {
		m = it.migrate()
	}
	return m.records, m.losses, m.err
}

func (it *Item) migrate() *migrated {
	m, err := it.State()
	if err != nil {
		return &migrated{err: err}
	}
	states, losses, err := it.target.To(m, it.to)
	out := &migrated{losses: losses}
	for _, s := range states {
		var record []byte
		if err == nil {
			record, err = tnetstring.Append(nil, s.Value())
		}
		out.records = append(out.records, it.Replace(record))
	}
	out.err = it.Wrap(err)
	return out
}

// forget lets go of what can be had again, to make room.
func (it *Item) forget() {
	it.picked = nil // whose memory is used again
	if !it.kept && it.err == nil {
		it.state, it.value, it.up = nil, state.Value{}, false
		it.Record.Forget()
	}
}

var errTwoVersions = errors.New("record has two format versions")

// Newest returns the state of the item, brought to the newest format version.
// It must not be kept: see [dumpfile.Batch].
func (it *Item) Newest() (*state.Map, error) {
	if it.err != nil || it.up {
		return it.state, it.err
	}
	it.up = true
	m, err := it.State()
	if err == nil && it.Version != migrate.Newest {
		it.Version, err = migrate.VersionOf(m)
		switch {
		case err != nil:
		case migrate.Stateless(it.Version) || it.kept:
			m, err = it.stream.Up(m)
		default:
			err = errTwoVersions // it is too late to migrate it in order
		}
	}
	it.state, it.err = m, it.Wrap(err)
	return it.state, it.err
}

// NewestValue is [Item.Newest] for reading only: see [dumpfile.Record.Value]. It
// costs less for records that are of the newest version already.
func (it *Item) NewestValue() (*state.Value, error) {
	if it.err == nil && !it.up && it.Version == migrate.Newest {
		return it.Value()
	}
	m, err := it.Newest()
	if err != nil {
		return nil, err
	}
	it.value = m.Value()
	return &it.value, nil
}

// Picked returns what [Options.Keys] asks for. It is nil if that has to be looked up in
// what [Item.NewestValue] returns, and valid while work is called.
func (it *Item) Picked() *state.Picked {
	if it.err != nil || it.up || it.Version != migrate.Newest {
		return nil
	}
	return it.picked
}

// View returns the item as a flow in the memory of v; see [Item.Flow].
func (it *Item) View(v *flow.Viewer) (flow.Flow, error) {
	m, err := it.Newest()
	if err != nil {
		return nil, err
	}
	f, err := v.View(m)
	return f, it.Wrap(err)
}

// prepare does what has to be done in the order of the records: migrations
// that depend on earlier ones.
func (it *Item) prepare() {
	if n := it.VersionAtEnd(); n > 0 {
		if v := migrate.Number(n); migrate.Stateless(v) && v.Compare(migrate.Newest) <= 0 {
			it.Version = v
			return
		}
	}
	m, err := it.State()
	if err == nil {
		it.Version, err = migrate.VersionOf(m)
	}
	if err != nil {
		it.err = it.Wrap(err)
		return
	}
	it.kept = true
	if !migrate.Stateless(it.Version) {
		if it.target != nil && it.Version != it.to {
			it.migrated = it.migrate()
		}
		_, _ = it.Newest()
	}
}

// Flow returns the item as a typed flow, which must not be kept. With strict it
// is checked completely (see [flow.FromState]); otherwise it is checked and
// decoded only as far as somebody looks ([flow.View]), and [flow.Flow.Damage]
// tells afterwards whether something was wrong there.
func (it *Item) Flow(strict bool) (flow.Flow, error) {
	m, err := it.Newest()
	if err != nil {
		return nil, err
	}
	make := flow.View
	if strict {
		make = flow.FromState
	}
	f, err := make(m)
	if err != nil {
		return nil, it.Wrap(err)
	}
	return f, nil
}
