package main

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flowtool/flowtool/display"
	"github.com/flowtool/flowtool/formats"
	"github.com/flowtool/flowtool/migrate"
)

type convertOptions struct {
	input  inputFlags
	filter filterFlags
	output outputFlags
	target targetFlags
	format formatFlags
	utc    bool
}

// formatFlags are flags for some of the formats.
type formatFlags struct {
	plain      bool
	fields     string
	formulas   bool
	decode     bool
	preserveIP bool
	maxBody    size
	given      func(flag string) bool // nil if the command does not have them
}

// flagsOf says for which formats the flags are.
var flagsOf = []struct {
	flag    string
	formats []string
}{
	{"plain", []string{"har", "zhar"}},
	{"fields", []string{"csv", "tsv"}},
	{"formulas", []string{"csv", "tsv"}},
	{"decode", []string{"raw", "raw-request", "raw-response"}},
	{"preserve-ip", []string{"curl"}},
	{"max-body", []string{"har", "zhar", "curl", "httpie", "raw", "raw-request", "raw-response"}},
}

func (f *formatFlags) add(cmd *cobra.Command) {
	f.given = cmd.Flags().Changed
	fl := cmd.Flags()
	fl.BoolVar(&f.plain, "plain", false, "har: leave out fields that HAR 1.2 does not define, without which it is not reversible")
	fl.StringVar(&f.fields, "fields", "", "csv, tsv: write these `columns` (see help fields)")
	fl.BoolVar(&f.formulas, "formulas", false, "csv, tsv: leave cells as they are that a spreadsheet takes for formulas or, in tsv, for quoted")
	fl.BoolVar(&f.decode, "decode", false, "raw: undo the content coding of bodies")
	fl.BoolVar(&f.preserveIP, "preserve-ip", false, "curl: connect to the address that was connected to")
	fl.Var(&f.maxBody, "max-body", "har, curl, httpie, raw: largest body, decoded (default 64M for har, 16M for the others)")
	_ = cmd.RegisterFlagCompletionFunc("fields", completeFields)
}

// options adds what the flags ask for to the options for a format.
func (f *formatFlags) options(to *formats.Format, o *formats.SinkOptions) error {
	if f.given == nil {
		return nil
	}
	for _, of := range flagsOf {
		if f.given(of.flag) && !slices.Contains(of.formats, to.Name) {
			return usagef("--%s is for format %s, not for %s", of.flag, strings.Join(of.formats, ", "), to.Name)
		}
	}
	o.Plain, o.Formulas, o.Decode, o.PreserveIP, o.MaxBody = f.plain, f.formulas, f.decode, f.preserveIP, int64(f.maxBody)
	if !f.given("fields") {
		return nil
	}
	var err error
	if o.Columns, err = display.ParseColumns(f.fields); err != nil {
		return usagef("%v", err)
	}
	return nil
}

func newConvertCmd(a *app) *cobra.Command {
	opts := convertOptions{}
	cmd := &cobra.Command{
		Use:   "convert [FILE...]",
		Short: "Write flows in another format",
		Long: `convert reads flows in one format and writes them in another: --to, or what the
name of the output asks for, or the format of the first input. Output to a file
whose name ends in .gz or .zst is compressed. The flows keep their format
version, unless --format-version asks for another one, and everything else: a
dump that is converted to JSON Lines or a flowpack and back is the same, byte
for byte, and so are HTTP flows by way of a HAR. What a format cannot express is
skipped and told, and the exit status is 3. What is written in another way than it
was, or left out of a flow because of --plain, is a warning.

"flowtool help formats" lists the formats and the format versions.`,
		Example: `  flowtool convert capture.mitm -o capture.jsonl
  flowtool convert --to jsonl capture.mitm | jq -r .request.path
  flowtool convert capture.jsonl -o capture.mitm      # and back
  jq -c '.comment = "seen"' capture.jsonl | flowtool convert --to mitm >noted.mitm
  flowtool convert -f '~d shop' old.mitm.gz -o shop.mitm.zst
  flowtool convert -f ~http capture.mitm -o capture.har
  flowtool convert from-the-browser.har -o capture.mitm
  flowtool convert --to curl -f '~id 8d2f' capture.mitm | sh
  flowtool convert --fields time,method,url,status capture.mitm -o capture.csv
  flowtool convert --format-version 17 --allow-loss new.mitm -o for-8.1.1.mitm`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runConvert(cmd.Context(), a, cmd, &opts, args)
		},
	}
	cmd.Flags().BoolVar(&opts.utc, "utc", false, "times in filters without a zone are in UTC instead of local time")
	opts.output.add(cmd)
	opts.target.add(cmd, "format-version", "")
	opts.format.add(cmd)
	opts.filter.addFlag(cmd)
	opts.input.add(cmd)
	return cmd
}

