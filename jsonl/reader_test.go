package jsonl_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/jsonl"
	"github.com/flowtool/flowtool/state"
)

// readAll reads lines one by one, or in batches, and returns their numbers,
// offsets and content, and what ended the reading.
func readAll(r io.Reader, opts *jsonl.ReaderOptions, batches bool) (out []string, err error) {
	d := jsonl.NewReader(r, opts)
	if !batches {
		for {
			l, err := d.ReadLine()
			if err != nil {
				return out, err
			}
			out = append(out, fmt.Sprintf("%d@%d %s", l.Number, l.Offset, l.Data))
		}
	}
	var b jsonl.Batch
	for {
		if err := d.ReadBatch(&b); err != nil {
			if len(b.Lines) > 0 {
				panic("lines beside an error")
			}
			return out, err
		}
		for _, l := range b.Lines {
			out = append(out, fmt.Sprintf("%d@%d %s", l.Number, l.Offset, l.Data))
		}
	}
}

func TestReader(t *testing.T) {
	big := `{"k":"` + strings.Repeat("x", 300<<10) + `"}`
	for _, tt := range []struct {
		name, in string
		want     []string
	}{
		{"empty", "", nil},
		{"blank", "\n\r\n \t \n", nil},
		{"byte order mark alone", "\xef\xbb\xbf", nil},
		{"one", "{}\n", []string{"1@0 {}"}},
		{"without end", "{}", []string{"1@0 {}"}},
		{"CRLF", "{}\r\n{ }\r\n", []string{"1@0 {}", "2@4 { }"}},
		{"CR at the end", "{}\r", []string{"1@0 {}"}},
		{"blank lines", "\n{}\n\n  \n{}\n\n", []string{"2@1 {}", "5@8 {}"}},
		{"byte order mark", "\xef\xbb\xbf{}\n{}", []string{"1@3 {}", "2@6 {}"}},
		{"byte order mark later", "{}\n\xef\xbb\xbf{}", []string{"1@0 {}", "2@3 \xef\xbb\xbf{}"}},
		{"no JSON", "x\ny", []string{"1@0 x", "2@2 y"}},
		{"big", big + "\n{}\n" + big, []string{"1@0 " + big, fmt.Sprintf("2@%d {}", len(big)+1), fmt.Sprintf("3@%d %s", len(big)+4, big)}},
	} {
		for _, chunks := range []struct {
			name string
			make func(string) io.Reader
		}{
			{"whole", func(s string) io.Reader { return strings.NewReader(s) }},
			{"one byte", func(s string) io.Reader { return iotest.OneByteReader(strings.NewReader(s)) }},
			{"half", func(s string) io.Reader { return iotest.HalfReader(strings.NewReader(s)) }},
			{"data with EOF", func(s string) io.Reader { return iotest.DataErrReader(strings.NewReader(s)) }},
		} {
			if len(tt.in) > 1000 && chunks.name == "one byte" {
				continue
			}
			for _, batches := range []bool{false, true} {
				got, err := readAll(chunks.make(tt.in), nil, batches)
				if d := cmp.Diff(tt.want, got); d != "" || err != io.EOF {
					t.Errorf("%s, %s, batches %v: %v (-want +got):\n%.1000s", tt.name, chunks.name, batches, err, d)
				}
			}
		}
	}
}

func TestReaderStates(t *testing.T) {
	const in = "{\"a\":1}\n\n{\"b\":2}"
	var got []string
	for m, err := range jsonl.NewReader(strings.NewReader(in), nil).States() {
		if err != nil {
			t.Fatal(err)
		}
		line, err := jsonl.Append(nil, m)
		got = append(got, fmt.Sprint(string(line), err))
	}
	if d := cmp.Diff([]string{"{\"a\":1}\n<nil>", "{\"b\":2}\n<nil>"}, got); d != "" {
		t.Error(d)
	}
}

