// Package formats is the table of the formats that flows are read from and written
// to, and what is common to them.
//
// [Open] finds out what an input is from its content and returns it as a source
// for package pipeline, which turns flows of every format into records of a dump.
// [Format.Create] returns a [Sink], which writes flows in a format: goroutines
// encode them, each into a [Chunk], and one writes the chunks in order.
//
//	in, err := formats.Open(r, nil)
//	…
//	out, err := formats.Named("jsonl").Create(w, nil)
//	…
//	err = pipeline.Run(ctx, in.Source, pipeline.Options{}, out.Encode…, out.Write…)
//
// A new format is a package that knows it, a file here that adapts it, and a row in
// the table.
package formats
