package dumpfile_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

// places returns the records of a dump, by position.
func places(t *testing.T, data []byte) (recs []*dumpfile.Record) {
	t.Helper()
	for rec, err := range dumpfile.NewReader(bytes.NewReader(data), nil).Records() {
		if err != nil {
			t.Fatal(err)
		}
		recs = append(recs, rec)
	}
	return recs
}

// largeDump has records that are read as a whole, and some that are left in the
// input.
func largeDump(t *testing.T) []byte {
	t.Helper()
	data := flowtest.Read(t, flowtest.Path("real", "tcp.mitm"))
	m := state.NewMap(
		state.E("type", state.Text("http")),
		state.E("request", state.NewMap(state.E("content", state.Bytes(bytes.Repeat([]byte("large"), 100_000)))).Value()),
		state.E("version", state.Int(21)))
	large, err := tnetstring.Append(nil, m.Value())
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Join([][]byte{data, large, data, large}, nil)
}

// A record that is read at its offset is the one that was there, in any order.
func TestReadAt(t *testing.T) {
	data := largeDump(t)
	recs := places(t, data)
	rnd := rand.New(rand.NewPCG(1, 2))
	r := dumpfile.NewReader(bytes.NewReader(data), &dumpfile.ReaderOptions{Name: "in"})
	var b dumpfile.Batch
	for range 3 {
		for _, i := range rnd.Perm(len(recs)) {
			want := recs[i]
			got, err := r.ReadAt(&b, want.Index, want.Offset)
			if err != nil {
				t.Fatal(err)
			}
			if got.Index != want.Index || got.Offset != want.Offset || got.Size != want.Size {
				t.Errorf("record %d is %d at %d", want.Index, got.Index, got.Offset)
			}
			if same, err := got.Equal(want); !same || err != nil {
				t.Errorf("record %d is another: %v", i, err)
			}
			wantState, err1 := want.State()
			gotState, err2 := got.State()
			if err1 != nil || err2 != nil || !state.Equal(wantState.Value(), gotState.Value()) {
				t.Errorf("record %d has another state: %v, %v", i, err1, err2)
			}
			raw, err := got.Bytes()
			if err != nil || !bytes.Equal(raw, data[want.Offset:want.Offset+want.Size]) {
				t.Errorf("record %d has other bytes: %v", i, err)
			}
		}
	}
}

func TestReadAtErrors(t *testing.T) {
	data := largeDump(t)
	recs := places(t, data)
	var b dumpfile.Batch
	r := dumpfile.NewReader(bytes.NewReader(data), &dumpfile.ReaderOptions{Name: "in"})
	_, err := r.ReadAt(&b, 7, recs[2].Offset+1)
	e, ok := errors.AsType[*dumpfile.Error](err)
	if !ok || e.Flow != 7 || e.Name != "in" || e.At < recs[2].Offset {
		t.Errorf("between records: %v", err)
	}
	if rec, err := r.ReadAt(&b, 2, recs[2].Offset); err != nil || rec.Size != recs[2].Size {
		t.Errorf("behind an error: %v", err)
	}
	if _, err := r.ReadAt(&b, 99, int64(len(data))); err == nil {
		t.Error("behind the end there is a record")
	}
	shorter := bytes.NewReader(data[:recs[2].Offset+100])
	if _, err := dumpfile.NewReader(shorter, nil).ReadAt(&b, 2, recs[2].Offset); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut off: %v", err)
	}
	for name, in := range map[string]io.Reader{
		"stream":   io.MultiReader(bytes.NewReader(data)),
		"no dump":  strings.NewReader("GIF89a, more or less"),
		"mapped":   dumpfile.Mapped(data),
		"gzipped":  bytes.NewReader(gz(t, data)),
		"no input": strings.NewReader(""),
	} {
		if _, err := dumpfile.NewReader(in, nil).ReadAt(&b, 0, 0); err == nil {
			t.Errorf("%s: a record", name)
		}
	}
	_, err = dumpfile.NewReader(io.MultiReader(bytes.NewReader(data)), nil).ReadAt(&b, 0, 0)
	if !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a stream: %v", err)
	}
}

// Records are equal if their bytes are, wherever these are.
func TestRecordEqual(t *testing.T) {
	data := largeDump(t)
	other := bytes.Clone(data)
	other[len(other)-200] ^= 1 // in the last record, which is large
	inMemory := func(data []byte) (recs []*dumpfile.Record) {
		for rec, err := range dumpfile.NewReader(io.MultiReader(bytes.NewReader(data)), nil).Records() {
			if err != nil {
				t.Fatal(err)
			}
			recs = append(recs, rec)
		}
		return recs
	}
	for _, a := range [][]*dumpfile.Record{places(t, data), inMemory(data)} {
		for _, b := range [][]*dumpfile.Record{places(t, other), inMemory(other)} {
			for i := range a {
				same, err := a[i].Equal(b[i])
				if want := i < len(a)-1; same != want || err != nil {
					t.Errorf("record %d: %v, %v", i, same, err)
				}
				if i > 0 {
					if same, err := a[i].Equal(b[i-1]); same || err != nil {
						t.Errorf("records %d and %d: %v, %v", i, i-1, same, err)
					}
				}
			}
		}
	}
	stream := dumpfile.NewReader(io.MultiReader(bytes.NewReader(bytes.Repeat(data, 8))), &dumpfile.ReaderOptions{DropLarge: true})
	for rec, err := range stream.Records() {
		if err != nil {
			t.Fatal(err)
		}
		if same, err := rec.Equal(rec); !rec.InMemory() && !errors.Is(err, state.ErrElided) || rec.InMemory() && !same {
			t.Errorf("a record that was dropped: %v, %v", same, err)
		}
	}
}
