package dumpfile_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/internal/flowtest"
	"github.com/flowtool/flowtool/state"
)

// allocated returns how much memory f takes in total, garbage included.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestHugePrefix(t *testing.T) {
	for _, tt := range []struct {
		data  string
		limit bool
	}{
		{"999999999999:", true},
		{"999999999999:x", true},
		{"999999999:", false},  // admissible, but not there
		{"1073741800:", false}, // the same with 32 bits
	} {
		for _, w := range ways {
			var err error
			n := allocated(func() { _, err = records(w.open([]byte(tt.data), dumpfile.ReaderOptions{})) })
			le, isLimit := errors.AsType[*dumpfile.LimitError](err)
			if isLimit != tt.limit || !isLimit && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%q, %s: %v", tt.data, w.name, err)
			}
			if isLimit && (le.Limit != "max-record" || !strings.Contains(err.Error(), "999999999")) {
				t.Errorf("%q: %v", tt.data, err)
			}
			if n > 8<<20 {
				t.Errorf("%q, %s: took %d bytes", tt.data, w.name, n)
			}
		}
	}
}

func TestDeepNesting(t *testing.T) {
	b := []byte("0:~")
	size := len(b)
	for range 100_000 {
		size += len(fmt.Sprint(size)) + 2
	}
	// Build it back to front, or it takes quadratic time.
	out := make([]byte, size)
	pos, n := size, len(b)
	prefixes := make([]string, 0, 100_000)
	for range 100_000 {
		p := fmt.Sprintf("%d:", n)
		prefixes = append(prefixes, p)
		n += len(p) + 1
		pos--
		out[pos] = ']'
	}
	head := 0
	for i := len(prefixes) - 1; i >= 0; i-- {
		head += copy(out[head:], prefixes[i])
	}
	// The innermost tag comes first.
	copy(out[head:], "0:~")
	for _, w := range ways {
		recs, err := records(w.open(out, dumpfile.ReaderOptions{}))
		if len(recs) > 0 || err == nil {
			t.Fatalf("%s: %d records, %v", w.name, len(recs), err)
		}
		if !strings.Contains(w.name, "tiny") && !errors.Is(err, tnetstring.ErrTooDeep) {
			t.Errorf("%s: %.200v", w.name, err)
		}
		if len(err.Error()) > 300 {
			t.Errorf("%s: message of %d bytes", w.name, len(err.Error()))
		}
	}
	// Below a key that is looked into.
	deep := []byte("0:}")
	for range 2000 {
		deep = fmt.Appendf(nil, "%d:6:backup;%s}", len(deep)+9, deep)
	}
	r := dumpfile.NewReader(bytes.NewReader(deep), nil)
	dumpfile.SetWhole(r, 200, 100)
	recs, err := records(r)
	if err != nil {
		t.Fatal(err)
	}
	m, err := recs[0].State()
	if err == nil {
		err = state.Validate(m.Value())
	}
	if !errors.Is(err, tnetstring.ErrTooDeep) {
		t.Errorf("nested backups: %.200v", err)
	}
}

// zeros is an endless body inside a flow.
func bomb(t testing.TB, z io.WriteCloser, dst *bytes.Buffer) []byte {
	head := "7:content;500000000:"
	if _, err := io.WriteString(z, fmt.Sprintf("%d:8:response;%d:%s", 500_000_100, 500_000_050, head)); err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for range 64 {
		if _, err := z.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return dst.Bytes()
}

func TestBombs(t *testing.T) {
	var g, z bytes.Buffer
	zw, err := zstd.NewWriter(&z)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"gzip": bomb(t, gzip.NewWriter(&g), &g),
		"zstd": bomb(t, zw, &z),
	} {
		for _, w := range ways {
			if w.name == "one byte at a time" {
				continue
			}
			var err error
			n := allocated(func() { _, err = records(w.open(data, dumpfile.ReaderOptions{})) })
			if le, ok := errors.AsType[*dumpfile.LimitError](err); !ok || le.Limit != "max-ratio" {
				t.Errorf("%s, %s: %v", name, w.name, err)
			}
			if n > 64<<20 {
				t.Errorf("%s, %s: took %d bytes", name, w.name, n)
			}
		}
		r := dumpfile.NewReader(bytes.NewReader(data), &dumpfile.ReaderOptions{MaxRatio: 1e9, DropLarge: true})
		if _, err := records(r); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s without a limit: %v", name, err)
		}
	}
}

