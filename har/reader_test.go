package har_test

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/flowtool/flowtool/har"
)

// plainEntry returns an entry with a URL that has the number n.
func plainEntry(n int) string {
	return fmt.Sprintf(`{"startedDateTime":"2026-01-02T03:04:05Z","request":{"method":"GET","url":"http://h.example/%d","x":"[{\"}]\\"},"response":{"status":200}}`, n)
}

// readAll returns the paths of the flows, and the errors.
func readAll(r io.Reader, opts *har.ReaderOptions) (paths []string, errs []error) {
	for m, err := range har.NewReader(r, opts).States() {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		request, _ := m.Map("request")
		path, _ := request.Bytes("path")
		paths = append(paths, string(path))
	}
	return paths, errs
}

func deflate(s string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	io.WriteString(w, s)
	w.Close()
	return b.String()
}

func inUTF16(s, mark string) string {
	var b strings.Builder
	b.WriteString(mark)
	for _, u := range utf16.Encode([]rune(s)) {
		hi, lo := byte(u>>8), byte(u)
		if mark == "\xff\xfe" {
			hi, lo = lo, hi
		}
		b.WriteByte(hi)
		b.WriteByte(lo)
	}
	return b.String()
}

func TestForms(t *testing.T) {
	a, b := plainEntry(0), plainEntry(1)
	indented := "{\n  \"log\": {\n    \"entries\": [\n      " + strings.ReplaceAll(a, ",", ",\n        ") + ",\n      " + b + "\n    ]\n  }\n}\n"
	long := strings.Repeat(" ", 300<<10)
	for name, in := range map[string]string{
		"one line":           `{"log":{"version":"1.2","entries":[` + a + `,` + b + `]}}`,
		"indented":           indented,
		"not indented":       strings.NewReplacer("{", "{\n", "}", "\n}", ",", ",\n", "[", "[\n").Replace(`{"log":{"entries":[{"request":{"method":"GET","url":"http://h/0","a":[{"b":1},{"c":2}]}},{"request":{"method":"GET","url":"http://h/1"}}]}}`),
		"BOM":                "\xef\xbb\xbf" + indented,
		"white space":        " \r\n\t" + indented + " \n ",
		"much white space":   long + `{"log":` + long + `{"entries":[` + long + a + long + "\n," + long + b + long + `]}}` + long,
		"UTF-16 LE":          inUTF16(indented, "\xff\xfe"),
		"UTF-16 BE":          inUTF16(indented, "\xfe\xff"),
		"zlib":               deflate(indented),
		"zlib and UTF-16":    deflate(inUTF16(indented, "\xff\xfe")),
		"log":                `{"comment":"x","version":"1.2","entries":[` + a + `,` + b + `],"pages":[]}`,
		"entries":            `[` + a + `,` + b + `]`,
		"empty and entries":  `[][` + a + `]` + `{"log":{"entries":[]}}` + `[` + b + `]`,
		"lines":              a + "\n" + b + "\n",
		"lines, odd first":   `{"_id":{"entries":[]},` + a[1:] + "\r\n\r\n" + b,
		"after other things": `{"x":{"log":[1]},"log":{"_y":[{"entries":[]}],"pages":[{"id":"p"}],"entries":[` + a + `,` + b + `],"z":{}},"w":1}`,
		"twice":              `{"log":{"entries":[` + a + `],"entries":[` + b + `]}}`,
		"lines and commas":   a + ",\n" + b,
		"two files":          `{"log":{"entries":[` + a + `]}}{"log":{"entries":[` + b + `]}}`,
		"without commas":     `[` + a + "\n" + b + `,]`,
	} {
		t.Run(name, func(t *testing.T) {
			for kind, wrap := range map[string]func(io.Reader) io.Reader{
				"":            func(r io.Reader) io.Reader { return r },
				"byte":        iotest.OneByteReader,
				"half":        iotest.HalfReader,
				"early error": iotest.DataErrReader,
			} {
				got, errs := readAll(wrap(strings.NewReader(in)), nil)
				if want := []string{"/0", "/1"}; !slices.Equal(got, want) || len(errs) > 0 {
					t.Errorf("%s: got %q, %v, want %q", kind, got, errs, want)
				}
			}
		})
	}
}

func TestEmpty(t *testing.T) {
	for _, in := range []string{"", " \n", "\xef\xbb\xbf", "[]", "[ ]\n", `{"log":{"entries":[]}}`, "\xff\xfe", deflate("")} {
		if got, errs := readAll(strings.NewReader(in), nil); len(got) > 0 || len(errs) > 0 {
			t.Errorf("%q: got %q, %v", in, got, errs)
		}
	}
}

