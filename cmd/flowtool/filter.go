package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flowtool/flowtool/contentview"
	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/filter"
	"github.com/flowtool/flowtool/pipeline"
)

type filterOptions struct {
	input   inputFlags
	filter  filterFlags
	invert  bool
	count   bool
	max     int64
	status  bool
	output  string
	inPlace bool
	explain bool
	utc     bool
}

func newFilterCmd(a *app) *cobra.Command {
	opts := filterOptions{}
	cmd := &cobra.Command{
		Use:   "filter EXPR [FILE...]",
		Short: "Keep the flows that match a filter",
		Long: `filter copies the flows that match EXPR, a filter in mitmproxy's language, as
the bytes they are: nothing is upgraded, repaired or reordered. The output of
several inputs is one dump. "flowtool help filters" lists the operators.

A dump written to a file whose name ends in .gz or .zst is compressed. With
--in-place a file keeps its permissions and its compression; one that is damaged
is left alone, because what lies behind the damage would be lost.`,
		Example: `  flowtool filter '~d shop.example & ~m POST' capture.mitm -o posts.mitm
  flowtool filter '~status 5xx | ~e' *.mitm | flowtool read
  flowtool filter -v '~a' -i capture.mitm          # drop assets, in place
  flowtool filter -c '~b password' capture.mitm
  if flowtool filter -e -n 1 '~bq secret' capture.mitm >/dev/null; then …
  flowtool filter --explain '~u "\d+" ~t json'     # what does it mean?`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runFilter(cmd.Context(), a, cmd, &opts, args)
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return completeFilter(cmd, args, toComplete)
			}
			return nil, cobra.ShellCompDirectiveDefault
		},
	}
	fl := cmd.Flags()
	fl.BoolVarP(&opts.invert, "invert-match", "v", false, "keep the flows that do not match")
	fl.BoolVarP(&opts.count, "count", "c", false, "print how many flows match instead of the flows")
	fl.Int64VarP(&opts.max, "max-count", "n", 0, "stop after `N` flows (0: all)")
	fl.BoolVarP(&opts.status, "exit-status", "e", false, "end with status 1 if no flow matches")
	fl.BoolVarP(&opts.inPlace, "in-place", "i", false, "replace each FILE by what is kept of it")
	fl.BoolVar(&opts.explain, "explain", false, "say what EXPR means and how it is run, and read nothing")
	fl.BoolVar(&opts.utc, "utc", false, "times in EXPR without a zone are in UTC instead of local time")
	addOutput(cmd, &opts.output)
	opts.filter.add(cmd, "max-body")
	opts.input.add(cmd)
	return cmd
}

// filtering is a run of the filter command over all its inputs.
type filtering struct {
	*app
	cmd     *cobra.Command
	opts    *filterOptions
	sel     *selection
	writer  *dumpfile.Writer // nil if nothing is written
	base    int64            // flows in the inputs before
	kept    int64
	dropped int64 // of the input at hand
	live    bool  // the input at hand may keep us waiting for the next flow
	bar     *progress
	abandon context.CancelFunc // ends reading of the input at hand
}

// picked is what is kept of a batch.
type picked struct {
	records []*dumpfile.Record
	flows   int64 // how many of them were looked at
	through progressMark
}

