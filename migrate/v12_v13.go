package migrate

import "github.com/flowtool/flowtool/state"

// up12 turns marked from a bool into the name of a marker, "" or ":default:".
func up12(_ *upgrade, m *state.Map) error {
	marked, err := truthyAt(m, "marked")
	if err != nil {
		return err
	}
	name := ""
	if marked {
		name = ":default:"
	}
	m.Set("marked", state.Text(name))
	return nil
}

// down12 turns marked into a bool.
func down12(d *downgrade, m *state.Map) error {
	v, _ := m.Get("marked")
	marked, err := truthy(v)
	if err != nil {
		return state.At(err, "marked")
	}
	usual := state.Text("")
	if marked {
		usual = state.Text(":default:")
	}
	if !state.Equal(v, usual) {
		d.lose("name of the marker", "marked")
	}
	m.Set("marked", state.Bool(marked))
	return nil
}
