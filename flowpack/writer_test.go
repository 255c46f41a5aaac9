package flowpack_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/flowtool/flowtool/flowpack"
	"github.com/flowtool/flowtool/internal/flowtest"
)

// TestGolden: the first bytes of a file are fixed.
func TestGolden(t *testing.T) {
	data := pack(t, nil, &flowpack.WriterOptions{Software: "test 1"})
	const want = "5d2a4d1808000000" + "666c6f777061636b" + // marker
		"28b52ffd" + "241b" + "d90000" + // a frame with a raw block of 27 bytes
		"82a8" + "666c6f777061636b" + "01" + "a8" + "736f667477617265" + "a6" + "746573742031"
	if got := hex.EncodeToString(data[:len(want)/2]); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	r := flowpack.NewReader(bytes.NewReader(data), nil)
	if h := r.Header(); h == nil || h.Software != "test 1" || h.Version != flowpack.FormatVersion {
		t.Errorf("header %+v", h)
	}
	if index := r.Index(); index == nil || len(index) != 0 {
		t.Errorf("index %v, want an empty one", index)
	}
	if _, err := r.ReadChunk(); err != io.EOF {
		t.Errorf("%v, want EOF", err)
	}
}

// TestWriterOptions: whatever the options, the flows are the same; the number of
// workers changes nothing at all.
func TestWriterOptions(t *testing.T) {
	rs := flowtest.Records(t, flowtest.Read(t, flowtest.Path("real", "http1.mitm")))
	for _, opts := range []flowpack.WriterOptions{
		{}, {Level: 1}, {Level: 22}, {Level: -1}, {ChunkSize: 1}, {ChunkSize: 2000}, {ChunkSize: 1 << 30}, {ChunkSize: -5},
	} {
		var first []byte
		for _, workers := range []int{1, 2, 5} {
			opts.Workers = workers
			data := pack(t, rs, &opts)
			if first == nil {
				first = data
			}
			if !bytes.Equal(data, first) {
				t.Errorf("%+v: other bytes than with one worker", opts)
			}
		}
		chunks, errs := unpack(bytes.NewReader(first), nil)
		if !slices.EqualFunc(flat(chunks), rs, bytes.Equal) || len(errs) > 0 {
			t.Errorf("%+v: %d flows, want %d: %v", opts, len(flat(chunks)), len(rs), errs)
		}
		if opts.ChunkSize == 1 && len(chunks) != len(rs) {
			t.Errorf("%d chunks, want one for each of %d flows", len(chunks), len(rs))
		}
	}
}

// TestLarge: a flow that is larger than a chunk is a chunk of its own.
func TestLarge(t *testing.T) {
	random := rand.NewChaCha8([32]byte{})
	large := func(n int) []byte {
		b := make([]byte, n)
		_, _ = random.Read(b)
		return []byte(dict(text("k"), el(string(b), ',')))
	}
	small := smallFlows(t, 3)
	rs := [][]byte{small[0], large(3 << 20), small[1], large(12 << 20), large(1 << 20), small[2]}
	data := pack(t, rs, &flowpack.WriterOptions{ChunkSize: 100_000})
	for what, source := range sources {
		chunks, errs := unpack(source(data), nil)
		if len(errs) > 0 || !slices.EqualFunc(flat(chunks), rs, bytes.Equal) {
			t.Errorf("%s: %d flows: %v", what, len(flat(chunks)), errs)
		}
		if len(chunks) != len(rs) {
			t.Errorf("%s: %d chunks, want %d", what, len(chunks), len(rs))
		}
	}
}