func runFilter(ctx context.Context, a *app, cmd *cobra.Command, opts *filterOptions, args []string) error {
	switch {
	case len(args) == 0:
		return usagef("filter takes an expression, and the files to look into")
	case opts.max < 0:
		return usagef("--max-count is a number of flows, not %d", opts.max)
	case opts.inPlace && opts.output != "":
		return usagef("--in-place and --output exclude each other")
	case opts.inPlace && opts.count:
		return usagef("--in-place and --count exclude each other")
	case opts.inPlace && opts.max > 0:
		return usagef("--in-place and --max-count exclude each other: the flows behind would be lost")
	case opts.inPlace && !opts.explain && (len(args) == 1 || slices.Contains(args[1:], "-")):
		return usagef("--in-place is for files, not for standard input")
	}
	if err := opts.input.check(); err != nil {
		return err
	}
	loc := a.local
	if opts.utc {
		loc = time.UTC
	}
	opts.filter.expr = args[0]
	sel, err := opts.filter.parse(a, loc)
	if err != nil {
		return err
	}
	f := &filtering{app: a, cmd: cmd, opts: opts, sel: sel}
	switch {
	case opts.explain:
		return f.explain()
	case opts.output == "" && a.outTTY && !opts.count && !opts.inPlace:
		return usagef("a dump is not for terminals: list the flows with \"flowtool read -f EXPR\", name a file with -o, or insist with -o -")
	}
	a.warn(sel.Expr())
	if info, err := os.Stat(args[0]); err == nil && info.Mode().IsRegular() {
		a.warning(fmt.Sprintf("%s is a file, but stands where the filter belongs", args[0]))
	}
	inputs, err := a.inputs(args[1:])
	if err != nil {
		return err
	}
	if !opts.inPlace {
		if err := sel.prepare(ctx, a, &opts.input, inputs); err != nil {
			return err
		}
	}
	f.bar = a.newProgress(&opts.input)
	defer f.bar.done()
	if opts.inPlace {
		err = f.replaceAll(ctx, inputs)
	} else {
		err = f.concatenate(ctx, inputs)
	}
	if err == nil && opts.status && f.kept == 0 && a.status == exitOK {
		a.status = exitNo
	}
	return err
}

// concatenate writes what is kept of all inputs to one output.
func (f *filtering) concatenate(ctx context.Context, inputs []string) error {
	to, err := f.create(f.opts.output, inputs)
	if err != nil {
		return err
	}
	err = f.write(ctx, to, containerOf(f.opts.output), inputs)
	if err == nil && f.opts.count {
		if _, err = fmt.Fprintln(to, f.kept); err != nil {
			err = &outputError{err}
		}
	}
	return to.finish(err, f.status)
}

// containerOf returns the container that the name of an output asks for.
func containerOf(name string) dumpfile.Container {
	switch {
	case strings.HasSuffix(name, ".gz"):
		return dumpfile.ContainerGzip
	case strings.HasSuffix(name, ".zst"):
		return dumpfile.ContainerZstd
	}
	return dumpfile.ContainerNone
}

// write writes what is kept of the inputs to a file, in a container.
func (f *filtering) write(ctx context.Context, to *output, container dumpfile.Container, inputs []string) error {
	if f.opts.count {
		return f.inputs(ctx, inputs)
	}
	packed, err := dumpfile.NewCompressor(to, container)
	if err != nil {
		return err
	}
	f.writer = dumpfile.NewWriter(packed)
	err = f.inputs(ctx, inputs)
	if closed := cmp.Or(f.writer.Close(), packed.Close()); err == nil && closed != nil {
		err = &outputError{closed}
	}
	return err
}

// inputs reads inputs, one after the other.
func (f *filtering) inputs(ctx context.Context, inputs []string) error {
	for _, arg := range inputs {
		if err := f.input(ctx, arg); err != nil {
			if err == pipeline.ErrStop {
				return nil
			}
			if fatal(err) {
				return err
			}
			f.bar.clear()
			f.report(f.cmd, err)
		}
	}
	return nil
}

// replaceAll replaces inputs by what is kept of them.
func (f *filtering) replaceAll(ctx context.Context, inputs []string) error {
	for _, arg := range inputs {
		if err := f.replace(ctx, arg); err != nil {
			return err
		}
	}
	return nil
}

// replace replaces a file by what is kept of it. A file that cannot be read to its
// end stays as it is, and so does one of which everything is kept.
func (f *filtering) replace(ctx context.Context, arg string) error {
	container, err := f.container(ctx, arg)
	if err != nil {
		f.report(f.cmd, err)
		return nil
	}
	to, err := f.rewrite(arg)
	if err != nil {
		f.report(f.cmd, err)
		return nil
	}
	before := f.status
	f.status, f.dropped = exitOK, 0
	f.base = 0 // each file is a capture of its own
	if err = f.sel.prepare(ctx, f.app, &f.opts.input, []string{arg}); err == nil {
		err = f.write(ctx, to, container, []string{arg})
	}
	failed := f.status
	if before != exitOK && failed != exitTrouble {
		f.status = before
	}
	switch {
	case err != nil || failed != exitOK:
		if failed == exitLossy {
			fmt.Fprintf(f.errOut, "flowtool: %s: not replaced, because the rest of it would be lost\n", contentview.Escape(arg, false))
		}
		return to.discard(err)
	case f.dropped == 0:
		return to.discard(nil)
	}
	return to.finish(nil, exitOK)
}

