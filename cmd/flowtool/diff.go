package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flowtool/flowtool/display"
	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/flowdiff"
	"github.com/flowtool/flowtool/pipeline"
	"github.com/flowtool/flowtool/state"
)

type diffOptions struct {
	input    inputFlags
	filter   filterFlags
	backups  bool
	ignore   []string
	only     []string
	defaults bool
	maxBody  size
	key      string
	json     bool
	stat     bool
	patch    bool
	color    string
	output   string
	utc      bool
}

func newDiffCmd(a *app) *cobra.Command {
	opts := diffOptions{maxBody: 16 << 20}
	cmd := &cobra.Command{
		Use:   "diff [FILE | A B]",
		Short: "Show what was edited, or what differs between two captures",
		Long: `diff FILE compares every flow that carries a backup with that backup: what a
script, or somebody at the console, has changed since the flow was captured.

diff A B compares two captures. Flows are paired by id if the captures share
ids, otherwise by what they ask for: method, host and path, numbers and the like
in it being all the same; --key chooses other fields. Neither the order nor flows
that only one of them has matter. The differences come in the order of B, flows
that are only in A behind the one that they follow there. -f EXPR shows the pairs
of which one flow matches.

What differs is found in the content: headers, parameters, cookies and fields of
forms by name, JSON by structure, text by lines. PATH is a path as it is shown,
such as /response/headers/date; * stands for part of a step, ** for any steps.

--stat prints a line for each flow that differs: how many values were added (+),
removed (-), changed (~) and moved (>), and which flow it is.

The status is 0 if there is no difference, 1 if there is one, 2 if something went
wrong, and 3 if an input is damaged, or a flow cannot be compared, and there is no
difference in the rest. Flows that only one capture has are no difference as long
as they may be in a part of the other that could not be read.
docs/diff.md tells everything.`,
		Example: `  flowtool diff edited.mitm
  flowtool diff --ignore-defaults yesterday.mitm today.mitm
  flowtool diff --stat --only /response/content yesterday.mitm today.mitm
  flowtool diff --key method,url -f '~d api' a.mitm b.mitm
  flowtool diff --json a.mitm b.mitm | jq 'select(.status == "different")'
  if flowtool diff -q --ignore-defaults golden.mitm new.mitm; then …`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDiff(cmd.Context(), a, cmd, &opts, args)
		},
	}
	fl := cmd.Flags()
	fl.BoolVar(&opts.backups, "backups", false, "look for edits in all FILEs instead of comparing two")
	fl.StringArrayVar(&opts.ignore, "ignore", nil, "leave out differences at `PATH` and below; may be given several times")
	fl.StringArrayVar(&opts.only, "only", nil, "only differences at `PATH` and below; may be given several times")
	fl.BoolVar(&opts.defaults, "ignore-defaults", false, "leave out what differs between any two captures: times, ids, ports, certificates, …")
	fl.StringVar(&opts.key, "key", "", "pair flows that have the same `FIELDS`: method,url (see help fields)")
	fl.Var(&opts.maxBody, "max-body", "largest decoded body that is compared by what it means, not as bytes")
	fl.BoolVar(&opts.json, "json", false, "print a line of JSON for each pair of flows")
	fl.BoolVar(&opts.stat, "stat", false, "print a line for each flow that differs")
	fl.BoolVar(&opts.patch, "patch", false, "print a line of JSON with a JSON Patch (RFC 6902) for each flow that is not the same")
	fl.StringVar(&opts.color, "color", "auto", "use colour: auto, always or never")
	fl.BoolVar(&opts.utc, "utc", false, "show times in UTC instead of local time")
	addOutput(cmd, &opts.output)
	opts.filter.addFlag(cmd)
	opts.input.add(cmd)
	fl.Lookup("quiet").Usage = "print nothing, the status is the answer; no progress"
	_ = cmd.RegisterFlagCompletionFunc("key", completeFields)
	completeWords(cmd, "color", "auto", "always", "never")
	return cmd
}

// diffing is a run of the diff command.
type diffing struct {
	reader
	opts    *diffOptions
	compare flowdiff.Options
	columns *display.Columns // of --key
	to      *output
	text    flowdiff.TextOptions
	tally   tally
	room    int // how many flows there is memory for
	// cutA and cutB tell that a capture could not be read to its end; cut is how
	// many inputs could not be where edits are looked for.
	cutA, cutB bool
	cut        int
}

// tally counts flows, or pairs of them.
type tally struct {
	equal, changed int64
	onlyA, onlyB   int64
	bare           int64 // without a backup
	elsewhere      int64 // edited, but not where the flags look
	failed         int64 // there is something to compare, but that cannot be done
	done           int64 // of all pairs, and flows that are only in b
}

