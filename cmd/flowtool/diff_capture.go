package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/dumpfile/tnetstring"
	"github.com/flowtool/flowtool/flow"
	"github.com/flowtool/flowtool/flowdiff"
	"github.com/flowtool/flowtool/formats"
	"github.com/flowtool/flowtool/migrate"
	"github.com/flowtool/flowtool/pipeline"
)

// A capture is one of the two that are compared. It is read once for the entries of
// its flows, and again for the flows.
type capture struct {
	arg     string
	entries []flowdiff.Entry // of all flows
	chosen  []bool           // which of them the filter selects; nil if there is none
	cut     bool             // it could not be read to its end
	was     os.FileInfo      // the file when it was read first
	spool   *spool           // the flows of entries, if the input cannot be read again
	file    *os.File         // for reading at any offset; nil if that is not wanted
	start   int64            // where the dump begins in file
	opened  bool             // file is to be closed
}

// close ends the use of the capture.
func (c *capture) close() error {
	if c.spool != nil {
		return c.spool.close()
	}
	if c.opened {
		return c.file.Close()
	}
	return nil
}

// errOneByOne ends the first reading of a dump of flows so old that each depends
// on what came before it.
var errOneByOne = errors.New("flows have to be read in order")

// entriesPiece is what is kept of a batch.
type entriesPiece struct {
	keyer   *flowdiff.Keyer
	viewer  flow.Viewer
	entries []flowdiff.Entry
	chosen  []bool
	records []byte // for the spool
}

// bytesPerFlow is what entries and their pairing take, with room for growing.
const bytesPerFlow = 256

