package formats_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/formats"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/pipeline"
)

// convert returns data in another format, and the faults of reading it.
func convert(ctx context.Context, data io.Reader, to string, open *formats.Options) (out []byte, in *formats.Input, faults []error, err error) {
	in, err = formats.Open(data, open)
	if err != nil {
		return nil, nil, nil, err
	}
	defer in.Close()
	var b bytes.Buffer
	sink, err := formats.Named(to).Create(&b, nil)
	if err != nil {
		return nil, nil, nil, err
	}
	opts := pipeline.Options{Workers: 4, Fault: func(err error) { faults = append(faults, err) }}
	err = pipeline.Run(ctx, in.Source, opts, func(it *pipeline.Item, c *formats.Chunk) error {
		if err := sink.Encode(c, it); err != nil {
			if _, ok := err.(*formats.SkipError); !ok {
				return err
			}
		}
		return nil
	}, func(c *formats.Chunk) error {
		defer c.Reset()
		return sink.Write(c)
	})
	if err == nil {
		err = sink.Close()
	}
	return b.Bytes(), in, faults, err
}

// pack returns data in a container.
func pack(t *testing.T, c dumpfile.Container, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := dumpfile.NewCompressor(&b, c, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestRoundTrip goes from every dump to every format that holds all flows and to a
// dump again, from a file and from a stream, with and without a container. Of a
// damaged dump it takes what is before the damage.
func TestRoundTrip(t *testing.T) {
	for _, name := range flowtest.Dumps(t) {
		dump := flowtest.Read(t, name)
		if whole, _, _, err := convert(t.Context(), bytes.NewReader(dump), "mitm", nil); err != nil {
			dump = dump[:len(whole)]
		}
		if len(dump) == 0 {
			continue
		}
		check := func(what string, r io.Reader, format string, container dumpfile.Container) {
			back, in, faults, err := convert(t.Context(), r, "mitm", nil)
			if err != nil || len(faults) > 0 || !bytes.Equal(back, dump) {
				t.Errorf("%s by way of %s: %v, %v, same bytes: %v", name, what, err, faults, bytes.Equal(back, dump))
				return
			}
			if in.Format.Name != format || in.Container != container {
				t.Errorf("%s by way of %s seems to be %s in %v", name, what, in.Format.Name, in.Container)
			}
		}
		for _, via := range []string{"mitm", "flowpack", "jsonl"} {
			there, _, faults, err := convert(t.Context(), bytes.NewReader(dump), via, nil)
			if err != nil || len(faults) > 0 {
				t.Fatalf("%s to %s: %v, %v", name, via, err, faults)
			}
			check(via, bytes.NewReader(there), via, dumpfile.ContainerNone)
			check(via+" as a stream", io.MultiReader(bytes.NewReader(there)), via, dumpfile.ContainerNone)
			for _, c := range []dumpfile.Container{dumpfile.ContainerGzip, dumpfile.ContainerZstd} {
				check(via+" in "+c.String(), bytes.NewReader(pack(t, c, there)), via, c)
			}
		}
		data := dump
		for _, via := range []string{"flowpack", "jsonl", "flowpack"} {
			var err error
			if data, _, _, err = convert(t.Context(), bytes.NewReader(data), via, nil); err != nil {
				t.Fatalf("%s to %s: %v", name, via, err)
			}
		}
		check("flowpack, jsonl and flowpack", bytes.NewReader(data), "flowpack", dumpfile.ContainerNone)
	}
}

// TestMembers reads what was written one behind the other, in containers too.
func TestMembers(t *testing.T) {
	dump := flowtest.Read(t, flowtest.Path("real", "append.mitm"))
	want := slices.Concat(dump, dump)
	for _, via := range []string{"mitm", "flowpack", "jsonl"} {
		there, _, _, err := convert(t.Context(), bytes.NewReader(dump), via, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []dumpfile.Container{dumpfile.ContainerNone, dumpfile.ContainerGzip, dumpfile.ContainerZstd} {
			one := pack(t, c, there)
			back, _, faults, err := convert(t.Context(), bytes.NewReader(slices.Concat(one, one)), "mitm", nil)
			if err != nil || len(faults) > 0 || !bytes.Equal(back, want) {
				t.Errorf("%s in %v twice: %v, %v, same bytes: %v", via, c, err, faults, bytes.Equal(back, want))
			}
		}
	}
}

// TestHAR: a HAR holds the HTTP flows, and says so of the others.
func TestHAR(t *testing.T) {
	dump := flowtest.Read(t, flowtest.Path("har", "corpus.mitm"))
	for _, via := range []string{"har", "zhar"} {
		there, _, _, err := convert(t.Context(), bytes.NewReader(dump), via, nil)
		if err != nil {
			t.Fatal(err)
		}
		back, in, _, err := convert(t.Context(), bytes.NewReader(there), "mitm", nil)
		if err != nil || !bytes.Equal(back, dump) || in.Format.Name != "har" {
			t.Errorf("%s: %v, same bytes: %v", via, err, bytes.Equal(back, dump))
		}
	}
}

// TestWant: what nobody wants is not decoded, and numbers stay right.
func TestWant(t *testing.T) {
	dump := flowtest.Read(t, flowtest.Path("real", "http1.mitm"))
	in, err := formats.Open(bytes.NewReader(dump), nil)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	sink, err := formats.Named("flowpack").Create(&b, &formats.SinkOptions{ChunkSize: 16 << 10})
	if err != nil {
		t.Fatal(err)
	}
	err = pipeline.Run(t.Context(), in.Source, pipeline.Options{Workers: 1}, func(it *pipeline.Item, c *formats.Chunk) error {
		return sink.Encode(c, it)
	}, func(c *formats.Chunk) error {
		defer c.Reset()
		return sink.Write(c)
	})
	if err = errors.Join(err, sink.Close()); err != nil {
		t.Fatal(err)
	}
	var groups []string
	in, err = formats.Open(bytes.NewReader(b.Bytes()), &formats.Options{Want: func(g *formats.Group) bool {
		groups = append(groups, fmt.Sprint(g.First, g.Flows))
		return g.First == 0 || g.First+g.Flows == 100
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var flows int64
	var indexes []int64
	err = pipeline.Run(t.Context(), in.Source, pipeline.Options{Flows: &flows}, func(it *pipeline.Item, out *[]int64) error {
		*out = append(*out, it.Index)
		return nil
	}, func(out *[]int64) error {
		indexes = append(indexes, *out...)
		*out = nil
		return nil
	})
	if err != nil || flows != 100 || len(groups) < 4 {
		t.Fatalf("%d flows, groups %v, %v", flows, groups, err)
	}
	if len(indexes) > 70 || indexes[0] != 0 || indexes[len(indexes)-1] != 99 || !slices.IsSorted(indexes) {
		t.Errorf("flows %v", indexes)
	}
}

// TestDetect tells inputs apart by their content.
func TestDetect(t *testing.T) {
	entry := `{"startedDateTime":"2026-11-22T10:00:00Z","time":1,"request":{"method":"GET","url":"http://a.example/"}}`
	for _, tt := range []struct{ data, want string }{
		{"", ""},
		{" \n", ""},
		{`{"version":21,"type":"http"}`, "jsonl"},
		{"\xef\xbb\xbf\n\n" + `{"version":21,"type":"http"}`, "jsonl"},
		{`{"log":{"entries":[` + entry + `]}}`, "har"},
		{`{"browser":1,"log":{"entries":[]}}`, "har"},
		{`{"entries":[` + entry + `]}`, "har"},
		{`[` + entry + `]`, "har"},
		{entry + "\n" + entry, "har"},
		{"\xef\xbb\xbf  " + `{"log":{"entries":[]}}`, "har"},
		{"\xff\xfe{\x00\"\x00l\x00o\x00g\x00\"\x00:\x00{\x00\"\x00e\x00n\x00t\x00r\x00i\x00e\x00s\x00\"\x00:\x00[\x00]\x00}\x00}\x00", "har"},
	} {
		in, err := formats.Open(strings.NewReader(tt.data), nil)
		if err != nil {
			t.Errorf("%q: %v", tt.data, err)
			continue
		}
		got := ""
		if in.Format != nil {
			got = in.Format.Name
		}
		if got != tt.want {
			t.Errorf("%q seems to be %q, want %q", tt.data, got, tt.want)
		}
		var n int64
		err = pipeline.Run(t.Context(), in.Source, pipeline.Options{Flows: &n}, func(*pipeline.Item, *int) error { return nil }, func(*int) error { return nil })
		if err != nil {
			t.Errorf("%q: %v", tt.data, err)
		}
		if err := in.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, data := range []string{"hello", "\x89PNG\r\n\x1a\n", "[1, 2]", `{"a": 1}`, "\x78\x9c but no zlib", "\xff\xfeh\x00i\x00"} {
		in, err := formats.Open(strings.NewReader(data), nil)
		if err == nil {
			err = pipeline.Run(t.Context(), in.Source, pipeline.Options{}, func(*pipeline.Item, *int) error { return nil }, func(*int) error { return nil })
		}
		if _, ok := errors.AsType[*dumpfile.FormatError](err); !ok {
			t.Errorf("%q: %v", data, err)
		}
	}
}

// TestTable checks that the table can be relied on.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range formats.All() {
		if formats.Named(f.Name) != f || seen[f.Name] || f.Doc == "" || !f.CanRead() && !f.CanWrite() {
			t.Errorf("row %+v", f)
		}
		seen[f.Name] = true
		for _, ext := range f.Exts {
			for _, name := range []string{"a" + ext, "a.b" + ext + ".gz", "A" + strings.ToUpper(ext), "dir/a" + ext + ".zst"} {
				if formats.OfFile(name) != f {
					t.Errorf("%s is not for %s", name, f.Name)
				}
			}
		}
	}
	for _, name := range []string{"", "-", "a", "a.gz", "mitm", "a.txt"} {
		if f := formats.OfFile(name); f != nil {
			t.Errorf("%q is for %s", name, f.Name)
		}
	}
	if formats.Named("") != nil || formats.Named("none") != nil {
		t.Error("found a format that does not exist")
	}
}

func TestForced(t *testing.T) {
	_, _, _, err := convert(t.Context(), strings.NewReader("5:hello,"), "mitm", &formats.Options{Format: formats.Named("jsonl")})
	if err == nil {
		t.Error("a dump was read as JSON Lines")
	}
}
