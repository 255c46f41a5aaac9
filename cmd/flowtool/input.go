package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/formats"
)

// inputFlags are the flags of every command that reads dumps.
type inputFlags struct {
	from      string
	maxRecord size
	maxDepth  int
	maxElems  int
	maxRatio  int64
	maxWindow size
	strict    bool
	workers   int
	progress  string
	quiet     bool
}

func (f *inputFlags) add(cmd *cobra.Command) {
	f.maxRecord = dumpfile.DefaultMaxRecord
	f.maxWindow = dumpfile.DefaultMaxWindow
	fl := cmd.Flags()
	fl.StringVar(&f.from, "from", "", "the inputs are `FORMAT` (default: found from their content)")
	completeWords(cmd, "from", formatWords((*formats.Format).CanRead)...)
	fl.Var(&f.maxRecord, "max-record", "largest `size` of one flow in the file")
	fl.IntVar(&f.maxDepth, "max-depth", 0, "deepest nesting within a flow (default 500)")
	fl.IntVar(&f.maxElems, "max-elements", 0, "most elements of a list or map within a flow (default 1048576)")
	fl.Int64Var(&f.maxRatio, "max-ratio", dumpfile.DefaultMaxRatio, "how many times its size a compressed input may expand to")
	fl.Var(&f.maxWindow, "max-window", "most `memory` that a zstd frame may ask for")
	fl.BoolVar(&f.strict, "strict", false, "refuse what no mitmproxy writes instead of repairing it")
	fl.IntVarP(&f.workers, "jobs", "j", 0, "number of `workers` (default: one per processor)")
	fl.StringVar(&f.progress, "progress", "auto", "show progress: auto or never")
	completeWords(cmd, "progress", "auto", "never")
	fl.BoolVarP(&f.quiet, "quiet", "q", false, "no progress")
}

// maxWorkers is far above what helps. Each takes memory.
const maxWorkers = 256

// check returns an error if a flag has a value that makes no sense.
func (f *inputFlags) check() error {
	switch from := formats.Named(f.from); {
	case f.from != "" && (from == nil || !from.CanRead()):
		return usagef("--from is %s, not %q", formatNames((*formats.Format).CanRead), f.from)
	case f.maxElems < 0:
		return usagef("--max-elements is a number of elements, not %d", f.maxElems)
	case f.maxDepth < 0:
		return usagef("--max-depth is a number of levels, not %d", f.maxDepth)
	case f.maxRatio < 1:
		return usagef("--max-ratio is at least 1, not %d", f.maxRatio)
	case f.workers < 0 || f.workers > maxWorkers:
		return usagef("--jobs is a number of workers, at most %d, not %d", maxWorkers, f.workers)
	case f.progress != "auto" && f.progress != "never":
		return usagef("--progress is auto or never, not %q", f.progress)
	}
	return nil
}

// options returns the options for an input of which the needs are wanted.
func (f *inputFlags) options(name string, need needs) *formats.Options {
	return &formats.Options{
		Format: formats.Named(f.from),
		Want:   need.want,
		ReaderOptions: dumpfile.ReaderOptions{
			Name:        name,
			Strict:      f.strict,
			MaxRecord:   int64(f.maxRecord),
			MaxDepth:    f.maxDepth,
			MaxElements: f.maxElems,
			MaxRatio:    f.maxRatio,
			MaxWindow:   int64(f.maxWindow),
			Only:        need.only,
			Skim:        need.skim,
			DropLarge:   need.dropLarge,
		},
	}
}

// stdinName stands for standard input in messages.
const stdinName = "standard input"

// inputName returns the name of an input for messages.
func inputName(arg string) string {
	if arg == "-" {
		return stdinName
	}
	return arg
}

// inputs returns the names of the inputs that args ask for.
func (a *app) inputs(args []string) ([]string, error) {
	if len(args) == 0 {
		args = []string{"-"}
	}
	stdin := 0
	for _, arg := range args {
		if arg == "-" {
			stdin++
		}
	}
	switch {
	case stdin > 1:
		return nil, usagef("standard input can be read only once")
	case stdin == 1 && a.inTTY:
		return nil, usagef("standard input is a terminal: name a file, or pipe a dump into flowtool")
	}
	return args, nil
}

// open opens an input. Reading it fails when ctx ends, also where that means
// waiting for data.
func (a *app) open(ctx context.Context, arg string) (r io.Reader, name string, done func(), err error) {
	if arg == "-" {
		if f, ok := a.in.(*os.File); ok && isRegular(f) {
			r, done := mapped(f)
			return r, stdinName, done, nil
		}
		return newPipe(ctx, a.in), stdinName, func() {}, nil
	}
	f, err := openFile(ctx, arg)
	if err != nil {
		if pe, ok := errors.AsType[*fs.PathError](err); ok {
			err = fmt.Errorf("%s: %w", fileName(arg), pe.Err)
		}
		return nil, arg, nil, err
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		f.Close()
		return nil, arg, nil, fmt.Errorf("%s: is a directory", arg)
	}
	if !isRegular(f) {
		return newPipe(ctx, f), arg, func() { f.Close() }, nil
	}
	r, unmap := mapped(f)
	return r, arg, func() { unmap(); f.Close() }, nil
}

// openFile opens a file for reading. Opening a named pipe waits for somebody who
// writes to it, until ctx ends.
func openFile(ctx context.Context, name string) (*os.File, error) {
	info, err := os.Stat(name)
	if err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		return os.Open(name)
	}
	var f *os.File
	opened := make(chan struct{})
	go func() {
		defer close(opened)
		f, err = os.Open(name)
	}()
	select {
	case <-opened:
		return f, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// mapped maps a file into memory, or returns it as it is if that is not possible.
func mapped(f *os.File) (r io.Reader, done func()) {
	m, err := dumpfile.Map(f)
	if err != nil {
		return f, func() {}
	}
	return m, func() { m.Close() }
}

func isRegular(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode().IsRegular()
}

// fileName returns the name of a file as messages show it.
func fileName(name string) string {
	if name == "" {
		return `""`
	}
	return name
}

// rereadable tells whether an input can be read a second time.
func rereadable(r io.Reader) bool {
	if _, ok := r.(*dumpfile.Mapping); ok {
		return true
	}
	f, ok := r.(*os.File)
	return ok && isRegular(f)
}
