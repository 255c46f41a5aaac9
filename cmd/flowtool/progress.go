package main

import (
	"fmt"
	"time"

	"github.com/flowtool/flowtool/display"
	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/formats"
	"github.com/flowtool/flowtool/pipeline"
)

// progress is a line on the terminal about long work: how much is done, how
// fast, and how long it will take. It shows nothing during the first second,
// and nothing at all if standard error is no terminal. A nil progress does
// nothing.
type progress struct {
	app   *app
	begun time.Time
	last  time.Time
	shown bool

	before int64 // bytes in the inputs that are done
	flows  int64
	mark   progressMark
	size   int64 // of the input at hand, -1 if it is not known
}

// progressMark is how far a batch reaches.
type progressMark struct {
	offset int64
	flows  int64
}

// add takes note that a flow is done.
func (m *progressMark) add(it *pipeline.Item) {
	m.offset, m.flows = it.Offset+it.Size, m.flows+1
}

const (
	progressDelay = time.Second
	progressEvery = 200 * time.Millisecond
)

func (a *app) newProgress(f *inputFlags) *progress {
	if !a.errTTY || f.quiet || f.progress == "never" {
		return nil
	}
	return &progress{app: a, begun: a.now(), last: a.now()}
}

// start begins with an input.
func (p *progress) start(in *formats.Input) {
	if p == nil {
		return
	}
	p.before += p.mark.offset
	p.mark = progressMark{}
	p.size = in.Size
	if in.Container != dumpfile.ContainerNone {
		p.size = -1 // offsets are those of what comes out
	}
}

// update takes note of a batch and starts its mark anew.
func (p *progress) update(m *progressMark) {
	flows := m.flows
	m.flows = 0
	if p == nil {
		return
	}
	p.mark.offset = max(p.mark.offset, m.offset)
	p.flows += flows
	now := p.app.now()
	if now.Sub(p.begun) < progressDelay || now.Sub(p.last) < progressEvery {
		return
	}
	p.last = now
	p.clear()
	fmt.Fprintf(p.app.errOut, "\r%s\x1b[K", p.line(now))
	p.shown = true
}

func (p *progress) line(now time.Time) string {
	done := p.before + p.mark.offset
	seconds := now.Sub(p.begun).Seconds()
	rate := float64(done) / seconds
	s := fmt.Sprintf("%s, %d flows, %.0f MB/s", display.AppendSize(nil, done), p.flows, rate/1e6)
	if p.size > 0 && rate > 0 {
		left := float64(p.size-p.mark.offset) / rate
		s += fmt.Sprintf(", %d%%, %s left", 100*p.mark.offset/p.size, display.AppendDuration(nil, left))
	}
	return s
}

// clear takes the line away, to make room for other output.
func (p *progress) clear() {
	if p != nil && p.shown {
		fmt.Fprint(p.app.errOut, "\r\x1b[K")
		p.shown = false
	}
}

func (p *progress) done() { p.clear() }