// capture reads a capture for its entries. With anywhere, its flows can be read in
// any order afterwards, otherwise only in its own.
func (d *diffing) capture(ctx context.Context, arg string, keyer *flowdiff.Keyer, anywhere bool) (*capture, error) {
	c := &capture{arg: arg}
	err := d.sel.prepare(ctx, &d.reader, []string{arg})
	if err == nil {
		err = d.collect(ctx, c, keyer, anywhere)
	}
	if err == errOneByOne {
		if c.spool, err = newSpool(inputName(arg)); err == nil {
			c.entries, c.chosen = nil, nil
			err = d.collect(ctx, c, keyer, anywhere)
		}
	}
	if err != nil && statusOf(err) == exitLossy && d.base > 0 {
		d.fault(err) // what comes before the damage can be compared
		c.cut, err = true, nil
	}
	if err == nil {
		err = c.reopen(d.app, anywhere)
	}
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// collect reads a capture for the first time.
func (d *diffing) collect(ctx context.Context, c *capture, keyer *flowdiff.Keyer, anywhere bool) error {
	d.base = 0 // each capture has its own numbers
	c.was, _ = d.stat(c.arg)
	return each(ctx, &d.reader, c.arg, needs{}, func(in *formats.Input) (err error) {
		plain := in.Format == nil || in.Format == mitmFormat() && in.Container == dumpfile.ContainerNone
		if c.spool == nil && (d.live || anywhere && !plain) {
			c.spool, err = newSpool(inputName(c.arg))
		}
		return err
	}, func(it *pipeline.Item, p *entriesPiece) error {
		return d.enter(c, it, p, keyer, anywhere)
	}, func(p *entriesPiece) error {
		err := c.add(p)
		if n := len(c.entries); d.memory != nil && n > d.room {
			d.room = 2 * n
			d.memory(moreMemory + int64(d.room)*bytesPerFlow)
		}
		return err
	})
}

func mitmFormat() *formats.Format { return formats.Named("mitm") }

// stat describes the file that an argument names.
func (a *app) stat(arg string) (os.FileInfo, error) {
	if arg != "-" {
		return os.Stat(arg)
	}
	if f, ok := a.in.(*os.File); ok {
		return f.Stat()
	}
	return nil, os.ErrInvalid
}

// enter makes an entry of a flow.
func (d *diffing) enter(c *capture, it *pipeline.Item, p *entriesPiece, keyer *flowdiff.Keyer, anywhere bool) error {
	stateless := migrate.Stateless(it.Version)
	if anywhere && c.spool == nil && !stateless {
		return errOneByOne
	}
	if err := d.check(it); err != nil {
		return err
	}
	chosen, err := d.sel.matches(it, it.Index)
	if err != nil {
		return err
	}
	f, err := it.View(&p.viewer)
	if err != nil {
		return err
	}
	if p.keyer == nil {
		p.keyer = keyer.Clone()
	}
	e := p.keyer.Entry(f, it.Index, it.Offset)
	if err := f.Damage(); err != nil {
		return it.Wrap(err)
	}
	if c.spool != nil {
		e.Offset = int64(len(p.records))
		if err := p.keep(it, stateless); err != nil {
			return it.Wrap(err)
		}
	}
	p.entries = append(p.entries, e)
	if d.sel != nil {
		p.chosen = append(p.chosen, chosen)
	}
	return nil
}

// keep keeps a flow for the spool: as it is, or brought up to date if that depends
// on the flows before it.
func (p *entriesPiece) keep(it *pipeline.Item, asItIs bool) error {
	if asItIs {
		record, err := it.Bytes()
		p.records = append(p.records, record...)
		return err
	}
	m, err := it.Newest()
	if err == nil {
		p.records, err = tnetstring.Append(p.records, m.Value())
	}
	return err
}

// add adds the entries of a batch.
func (c *capture) add(p *entriesPiece) error {
	if c.spool != nil {
		for i := range p.entries {
			p.entries[i].Offset += c.spool.size
		}
		if err := c.spool.write(p.records); err != nil {
			return err
		}
	}
	c.entries = append(c.entries, p.entries...)
	c.chosen = append(c.chosen, p.chosen...)
	p.entries, p.chosen = p.entries[:0], p.chosen[:0]
	if p.records = p.records[:0]; cap(p.records) > keepText {
		p.records = nil
	}
	return nil
}

// reopen gets the capture ready for being read again.
func (c *capture) reopen(a *app, anywhere bool) error {
	if c.spool != nil {
		c.file = c.spool.file
		return c.spool.rewind()
	}
	err := c.unchanged(a)
	if err != nil || !anywhere {
		return err
	}
	if c.arg == "-" {
		c.file = a.in.(*os.File)
		c.start, err = c.file.Seek(0, io.SeekCurrent)
		return err
	}
	c.file, err = os.Open(c.arg)
	c.opened = err == nil
	return err
}

// wanted tells whether the filter selects an entry.
func (c *capture) wanted(i int) bool { return c.chosen == nil || c.chosen[i] }

// unchanged returns an error if the file has been written to, or replaced, since it
// was read first: what was found out then is about other flows.
func (c *capture) unchanged(a *app) error {
	if c.spool != nil {
		return nil // it is not read again
	}
	now, err := a.stat(c.arg)
	if err != nil {
		return err
	}
	if c.was == nil || written(c.was, now) {
		return fmt.Errorf("%s changed while it was compared: save a copy, and compare that", inputName(c.arg))
	}
	return nil
}

// reader returns a reader for records at any offset.
func (c *capture) reader(flags *inputFlags) (*dumpfile.Reader, error) {
	info, err := c.file.Stat()
	if err != nil {
		return nil, err
	}
	section := io.NewSectionReader(c.file, 0, info.Size())
	if _, err := section.Seek(c.start, io.SeekStart); err != nil {
		return nil, err
	}
	opts := flags.options(inputName(c.arg), needs{})
	return dumpfile.NewReader(section, &opts.ReaderOptions), nil
}

// again hands the flows of the capture to work a second time, in their order.
func again[T any](ctx context.Context, r *reader, c *capture, work func(*pipeline.Item, *T) error, emit func(*T) error) error {
	r.base, r.abandon = 0, nil
	if c.spool == nil {
		return each(ctx, r, c.arg, needs{}, nil, work, emit)
	}
	in, done := mapped(c.spool.file)
	defer done()
	opts := r.flags.options(inputName(c.arg), needs{})
	opts.Format = mitmFormat()
	return eachOf(ctx, r, in, opts, nil, work, emit)
}
