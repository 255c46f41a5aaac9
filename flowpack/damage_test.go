package flowpack_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/flowpack"
	"github.com/flowtool/flowtool/state"
)

// smallFlows returns records of little flows that compress somewhat.
func smallFlows(t testing.TB, n int) (rs [][]byte) {
	t.Helper()
	for i := range n {
		m := state.NewMap(
			state.E("version", state.Int(21)),
			state.E("type", state.Text("tcp")),
			state.E("id", state.Text(fmt.Sprintf("%08x", uint32(i)*2654435761))),
			state.E("client_conn", state.NewMap(state.E("timestamp_start", state.Float(1e9+float64(i)))).Value()),
			state.E("messages", state.NewList(state.Bytes([]byte(fmt.Sprintf("ping %d, pong %d, ping %d", i, i*i, i*i*i)))).Value()),
		)
		r, err := tnetstring.Encode(m.Value())
		if err != nil {
			t.Fatal(err)
		}
		rs = append(rs, r)
	}
	return rs
}

// A layout says where the parts of a flowpack are.
type layout struct {
	data   []byte
	chunks [][][]byte
	places []*flowpack.Chunk
	table  int // where the seek table starts
}

func newLayout(t testing.TB, rs [][]byte, opts *flowpack.WriterOptions) layout {
	t.Helper()
	l := layout{data: pack(t, rs, opts)}
	var errs []error
	if l.chunks, errs = unpack(bytes.NewReader(l.data), nil); len(errs) > 0 {
		t.Fatal(errs)
	}
	if l.places = flowpack.NewReader(bytes.NewReader(l.data), nil).Index(); len(l.places) != len(l.chunks) {
		t.Fatalf("index of %d chunks, want %d", len(l.places), len(l.chunks))
	}
	l.table = bytes.LastIndex(l.data, []byte{0x5e, 0x2a, 0x4d, 0x18})
	return l
}

// part returns what lies at an offset, and the number of the chunk if it is one.
func (l *layout) part(at int) (flowpack.Part, int) {
	for i, c := range l.places {
		if int64(at) >= c.Offset && int64(at) < c.Offset+c.Size {
			return flowpack.PartChunk, i
		}
	}
	switch {
	case at < flowpack.MarkerSize:
		return flowpack.PartMarker, 0
	case at < int(l.places[0].Offset):
		return flowpack.PartHeader, 0
	case at < l.table:
		return flowpack.PartSummary, len(l.places)
	}
	return flowpack.PartTable, len(l.places)
}

// sources are the ways to read a file.
var sources = map[string]func([]byte) io.Reader{
	"index":  func(data []byte) io.Reader { return bytes.NewReader(data) },
	"stream": func(data []byte) io.Reader { return io.MultiReader(bytes.NewReader(data)) },
}

// every returns 1, or n in short runs, which take only every nth case.
func every(n int) int {
	if testing.Short() {
		return n
	}
	return 1
}

// TestCut cuts a flowpack off at every byte.
func TestCut(t *testing.T) {
	l := newLayout(t, smallFlows(t, 12), &flowpack.WriterOptions{ChunkSize: 300})
	for what, source := range sources {
		t.Run(what, func(t *testing.T) {
			for cut := 0; cut < len(l.data); cut += every(5) {
				chunks, errs := unpack(source(l.data[:cut]), &flowpack.ReaderOptions{Name: "x"})
				complete := 0
				for _, c := range l.places {
					if c.Offset+c.Size <= int64(cut) {
						complete++
					}
				}
				if !slices.EqualFunc(chunks, l.chunks[:complete], equalChunks) {
					t.Fatalf("cut at %d: %d chunks, want %d (%v)", cut, len(chunks), complete, errs)
				}
				if len(errs) != 1 || !errors.Is(errs[0], io.ErrUnexpectedEOF) {
					t.Fatalf("cut at %d: errors %v, want that it is cut off", cut, errs)
				}
				e, ok := errors.AsType[*flowpack.Error](errs[0])
				if !ok || e.Offset > int64(cut) || e.Chunk != complete {
					t.Fatalf("cut at %d: %v, want an error behind chunk %d", cut, errs[0], complete)
				}
			}
		})
	}
}

func equalChunks(a, b [][]byte) bool { return slices.EqualFunc(a, b, bytes.Equal) }

// TestFlip turns every bit of a flowpack.
func TestFlip(t *testing.T) {
	l := newLayout(t, smallFlows(t, 12), &flowpack.WriterOptions{ChunkSize: 700})
	for what, source := range sources {
		t.Run(what, func(t *testing.T) {
			data := bytes.Clone(l.data)
			for i := 0; i < 8*len(data); i += every(29) {
				at, bit := i/8, i%8
				data[at] ^= 1 << bit
				l.check(t, source(data), at, fmt.Sprintf("byte %d, bit %d", at, bit))
				data[at] ^= 1 << bit
			}
		})
	}
}

// check reads a flowpack in which something at an offset was changed.
func (l *layout) check(t *testing.T, r io.Reader, at int, name string) {
	t.Helper()
	chunks, errs := unpack(r, nil)
	part, number := l.part(at)
	if len(errs) == 0 {
		t.Fatalf("%s: the damage (%s %d) was not noticed", name, part, number)
	}
	named := false
	for _, err := range errs {
		e, ok := errors.AsType[*flowpack.Error](err)
		if _, version := errors.AsType[*flowpack.VersionError](err); version {
			t.Fatalf("%s: %v", name, err)
		}
		named = named || ok && e.Part == part && (part != flowpack.PartChunk || e.Chunk == number)
	}
	if !named {
		t.Fatalf("%s: errors %v, want one that names %s %d", name, errs, part, number)
	}
	if len(errs) > 1 {
		t.Fatalf("%s: more than one error: %v", name, errs)
	}
	for i, want := range l.chunks {
		var got [][]byte
		if i < len(chunks) {
			got = chunks[i]
		}
		if part == flowpack.PartChunk && number == i {
			if len(got) > len(want) || !equalChunks(got, want[:len(got)]) {
				t.Fatalf("%s: wrong flows in the damaged chunk %d", name, i)
			}
			continue
		}
		if !equalChunks(got, want) {
			t.Fatalf("%s: chunk %d is lost, damaged was %s %d: %v", name, i, part, number, errs)
		}
	}
}
