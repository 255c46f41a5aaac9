// Package jsonl reads and writes flows as JSON Lines: one state a line,
// comfortable with jq, and exactly reversible.
//
//	w := jsonl.NewWriter(out)
//	for m, err := range dump.States() { // of a dumpfile.Reader
//		if err != nil {
//			return err
//		}
//		if err := w.WriteState(m); err != nil {
//			return err
//		}
//	}
//	return w.Close()
//
// docs/jsonl.md is the specification, with the fields one by one, recipes for jq
// and a reader in Python.
//
// # Format
//
// A line is an object with the keys of the state in their logical order. Where
// the format of dumps has bytes, a string is bytes, and it is text everywhere
// else, so that .request.path is a string. What is of another type than its
// place is for, and what JSON cannot say, carries a tag, an object with a key
// that begins with one dollar sign:
//
//	{"$base64": "/wA="}     bytes that are not UTF-8
//	{"$bytes": "abc"}       bytes where a string is text
//	{"$text": "abc"}        text where a string is bytes
//	{"$int": "…"}           an integer beyond 2⁵³, where a float belongs, or spelled oddly
//	{"$float": "nan"}       a float that JSON lacks, or spelled oddly
//	{"$map": [[k, v], …]}   a map with other keys than text
//	{"$keys": "bytes", …}   a map in which keys and strings are bytes
//	{…, "$raw": "…"}        a flow with its record, if that is encoded oddly
//
// Keys of maps that begin with a dollar sign get a second one.
//
// # Decisions
//
// One table of places serves all format versions, because a reader may meet the
// version behind everything else (jq -S sorts keys). Between versions, only
// request.host changed between bytes and text; as that changes no size, a reader
// settles it when the flow is complete. Flows of the Python 2 releases, which
// know no text, are marked by their first member instead of having a tag at
// every string.
//
// Bytes have two tags, so that those that can be read can be read: base64 is for
// what is not UTF-8 only.
//
// Integers are tagged from 2⁵³ on, whatever newer releases of jq can do, because
// jq 1.6 and JavaScript round them without a word. Where floats belong, a number
// without fraction is a float, because jq 1.6 writes 1.0 as 1.
//
// A number keeps its spelling, which costs nothing and makes a number in a dump
// and one in a line the same bytes: the text of a float is copied in both
// directions if it is a usual decimal fraction, and an odd spelling goes into
// the tag. What is left are odd lengths and duplicate keys, which no release
// writes. A record that has some is attached as a whole ("$raw"), and counts if
// the rest of the line still says the same.
//
// # How it works
//
// Both directions go from bytes to bytes, without making values. [AppendRecord]
// walks a record; a state that was changed is encoded first. The canonical form
// needs no extra look: a walk that knows only the usual encoding fails on any
// other, and a slower one takes over. [DecodeRecord] notes the values of a line
// and their sizes, then writes every one to where it belongs in the record;
// [Decode] returns a state that is read from this record as far as somebody
// looks.
//
// # Errors and limits
//
// A line that is not as it should be is an [*Error] with line, column and path.
// The limits on lines, nesting and elements are in [ReaderOptions]. Memory
// follows the line: reading takes up to 16 bytes for a byte of it, if it consists
// of nothing but tiny values, and usually three.
//
// # Concurrency
//
// [Append], [AppendRecord], [Decode], [DecodeRecord] and the methods of a [Line]
// may be called by several goroutines at once, for different states. Readers
// and Writers are for one goroutine.
package jsonl
