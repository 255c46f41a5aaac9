package dumpfile_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/state"
)

// stream hides everything but Read, as a pipe does.
type stream struct{ io.Reader }

// way is one of the ways in which an input can be read.
type way struct {
	name string
	open func(data []byte, opts dumpfile.ReaderOptions) *dumpfile.Reader
}

var ways = []way{
	{"file", func(data []byte, opts dumpfile.ReaderOptions) *dumpfile.Reader {
		return dumpfile.NewReader(bytes.NewReader(data), &opts)
	}},
	{"mapped", func(data []byte, opts dumpfile.ReaderOptions) *dumpfile.Reader {
		return dumpfile.NewReader(dumpfile.Mapped(data), &opts)
	}},
	{"stream", func(data []byte, opts dumpfile.ReaderOptions) *dumpfile.Reader {
		return dumpfile.NewReader(stream{bytes.NewReader(data)}, &opts)
	}},
	{"one byte at a time", func(data []byte, opts dumpfile.ReaderOptions) *dumpfile.Reader {
		return dumpfile.NewReader(iotest.OneByteReader(bytes.NewReader(data)), &opts)
	}},
	{"data with EOF", func(data []byte, opts dumpfile.ReaderOptions) *dumpfile.Reader {
		return dumpfile.NewReader(iotest.DataErrReader(bytes.NewReader(data)), &opts)
	}},
	{"dropping", func(data []byte, opts dumpfile.ReaderOptions) *dumpfile.Reader {
		opts.DropLarge = true
		return dumpfile.NewReader(stream{bytes.NewReader(data)}, &opts)
	}},
	{"tiny limits", func(data []byte, opts dumpfile.ReaderOptions) *dumpfile.Reader {
		r := dumpfile.NewReader(bytes.NewReader(data), &opts)
		dumpfile.SetWhole(r, 200, 100)
		return r
	}},
	{"tiny limits, dropping", func(data []byte, opts dumpfile.ReaderOptions) *dumpfile.Reader {
		opts.DropLarge = true
		r := dumpfile.NewReader(stream{iotest.HalfReader(bytes.NewReader(data))}, &opts)
		dumpfile.SetWhole(r, 200, 100)
		return r
	}},
}

// records reads all records and closes over how it ended.
func records(r *dumpfile.Reader) (recs []*dumpfile.Record, err error) {
	for rec, err := range r.Records() {
		if err != nil {
			return recs, err
		}
		recs = append(recs, rec)
	}
	return recs, nil
}

// captures returns the real captures and constructed dumps that are not damaged.
func captures(t testing.TB) []string {
	var out []string
	for _, pattern := range [][]string{{"real", "*.mitm"}, {"har", "*.mitm"}, {"filter", "*.mitm"}} {
		for _, f := range flowtest.Glob(t, pattern...) {
			if filepath.Base(f) != "diskfull.mitm" {
				out = append(out, f)
			}
		}
	}
	return out
}

func TestRecordsAreTheFile(t *testing.T) {
	for _, file := range captures(t) {
		data := flowtest.Read(t, file)
		want := flowtest.States(t, data)
		for _, w := range ways {
			r := w.open(data, dumpfile.ReaderOptions{})
			recs, err := records(r)
			if err != nil || len(recs) != len(want) {
				t.Fatalf("%s, %s: %d records, %v, want %d", filepath.Base(file), w.name, len(recs), err, len(want))
			}
			var end int64
			for i, rec := range recs {
				if rec.Offset != end || rec.Index != int64(i) {
					t.Fatalf("%s, %s: record %d is number %d at %d, want %d", filepath.Base(file), w.name, i, rec.Index, rec.Offset, end)
				}
				end += rec.Size
				got, err := rec.Bytes()
				switch {
				case errors.Is(err, state.ErrElided) && strings.Contains(w.name, "dropping"):
				case err != nil || !bytes.Equal(got, data[rec.Offset:end]):
					t.Fatalf("%s, %s: record %d: bytes differ (%v)", filepath.Base(file), w.name, i, err)
				}
				m, err := rec.State()
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(w.name, "dropping") {
					continue // parts are missing on purpose
				}
				if !state.Equal(m.Value(), want[i].Value()) {
					t.Errorf("%s, %s: record %d: state differs", filepath.Base(file), w.name, i)
				}
			}
			if end != int64(len(data)) {
				t.Errorf("%s, %s: records end at %d of %d", filepath.Base(file), w.name, end, len(data))
			}
		}
	}
}

