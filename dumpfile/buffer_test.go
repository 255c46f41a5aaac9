package dumpfile_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/flowtool/flowtool/dumpfile"
)

// writes counts writes, and fails after some.
type writes struct {
	bytes.Buffer
	sizes []int
	left  int
}

var errFull = errors.New("full")

func (w *writes) Write(p []byte) (int, error) {
	if w.left--; w.left < 0 {
		return 0, errFull
	}
	w.sizes = append(w.sizes, len(p))
	return w.Buffer.Write(p)
}

// TestBuffer: whatever the sizes of writes, all arrives in order, in few writes.
func TestBuffer(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	out := &writes{left: 1 << 20}
	b := dumpfile.NewBuffer(out)
	if dumpfile.NewBuffer(b) != b {
		t.Error("a Buffer in front of a Buffer")
	}
	var want bytes.Buffer
	for range 2000 {
		p := make([]byte, 1+random.IntN(1<<random.IntN(18)))
		for i := range p {
			p[i] = byte(random.Uint32())
		}
		want.Write(p)
		var n int
		var err error
		if random.IntN(4) == 0 {
			var copied int64
			copied, err = io.Copy(b, io.LimitReader(bytes.NewReader(p), int64(len(p))))
			n = int(copied)
		} else {
			n, err = b.Write(p)
		}
		if n != len(p) || err != nil {
			t.Fatalf("%d of %d bytes, %v", n, len(p), err)
		}
	}
	if err := b.Flush(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), want.Bytes()) {
		t.Error("what arrives is not what was written")
	}
	if len(out.sizes) > 1000 {
		t.Errorf("%d writes", len(out.sizes))
	}
	large := make([]byte, 100<<10)
	if _, err := b.Write(large); err != nil || out.sizes[len(out.sizes)-1] != len(large) {
		t.Errorf("a large write arrives as one of %d bytes, %v", out.sizes[len(out.sizes)-1], err)
	}
}

// TestBufferError: after an error nothing more is written.
func TestBufferError(t *testing.T) {
	small, large := []byte("small"), make([]byte, 100<<10)
	out := &writes{left: 1}
	b := dumpfile.NewBuffer(out)
	if _, err := b.Write(large); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Write(large); err != errFull {
		t.Errorf("the second write gives %v", err)
	}
	out.left = 10
	if _, err := b.Write(small); err != errFull {
		t.Errorf("a small write after the error gives %v", err)
	}
	if _, err := b.Write(large); err != errFull {
		t.Errorf("a large write after the error gives %v", err)
	}
	if _, err := b.ReadFrom(bytes.NewReader(small)); err != errFull {
		t.Errorf("copying after the error gives %v", err)
	}
	if err := b.Flush(); err != errFull || out.Len() != len(large) {
		t.Errorf("Flush after the error gives %v, and %d bytes were written", err, out.Len())
	}
}