// container returns the container of a file.
func (f *filtering) container(ctx context.Context, arg string) (dumpfile.Container, error) {
	in, name, done, err := f.open(ctx, arg)
	if err != nil {
		return 0, err
	}
	defer done()
	if !rereadable(in) {
		return 0, usagef("%s is not a regular file, so it cannot be replaced", name)
	}
	d := dumpfile.NewReader(in, f.opts.input.options(name))
	defer d.Close()
	_, c, err := d.Format()
	return c, err
}

// input reads one input. ErrStop means that no more is wanted.
func (f *filtering) input(ctx context.Context, arg string) error {
	var opened context.Context
	opened, f.abandon = context.WithCancel(ctx)
	defer f.abandon()
	in, name, done, err := f.open(opened, arg)
	if err != nil {
		return err
	}
	defer done()
	opts := f.opts.input.options(name)
	opts.Only = f.sel.Needs()
	opts.Skim = !f.sel.NeedsContent()
	opts.DropLarge = opts.Skim && f.opts.count
	d := dumpfile.NewReader(in, opts)
	defer d.Close()
	f.bar.start(d)
	f.live = !rereadable(in)
	var stop error
	err = pipeline.Run(ctx, d, f.opts.input.workers, f.work, func(p *picked) error {
		stop = f.emit(p)
		return stop
	})
	if e, ok := errors.AsType[*dumpfile.Error](err); ok {
		f.base += e.Flow // and not what was read ahead
	} else {
		f.base += d.Count()
	}
	if err == nil {
		return stop
	}
	return err
}

// work looks at a flow.
func (f *filtering) work(it *pipeline.Item, p *picked) error {
	p.through.set(it)
	if f.opts.input.strict {
		if _, err := it.Flow(true); err != nil {
			return err
		}
	}
	ok, err := f.sel.matches(it, f.base+it.Index)
	if err != nil {
		return err
	}
	p.flows++
	if ok == f.opts.invert {
		return nil
	}
	p.records = append(p.records, it.Record)
	if f.opts.max > 0 && int64(len(p.records)) >= f.opts.max {
		return pipeline.ErrStop // more are not wanted, whatever came before
	}
	return nil
}

// emit writes what is kept of a batch.
func (f *filtering) emit(p *picked) error {
	records, stop := p.records, error(nil)
	if left := f.opts.max - f.kept; f.opts.max > 0 && int64(len(records)) >= left {
		records, stop = records[:left], pipeline.ErrStop
	}
	f.kept += int64(len(records))
	f.dropped += p.flows - int64(len(records))
	if f.writer != nil {
		err := f.writer.WriteRecords(records)
		if err == nil && f.live {
			err = f.writer.Flush()
		}
		if err != nil {
			if _, ok := errors.AsType[*dumpfile.Error](err); !ok {
				err = &outputError{err}
			}
			stop = err
		}
	}
	clear(p.records)
	p.records, p.flows = p.records[:0], 0
	if stop != nil {
		f.abandon()
	}
	f.bar.update(&p.through)
	return stop
}

// warn tells about parts of a filter that are valid but probably not meant.
func (a *app) warn(e *filter.Expr) {
	for _, w := range e.Warnings() {
		a.warning(wording(w), pointAt(e.Text, w.Offset, w.Len))
	}
}

// warning says something that does not keep a command from its work. The detail
// is more lines, which may be shown as they are.
func (a *app) warning(msg string, detail ...string) {
	fmt.Fprintf(a.errOut, "flowtool: warning: %s%s\n", contentview.Escape(msg, false), strings.Join(detail, ""))
}

func wording(w filter.Warning) string {
	if w.Suggest == "" {
		return w.Msg
	}
	return w.Msg + "; you may want " + w.Suggest
}

// explain says what a filter means.
func (f *filtering) explain() error {
	to, err := f.create(f.opts.output, nil)
	if err != nil {
		return err
	}
	if _, err = to.Write([]byte(explain(f.sel.Filter))); err != nil {
		err = &outputError{err}
	}
	return to.finish(err, f.status)
}

