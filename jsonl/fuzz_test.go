package jsonl_test

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/jsonl"
	"github.com/flowtool/flowtool/state"
)

// fuzzLines are short: fuzzing is slow with real flows.
var fuzzLines = []string{
	`{"version":21,"request":{"path":"/","headers":[["a","b"]],"host":"x"},"error":{"timestamp":1}}`,
	`{"$keys":"bytes","a":{"$map":[[1,2],[{"$base64":"/w=="},{"$float":"nan"}]]}}`,
	`{"\u0061\ud83d\ude00":"\b\f\n\r\t\"\\\/","b":[-0,1e5,-1.5E-7,{"$int":"007"}],"$raw":"MDp9"}`,
	`{"request":{"host":"x"},"version":8,"backup":{"version":[0,18]},"$$a":null,"t":[true,false]}`,
}

// FuzzRecord: every record that can be read comes back, byte for byte.
func FuzzRecord(f *testing.F) {
	for _, tt := range odd {
		f.Add([]byte(tt.record))
	}
	for _, json := range fuzzLines {
		r, err := jsonl.DecodeRecord(nil, []byte(json))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(r)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, r := range flowtest.Records(t, data) {
			roundTrip(t, r)
		}
		m, err := flowMap(data)
		_, err2 := jsonl.AppendRecord(nil, data)
		if err == nil {
			err = state.Validate(m.Value())
		}
		if err != nil && err2 == nil {
			t.Errorf("a line is made of %q, although %v", data, err)
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
		m := flowtest.Random{Rand: rand.New(rand.NewPCG(seed, 0)), Most: 5, Long: 30}.Flow()
		line, err := jsonl.Append(nil, m)
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(line) {
			t.Fatalf("not JSON: %s", line)
		}
		back, err := jsonl.Decode(line)
		if err != nil {
			t.Fatalf("%v\n%s", err, line)
		}
		if !state.Equal(m.Value(), back.Value()) {
			t.Fatalf("another state:\n%s\n%s\n%s", line, flowtest.Dump(m.Value(), false), flowtest.Dump(back.Value(), false))
		}
		want, err := tnetstring.Encode(m.Value())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := tnetstring.Encode(back.Value()); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("got %q, %v\nwant %q", got, err, want)
		}
		roundTrip(t, want)
	})
}

// FuzzDecode: what decodes is valid and comes back as the same record.
func FuzzDecode(f *testing.F) {
	for _, s := range fuzzLines {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		m, err := jsonl.Decode(line)
		if err != nil {
			return
		}
		if !json.Valid(line) {
			t.Fatalf("accepted, but not JSON: %s", line)
		}
		record, err := tnetstring.Encode(m.Value())
		if err != nil {
			t.Fatal(err)
		}
		roundTrip(t, record)
	})
}

// FuzzReader: lines are the same however the input arrives.
func FuzzReader(f *testing.F) {
	f.Add([]byte("\xef\xbb\xbf{}\r\n\n{\"a\":1}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		opts := &jsonl.ReaderOptions{MaxLine: 100}
		want, err := readAll(bytes.NewReader(data), opts, true)
		for _, r := range []io.Reader{iotest.OneByteReader(bytes.NewReader(data)), iotest.DataErrReader(bytes.NewReader(data))} {
			got, err2 := readAll(r, opts, false)
			if len(got) != len(want) || (err == io.EOF) != (err2 == io.EOF) {
				t.Fatalf("got %q, %v, want %q, %v", got, err2, want, err)
			}
			for i := range got {
				if got[i] != want[i] {
					t.Fatalf("got %q, want %q", got[i], want[i])
				}
			}
		}
	})
}
