package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/flowtool/flowtool/contentview"
	"github.com/flowtool/flowtool/display"
	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/formats"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/pipeline"
	"github.com/flowtool/flowtool/summary"
)

type infoOptions struct {
	input  inputFlags
	filter filterFlags
	json   bool
	utc    bool
	top    int
	output string
}

func newInfoCmd(a *app) *cobra.Command {
	opts := infoOptions{}
	cmd := &cobra.Command{
		Use:   "info [FILE...]",
		Short: "Say what dumps are and what is in them",
		Long: `info tells for every FILE what it is (format, container, format versions and
the mitmproxy releases that read them) and what is in it: flows by type, hosts,
methods and statuses, the time they span, sizes, the largest flows, and where
it is damaged.`,
		Example: `  flowtool info capture.mitm
  flowtool info -f '~d shop.example' capture.mitm
  flowtool info --json *.mitm | jq -r '[.file, .flows] | @tsv'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runInfo(cmd.Context(), a, cmd, &opts, args)
		},
	}
	fl := cmd.Flags()
	opts.filter.addFlag(cmd)
	fl.BoolVar(&opts.json, "json", false, "one JSON object per file, on a line")
	fl.BoolVar(&opts.utc, "utc", false, "show times in UTC instead of local time")
	fl.IntVar(&opts.top, "top", 10, "how many hosts and methods to show, 0 for all, as --json does")
	addOutput(cmd, &opts.output)
	opts.input.add(cmd)
	return cmd
}

// report is what info says about an input. Its JSON form is documented in
// docs/info-json.md.
type infoReport struct {
	File      string           `json:"file"`
	Format    string           `json:"format"`
	Container string           `json:"container"`
	Filter    *string          `json:"filter"` // null if all flows are counted
	Size      *int64           `json:"size"`   // null if it is not known
	Flows     int64            `json:"flows"`
	Types     map[string]int64 `json:"types"`
	Versions  []infoVersion    `json:"versions"`

	Edited      int64 `json:"edited"`
	Errors      int64 `json:"errors"`
	Marked      int64 `json:"marked"`
	Replayed    int64 `json:"replayed"`
	Intercepted int64 `json:"intercepted"`
	Commented   int64 `json:"commented"`

	Time     *infoTime        `json:"time"`
	Hosts    []summary.Count  `json:"hosts"`
	Methods  []summary.Count  `json:"methods"`
	Statuses map[string]int64 `json:"statuses"`
	Bytes    infoBytes        `json:"bytes"`
	Messages int64            `json:"messages"`
	Largest  []infoLarge      `json:"largest"`
	Damage   *infoDamage      `json:"damage"`

	sum     *summary.Summary
	stopped bool // not by damage, but by a limit or a version
}

type infoVersion struct {
	Version   string `json:"version"`
	Flows     int64  `json:"flows"`
	WrittenBy string `json:"written_by"`
	ReadBy    string `json:"read_by"`
}

type infoTime struct {
	First   string  `json:"first"`
	Last    string  `json:"last"`
	Seconds float64 `json:"seconds"`
	InOrder bool    `json:"in_order"`
}

type infoBytes struct {
	Requests  int64 `json:"request_bodies"`
	Responses int64 `json:"response_bodies"`
	Messages  int64 `json:"messages"`
}

type infoLarge struct {
	Index  int64  `json:"index"`
	Offset int64  `json:"offset"`
	Size   int64  `json:"size"`
	What   string `json:"what"`
}

type infoDamage struct {
	Flow   int64  `json:"flow"`   // number of the damaged flow
	Offset int64  `json:"offset"` // where it begins
	At     int64  `json:"at"`     // where the damage was noticed
	Path   string `json:"path,omitempty"`
	Error  string `json:"error"`
}

func runInfo(ctx context.Context, a *app, cmd *cobra.Command, opts *infoOptions, args []string) error {
	if opts.top < 0 {
		return usagef("--top is a number of rows, not %d", opts.top)
	}
	if err := opts.input.check(); err != nil {
		return err
	}
	inputs, err := a.inputs(args)
	if err != nil {
		return err
	}
	i := &inspection{reader: reader{app: a, cmd: cmd, flags: &opts.input}, opts: opts, loc: a.zone(opts.utc)}
	if i.sel, err = opts.filter.selection(a, i.loc); err != nil {
		return err
	}
	if err := i.sel.prepare(ctx, &i.reader, inputs); err != nil {
		return err
	}
	to, err := a.create(opts.output, inputs)
	if err != nil {
		return err
	}
	err = i.run(ctx, inputs, to)
	return to.finish(err, a.status)
}

// inspection is a run of the info command over all its inputs.
type inspection struct {
	reader
	opts  *infoOptions
	loc   *time.Location
	shown int // reports
}

// run writes reports on all inputs.
func (i *inspection) run(ctx context.Context, inputs []string, to io.Writer) error {
	i.bar = i.newProgress(i.flags)
	defer i.bar.done()
	return i.all(ctx, inputs, func(ctx context.Context, arg string) error {
		r, err := i.input(ctx, arg)
		i.bar.clear()
		if err != nil && fatal(err) {
			return err
		}
		if err != nil {
			i.fault(err)
		}
		if r == nil {
			return nil
		}
		return i.write(r, to)
	})
}

// write writes a report.
func (i *inspection) write(r *infoReport, to io.Writer) error {
	var text []byte
	if i.opts.json {
		var err error
		if text, err = r.json(); err != nil {
			return err
		}
	} else {
		var b strings.Builder
		if i.shown++; i.shown > 1 {
			b.WriteByte('\n')
		}
		r.write(&b, i.loc, i.opts.top)
		text = []byte(b.String())
	}
	if _, err := to.Write(text); err != nil {
		return &outputError{err}
	}
	return nil
}

// input reads an input. The report is nil if there is nothing to report on.
func (i *inspection) input(ctx context.Context, arg string) (*infoReport, error) {
	var in *formats.Input
	var sum summary.Summary
	err := each(ctx, &i.reader, arg, needs{dropLarge: !i.sel.needsContent(), want: i.wants(false)}, func(opened *formats.Input) error {
		in = opened
		return nil
	}, func(it *pipeline.Item, p *summary.Summary) error {
		if ok, err := i.sel.matches(it, i.index(it)); err != nil || !ok {
			return err
		}
		f, err := it.Flow(i.flags.strict)
		if err != nil {
			return err
		}
		return it.Wrap(p.Add(summary.Record{Index: it.Index, Offset: it.Offset, Size: it.Size, Version: it.Version}, f))
	}, func(p *summary.Summary) error {
		sum.Merge(p)
		p.Reset()
		return nil
	})
	if holdsNoFlows(err) || in == nil || err != nil && statusOf(err) == exitInterrupted {
		return nil, err
	}
	r := newReport(inputName(arg), in, &sum)
	if i.sel != nil {
		text := i.sel.Expr().Text
		r.Filter = &text
	}
	if e, ok := errors.AsType[*dumpfile.Error](err); ok {
		r.Damage = &infoDamage{e.Flow, e.Offset, e.At, string(e.Path), e.Err.Error()}
		r.stopped = statusOf(err) == exitTrouble
	}
	return r, err
}

func newReport(name string, in *formats.Input, s *summary.Summary) *infoReport {
	format := emptyFormat
	if in.Format != nil {
		format = in.Format.Name
	}
	r := &infoReport{
		File: name, Format: format, Container: in.Container.String(),
		Flows: s.Flows, Types: orEmpty(s.Types), Statuses: orEmpty(s.Statuses),
		Edited: s.Edited, Errors: s.Errors, Marked: s.Marked, Replayed: s.Replayed,
		Intercepted: s.Intercepted, Commented: s.Commented,
		Hosts: summary.Sorted(s.Hosts), Methods: summary.Sorted(s.Methods),
		Bytes:    infoBytes{s.RequestBytes, s.ResponseBytes, s.MessageBytes},
		Messages: s.Messages,
		Versions: []infoVersion{}, Largest: []infoLarge{},
		sum: s,
	}
	var versions []migrate.Version
	for v := range s.Versions {
		if in.Format.Versions { // and not what we made of it
			versions = append(versions, v)
		}
	}
	slices.SortFunc(versions, migrate.Version.Compare)
	for _, v := range versions {
		r.Versions = append(r.Versions, infoVersion{v.String(), s.Versions[v], v.WrittenBy(), v.ReadBy()})
	}
	if !s.First.IsNull() {
		r.Time = &infoTime{
			First:   s.First.Time().UTC().Format(time.RFC3339Nano),
			Last:    s.Last.Time().UTC().Format(time.RFC3339Nano),
			Seconds: s.Last.Unix() - s.First.Unix(),
			InOrder: s.Disordered == 0,
		}
	}
	if in.Size >= 0 {
		r.Size = &in.Size
	}
	for _, l := range s.Largest {
		r.Largest = append(r.Largest, infoLarge(l))
	}
	return r
}

// emptyFormat is the format of inputs with nothing in them.
const emptyFormat = "empty"

// json returns the report as a line of JSON. What acts on a terminal is escaped
// beyond what JSON demands.
func (r *infoReport) json() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // & is common in URLs
	if err := e.Encode(r); err != nil {
		return nil, err
	}
	line := make([]byte, 0, b.Len())
	for _, c := range b.String() {
		if c >= 0x7f && c <= 0xffff && unicode.In(c, unicode.Cc, unicode.Cf) {
			line = fmt.Appendf(line, `\u%04x`, c)
		} else {
			line = utf8.AppendRune(line, c)
		}
	}
	return line, nil
}

func orEmpty(m map[string]int64) map[string]int64 {
	if m == nil {
		return map[string]int64{}
	}
	return m
}

// write writes the report for people.
func (r *infoReport) write(w *strings.Builder, loc *time.Location, top int) {
	fact := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%-12s %s\n", name, contentview.Escape(fmt.Sprintf(format, args...), false))
	}
	size := func(n int64) string { return string(display.AppendSize(nil, n)) }

	fact("file", "%s", fileName(r.File))
	if r.Format == emptyFormat {
		fact("format", "empty: no flows")
		return
	}
	kind := formats.Named(r.Format).Doc
	if r.Container != dumpfile.ContainerNone.String() {
		kind += " in " + r.Container
	}
	if r.Size != nil {
		kind += fmt.Sprintf(", %s (%d bytes)", size(*r.Size), *r.Size)
	}
	fact("format", "%s", kind)
	for _, v := range r.Versions {
		fact("version", "%s in %s; written by mitmproxy %s, read by %s", v.Version, flows(v.Flows), v.WrittenBy, v.ReadBy)
	}
	if r.Filter != nil {
		fact("filter", "%s", *r.Filter)
	}
	fact("flows", "%d%s", r.Flows, counts(summary.Sorted(r.Types), 0))
	if r.Time != nil {
		first, last := r.sum.First.Time().In(loc), r.sum.Last.Time().In(loc)
		order := "in order of time"
		if !r.Time.InOrder {
			order = fmt.Sprintf("%s out of order", flows(r.sum.Disordered))
		}
		fact("time", "%s to %s, %s, %s", first.Format("2006-01-02 15:04:05"), last.Format("2006-01-02 15:04:05 MST"),
			display.AppendDuration(nil, r.Time.Seconds), order)
	}
	for _, c := range []struct {
		name string
		n    int64
	}{
		{"edited", r.Edited}, {"errors", r.Errors}, {"marked", r.Marked}, {"replayed", r.Replayed},
		{"intercepted", r.Intercepted}, {"commented", r.Commented},
	} {
		if c.n > 0 {
			fact(c.name, "%s", flows(c.n))
		}
	}
	if len(r.Methods) > 0 {
		fact("methods", "%s", strings.TrimPrefix(counts(r.Methods, top), ": "))
		fact("statuses", "%s", strings.TrimPrefix(counts(byName(r.Statuses), 0), ": "))
		fact("bodies", "requests %s, responses %s", size(r.Bytes.Requests), size(r.Bytes.Responses))
	}
	if r.Messages > 0 {
		fact("messages", "%d, %s", r.Messages, size(r.Bytes.Messages))
	}
	table := func(name string, rows int, row func(i int) string) {
		for i := range rows {
			if i > 0 {
				name = ""
			}
			fact(name, "%s", row(i))
		}
	}
	hosts := r.Hosts
	if top > 0 && len(hosts) > top {
		hosts = hosts[:top]
	}
	table("hosts", len(hosts), func(i int) string { return fmt.Sprintf("%6d  %s", hosts[i].Flows, hosts[i].Name) })
	if n := len(r.Hosts) - len(hosts); n > 0 {
		fact("", "        and %d more (--top 0 shows all)", n)
	}
	table("largest", len(r.Largest), func(i int) string {
		l := r.Largest[i]
		return fmt.Sprintf("%6s  flow %d: %s", size(l.Size), l.Index, l.What)
	})
	if d := r.Damage; d != nil {
		at := fmt.Sprintf("offset %d", d.Offset)
		if d.At != d.Offset {
			at += fmt.Sprintf(", noticed at %d", d.At)
		}
		if d.Path != "" {
			at += ", " + d.Path[:min(len(d.Path), 80)]
		}
		name := "damage"
		if r.stopped {
			name = "unread" // nothing is wrong with it, as far as we know
		}
		fact(name, "flow %d, %s: %s", d.Flow, at, d.Error)
	}
}

func flows(n int64) string {
	if n == 1 {
		return "1 flow"
	}
	return fmt.Sprintf("%d flows", n)
}

// counts lists counts as ": 12 http, 3 tcp"; of more than top only the first.
func counts(list []summary.Count, top int) string {
	var parts []string
	for i, c := range list {
		if top > 0 && i == top {
			parts = append(parts, fmt.Sprintf("%d more", len(list)-top))
			break
		}
		parts = append(parts, fmt.Sprintf("%d %s", c.Flows, c.Name))
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, ", ")
}

// byName returns counts in the order of their names.
func byName(m map[string]int64) []summary.Count {
	list := summary.Sorted(m)
	slices.SortFunc(list, func(a, b summary.Count) int { return strings.Compare(a.Name, b.Name) })
	return list
}
