package har_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/har"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

type benchInput struct {
	name    string
	records [][]byte
}

// benchInputs are the records of HTTP flows: as captured, and one flow with
// certificates and a body of 16 KiB of different kinds.
func benchInputs(b *testing.B) []benchInput {
	b.Helper()
	inputs := []benchInput{
		{"har", httpRecords(b, "har", "corpus.mitm")},
		{"live", httpRecords(b, "real", "http1-v21.mitm")},
		{"tls", httpRecords(b, "real", "h2-v21.mitm")},
		{"websocket", httpRecords(b, "real", "ws-v21.mitm")},
	}
	const size = 16 << 10
	rng := rand.New(rand.NewPCG(1, 2))
	binary := make([]byte, size)
	for i := range binary {
		binary[i] = byte(rng.Uint32())
	}
	var api strings.Builder
	for api.Len() < size {
		fmt.Fprintf(&api, `{"id":%d,"name":"product %d","price":%d.99,"tags":["a","bb"]},`, rng.IntN(1e6), rng.IntN(1e6), rng.IntN(1000))
	}
	json := []byte(api.String()[:size])
	var zipped bytes.Buffer
	zw := gzip.NewWriter(&zipped)
	zw.Write(json)
	zw.Close()
	for _, body := range []struct {
		name, contentType, encoding string
		body                        []byte
	}{
		{"json", "application/json", "", json},
		{"gzip", "application/json", "gzip", zipped.Bytes()},
		{"html", "text/html", "", []byte(strings.Repeat("<p>Съешь же ещё этих мягких булок.</p>\n", size/60))},
		{"image", "image/png", "", binary},
	} {
		f := viewOf(b, inputs[2].records[1])
		r := f.Response()
		r.Headers.Set("Content-Type", body.contentType)
		r.Headers.Del("Content-Encoding")
		if body.encoding != "" {
			r.Headers.Set("Content-Encoding", body.encoding)
		}
		r.Body = flow.NewBody(body.body)
		record, err := tnetstring.Encode(f.State().Value())
		if err != nil {
			b.Fatal(err)
		}
		inputs = append(inputs, benchInput{body.name, [][]byte{record}})
	}
	return inputs
}

func httpRecords(t testing.TB, path ...string) (records [][]byte) {
	t.Helper()
	for rec := range httpFlows(t, flowtest.Read(t, flowtest.Path(path...))) {
		record, err := rec.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, record)
	}
	return records
}

// viewOf returns the HTTP flow that is a record.
func viewOf(t testing.TB, record []byte) *flow.HTTP {
	t.Helper()
	v, err := state.Open(&state.Source{Codec: tnetstring.Codec{}, Data: record})
	if err != nil {
		t.Fatal(err)
	}
	m, err := v.Map()
	if err != nil {
		t.Fatal(err)
	}
	f, err := flow.View(m)
	if err != nil {
		t.Fatal(err)
	}
	return f.(*flow.HTTP)
}

// BenchmarkExport measures the way from the record to the entry, as a ratio to
// the bytes of the record. Plain entries show what the private field takes.
func BenchmarkExport(b *testing.B) {
	for _, in := range benchInputs(b) {
		size := 0
		for _, r := range in.records {
			size += len(r)
		}
		for _, plain := range []bool{false, true} {
			name := in.name
			if plain {
				name += "/plain"
			}
			b.Run(name, func(b *testing.B) {
				enc := har.NewEncoder(&har.WriterOptions{Plain: plain})
				var e har.Entry
				var viewer flow.Viewer
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					for _, record := range in.records {
						v, err := state.Open(&state.Source{Codec: tnetstring.Codec{}, Data: record})
						if err != nil {
							b.Fatal(err)
						}
						m, err := v.Map()
						if err != nil {
							b.Fatal(err)
						}
						f, err := viewer.View(m)
						if err != nil {
							b.Fatal(err)
						}
						if err := enc.Encode(&e, f); err != nil {
							b.Fatal(err)
						}
					}
				}
			})
		}
	}
}
