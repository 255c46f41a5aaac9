package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/flowtool/flowtool/contentview"
	"github.com/flowtool/flowtool/display"
	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/filter"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/formats"
	"github.com/flowtool/flowtool/pipeline"
)

// filterFlags are the flags of commands that take a filter.
type filterFlags struct {
	expr      string // the filter
	mitmproxy bool
	maxBody   size
	bodyFlag  string // the name of the flag that sets maxBody
	timeout   time.Duration
	given     func() bool
}

// addFlag adds --filter and what goes with it.
func (f *filterFlags) addFlag(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.expr, "filter", "f", "", "only flows that match the filter `EXPR` (see help filters)")
	f.given = func() bool { return cmd.Flags().Changed("filter") }
	_ = cmd.RegisterFlagCompletionFunc("filter", completeFilter)
	f.add(cmd, "filter-max-body")
}

// add adds what goes with a filter. bodyFlag is the name of the flag that limits
// bodies.
func (f *filterFlags) add(cmd *cobra.Command, bodyFlag string) {
	f.bodyFlag = bodyFlag
	f.maxBody = filter.DefaultMaxBody
	f.timeout = filter.DefaultTimeout
	fl := cmd.Flags()
	fl.BoolVar(&f.mitmproxy, "mitmproxy", false, "refuse filters that mitmproxy would refuse")
	fl.Var(&f.maxBody, bodyFlag, "largest decoded body that a filter looks into")
	fl.DurationVar(&f.timeout, "regex-timeout", f.timeout, "longest `time` that one regular expression may take for one text")
}

// selection is a filter at work. A nil selection selects everything.
type selection struct {
	*filter.Filter
	first, last float64 // of the capture, if the filter needs them
	bodyFlag    string  // see filterFlags
}

// limitError is an error about a limit of filters. What tells the exit status
// finds the flag among its causes.
type limitError struct {
	error
	limit dumpfile.LimitError
}

func (e *limitError) Unwrap() []error { return []error{e.error, &e.limit} }

// wrap returns err as an error about an item.
func (s *selection) wrap(it *pipeline.Item, err error) error {
	e, ok := errors.AsType[*dumpfile.Error](it.Wrap(err))
	if !ok {
		return err
	}
	flag := ""
	if _, ok := errors.AsType[*filter.BodyLimitError](err); ok {
		flag = s.bodyFlag
	}
	if t, ok := errors.AsType[*filter.TimeoutError](err); ok && !t.Memory {
		flag = "regex-timeout"
	}
	if flag != "" {
		e.Err = &limitError{e.Err, dumpfile.LimitError{Limit: flag}}
	}
	return e
}

// selection returns the selection that --filter asks for, nil if it was not
// given, and warns of what is probably not meant.
func (f *filterFlags) selection(a *app, loc *time.Location) (*selection, error) {
	if !f.given() {
		return nil, nil
	}
	s, err := f.parse(a, loc)
	if err == nil {
		a.warn(s.Expr())
	}
	return s, err
}

// needsContent tells whether bodies and messages have to be at hand.
func (s *selection) needsContent() bool { return s != nil && s.NeedsContent() }

// parse parses and compiles the expression of f.
func (f *filterFlags) parse(a *app, loc *time.Location) (*selection, error) {
	if f.timeout <= 0 {
		return nil, usagef("--regex-timeout is more than 0, not %v", f.timeout)
	}
	expr, err := filter.Parse(f.expr, &filter.Options{
		Mitmproxy:     f.mitmproxy,
		CaseSensitive: a.getenv("MITMPROXY_CASE_SENSITIVE_FILTERS") == "1",
		Location:      loc,
		Timeout:       f.timeout,
	})
	if err != nil {
		usage := &usageError{msg: err.Error()}
		if e, ok := errors.AsType[*filter.SyntaxError](err); ok && strings.TrimSpace(e.Text) != "" {
			usage.detail = pointAt(e.Text, e.Offset, e.Len)
		}
		return nil, usage
	}
	s := &selection{Filter: filter.Compile(expr), bodyFlag: f.bodyFlag}
	s.MaxBody = int64(f.maxBody)
	return s, nil
}

