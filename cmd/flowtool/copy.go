package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"

	"github.com/spf13/cobra"

	"github.com/flowtool/flowtool/contentview"
	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/formats"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/pipeline"
)

// outputFlags are the flags of commands that write flows.
type outputFlags struct {
	to      string
	output  string
	inPlace bool
	level   int
	chunk   size
	given   func() bool // whether to was
}

func (f *outputFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.to, "to", "", "write `FORMAT` (default: what the name of the output asks for, or that of the input)")
	completeWords(cmd, "to", formatWords((*formats.Format).CanWrite)...)
	f.given = func() bool { return cmd.Flags().Changed("to") }
	f.addFile(cmd)
}

// addFile adds the flags for commands that keep the format.
func (f *outputFlags) addFile(cmd *cobra.Command) {
	addOutput(cmd, &f.output)
	fl := cmd.Flags()
	fl.IntVar(&f.level, "level", 0, "how hard to compress: 1 to 9 with gzip, 1 to 19 with zstd and flowpack (default: what these do)")
	fl.Var(&f.chunk, "chunk-size", "`size` of the chunks of a flowpack before compression (default 4M)")
	fl.BoolVarP(&f.inPlace, "in-place", "i", false, "replace each FILE by what is written of it")
}

// maxChunkSize keeps chunks far below what readers take.
const maxChunkSize = 1 << 30

// format returns the format that the flags ask for, nil if it is that of the input.
func (f *outputFlags) format() (*formats.Format, error) {
	switch {
	case f.inPlace && f.output != "":
		return nil, usagef("--in-place and --output exclude each other")
	case f.inPlace && f.to != "":
		return nil, usagef("--in-place and --to exclude each other: the name of a file should say what it is")
	case f.level < 0 || f.level > dumpfile.MaxLevel:
		return nil, usagef("--level is 1 to %d, not %d", dumpfile.MaxLevel, f.level)
	case f.chunk > maxChunkSize:
		return nil, usagef("--chunk-size is at most 1G")
	}
	if f.given == nil || !f.given() {
		return formats.OfFile(f.output), nil
	}
	to := formats.Named(f.to)
	if to == nil || !to.CanWrite() {
		return nil, usagef("--to is %s, not %q", formatNames((*formats.Format).CanWrite), f.to)
	}
	return to, nil
}

// compression returns an error if the flags about compression do not fit the output.
func (f *outputFlags) compression(to *formats.Format, container dumpfile.Container) error {
	switch {
	case f.chunk > 0 && !to.Packs:
		return usagef("--chunk-size is for flowpacks")
	case f.level > 0 && !to.Packs && container == dumpfile.ContainerNone:
		return usagef("--level is for output that is compressed: a flowpack, or a file whose name ends in .gz or .zst")
	case f.level > gzip.BestCompression && !to.Packs && container == dumpfile.ContainerGzip:
		return usagef("--level is 1 to %d for gzip, not %d", gzip.BestCompression, f.level)
	}
	return nil
}

// newCopying returns a run over the inputs that args ask for.
func (a *app) newCopying(cmd *cobra.Command, in *inputFlags, out *outputFlags, sel *selection, args []string) (*copying, []string, error) {
	if out.inPlace && (len(args) == 0 || slices.Contains(args, "-")) {
		return nil, nil, usagef("--in-place is for files, not for standard input")
	}
	to, err := out.format()
	if err != nil {
		return nil, nil, err
	}
	inputs, err := a.inputs(args)
	if err != nil {
		return nil, nil, err
	}
	return &copying{reader: reader{app: a, cmd: cmd, flags: in, sel: sel}, flags: out, to: to}, inputs, nil
}

// copying is a run of a command that writes flows of its inputs: filter, convert,
// migrate, revert.
type copying struct {
	reader
	flags     *outputFlags
	format    *formatFlags    // nil if the command has none
	to        *formats.Format // nil if it is that of the first input
	invert    bool            // write what the filter does not select
	max       int64           // stop after so many flows; 0: all
	count     bool            // write nothing
	allowLoss bool
	// edit, if it is there, is done to the flows that the filter selects, and all
	// flows are written. It returns what takes the place of a flow, nil if that
	// stays as it is.
	edit func(*pipeline.Item) (*pipeline.Item, error)

	container dumpfile.Container
	stdout    bool
	buf       *dumpfile.Buffer
	sink      formats.Sink // nil until the format is known
	kept      int64
	dropped   int64 // of the input at hand
	edited    int64
	refused   map[string]*refusal // what the format cannot express
	losses    losses
	late      []string // warnings about what was written
}

