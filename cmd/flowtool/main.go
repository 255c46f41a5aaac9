// Command flowtool looks into mitmproxy's flow dumps.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

func main() {
	// Nearly everything is garbage as soon as a batch is done, and what lives
	// is small: collecting half as often costs a few megabytes.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200)
	}
	a := osApp()
	if os.Getenv("GOMEMLIMIT") == "" {
		a.memory = func(n int64) { debug.SetMemoryLimit(n) }
	}
	// But not when a flow of tens of megabytes is on its way.
	a.memory(littleMemory)
	// A reader that has seen enough is no error; writes tell by EPIPE.
	signal.Ignore(syscall.SIGPIPE)
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as nohup does
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	context.AfterFunc(ctx, stop) // a second interrupt ends the process at once
	status := run(ctx, a, os.Args[1:])
	stop()
	os.Exit(status)
}
