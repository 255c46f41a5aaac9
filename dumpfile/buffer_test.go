package dumpfile_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/internal/flowtest"
)

// writes counts writes, and fails after some.
type writes struct {
	bytes.Buffer
	n, left int
}

var errFull = errors.New("full")

func (w *writes) Write(p []byte) (int, error) {
	if w.left--; w.left < 0 {
		return 0, errFull
	}
	w.n++
	return w.Buffer.Write(p)
}

// TestBuffer: whatever the sizes of writes, all arrives in order, in few writes.
func TestBuffer(t *testing.T) {
	out := &writes{left: 1 << 20}
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	noise := make([]byte, 2<<20)
	rand.NewChaCha8([32]byte{}).Read(noise)
	for _, to := range []io.Writer{out, file} {
		random := rand.New(rand.NewPCG(1, 2))
		b := dumpfile.NewBuffer(to)
		if dumpfile.NewBuffer(b) != b {
			t.Error("a Buffer in front of a Buffer")
		}
		var want bytes.Buffer
		for range 300 {
			size := 1 + random.IntN(1<<random.IntN(20))
			p := noise[random.IntN(len(noise)-size):][:size]
			want.Write(p)
			var n int64
			var err error
			if random.IntN(4) == 0 {
				n, err = io.Copy(b, io.LimitReader(bytes.NewReader(p), int64(len(p))))
			} else {
				var written int
				written, err = b.Write(p)
				n = int64(written)
			}
			if n != int64(len(p)) || err != nil {
				t.Fatalf("%d of %d bytes, %v", n, len(p), err)
			}
		}
		if err := b.Flush(); err != nil {
			t.Fatal(err)
		}
		got := out.Bytes()
		if to == file {
			if got, err = os.ReadFile(file.Name()); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%T: what arrives is not what was written", to)
		}
	}
	if out.n > 200 {
		t.Errorf("%d writes", out.n)
	}
}

// TestBufferError: after an error nothing more is written.
func TestBufferError(t *testing.T) {
	small, large := []byte("small"), make([]byte, 1<<20)
	check := func(name string, b *dumpfile.Buffer, want error) {
		t.Helper()
		_, err := b.Write(large)
		if errors.Is(err, nil) {
			_, err = b.Write(large)
		}
		if !errors.Is(err, want) {
			t.Errorf("%s: a write gives %v", name, err)
		}
		for i := range 3 {
			switch i {
			case 0:
				_, err = b.Write(small)
			case 1:
				_, err = b.Write(large)
			case 2:
				_, err = b.ReadFrom(bytes.NewReader(small))
			}
			if err = errors.Join(err, b.Flush()); !errors.Is(err, want) {
				t.Errorf("%s: after the error: %v", name, err)
			}
		}
	}
	out := &writes{left: 1}
	b := dumpfile.NewBuffer(out)
	if _, err := b.Write(large); err != nil {
		t.Fatal(err)
	}
	check("memory", b, errFull)
	if out.Len() != len(large) {
		t.Errorf("%d bytes were written", out.Len())
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
	check("file", dumpfile.NewBuffer(file), os.ErrClosed)
}

// TestWriteShrunken: where the file that records are in has become shorter nothing of
// those that are gone is left in the output, and others can be written after that.
func TestWriteShrunken(t *testing.T) {
	capture := flowtest.Read(t, flowtest.Path("real", "append.mitm"))
	body := "6:opaque;100000:" + strings.Repeat("x", 100_000) + ",7:version;2:21#"
	record := fmt.Appendf(nil, "%d:%s}", len(body), body)
	for _, cut := range []int64{0, 4096, int64(len(capture)) + 50_000} {
		for _, to := range []string{"memory", "file", "pipe"} {
			in := flowtest.TempFile(t, append(bytes.Clone(capture), bytes.Repeat(record, 10)...))
			recs, err := records(dumpfile.NewReader(mapFile(t, in), nil))
			if err != nil {
				t.Fatal(err)
			}
			gone := recs[len(recs)-10:]

			var memory bytes.Buffer
			var out io.Writer = &memory
			var file *os.File
			piped := make(chan []byte, 1)
			switch to {
			case "file":
				if file, err = os.Create(filepath.Join(t.TempDir(), "out.mitm")); err != nil {
					t.Fatal(err)
				}
				defer file.Close()
				out = file
			case "pipe":
				r, w, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				go func() {
					b, _ := io.ReadAll(r)
					r.Close()
					piped <- b
				}()
				out, file = w, w
			}
			w := dumpfile.NewWriter(out)
			first := bytes.Clone(capture[:recs[0].Size])
			if err := w.WriteRecord(recs[0]); err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(in.Name(), cut); err != nil {
				t.Fatal(err)
			}
			write := func() (err error) {
				defer dumpfile.CatchFault(debug.SetPanicOnFault(true), &err)
				return w.WriteRecords(gone)
			}
			if err := write(); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s, cut at %d: records that are gone: %v", to, cut, err)
			}
			more := "15:7:version;2:21#}"
			state, err := dumpfile.NewReader(strings.NewReader(more), nil).ReadState()
			if err != nil {
				t.Fatal(err)
			}
			err = errors.Join(w.WriteState(state), w.Close())
			got := memory.Bytes()
			switch to {
			case "file":
				if got, err = os.ReadFile(file.Name()); err != nil {
					t.Fatal(err)
				}
			case "pipe":
				file.Close()
				got = <-piped
				if err != nil && bytes.HasPrefix(got, first) {
					continue // a part of a record cannot be taken back from a pipe
				}
			}
			if want := string(first) + more; string(got) != want || err != nil {
				t.Errorf("%s, cut at %d: %d bytes in the output, want %d, %v", to, cut, len(got), len(want), err)
			}
		}
	}
}
