package main

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flowtool/flowtool/display"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/formats"
	"github.com/flowtool/flowtool/jsonl"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/pipeline"
)

type readOptions struct {
	input   inputFlags
	filter  filterFlags
	detail  int
	fields  string
	max     int64
	index   string
	ids     []string
	color   string
	output  string
	utc     bool
	lines   int
	maxBody size
	json    bool
	plain   bool // --canonical
}

func newReadCmd(a *app) *cobra.Command {
	opts := readOptions{maxBody: 16 << 20}
	cmd := &cobra.Command{
		Use:   "read [FILE...]",
		Short: "List flows, or show what is in them",
		Long: `read shows the flows of dumps of any mitmproxy release, one line each: number,
start, method or protocol, status, size of the response, duration, URL and
what is special about it (mark, replay, edit, comment, error).

With -d 2 and up it also shows connections and headers, with -d 3 bodies and
messages, decoded and indented where that makes them readable, at most
--lines of each, with -d 4 all of them.

--canonical shows the same wherever it runs: times in UTC, no colour, no numbers
in front, lines as long as they are, and size and SHA-256 of bodies that are cut.
That makes -d 3 a text that git compares.`,
		Example: `  flowtool read capture.mitm                     # one line per flow
  flowtool read -d 3 --index 7 capture.mitm      # flow 7 with its bodies
  flowtool read --fields time,method,url,status capture.mitm
  flowtool read -f '~m POST & ~status 5xx' capture.mitm
  flowtool read --json capture.mitm | jq -r .request.path
  flowtool read -n 10 old.mitm.gz
  mitmdump -q -w /dev/stdout | flowtool read`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runRead(cmd.Context(), a, cmd, &opts, args)
		},
	}
	fl := cmd.Flags()
	opts.filter.addFlag(cmd)
	fl.IntVarP(&opts.detail, "detail", "d", display.Line, "how much to show: 0 nothing, 1 a line, 2 headers, 3 bodies, 4 all of them")
	fl.StringVar(&opts.fields, "fields", "", "show these `columns` with tabs between them: time,url (see help fields)")
	fl.BoolVar(&opts.json, "json", false, "show flows as JSON Lines, in their own format version (see docs/jsonl.md)")
	fl.Int64VarP(&opts.max, "max-count", "n", 0, "stop after `N` flows")
	fl.StringVar(&opts.index, "index", "", "only the flows with these `numbers`: 0,4-9,20-")
	fl.StringSliceVar(&opts.ids, "id", nil, "only flows whose id begins with `ID`")
	fl.StringVar(&opts.color, "color", "auto", "use colour: auto, always or never")
	fl.BoolVar(&opts.utc, "utc", false, "show times in UTC instead of local time")
	fl.BoolVar(&opts.plain, "canonical", false, "show the same on every machine and terminal: UTC, no colour, no numbers of flows")
	fl.IntVar(&opts.lines, "lines", 512, "at -d 3, most lines of a body or message")
	fl.Var(&opts.maxBody, "max-body", "most of a body or message that is shown, decompressed")
	addOutput(cmd, &opts.output)
	opts.input.add(cmd)
	_ = cmd.RegisterFlagCompletionFunc("fields", completeFields)
	completeWords(cmd, "color", "auto", "always", "never")
	completeWords(cmd, "detail", "0\tnothing", "1\ta line", "2\theaders", "3\tbodies", "4\tall of them")
	return cmd
}

