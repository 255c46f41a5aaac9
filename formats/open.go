package formats

import (
	"errors"
	"io"

	"github.com/flowtool/flowtool/dumpfile"
	"github.com/flowtool/flowtool/pipeline"
)

// Options are the options of [Open]. A nil pointer and zero fields mean the
// defaults.
type Options struct {
	// ReaderOptions are name, limits and profile. They count for all formats.
	dumpfile.ReaderOptions
	// Format is the format that the input is in; nil if that is to be found out.
	Format *Format
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
	dump    *dumpfile.Reader // of the input, at its start
	guessed bool             // that the input has the format
}

// content returns what is in the container.
func (o *opening) content() io.Reader { return o.dump.Content() }

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
	o := &opening{opts: &with.ReaderOptions, guessed: with.Format == nil}
	o.dump = dumpfile.NewReader(r, o.opts)
	o.in = &Input{Format: with.Format, Size: -1, Close: o.dump.Close}
	format, container, err := o.dump.Format()
	o.in.Container, o.in.Size = container, o.dump.Size()
	if o.in.Format == nil {
		switch {
		case format == dumpfile.FormatEmpty:
			o.in.Source = o.dump
			return o.in, nil
		case format == dumpfile.FormatDump:
			o.in.Format = mitm
		case format == dumpfile.FormatJSON:
			o.in.Format = jsonLines
		default:
			return nil, errors.Join(err, o.in.Close())
		}
	}
	if o.in.Source, err = o.in.Format.open(o); err != nil {
		return nil, errors.Join(err, o.in.Close())
	}
	return o.in, nil
}
