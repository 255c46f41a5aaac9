package jsonl_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/jsonl"
	"github.com/flowtool/flowtool/state"
)

// benchInputs are runs of records: as captured, and one flow with a body of
// 16 KiB of different kinds.
func benchInputs(b *testing.B) []benchInput {
	b.Helper()
	har := flowtest.Records(b, flowtest.Read(b, flowtest.Path("har", "corpus.mitm")))
	live := flowtest.Records(b, flowtest.Read(b, flowtest.Path("real", "http1-v21.mitm")))
	inputs := []benchInput{{"har", har}, {"live", live}}
	const size = 16 << 10
	text := strings.Repeat("Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor.\n", size/80+1)[:size]
	rng := rand.New(rand.NewPCG(1, 2))
	binary := make([]byte, size)
	for i := range binary {
		binary[i] = byte(rng.Uint32())
	}
	var api strings.Builder
	for api.Len() < size {
		fmt.Fprintf(&api, `{"id":%d,"name":"product %d","price":%d.99,"tags":["a","bb"],"url":"https:\/\/shop.example\/%d"},`,
			rng.IntN(1e6), rng.IntN(1e6), rng.IntN(1000), rng.IntN(1e6))
	}
	for _, body := range []struct {
		name string
		body []byte
	}{
		{"text", []byte(text)},
		{"json", []byte(api.String()[:size])},
		{"cyrillic", []byte(strings.Repeat("Съешь же ещё этих мягких булок, да выпей чаю. ", size/40)[:size])},
		{"binary", binary},
	} {
		v, err := state.Open(&state.Source{Codec: tnetstring.Codec{}, Data: live[0]})
		if err != nil {
			b.Fatal(err)
		}
		m, err := v.Map()
		if err != nil {
			b.Fatal(err)
		}
		response, err := m.Map("response")
		if err != nil {
			b.Fatal(err)
		}
		response.Set("content", state.Bytes(body.body))
		record, err := tnetstring.Encode(v)
		if err != nil {
			b.Fatal(err)
		}
		inputs = append(inputs, benchInput{body.name, [][]byte{record}})
	}
	return inputs
}

type benchInput struct {
	name    string
	records [][]byte
}

func (in benchInput) size() (n int64) {
	for _, r := range in.records {
		n += int64(len(r))
	}
	return n
}

func (in benchInput) lines(b *testing.B) (lines [][]byte) {
	for _, r := range in.records {
		line, err := jsonl.AppendRecord(nil, r)
		if err != nil {
			b.Fatal(err)
		}
		lines = append(lines, line)
	}
	return lines
}

// BenchmarkEncode and BenchmarkDecode count the bytes of the dump.
func BenchmarkEncode(b *testing.B) {
	for _, in := range benchInputs(b) {
		b.Run(in.name, func(b *testing.B) {
			b.SetBytes(in.size())
			b.ReportAllocs()
			var buf []byte
			for b.Loop() {
				for _, r := range in.records {
					var err error
					if buf, err = jsonl.AppendRecord(buf[:0], r); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, in := range benchInputs(b) {
		lines := in.lines(b)
		b.Run(in.name, func(b *testing.B) {
			b.SetBytes(in.size())
			b.ReportAllocs()
			var buf []byte
			for b.Loop() {
				for _, l := range lines {
					var err error
					if buf, err = jsonl.DecodeRecord(buf[:0], l); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// BenchmarkReader is the way from lines to records, on as many goroutines as
// there are processors, without input and output.
func BenchmarkReader(b *testing.B) {
	for _, in := range benchInputs(b) {
		lines := bytes.Join(in.lines(b), nil)
		const size = 16 << 20
		n := size/len(lines) + 1
		file := bytes.Repeat(lines, n)
		b.Run(in.name, func(b *testing.B) {
			b.SetBytes(in.size() * int64(n))
			for b.Loop() {
				r := jsonl.NewReader(bytes.NewReader(file), nil)
				var mu sync.Mutex
				var workers sync.WaitGroup
				for range runtime.GOMAXPROCS(0) {
					workers.Go(func() {
						var batch jsonl.Batch
						var buf []byte
						for {
							mu.Lock()
							err := r.ReadBatch(&batch)
							mu.Unlock()
							if err != nil {
								return
							}
							for i := range batch.Lines {
								if buf, err = batch.Lines[i].Record(buf[:0]); err != nil {
									panic(err)
								}
							}
						}
					})
				}
				workers.Wait()
			}
		})
	}
}

// BenchmarkEncodeState is BenchmarkEncode by way of states that were changed,
// which cannot be copied.
func BenchmarkEncodeState(b *testing.B) {
	for _, in := range benchInputs(b) {
		var states []*state.Map
		for _, r := range in.records {
			m, err := flowMap(r)
			if err != nil {
				b.Fatal(err)
			}
			m.Set("comment", state.Text("changed"))
			states = append(states, m)
		}
		b.Run(in.name, func(b *testing.B) {
			b.SetBytes(in.size())
			b.ReportAllocs()
			var buf []byte
			for b.Loop() {
				for _, m := range states {
					var err error
					if buf, err = jsonl.Append(buf[:0], m); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

func flowMap(record []byte) (*state.Map, error) {
	v, err := state.Open(&state.Source{Codec: tnetstring.Codec{}, Data: record})
	if err != nil {
		return nil, err
	}
	return v.Map()
}

// BenchmarkValid is what encoding/json takes to look at the same lines, and
// BenchmarkCopy what copying the records takes.
func BenchmarkValid(b *testing.B) {
	for _, in := range benchInputs(b) {
		lines := in.lines(b)
		b.Run(in.name, func(b *testing.B) {
			b.SetBytes(in.size())
			for b.Loop() {
				for _, l := range lines {
					if !json.Valid(l) {
						b.Fatal("not JSON")
					}
				}
			}
		})
	}
}

func BenchmarkCopy(b *testing.B) {
	for _, in := range benchInputs(b) {
		b.Run(in.name, func(b *testing.B) {
			b.SetBytes(in.size())
			var buf []byte
			for b.Loop() {
				for _, r := range in.records {
					buf = append(buf[:0], r...)
				}
			}
		})
	}
}
