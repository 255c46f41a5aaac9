package dumpfile_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/internal/flowtest"
)

// TestWriteRecords writes runs of records with gaps between them, however they
// were read.
func TestWriteRecords(t *testing.T) {
	for _, name := range []string{"har/corpus.mitm", "real/h2.mitm", "real/ws.mitm"} {
		data := flowtest.Read(t, flowtest.Path(filepath.FromSlash(name)))
		for _, w := range ways {
			if w.name == "dropping" || w.name == "tiny limits, dropping" {
				continue // they have not got all bytes
			}
			recs, err := records(w.open(data, dumpfile.ReaderOptions{}))
			if err != nil {
				t.Fatal(err)
			}
			for _, every := range []int{1, 2, 3, 7} {
				var some []*dumpfile.Record
				var want []byte
				for i, r := range recs {
					if every == 1 || i%every != 0 {
						some = append(some, r)
						want = append(want, data[r.Offset:r.Offset+r.Size]...)
					}
				}
				var got bytes.Buffer
				wr := dumpfile.NewWriter(&got)
				if err := errors.Join(wr.WriteRecords(some), wr.Close()); err != nil {
					t.Fatalf("%s, %s: %v", name, w.name, err)
				}
				if !bytes.Equal(got.Bytes(), want) {
					t.Errorf("%s, %s, without every %d-th: %d bytes, want %d", name, w.name, every, got.Len(), len(want))
				}
			}
		}
	}
}

// TestWriteRecordsOfSeveralInputs: what lies at the same place in two inputs, or
// twice in a list, is written as often as it is asked for.
func TestWriteRecordsOfSeveralInputs(t *testing.T) {
	data := flowtest.Read(t, flowtest.Path("real", "append-v21.mitm"))
	var all []*dumpfile.Record
	for range 2 {
		recs, err := records(dumpfile.NewReader(bytes.NewReader(data), nil))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, recs...)
		slices.Reverse(recs)
		all = append(all, recs...)
	}
	var got, want bytes.Buffer
	wr := dumpfile.NewWriter(&got)
	if err := errors.Join(wr.WriteRecords(all), wr.Close()); err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		want.Write(data[r.Offset : r.Offset+r.Size])
	}
	if !bytes.Equal(got.Bytes(), want.Bytes()) {
		t.Error("other bytes")
	}
}

// mapFile maps a file. Where the system has no such thing the test is skipped.
func mapFile(t *testing.T, f *os.File) *dumpfile.Mapping {
	t.Helper()
	m, err := dumpfile.Map(f)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// TestMap reads a file through a mapping, from its position on.
func TestMap(t *testing.T) {
	data := flowtest.Read(t, flowtest.Path("har", "corpus.mitm"))
	f := flowtest.TempFile(t, append([]byte("before"), data...))
	if _, err := f.Seek(6, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	m := mapFile(t, f)
	recs, err := records(dumpfile.NewReader(m, nil))
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	wr := dumpfile.NewWriter(&got)
	if err := errors.Join(wr.WriteRecords(recs), wr.Close()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), data) || recs[0].Offset != 6 {
		t.Errorf("%d bytes from %d on, want %d from 6 on", got.Len(), recs[0].Offset, len(data))
	}
	if b, err := io.ReadAll(m); err != nil || !bytes.Equal(b, data) {
		t.Errorf("Read: %d bytes, %v", len(b), err)
	}
}

// TestMapUnsupported: what cannot be mapped is told by the error.
func TestMapUnsupported(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "empty"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := dumpfile.Map(f); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("an empty file: %v", err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if _, err := dumpfile.Map(r); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a pipe: %v", err)
	}
}