// TestStatesAreWrittenBack checks record → state → record for every version,
// with everything decoded in between.
func TestStatesAreWrittenBack(t *testing.T) {
	for _, file := range captures(t) {
		data := flowtest.Read(t, file)
		for _, w := range ways {
			if strings.Contains(w.name, "dropping") {
				continue
			}
			var out bytes.Buffer
			wr := dumpfile.NewWriter(&out)
			for m, err := range w.open(data, dumpfile.ReaderOptions{}).States() {
				if err != nil {
					t.Fatal(err)
				}
				if err := state.Validate(m.Value()); err != nil {
					t.Fatal(err)
				}
				if err := wr.WriteState(m); err != nil {
					t.Fatal(err)
				}
			}
			if err := wr.Close(); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(out.Bytes(), data) {
				t.Errorf("%s, %s: states are written back differently", filepath.Base(file), w.name)
			}
		}
	}
}

// TestCutAnywhere cuts dumps at every offset: all complete records must come
// out, then an error that knows where the cut record begins.
func TestCutAnywhere(t *testing.T) {
	for _, name := range []string{"append-v21.mitm", "streamed.mitm", "upstream-v21.mitm", "socks.mitm"} {
		data := flowtest.Read(t, flowtest.Path("real", name))
		starts := []int64{0} // of the records, and the end
		for _, m := range flowtest.States(t, data) {
			raw, _ := m.Value().Encoded()
			starts = append(starts, starts[len(starts)-1]+int64(len(raw)))
		}
		for _, w := range ways {
			if w.name == "one byte at a time" && name != "append-v21.mitm" {
				continue // slow, and one dump shows it
			}
			for cut := range len(data) {
				recs, err := records(w.open(data[:cut], dumpfile.ReaderOptions{}))
				whole := 0
				for whole+1 < len(starts) && starts[whole+1] <= int64(cut) {
					whole++
				}
				if len(recs) != whole {
					t.Fatalf("%s cut at %d, %s: %d records, want %d (%v)", name, cut, w.name, len(recs), whole, err)
				}
				if starts[whole] == int64(cut) {
					if err != nil {
						t.Fatalf("%s cut at %d, %s: %v", name, cut, w.name, err)
					}
					continue
				}
				e, ok := errors.AsType[*dumpfile.Error](err)
				if !ok || e.Offset != starts[whole] || e.Flow != int64(whole) || e.At != int64(cut) || !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatalf("%s cut at %d, %s: got %#v, want flow %d at %d", name, cut, w.name, err, whole, starts[whole])
				}
			}
		}
	}
}

