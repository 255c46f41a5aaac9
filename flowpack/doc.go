// Package flowpack reads and writes flowpacks: flows in MessagePack, in zstd
// frames that can be read one by one, with a summary that says which of them
// are worth it.
//
//	w := flowpack.NewWriter(out, nil)
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
// docs/flowpack.md is the specification, with a reader in Python.
//
// # Format
//
// Everything in a flowpack is a standard zstd frame. The first one marks the
// format, so that [Detect] need not decompress anything; then come a header,
// chunks of flows, a summary of the chunks and a seek table. A flow is the map
// of its state, in logical order, with bytes and text kept apart; what
// MessagePack has no form for is an extension type. A record comes back byte for
// byte, whatever its numbers look like; one that is encoded as mitmproxy never
// does, with odd lengths or duplicate keys, is attached to its flow as a whole.
//
// # Levels
//
// A [Reader] gives chunks, states or flows, whichever is asked for, and a
// [Batch] is the records of a chunk. Chunks are found without decompressing
// them, and can be decoded in any goroutine; [Reader.Batches] does that. If the
// input can be read at any offset, chunks that nobody decodes are not even read,
// [Reader.Index] has all of them, and their [ChunkFacts] say what is in them.
//
// A [Writer] takes records, states and flows, and flows that were encoded
// elsewhere with [AppendRecord]. It compresses in the background, as many chunks
// at a time as it has workers, and writes them in order.
//
// # How it works
//
// Both directions go from bytes to bytes, without making values. AppendRecord
// walks a record; DecodeRecord notes the values of a flow and their sizes, then
// writes every one to where it belongs in the record. [Decode] returns a state
// that is read from this record as far as somebody looks.
//
// # Damage
//
// Every chunk that is complete is delivered, whatever is missing or damaged
// elsewhere. Damage is an [*Error] with the part and the number of the chunk;
// reading goes on with the next call. All bytes of a file are covered by a
// checksum. A reader of a stream finds some damage only when it arrives at the
// summary: that to bits which mean nothing, and that to chunks nobody decoded.
// Missing and damaged summaries and seek tables are reported, and cost time but
// no flows.
//
// # Limits
//
// Sizes, ratios of expansion, nesting and numbers of elements are checked
// against [ReaderOptions] before memory is taken. Memory follows the chunk, which
// is a few megabytes or one flow: reading takes its compressed and decompressed
// form and its records, for each chunk that is being decoded. Writing takes
// about three times [WriterOptions.ChunkSize] for each worker; a chunk that is much
// larger is compressed alone.
//
// # Concurrency
//
// Append, AppendRecord, Decode, DecodeRecord, FactsOf and Decode of different
// chunks may be called by several goroutines at once, for different states and
// batches. Readers and Writers are for one goroutine.
package flowpack
