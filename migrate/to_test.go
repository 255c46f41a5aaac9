package migrate_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/state"
)

// stopsMatter are the vectors whose flows do not become the same if they stop at
// some version on the way up.
var stopsMatter = map[string]string{
	"edge/8to9-replay-response": "replayed responses were marked by snapshots of version 7, not by version 8",
	"file/dumpfile-010":         "resolved addresses, known to 0.10, have no place from 0.11 to 0.16",
}

// Files of all old versions, in all versions. On the way up nothing changes if
// there is a stop.
func TestToVectors(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.ID, func(t *testing.T) {
			for _, to := range targets() {
				s, direct, rest := migrate.NewStream(nil), migrate.NewStream(nil), migrate.NewStream(nil)
				var got, want []*state.Map
				down := false
				records, other := flowtest.States(t, v.Input), flowtest.States(t, v.Input)
				for i, m := range records {
					w, err := direct.Up(other[i])
					if err != nil {
						continue // refused in any case
					}
					if from, _ := migrate.VersionOf(m); from.Compare(to) > 0 {
						down = true
					}
					want = append(want, w)
					flows, losses, err := s.To(m, to)
					if err != nil {
						t.Errorf("to %s: %v", to, err)
						continue
					}
					if len(flows) == 0 && (len(losses) != 1 || !losses[0].Skipped) {
						t.Errorf("to %s: nothing left, losses %v", to, losses)
					}
					for _, f := range flows {
						if have, err := migrate.VersionOf(f); have != to || err != nil {
							t.Errorf("to %s: version %s, %v", to, have, err)
						}
						f, err := rest.Up(f.Clone())
						if err != nil {
							t.Errorf("from %s: %v", to, err)
							continue
						}
						got = append(got, f)
					}
				}
				if down || stopsMatter[v.ID] != "" {
					continue
				}
				if strings.HasPrefix(v.ID, "helper/v2.0.2-ws") && to.Compare(migrate.Number(12)) < 0 && len(got) == 2 {
					got = got[1:] // the handshake was set free
					ignoreLink(want[0], got[0], to)
				}
				if len(got) != len(want) {
					t.Errorf("by way of %s: %d flows, want %d", to, len(got), len(want))
					continue
				}
				for i := range want {
					if diff := cmp.Diff(flowtest.Dump(want[i].Value(), false), flowtest.Dump(got[i].Value(), false)); diff != "" {
						t.Errorf("by way of %s, flow %d (-want +got):\n%s", to, i, diff)
					}
				}
			}
		})
	}
}
