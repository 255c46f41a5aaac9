// Package state holds the value tree that flows are stored as.
//
// A mitmproxy dump is a sequence of records, and every record is one tree of
// null, booleans, integers of any size, floats, byte strings, text, lists and
// maps. [Value] is a node of such a tree, [Map] and [List] are its inner
// nodes. Codecs produce and consume trees, migrations rewrite them, typed
// flows are read from them and written to them, filters and diffs look into
// them. They all share this one representation.
//
// # Laziness
//
// A tree that was read from a record is decoded as far as somebody asked.
// [Open] looks at one element only; [Value.Map] and [Value.List] split one
// level into its elements; numbers and text are decoded by the accessor that
// returns them. Byte strings and text alias the record. Large leaves of a
// record that lies in a file may not even be in memory: see [Extent].
//
// Because decoding happens late, accessors return errors: the bytes of a
// value nobody looked at before may turn out to be malformed. [Validate]
// decodes everything at once.
//
// # Untouched values keep their bytes
//
// Every value remembers the bytes it was read from. An encoder asks
// [Value.Raw] and copies them, so that what was not edited is written back
// exactly as it was, also inside a map in which something else was edited.
//
// # Order
//
// Maps are ordered. The order is the logical one, in which a program builds
// the map ("version" first). mitmproxy stores maps back to front; undoing that
// is the business of the codec, so a map that is decoded and encoded again
// keeps its order in the file.
//
// # Concurrency
//
// Decoding on demand changes the tree, so even reading a tree is not safe for
// concurrent use. Hand a tree from one goroutine to the next as a whole.
package state
