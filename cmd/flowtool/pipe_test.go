package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/iotest"
	"testing/synctest"
)

func TestPipe(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 20_000) // several chunks
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"whole":         func(r io.Reader) io.Reader { return r },
		"half":          iotest.HalfReader,
		"data with EOF": iotest.DataErrReader,
	} {
		if err := iotest.TestReader(newPipe(t.Context(), wrap(bytes.NewReader(data))), data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPipeError(t *testing.T) {
	boom := errors.New("boom")
	p := newPipe(t.Context(), io.MultiReader(bytes.NewReader([]byte("abc")), iotest.ErrReader(boom)))
	got, err := io.ReadAll(p)
	if string(got) != "abc" || err != boom {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := p.Read(make([]byte, 1)); err != boom {
		t.Errorf("then %v", err)
	}
}

// TestPipeAbandoned: a Read that waits ends when the context does, and what
// reads ahead ends with the next data.
func TestPipeAbandoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, feed := io.Pipe()
		ctx, cancel := context.WithCancel(t.Context())
		p := newPipe(ctx, in)
		done := make(chan error)
		go func() {
			_, err := p.Read(make([]byte, 1))
			done <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("error is %v", err)
		}
		feed.Write([]byte("more")) // and no goroutine may be left
	})
}
