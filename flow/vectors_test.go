package flow_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

type fileVector struct {
	ID, Note, In     string
	Strict, Tolerant string
}

// records splits a file into states. ok is false if something in it is no
// record or no map: that is not for this package to find out.
func records(data []byte) (out []*state.Map, ok bool) {
	for off := 0; off < len(data); {
		v, err := state.Open(&state.Source{Codec: tnetstring.Codec{}, Data: data[off:]})
		if err != nil {
			return nil, false
		}
		m, err := v.Map()
		if err != nil {
			return nil, false
		}
		raw, _, _ := v.Raw(tnetstring.Encoding)
		off += len(raw)
		out = append(out, m)
	}
	return out, true
}

// keptOpaque are the vectors that FromState accepts on purpose, see the package
// documentation.
var keptOpaque = map[string]bool{"f082": true, "f083": true}

func TestFlowfileVectors(t *testing.T) {
	tested := 0
	for _, vec := range flowtest.Vectors[fileVector](t, "flowfile-vectors.jsonl.gz") {
		data, err := base64.StdEncoding.DecodeString(vec.In)
		if err != nil {
			t.Fatal(err)
		}
		strict, ok := records(data)
		if !ok || len(strict) == 0 {
			continue
		}
		tested++
		t.Run(vec.ID, func(t *testing.T) {
			err := firstError(strict, flow.FromState)
			want := vec.Strict == "ok" || keptOpaque[vec.ID]
			if (err == nil) != want {
				t.Errorf("%s: FromState: %v, want %s", vec.Note, err, vec.Strict)
			}
			checkKind(t, vec.Strict, err)

			tolerant, _ := records(data)
			err = firstError(tolerant, func(m *state.Map) (flow.Flow, error) {
				before := encode(t, m)
				notes, err := flow.Repair(m)
				if err != nil {
					return nil, err
				}
				changed := string(encode(t, m)) != string(before)
				if changed != (len(notes) > 0) {
					t.Errorf("changed: %v, notes: %v", changed, notes)
				}
				for _, n := range notes {
					t.Logf("%s: %s", vec.Note, n)
				}
				return flow.FromState(m)
			})
			refused := strings.HasPrefix(vec.Tolerant, "error") || strings.Contains(vec.Tolerant, "report")
			if (err != nil) != refused {
				t.Errorf("%s: Repair and FromState: %v, want %s", vec.Note, err, vec.Tolerant)
			}
			checkKind(t, vec.Tolerant, err)
		})
	}
	if tested < 60 {
		t.Errorf("only %d vectors were used", tested)
	}
}

func firstError(states []*state.Map, f func(*state.Map) (flow.Flow, error)) error {
	for _, m := range states {
		if _, err := f(m); err != nil {
			return err
		}
	}
	return nil
}

// checkKind compares err with the kind of error a vector names.
func checkKind(t *testing.T, outcome string, err error) {
	t.Helper()
	_, kind, ok := strings.Cut(outcome, "error:")
	if !ok || err == nil {
		return
	}
	field, _ := errors.AsType[*flow.FieldError](err)
	switch kind {
	case "type":
		if _, ok := errors.AsType[*flow.UnknownTypeError](err); !ok || !strings.Contains(err.Error(), "unknown flow type") {
			t.Errorf("%v, want an UnknownTypeError", err)
		}
	case "version", "no_version":
		if field == nil || field.Path != "/version" {
			t.Errorf("%v, want a FieldError at /version", err)
		}
	case "missing":
		if field == nil || field.Got != "nothing" {
			t.Errorf("%v, want a FieldError for a missing key", err)
		}
	case "extra":
		if field == nil || field.Want != "no such key" {
			t.Errorf("%v, want a FieldError for an unknown key", err)
		}
	case "too_deep":
		if !errors.Is(err, tnetstring.ErrTooDeep) {
			t.Errorf("%v, want %v", err, tnetstring.ErrTooDeep)
		}
	case "value":
		if field == nil {
			t.Errorf("%v, want a FieldError", err)
		}
	default:
		t.Errorf("unknown kind %q", kind)
	}
}
