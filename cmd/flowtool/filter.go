package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flowtool/flowtool/contentview"
	"github.com/flowtool/flowtool/filter"
)

type filterOptions struct {
	input   inputFlags
	filter  filterFlags
	output  outputFlags
	invert  bool
	count   bool
	max     int64
	status  bool
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

The output has the format of the first input, unless --to or its name asks for
another one. It is compressed if the name ends in .gz or .zst. With --in-place a
file keeps its permissions and its compression; one that is damaged is left
alone, because what lies behind the damage would be lost.`,
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
	fl.BoolVar(&opts.explain, "explain", false, "say what EXPR means and how it is run, and read nothing")
	fl.BoolVar(&opts.utc, "utc", false, "times in EXPR without a zone are in UTC instead of local time")
	opts.output.add(cmd)
	opts.filter.add(cmd, "max-body")
	opts.input.add(cmd)
	return cmd
}

func runFilter(ctx context.Context, a *app, cmd *cobra.Command, opts *filterOptions, args []string) error {
	inPlace := opts.output.inPlace
	switch {
	case len(args) == 0:
		return usagef("filter takes an expression, and the files to look into")
	case opts.max < 0:
		return usagef("--max-count is a number of flows, not %d", opts.max)
	case inPlace && opts.count:
		return usagef("--in-place and --count exclude each other")
	case inPlace && opts.max > 0:
		return usagef("--in-place and --max-count exclude each other: the flows behind would be lost")
	}
	if err := opts.input.check(); err != nil {
		return err
	}
	opts.filter.expr = args[0]
	sel, err := opts.filter.parse(a, a.zone(opts.utc))
	if err != nil {
		return err
	}
	if opts.explain {
		return a.explain(sel, opts.output.output)
	}
	a.warn(sel.Expr())
	if info, err := os.Stat(args[0]); err == nil && info.Mode().IsRegular() {
		a.warning(fmt.Sprintf("%s is a file, but stands where the filter belongs", args[0]))
	}
	c, inputs, err := a.newCopying(cmd, &opts.input, &opts.output, sel, args[1:])
	if err != nil {
		return err
	}
	c.invert, c.max, c.count = opts.invert, opts.max, opts.count
	err = c.run(ctx, inputs)
	if err == nil && opts.status && c.kept == 0 && a.status == exitOK {
		a.status = exitNo
	}
	return err
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
func (a *app) explain(sel *selection, output string) error {
	to, err := a.create(output, nil)
	if err != nil {
		return err
	}
	if _, err = to.Write([]byte(explain(sel.Filter))); err != nil {
		err = &outputError{err}
	}
	return to.finish(err, a.status)
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