func (t *tally) add(o tally) {
	t.done += o.done
	t.equal += o.equal
	t.changed += o.changed
	t.onlyA += o.onlyA
	t.onlyB += o.onlyB
	t.bare += o.bare
	t.elsewhere += o.elsewhere
	t.failed += o.failed
}

// differ tells whether there is a difference for sure: what is only in one capture
// may be in the part of the other that could not be read.
func (d *diffing) differ() bool {
	t := &d.tally
	return t.changed > 0 || t.onlyA > 0 && !d.cutB || t.onlyB > 0 && !d.cutA
}

func runDiff(ctx context.Context, a *app, cmd *cobra.Command, opts *diffOptions, args []string) error {
	pair := len(args) == 2 && !opts.backups
	d := &diffing{reader: reader{app: a, cmd: cmd, flags: &opts.input}, opts: opts}
	given := cmd.Flags().Changed
	if err := opts.check(len(args), pair, given); err != nil {
		return err
	}
	var err error
	if d.compare, err = opts.compare(); err != nil {
		return err
	}
	if given("key") {
		if d.columns, err = display.ParseColumns(opts.key); err != nil {
			return usagef("--key: %v", err)
		}
		if name := d.columns.OfPosition(); name != "" {
			return usagef("--key: %s is about where a flow is recorded, not about what is in it", name)
		}
	}
	d.text.Location = a.zone(opts.utc)
	if d.sel, err = opts.filter.selection(a, d.text.Location); err != nil {
		return err
	}
	inputs, err := a.inputs(args)
	if err != nil {
		return err
	}
	output := opts.output
	if opts.input.quiet {
		output = "" // nothing is written
	}
	if d.to, err = a.create(output, inputs); err != nil {
		return err
	}
	if d.text.Color, err = a.color(opts.color, d.to); err == nil {
		err = d.run(ctx, inputs, pair)
	}
	// Also if whoever reads our output has seen enough.
	if statusOf(err) == exitOK && d.differ() && (a.status == exitOK || a.status == exitLossy) {
		a.status = exitNo
	}
	return d.to.finish(err, a.status)
}

// check returns an error if the flags do not go together.
func (o *diffOptions) check(files int, pair bool, given func(flag string) bool) error {
	modes := 0
	for _, on := range []bool{o.json, o.stat, o.patch} {
		if on {
			modes++
		}
	}
	switch {
	case files > 2 && !o.backups:
		return usagef("diff takes one FILE, whose edits it shows, or two to compare; --backups shows the edits in any number of them")
	case modes > 1:
		return usagef("--json, --stat and --patch exclude each other")
	case o.patch && o.narrow():
		return usagef("--patch is complete: it excludes --ignore, --ignore-defaults and --only")
	case slices.Contains(o.ignore, ""):
		return usagef(wantPath, "ignore")
	case slices.Contains(o.only, ""):
		return usagef(wantPath, "only")
	case given("key") && !pair:
		return usagef("--key is for two captures")
	case given("key") && o.key == "":
		return usagef("--key is empty; it takes names of fields with commas between, such as method,url (see \"flowtool help fields\")")
	}
	return o.input.check()
}

const wantPath = "--%s is empty; it takes a path as diff shows it, such as /response/headers/date"

// narrow tells whether some differences are left out.
func (o *diffOptions) narrow() bool { return len(o.ignore)+len(o.only) > 0 || o.defaults }

// compare returns what is compared.
func (o *diffOptions) compare() (flowdiff.Options, error) {
	opts := flowdiff.Options{IgnoreDefaults: o.defaults, MaxBody: int64(o.maxBody)}
	var err error
	if opts.Ignore, err = flowdiff.ParsePaths(o.ignore...); err != nil {
		return opts, usagef("--ignore: %v", err)
	}
	if opts.Only, err = flowdiff.ParsePaths(o.only...); err != nil {
		return opts, usagef("--only: %v", err)
	}
	if path := opts.Only.Unknown(); path != "" {
		return opts, usagef("--only: no flow has anything at %q; a path is one as diff shows it, such as /response/headers/date", path)
	}
	return opts, nil
}

// run compares, and tells the result in numbers.
func (d *diffing) run(ctx context.Context, inputs []string, pair bool) error {
	d.bar = d.newProgress(d.flags)
	defer d.bar.done()
	var err error
	if pair {
		err = d.captures(ctx, inputs[0], inputs[1])
	} else {
		err = d.edits(ctx, inputs)
	}
	if err != nil || d.flags.quiet || d.opts.json || d.opts.patch {
		return err
	}
	if !pair && d.cut == len(inputs) && d.base == 0 {
		return nil // nothing was read
	}
	d.bar.clear()
	if _, err = io.WriteString(d.to, d.totals(pair)); err != nil {
		return &outputError{err}
	}
	return nil
}