// pointAt shows the line of text that a place is in, and a caret for each
// column of the place below it. A place that is not on the first line, or far
// into a long one, is shown all the same.
func pointAt(text string, offset, n int) string {
	const before, after = 60, 40 // bytes that are shown
	begin := strings.LastIndexByte(text[:offset], '\n') + 1
	line := text[begin:]
	if i := strings.IndexByte(text[offset:], '\n'); i >= 0 {
		line = text[begin : offset+i]
	}
	at := offset - begin
	left, right := "", ""
	if cut := at - before; cut > 0 {
		for !utf8.RuneStart(line[cut]) {
			cut++
		}
		left, line, at = "…", line[cut:], at-cut
	}
	if end := at + n + after; end < len(line) {
		for end > 0 && !utf8.RuneStart(line[end]) {
			end--
		}
		line, right = line[:end], "…"
	}
	n = min(n, len(line)-at)
	head := left + contentview.Escape(line[:at], false)
	mark := contentview.Escape(line[at:at+n], false)
	rest := contentview.Escape(line[at+n:], false) + right
	return fmt.Sprintf("\n  %s%s%s\n  %s%s", head, mark, rest,
		strings.Repeat(" ", display.Width(head)), strings.Repeat("^", max(1, display.Width(mark))))
}

// prepare finds out what the filter has to know of the capture as a whole.
func (s *selection) prepare(ctx context.Context, r *reader, inputs []string) error {
	if s == nil || !s.NeedsSpan() {
		return nil
	}
	s.first, s.last = math.Inf(1), math.Inf(-1)
	for _, arg := range inputs {
		if err := s.span(ctx, r, arg); err != nil {
			return err
		}
	}
	return nil
}

// span looks for the first and the last start of a flow in an input. What is
// wrong with the input is found again, and told, when it is filtered.
func (s *selection) span(ctx context.Context, r *reader, arg string) error {
	if f, ok := r.in.(*os.File); ok && arg == "-" && isRegular(f) {
		// It is not opened again, and need not be at its beginning.
		begin, err := f.Seek(0, io.SeekCurrent)
		if err != nil {
			return err
		}
		defer f.Seek(begin, io.SeekStart)
	}
	type span struct {
		first, last float64
		any         bool
		viewer      flow.Viewer
	}
	once := &reader{app: r.app, cmd: r.cmd, flags: r.flags, quiet: true}
	first, last := math.Inf(1), math.Inf(-1) // of groups that need not be decoded
	known := func(g *formats.Group) bool {
		starts := g.Facts.Starts
		if starts.Known && starts.Min <= starts.Max {
			first, last = min(first, starts.Min), max(last, starts.Max)
		}
		return !starts.Known
	}
	err := each(ctx, once, arg, needs{only: []string{"request"}, dropLarge: true, want: known}, func(in *formats.Input) error {
		if once.live {
			return usagef("a time relative to the start or end of the capture takes reading it twice, which is not possible for %s: save it to a file first", inputName(arg))
		}
		return nil
	}, func(it *pipeline.Item, p *span) error {
		f, err := it.View(&p.viewer)
		if err != nil {
			return err
		}
		if t := f.TimestampStart(); !t.IsNull() && t.Unix() != 0 { // 0 is unknown, too
			if !p.any {
				p.first, p.last, p.any = t.Unix(), t.Unix(), true
			}
			p.first, p.last = min(p.first, t.Unix()), max(p.last, t.Unix())
		}
		return nil
	}, func(p *span) error {
		if p.any {
			s.first, s.last = min(s.first, p.first), max(s.last, p.last)
		}
		p.any = false
		return nil
	})
	if fatal(err) {
		return err
	}
	s.first, s.last = min(s.first, first), max(s.last, last)
	return nil
}

// matches tells whether the selection contains an item, which has the number
// index.
func (s *selection) matches(it *pipeline.Item, index int64) (bool, error) {
	if s == nil {
		return true, nil
	}
	ok, err := s.match(it, &filter.Facts{Index: index, Version: it.Version, First: s.first, Last: s.last})
	if err != nil {
		return false, s.wrap(it, err)
	}
	return ok, nil
}

// match matches an item, of which the values that the filter asks for may have been
// looked up already.
func (s *selection) match(it *pipeline.Item, facts *filter.Facts) (bool, error) {
	if p := it.Picked(); p != nil {
		return s.MatchPicked(p, facts)
	}
	v, err := it.NewestValue()
	if err != nil {
		return false, err
	}
	return s.MatchState(v, facts)
}

// completeFilter completes the operator at the end of an expression.
func completeFilter(_ *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	before, op := toComplete, ""
	if toComplete != "" && !strings.ContainsRune(" (!&|", rune(toComplete[len(toComplete)-1])) {
		i := strings.LastIndexByte(toComplete, '~')
		if i < 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp // within a word
		}
		before, op = toComplete[:i], toComplete[i+1:]
	}
	var out []string
	for _, o := range filter.Operators() {
		if strings.HasPrefix(o.Code, op) {
			out = append(out, before+o.String()+"\t"+o.Summary)
		}
	}
	return out, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}
