package flowpack_test

import (
	"bytes"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/flowpack"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

// pack returns a flowpack of records.
func pack(t testing.TB, rs [][]byte, opts *flowpack.WriterOptions) []byte {
	t.Helper()
	var out bytes.Buffer
	w := flowpack.NewWriter(&out, opts)
	for _, r := range rs {
		if err := w.WriteRecord(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// unpack returns the chunks of a flowpack, nil for those that cannot be read,
// and all errors.
func unpack(r io.Reader, opts *flowpack.ReaderOptions) (chunks [][][]byte, errs []error) {
	d := flowpack.NewReader(r, opts)
	defer d.Close()
	for c, err := range d.Chunks() {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		var b flowpack.Batch
		err := c.Decode(&b)
		var rs [][]byte
		for i := range b.Len() {
			rs = append(rs, b.Record(i))
		}
		for len(chunks) <= c.Number {
			chunks = append(chunks, nil)
		}
		chunks[c.Number] = rs
		if err != nil {
			errs = append(errs, err)
		}
	}
	return chunks, errs
}

func flat(chunks [][][]byte) (out [][]byte) {
	for _, c := range chunks {
		out = append(out, c...)
	}
	return out
}

func TestReader(t *testing.T) {
	for _, name := range flowtest.Dumps(t) {
		rs := flowtest.Records(t, flowtest.Read(t, name))
		data := pack(t, rs, &flowpack.WriterOptions{ChunkSize: 10_000, Workers: 2})
		if !flowpack.Detect(data[:flowpack.MarkerSize]) {
			t.Errorf("%s: not detected", name)
		}
		for what, r := range map[string]io.Reader{
			"index":     bytes.NewReader(data),
			"stream":    io.MultiReader(bytes.NewReader(data)),
			"bytewise":  iotest.OneByteReader(bytes.NewReader(data)),
			"early EOF": iotest.DataErrReader(bytes.NewReader(data)),
		} {
			chunks, errs := unpack(r, nil)
			if len(errs) > 0 {
				t.Fatalf("%s, %s: %v", name, what, errs)
			}
			got := flat(chunks)
			if len(got) != len(rs) {
				t.Fatalf("%s, %s: %d flows, want %d", name, what, len(got), len(rs))
			}
			for i := range rs {
				if !bytes.Equal(got[i], rs[i]) {
					t.Fatalf("%s, %s: flow %d is\n%.500q, want\n%.500q", name, what, i, got[i], rs[i])
				}
			}
		}
	}
}

// TestConcatenated: flowpacks that follow each other are one.
func TestConcatenated(t *testing.T) {
	rs := smallFlows(t, 20)
	opts := &flowpack.WriterOptions{ChunkSize: 700}
	data := slices.Concat(pack(t, rs[:7], opts), pack(t, nil, opts), pack(t, rs[7:], opts))
	for what, source := range sources {
		chunks, errs := unpack(source(data), nil)
		if got := flat(chunks); !slices.EqualFunc(got, rs, bytes.Equal) || len(errs) > 0 {
			t.Errorf("%s: %d flows, want %d: %v", what, len(got), len(rs), errs)
		}
	}
	index := flowpack.NewReader(bytes.NewReader(data), nil).Index()
	flows := int64(0)
	for i, c := range index {
		if c.Number != i || c.Facts.First != flows {
			t.Errorf("chunk %d: number %d, first flow %d, want %d", i, c.Number, c.Facts.First, flows)
		}
		flows += c.Facts.Flows
	}
	if flows != 20 {
		t.Errorf("%d flows in the index", flows)
	}
	// The first one is cut off.
	first := pack(t, rs[:7], opts)
	cut := slices.Concat(first[:len(first)-1], pack(t, rs[7:], opts))
	for what, source := range sources {
		chunks, errs := unpack(source(cut), nil)
		if got := flat(chunks); !slices.EqualFunc(got, rs, bytes.Equal) || len(errs) != 1 {
			t.Errorf("%s: %d flows, want %d: %v", what, len(got), len(rs), errs)
		}
	}
}

// TestDamagedTwice damages two parts at a time.
func TestDamagedTwice(t *testing.T) {
	l := newLayout(t, smallFlows(t, 30), &flowpack.WriterOptions{ChunkSize: 700})
	middle := func(c *flowpack.Chunk) int { return int(c.Offset + c.Size/2) }
	for _, tt := range []struct {
		name   string
		places []int
		lost   []int // chunks
		errs   int
	}{
		{"two chunks", []int{middle(l.places[1]), middle(l.places[3])}, []int{1, 3}, 2},
		{"neighbours", []int{middle(l.places[1]), middle(l.places[2])}, []int{1, 2}, 2},
		{"chunk and summary", []int{middle(l.places[2]), l.table - 3}, []int{2}, 2},
		{"chunk and seek table", []int{middle(l.places[2]), len(l.data) - 1}, []int{2}, 2},
		{"start of a chunk and seek table", []int{int(l.places[2].Offset), len(l.data) - 1}, []int{2}, 2},
		{"marker and header", []int{0, int(l.places[0].Offset) - 1}, nil, 2},
		{"summary and seek table", []int{l.table - 3, l.table + 20}, nil, 2},
	} {
		data := bytes.Clone(l.data)
		for _, at := range tt.places {
			data[at] ^= 0x10
		}
		for what, source := range sources {
			chunks, errs := unpack(source(data), nil)
			if len(errs) != tt.errs {
				t.Errorf("%s, %s: %d errors, want %d: %v", tt.name, what, len(errs), tt.errs, errs)
			}
			for i, want := range l.chunks {
				if slices.Contains(tt.lost, i) {
					want = nil
				}
				if i >= len(chunks) || !equalChunks(chunks[i], want) {
					t.Errorf("%s, %s: chunk %d is not as it should be: %v", tt.name, what, i, errs)
				}
			}
		}
	}
}

// TestWithoutEnd: summary and seek table cost no flows when they are missing.
func TestWithoutEnd(t *testing.T) {
	l := newLayout(t, smallFlows(t, 30), &flowpack.WriterOptions{ChunkSize: 700})
	last := l.places[len(l.places)-1]
	end := int(last.Offset + last.Size)
	for name, data := range map[string][]byte{
		"no summary":    slices.Concat(l.data[:end], l.data[l.table:]),
		"no seek table": l.data[:l.table],
		"neither":       l.data[:end],
	} {
		r := flowpack.NewReader(bytes.NewReader(data), nil)
		if r.Index() != nil {
			t.Errorf("%s: there is an index", name)
		}
		chunks, errs := unpack(bytes.NewReader(data), nil)
		if !slices.EqualFunc(chunks, l.chunks, equalChunks) || len(errs) != 1 {
			t.Errorf("%s: %d chunks, want %d: %v", name, len(chunks), len(l.chunks), errs)
		}
	}
}

// TestBatches: batches come in order, without those that nobody wants.
func TestBatches(t *testing.T) {
	rs := smallFlows(t, 100)
	data := pack(t, rs, &flowpack.WriterOptions{ChunkSize: 300})
	for what, source := range sources {
		for _, workers := range []int{0, 1, 3} {
			var got [][]byte
			for b, err := range flowpack.NewReader(source(data), nil).Batches(workers, nil) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, bytes.Clone(b.Data))
			}
			if !bytes.Equal(bytes.Join(got, nil), bytes.Join(rs, nil)) {
				t.Errorf("%s, %d workers: other records", what, workers)
			}
		}
		n := 0
		for b, err := range flowpack.NewReader(source(data), nil).Batches(2, func(c *flowpack.Chunk) bool { return c.Number%3 == 1 }) {
			if err != nil || b.Chunk.Number != 3*n+1 {
				t.Fatalf("%s: %v, chunk %d, want %d", what, err, b.Chunk.Number, 3*n+1)
			}
			if n++; n == 5 {
				break
			}
		}
	}
	// Damage is found where it is.
	l := newLayout(t, rs, &flowpack.WriterOptions{ChunkSize: 300})
	l.data[l.places[2].Offset+9] ^= 1
	var at []int
	n := 0
	for b, err := range flowpack.NewReader(bytes.NewReader(l.data), nil).Batches(2, nil) {
		if err != nil {
			e, _ := errors.AsType[*flowpack.Error](err)
			at = append(at, e.Chunk)
		}
		if b != nil {
			n += b.Len()
		}
	}
	if want := len(rs) - len(l.chunks[2]); n != want || !slices.Equal(at, []int{2}) {
		t.Errorf("%d flows, damage at %v, want %d and chunk 2", n, at, want)
	}
}

func TestStatesAndFlows(t *testing.T) {
	name := flowtest.Path("real", "http1.mitm")
	rs := flowtest.Records(t, flowtest.Read(t, name))
	data := pack(t, rs, &flowpack.WriterOptions{ChunkSize: 10_000})
	var states []*state.Map
	for m, err := range flowpack.NewReader(bytes.NewReader(data), nil).States() {
		if err != nil {
			t.Fatal(err)
		}
		states = append(states, m)
	}
	for i, m := range states {
		if got, err := tnetstring.Append(nil, m.Value()); err != nil || !bytes.Equal(got, rs[i]) {
			t.Fatalf("state %d: got %.200q, %v, want %.200q", i, got, err, rs[i])
		}
	}
	var repacked bytes.Buffer
	w := flowpack.NewWriter(&repacked, nil)
	var want bytes.Buffer
	dw := dumpfile.NewWriter(&want)
	n := 0
	for f, err := range flowpack.NewReader(bytes.NewReader(data), nil).Flows() {
		if err != nil {
			t.Fatal(err)
		}
		if err := w.WriteFlow(f); err != nil {
			t.Fatal(err)
		}
		if err := dw.WriteFlow(f); err != nil {
			t.Fatal(err)
		}
		n++
	}
	if err := errors.Join(w.Close(), dw.Close()); err != nil {
		t.Fatal(err)
	}
	if len(states) != len(rs) || n != len(rs) {
		t.Errorf("%d states and %d flows, want %d", len(states), n, len(rs))
	}
	chunks, errs := unpack(&repacked, nil)
	if !bytes.Equal(bytes.Join(flat(chunks), nil), want.Bytes()) || len(errs) > 0 {
		t.Errorf("flows are packed as something else: %v", errs)
	}
}

// TestFlowErrors: a flow that is none does not stop reading.
func TestFlowErrors(t *testing.T) {
	good := flowtest.Records(t, flowtest.Read(t, flowtest.Path("real", "tcp.mitm")))[0]
	data := pack(t, [][]byte{good, []byte(dict(text("version"), "2:99#")), good}, nil)
	flows, bad := 0, 0
	for _, err := range flowpack.NewReader(bytes.NewReader(data), &flowpack.ReaderOptions{Name: "x"}).Flows() {
		if err == nil {
			flows++
			continue
		}
		bad++
		if e, ok := errors.AsType[*flowpack.Error](err); !ok || e.Flow != 1 || e.Name != "x" {
			t.Errorf("%v, want an error about flow 1", err)
		}
	}
	if flows != 2 || bad != 1 {
		t.Errorf("%d flows and %d errors", flows, bad)
	}
}

func TestReaderLimits(t *testing.T) {
	small := smallFlows(t, 1)
	large := []byte(dict(text("k"), el(strings.Repeat("x", 20<<20), ',')))
	huge := []byte(dict(text("k"), el(strings.Repeat("x", 65<<20), ',')))
	deep := []byte(dict(text("k"), list(list(list()))))
	many := []byte(dict(text("k"), list("0:~", "0:~", "0:~", "0:~", "0:~", "0:~")))
	for _, tt := range []struct {
		name string
		data []byte
		opts flowpack.ReaderOptions
		err  error // nil stands for a LimitError
	}{
		{"chunk", pack(t, [][]byte{large}, nil), flowpack.ReaderOptions{MaxChunk: 10 << 20}, nil},
		{"ratio", pack(t, [][]byte{huge}, nil), flowpack.ReaderOptions{MaxRatio: 100}, nil},
		{"depth", pack(t, [][]byte{deep}, nil), flowpack.ReaderOptions{MaxDepth: 3}, tnetstring.ErrTooDeep},
		{"elements", pack(t, [][]byte{many}, nil), flowpack.ReaderOptions{MaxElements: 5}, tnetstring.ErrTooMany},
	} {
		for what, source := range sources {
			// What is behind it is read nevertheless.
			data := slices.Concat(tt.data, pack(t, small, nil))
			chunks, errs := unpack(source(data), &tt.opts)
			if len(errs) != 1 {
				t.Errorf("%s, %s: errors %v, want one", tt.name, what, errs)
				continue
			}
			if _, ok := errors.AsType[*flowpack.LimitError](errs[0]); ok != (tt.err == nil) || tt.err != nil && !errors.Is(errs[0], tt.err) {
				t.Errorf("%s, %s: %v", tt.name, what, errs[0])
			}
			if got := flat(chunks); !slices.EqualFunc(got, small, bytes.Equal) {
				t.Errorf("%s, %s: %d flows behind it, want %d", tt.name, what, len(got), len(small))
			}
		}
	}
}

// TestVersions: a later version of the format is refused by its number.
func TestVersions(t *testing.T) {
	data := pack(t, smallFlows(t, 1), nil)
	enc, err := zstd.NewWriter(nil, zstd.WithSingleSegment(true))
	if err != nil {
		t.Fatal(err)
	}
	index := flowpack.NewReader(bytes.NewReader(data), nil).Index()
	header := enc.EncodeAll([]byte("\x81\xa8flowpack\x02"), nil)
	data = slices.Concat(data[:flowpack.MarkerSize], header, data[index[0].Offset:])
	for what, source := range sources {
		chunks, errs := unpack(source(data), nil)
		if len(chunks) > 0 || len(errs) != 1 {
			t.Fatalf("%s: %d chunks, %v", what, len(chunks), errs)
		}
		if e, ok := errors.AsType[*flowpack.VersionError](errs[0]); !ok || e.Version != 2 {
			t.Errorf("%s: %v", what, errs[0])
		}
	}
}

// TestOther: what is no flowpack is said to be none.
func TestOther(t *testing.T) {
	for _, data := range []string{"{}", "some text that is longer than a marker", string(flowtest.Read(t, flowtest.Path("real", "tcp.mitm")))} {
		if flowpack.Detect([]byte(data)) {
			t.Errorf("%.20q is detected", data)
		}
		_, errs := unpack(strings.NewReader(data), nil)
		if len(errs) != 1 || !errors.Is(errs[0], flowpack.ErrFormat) {
			t.Errorf("%.20q: %v", data, errs)
		}
	}
	_, errs := unpack(strings.NewReader(""), nil)
	if len(errs) != 1 || !errors.Is(errs[0], io.ErrUnexpectedEOF) {
		t.Errorf("nothing: %v", errs)
	}
}

// TestReadErrors: errors of the input come through, behind the chunks before.
func TestReadErrors(t *testing.T) {
	l := newLayout(t, smallFlows(t, 30), &flowpack.WriterOptions{ChunkSize: 700})
	bad := errors.New("bad disk")
	for end := 0; end < len(l.data); end += every(11) {
		complete := 0
		for _, c := range l.places {
			if c.Offset+c.Size <= int64(end) {
				complete++
			}
		}
		r := io.MultiReader(bytes.NewReader(l.data[:end]), iotest.ErrReader(bad))
		for what, r := range map[string]io.Reader{"behind": r, "with data": iotest.DataErrReader(io.MultiReader(bytes.NewReader(l.data[:end]), iotest.ErrReader(bad)))} {
			chunks, errs := unpack(r, nil)
			if !slices.EqualFunc(chunks, l.chunks[:complete], equalChunks) || len(errs) != 1 || errs[0] != bad {
				t.Fatalf("%s, at %d: %d chunks, want %d: %v", what, end, len(chunks), complete, errs)
			}
		}
	}
}

// TestZstd: the zstd command reads flowpacks, and gives header and flows.
func TestZstd(t *testing.T) {
	zstd, err := exec.LookPath("zstd")
	if err != nil {
		t.Skip("zstd is not installed")
	}
	rs := flowtest.Records(t, flowtest.Read(t, flowtest.Path("real", "http1.mitm")))
	var want []byte
	for _, r := range rs {
		want = append(want, mustPack(t, r)...)
	}
	cmd := exec.Command(zstd, "-dc")
	cmd.Stdin = bytes.NewReader(pack(t, rs, &flowpack.WriterOptions{ChunkSize: 10_000}))
	got, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	header := "\x82\xa8flowpack\x01\xa8software\xa8flowtool"
	if !bytes.Equal(got, append([]byte(header), want...)) {
		t.Errorf("zstd gives %d bytes, %.100q …, want %d", len(got), got, len(header)+len(want))
	}
}
