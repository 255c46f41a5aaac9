package dumpfile

import "github.com/flowtool/flowtool/state"

// An Origin is an input in another format, whose flows are turned into records of
// a dump one by one, so that all programs can work on records.
type Origin struct {
	in           input
	format, unit string
}

// NewOrigin returns an Origin in a format. Its name, limits and profile are those
// of opts, and unit is the word for its parts: "line". Errors say in which one
// they are.
func NewOrigin(opts *ReaderOptions, format, unit string) *Origin {
	o := opts.withDefaults()
	return &Origin{in: input{opts: o, codec: o.codec(), size: -1}, format: format, unit: unit}
}

// A Part is the part of an input in another format that a record was made of.
type Part struct {
	// Number is the number of the part, as people count them in that format.
	Number int64
	// Offset is where it starts in the (decompressed) input, and Size its size.
	Offset, Size int64
	// Data is the part itself, nil if it is not one run of bytes.
	Data []byte
}

// Append adds a record that was made of a part of o. Its Index is left to the
// caller.
func (b *Batch) Append(o *Origin, record []byte, part Part) {
	b.Records = append(b.Records, o.Record(record, part))
	b.Records[len(b.Records)-1].src.Slab = &b.slab
}

// Record returns a record that was made of a part of o.
func (o *Origin) Record(record []byte, part Part) Record {
	return Record{
		Offset: part.Offset, Size: part.Size,
		in: &o.in, origin: o, part: part.Number, data: part.Data,
		raw: record, src: &state.Source{Codec: o.in.codec, Data: record},
	}
}

// Replace returns a record with other bytes that stands in the place of r: its
// flow in another format version, say.
func (r *Record) Replace(record []byte) Record {
	return Record{
		Index: r.Index, Offset: r.Offset, Size: r.Size,
		in: r.in, origin: r.origin, part: r.part, made: true,
		raw: record, src: &state.Source{Codec: r.in.codec, Data: record},
	}
}

// IsFrom tells whether r was made of a part of o.
func (r *Record) IsFrom(o *Origin) bool { return o != nil && r.origin == o }

// Original returns the part that r was made of, if it comes from a format and
// the part is at hand; otherwise nil.
func (r *Record) Original(format string) []byte {
	if r.origin == nil || r.origin.format != format {
		return nil
	}
	return r.data
}
