package flowpack_test

import (
	"bytes"
	"encoding/hex"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/flowpack"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

// FuzzRecord: every record that can be read comes back, byte for byte, and no
// other is packed.
func FuzzRecord(f *testing.F) {
	for _, tt := range attached {
		f.Add([]byte(tt.record))
	}
	for _, r := range smallFlows(f, 2) {
		f.Add(r)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		rs := flowtest.Records(t, data)
		for _, r := range rs {
			roundTrip(t, r)
		}
		if _, err := flowpack.AppendRecord(nil, data); (err == nil) != (len(rs) == 1 && len(rs[0]) == len(data)) {
			t.Errorf("%q: %d records, %v", data, len(rs), err)
		}
	})
}

// FuzzState: random states come back as the same state, and as what mitmproxy
// writes.
func FuzzState(f *testing.F) {
	for seed := range uint64(50) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		m := flowtest.Random{Rand: rand.New(rand.NewPCG(seed, 0)), Most: 40, Long: 300}.Flow()
		packed, err := flowpack.Append(nil, m)
		if err != nil {
			t.Fatal(err)
		}
		back, err := flowpack.Decode(packed)
		if err != nil {
			t.Fatalf("%v\n%.500x", err, packed)
		}
		if !state.Equal(m.Value(), back.Value()) {
			t.Fatalf("another state:\n%s\n%s", flowtest.Dump(m.Value(), false), flowtest.Dump(back.Value(), false))
		}
		want, err := tnetstring.Encode(m.Value())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := tnetstring.Encode(back.Value()); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("got %.500q, %v\nwant %.500q", got, err, want)
		}
		roundTrip(t, want)
	})
}

// FuzzDecode: what decodes is a valid record, which is packed again.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		"81a16bca3fc00000", "82a16b9401c3c0cb3ff8000000000000a161d402", "82c70003c408363a313a613b303a7e7da161c0",
		"df00000001db000000016bd30000000000000001", "81c40161c702013031",
	} {
		b, err := hex.DecodeString(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, packed []byte) {
		record, err := flowpack.DecodeRecord(nil, packed)
		if err != nil {
			return
		}
		if rs := flowtest.Records(t, record); len(rs) != 1 || len(rs[0]) != len(record) {
			t.Fatalf("%x gives %q, which is no record", packed, record)
		}
		roundTrip(t, record)
	})
}

// FuzzReader: changed files give errors and no panic, and a chunk that is given
// without error is what was written.
func FuzzReader(f *testing.F) {
	l := newLayout(f, smallFlows(f, 12), &flowpack.WriterOptions{ChunkSize: 700})
	written := map[string]bool{}
	for _, r := range flat(l.chunks) {
		written[string(r)] = true
	}
	f.Add(100, []byte{1}, 0, 0)
	f.Add(0, []byte{}, 600, 50)
	f.Add(len(l.data), l.data, 0, 0)
	f.Add(400, l.data[:300], 10, 5)
	f.Fuzz(func(t *testing.T, at int, put []byte, cutAt, cut int) {
		data := bytes.Clone(l.data)
		if cutAt >= 0 && cut >= 0 && cutAt < len(data) {
			data = append(data[:cutAt], data[min(cutAt+min(cut, len(data)), len(data)):]...)
		}
		if at >= 0 && at <= len(data) {
			data = append(data[:at:at], append(bytes.Clone(put), data[at:]...)...)
		}
		for what, source := range sources {
			chunks, errs := unpack(source(data), &flowpack.ReaderOptions{MaxChunk: 1 << 20})
			for _, r := range flat(chunks) {
				if !written[string(r)] {
					t.Fatalf("%s: a flow that nobody wrote: %q", what, r)
				}
			}
			if len(errs) == 0 && len(data)%len(l.data) != 0 {
				t.Fatalf("%s: %d bytes read without an error, the file had %d", what, len(data), len(l.data))
			}
		}
		for _, err := range flowpack.NewReader(io.MultiReader(bytes.NewReader(data)), nil).Flows() {
			_ = err // these are no flows; it is enough that this ends
		}
	})
}
