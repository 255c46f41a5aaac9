package flow_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/flowtest"
)

// TestViewer: flows that share memory are the same as flows that do not.
func TestViewer(t *testing.T) {
	var viewer flow.Viewer
	data := flowtest.Read(t, flowtest.Path("har", "corpus.mitm"))
	for rec, err := range dumpfile.NewReader(bytes.NewReader(data), nil).Records() {
		if err != nil {
			t.Fatal(err)
		}
		m, err := rec.State()
		if err != nil {
			t.Fatal(err)
		}
		want, err1 := flow.View(m)
		got, err2 := viewer.View(m)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if diff := cmp.Diff(facts(want), facts(got)); diff != "" {
			t.Errorf("flow %d (-own memory +shared):\n%s", rec.Index, diff)
		}
	}
}

// facts returns what a flow says of itself.
func facts(f flow.Flow) map[string]any {
	out := map[string]any{
		"type": f.Type(), "id": f.ID(), "start": f.TimestampStart().Unix(), "failed": f.Error() != nil, "damage": f.Damage(),
	}
	h, ok := f.(*flow.HTTP)
	if !ok {
		return out
	}
	r := h.Request()
	out["request"] = []any{r.Method, r.PrettyURL(), r.HTTPVersion, r.Headers.String(), r.Trailers.String(), r.Body.Len(), r.TimestampEnd.Unix()}
	if r := h.Response(); r != nil {
		out["response"] = []any{r.StatusCode, r.Reason, r.HTTPVersion, r.Headers.String(), r.Trailers.String(), r.Body.Len(), r.TimestampEnd.Unix()}
	}
	return out
}
