package jsonl_test

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"math/big"
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
		for _, r := range records(t, data) {
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
		g := generator{rand.New(rand.NewPCG(seed, 0))}
		m := g.flow()
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

// A generator makes random states that look like flows here and there.
type generator struct{ *rand.Rand }

func (g generator) flow() *state.Map {
	m := state.NewMap()
	for range g.IntN(8) {
		key := g.pick("version", "type", "error", "client_conn", "server_conn", "metadata", "backup", "request", "response", "websocket", "messages", "$x", "")
		m.Set(key, g.value(4))
	}
	if g.IntN(4) > 0 {
		m.Set("version", state.Int(int64(g.IntN(22))))
	}
	if g.IntN(4) > 0 {
		r := state.NewMap()
		for range g.IntN(6) {
			r.Set(g.pick("host", "path", "headers", "content", "timestamp_start", "timestamp"), g.value(2))
		}
		m.Set("request", r.Value())
	}
	return m
}

func (g generator) pick(s ...string) string { return s[g.IntN(len(s))] }

func (g generator) value(depth int) state.Value {
	n := 12
	if depth == 0 {
		n = 9
	}
	switch g.IntN(n) {
	case 0:
		return state.Null()
	case 1:
		return state.Bool(g.IntN(2) == 0)
	case 2:
		return state.Int(int64(g.IntN(2000) - 1000))
	case 3:
		i := new(big.Int).Lsh(big.NewInt(g.Int64()-math.MaxInt64/2), uint(g.IntN(80)))
		return state.BigInt(i)
	case 4:
		return state.Float(math.Float64frombits(g.Uint64()))
	case 5:
		return state.Float(float64(g.IntN(4000)-2000) / 8)
	case 6, 7:
		return state.Bytes(g.bytes())
	case 8:
		return state.Text(g.text())
	case 9:
		l := state.NewList()
		for range g.IntN(5) {
			l.Append(g.value(depth - 1))
		}
		return l.Value()
	}
	m := state.NewMap()
	keys := g.IntN(4) // of all kinds, or bytes, or text
	for range g.IntN(5) {
		switch keys {
		case 0:
			m.SetKey(g.value(0), g.value(depth-1))
		case 1:
			m.SetKey(state.Bytes(g.bytes()), g.value(depth-1))
		default:
			m.Set(g.text(), g.value(depth-1))
		}
	}
	return m.Value()
}

func (g generator) bytes() []byte {
	if g.IntN(2) == 0 {
		return []byte(g.text())
	}
	b := make([]byte, g.IntN(20))
	for i := range b {
		b[i] = byte(g.Uint32())
	}
	return b
}

func (g generator) text() string {
	var s []rune
	for range g.IntN(30) {
		switch g.IntN(12) {
		case 0:
			s = append(s, rune(g.IntN(0xd800)))
		case 1:
			s = append(s, rune(0x1f300+g.IntN(0x100)))
		case 2:
			s = append(s, []rune("\"\\\n\x00\x7f\u0085\u2028\u202e$")[g.IntN(9)])
		case 3:
			s = append(s, rune(0x400+g.IntN(0x100)))
		default:
			s = append(s, rune(' '+g.IntN(95)))
		}
	}
	return string(s)
}
