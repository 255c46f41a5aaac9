package main

import (
	"context"
	"io"
)

// pipe reads an input that may keep us waiting, such as a pipe or a terminal.
// Other than those its Read returns at once when the context ends, so that
// "mitmdump -q -w /dev/stdout | flowtool read -n 5" ends after five flows and not when
// mitmdump writes again.
type pipe struct {
	ctx    context.Context
	chunks chan chunk
	free   chan []byte
	chunk         // the one at hand
	rest   []byte // what of it has not been read
}

type chunk struct {
	data []byte
	err  error
}

// pipeSize is that of the pipes of most systems.
const pipeSize = 64 << 10

func newPipe(ctx context.Context, r io.Reader) *pipe {
	p := &pipe{ctx: ctx, chunks: make(chan chunk), free: make(chan []byte, 2)}
	p.free <- make([]byte, pipeSize)
	p.free <- make([]byte, pipeSize)
	go p.fill(r)
	return p
}

// fill reads ahead. It may outlive its use by one call of Read.
func (p *pipe) fill(r io.Reader) {
	for {
		var buf []byte
		select {
		case buf = <-p.free:
		case <-p.ctx.Done():
			return
		}
		n, err := r.Read(buf)
		select {
		case p.chunks <- chunk{buf[:n], err}:
		case <-p.ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

func (p *pipe) Read(b []byte) (int, error) {
	for len(p.rest) == 0 {
		if p.err != nil {
			return 0, p.err
		}
		if p.data != nil {
			p.free <- p.data[:pipeSize] // never blocks: there are two
			p.data = nil
		}
		select {
		case p.chunk = <-p.chunks:
			p.rest = p.data
		case <-p.ctx.Done():
			p.err = p.ctx.Err()
		}
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}