func explain(f *filter.Filter) string {
	e := f.Expr()
	var b strings.Builder
	line := func(name, text string) {
		fmt.Fprintf(&b, "%-10s %s\n", name, contentview.Escape(text, false))
	}
	line("filter", e.String())
	line("means", e.Description())
	if e.Extended {
		line("mitmproxy", "refuses it")
	} else {
		line("mitmproxy", "accepts it")
	}
	for i, n := range strings.Split(strings.TrimSuffix(e.Dump(), "\n"), "\n") {
		name := "tree"
		if i > 0 {
			name = ""
		}
		line(name, strings.ReplaceAll(n, "\t", "  "))
	}
	filter.Walk(e.Root, func(n filter.Node) bool {
		if op, ok := n.(*filter.Op); ok {
			if re := op.Pattern(); re != nil {
				line("engine", op.Operator.String()+" "+op.Text+": "+re.Explain())
			}
		}
		return true
	})
	looks := cmp.Or(strings.Join(f.Needs(), ", "), "nothing in a flow")
	if f.NeedsContent() {
		looks += ", with bodies and messages"
	}
	if f.NeedsSpan() {
		looks += "; the input is read twice"
	}
	line("looks at", looks)
	for _, w := range e.Warnings() {
		line("warning", wording(w))
	}
	return b.String()
}

// filtersHelp is the page "flowtool help filters".
func filtersHelp() string {
	var b strings.Builder
	b.WriteString(`A filter is an expression in mitmproxy's language:

  ~d shop          an operator with its argument
  foo              a regular expression alone is searched in the URL, like ~u
  !A               not A
  A & B            both; A B, side by side, is the same but binds loosest
  A | B            one of them; & binds tighter than |
  (A | B) & C      parentheses

Regular expressions are Python's, searched anywhere, without regard to case
unless MITMPROXY_CASE_SENSITIVE_FILTERS=1 is set. A word ends at white space
and at ( ) ~ ' ". In quotes, a backslash must be doubled: "\\d+" or \d+ are
digits, "\d+" is the letter d. Put the whole filter in single quotes for the
shell.

Operators of mitmproxy:

`)
	row := func(o *filter.Operator) {
		name := o.String()
		if o.ArgName != "" {
			name += " " + o.ArgName
		}
		fmt.Fprintf(&b, "  %-20s %s\n  %-20s   %s\n", name, o.Summary, "", o.Example)
	}
	ops := filter.Operators()
	for i := range ops {
		if !ops[i].Ours {
			row(&ops[i])
		}
	}
	b.WriteString(`
Operators that only flowtool has (--mitmproxy refuses them):

`)
	for i := range ops {
		if ops[i].Ours {
			row(&ops[i])
		}
	}
	b.WriteString(`
LIST, SIZES, DURATIONS, TIMES and VERSIONS are lists of values and ranges,
PREFIXES is a list of words:

  200,4xx,500..503   values, separated by commas; 4xx is a class of statuses
  10k..2M  10k..     from, to, or both; except in TIMES also 10k-2M
  >=1.5s  <100ms     comparisons: > >= < <= =
  1.5s 90 1h30m      durations, only in ranges and comparisons; 90 is seconds
  10k 1.5M           sizes; a k is 1024 bytes
  1.1  2             versions; 2 is 2.0, 2.1 and so on
  2024-05-01         a day; also 2024-05, 2024-05-01T10:00, with Z or +02:00,
                     seconds since 1970
  end-1h..           relative to the start or the end of the capture, which is
                     read twice for it

What mitmproxy accepts means what it means there, oddities included:

  ~c 4xx             is ~c 4 and the word "xx": use ~status 4xx
  foo|bar            is one regular expression, foo | bar are two filters
  get(a|b)           is the word "get" and the filter a|b: quote it
  ~h "value$"        never matches, for lines end in CR LF: "value\\s*$"
  ~b REGEX           searches bytes: é is two of them, \w is ASCII
  ~q  !~s            TCP and UDP flows have neither request nor response

flowtool also accepts what mitmproxy refuses by accident: (~q), ~q&~s and
(a b). "flowtool filter --explain EXPR" says what a filter means.`)
	return b.String()
}
