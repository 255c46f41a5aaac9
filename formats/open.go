package formats

import (
	"bytes"
	"cmp"
	"errors"
	"io"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/filter"
	"github.com/flowtool/flowtool/flowpack"
	"github.com/flowtool/flowtool/pipeline"
)

// Options are the options of [Open]. A nil pointer and zero fields mean the
// defaults.
type Options struct {
	// ReaderOptions are name, limits and profile. They count for all formats.
	dumpfile.ReaderOptions
	// Format is the format that the input is in; nil if that is to be found out.
	Format *Format
	// Want tells whether anybody wants flows of a group. Formats that know what is
	// in their parts without decoding them skip the others. Nil stands for all.
	Want func(*Group) bool
}

// A Group is a run of flows of which something is known without decoding them.
type Group struct {
	// First is the number of the first flow in the input, and Flows how many there
	// are.
	First, Flows int64
	// Facts are what is known, but for the numbers of the flows.
	Facts *filter.ChunkFacts
}

// An Input is an input that was opened.
type Input struct {
	// Source is where package pipeline gets its flows from.
	Source pipeline.Source
	// Format is its format; nil if it is empty.
	Format *Format
	// Container is the compression around it.
	Container dumpfile.Container
	// Size is its size in bytes, -1 if that is not known.
	Size int64
	// Close releases what reading takes. It does not close the input.
	Close func() error
}

// opening is an input that is about to be opened.
type opening struct {
	opts    *dumpfile.ReaderOptions
	in      *Input
	dump    *dumpfile.Reader // of the input, at its start; nil if it cannot be one
	content io.Reader        // what is in the container
	guessed bool             // that the input has the format
	unknown error            // what to say if that guess was wrong
	want    func(*Group) bool
}

// origin returns the origin of records that are made of parts of the input, which
// are called unit.
func (o *opening) origin(unit string) *dumpfile.Origin {
	return dumpfile.NewOrigin(o.opts, o.in.Format.Name, unit)
}

// Open finds out what r holds, and returns it as a source. For what else is asked
// of r see [dumpfile.NewReader].
//
// The error is a [dumpfile.FormatError] if r holds no flows in a format that is
// known.
func Open(r io.Reader, opts *Options) (*Input, error) {
	var with Options
	if opts != nil {
		with = *opts
	}
	o := &opening{opts: &with.ReaderOptions, guessed: with.Format == nil, want: with.Want}
	o.in = &Input{Format: with.Format, Size: -1, Close: func() error { return nil }}
	raw, head, err := peek(r)
	if err != nil {
		return nil, err
	}
	if (o.guessed || with.Format == pack) && flowpack.Detect(head) {
		return o.openAs(pack, raw)
	}
	o.dump = dumpfile.NewReader(raw, o.opts)
	o.in.Close = o.dump.Close
	format, container, err := o.dump.Format()
	o.in.Container, o.in.Size, o.unknown = container, o.dump.Size(), err
	switch {
	case !o.guessed:
		return o.openAs(with.Format, o.dump.Content())
	case format == dumpfile.FormatEmpty:
		o.in.Source = o.dump
		return o.in, nil
	case format == dumpfile.FormatDump:
		return o.openAs(mitm, nil)
	case format == dumpfile.FormatJSON:
		return o.openAs(jsonLines, o.dump.Content())
	case format == dumpfile.FormatHAR:
		o.unknown = nil // the reader says better what is wrong with it
		return o.openAs(archive, o.dump.Content())
	}
	content, head, peekErr := peek(o.dump.Content())
	switch {
	case peekErr != nil:
	case flowpack.Detect(head):
		return o.openAs(pack, content)
	case looksZipped(head):
		return o.openAs(archive, content)
	}
	return nil, errors.Join(err, o.in.Close())
}

// openAs opens the input as a format, with its content, which is what the container
// holds.
func (o *opening) openAs(f *Format, content io.Reader) (*Input, error) {
	o.in.Format, o.content = f, content
	var err error
	if o.in.Source, err = f.open(o); err != nil {
		return nil, errors.Join(err, o.in.Close())
	}
	return o.in, nil
}

// peek returns the first bytes of r, and r from its start.
func peek(r io.Reader) (again io.Reader, head []byte, err error) {
	head = make([]byte, flowpack.MarkerSize)
	if m, ok := r.(*dumpfile.Mapping); ok {
		n, err := m.Section().ReadAt(head, 0)
		return r, head[:n], notEOF(err)
	}
	if s, ok := r.(io.Seeker); ok {
		if pos, err := s.Seek(0, io.SeekCurrent); err == nil {
			n, err := io.ReadFull(r, head)
			_, seekErr := s.Seek(pos, io.SeekStart)
			return r, head[:n], cmp.Or(notEOF(err), seekErr)
		}
	}
	n, err := io.ReadFull(r, head)
	head = head[:n]
	return io.MultiReader(bytes.NewReader(head), r), head, notEOF(err)
}

// notEOF returns err unless it says that there is no more.
func notEOF(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil
	}
	return err
}