func gz(t testing.TB, parts ...[]byte) []byte {
	var b bytes.Buffer
	for _, p := range parts {
		w := gzip.NewWriter(&b)
		if _, err := w.Write(p); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func zst(t testing.TB, parts ...[]byte) []byte {
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	var b []byte
	for _, p := range parts {
		b = enc.EncodeAll(p, b)
	}
	return b
}

func TestContainers(t *testing.T) {
	one := flowtest.Read(t, flowtest.Path("real", "append.mitm"))     // version 17
	two := flowtest.Read(t, flowtest.Path("real", "append-v21.mitm")) // version 21
	both := append(bytes.Clone(one), two...)
	for _, tt := range []struct {
		name string
		data []byte
		want dumpfile.Container
	}{
		{"plain", both, dumpfile.ContainerNone},
		{"gzip", gz(t, both), dumpfile.ContainerGzip},
		{"gzip members", gz(t, one, two), dumpfile.ContainerGzip},
		{"gzip and zeros", append(gz(t, both), make([]byte, 500)...), dumpfile.ContainerGzip},
		{"gzip members within a record", gz(t, both[:1000], both[1000:], nil), dumpfile.ContainerGzip},
		{"zstd", zst(t, both), dumpfile.ContainerZstd},
		{"zstd frames", zst(t, one, two), dumpfile.ContainerZstd},
		{"zstd behind a skippable frame", append([]byte{0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'a', 'b', 'c'}, zst(t, one, two)...), dumpfile.ContainerZstd},
	} {
		for _, w := range ways {
			r := w.open(tt.data, dumpfile.ReaderOptions{})
			recs, err := records(r)
			if err != nil || len(recs) != 6 {
				t.Fatalf("%s, %s: %d records, %v", tt.name, w.name, len(recs), err)
			}
			var got []byte
			for _, rec := range recs {
				b, err := rec.Bytes()
				if err != nil && !strings.Contains(w.name, "dropping") {
					t.Fatal(err)
				}
				got = append(got, b...)
			}
			if !strings.Contains(w.name, "dropping") && !bytes.Equal(got, both) {
				t.Errorf("%s, %s: bytes differ", tt.name, w.name)
			}
			if f, c, err := r.Format(); f != dumpfile.FormatDump || c != tt.want || err != nil {
				t.Errorf("%s, %s: detected %v, %v, %v", tt.name, w.name, f, c, err)
			}
			versions := map[string]int{}
			r = w.open(tt.data, dumpfile.ReaderOptions{})
			for m, err := range r.States() {
				if err != nil {
					t.Fatal(err)
				}
				v, err := migrate.VersionOf(m)
				if err != nil {
					t.Fatal(err)
				}
				versions[v.String()]++
			}
			if versions["17"] != 3 || versions["21"] != 3 {
				t.Errorf("%s: versions are %v", tt.name, versions)
			}
		}
	}
	for _, data := range [][]byte{gz(t, both), zst(t, both)} {
		_, err := records(dumpfile.NewReader(bytes.NewReader(data[:len(data)-20]), nil))
		if ce, ok := errors.AsType[*dumpfile.ContainerError](err); !ok || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut container: %v, %v", err, ce)
		}
		if _, err := records(dumpfile.NewReader(bytes.NewReader(append(bytes.Clone(data), "junk"...)), nil)); err == nil || errors.Is(err, io.ErrUnexpectedEOF) && data[0] == 0x1f {
			t.Errorf("junk behind a container: %v", err)
		}
		bad := bytes.Clone(data)
		bad[len(bad)/2] ^= 0x55
		if _, err := records(dumpfile.NewReader(bytes.NewReader(bad), nil)); err == nil {
			t.Error("damaged container is not noticed")
		}
	}
}

func TestDetect(t *testing.T) {
	rec := "8:1:a;1:1#}"
	for _, tt := range []struct {
		name, data string
		want       dumpfile.Format
		records    int
		seems      string
	}{
		{"empty", "", dumpfile.FormatEmpty, 0, ""},
		{"mark only", "\xef\xbb\xbf", dumpfile.FormatEmpty, 0, ""},
		{"blank", " \n", dumpfile.FormatEmpty, 0, ""},
		{"dump", rec, dumpfile.FormatDump, 1, ""},
		{"dump after a mark", "\xef\xbb\xbf" + rec, dumpfile.FormatDump, 1, ""},
		{"dump with a line end behind", rec + "\r\n", dumpfile.FormatDump, 1, ""},
		{"har", `{"log": {"entries": []}}`, dumpfile.FormatHAR, 0, "HAR"},
		{"har after mark and blanks", "\xef\xbb\xbf\n {\n \"log\":{}}", dumpfile.FormatHAR, 0, "HAR"},
		{"har with a comment", `{"comment": {"a": []}, "log": {`, dumpfile.FormatHAR, 0, "HAR"},
		{"json object", `{"a": 1}`, dumpfile.FormatJSON, 0, "JSON"},
		{"json list", `[1, 2]`, dumpfile.FormatJSON, 0, "JSON"},
		{"blank before a dump", "\n" + rec, dumpfile.FormatUnknown, 0, "text"},
		{"png", "\x89PNG\r\n\x1a\n", dumpfile.FormatUnknown, 0, "a PNG image"},
		{"pcap", "\xd4\xc3\xb2\xa1\x02\x00", dumpfile.FormatUnknown, 0, "pcap"},
		{"html", "<html>", dumpfile.FormatUnknown, 0, "HTML"},
		{"text", "hello", dumpfile.FormatUnknown, 0, "text"},
		{"a log that begins with a digit", "2026-11-22 hello", dumpfile.FormatUnknown, 0, "text"},
		{"zeros", strings.Repeat("\x00", 100), dumpfile.FormatUnknown, 0, "zero bytes"},
		{"zlib", "\x78\x9cabc", dumpfile.FormatUnknown, 0, "zlib"},
		{"zip", "PK\x03\x04", dumpfile.FormatUnknown, 0, "ZIP"},
	} {
		for _, w := range ways {
			r := w.open([]byte(tt.data), dumpfile.ReaderOptions{Name: "x"})
			f, _, _ := r.Format()
			recs, err := records(r)
			fe, isFormat := errors.AsType[*dumpfile.FormatError](err)
			if f != tt.want || len(recs) != tt.records || isFormat != (tt.seems != "") {
				t.Errorf("%s, %s: got %v, %d records, %v", tt.name, w.name, f, len(recs), err)
			}
			if isFormat && (!strings.Contains(fe.Seems, tt.seems) || !strings.HasPrefix(err.Error(), "x: not a flow dump")) {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
	}
}

func TestNotFlow(t *testing.T) {
	good := "8:1:a;1:1#}"
	r := dumpfile.NewReader(strings.NewReader(good+"3:0:~]"+good), nil)
	if _, err := r.ReadRecord(); err != nil {
		t.Fatal(err)
	}
	_, err := r.ReadRecord()
	e, ok := errors.AsType[*dumpfile.Error](err)
	if !ok || !errors.Is(err, dumpfile.ErrNotFlow) || e.Flow != 1 || e.Offset != int64(len(good)) {
		t.Fatalf("got %v", err)
	}
	if rec, err := r.ReadRecord(); err != nil || rec.Index != 2 {
		t.Fatalf("reading on behind a record that is no flow: %v", err)
	}
	if _, err := r.ReadRecord(); err != io.EOF {
		t.Errorf("got %v", err)
	}
}

func TestInputErrorsPassThrough(t *testing.T) {
	data := flowtest.Read(t, flowtest.Path("real", "append-v21.mitm"))
	boom := errors.New("boom")
	r := dumpfile.NewReader(io.MultiReader(bytes.NewReader(data[:4000]), iotest.ErrReader(boom)), nil)
	recs, err := records(r)
	if !errors.Is(err, boom) || len(recs) == 0 {
		t.Errorf("got %d records, %v", len(recs), err)
	}
	if _, again := r.ReadRecord(); again != err {
		t.Errorf("the error does not stick: %v", again)
	}
}

func TestReadBatch(t *testing.T) {
	for _, file := range captures(t) {
		data := flowtest.Read(t, file)
		for _, w := range ways {
			r := w.open(data, dumpfile.ReaderOptions{})
			var b dumpfile.Batch
			var end int64
			n := 0
			for {
				err := r.ReadBatch(&b)
				if err == io.EOF {
					break
				}
				if err != nil || len(b.Records) == 0 {
					t.Fatalf("%s, %s: batch of %d, %v", filepath.Base(file), w.name, len(b.Records), err)
				}
				for i := range b.Records {
					rec := &b.Records[i]
					got, err := rec.Bytes()
					if rec.Index != int64(n) || rec.Offset != end {
						t.Fatalf("%s: record %d at %d", file, rec.Index, rec.Offset)
					}
					end += rec.Size
					n++
					if !strings.Contains(w.name, "dropping") && (err != nil || !bytes.Equal(got, data[rec.Offset:end])) {
						t.Fatalf("%s, %s: record %d differs, %v", filepath.Base(file), w.name, rec.Index, err)
					}
				}
			}
			if end != int64(len(data)) {
				t.Errorf("%s, %s: batches end at %d of %d", filepath.Base(file), w.name, end, len(data))
			}
		}
	}
}

func TestReset(t *testing.T) {
	r := dumpfile.NewReader(strings.NewReader("junk"), nil)
	if _, err := r.ReadRecord(); err == nil {
		t.Fatal("junk was read")
	}
	r.Reset(strings.NewReader("8:1:a;1:1#}"), nil)
	if recs, err := records(r); err != nil || len(recs) != 1 || recs[0].Offset != 0 {
		t.Errorf("after Reset: %v, %v", recs, err)
	}
}

func TestFileFromItsPosition(t *testing.T) {
	data := []byte("junk8:1:a;1:1#}")
	in := bytes.NewReader(data)
	if _, err := in.Seek(4, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	recs, err := records(dumpfile.NewReader(in, nil))
	if err != nil || len(recs) != 1 || recs[0].Offset != 4 {
		t.Errorf("got %v, %v", recs, err)
	}
	if pos, _ := in.Seek(0, io.SeekCurrent); pos != 4 {
		t.Errorf("reading moved the file to %d", pos)
	}
}

func TestStrict(t *testing.T) {
	for _, data := range []string{"012:1:a;+1:1#1:}", "09:1:a;2:01#}", "8:1:a;1:1#}\n"} {
		if _, err := records(dumpfile.NewReader(strings.NewReader(data), &dumpfile.ReaderOptions{Strict: true})); err == nil {
			t.Errorf("strict: %q is accepted", data)
		}
	}
}

// TestFlowsGoOn: a flow that is refused does not end the iteration, but damage of the
// frame does.
func TestFlowsGoOn(t *testing.T) {
	good := flowtest.Read(t, flowtest.Path("real", "edited-v21.mitm"))
	first, err := dumpfile.NewReader(bytes.NewReader(good), nil).ReadRecord()
	if err != nil {
		t.Fatal(err)
	}
	good = good[:first.Size]
	for _, bad := range []string{
		"31:7:version;2:21#4:type;6:nosuch;}", // of an unknown type
		"3:abc,",                              // no flow
	} {
		data := slices.Concat(good, []byte(bad), good, []byte("junk"), good)
		var got []bool
		for _, err := range dumpfile.NewReader(bytes.NewReader(data), nil).Flows() {
			got = append(got, err == nil)
		}
		if !slices.Equal(got, []bool{true, false, true, false}) {
			t.Errorf("%s: %v", bad, got)
		}
	}
}

// TestOldBackups reverts flows of format 21 whose backup mitmproxy left in
// format 17. Until then, they are written back as they were.
func TestOldBackups(t *testing.T) {
	data := flowtest.Read(t, flowtest.Path("real", "edited-v21.mitm"))
	var out bytes.Buffer
	w := dumpfile.NewWriter(&out)
	reverted := 0
	for f, err := range dumpfile.NewReader(bytes.NewReader(data), nil).Flows() {
		if err != nil {
			t.Fatal(err)
		}
		if err := w.WriteFlow(f); err != nil {
			t.Fatal(err)
		}
		b := f.BackupState()
		if b == nil {
			continue
		}
		if v, err := b.Int64("version"); err != nil || v != 21 || !f.Modified() {
			t.Errorf("%s: backup of version %d, modified %v, %v", f.ID(), v, f.Modified(), err)
		}
		want := b.Clone()
		if err := f.Copy().Revert(); err != nil {
			t.Errorf("reverting a copy: %v", err)
		}
		if err := f.Revert(); err != nil {
			t.Fatal(err)
		}
		want.Set("backup", state.Null())
		if !state.Equal(f.GetState().Value(), want.Value()) || f.Modified() {
			t.Errorf("%s: not reverted", f.ID())
		}
		reverted++
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if reverted == 0 || !bytes.Equal(out.Bytes(), data) {
		t.Errorf("%d flows reverted; written back alike: %v", reverted, bytes.Equal(out.Bytes(), data))
	}
}

// TestOffsetsWithBatches looks for a malformed value whose record was read into
// memory that was used before.
func TestOffsetsWithBatches(t *testing.T) {
	good := fmt.Appendf(nil, "%d:4:body;3000:%s,}", 3000+13, strings.Repeat("x", 3000))
	bad := []byte("12:4:port;2:0x#}")
	data := append(bytes.Repeat(good, 500), bad...)
	want := int64(len(data) - len("0x#}"))
	for _, w := range ways {
		r := w.open(data, dumpfile.ReaderOptions{})
		var b dumpfile.Batch
		for last := false; !last; {
			if err := r.ReadBatch(&b); err != nil {
				t.Fatal(w.name, err)
			}
			for i := range b.Records {
				rec := &b.Records[i]
				last = rec.Index == 500
				m, err := rec.State()
				if err != nil {
					t.Fatal(w.name, err)
				}
				_, err = m.Int64("port")
				if e, ok := errors.AsType[*dumpfile.Error](rec.Wrap(err)); !ok || last && (e.At != want || e.Path != "/port") {
					t.Fatalf("%s: record %d: %#v, want offset %d", w.name, rec.Index, e, want)
				}
			}
		}
	}
}

func TestWriteRecord(t *testing.T) {
	data := append(flowtest.Read(t, flowtest.Path("real", "h2.mitm")), large(t, 3<<20)...)
	for _, w := range ways {
		if w.name == "one byte at a time" {
			continue
		}
		var out bytes.Buffer
		wr := dumpfile.NewWriter(&out)
		r := w.open(data, dumpfile.ReaderOptions{})
		var err error
		for rec, readErr := range r.Records() {
			if readErr != nil {
				t.Fatal(w.name, readErr)
			}
			if err = wr.WriteRecord(rec); err != nil {
				break
			}
		}
		if strings.Contains(w.name, "dropping") {
			if !errors.Is(err, state.ErrElided) {
				t.Errorf("%s: copying what was dropped: %v", w.name, err)
			}
			continue
		}
		if err := errors.Join(err, wr.Close()); err != nil || !bytes.Equal(out.Bytes(), data) {
			t.Errorf("%s: the copy differs: %v", w.name, err)
		}
		if r.Offset() != int64(len(data)) {
			t.Errorf("%s: at the end the offset is %d, want %d", w.name, r.Offset(), len(data))
		}
	}
}
