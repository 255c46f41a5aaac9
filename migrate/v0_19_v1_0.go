package migrate

import "github.com/flowtool/flowtool/state"

// up0_19 turns bytes into text once more: snapshots wrote 0.19 on Python 2 too.
func up0_19(_ *upgrade, m *state.Map) error { return textValues(m) }
