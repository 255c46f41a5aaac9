package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/flowtool/flowtool/filter"
	"github.com/flowtool/flowtool/formats"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/pipeline"
)

// reader is what the runs of all commands have in common that read flows.
type reader struct {
	*app
	cmd    *cobra.Command
	flags  *inputFlags
	sel    *selection      // nil without a filter
	target migrate.Version // see [pipeline.Options]
	quiet  bool            // faults are told another time

	base    int64 // flows in the inputs before the one at hand
	live    bool  // the input at hand may keep us waiting for the next flow
	bar     *progress
	abandon context.CancelFunc // ends reading of the input at hand; nil if that never waits
}

// counted is what a command makes of a batch, and how far that reaches.
type counted[T any] struct {
	out  T
	mark progressMark
}

// index returns the number of a flow among those of all inputs.
func (r *reader) index(it *pipeline.Item) int64 { return r.base + it.Index }

// each opens an input and hands its flows to work and what that makes of them to
// emit, as [pipeline.Run] does. opened is called in between. [pipeline.ErrStop]
// means that emit wants no more.
func each[T any](ctx context.Context, r *reader, arg string, need needs, opened func(*formats.Input) error, work func(*pipeline.Item, *T) error, emit func(*T) error) error {
	opening, abandon := context.WithCancel(ctx)
	defer abandon()
	r.abandon = abandon
	in, name, done, err := r.open(opening, arg)
	if err != nil {
		return err
	}
	defer done()
	return eachOf(ctx, r, in, r.flags.options(name, need), opened, work, emit)
}

// eachOf is each for an input that is open already.
func eachOf[T any](ctx context.Context, r *reader, in io.Reader, opts *formats.Options, opened func(*formats.Input) error, work func(*pipeline.Item, *T) error, emit func(*T) error) error {
	src, err := formats.Open(in, opts)
	if err != nil {
		return err
	}
	defer src.Close()
	r.live = !rereadable(in)
	if opened != nil {
		if err := opened(src); err != nil {
			return err
		}
	}
	r.bar.start(src)
	var flows int64
	var stop error
	run := pipeline.Options{Workers: r.flags.workers, Target: r.target, Fault: r.fault, Flows: &flows}
	if r.sel != nil {
		run.Keys = r.sel.Keys()
	}
	err = pipeline.Run(ctx, src.Source, run, func(it *pipeline.Item, c *counted[T]) error {
		if err := work(it, &c.out); err != nil {
			return err
		}
		c.mark.add(it)
		return nil
	}, func(c *counted[T]) error {
		if stop = emit(&c.out); stop != nil && r.abandon != nil {
			r.abandon()
		}
		r.bar.update(&c.mark)
		return stop
	})
	r.base += flows
	if err == nil {
		return stop
	}
	return err
}

// needs is what a command is going to look at, so that the rest can stay in the
// input.
type needs struct {
	only      []string // keys of a flow; nil for all
	skim      bool     // see dumpfile.ReaderOptions
	dropLarge bool
	want      func(*formats.Group) bool // see formats.Options
}

// wants returns what tells of a group of flows of the input at hand whether it may
// hold some that are wanted; nil if nobody knows.
func (r *reader) wants(invert bool) func(*formats.Group) bool {
	if r.sel == nil || r.flags.strict {
		return nil
	}
	base := r.base
	return func(g *formats.Group) bool {
		facts := *g.Facts
		first := base + g.First
		facts.Indexes = filter.ValueRange[int64]{Known: true, Min: first, Max: first + g.Flows - 1, Always: true}
		facts.First, facts.Last, facts.HasSpan = r.sel.first, r.sel.last, r.sel.NeedsSpan()
		if invert {
			return !r.sel.MustMatch(&facts)
		}
		return r.sel.MayMatch(&facts)
	}
}

// all runs f for each input. Errors are reported, and only those end it that
// concern more than one input.
func (r *reader) all(ctx context.Context, inputs []string, f func(ctx context.Context, arg string) error) error {
	for _, arg := range inputs {
		if err := f(ctx, arg); err != nil {
			if err == pipeline.ErrStop {
				return nil
			}
			if fatal(err) {
				return err
			}
			r.fault(err)
		}
	}
	return nil
}

// fault reports an error that does not end the run.
func (r *reader) fault(err error) {
	if r.quiet {
		return
	}
	r.bar.clear()
	r.report(r.cmd, err)
}

// check checks a flow completely, if that is asked for.
func (r *reader) check(it *pipeline.Item) error {
	if !r.flags.strict {
		return nil
	}
	_, err := it.Flow(true)
	return err
}