// TestWritePacked: flows that were encoded elsewhere give the same file.
func TestWritePacked(t *testing.T) {
	rs := flowtest.Records(t, flowtest.Read(t, flowtest.Path("filter", "corpus-a.mitm")))
	var got, states bytes.Buffer
	w := flowpack.NewWriter(&got, &flowpack.WriterOptions{ChunkSize: 10_000})
	ws := flowpack.NewWriter(&states, &flowpack.WriterOptions{ChunkSize: 10_000})
	for _, r := range rs {
		f := flowpack.FactsOfRecord(r)
		if err := w.WritePacked(mustPack(t, r), &f); err != nil {
			t.Fatal(err)
		}
		m, err := flowpack.Decode(mustPack(t, r))
		if err != nil {
			t.Fatal(err)
		}
		if err := ws.WriteState(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), ws.Close()); err != nil {
		t.Fatal(err)
	}
	want := pack(t, rs, &flowpack.WriterOptions{ChunkSize: 10_000})
	if !bytes.Equal(got.Bytes(), want) || !bytes.Equal(states.Bytes(), want) {
		t.Error("other bytes than WriteRecord gives")
	}
}

// TestFlush: what was flushed can be read, though the end is missing.
func TestFlush(t *testing.T) {
	var out bytes.Buffer
	rs := smallFlows(t, 4)
	w := flowpack.NewWriter(&out, nil)
	for i, r := range rs {
		if err := w.WriteRecord(r); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		chunks, errs := unpack(bytes.NewReader(out.Bytes()), nil)
		if len(flat(chunks)) != i+1 || len(errs) != 1 || !errors.Is(errs[0], io.ErrUnexpectedEOF) {
			t.Errorf("%d flows, want %d: %v", len(flat(chunks)), i+1, errs)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if chunks, errs := unpack(&out, nil); len(flat(chunks)) != len(rs) || len(errs) > 0 {
		t.Errorf("%d flows: %v", len(flat(chunks)), errs)
	}
}

// TestBadRecord: a record that cannot be packed leaves no trace.
func TestBadRecord(t *testing.T) {
	rs := smallFlows(t, 3)
	var out bytes.Buffer
	w := flowpack.NewWriter(&out, nil)
	for _, r := range rs {
		if err := w.WriteRecord([]byte(dict(text("a"), "1:x#"))); err == nil {
			t.Error("a damaged record is packed")
		}
		if err := w.WriteRecord(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), pack(t, rs, nil)) {
		t.Error("the file is another one")
	}
}

// A limitedWriter fails behind some bytes.
type limitedWriter struct{ left int }

var errFull = errors.New("disk full")

func (w *limitedWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

// TestWriteErrors: an error of the output is what every later call returns.
func TestWriteErrors(t *testing.T) {
	rs := smallFlows(t, 50)
	size := len(pack(t, rs, &flowpack.WriterOptions{ChunkSize: 500}))
	for left := 0; left < size; left += 7 {
		w := flowpack.NewWriter(&limitedWriter{left}, &flowpack.WriterOptions{ChunkSize: 500, Workers: 2})
		var err error
		for _, r := range rs {
			if err = w.WriteRecord(r); err != nil {
				break
			}
		}
		if err != nil && w.WriteRecord(rs[0]) != errFull {
			t.Errorf("%d bytes: writing goes on after %v", left, err)
		}
		if cerr := w.Close(); err == nil {
			err = cerr
		}
		if err != errFull {
			t.Errorf("%d bytes: %v, want %v", left, err, errFull)
		}
	}
	var out bytes.Buffer
	w := flowpack.NewWriter(&out, nil)
	if err := errors.Join(w.Close(), w.Close()); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	if err := w.WriteRecord(rs[0]); err == nil {
		t.Error("writing goes on after Close")
	}
	// An error in a large chunk, too.
	large := []byte(dict(text("k"), el(string(make([]byte, 1<<20)), ',')))
	w = flowpack.NewWriter(&limitedWriter{100}, &flowpack.WriterOptions{ChunkSize: 500})
	if err := errors.Join(w.WriteRecord(large), w.WriteRecord(large), w.Close()); !errors.Is(err, errFull) {
		t.Errorf("large chunk: %v", err)
	}
}
