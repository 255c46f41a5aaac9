package main

import (
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// app is what commands know of the world: nothing below main touches the
// process's own streams, environment or clock, so that tests can replace them.
type app struct {
	in     io.Reader
	out    io.Writer
	errOut io.Writer

	inTTY, outTTY, errTTY bool
	width                 int // of the terminal that out is, 0 if it is none

	getenv func(string) string
	now    func() time.Time
	local  *time.Location

	// memory sets how much memory the garbage collector should do with, as far as
	// that is possible.
	memory func(bytes int64)

	status int // the exit status so far, see exit.go
}

const (
	// littleMemory is enough where flows are looked at, or copied as they are.
	littleMemory = 32 << 20
	// moreMemory is for where they are encoded, and compressed chunks wait to be
	// written: with less, the garbage collector would take half of the time.
	moreMemory = 84 << 20
)

func osApp() *app {
	a := &app{
		in: os.Stdin, out: os.Stdout, errOut: os.Stderr,
		inTTY:  term.IsTerminal(int(os.Stdin.Fd())),
		outTTY: term.IsTerminal(int(os.Stdout.Fd())),
		errTTY: term.IsTerminal(int(os.Stderr.Fd())),
		getenv: os.Getenv,
		now:    time.Now,
		local:  time.Local,
		memory: func(int64) {},
	}
	if a.outTTY {
		if w, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil {
			a.width = w
		}
	}
	return a
}

// color decides whether to colour the output: flag, then NO_COLOR and
// CLICOLOR_FORCE, then whether it goes to a terminal.
func (a *app) color(flag string, to *output) (bool, error) {
	switch flag {
	case "always":
		return true, nil
	case "never":
		return false, nil
	case "auto":
	default:
		return false, usagef("--color is auto, always or never, not %q", flag)
	}
	if a.getenv("NO_COLOR") != "" {
		return false, nil
	}
	if f := a.getenv("CLICOLOR_FORCE"); f != "" && f != "0" {
		return true, nil
	}
	return a.outTTY && to.stdout && a.getenv("TERM") != "dumb", nil
}

// zone returns the time zone that times are shown and read in.
func (a *app) zone(utc bool) *time.Location {
	if utc {
		return time.UTC
	}
	return a.local
}