// totals tells the result in numbers, and what they cannot know.
func (d *diffing) totals(pair bool) string {
	t := &d.tally
	var s strings.Builder
	if pair {
		fmt.Fprintf(&s, "%d equal, %d changed, %d only in a, %d only in b", t.equal, t.changed, t.onlyA, t.onlyB)
	} else {
		fmt.Fprintf(&s, "%d edited, %d unmodified, %d without a backup", t.changed, t.equal, t.bare)
	}
	if t.elsewhere > 0 {
		fmt.Fprintf(&s, ", %d edited elsewhere", t.elsewhere)
	}
	if t.failed > 0 {
		fmt.Fprintf(&s, ", %d not compared", t.failed)
	}
	s.WriteByte('\n')
	if d.cutA {
		s.WriteString("a was not read to its end: what is only in b may be in the rest of it\n")
	}
	if d.cutB {
		s.WriteString("b was not read to its end: what is only in a may be in the rest of it\n")
	}
	if d.cut > 0 {
		s.WriteString("not everything was read: there may be more edits\n")
	}
	return s.String()
}

// told is what is told of a batch.
type told struct {
	text   []byte
	tally  tally
	faults []string         // flows that cannot be compared
	rest   []*pipeline.Item // behind those in text, not rendered yet
}

// fault notes that a flow cannot be compared. What is wrong with one need not keep
// the others from being shown.
func (p *told) fault(where string, err error) {
	msg := err.Error()
	if e, ok := errors.AsType[*dumpfile.Error](err); ok {
		msg = e.Err.Error() // its offset may be one in a temporary file
		if e.Path != "" {
			msg = string(e.Path) + ": " + msg
		}
	}
	p.faults = append(p.faults, where+" cannot be compared: "+msg)
}

// place names a flow for messages.
func place(arg string, index int64) string {
	return fmt.Sprintf("%s: flow %d", inputName(arg), index)
}

// full tells whether there is enough text for a batch.
func (p *told) full() bool { return len(p.rest) > 0 || len(p.text) > maxText }

// tell writes what is told of a batch, after one was called for the rest of it.
func (d *diffing) tell(p *told, one func(*pipeline.Item) error) error {
	err := d.flush(p)
	for _, it := range p.rest {
		if err != nil {
			break
		}
		if err = one(it); err == nil {
			err = d.flush(p)
		}
	}
	clear(p.rest)
	p.rest = p.rest[:0]
	return err
}

// flush writes what there is.
func (d *diffing) flush(p *told) error {
	d.tally.add(p.tally)
	p.tally = tally{}
	for _, msg := range p.faults {
		d.bar.clear()
		d.lost(msg)
	}
	p.faults = p.faults[:0]
	if len(p.text) > 0 {
		d.bar.clear()
		if _, err := d.to.Write(p.text); err != nil {
			return &outputError{err}
		}
	}
	if p.text = p.text[:0]; cap(p.text) > keepText {
		p.text = nil
	}
	if d.flags.quiet && d.differ() {
		return pipeline.ErrStop // that is the answer
	}
	return nil
}

// render appends a report in the form that the flags ask for. a and b are the
// states that were compared, nil if there is no such flow.
func (d *diffing) render(dst []byte, r *flowdiff.Report, a, b *state.Map) ([]byte, error) {
	equal := r.Status() == flowdiff.StatusEqual
	switch {
	case d.flags.quiet:
		return dst, nil
	case d.opts.json:
		return r.AppendJSON(dst)
	case d.opts.patch:
		return appendPatch(dst, r, a, b)
	case equal && !r.Backup:
		return dst, nil
	case d.opts.stat:
		return r.AppendStat(dst), nil
	}
	return r.AppendText(dst, &d.text)
}

// appendPatch appends a report as a patch, unless that has nothing to do. It may
// have where there is no difference: it is about lines, not about what they mean.
func appendPatch(dst []byte, r *flowdiff.Report, a, b *state.Map) ([]byte, error) {
	if r.Backup {
		a, b = flowdiff.WithoutBackup(a), flowdiff.WithoutBackup(b)
	}
	line, err := r.AppendPatch(dst, a, b)
	if err != nil || bytes.HasSuffix(line, []byte(`,"patch":[]}`+"\n")) {
		return dst, err
	}
	return line, nil
}

// ref names a flow.
func ref(v *flow.Viewer, index int64, m *state.Map) (*flowdiff.Ref, error) {
	f, err := v.View(m)
	if err != nil {
		return nil, err
	}
	r := flowdiff.NewRef(index, f)
	return r, f.Damage()
}