func TestLog(t *testing.T) {
	entries := `"entries":[` + plainEntry(0) + `]`
	rest := `"version":"1.2","creator":{"name":"c","version":"1"},"browser":{"name":"b","version":"2","comment":"x"},` +
		`"pages":[{"id":"p1","title":"T","startedDateTime":"2026-01-02T03:04:05Z","pageTimings":{"onLoad":1.5}}],"comment":"all"`
	want := har.Log{
		Version: "1.2", Comment: "all",
		Creator: har.Agent{Name: "c", Version: "1"}, Browser: har.Agent{Name: "b", Version: "2", Comment: "x"},
		Pages: []har.Page{{ID: "p1", Title: "T", StartedDateTime: "2026-01-02T03:04:05Z", PageTimings: map[string]any{"onLoad": 1.5}}},
	}
	for _, in := range []string{
		`{"log":{` + rest + `,` + entries + `}}`,
		`{"log":{` + entries + `,` + rest + `}}`,
		`{` + rest + `,` + entries + `}`,
		`{"log":{"creator":7,` + rest + `,` + entries + `,"pages":false}}`,
	} {
		r := har.NewReader(strings.NewReader(in), nil)
		for _, err := range r.States() {
			if err != nil {
				t.Error(err)
			}
		}
		if diff := cmp.Diff(want, r.Log()); diff != "" {
			t.Errorf("%s: %s", in, diff)
		}
	}
}

// TestReadErrors has inputs that end with an error, and how many flows come
// before.
func TestReadErrors(t *testing.T) {
	a := plainEntry(0)
	for _, test := range []struct {
		in    string
		flows int
		at    string // what is before the offset of the error
		want  error
		text  string
	}{
		{"x", 0, "", har.ErrNotHAR, `offset 0: not a HAR: it begins with "x"`},
		{"12:", 0, "", har.ErrNotHAR, ""},
		{"\x1f\x8b\x08", 0, "", har.ErrNotHAR, ""},
		{`"log"`, 0, "", har.ErrNotHAR, ""},
		{`{"log":7}`, 0, `{"log":`, har.ErrNotHAR, "log is not an object"},
		{`{"log":null}`, 0, `{"log":`, har.ErrNotHAR, ""},
		{`{"log":{}}`, 0, `{"log":{`, har.ErrNotHAR, "the log has no entries"},
		{`{"log":{"entries":{}}}`, 0, `{"log":{"entries":`, har.ErrNotHAR, "entries is not an array"},
		{`{"version":"1.2"}`, 0, `{"version":"1.2"`, har.ErrNotHAR, ""},
		{`{log:1}`, 0, `{`, nil, "do not match"},
		{`[` + a + `]x`, 1, `[` + a + `]`, nil, "something else follows"},
		{`[` + a, 1, `[` + a, io.ErrUnexpectedEOF, "the file ends within the log"},
		{`[` + a + `,{"request`, 1, `[` + a + `,{"request`, io.ErrUnexpectedEOF, "entry 1, offset "},
		{`{"log":{"entries":[` + a + `]`, 1, `{"log":{"entries":[` + a + `]`, io.ErrUnexpectedEOF, ""},
		{`{"log`, 0, `{`, io.ErrUnexpectedEOF, ""},
		{`{"log":{"` + strings.Repeat("x", 1<<20), 0, `{"log":{`, nil, "key is longer than 65536 bytes"},
		{deflate("[" + a + "]")[:60], 0, "", io.ErrUnexpectedEOF, "zlib data"},
		{"\x78\x9c\xff\xff\xff\xff", 0, "", nil, "zlib data are damaged"},
	} {
		r := har.NewReader(strings.NewReader(test.in), &har.ReaderOptions{Name: "x.har"})
		flows := 0
		var err error
		for err == nil || !r.Final(err) {
			if _, err = r.ReadState(); err == nil {
				flows++
			}
		}
		e, ok := errors.AsType[*har.Error](err)
		if flows != test.flows || !ok || test.want != nil && !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%.60q: %d flows, error %v", test.in, flows, err)
			continue
		}
		if test.at != "" && e.Offset != int64(len(test.at)) {
			t.Errorf("%.60q: offset %d, want %d", test.in, e.Offset, len(test.at))
		}
		if _, again := r.ReadState(); again != err {
			t.Errorf("%.60q: then %v", test.in, again)
		}
	}
}