func newMigrateCmd(a *app) *cobra.Command {
	opts := convertOptions{}
	cmd := &cobra.Command{
		Use:   "migrate [FILE...]",
		Short: "Write flows in another format version",
		Long: `migrate writes flows in another format version, so that an older or newer
mitmproxy reads them: the newest version, or --to. Flows that are of that
version already are copied as they are.

An older version may have no place for something in a flow. Then migrate stops
before it replaces anything and says what would be lost, unless --allow-loss is
given: what is lost is then listed at the end, and the exit status is 3. Flows
of a kind that the version does not know are skipped, which is a loss as well.

"flowtool help formats" says which mitmproxy reads which version.`,
		Example: `  flowtool migrate old.mitm -o new.mitm
  flowtool migrate --to 17 --allow-loss new.mitm -o for-8.1.1.mitm
  flowtool migrate -i archive/*.mitm                   # in place, up to date
  flowtool migrate --to 0.18 --allow-loss --losses lost.jsonl new.mitm -o old.mitm`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runConvert(cmd.Context(), a, cmd, &opts, args)
		},
	}
	cmd.Flags().BoolVar(&opts.utc, "utc", false, "times in filters without a zone are in UTC instead of local time")
	opts.target.add(cmd, "to", migrate.Newest.String())
	opts.output.addFile(cmd)
	opts.filter.addFlag(cmd)
	opts.input.add(cmd)
	return cmd
}

// targetFlags are the flags of commands that write another format version.
type targetFlags struct {
	version   string
	flag      string // the name of the flag that sets version
	allowLoss bool
	losses    string
}

func (f *targetFlags) add(cmd *cobra.Command, flag, version string) {
	f.flag = flag
	fl := cmd.Flags()
	fl.StringVar(&f.version, flag, version, "write format `VERSION`, 0.11 to 21 (see help formats)")
	fl.BoolVar(&f.allowLoss, "allow-loss", false, "go on where the format version has no place for something, and say what is lost")
	fl.StringVar(&f.losses, "losses", "", "write each loss to `FILE`, as a line of JSON with flow, path and what; implies --allow-loss")
	var words []string
	for _, v := range migrate.Versions() {
		if migrate.CheckTarget(v) == nil {
			words = append(words, v.String()+"\tread by mitmproxy "+v.ReadBy())
		}
	}
	completeWords(cmd, flag, words...)
}

// target returns the format version that the flags ask for; the zero Version if
// there is none.
func (f *targetFlags) target() (migrate.Version, error) {
	if f.version == "" {
		if f.allowLoss || f.losses != "" {
			return migrate.Version{}, usagef("--allow-loss and --losses are for --%s", f.flag)
		}
		return migrate.Version{}, nil
	}
	v, err := migrate.ParseVersion(f.version)
	if err == nil {
		err = migrate.CheckTarget(v)
	}
	if err != nil {
		return v, usagef("--%s: %v; \"flowtool help formats\" lists the versions", f.flag, err)
	}
	return v, nil
}

func runConvert(ctx context.Context, a *app, cmd *cobra.Command, opts *convertOptions, args []string) error {
	if err := opts.input.check(); err != nil {
		return err
	}
	target, err := opts.target.target()
	if err != nil {
		return err
	}
	if opts.output.inPlace && target == (migrate.Version{}) {
		return usagef("--in-place is for --format-version: a file in another format should have another name")
	}
	sel, err := opts.filter.selection(a, a.zone(opts.utc))
	if err != nil {
		return err
	}
	c, inputs, err := a.newCopying(cmd, &opts.input, &opts.output, sel, args)
	if err != nil {
		return err
	}
	if c.to != nil && target != (migrate.Version{}) && !c.to.Versions {
		return usagef("--%s and format %s exclude each other: it has no format versions", opts.target.flag, c.to.Name)
	}
	c.target, c.format, c.allowLoss = target, &opts.format, opts.target.allowLoss || opts.target.losses != ""
	if opts.target.losses == "" {
		return c.run(ctx, inputs)
	}
	if sameOutput(opts.target.losses, opts.output.output) {
		return usagef("--losses and --output must not be the same")
	}
	report, err := a.create(opts.target.losses, inputs)
	if err != nil {
		return err
	}
	c.losses.report = report
	err = c.run(ctx, inputs)
	return report.finish(err, a.status)
}