// piece is what is to be written of a batch.
type piece struct {
	formats.Chunk
	kept    int   // flows that are written, or counted
	seen    int64 // flows that were looked at
	edited  int64
	refused []formats.Note
	lost    []migrate.Loss
}

// refusal is what the format has no way to express, or not as it is.
type refusal struct {
	reason string
	flows  int64
	first  int64 // the number of the first of these flows
	noted  bool  // the flow is written, but something in it is not as it was
}

// needs tells what the command is going to look at.
func (c *copying) needs() needs {
	if c.edit != nil {
		return needs{}
	}
	n := needs{want: c.wants(c.invert)}
	if !c.count && (c.target != (migrate.Version{}) || c.to != nil && !c.to.Copies()) {
		return n
	}
	n.skim = !c.sel.needsContent()
	if c.sel != nil {
		n.only = c.sel.Needs()
	}
	n.dropLarge = n.skim && c.count
	return n
}

// run copies all inputs.
func (c *copying) run(ctx context.Context, inputs []string) (err error) {
	c.bar = c.newProgress(c.reader.flags)
	defer c.bar.done()
	c.refused = make(map[string]*refusal)
	if c.flags.inPlace {
		err = c.all(ctx, inputs, c.replace)
	} else {
		err = c.concatenate(ctx, inputs)
	}
	c.bar.done()
	if err == nil {
		c.reportLosses()
	}
	return err
}

// concatenate writes what is kept of all inputs to one output.
func (c *copying) concatenate(ctx context.Context, inputs []string) error {
	if err := c.sel.prepare(ctx, &c.reader, inputs); err != nil {
		return err
	}
	to, err := c.create(c.flags.output, inputs)
	if err != nil {
		return err
	}
	err = c.write(ctx, to, formats.ContainerOfFile(c.flags.output), inputs)
	if err == nil && c.count {
		if _, err = fmt.Fprintln(to, c.kept); err != nil {
			err = &outputError{err}
		}
	}
	return to.finish(err, c.status)
}

// write writes what is kept of the inputs to an output, in a container.
func (c *copying) write(ctx context.Context, to *output, container dumpfile.Container, inputs []string) error {
	if c.count {
		return c.all(ctx, inputs, c.input)
	}
	c.container = container
	packed, err := dumpfile.NewCompressor(to, container, c.flags.level)
	if err != nil {
		return err
	}
	c.stdout = to.stdout
	c.buf = dumpfile.NewBuffer(packed)
	if container == dumpfile.ContainerNone {
		c.buf = dumpfile.NewBuffer(to.Writer) // which may be a file
	}
	if err = c.all(ctx, inputs, c.input); err == nil && c.to != nil {
		err = c.begin(c.to, nil) // also if there is nothing to write
	}
	var closed error
	if c.sink != nil && (c.kept > 0 || c.status != exitTrouble) { // or else write nothing at all
		closed = c.sink.Close()
		if w, ok := c.sink.(formats.Warner); ok && closed == nil {
			c.late = append(c.late, w.Warnings()...)
		}
	}
	closed = cmp.Or(closed, c.buf.Flush(), packed.Close())
	c.sink = nil
	if err == nil && closed != nil && !errors.Is(closed, io.ErrUnexpectedEOF) { // of an input, which was told
		err = &outputError{closed}
	}
	return err
}