// TestReaderError: an error about a line says where it is and does not end the
// reading.
func TestReaderError(t *testing.T) {
	d := jsonl.NewReader(strings.NewReader("{}\n\n{\"a\":[nil]}\n{\"a\":{\"$base64\":\"?\"}}\n{}\n"), &jsonl.ReaderOptions{Name: "x.jsonl"})
	if _, err := d.ReadState(); err != nil {
		t.Fatal(err)
	}
	_, err := d.ReadState()
	want := &jsonl.Error{Name: "x.jsonl", Line: 3, Column: 7, Offset: 10, Path: "/a/0"}
	e, ok := errors.AsType[*jsonl.Error](err)
	if !ok {
		t.Fatal(err)
	}
	want.Err = e.Err
	if *e != *want || e.Error() != `x.jsonl: line 3, column 7 (/a/0): "nil" where a value is expected` {
		t.Errorf("got %+v", e)
	}
	l, err := d.ReadLine()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Record(nil); err == nil || !strings.HasPrefix(err.Error(), "x.jsonl: line 4, column 18 (/a): not base64") {
		t.Errorf("got %v", err)
	}
	if _, err := d.ReadState(); err != nil {
		t.Error(err)
	}
	if _, err := d.ReadState(); err != io.EOF {
		t.Error(err)
	}
	if d.Count() != 4 || d.Offset() != 41 {
		t.Errorf("%d lines, %d bytes", d.Count(), d.Offset())
	}
	n := 0
	for _, err := range jsonl.NewReader(strings.NewReader("{}\nx\n{}\n"), nil).States() {
		n++
		if (err != nil) != (n == 2) {
			t.Errorf("state %d: %v", n, err)
		}
	}
	if n != 3 {
		t.Errorf("%d steps", n)
	}
}

func TestReaderLimits(t *testing.T) {
	long := `{"k":"` + strings.Repeat("x", 100) + `"}`
	for _, batches := range []bool{false, true} {
		got, err := readAll(strings.NewReader("{}\n{}\n"+long+"\n{}\n"), &jsonl.ReaderOptions{Name: "x", MaxLine: 50}, batches)
		if len(got) != 2 || !errors.Is(err, jsonl.ErrTooLong) || err.Error() != "x: line 3, column 51: line is too long: the limit is 50 bytes (MaxLine)" {
			t.Errorf("got %q, %v", got, err)
		}
	}
	// Without end, and read in pieces: memory must not follow the line.
	endless := io.MultiReader(strings.NewReader("{}\n"), endlessReader{})
	got, err := readAll(endless, &jsonl.ReaderOptions{MaxLine: 1 << 20}, true)
	if len(got) != 1 || !errors.Is(err, jsonl.ErrTooLong) {
		t.Errorf("got %d lines, %v", len(got), err)
	}
	for _, tt := range []struct {
		json string
		opts jsonl.ReaderOptions
		want error
	}{
		{`{"a":[[[]]]}`, jsonl.ReaderOptions{MaxDepth: 4}, nil},
		{`{"a":[[[]]]}`, jsonl.ReaderOptions{MaxDepth: 3}, jsonl.ErrTooDeep},
		{`{"a":[1,2,3]}`, jsonl.ReaderOptions{MaxElements: 3}, nil},
		{`{"a":[1,2,3]}`, jsonl.ReaderOptions{MaxElements: 2}, jsonl.ErrTooMany},
		{`{"a":1,"b":2,"c":3}`, jsonl.ReaderOptions{MaxElements: 2}, jsonl.ErrTooMany},
		{`{"$map":[[1,1],[2,2],[3,3]]}`, jsonl.ReaderOptions{MaxElements: 2}, jsonl.ErrTooMany},
		{`{"$map":[[1,1],[2,2],[3,3]]}`, jsonl.ReaderOptions{MaxElements: 3}, nil},
	} {
		if _, err := jsonl.NewReader(strings.NewReader(tt.json), &tt.opts).ReadState(); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v", tt.json, err)
		}
	}
	// The limits hold for what is in the state, too.
	deeper := `{"a":` + strings.Repeat("[", 600) + strings.Repeat("]", 600) + "}"
	m, err := jsonl.NewReader(strings.NewReader(deeper), &jsonl.ReaderOptions{MaxDepth: 1000}).ReadState()
	if err != nil {
		t.Fatal(err)
	}
	v, _ := m.Get("a")
	for range 599 {
		l, err := v.List()
		if err != nil {
			t.Fatal(err)
		}
		v = l.At(0)
	}
}

