package migrate_test

import (
	"bytes"
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/state"
)

// Whatever a record holds, also after it was changed in random places, it is migrated
// or refused. What is migrated can be
// written, is of the newest version when it is read again, and stays as it is then.
func FuzzUp(f *testing.F) {
	seeds := 0
	for _, v := range flowtest.Vectors[vector](f, "migrate-vectors.jsonl.gz") {
		for data := v.Input; len(data) > 0; seeds++ {
			m, n := record(data)
			if m == nil {
				f.Fatalf("%s: no record", v.ID)
			}
			f.Add(data[:n], uint64(0))
			f.Add(data[:n], uint64(seeds))
			data = data[n:]
		}
	}
	if seeds == 0 {
		f.Fatal("no seeds")
	}
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		m, n := record(data)
		if m == nil {
			return
		}
		if seed != 0 {
			mutate(m, rand.New(rand.NewPCG(seed, 0)))
			var err error
			if data, err = tnetstring.Encode(m.Value()); err != nil {
				return
			}
			m, n = record(data)
		}
		v, _ := migrate.VersionOf(m)
		got, err := migrate.NewStream(nil).Up(m)
		if err != nil {
			_, ok1 := errors.AsType[*migrate.VersionError](err)
			_, ok2 := errors.AsType[*migrate.StepError](err)
			if !ok1 && !ok2 {
				t.Fatalf("error of type %T: %v", err, err)
			}
			return
		}
		out, err := tnetstring.Encode(got.Value())
		if err != nil {
			t.Fatal(err)
		}
		if v == migrate.Newest && !bytes.Equal(out, data[:n]) {
			t.Fatalf("the newest version was changed: %q", out)
		}
		m, _ = record(out)
		if m == nil {
			t.Fatalf("not a record: %q", out)
		}
		if v, err := migrate.VersionOf(m); v != migrate.Newest || err != nil {
			t.Fatalf("version %s, %v", v, err)
		}
		again, err := migrate.NewStream(nil).Up(m)
		if err != nil {
			t.Fatal(err)
		}
		if twice, err := tnetstring.Encode(again.Value()); err != nil || !bytes.Equal(out, twice) {
			t.Fatalf("migrated twice: %q, %v\nonce: %q", twice, err, out)
		}
	})
}

// record returns the map that data begins with and its length, or nil.
func record(data []byte) (*state.Map, int) {
	v, err := state.Open(&state.Source{Codec: tnetstring.Codec{}, Data: data})
	if err != nil {
		return nil, 0
	}
	raw, _, _ := v.Raw(tnetstring.Encoding)
	m, err := v.Map()
	if err != nil {
		return nil, 0
	}
	return m, len(raw)
}

// mutate changes a few places of m.
func mutate(m *state.Map, r *rand.Rand) {
	for range 1 + r.IntN(4) {
		if r.IntN(4) == 0 {
			m.Set("version", state.Int(int64(4+r.IntN(18))))
		}
		mutateIn(m.Value(), r)
	}
}

func mutateIn(v state.Value, r *rand.Rand) {
	if l, err := v.List(); err == nil && l.Len() > 0 {
		i := r.IntN(l.Len())
		switch r.IntN(5) {
		case 0:
			l.Truncate(i)
		case 1:
			l.Append(odd(r))
		case 2:
			l.Set(i, odd(r))
		default:
			mutateIn(l.At(i), r)
		}
		return
	}
	m, err := v.Map()
	if err != nil || m.Len() == 0 {
		return
	}
	i := r.IntN(m.Len())
	e := m.Entry(i)
	switch r.IntN(8) {
	case 0:
		m.DeleteKey(e.Key)
	case 1:
		m.SetKey(e.Key, odd(r))
	case 2:
		m.SetKey(odd(r), e.Value)
	case 3:
		// A bytes key, as Python 2 wrote them.
		if s, err := e.Key.Text(); err == nil {
			if key := state.Bytes([]byte(s)); r.IntN(2) == 0 {
				m.SetKey(key, odd(r))
			} else {
				m.DeleteKey(e.Key)
				m.SetKey(key, e.Value)
			}
		}
	case 4:
		// As some other place has it.
		m.SetKey(e.Key, m.Entry(r.IntN(m.Len())).Value)
	default:
		mutateIn(e.Value, r)
	}
}

// odd returns a value that is probably not what anybody expects.
func odd(r *rand.Rand) state.Value {
	values := []state.Value{
		state.Null(), state.Bool(true), state.Bool(false), state.Int(0), state.Int(-1), state.Int(21),
		state.Float(0), state.Float(1e300), state.Float(math.NaN()), state.Float(math.Inf(1)),
		state.BigInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(4299), nil)),
		state.Bytes(nil), state.Bytes([]byte("xn--\xff")), state.Bytes([]byte("xn--mnchen-3ya")), state.Text(""),
		state.Text("websocket"), state.Text("http"), state.Text("99999999999999999999"), state.NewList().Value(),
		state.NewList(state.Int(0), state.Int(18)).Value(), state.NewMap().Value(),
		state.NewMap(state.E("address", state.Null())).Value(),
		state.NewMap(state.E("version", state.Int(20))).Value(),
	}
	return values[r.IntN(len(values))]
}