// begin begins with the output, in a format, unless that has happened. in is the
// first input, nil if there is none.
func (c *copying) begin(f *formats.Format, in *formats.Input) (err error) {
	if c.sink != nil || c.count {
		return nil
	}
	if c.to == nil {
		c.to = f
	}
	if !c.to.CanWrite() {
		return usagef("format %s cannot be written: choose another one with --to", c.to.Name)
	}
	if !c.to.Text && c.stdout && c.outTTY && c.flags.output == "" {
		return usagef("%s is not for terminals: list the flows with \"flowtool read\", name a file with -o, or insist with -o -", "a "+c.to.Doc)
	}
	opts := &formats.SinkOptions{
		From: in, Software: "flowtool " + version, Workers: c.reader.flags.workers, Level: c.flags.level, ChunkSize: int(c.flags.chunk),
	}
	if err := c.flags.compression(c.to, c.container); err != nil {
		return err
	}
	if c.format != nil {
		if err := c.format.options(c.to, opts); err != nil {
			return err
		}
	}
	if c.memory != nil && (!c.to.Copies() || c.target != (migrate.Version{})) {
		c.memory(moreMemory)
	}
	c.sink, err = c.to.Create(c.buf, opts)
	return err
}

// input copies one input.
func (c *copying) input(ctx context.Context, arg string) error {
	to, begun := c.to, c.sink != nil
	err := each(ctx, &c.reader, arg, c.needs(), func(in *formats.Input) error {
		if in.Format == nil {
			return nil // nothing comes from it
		}
		return c.begin(in.Format, in)
	}, c.work, c.emit)
	if !begun && holdsNoFlows(err) {
		c.to, c.sink = to, nil // it was of no format at all
	}
	return err
}

// work looks at a flow, and encodes it if it is wanted.
func (c *copying) work(it *pipeline.Item, p *piece) error {
	if err := c.check(it); err != nil {
		return err
	}
	if it.Version == (migrate.Version{}) {
		_, err := it.Newest() // what has no version is no flow
		return err
	}
	ok, err := c.sel.matches(it, c.index(it))
	if err != nil {
		return err
	}
	p.seen++
	if ok == c.invert && c.edit == nil {
		return nil
	}
	switch {
	case c.count:
	case c.edit != nil && ok:
		err = c.encodeEdited(it, p)
	case c.target != (migrate.Version{}):
		err = c.encodeMigrated(it, p)
	default:
		err = c.encode(it, p)
	}
	if err != nil {
		return err
	}
	if p.kept++; c.max > 0 && int64(p.kept) >= c.max {
		return pipeline.ErrStop // more are not wanted, whatever came before
	}
	return nil
}

// encode encodes a flow.
func (c *copying) encode(it *pipeline.Item, p *piece) error {
	p.Base = c.base
	err := c.sink.Encode(&p.Chunk, it)
	if skip, ok := errors.AsType[*formats.SkipError](err); ok {
		p.refused = append(p.refused, formats.Note{Index: it.Index, Text: skip.Reason})
		p.kept--
		return nil
	}
	return err
}

// encodeMigrated encodes a flow in another format version.
func (c *copying) encodeMigrated(it *pipeline.Item, p *piece) error {
	records, lost, err := it.Migrated()
	if err != nil {
		return err
	}
	if len(lost) > 0 && !c.allowLoss {
		return it.Wrap(&migrate.LossError{To: c.target, Losses: lost})
	}
	p.lost = append(p.lost, lost...)
	for i := range records {
		if err := c.encode(&pipeline.Item{Record: &records[i], Version: c.target}, p); err != nil {
			return err
		}
	}
	return nil
}

// encodeEdited encodes what takes the place of a flow.
func (c *copying) encodeEdited(it *pipeline.Item, p *piece) error {
	edited, err := c.edit(it)
	if err != nil {
		return it.Wrap(err)
	}
	if edited == nil {
		return c.encode(it, p)
	}
	p.edited++
	return c.encode(edited, p)
}

// emit writes what is kept of a batch.
func (c *copying) emit(p *piece) (stop error) {
	defer p.reset()
	if left := c.max - c.kept; c.max > 0 && int64(p.kept) >= left {
		p.kept, stop = int(left), pipeline.ErrStop
		if !c.count {
			p.Truncate(p.kept)
		}
	}
	c.kept += int64(p.kept)
	c.dropped += p.seen - int64(p.kept)
	c.edited += p.edited
	c.refuse(p.refused, false)
	c.refuse(p.Notes, true)
	if err := c.losses.add(p.lost); err != nil {
		return err
	}
	if c.sink == nil {
		return stop // flows are counted only, or there are none
	}
	err := c.sink.Write(&p.Chunk)
	if err == nil && c.live {
		err = cmp.Or(c.sink.Flush(), c.buf.Flush())
	}
	if err != nil {
		if _, ok := errors.AsType[*dumpfile.Error](err); !ok {
			err = &outputError{err}
		}
		return err
	}
	return stop
}