type endlessReader struct{}

func (endlessReader) Read(p []byte) (int, error) {
	return copy(p, bytes.Repeat([]byte("x"), len(p))), nil
}

func TestReaderFails(t *testing.T) {
	boom := errors.New("boom")
	for _, batches := range []bool{false, true} {
		got, err := readAll(io.MultiReader(strings.NewReader("{}\n{\"a\":"), iotest.ErrReader(boom)), nil, batches)
		if len(got) != 1 || err != boom {
			t.Errorf("got %q, %v", got, err)
		}
	}
	if _, err := readAll(stuckReader{}, nil, true); err != io.ErrNoProgress {
		t.Errorf("got %v", err)
	}
}

type stuckReader struct{}

func (stuckReader) Read([]byte) (int, error) { return 0, nil }

// TestWrap: what somebody else finds wrong with a flow gets the line as well.
func TestWrap(t *testing.T) {
	d := jsonl.NewReader(strings.NewReader("\n{\"a\":{\"b\":1}}\nx"), &jsonl.ReaderOptions{Name: "x"})
	l, err := d.ReadLine()
	if err != nil {
		t.Fatal(err)
	}
	m, err := l.State()
	if err != nil {
		t.Fatal(err)
	}
	a, err := m.Map("a")
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.Text("b")
	err = l.Wrap(state.At(err, "a"))
	want := &jsonl.Error{Name: "x", Line: 2, Column: 1, Offset: 1, Path: "/a/b"}
	e, ok := errors.AsType[*jsonl.Error](err)
	if !ok {
		t.Fatal(err)
	}
	if want.Err = e.Err; *e != *want || e.Error() != "x: line 2, column 1 (/a/b): is int, want text" {
		t.Errorf("got %v", e)
	}
	if l.Wrap(e) != error(e) || l.Wrap(nil) != nil {
		t.Error("wrapped twice, or for nothing")
	}
	if _, err := d.ReadState(); err == nil || !strings.HasPrefix(err.Error(), "x: line 3, column 1: ") {
		t.Errorf("got %v", err)
	}
}

// TestReaderDoesNotWait: lines that are there are returned before more is read.
func TestReaderDoesNotWait(t *testing.T) {
	r, w := io.Pipe()
	go func() {
		fmt.Fprint(w, "{}\n{\"a\"")
		// Nobody writes the rest.
	}()
	l, err := jsonl.NewReader(r, nil).ReadLine()
	if err != nil || string(l.Data) != "{}" {
		t.Errorf("got %v, %v", l, err)
	}
	r.Close()
}

func TestWriter(t *testing.T) {
	m, err := jsonl.Decode([]byte(`{"a":1}`))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := jsonl.NewWriter(&out)
	if err := w.WriteState(m); err != nil {
		t.Error(err)
	}
	if err := w.WriteRecord([]byte("1:x?")); err == nil {
		t.Error("damage is written")
	}
	if err := w.WriteRecord([]byte(dict(text("b"), "1:2#"))); err != nil {
		t.Error(err)
	}
	if out.Len() > 0 {
		t.Error("not buffered")
	}
	if err := w.Close(); err != nil || out.String() != "{\"a\":1}\n{\"b\":2}\n" {
		t.Errorf("got %q, %v", &out, err)
	}

	boom := errors.New("boom")
	w = jsonl.NewWriter(failingWriter{boom})
	if err := w.WriteState(m); err != nil {
		t.Error(err)
	}
	if err := w.Flush(); err != boom {
		t.Error(err)
	}
	for _, err := range []error{w.WriteState(m), w.WriteRecord(nil), w.Flush(), w.Close()} {
		if err != boom {
			t.Error(err)
		}
	}
}

type failingWriter struct{ err error }

func (f failingWriter) Write([]byte) (int, error) { return 0, f.err }
