package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/filter"
	"github.com/flowtool/flowtool/jsonl"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/pipeline"
	"github.com/flowtool/flowtool/state"
)

// A flowFormat is a format that flows are converted to.
type flowFormat struct {
	name string
	doc  string
	exts []string // of files, the usual one first
	// append appends a record of a dump in this format.
	append func(dst, record []byte) ([]byte, error)
}

// flowFormats is the one table of formats: a new one is a row here.
var flowFormats = []flowFormat{
	{"mitm", "mitmproxy's flow dump", []string{".mitm", ".flow", ".flows", ".dump"},
		func(dst, record []byte) ([]byte, error) { return append(dst, record...), nil }},
	{"jsonl", "JSON Lines, a flow a line (docs/jsonl.md)", []string{".jsonl", ".ndjson"}, jsonl.AppendRecord},
}

// formatNamed returns a format by its name, nil if there is none.
func formatNamed(name string) *flowFormat {
	for i := range flowFormats {
		if flowFormats[i].name == name {
			return &flowFormats[i]
		}
	}
	return nil
}

// formatOfFile returns the format that the name of a file asks for, nil if it
// asks for none. A container around it does not matter.
func formatOfFile(name string) *flowFormat {
	name = strings.TrimSuffix(strings.TrimSuffix(name, ".gz"), ".zst")
	for i := range flowFormats {
		for _, ext := range flowFormats[i].exts {
			if strings.EqualFold(filepath.Ext(name), ext) {
				return &flowFormats[i]
			}
		}
	}
	return nil
}

// formatNames lists the names of the formats, for messages.
func formatNames() string {
	var names []string
	for _, f := range flowFormats {
		names = append(names, f.name)
	}
	return strings.Join(names, " or ")
}

type convertOptions struct {
	input  inputFlags
	filter filterFlags
	to     string
	from   string
	output string
	utc    bool
}

func newConvertCmd(a *app) *cobra.Command {
	opts := convertOptions{}
	cmd := &cobra.Command{
		Use:   "convert [FILE...]",
		Short: "Write flows in another format",
		Long: `convert reads flows in one format and writes them in another: --to, or what the
name of the output asks for, or the format of the first input. Output to a file
whose name ends in .gz or .zst is compressed. The flows keep their format
version and everything else; a dump that is converted to JSON Lines and back is
the same, byte for byte.

"flowtool help formats" lists the formats.`,
		Example: `  flowtool convert capture.mitm -o capture.jsonl
  flowtool convert --to jsonl capture.mitm | jq -r .request.path
  flowtool convert capture.jsonl -o capture.mitm      # and back
  jq -c '.comment = "seen"' capture.jsonl | flowtool convert --to mitm >noted.mitm
  flowtool convert -f '~d shop' old.mitm.gz -o shop.mitm.zst`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runConvert(cmd.Context(), a, cmd, &opts, args)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&opts.to, "to", "", "write `FORMAT`")
	fl.StringVar(&opts.from, "from", "", "the inputs are `FORMAT` (default: found from their content)")
	fl.BoolVar(&opts.utc, "utc", false, "times in filters without a zone are in UTC instead of local time")
	opts.filter.addFlag(cmd)
	addOutput(cmd, &opts.output)
	opts.input.add(cmd)
	var words []string
	for _, f := range flowFormats {
		words = append(words, f.name+"\t"+f.doc)
	}
	completeWords(cmd, "to", words...)
	completeWords(cmd, "from", words...)
	return cmd
}

// converting is a run of the convert command over all its inputs.
type converting struct {
	*app
	cmd     *cobra.Command
	opts    *convertOptions
	sel     *selection // nil without a filter
	to      *flowFormat
	out     *bufio.Writer
	live    bool  // the input at hand may keep us waiting for the next flow
	base    int64 // flows in the inputs before
	bar     *progress
	abandon context.CancelFunc // ends reading of the input at hand
}

func runConvert(ctx context.Context, a *app, cmd *cobra.Command, opts *convertOptions, args []string) error {
	if err := opts.input.check(); err != nil {
		return err
	}
	for _, f := range []struct{ flag, name string }{{"to", opts.to}, {"from", opts.from}} {
		if cmd.Flags().Changed(f.flag) && formatNamed(f.name) == nil {
			return usagef("--%s is %s, not %q", f.flag, formatNames(), f.name)
		}
	}
	c := &converting{app: a, cmd: cmd, opts: opts}
	c.to = cmp.Or(formatNamed(opts.to), formatOfFile(opts.output))
	loc := a.local
	if opts.utc {
		loc = time.UTC
	}
	var err error
	if c.sel, err = opts.filter.selection(a, loc); err != nil {
		return err
	}
	inputs, err := a.inputs(args)
	if err != nil {
		return err
	}
	if err := c.sel.prepare(ctx, a, &opts.input, inputs); err != nil {
		return err
	}
	to, err := a.create(opts.output, inputs)
	if err != nil {
		return err
	}
	c.bar = a.newProgress(&opts.input)
	defer c.bar.done()
	err = c.write(ctx, to, inputs)
	return to.finish(err, a.status)
}

// write converts all inputs.
func (c *converting) write(ctx context.Context, to *output, inputs []string) error {
	packed, err := dumpfile.NewCompressor(to, containerOf(c.opts.output))
	if err != nil {
		return err
	}
	c.out = bufio.NewWriterSize(packed, 256<<10)
	for _, arg := range inputs {
		if err := c.input(ctx, arg, to); err != nil {
			if fatal(err) {
				return err
			}
			c.bar.clear()
			c.report(c.cmd, err)
		}
	}
	if err := cmp.Or(c.out.Flush(), packed.Close()); err != nil {
		return &outputError{err}
	}
	return nil
}