func TestZstdWindow(t *testing.T) {
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, zstd.WithWindowSize(64<<20), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		t.Fatal(err)
	}
	data := flowtest.Read(t, flowtest.Path("real", "http1.mitm"))
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil { // so that the frame does not say its size
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = records(dumpfile.NewReader(bytes.NewReader(b.Bytes()), nil))
	if le, ok := errors.AsType[*dumpfile.LimitError](err); !ok || le.Limit != "max-window" {
		t.Errorf("got %v", err)
	}
	recs, err := records(dumpfile.NewReader(bytes.NewReader(b.Bytes()), &dumpfile.ReaderOptions{MaxWindow: 64 << 20}))
	if err != nil || len(recs) != 100 {
		t.Errorf("got %d records, %v", len(recs), err)
	}
}

// large returns a dump of one flow with a body of n bytes.
func large(t testing.TB, n int) []byte {
	f := flow.NewHTTP(flow.NewClientConn(), flow.NewServerConn(nil), &flow.Request{
		HTTPMessage: flow.HTTPMessage{HTTPVersion: "HTTP/1.1", Body: flow.NewBody(bytes.Repeat([]byte("x"), n))},
		Host:        "a.example", Port: 80, Method: "POST", Scheme: "http", Path: "/",
	}, nil)
	var out bytes.Buffer
	w := dumpfile.NewWriter(&out)
	if err := w.WriteFlow(f); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestLargeBodiesStayOutside(t *testing.T) {
	const size = 32 << 20
	data := large(t, size)
	for _, w := range ways[:5] {
		drops := w.name == "dropping"
		if w.name == "one byte at a time" || w.name == "data with EOF" {
			continue
		}
		var fl flow.Flow
		n := allocated(func() {
			var err error
			if fl, err = w.open(data, dumpfile.ReaderOptions{}).ReadFlow(); err != nil {
				t.Fatal(err)
			}
		})
		if w.name != "stream" && n > 2<<20 {
			t.Errorf("%s: reading took %d bytes", w.name, n)
		}
		body := fl.(*flow.HTTP).Request().Body
		if body.Len() != size {
			t.Errorf("%s: body of %d bytes", w.name, body.Len())
		}
		b, err := body.Bytes()
		if drops {
			if !errors.Is(err, state.ErrElided) {
				t.Errorf("dropped body: %v", err)
			}
		} else if err != nil || len(b) != size {
			t.Errorf("%s: %d bytes, %v", w.name, len(b), err)
		}
	}
}

// TestShrinkingFile truncates a file between two reads of it.
func TestShrinkingFile(t *testing.T) {
	small := flowtest.Read(t, flowtest.Path("real", "append-v21.mitm"))
	body := large(t, 4<<20)
	data := append(append(bytes.Clone(small), body...), bytes.Repeat(small, 100)...)
	f := flowtest.TempFile(t, data)
	r := dumpfile.NewReader(f, nil)
	for range 3 {
		if _, err := r.ReadFlow(); err != nil {
			t.Fatal(err)
		}
	}
	fl, err := r.ReadFlow() // the one with the body, which stays in the file
	if err != nil {
		t.Fatal(err)
	}
	cut := int64(len(small) + 1<<20)
	if err := os.Truncate(f.Name(), cut); err != nil {
		t.Fatal(err)
	}
	if _, err := fl.(*flow.HTTP).Request().Body.Bytes(); !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "changed") {
		t.Errorf("body of a file that became shorter: %v", err)
	}
	for {
		if _, err = r.ReadFlow(); err != nil {
			break // flows that were in memory already are still good
		}
	}
	e, ok := errors.AsType[*dumpfile.Error](err)
	if !ok || !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "became shorter") || e.Flow < 4 {
		t.Errorf("reading on in a file that became shorter: %v", err)
	}
}

