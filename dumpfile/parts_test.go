package dumpfile_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

// read is what a way of reading gave of a record.
type read struct {
	index, offset, size int64
	raw                 string
}

func readOf(t *testing.T, r *dumpfile.Record) read {
	t.Helper()
	raw, err := r.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return read{r.Index, r.Offset, r.Size, string(raw)}
}

// inParts reads a dump in parts of a size, as several workers may: they take, look
// through and settle parts in an order that depends on the seed.
func inParts(t *testing.T, data []byte, opts *dumpfile.ReaderOptions, size int64, seed uint64) (recs []read, guessed int, err error) {
	t.Helper()
	r := dumpfile.NewReader(dumpfile.Mapped(data), opts)
	dumpfile.SetPartSize(r, size)
	if format, _, err := r.Format(); err != nil || format == dumpfile.FormatEmpty {
		return nil, 0, err
	}
	p := r.Parts()
	if p == nil {
		t.Fatal("a mapped dump cannot be read in parts")
	}
	type job struct {
		dumpfile.Batch
		decoded bool
	}
	var jobs []*job
	var ended error
	random := rand.New(rand.NewPCG(seed, 0))
	for {
		switch next := random.IntN(3); {
		case next == 0 && len(jobs) < 5 && ended == nil:
			j := new(job)
			if ended = p.ReadBatch(&j.Batch); ended == nil {
				jobs = append(jobs, j)
			}
		case next == 1 && len(jobs) > 0:
			if j := jobs[random.IntN(len(jobs))]; !j.decoded {
				j.decoded = true
				if err := p.DecodeBatch(&j.Batch); err != nil {
					t.Fatal(err)
				}
			}
		case next == 2 && len(jobs) > 0 && jobs[0].decoded:
			j := jobs[0]
			jobs = jobs[1:]
			before := len(j.Records)
			err := p.SettleBatch(&j.Batch, nil)
			if before > 0 && len(j.Records) == before {
				guessed++
			}
			for i := range j.Records {
				recs = append(recs, readOf(t, &j.Records[i]))
			}
			if err != nil {
				if err == io.EOF {
					err = nil
				}
				return recs, guessed, err
			}
		case len(jobs) == 0 && ended == io.EOF:
			return recs, guessed, nil
		}
	}
}

// oneByOne reads a dump record by record, up to the first error.
func oneByOne(t *testing.T, data []byte, opts *dumpfile.ReaderOptions) (recs []read, err error) {
	t.Helper()
	r := dumpfile.NewReader(bytes.NewReader(data), opts)
	for rec, err := range r.Records() {
		if err != nil {
			return recs, err
		}
		recs = append(recs, readOf(t, rec))
	}
	return recs, nil
}

func checkParts(t *testing.T, data []byte, opts *dumpfile.ReaderOptions, size int64, seed uint64) (guessed int) {
	t.Helper()
	want, wantErr := oneByOne(t, data, opts)
	got, guessed, err := inParts(t, data, opts, size, seed)
	if len(got) != len(want) {
		t.Fatalf("%d records (%v), want %d (%v)", len(got), err, len(want), wantErr)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("record %d is %.80v, want %.80v", i, got[i], want[i])
		}
	}
	if fmt.Sprint(err) != fmt.Sprint(wantErr) {
		t.Fatalf("error is %v, want %v", err, wantErr)
	}
	return guessed
}

