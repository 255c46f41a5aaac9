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