// TestDropsContentOnly reads a flow in which everything is large from a stream
// that drops what is large: only the content may be missing.
func TestDropsContentOnly(t *testing.T) {
	long := func(s string) string { return strings.Repeat(s, 20_000) }
	client := flow.NewClientConn()
	client.CertificateList = []flow.Certificate{flow.NewCertificate([]byte(long("c")))}
	req, err := flow.NewRequest("POST", "http://a.example/"+long("p"), flow.NewHeaders("X", long("h"), "Host", "a.example"), bytes.Repeat([]byte("b"), 3<<20))
	if err != nil {
		t.Fatal(err)
	}
	req.Trailers = flow.NewHeaders("T", long("t"))
	f := flow.NewHTTP(client, flow.NewServerConn(nil), req, nil)
	f.SetComment(long("comment"))
	f.SetError(flow.NewError(long("error")))
	f.Metadata().Set("k", state.NewList(state.Text(long("m"))).Value())
	other := *req
	other.Headers, other.Trailers, other.Body = req.Headers.Clone(), flow.Headers{}, flow.NewBody([]byte("x"))
	small := flow.NewHTTP(flow.NewClientConn(), flow.NewServerConn(nil), &other, nil)
	var out bytes.Buffer
	w := dumpfile.NewWriter(&out)
	for _, f := range []flow.Flow{f, small} {
		if err := w.WriteFlow(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	want := flowtest.States(t, out.Bytes())
	for _, w := range ways {
		n := 0
		for f, err := range w.open(out.Bytes(), dumpfile.ReaderOptions{}).Flows() {
			if err != nil {
				t.Fatal(w.name, err)
			}
			got := f.GetState()
			if n == 0 && strings.Contains(w.name, "dropping") {
				for _, m := range []*state.Map{got, want[0].Clone()} {
					r, err := m.Map("request")
					if err != nil {
						t.Fatal(err)
					}
					if v, _ := r.Get("content"); v.Len() != 3<<20 {
						t.Errorf("%s: content of %d bytes", w.name, v.Len())
					}
					r.Set("content", state.Null())
					want[n] = m
				}
			}
			if !state.Equal(got.Value(), want[n].Value()) {
				t.Errorf("%s: flow %d is not the same", w.name, n)
			}
			n++
		}
		if n != 2 {
			t.Errorf("%s: %d flows", w.name, n)
		}
		want = flowtest.States(t, out.Bytes())
	}
}

func TestMaxElements(t *testing.T) {
	nulls := func(n int) []byte {
		return fmt.Appendf(nil, "%d:1:k;%d:%s]}", 4+len(fmt.Sprint(3*n))+1+3*n+1, 3*n, strings.Repeat("0:~", n))
	}
	for _, tt := range []struct {
		n, max int
		ok     bool
	}{
		{100, 100, true}, {101, 100, false}, {tnetstring.DefaultMaxElements, 0, true}, {tnetstring.DefaultMaxElements + 1, 0, false},
	} {
		r := dumpfile.NewReader(bytes.NewReader(nulls(tt.n)), &dumpfile.ReaderOptions{MaxElements: tt.max})
		m, err := r.ReadState()
		if err == nil {
			_, err = m.List("k")
		}
		if (err == nil) != tt.ok || err != nil && !errors.Is(err, tnetstring.ErrTooMany) {
			t.Errorf("%d elements, limit %d: %v", tt.n, tt.max, err)
		}
	}
	entries := make([]byte, 0, 1000)
	for i := range 100 {
		entries = fmt.Appendf(entries, "2:%02d;0:~", i)
	}
	for _, max := range []int{99, 100} {
		r := dumpfile.NewReader(strings.NewReader(fmt.Sprintf("%d:%s}", len(entries), entries)), &dumpfile.ReaderOptions{MaxElements: max})
		if m, err := r.ReadState(); (err == nil) != (max == 100) || err == nil && m.Len() != 100 {
			t.Errorf("100 entries, limit %d: %v", max, err)
		}
	}
}