// TestParts: reading in parts gives the records, and the errors, of reading one after
// the other, however large parts are and whoever is first.
func TestParts(t *testing.T) {
	capture := flowtest.Read(t, flowtest.Path("har", "corpus.mitm"))
	// A flow with a dump in its body: what looks like the beginning of a record is none.
	m := flowtest.States(t, capture)[0]
	response, err := m.Map("response")
	if err != nil {
		t.Fatal(err)
	}
	response.Set("content", state.Bytes(bytes.Repeat(capture, 3)))
	nested, err := tnetstring.Encode(m.Value())
	if err != nil {
		t.Fatal(err)
	}
	inputs := map[string][]byte{
		"nothing but a dump in a dump": bytes.Repeat(nested, 4),
		"dumps in dumps":               bytes.Join([][]byte{capture, nested, capture, nested, nested, capture}, nil),
		"many small records":           append(bytes.Repeat([]byte("0:}"), 5000), capture...),
		"large, then small":            append(bytes.Clone(nested), bytes.Repeat([]byte("15:7:version;2:21#}"), 5000)...),
		"cut":                          bytes.Repeat(capture, 3)[:2*len(capture)+len(capture)/2],
		"cut in a length":              append(bytes.Clone(capture), "12"...),
		"junk between":                 bytes.Join([][]byte{capture, []byte("junk"), capture}, nil),
		"junk that looks like the end": bytes.Join([][]byte{capture, []byte("7:version;2:21#}"), capture}, nil),
		"a number between":             bytes.Join([][]byte{capture, []byte("1:5#"), capture}, nil),
		"blank at the end":             append(bytes.Clone(capture), " \r\n\n"...),
		"blank between":                bytes.Join([][]byte{capture, []byte("\n"), capture}, nil),
		"BOM":                          append([]byte("\xef\xbb\xbf"), capture...),
	}
	for _, file := range captures(t) {
		inputs[filepath.Base(file)] = flowtest.Read(t, file)
	}
	guessed := 0
	for name, data := range inputs {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(4) {
				for _, size := range []int64{1, 100, 1000, 5000, 20_000, 1 << 20} {
					if int64(len(data))/size > 5000 {
						continue
					}
					guessed += checkParts(t, data, &dumpfile.ReaderOptions{Name: "in"}, size, seed)
				}
				guessed += checkParts(t, data, &dumpfile.ReaderOptions{Name: "in", Strict: true}, 3000, seed)
				guessed += checkParts(t, data, &dumpfile.ReaderOptions{Name: "in", MaxRecord: int64(len(nested)) - 1}, 3000, seed)
			}
		})
	}
	if guessed < 100 {
		t.Errorf("only %d parts kept what was found before they were settled", guessed)
	}
}

// TestPartsGuess: where a dump has the version where mitmproxy writes it, all
// parts find their records at once.
func TestPartsGuess(t *testing.T) {
	data := bytes.Repeat(flowtest.Read(t, flowtest.Path("har", "corpus.mitm")), 5)
	r := dumpfile.NewReader(dumpfile.Mapped(data), nil)
	dumpfile.SetPartSize(r, 40_000)
	p := r.Parts()
	var batches []*dumpfile.Batch
	for {
		b := new(dumpfile.Batch)
		if len(batches) > len(data)/40_000 {
			break // they end only when they are settled
		}
		if err := p.ReadBatch(b); err != nil {
			t.Fatal(err)
		}
		batches = append(batches, b)
	}
	for _, b := range batches {
		if err := p.DecodeBatch(b); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for i, b := range batches {
		found := len(b.Records)
		if err := p.SettleBatch(b, nil); err != nil {
			t.Fatal(err)
		}
		if len(b.Records) != found {
			t.Errorf("part %d has %d records, and found %d before it was settled", i, len(b.Records), found)
		}
		n += len(b.Records)
	}
	if err := p.ReadBatch(new(dumpfile.Batch)); err != io.EOF || n == 0 {
		t.Errorf("%d records, then %v", n, err)
	}
}

// TestNoParts: only plain dumps that are mapped can be read in parts.
func TestNoParts(t *testing.T) {
	data := flowtest.Read(t, flowtest.Path("real", "append.mitm"))
	for name, in := range map[string]io.Reader{
		"memory": bytes.NewReader(data),
		"stream": io.MultiReader(bytes.NewReader(data)),
		"gzip":   dumpfile.Mapped(gz(t, data)),
		"zstd":   dumpfile.Mapped(zst(t, data)),
		"JSON":   dumpfile.Mapped([]byte("{}")),
	} {
		if dumpfile.NewReader(in, nil).Parts() != nil {
			t.Errorf("%s can be read in parts", name)
		}
	}
}

// FuzzParts: reading in parts and one after the other is the same.
func FuzzParts(f *testing.F) {
	capture := flowtest.Read(f, flowtest.Path("real", "append.mitm"))
	f.Add(bytes.Repeat(capture, 3), uint16(1000), uint64(1))
	f.Add(append(bytes.Clone(capture), capture[:len(capture)/2]...), uint16(300), uint64(2))
	f.Add([]byte("15:7:version;2:21#}15:7:version;2:21#}7:version;2:21#}3:"), uint16(5), uint64(3))
	f.Fuzz(func(t *testing.T, data []byte, size uint16, seed uint64) {
		if len(data) == 0 || len(data) > 1<<20 || len(data)/(int(size)+1) > 5000 {
			return
		}
		if _, c, err := dumpfile.NewReader(bytes.NewReader(data), nil).Format(); err != nil || c != dumpfile.ContainerNone {
			return
		}
		checkParts(t, data, &dumpfile.ReaderOptions{Name: "in", MaxRecord: 1 << 20}, int64(size)+1, seed)
	})
}