// TestCut cuts a file at every byte: the entries before are there, and the error
// says that something is missing.
func TestCut(t *testing.T) {
	for _, sep := range []string{",", ",\n", ",\n    "} {
		whole := `{"log":{"entries":[` + sep[1:] + plainEntry(0) + sep + plainEntry(1) + sep + plainEntry(2) + `]}}`
		for n := range len(whole) {
			in := whole[:n]
			want := strings.Count(in, `"response":{"status":200}}`)
			got, errs := readAll(strings.NewReader(in), nil)
			if n == 0 {
				continue // is empty
			}
			if len(got) != want || len(errs) != 1 || !errors.Is(errs[0], io.ErrUnexpectedEOF) {
				t.Fatalf("cut behind %q: %d flows, want %d; %v", in[max(0, n-20):], len(got), want, errs)
			}
		}
	}
}

// TestDamage puts something that is no entry among others.
func TestDamage(t *testing.T) {
	bad := []string{
		`null`, `7`, `"x"`, `[]`, `{}`, `{"request":{"method":"GET"}}`, `{"request":{"method":"GET","url":"nonsense"}}`,
		`{"a":1,}`, `{"a" 1}`, `{'a':1}`, `{"a":tru}`, `{"a":"\x"}`, `{"a":undefined}`, `{"a":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + `}`,
	}
	// These have no end that can be seen from brackets and quotation marks.
	unbalanced := []string{`{"a":"b}`, `{"a":[1}`, `{"a":{`, `{`, `{"a`, `{"a":"\"}`, `{"a":]}`}
	for _, form := range []struct{ name, begin, before, between, end string }{
		{"one line", `{"log":{"entries":[`, "", ",", `]}}`},
		{"a line each", "{\"log\":{\"entries\":[\n", "", ",\n", "\n]}}"},
		{"indented", "{\n \"log\": {\n  \"entries\": [\n   ", "", ",\n   ", "\n  ]\n }\n}\n"},
		{"lines", "", "", "\n", "\n"},
	} {
		cases := bad
		if form.name != "one line" {
			cases = append(slices.Clone(bad), unbalanced...)
		}
		for _, b := range cases {
			in := form.begin + strings.Join([]string{plainEntry(0), b, plainEntry(1), b, plainEntry(2)}, form.between) + form.end
			if form.name == "lines" && b[0] != '{' {
				continue // not among the values of JSON Lines
			}
			got, errs := readAll(strings.NewReader(in), nil)
			if want := []string{"/0", "/1", "/2"}; !slices.Equal(got, want) {
				t.Errorf("%s: %.60s: got %q, %v", form.name, b, got, errs)
				continue
			}
			if len(errs) != 2 {
				t.Errorf("%s: %.60s: errors %v", form.name, b, errs)
				continue
			}
			for i, err := range errs {
				if e, ok := errors.AsType[*har.Error](err); !ok || e.Index != int64(2*i+1) || e.Offset < int64(strings.Index(in, b)) {
					t.Errorf("%s: %.60s: %v", form.name, b, err)
				}
			}
		}
	}
}

func TestReaderLimits(t *testing.T) {
	big := strings.Replace(plainEntry(7), `"GET"`, `"GET","comment":"`+strings.Repeat("x", 1<<20)+`"`, 1)
	deep := strings.Replace(plainEntry(7), `"GET"`, `"GET","comment":`+strings.Repeat("[", 60)+strings.Repeat("]", 60), 1)
	for _, sep := range []string{",", ",\n"} {
		in := "[" + sep[1:] + plainEntry(0) + sep + big + sep + deep + sep + plainEntry(1) + "]"
		got, errs := readAll(strings.NewReader(in), &har.ReaderOptions{MaxEntry: 100 << 10, MaxDepth: 50})
		if want := []string{"/0", "/1"}; !slices.Equal(got, want) || len(errs) != 2 {
			t.Fatalf("got %q, %v", got, errs)
		}
		if !errors.Is(errs[0], har.ErrTooLong) || !strings.Contains(errs[0].Error(), "102400 bytes (MaxEntry)") {
			t.Error(errs[0])
		}
		if !errors.Is(errs[1], har.ErrTooDeep) || !strings.Contains(errs[1].Error(), "50 (MaxDepth)") {
			t.Error(errs[1])
		}
	}
	bomb := deflate(`[` + strings.Repeat(" ", 64<<20) + plainEntry(0) + `]`)
	_, errs := readAll(strings.NewReader(bomb), &har.ReaderOptions{MaxRatio: 100})
	if len(errs) != 1 || !errors.Is(errs[0], har.ErrTooLarge) || !strings.Contains(errs[0].Error(), "100 times (MaxRatio)") {
		t.Error(errs)
	}
}

func TestInputError(t *testing.T) {
	broken := errors.New("broken")
	in := io.MultiReader(strings.NewReader(`[`+plainEntry(0)+`,`), iotest.ErrReader(broken))
	got, errs := readAll(in, nil)
	if len(got) != 1 || len(errs) != 1 || errs[0] != broken {
		t.Errorf("got %q, %v", got, errs)
	}
	got, errs = readAll(iotest.ErrReader(broken), nil)
	if len(got) != 0 || len(errs) != 1 || errs[0] != broken {
		t.Errorf("got %q, %v", got, errs)
	}
}

// TestBatches: what batches hold is what single entries are, and may be used by
// several goroutines.
func TestBatches(t *testing.T) {
	var in strings.Builder
	in.WriteString("[")
	for i := range 5000 {
		if i > 0 {
			in.WriteString(",\n")
		}
		in.WriteString(plainEntry(i))
		if i%1000 == 999 {
			in.WriteString(`,{"comment":"` + strings.Repeat("x", 700<<10) + `"}`)
		}
	}
	in.WriteString("]")
	var want []string
	single := har.NewReader(strings.NewReader(in.String()), nil)
	for {
		e, err := single.ReadEntry()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := in.String()[e.Offset:][:len(e.Data)]; got != string(e.Data) {
			t.Fatalf("entry %d is not at its offset", e.Index)
		}
		want = append(want, fmt.Sprintf("%d %d", e.Index, len(e.Data)))
	}
	if len(want) != 5005 || single.Count() != 5005 || single.Offset() != int64(in.Len()) {
		t.Fatalf("%d entries, %d counted, %d bytes", len(want), single.Count(), single.Offset())
	}
	var got []string
	var b har.Batch
	r := har.NewReader(strings.NewReader(in.String()), nil)
	for {
		err := r.ReadBatch(&b)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		ids := make([]string, len(b.Entries))
		var group sync.WaitGroup
		for i := range b.Entries {
			group.Go(func() {
				if m, err := b.Entries[i].State(); err == nil {
					ids[i], _ = m.Text("id")
				}
			})
		}
		group.Wait()
		for i := range b.Entries {
			e := &b.Entries[i]
			got = append(got, fmt.Sprintf("%d %d", e.Index, len(e.Data)))
			if m, err := e.State(); err == nil {
				if id, _ := m.Text("id"); id != ids[i] {
					t.Fatalf("entry %d has the ids %s and %s", e.Index, ids[i], id)
				}
			}
		}
	}
	if !slices.Equal(got, want) {
		t.Error("batches have other entries")
	}
}

// entries is a HAR that is made while it is read.
type entries struct {
	left int
	rest string
}

func (e *entries) Read(p []byte) (int, error) {
	if e.rest == "" && e.left > 0 {
		e.left--
		e.rest = strings.Replace(plainEntry(e.left), `"GET"`, `"GET","comment":"`+strings.Repeat("x", 10<<10)+`"`, 1) + ",\n"
		if e.left == 0 {
			e.rest += "]}}"
		}
	}
	if e.rest == "" {
		return 0, io.EOF
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

// TestMemory: memory follows the entry and not the file, whatever else is in it.
func TestMemory(t *testing.T) {
	const size = 5000
	in := io.MultiReader(
		strings.NewReader(`{"log":{"_x":[`), &blanks{64 << 20}, strings.NewReader(`1],"pages":[`), &blanks{64 << 20}, strings.NewReader(`],"entries":[`),
		&entries{left: size})
	r := har.NewReader(in, nil)
	var b har.Batch
	var record []byte
	var most uint64
	n := 0
	for batches := 0; ; batches++ {
		err := r.ReadBatch(&b)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Entries {
			if record, err = b.Entries[i].Record(record[:0]); err != nil {
				t.Fatal(err)
			}
			n++
		}
		if batches%20 == 0 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		}
	}
	const limit = 64 << 20
	if n != size || most > limit {
		t.Errorf("%d entries, up to %d bytes in use", n, most)
	}
}

// blanks is white space.
type blanks struct{ left int }

func (b *blanks) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	n := min(len(p), b.left)
	for i := range n {
		p[i] = ' '
	}
	b.left -= n
	return n, nil
}
