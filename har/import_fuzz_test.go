package har_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/har"
	"github.com/flowtool/flowtool/internal/flowtest"
)

// FuzzImport: whatever the input, however it arrives, the result is the same, and
// a flow without a private field is valid and can be read.
func FuzzImport(f *testing.F) {
	seeds := flowtest.Glob(f, "har", "tools", "*.har")
	for _, name := range seeds {
		f.Add(flowtest.Read(f, name))
	}
	for _, v := range flowtest.Vectors[importVector](f, "har-import-vectors.jsonl.gz") {
		f.Add(append([]byte(v.HAR), v.Bytes...))
	}
	f.Add([]byte(inUTF16(plainEntry(0), "\xff\xfe")))
	f.Add([]byte(deflate(plainEntry(0))))
	for _, m := range httpStates(f) {
		f.Add(export(f, m, nil))
	}
	opts := &har.ReaderOptions{MaxEntry: 1 << 20, MaxDepth: 100}
	f.Fuzz(func(t *testing.T, data []byte) {
		flows, errs := importAll(t, bytes.NewReader(data), opts)
		if len(data) < 10<<10 {
			again, errs2 := importAll(t, iotest.OneByteReader(bytes.NewReader(data)), opts)
			if !slices.Equal(flows, again) || !slices.Equal(errs, errs2) {
				t.Fatalf("byte by byte: %d flows, %q; at once: %d flows, %q", len(again), errs2, len(flows), errs)
			}
		}
	})
}

// importAll returns the records of all flows, and all errors.
func importAll(t *testing.T, in io.Reader, opts *har.ReaderOptions) (flows, errs []string) {
	r := har.NewReader(in, opts)
	for {
		e, err := r.ReadEntry()
		if err == io.EOF {
			return flows, errs
		}
		if err != nil {
			return flows, append(errs, err.Error())
		}
		record, err := e.Record(nil)
		if err != nil {
			if he, ok := errors.AsType[*har.Error](err); !ok || he.Index != e.Index || he.Offset < e.Offset {
				t.Fatalf("entry %d at %d: error %v", e.Index, e.Offset, err)
			}
			errs = append(errs, err.Error())
			continue
		}
		flows = append(flows, string(record))
		m, err := e.State()
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(e.Data, []byte("_mitm")) {
			continue // may say that a flow is anything
		}
		valid, err := flow.FromState(m)
		if err != nil {
			t.Fatalf("entry %d: %v\n%.1000q", e.Index, err, record)
		}
		h := valid.(*flow.HTTP)
		h.PrettyURL()
		h.Request().Text(0)
		if s := h.Response(); s != nil {
			s.Text(0)
		}
	}
}

// FuzzBadEntry: an entry that cannot be read costs none of those before, and none
// behind if entries have lines of their own and it does not end their array.
func FuzzBadEntry(f *testing.F) {
	for _, s := range []string{`{`, `{"a":"b`, `{"request":[}`, `{"log":{"entries":[`, plainEntry(5), `{"a":"\`, "{\x00\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, bad string) {
		if strings.ContainsAny(bad, "\n\r]") || len(bad) > 64<<10 {
			return
		}
		bad = "{" + strings.TrimLeft(bad, " \t{")
		in := "{\"log\":{\"entries\":[\n" + strings.Join([]string{plainEntry(0), bad, plainEntry(1), plainEntry(2)}, ",\n") + "\n]}}\n"
		got, _ := readAll(strings.NewReader(in), nil)
		for _, want := range []string{"/0", "/1", "/2"} {
			if !slices.Contains(got, want) {
				t.Fatalf("%q: got %q", bad, got)
			}
		}
	})
}
