// Package dumpfile reads and writes mitmproxy's flow dumps.
//
// Most programs want the flows of a file:
//
//	r := dumpfile.NewReader(f, nil)
//	for fl, err := range r.Flows() {
//		…
//	}
//
// # Levels
//
// A [Reader] gives records, states or flows, whichever is asked for. A
// [Record] is one element of the file with its offset and its bytes; it can be
// copied whatever is in it. Its state is the tree that the bytes encode, in
// the format version it was written in, decoded as far as somebody looks. A
// flow is the typed object, brought up to date by package migrate. The lower
// levels stay usable where a higher one refuses a record.
//
// # Input
//
// What an input is, is found from its content: a dump, or a dump in gzip or
// zstd (also several members or frames in a row). Anything else is a
// [FormatError] that says what it seems to be. Dumps of several sessions in
// one file, and records of different versions, are read as one stream.
//
// An input that can be read at any offset (a regular file, a [bytes.Reader])
// is not read as a whole: byte strings of more than a few kilobytes stay in
// the file until somebody asks for them. Such a file must not be changed while
// its flows are in use; if it becomes shorter, what is missing is reported as an
// error. Reading does not move the file's own position.
//
// Programs that look at large files for a moment can map them with [Map], which
// is quicker; see there for what it asks of them. Several goroutines share the work on
// an input by reading batches ([Reader.ReadBatch]) and, if it is mapped, also that of
// finding its records ([Parts]). Package pipeline does all that.
//
// # Damage
//
// Records before damage are delivered; then there is one [Error] with the
// number of the record, offsets, and the path within the record. Framing
// cannot be trusted after that, so it is the end. A record that is framed well
// but holds a flow that this package refuses is an Error too, but reading can
// go on behind it with the next call.
//
// # Limits
//
// Every length in an input is checked against [ReaderOptions] before memory is
// taken, and memory grows only as data arrives. Memory follows the record (or
// its small parts, see above), never the file.
package dumpfile