// input converts one input.
func (c *converting) input(ctx context.Context, arg string, to *output) error {
	opened, abandon := context.WithCancel(ctx)
	defer abandon()
	c.abandon = abandon
	in, name, done, err := c.open(opened, arg)
	if err != nil {
		return err
	}
	defer done()
	c.live = !rereadable(in)
	d := dumpfile.NewReader(in, c.opts.input.options(name))
	defer d.Close()
	from := formatNamed(c.opts.from)
	if from == nil {
		var format dumpfile.Format
		format, _, err = d.Format()
		switch {
		case format == dumpfile.FormatJSON:
			from = formatNamed("jsonl")
		case err != nil:
			return err
		default:
			from = formatNamed("mitm")
		}
	}
	if c.to == nil {
		c.to = from
	}
	if c.to.name == "mitm" && to.stdout && c.outTTY && c.opts.output == "" {
		return usagef("a dump is not for terminals: name a file with -o, choose another format with --to, or insist with -o -")
	}
	c.bar.start(d)
	if from.name == "jsonl" {
		return c.lines(ctx, d, name)
	}
	return c.records(ctx, d)
}

// converted is the output of a batch.
type converted struct {
	text    []byte
	through progressMark
}

// records converts a dump.
func (c *converting) records(ctx context.Context, d *dumpfile.Reader) error {
	err := pipeline.Run(ctx, d, c.opts.input.workers, func(it *pipeline.Item, out *converted) error {
		out.through.set(it)
		if c.opts.input.strict {
			if _, err := it.Flow(true); err != nil {
				return err
			}
		}
		if ok, err := c.sel.matches(it, c.base+it.Index); err != nil || !ok {
			return err
		}
		record, err := it.Bytes()
		if err != nil {
			return err
		}
		text, err := c.to.append(out.text, record)
		if err != nil {
			return it.Wrap(err)
		}
		out.text = text
		return nil
	}, func(out *converted) error {
		err := c.put(out.text)
		if out.text = out.text[:0]; cap(out.text) > keepText {
			out.text = nil
		}
		if err != nil {
			c.abandon()
		}
		c.bar.update(&out.through)
		return err
	})
	if e, ok := errors.AsType[*dumpfile.Error](err); ok {
		c.base += e.Flow
	} else {
		c.base += d.Count()
	}
	return err
}

// put writes what a batch gave.
func (c *converting) put(text []byte) error {
	_, err := c.out.Write(text)
	if err == nil && c.live {
		err = c.out.Flush()
	}
	if err != nil {
		return &outputError{err}
	}
	return nil
}

// lines converts JSON Lines.
func (c *converting) lines(ctx context.Context, d *dumpfile.Reader, name string) error {
	if c.sel != nil && c.sel.NeedsSpan() {
		return usagef("a time relative to the start or end of the capture is possible for dumps only: convert %s to one first", name)
	}
	flags := &c.opts.input
	r := jsonl.NewReader(d.Content(), &jsonl.ReaderOptions{
		Name: name, MaxLine: int(flags.maxRecord), MaxDepth: flags.maxDepth, MaxElements: flags.maxElems,
	})
	stream := migrate.NewStream(nil)
	var batch jsonl.Batch
	var out converted
	var record []byte
	for index := c.base; ; {
		err := r.ReadBatch(&batch)
		if err == io.EOF {
			return nil
		}
		for i := range batch.Lines {
			line := &batch.Lines[i]
			if err := ctx.Err(); err != nil {
				return err
			}
			if record, err = line.Record(record[:0]); err != nil {
				break
			}
			if err = line.Wrap(checkVersion(record)); err != nil {
				break
			}
			ok, matchErr := c.lineMatches(line, stream, index)
			if err = matchErr; err != nil {
				break
			}
			index++
			if !ok {
				continue
			}
			if out.text, err = c.to.append(out.text, record); err != nil {
				err = line.Wrap(err)
				break
			}
		}
		c.base = index
		if putErr := c.put(out.text); putErr != nil {
			return putErr
		}
		out.text = out.text[:0]
		if len(batch.Lines) > 0 {
			last := &batch.Lines[len(batch.Lines)-1]
			out.through = progressMark{offset: last.Offset + int64(len(last.Data)), flows: int64(len(batch.Lines))}
			c.bar.update(&out.through)
		}
		if err != nil {
			return err
		}
	}
}

// checkVersion returns an error if a record has no format version that is known,
// and so is no flow.
func checkVersion(record []byte) error {
	v, err := state.Open(&state.Source{Codec: tnetstring.Codec{}, Data: record})
	if err != nil {
		return err
	}
	m, err := v.Map()
	if err == nil {
		_, err = migrate.VersionOf(m)
	}
	return err
}

// lineMatches tells whether the selection contains the flow of a line.
func (c *converting) lineMatches(line *jsonl.Line, stream *migrate.Stream, index int64) (bool, error) {
	if c.sel == nil {
		return true, nil
	}
	m, err := line.State()
	if err != nil {
		return false, err
	}
	version, err := migrate.VersionOf(m)
	if err == nil {
		m, err = stream.Up(m)
	}
	if err != nil {
		return false, line.Wrap(err)
	}
	v := m.Value()
	ok, err := c.sel.MatchState(&v, &filter.Facts{Index: index, Version: version})
	return ok, line.Wrap(err)
}