func (p *piece) reset() {
	p.Chunk.Reset()
	p.kept, p.seen, p.edited = 0, 0, 0
	p.refused, p.lost = p.refused[:0], p.lost[:0]
}

// replace replaces a file by what is kept of it. A file that cannot be read to its
// end stays as it is, and so does one that would not change.
func (c *copying) replace(ctx context.Context, arg string) error {
	container, format, err := c.kind(ctx, arg)
	if err != nil {
		return err
	}
	to, err := c.rewrite(arg)
	if err != nil {
		return err
	}
	before := c.status
	c.status, c.dropped = exitOK, 0
	edited := c.edited
	c.base = 0 // each file is a capture of its own
	c.to = format
	if err = c.sel.prepare(ctx, &c.reader, []string{arg}); err == nil {
		err = c.write(ctx, to, container, []string{arg})
	}
	failed := c.status
	if before != exitOK && failed != exitTrouble {
		c.status = before
	}
	switch {
	case err != nil || failed != exitOK:
		if failed == exitLossy {
			fmt.Fprintf(c.errOut, "flowtool: %s: not replaced, because the rest of it would be lost\n", contentview.Escape(arg, false))
		}
		return to.discard(err)
	case c.dropped == 0 && c.edited == edited && c.target == (migrate.Version{}):
		return to.discard(nil)
	}
	return to.finish(nil, exitOK)
}

// kind tells what a file is.
func (c *copying) kind(ctx context.Context, arg string) (dumpfile.Container, *formats.Format, error) {
	in, name, done, err := c.open(ctx, arg)
	if err != nil {
		return 0, nil, err
	}
	defer done()
	if !rereadable(in) {
		return 0, nil, usagef("%s is not a regular file, so it cannot be replaced", name)
	}
	src, err := formats.Open(in, c.reader.flags.options(name, needs{}))
	if err != nil {
		return 0, nil, err
	}
	return src.Container, src.Format, src.Close()
}

// reportLosses says what was lost, and which flows could not be expressed.
func (c *copying) reportLosses() {
	for _, kind := range c.losses.kinds {
		c.lost(kind.words())
	}
	list := slices.SortedFunc(maps.Values(c.refused), func(a, b *refusal) int { return cmp.Compare(a.first, b.first) })
	for i, r := range list {
		if i == maxReasons {
			c.lost(fmt.Sprintf("and %d more such reasons", len(list)-i))
			break
		}
		if r.noted {
			c.warning(fmt.Sprintf("%s changed, the first is flow %d: %s", flows(r.flows), r.first, r.reason))
			continue
		}
		c.lost(fmt.Sprintf("%s skipped, the first is flow %d: %s", flows(r.flows), r.first, r.reason))
	}
	for _, text := range c.late {
		c.warning(text)
	}
}

// maxReasons is how many reasons for skipping flows are told.
const maxReasons = 50

// refuse takes note of what the format cannot express.
func (c *copying) refuse(list []formats.Note, noted bool) {
	for _, n := range list {
		r := c.refused[n.Text]
		if r == nil {
			r = &refusal{reason: n.Text, first: c.base + n.Index, noted: noted}
			c.refused[n.Text] = r
		}
		r.flows++
	}
}

// lost says that something was lost, which changes the exit status.
func (a *app) lost(msg string) {
	if a.status == exitOK {
		a.status = exitLossy
	}
	fmt.Fprintf(a.errOut, "flowtool: %s\n", contentview.Escape(msg, false))
}

// formatWords lists the formats that can be used in some way for completion.
func formatWords(can func(*formats.Format) bool) []string {
	var words []string
	for _, f := range formats.All() {
		if can(f) {
			words = append(words, f.Name+"\t"+f.Doc)
		}
	}
	return words
}

// formatNames is the same for messages.
func formatNames(can func(*formats.Format) bool) string {
	var names []string
	for _, f := range formats.All() {
		if can(f) {
			names = append(names, f.Name)
		}
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