// completeWords completes the value of a flag with one of a few words.
func completeWords(cmd *cobra.Command, flag string, words ...string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

// completeFields completes the last name of a list of fields.
func completeFields(_ *cobra.Command, _ []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	before := ""
	if i := strings.LastIndexByte(toComplete, ','); i >= 0 {
		before = toComplete[:i+1]
	}
	var out []string
	for _, f := range display.Fields() {
		out = append(out, before+f.Name+"\t"+f.Doc)
	}
	return out, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}

// reading is a run of the read command over all its inputs.
type reading struct {
	reader
	opts    *readOptions
	to      *output
	columns *display.Columns
	display display.Options
	picks   picks
	shown   int64
}

// listing is the output of one batch.
type listing struct {
	text    []byte
	printer *display.Printer
	viewer  flow.Viewer
	ends    []int            // of the flows in text
	rest    []*pipeline.Item // behind those, not rendered yet
	last    bool             // no later flow is wanted
}

const (
	// maxText is how much text a worker renders before it leaves the rest of
	// its batch to emit, so that batches of large bodies do not fill memory.
	maxText = 4 << 20
	// keepText is how much memory is kept for the next batch.
	keepText = 2 << 20
)

func runRead(ctx context.Context, a *app, cmd *cobra.Command, opts *readOptions, args []string) error {
	r := &reading{reader: reader{app: a, cmd: cmd, flags: &opts.input}, opts: opts}
	given := cmd.Flags().Changed
	switch {
	case opts.detail < display.Nothing || opts.detail > display.Full:
		return usagef("--detail is 0 to 4, not %d", opts.detail)
	case opts.max < 0:
		return usagef("--max-count is a number of flows, not %d", opts.max)
	case opts.lines < 1:
		return usagef("--lines is at least 1, not %d", opts.lines)
	case opts.json && (given("fields") || given("detail")):
		return usagef("--json excludes --fields and --detail")
	case given("fields") && given("detail"):
		return usagef("--fields and --detail exclude each other")
	case opts.plain && (given("color") || given("json") || given("fields")):
		return usagef("--canonical excludes --color, --fields and --json")
	case given("index") && opts.index == "":
		return usagef("--index is empty")
	case given("id") && !slices.ContainsFunc(opts.ids, func(id string) bool { return id != "" }):
		return usagef("--id is empty")
	}
	if opts.plain {
		opts.utc, opts.color = true, "never"
	}
	err := opts.input.check()
	if err != nil {
		return err
	}
	if r.picks, err = parsePicks(opts.index, opts.ids); err != nil {
		return err
	}
	if given("fields") {
		if r.columns, err = display.ParseColumns(opts.fields); err != nil {
			return usagef("%v", err)
		}
	}
	r.display = display.Options{
		Detail: opts.detail, Location: a.zone(opts.utc), Canonical: opts.plain, Lines: opts.lines, MaxBody: int64(opts.maxBody),
	}
	if r.sel, err = opts.filter.selection(a, r.display.Location); err != nil {
		return err
	}
	inputs, err := a.inputs(args)
	if err != nil {
		return err
	}
	if err := r.sel.prepare(ctx, &r.reader, inputs); err != nil {
		return err
	}
	if r.to, err = a.create(opts.output, inputs); err != nil {
		return err
	}
	err = r.run(ctx, inputs)
	return r.to.finish(err, a.status)
}

// run reads all inputs.
func (r *reading) run(ctx context.Context, inputs []string) (err error) {
	if r.display.Color, err = r.color(r.opts.color, r.to); err != nil {
		return err
	}
	if r.outTTY && r.to.stdout && r.opts.detail == display.Line && !r.opts.plain {
		r.display.Width = r.width
	}
	r.bar = r.newProgress(r.flags)
	defer r.bar.done()
	shallow := r.opts.detail < display.Bodies && !r.opts.json && !r.sel.needsContent()
	if r.columns != nil && r.columns.NeedsContent() {
		shallow = false
	}
	return r.all(ctx, inputs, func(ctx context.Context, arg string) error {
		if r.picks.beyond(r.base) {
			return pipeline.ErrStop
		}
		return each(ctx, &r.reader, arg, needs{dropLarge: shallow, want: r.groups()}, nil, r.work, r.emit)
	})
}

// groups returns what tells of a group of flows whether some may be shown.
func (r *reading) groups() func(*formats.Group) bool {
	if r.flags.strict {
		return nil
	}
	base, wants := r.base, r.wants(false)
	return func(g *formats.Group) bool {
		return r.picks.group(g, base+g.First) && (wants == nil || wants(g))
	}
}

// work renders a flow, unless there is enough text in l already.
func (r *reading) work(it *pipeline.Item, l *listing) error {
	if len(l.text) > maxText {
		l.rest = append(l.rest, it)
		return nil
	}
	return r.render(it, l)
}

func (r *reading) render(it *pipeline.Item, l *listing) error {
	index := r.index(it)
	if !r.picks.index(index) {
		if r.picks.beyond(index) {
			l.last = true
			return pipeline.ErrStop
		}
		_, err := it.Newest() // damage is damage, shown or not
		return cmp.Or(err, r.check(it))
	}
	if ok, err := r.sel.matches(it, index); err != nil || !ok {
		return err
	}
	if r.opts.json {
		return r.renderJSON(it, l)
	}
	var f flow.Flow
	var err error
	if r.flags.strict {
		f, err = it.Flow(true)
	} else {
		f, err = it.View(&l.viewer)
	}
	if err != nil {
		return err
	}
	if !r.picks.id(f.ID()) {
		return nil
	}
	start := len(l.text)
	if r.columns != nil {
		pos := display.Position{Index: index, Offset: it.Offset, Size: it.Size, Version: it.Version.String()}
		l.text = r.columns.Append(l.text, pos, f)
	} else {
		if l.printer == nil {
			l.printer = display.NewPrinter(r.display)
		}
		l.text = l.printer.Append(l.text, index, f)
	}
	if err := f.Damage(); err != nil {
		l.text = l.text[:start]
		return it.Wrap(err)
	}
	l.ends = append(l.ends, len(l.text))
	return nil
}

// renderJSON renders a flow as a line of JSON.
func (r *reading) renderJSON(it *pipeline.Item, l *listing) error {
	if len(r.opts.ids) > 0 || r.flags.strict {
		f, err := it.Flow(r.flags.strict)
		if err != nil {
			return err
		}
		if !r.picks.id(f.ID()) {
			return nil
		}
	}
	record, err := it.Bytes()
	if err != nil {
		return err
	}
	text, err := jsonl.AppendRecord(l.text, record)
	if err != nil {
		return it.Wrap(err)
	}
	l.text = text
	l.ends = append(l.ends, len(l.text))
	return nil
}

// emit writes the output of a batch.
func (r *reading) emit(l *listing) error {
	err := r.flush(l)
	for _, it := range l.rest {
		if err != nil {
			break
		}
		err = r.render(it, l)
		err = cmp.Or(r.flush(l), err)
	}
	clear(l.rest)
	l.rest = l.rest[:0]
	if l.last {
		r.abandon()
	}
	return err
}

// flush writes the text of l, of no more flows than are wanted.
func (r *reading) flush(l *listing) error {
	text, shown, stop := l.text, int64(len(l.ends)), error(nil)
	if left := r.opts.max - r.shown; r.opts.max > 0 && shown >= left {
		text, shown, stop = text[:l.ends[left-1]], left, pipeline.ErrStop
	}
	l.ends = l.ends[:0]
	if l.text = l.text[:0]; cap(l.text) > keepText {
		l.text = nil
	}
	r.shown += shown
	if len(text) > 0 {
		r.bar.clear()
		if _, err := r.to.Write(text); err != nil {
			return &outputError{err}
		}
	}
	return stop
}

// outputError is an error of writing, after which it is pointless to go on.
type outputError struct{ err error }

func (e *outputError) Error() string {
	err := e.err
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	return "writing: " + err.Error()
}

func (e *outputError) Unwrap() error { return e.err }

// fatal tells whether an error concerns more than one input.
func fatal(err error) bool {
	switch err.(type) {
	case *outputError, *usageError:
		return true
	}
	if _, ok := errors.AsType[*migrate.LossError](err); ok {
		return true
	}
	return statusOf(err) == exitInterrupted
}
